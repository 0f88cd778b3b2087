//! How much of a container's output has been taken down, so that nothing is taken twice.
//!
//! The idea: each stream is in order of time, so its last stamp, and how many pieces with
//! that stamp were taken, say exactly where it stands. The two streams together are *not* in
//! order, so each has its own place. Nothing in here reads or writes.

use jiff::{SignedDuration, Timestamp};

use super::piece::{Piece, Stream};

/// How far the streams may be out of order with each other. The daemon stamps a line before
/// it waits to write it down behind the other stream's: milliseconds, seconds on a full disk.
const DISORDER: SignedDuration = SignedDuration::from_secs(5);

/// What has been taken of both streams.
#[derive(Debug, Default)]
pub(super) struct Taken {
    output: Place,
    errors: Place,
}

/// Where one stream stands.
#[derive(Debug, Default)]
struct Place {
    /// The stamp of the last piece taken.
    last: Option<Timestamp>,
    /// How many pieces with this stamp were taken.
    taken: usize,
    /// How many pieces with this stamp the present reading has had.
    had: usize,
}

impl Taken {
    /// A new reading begins; it may begin with what was taken before.
    pub(super) fn begin_reading(&mut self) {
        self.output.had = 0;
        self.errors.had = 0;
    }

    /// Whether the piece is new; it then counts as taken.
    pub(super) fn is_new(&mut self, piece: &Piece) -> bool {
        match piece.stream {
            Stream::Output => self.output.is_new(piece.stamp),
            Stream::Errors => self.errors.is_new(piece.stamp),
        }
    }

    /// From when on a reading must begin so that it misses nothing, in whole seconds since
    /// the epoch; 0 for the beginning.
    pub(super) fn since(&self) -> i32 {
        let Some(latest) = self.output.last.max(self.errors.last) else {
            return 0;
        };
        let from = latest.checked_sub(DISORDER).unwrap_or(Timestamp::UNIX_EPOCH);
        i32::try_from(from.as_second()).unwrap_or(0).max(0)
    }
}

impl Place {
    fn is_new(&mut self, stamp: Timestamp) -> bool {
        if self.last.is_none_or(|last| stamp > last) {
            *self = Self {
                last: Some(stamp),
                taken: 1,
                had: 1,
            };
            return true;
        }
        if self.last.is_some_and(|last| stamp < last) {
            // The reading goes over known ground, once more perhaps.
            self.had = 0;
            return false;
        }
        self.had += 1;
        let is_new = self.had > self.taken;
        self.taken = self.taken.max(self.had);
        is_new
    }
}
