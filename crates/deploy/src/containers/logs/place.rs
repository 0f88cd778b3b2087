//! Where in a container's log somebody stands, so that nothing is sent twice and nothing is missed.
//!
//! The idea: each stream is in order of time, the two together are not, so a place is one for
//! each stream: the stamp of its last line, and how many lines with this stamp there were. A
//! reading that begins a little earlier walks over known ground and knows when it is past it. As
//! text a place is the `id` of an event: `1764384000.123456789.1`, and behind an `e` the same of
//! standard error.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::docker::piece::Stream;

/// How far the streams may be out of order with each other: milliseconds, seconds on a full disk.
const DISORDER: SignedDuration = SignedDuration::from_secs(5);

/// A place in a log. Ordered for each stream, not as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    output: Mark,
    errors: Mark,
}

/// Where one stream stands: the stamp of its last line, and how many lines had it. Before the
/// first line there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Mark(Option<(Timestamp, u32)>);

impl Mark {
    /// The mark after one more line.
    fn after(self, stamp: Timestamp) -> Self {
        match self.0 {
            Some((last, count)) if last == stamp => Self(Some((last, count.saturating_add(1)))),
            _ => Self(Some((stamp, 1))),
        }
    }

    fn stamp(self) -> Option<Timestamp> {
        self.0.map(|(stamp, _)| stamp)
    }
}

impl Place {
    /// Goes over a line.
    pub(crate) fn advance(&mut self, stream: Stream, stamp: Timestamp) {
        let mark = self.mark_mut(stream);
        *mark = mark.after(stamp);
    }

    /// Whether everything before this place is before the other one, too.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.output <= other.output && self.errors <= other.errors
    }

    /// The later of both, for each stream: where somebody stands who has come to either.
    pub(super) fn raise(&mut self, other: &Self) {
        self.output = self.output.max(other.output);
        self.errors = self.errors.max(other.errors);
    }

    /// Whether any line was gone over.
    pub(super) fn has_lines(&self) -> bool {
        let has = |mark: Mark| mark.0.is_some_and(|(_, count)| count > 0);
        has(self.output) || has(self.errors)
    }

    /// Whether it is the beginning.
    pub(super) fn is_start(&self) -> bool {
        *self == Self::default()
    }

    /// Puts streams of which nothing was seen just before everything with this stamp: what was
    /// printed there earlier was left out on purpose.
    pub(crate) fn not_before(&mut self, stamp: Timestamp) {
        for mark in [&mut self.output, &mut self.errors] {
            if mark.0.is_none() {
                *mark = Mark(Some((stamp, 0)));
            }
        }
    }

    /// The latest stamp of both streams.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.output.stamp().max(self.errors.stamp())
    }

    /// From when on a reading must begin so that it misses nothing after this place.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let latest = self.latest()?;
        let from = latest.checked_sub(DISORDER).unwrap_or(Timestamp::UNIX_EPOCH);
        Some(from.max(Timestamp::UNIX_EPOCH))
    }

    fn mark(&self, stream: Stream) -> Mark {
        match stream {
            Stream::Output => self.output,
            Stream::Errors => self.errors,
        }
    }

    fn mark_mut(&mut self, stream: Stream) -> &mut Mark {
        match stream {
            Stream::Output => &mut self.output,
            Stream::Errors => &mut self.errors,
        }
    }
}

/// A reading's way through a log, part of which may be known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walk {
    /// Up to where the lines are known.
    known: Place,
    /// Where the reading is.
    here: Place,
    /// Whether it has been on known ground.
    has_met_known: bool,
    /// Whether the last line was one that had come before in this very reading.
    is_back: bool,
}

/// What a line is to a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was not known, and is from now on.
    New,
    /// It is known.
    Known,
    /// It is older than what this reading has brought before: the daemon has gone back.
    Back,
}

impl Walk {
    /// A reading that begins at a place where it stands, with everything before another one known.
    pub(crate) fn from(here: Place, known: Place) -> Self {
        Self {
            known,
            here,
            has_met_known: false,
            is_back: false,
        }
    }

    /// Goes over the next line.
    pub(crate) fn step(&mut self, stream: Stream, stamp: Timestamp) -> Step {
        let before = self.here.mark(stream);
        let goes_back = before.stamp().is_some_and(|last| stamp < last);
        self.here.advance(stream, stamp);
        let mark = self.here.mark(stream);
        if mark > self.known.mark(stream) {
            *self.known.mark_mut(stream) = mark;
            self.is_back = false;
            return Step::New;
        }
        self.has_met_known = true;
        // Told once for each time that it goes back.
        if goes_back && !std::mem::replace(&mut self.is_back, true) {
            return Step::Back;
        }
        Step::Known
    }

    /// Whether what was printed then may be known.
    pub(super) fn is_known(&self, stamp: Timestamp) -> bool {
        // Where a daemon notes whole seconds, many lines have one stamp, and which of them these are
        // cannot be told from the middle.
        match self.known.latest() {
            Some(latest) if latest == stamp => stamp.subsec_nanosecond() != 0,
            latest => latest > Some(stamp),
        }
    }

    /// Up to where everything is known by now.
    pub(crate) fn known(&self) -> Place {
        self.known
    }

    /// Whether it has been on known ground: then nothing is missing between that and what is new.
    pub(super) fn has_met_known(&self) -> bool {
        self.has_met_known
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |f: &mut fmt::Formatter<'_>, mark: Mark| match mark.0 {
            Some((stamp, count)) => {
                write!(
                    f,
                    "{}.{:09}.{count}",
                    stamp.as_second(),
                    stamp.subsec_nanosecond()
                )
            }
            None => Ok(()),
        };
        mark(f, self.output)?;
        if self.errors.0.is_some() {
            f.write_str("e")?;
            mark(f, self.errors)?;
        }
        Ok(())
    }
}

/// A text that is no place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no place in a log")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (output, errors) = match text.split_once('e') {
            Some((output, errors)) => (output, read_mark(errors)?),
            None => (text, Mark::default()),
        };
        let output = match output {
            "" if errors.0.is_some() => Mark::default(),
            output => read_mark(output)?,
        };
        Ok(Self { output, errors })
    }
}

fn read_mark(text: &str) -> Result<Mark, NoPlace> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('.');
    let (second, nanosecond, count) = (parts.next(), parts.next(), parts.next());
    let (Some(second), Some(nanosecond), Some(count), None) = (second, nanosecond, count, parts.next())
    else {
        return Err(NoPlace);
    };
    if nanosecond.len() != 9 || ![second, nanosecond, count].into_iter().all(digits) {
        return Err(NoPlace);
    }
    let second = second.parse().map_err(|_| NoPlace)?;
    let nanosecond = nanosecond.parse().map_err(|_| NoPlace)?;
    let stamp = Timestamp::new(second, nanosecond).map_err(|_| NoPlace)?;
    Ok(Mark(Some((stamp, count.parse().map_err(|_| NoPlace)?))))
}

/// A time as the daemon wants to be told one.
pub(super) fn numeric(stamp: Timestamp) -> String {
    // It knows of none before the epoch.
    let stamp = stamp.max(Timestamp::UNIX_EPOCH);
    format!("{}.{:09}", stamp.as_second(), stamp.subsec_nanosecond())
}

#[cfg(test)]
mod tests;
