//! Waits for sockets and for a deadline together, to the nanosecond.
//!
//! `epoll` alone counts milliseconds, so deadlines are a timer's, which is one more thing to
//! watch. Sockets are watched for edges, all kinds at once and once and for all: no call is
//! spent on changing one's mind.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::timer::{Expiration, TimerSetTimeFlags};
use nix::sys::timerfd::{self, TimerFd, TimerFlags};

use super::clock::{Nanoseconds, timespec};
use super::connections::Token;
use super::error::MetronomeError;

/// Events that are asked for at once.
const EVENTS: usize = 512;

const TIMER: u64 = u64::MAX;
const LISTENER: u64 = u64::MAX - 1;
const STOP: u64 = u64::MAX - 2;

/// How long to wait if nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Not at all.
    None,
    /// Until this time.
    Until(Nanoseconds),
    /// For ever.
    Endless,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// Somebody asked for the end.
    Stop,
    /// Somebody wants to connect.
    Knock,
    /// A connection has changed.
    Change(Token, Readiness),
    /// A deadline has come: nothing that the agenda does not tell.
    Tick,
}

/// What a connection is ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Readiness {
    /// There are bytes to read, or the end.
    pub(super) is_readable: bool,
    /// There is room for bytes to write.
    pub(super) is_writable: bool,
    /// The other side has closed, or it is broken.
    pub(super) has_gone: bool,
}

/// Waits for sockets and for a deadline together.
#[derive(Debug)]
pub(super) struct Watch {
    epoll: Epoll,
    timer: TimerFd,
    /// When the timer goes off, if it is set.
    set_for: Option<Nanoseconds>,
    events: Vec<EpollEvent>,
}

impl Watch {
    /// A watch over a listener and over what asks for the end.
    pub(super) fn new(listener: impl AsFd, stop: impl AsFd) -> Result<Self, MetronomeError> {
        let set_up = || {
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(timerfd::ClockId::CLOCK_MONOTONIC, flags)?;
            let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
            epoll.add(&timer, EpollEvent::new(edge, TIMER))?;
            epoll.add(listener, EpollEvent::new(edge, LISTENER))?;
            // A level, not an edge: who has been asked stays asked.
            epoll.add(stop, EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
            Ok(Self {
                epoll,
                timer,
                set_for: None,
                events: vec![EpollEvent::empty(); EVENTS],
            })
        };
        set_up().map_err(|errno: Errno| MetronomeError::SetUpWaiting { source: errno.into() })
    }

    /// Watches a connection until it is closed.
    pub(super) fn add(&self, socket: impl AsFd, token: Token) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        let data = u64::from(token.generation) << 32 | u64::from(token.slot);
        Ok(self.epoll.add(socket, EpollEvent::new(flags, data))?)
    }

    /// Waits and says how many things have happened.
    pub(super) fn wait(&mut self, patience: Patience) -> Result<usize, MetronomeError> {
        self.try_wait(patience)
            .map_err(|errno| MetronomeError::Wait { source: errno.into() })
    }

    /// What has happened.
    pub(super) fn happening(&mut self, index: usize) -> Happening {
        let event = self.events[index];
        match event.data() {
            TIMER => {
                self.set_for = None;
                Happening::Tick
            }
            LISTENER => Happening::Knock,
            STOP => Happening::Stop,
            data => Happening::Change(token(data), readiness(event.events())),
        }
    }

    fn try_wait(&mut self, patience: Patience) -> Result<usize, Errno> {
        let timeout = match patience {
            Patience::None => EpollTimeout::ZERO,
            Patience::Endless => EpollTimeout::NONE,
            Patience::Until(time) => {
                if self.set_for != Some(time) {
                    let expiration = Expiration::OneShot(timespec(time));
                    self.timer.set(expiration, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
                    self.set_for = Some(time);
                }
                EpollTimeout::NONE
            }
        };
        match self.epoll.wait(&mut self.events, timeout) {
            Err(Errno::EINTR) => Ok(0),
            result => result,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "two halves of what was put together"
)]
fn token(data: u64) -> Token {
    Token {
        slot: data as u32,
        generation: (data >> 32) as u32,
    }
}

fn readiness(flags: EpollFlags) -> Readiness {
    let gone = EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR;
    Readiness {
        is_readable: flags.contains(EpollFlags::EPOLLIN),
        is_writable: flags.contains(EpollFlags::EPOLLOUT),
        has_gone: flags.intersects(gone),
    }
}
