//! Starting and stopping: in the calling thread, or in one of its own.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::error::MetronomeError;
use super::listen::{allow_many_connections, listen};
use super::options::{MetronomeOptions, Stamps};
use super::pace::Pace;
use super::server::Server;
use crate::journal::announce;

/// Runs a truth server in the calling thread until it is asked to stop.
///
/// It prints `listening on http://ADDRESS` on stdout as soon as it listens. Answers under way
/// are cut when it stops.
///
/// # Errors
/// Any [`MetronomeError`]: a program should print its chain on stderr and exit with code 1.
pub fn run(options: &MetronomeOptions, stop: &Stopper) -> Result<(), MetronomeError> {
    let bound = Bound::new(options)?;
    announce(bound.address);
    bound.serve(stop)
}

/// Runs a truth server in a thread of this process, for tests of whatever generates load.
///
/// It listens when this returns, and ends when the returned [`RunningMetronome`] is dropped.
///
/// # Errors
/// As [`run`], for all that can go wrong until it listens.
pub fn spawn(options: &MetronomeOptions) -> Result<RunningMetronome, MetronomeError> {
    let bound = Bound::new(options)?;
    let address = bound.address;
    let stop = Stopper::new()?;
    let stopper = stop.clone();
    let thread = std::thread::Builder::new()
        .name("metronome".to_owned())
        .spawn(move || bound.serve(&stopper))
        .map_err(|source| MetronomeError::StartThread { source })?;
    Ok(RunningMetronome {
        address,
        stop,
        thread: Some(thread),
    })
}

/// Asks a truth server to stop, from any thread.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<EventFd>);

impl Stopper {
    /// One that has not asked yet.
    ///
    /// # Errors
    /// The system has no file left for it.
    pub fn new() -> Result<Self, MetronomeError> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let event = event.map_err(|errno| MetronomeError::SetUpWaiting { source: errno.into() })?;
        Ok(Self(Arc::new(event)))
    }

    /// Asks the server to stop, which it will soon have done.
    pub fn stop(&self) {
        // It fails only if it was asked very often.
        let _ = self.0.write(1);
    }
}

impl AsFd for Stopper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A truth server that runs in a thread of this process.
#[derive(Debug)]
pub struct RunningMetronome {
    address: SocketAddr,
    stop: Stopper,
    thread: Option<JoinHandle<Result<(), MetronomeError>>>,
}

impl RunningMetronome {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a base URL, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it and waits until it has.
    ///
    /// # Errors
    /// Why it had ended before.
    pub fn stop(mut self) -> Result<(), MetronomeError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), MetronomeError> {
        self.stop.stop();
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(MetronomeError::ThreadEnded),
        }
    }
}

impl Drop for RunningMetronome {
    fn drop(&mut self) {
        // Whoever wants to know calls `stop`.
        drop(self.end());
    }
}

/// A server that listens and has yet to serve.
#[derive(Debug)]
struct Bound {
    pace: Pace,
    keeps: Stamps,
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    fn new(options: &MetronomeOptions) -> Result<Self, MetronomeError> {
        let pace = Pace::new(options)?;
        allow_many_connections();
        let (listener, address) = listen(&options.host, options.port)?;
        Ok(Self {
            pace,
            keeps: options.stamps,
            listener,
            address,
        })
    }

    fn serve(self, stop: &Stopper) -> Result<(), MetronomeError> {
        Server::new(self.pace, self.keeps, self.listener, stop)?.run()
    }
}
