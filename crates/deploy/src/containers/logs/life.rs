//! A container's lives: which one was seen, and what of its log is of which.
//!
//! The idea: the daemon keeps one log for all lives of a container, and its times of starts and
//! ends are of when it heard of them. What is decided here by times is where to look again, and
//! between which lines a word about a start belongs; never whether a line is given.

use jiff::{SignedDuration, Timestamp};

use super::line::Line;
use super::ring::Life;
use crate::containers::Container;

/// What is printed so long after a container has ended is of its next life.
const BETWEEN_LIVES: SignedDuration = SignedDuration::from_millis(100);

/// A container at the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) is_alive: bool,
    pub(super) started_at: Option<String>,
    pub(super) finished_at: Option<String>,
    pub(super) exit_code: Option<i64>,
    pub(super) out_of_memory: bool,
}

impl Seen {
    pub(super) fn of(container: &Container) -> Self {
        Self {
            is_alive: matches!(container.state.as_str(), "running" | "paused" | "restarting"),
            started_at: container.started_at.clone(),
            finished_at: container.finished_at.clone(),
            exit_code: container.exit_code,
            out_of_memory: container.out_of_memory,
        }
    }

    /// From when on what was printed is of a later life than the one seen before, if there has been
    /// one meanwhile; `None` where that life goes on. The daemon's times are of when it heard of
    /// starts and ends, so the middle between two lives is what is safe.
    pub(super) fn end_of(&self, before: &Self) -> Option<Timestamp> {
        let time = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
        let finished = time(&self.finished_at)?;
        if self.started_at == before.started_at {
            let ended = (!self.is_alive).then_some(finished)?;
            return ended.checked_add(BETWEEN_LIVES).ok();
        }
        let started = time(&self.started_at)?;
        let between = started.duration_since(finished);
        match between.is_positive() {
            true => finished.checked_add(between / 2).ok(),
            false => Some(started),
        }
    }

    /// What there is to say of it.
    pub(super) fn life(&self) -> Life {
        match self.is_alive {
            true => Life::Started {
                at: self.started_at.clone(),
            },
            false => Life::Stopped {
                exit_code: self.exit_code,
                out_of_memory: self.out_of_memory,
            },
        }
    }
}

/// Which part of a log is read at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) is_following: bool,
    /// What was printed from then on is of another life.
    pub(super) limit: Option<Timestamp>,
    /// Whether a last line without an end is all there is of it.
    pub(super) has_ended: bool,
}

impl Span {
    /// Whether something of this may be of another life.
    pub(super) fn is_beyond(&self, lines: &[Line]) -> bool {
        self.limit
            .is_some_and(|limit| lines.iter().any(|line| line.stamp >= limit))
    }

    /// Takes away what is of another life.
    pub(super) fn cut(&self, lines: &mut Vec<Line>) {
        let is_beyond = |line: &Line| self.limit.is_some_and(|limit| line.stamp >= limit);
        if let Some(first) = lines.iter().position(is_beyond) {
            lines.truncate(first);
        }
    }
}
