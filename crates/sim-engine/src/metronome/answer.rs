//! One answer under way: which write comes next, when, and what is in it.
//!
//! Deadlines are absolute: a write that came late does not move those after it.

use std::rc::Rc;

use super::clock::Nanoseconds;
use super::ledger::Ticket;
use super::pace::Pace;
use super::reply::{JSON, Reply, Status};
use super::voice::{Usage, Voice};

/// One answer under way.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) voice: Rc<Voice>,
    /// The request's number, in its events.
    pub(super) id: u64,
    /// Where its truth is kept.
    pub(super) ticket: Ticket,
    /// When its request had been read.
    pub(super) received: Nanoseconds,
    pub(super) usage: Usage,
    /// Whether no other answer follows over this connection.
    pub(super) closes: bool,
    pub(super) progress: Progress,
}

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// A stream of which nothing was written.
    Nothing,
    /// Its head was written and nothing else.
    Head,
    /// So many tokens of it were written, and all that comes before them.
    Tokens(u32),
    /// An answer that is not streamed and was not written.
    Unwritten,
    /// All was written.
    Over,
}

/// What one write carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The head alone.
    Head,
    /// The chunk with the role.
    Role,
    /// Events of so many tokens.
    Content(u32),
    /// The end of a stream.
    End,
    /// A whole answer, not streamed.
    Whole,
}

/// When a write is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// At this time.
    At(Nanoseconds),
    /// When the others have had their turn.
    Turn,
}

impl Answer {
    /// What comes next and when; nothing after the end. The head waits for nothing, but goes
    /// along with what is due at once.
    pub(super) fn next(&self, pace: &Pace) -> Option<(Step, Due)> {
        let tokens = self.usage.completion_tokens;
        let content = |sent: u32| {
            let writes = u64::from(sent / pace.events_per_write);
            let due = self.received + pace.first + pace.between.saturating_mul(writes);
            if pace.between == 0 && sent > 0 {
                Due::Turn
            } else {
                Due::At(due)
            }
        };
        match (self.progress, pace.role) {
            (Progress::Nothing | Progress::Head, Some(role)) => {
                Some((Step::Role, Due::At(self.received + role)))
            }
            (Progress::Nothing | Progress::Head, None) => {
                Some((Step::Content(tokens.min(pace.events_per_write)), content(0)))
            }
            (Progress::Tokens(sent), _) if sent < tokens => {
                let count = (tokens - sent).min(pace.events_per_write);
                Some((Step::Content(count), content(sent)))
            }
            (Progress::Tokens(_), _) => Some((Step::End, Due::Turn)),
            (Progress::Unwritten, _) => Some((Step::Whole, Due::At(self.whole_at(pace)))),
            (Progress::Over, _) => None,
        }
    }

    /// Adds what a write carries.
    pub(super) fn render(&self, step: Step, out: &mut Vec<u8>) {
        if self.progress == Progress::Nothing {
            Voice::head(self.closes, out);
        }
        match step {
            Step::Head => {}
            Step::Role => self.voice.role(self.id, out),
            Step::Content(count) => {
                let sent = match self.progress {
                    Progress::Tokens(sent) => sent,
                    _ => 0,
                };
                self.voice.content(self.id, sent, count, out);
            }
            Step::End => self.voice.end(self.id, self.usage, out),
            Step::Whole => {
                let reply = Reply {
                    status: Status::Ok,
                    kind: JSON,
                    body: self.voice.whole(self.id, self.usage),
                };
                out.extend(reply.render(self.closes));
            }
        }
    }

    /// Notes that a write was made.
    pub(super) fn advance(&mut self, step: Step) {
        self.progress = match (step, self.progress) {
            (Step::Head, _) => Progress::Head,
            (Step::Role, _) => Progress::Tokens(0),
            (Step::Content(count), Progress::Tokens(sent)) => Progress::Tokens(sent + count),
            (Step::Content(count), _) => Progress::Tokens(count),
            (Step::End | Step::Whole, _) => Progress::Over,
        };
    }

    /// When a stream would have come to its last token.
    fn whole_at(&self, pace: &Pace) -> Nanoseconds {
        let writes = u64::from((self.usage.completion_tokens - 1) / pace.events_per_write);
        self.received + pace.first + pace.between.saturating_mul(writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metronome::voice::{Style, Voices};

    const PACE: Pace = Pace {
        first: 50,
        between: 20,
        role: None,
        tokens: None,
        events_per_write: 1,
    };

    /// All writes of an answer to a request of time 1000, and when they are due.
    fn writes(pace: Pace, tokens: u32, progress: Progress) -> Vec<(Step, Due)> {
        let mut answer = Answer {
            voice: Voices::default().of(Style::Text, "m"),
            id: 1,
            ticket: Ticket::default(),
            received: 1000,
            usage: Usage {
                prompt_tokens: 1,
                completion_tokens: tokens,
            },
            closes: false,
            progress,
        };
        let mut writes = Vec::new();
        while let Some((step, due)) = answer.next(&pace) {
            writes.push((step, due));
            answer.advance(step);
        }
        writes
    }

    #[test]
    fn a_paced_stream_keeps_to_absolute_deadlines() {
        let expected = [
            (Step::Content(1), Due::At(1050)),
            (Step::Content(1), Due::At(1070)),
            (Step::Content(1), Due::At(1090)),
            (Step::End, Due::Turn),
        ];
        assert_eq!(writes(PACE, 3, Progress::Nothing), expected);
        assert_eq!(writes(PACE, 3, Progress::Head), expected);
    }

    #[test]
    fn the_last_write_carries_what_is_left() {
        let pace = Pace {
            events_per_write: 2,
            role: Some(0),
            ..PACE
        };
        let expected = [
            (Step::Role, Due::At(1000)),
            (Step::Content(2), Due::At(1050)),
            (Step::Content(2), Due::At(1070)),
            (Step::Content(1), Due::At(1090)),
            (Step::End, Due::Turn),
        ];
        assert_eq!(writes(pace, 5, Progress::Nothing), expected);
    }

    #[test]
    fn without_a_pace_the_first_has_a_deadline_and_the_rest_take_turns() {
        let pace = Pace { between: 0, ..PACE };
        let expected = [
            (Step::Content(1), Due::At(1050)),
            (Step::Content(1), Due::Turn),
            (Step::End, Due::Turn),
        ];
        assert_eq!(writes(pace, 2, Progress::Nothing), expected);
    }

    #[test]
    fn a_whole_answer_takes_as_long_as_its_stream() {
        let expected = [(Step::Whole, Due::At(1090))];
        assert_eq!(writes(PACE, 3, Progress::Unwritten), expected);
    }
}
