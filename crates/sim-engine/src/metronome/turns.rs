//! Writes answers: the next part of each, when its time or its turn has come.
//!
//! A client that does not read holds up nobody: what its socket did not take of one write is
//! kept, and its stream rests until that has gone.

use super::answer::{Answer, Due, Step};
use super::clock::{self, Nanoseconds};
use super::connection::Phase;
use super::connections::Token;
use super::ledger::{Ledger, Outcome};
use super::server::Server;

/// What a write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Nothing: the client has gone.
    Lost,
    /// The socket was full. The answer goes on when it has room.
    Held,
    /// This comes next.
    Next(Step, Due),
    /// The answer is whole.
    Over,
}

impl Server {
    /// Begins an answer. Its head waits for nothing, but goes along with what is due at once.
    pub(super) fn begin(&mut self, token: Token) {
        match self.next(token) {
            Some((Step::Role | Step::Content(_), Due::At(due))) if due > clock::now() => {
                match self.write_step(token, Step::Head) {
                    Written::Lost => self.lose(token),
                    Written::Held => {}
                    Written::Next(..) | Written::Over => self.agenda.add(due, token),
                }
            }
            _ => self.schedule(token),
        }
    }

    /// Writes the next part of an answer.
    pub(super) fn write_next(&mut self, token: Token) {
        let Some((step, _)) = self.next(token) else {
            return;
        };
        match self.write_step(token, step) {
            Written::Next(_, Due::At(due)) => self.agenda.add(due, token),
            Written::Next(_, Due::Turn) => self.enqueue(token),
            Written::Held => {}
            Written::Lost => self.lose(token),
            Written::Over => self.proceed(token, clock::now()),
        }
    }

    /// The same for a connection that waited for its turn, if it was for this.
    pub(super) fn write_in_turn(&mut self, token: Token) {
        if let Some((_, Due::Turn)) = self.next(token) {
            self.write_next(token);
        }
    }

    /// Writes what a socket did not take before, and lets go on what waited for that.
    pub(super) fn flush(&mut self, token: Token) {
        let Some(connection) = self.connections.get(token) else {
            return;
        };
        if !connection.is_held && connection.socket.is_clear() {
            return;
        }
        if connection.socket.flush().is_err() {
            return self.lose(token);
        }
        if connection.socket.is_clear() {
            connection.is_held = false;
            match connection.phase {
                Phase::Answering(_) => self.schedule(token),
                Phase::Reading | Phase::Parting => self.proceed(token, clock::now()),
            }
        }
    }

    /// What an answer comes to next; nothing if there is none.
    fn next(&mut self, token: Token) -> Option<(Step, Due)> {
        match &self.connections.get(token)?.phase {
            Phase::Answering(answer) => answer.next(&self.pace),
            Phase::Reading | Phase::Parting => None,
        }
    }

    fn schedule(&mut self, token: Token) {
        match self.next(token) {
            Some((_, Due::At(due))) => self.agenda.add(due, token),
            Some((_, Due::Turn)) => self.enqueue(token),
            None => {}
        }
    }

    fn write_step(&mut self, token: Token, step: Step) -> Written {
        let Some(connection) = self.connections.get(token) else {
            return Written::Lost;
        };
        let Phase::Answering(answer) = &mut connection.phase else {
            return Written::Lost;
        };
        self.outgoing.clear();
        answer.render(step, &mut self.outgoing);
        // Nothing may come between these two.
        let now = clock::now();
        match connection.socket.write(&self.outgoing) {
            Err(_) => return Written::Lost,
            Ok(false) => {
                connection.is_held = true;
                return Written::Held;
            }
            Ok(true) => {}
        }
        note(&mut self.ledger, answer, step, now);
        answer.advance(step);
        match answer.next(&self.pace) {
            None => {
                connection.closes |= answer.closes;
                connection.phase = Phase::Reading;
                Written::Over
            }
            Some((step, due)) if connection.socket.is_clear() => Written::Next(step, due),
            Some(_) => {
                connection.is_held = true;
                Written::Held
            }
        }
    }
}

/// Notes in the ledger what a write carried.
fn note(ledger: &mut Ledger, answer: &Answer, step: Step, time: Nanoseconds) {
    match step {
        Step::Head | Step::Role => {}
        Step::Content(count) => ledger.stamp(answer.ticket, time, count),
        Step::End => ledger.end(answer.ticket, time, Outcome::Complete),
        Step::Whole => {
            ledger.stamp(answer.ticket, time, 1);
            ledger.end(answer.ticket, time, Outcome::Complete);
        }
    }
}
