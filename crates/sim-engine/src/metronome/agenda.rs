//! What is due when: absolute deadlines, the earliest first.
//!
//! Nothing is ever taken off before its time. Whoever put a connection on the agenda looks, when
//! its time has come, whether it is still there and what it wants. A connection has one entry at
//! most; that of one that has gone stays until its time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::clock::Nanoseconds;
use super::connections::Token;

/// Deadlines of connections.
#[derive(Debug, Default)]
pub(super) struct Agenda(BinaryHeap<Reverse<(Nanoseconds, Token)>>);

impl Agenda {
    /// Puts a connection on the agenda.
    pub(super) fn add(&mut self, due: Nanoseconds, token: Token) {
        self.0.push(Reverse((due, token)));
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Nanoseconds> {
        self.0.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes the earliest entry, if its time has come.
    pub(super) fn take_due(&mut self, now: Nanoseconds) -> Option<Token> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, token))| token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_nothing_before_its_time() {
        let token = |slot| Token { slot, generation: 0 };
        let mut agenda = Agenda::default();
        assert_eq!((agenda.next(), agenda.take_due(100)), (None, None));
        for (due, slot) in [(30, 1), (10, 2), (20, 3)] {
            agenda.add(due, token(slot));
        }
        assert_eq!(agenda.next(), Some(10));
        assert_eq!(agenda.take_due(9), None);
        assert_eq!(agenda.take_due(20), Some(token(2)));
        assert_eq!(agenda.take_due(20), Some(token(3)));
        assert_eq!(agenda.take_due(20), None);
        assert_eq!(agenda.take_due(30), Some(token(1)));
    }
}
