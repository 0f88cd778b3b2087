//! The loop of the one thread: what is due, whose turn it is, what has happened.
//!
//! Deadlines go first: they are looked at after every single thing that was done.

use std::collections::VecDeque;
use std::net::TcpListener;

use super::agenda::Agenda;
use super::clock;
use super::connection::{Connection, Phase};
use super::connections::{Connections, Token};
use super::error::MetronomeError;
use super::ledger::{Ledger, Outcome};
use super::options::Stamps;
use super::pace::Pace;
use super::running::Stopper;
use super::voice::Voices;
use super::watch::{Happening, Patience, Readiness, Watch};

/// Connections that are open at once; more are closed as they come.
const MOST_CONNECTIONS: usize = 65_000;

/// New connections that are accepted before anything else has its turn.
const ACCEPTED_AT_ONCE: usize = 64;

/// Turns, or late writes, before sockets are looked at again.
const TURNS_AT_ONCE: usize = 256;

/// Late writes between two other things.
const LATE_AT_ONCE: usize = 16;

/// Bytes that are read at once.
const READ_AT_ONCE: usize = 64 << 10;

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) pace: Pace,
    listener: TcpListener,
    watch: Watch,
    pub(super) connections: Connections,
    pub(super) agenda: Agenda,
    /// Whose turn it is; each connection is in here once at most.
    queue: VecDeque<Token>,
    pub(super) ledger: Ledger,
    pub(super) voices: Voices,
    /// How many requests were answered.
    pub(super) answered: u64,
    /// What is written next, put together.
    pub(super) outgoing: Vec<u8>,
    /// What was read last.
    pub(super) buffer: Box<[u8]>,
    /// Whether somebody may be waiting to be accepted.
    has_callers: bool,
    /// Whether somebody was not accepted because there was no room.
    is_full: bool,
}

impl Server {
    /// A server that nobody has connected to yet.
    pub(super) fn new(
        pace: Pace,
        keeps: Stamps,
        listener: TcpListener,
        stop: &Stopper,
    ) -> Result<Self, MetronomeError> {
        Ok(Self {
            pace,
            watch: Watch::new(&listener, stop)?,
            listener,
            connections: Connections::default(),
            agenda: Agenda::default(),
            queue: VecDeque::new(),
            ledger: Ledger::new(keeps, clock::thread_time()),
            voices: Voices::default(),
            answered: 0,
            outgoing: Vec::new(),
            buffer: vec![0; READ_AT_ONCE].into(),
            has_callers: true,
            is_full: false,
        })
    }

    /// Serves until it is asked to stop.
    pub(super) fn run(mut self) -> Result<(), MetronomeError> {
        loop {
            self.do_due(TURNS_AT_ONCE);
            self.take_turns();
            self.accept();
            let count = self.watch.wait(self.patience())?;
            for index in 0..count {
                match self.watch.happening(index) {
                    Happening::Stop => return Ok(()),
                    Happening::Tick => {}
                    Happening::Knock => self.has_callers = true,
                    Happening::Change(token, readiness) => self.change(token, readiness),
                }
                self.do_due(LATE_AT_ONCE);
            }
        }
    }

    /// Gives a connection a turn after all others that wait for theirs.
    pub(super) fn enqueue(&mut self, token: Token) {
        if let Some(connection) = self.connections.get(token)
            && !std::mem::replace(&mut connection.is_queued, true)
        {
            self.queue.push_back(token);
        }
    }

    /// Gives up a connection whose client has gone, or that is no longer needed.
    pub(super) fn lose(&mut self, token: Token) {
        if let Some(connection) = self.connections.remove(token) {
            if let Phase::Answering(answer) = connection.phase {
                self.ledger.end(answer.ticket, clock::now(), Outcome::Aborted);
            }
            self.has_callers |= std::mem::take(&mut self.is_full);
        }
    }

    fn patience(&self) -> Patience {
        if self.has_callers || !self.queue.is_empty() {
            return Patience::None;
        }
        match self.agenda.next() {
            None => Patience::Endless,
            Some(due) if due <= clock::now() => Patience::None,
            Some(due) => Patience::Until(due),
        }
    }

    /// Does what is due, at most so many things.
    fn do_due(&mut self, most: usize) {
        for _ in 0..most {
            if self.agenda.next().is_none() {
                return;
            }
            let Some(token) = self.agenda.take_due(clock::now()) else {
                return;
            };
            let Some(connection) = self.connections.get(token) else {
                continue;
            };
            match connection.phase {
                Phase::Reading => {}
                Phase::Answering(_) => self.write_next(token),
                // It had its time.
                Phase::Parting => self.lose(token),
            }
        }
    }

    /// Gives everyone a turn who was waiting for one when this began.
    fn take_turns(&mut self) {
        for _ in 0..self.queue.len().min(TURNS_AT_ONCE) {
            let Some(token) = self.queue.pop_front() else {
                return;
            };
            let Some(connection) = self.connections.get(token) else {
                continue;
            };
            connection.is_queued = false;
            match connection.phase {
                Phase::Reading | Phase::Parting => self.read(token),
                Phase::Answering(_) => self.write_in_turn(token),
            }
            self.do_due(LATE_AT_ONCE);
        }
    }

    fn change(&mut self, token: Token, readiness: Readiness) {
        if readiness.is_writable {
            self.flush(token);
        }
        if readiness.is_readable {
            self.read(token);
        }
        // What was sent before the client went has been read and, if that could be done at once,
        // answered.
        if readiness.has_gone {
            self.lose(token);
        }
    }

    fn accept(&mut self) {
        if !self.has_callers {
            return;
        }
        for _ in 0..ACCEPTED_AT_ONCE {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    self.has_callers = false;
                    return;
                }
                // Whoever called may have hung up since.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => continue,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // No file is left for it: when another closes, there is.
                Err(_) => {
                    (self.has_callers, self.is_full) = (false, true);
                    return;
                }
            };
            let set_up = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true));
            if set_up.is_err() || self.connections.count() >= MOST_CONNECTIONS {
                continue;
            }
            self.ledger.accept();
            let token = self.connections.add(Connection::new(stream));
            self.watch_over(token);
        }
    }

    fn watch_over(&mut self, token: Token) {
        let Some(connection) = self.connections.get(token) else {
            return;
        };
        if self.watch.add(&connection.socket, token).is_err() {
            self.lose(token);
        }
    }
}
