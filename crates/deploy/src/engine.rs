//! One engine that runs as a process of ours, from its start to its burial.
//!
//! The idea: the first process is not reaped when it ends but when everything it started is
//! gone, too. Until then its id, and with it its group's, cannot be given to anybody else,
//! so signalling the group is safe at any time.

use std::collections::HashSet;
use std::io::{self, PipeReader};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::sync::{oneshot, watch};

use crate::guard::read_report;
use crate::kin::{self, Identity, Kin};
use crate::ledger::{self, Entry};
use crate::port::PortReservation;
use crate::{DeployError, Exit, Listener, blocking, listener, procfs};

/// A started engine. Dropped before it was ended, it is killed.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Taken when it has been reaped.
    child: Mutex<Option<Child>>,
    kin: Kin,
    exit: watch::Receiver<Option<Exit>>,
    /// Set before we send a signal, so that its death is not put down to want of memory.
    was_ended_by_us: AtomicBool,
    entry: Entry,
    port: PortReservation,
}

/// Told once the launcher has become the engine, or could not.
pub(crate) type Handover = oneshot::Receiver<io::Result<()>>;

impl Engine {
    /// Takes charge of a process that has just been started.
    ///
    /// # Errors
    /// When it cannot be put on record or watched; it is killed then.
    pub(crate) fn adopt(
        mut child: Child,
        mut entry: Entry,
        port: PortReservation,
        report: Option<PipeReader>,
    ) -> Result<(Self, Handover), DeployError> {
        let memory_kills_before = procfs::memory_kills();
        let pid = child.id().cast_signed();
        let Some(process) = procfs::stat(pid) else {
            let _ = child.kill();
            let _ = child.wait();
            let _ = entry.remove();
            let missing = io::Error::other("the started process is not in /proc");
            return Err(DeployError::ListProcesses(missing));
        };
        let identity = Identity::from(&process);
        let completed = entry.complete(identity);
        let (exit_sender, exit) = watch::channel(None);
        let engine = Self {
            child: Mutex::new(Some(child)),
            kin: Kin {
                leaders: vec![identity],
                mark: entry.mark().to_owned(),
            },
            exit,
            was_ended_by_us: AtomicBool::new(false),
            entry,
            port,
        };
        completed?;
        let (handover_sender, handover) = oneshot::channel();
        std::thread::Builder::new()
            .name(format!("engine {pid}"))
            .spawn(move || {
                let report = report.map_or(Ok(()), read_report);
                // Whoever no longer waits for it does not need it.
                let _ = handover_sender.send(report);
                let _ = exit_sender.send(Some(wait_for_exit(pid, memory_kills_before)));
            })
            .map_err(|source| DeployError::Start {
                program: "a thread that waits for the engine".to_owned(),
                source,
            })?;
        Ok((engine, handover))
    }

    /// Its first process.
    pub(crate) fn pid(&self) -> i32 {
        self.kin.leaders[0].pid
    }

    /// Its number among all that this instance has started.
    pub(crate) fn number(&self) -> &str {
        ledger::number_of(self.entry.mark())
    }

    /// The port it was told to listen on.
    pub(crate) fn port(&self) -> u16 {
        self.port.port()
    }

    /// How its first process ended, if it has.
    pub(crate) fn exit(&self) -> Option<Exit> {
        let exit = *self.exit.borrow();
        exit.map(|exit| Exit {
            out_of_memory: exit.out_of_memory && !self.was_ended_by_us.load(Ordering::Relaxed),
            ..exit
        })
    }

    /// Whether it would be the one to answer on its port.
    pub(crate) fn listener(&self) -> Result<Listener, DeployError> {
        let living = self.kin.living(&mut HashSet::new())?;
        listener::listener_on(self.port(), &living.members).map_err(DeployError::ListProcesses)
    }

    /// Ends it and all it started, and takes it off the record. May be called again, also
    /// while another call is at work: the shorter grace wins.
    pub(crate) async fn end(self: Arc<Self>, grace: Duration) -> Result<(), DeployError> {
        self.was_ended_by_us.store(true, Ordering::Relaxed);
        kin::end(&self.kin, grace).await?;
        blocking(move || self.bury()).await
    }

    /// Reaps the first process, which has ended, and forgets it.
    fn bury(&self) -> Result<(), DeployError> {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            // It has ended, so this does not wait.
            let _ = child.wait();
            self.entry.remove()?;
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let is_buried = self.child.get_mut().is_ok_and(|child| child.is_none());
        if is_buried {
            return;
        }
        if !kin::kill_now(&self.kin) {
            tracing::warn!(
                engine.pid = self.pid(),
                "an engine outlives us; it stays on record for the next sweep"
            );
            return;
        }
        if let Err(error) = self.bury() {
            tracing::warn!(engine.pid = self.pid(), %error, "an engine that is gone stays on record");
        }
    }
}

/// Waits for the process to end and leaves it to be reaped.
fn wait_for_exit(pid: i32, memory_kills_before: Option<u64>) -> Exit {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    let status = loop {
        match waitid(Id::Pid(Pid::from_raw(pid)), flags) {
            Err(Errno::EINTR) => {}
            other => break other,
        }
    };
    let (code, signal) = match status {
        Ok(WaitStatus::Exited(_, code)) => (Some(code), None),
        Ok(WaitStatus::Signaled(_, signal, _)) => (None, Some(signal as i32)),
        // A signal the library has no name for, or a process somebody else has reaped.
        _ => (None, None),
    };
    let is_killed = signal == Some(Signal::SIGKILL as i32);
    let has_memory_run_out = match (memory_kills_before, procfs::memory_kills()) {
        (Some(before), Some(after)) => after > before,
        _ => false,
    };
    Exit {
        code,
        signal,
        out_of_memory: is_killed && has_memory_run_out,
    }
}
