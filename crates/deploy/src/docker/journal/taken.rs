//! How much of a container's output has been taken down, so that nothing is taken twice.
//!
//! The idea: each stream is in order of time, so its last stamp, and how many pieces with
//! that stamp were taken, say exactly where it stands. The two streams together are *not* in
//! order, so each has its own place. It stands on the machine's clock: when that is set back,
//! what is printed until it has caught up again counts as known and is left out, because a
//! daemon that repeats itself looks the same. Nothing in here reads or writes.

use jiff::{SignedDuration, Timestamp};

use crate::docker::piece::{Piece, Stream};

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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    const STREAMS: [Stream; 2] = [Stream::Output, Stream::Errors];

    fn at(stream: Stream, nanosecond: i64, text: &str) -> Piece {
        Piece {
            stream,
            stamp: Timestamp::from_nanosecond(nanosecond.into()).unwrap(),
            text: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    /// What is new in these readings of `output:stamp` and `errors:stamp`, one word a piece.
    fn check(readings: &[&str], expected: &str) {
        let mut taken = Taken::default();
        let mut new = Vec::new();
        for reading in readings {
            taken.begin_reading();
            for word in reading.split_whitespace() {
                let (stream, stamp) = word.split_at(1);
                let stream = if stream == "o" {
                    Stream::Output
                } else {
                    Stream::Errors
                };
                if taken.is_new(&at(stream, stamp.parse().unwrap(), "")) {
                    new.push(word);
                }
            }
        }
        assert_eq!(new.join(" "), expected, "{readings:?}");
    }

    #[test]
    fn what_was_taken_is_not_taken_again() {
        check(&["o1 o2 o3"], "o1 o2 o3");
        check(&["o1 o2", "o1 o2 o3"], "o1 o2 o3");
        check(&["o1 o2", "o2 o3"], "o1 o2 o3");
        check(&["o1 o2", "o3"], "o1 o2 o3");
        check(&["", "o1", "", "o1"], "o1");
    }

    #[test]
    fn pieces_of_one_stamp_are_counted() {
        check(&["o1 o1 o1"], "o1 o1 o1");
        check(&["o1 o1", "o1 o1 o1 o2"], "o1 o1 o1 o2");
        check(&["o1 o2 o2", "o2", "o2 o2 o2"], "o1 o2 o2 o2");
    }

    #[test]
    fn each_stream_has_its_own_place() {
        check(&["o5 e4 o6", "o5 e4 o6 e5"], "o5 e4 o6 e5");
        check(&["o9", "e1 o9 e2"], "o9 e1 e2");
    }

    #[test]
    fn what_one_reading_brings_twice_is_taken_once() {
        check(&["o1 o2 o3 o1 o2 o3 o4"], "o1 o2 o3 o4");
        check(&["o1 o2 o2 o1 o2 o2 o2 o3"], "o1 o2 o2 o2 o3");
    }

    #[test]
    fn a_reading_begins_a_little_before_what_was_taken() {
        let mut taken = Taken::default();
        assert_eq!(taken.since(), 0);
        for (second, since) in [(3, 0), (1000, 995), (1006, 1001)] {
            assert!(taken.is_new(&at(Stream::Output, second * 1_000_000_000, "")));
            assert_eq!(taken.since(), since);
        }
        taken.is_new(&at(Stream::Errors, 1_000_000_000, ""));
        assert_eq!(
            taken.since(),
            1001,
            "a stream that is silent for long costs nothing"
        );
    }

    /// A log: each line has its stream, a pause before it, and its number of pieces. The two
    /// streams' pieces come in between one another.
    fn log() -> impl Strategy<Value = Vec<Piece>> {
        let pause = prop_oneof![3 => 0_i64..3, 1 => 0_i64..2_000_000_000];
        let line = (pause, 1_usize..4);
        let lines = || prop::collection::vec(line.clone(), 0..40);
        let turns = prop::collection::vec(any::<bool>(), 200);
        (lines(), lines(), turns).prop_map(|(output, errors, turns)| {
            let mut streams = STREAMS.map(|_| Vec::new().into_iter());
            for ((place, lines), stream) in streams.iter_mut().zip([output, errors]).zip(STREAMS) {
                let mut now = 1_000_000_000_000;
                let mut pieces = Vec::new();
                for (number, (pause, parts)) in lines.into_iter().enumerate() {
                    now += pause;
                    pieces.extend((0..parts).map(|part| at(stream, now, &format!("{number}.{part}"))));
                }
                *place = pieces.into_iter();
            }
            merge(streams, &turns)
        })
    }

    /// How far the streams of a log are out of order here.
    const DISORDER_HERE: SignedDuration = SignedDuration::from_secs(3);

    /// As the daemon does it: the earlier first, unless both are within what it may take to
    /// write a line down.
    fn merge(streams: [std::vec::IntoIter<Piece>; 2], turns: &[bool]) -> Vec<Piece> {
        let mut streams = streams.map(Iterator::peekable);
        let mut turns = turns.iter().cycle();
        let mut pieces = Vec::new();
        loop {
            let [output, errors] = &mut streams;
            let first = match (output.peek(), errors.peek()) {
                (None, None) => return pieces,
                (Some(_), None) => output,
                (None, Some(_)) => errors,
                (Some(one), Some(other)) => {
                    let is_free = one.stamp.duration_since(other.stamp).abs() < DISORDER_HERE;
                    let is_output = if is_free {
                        *turns.next().unwrap()
                    } else {
                        one.stamp < other.stamp
                    };
                    if is_output { output } else { errors }
                }
            };
            pieces.extend(first.next());
        }
    }

    proptest! {
        #[test]
        fn readings_that_break_off_anywhere_make_the_whole(log in log(), cuts in prop::collection::vec(0_usize..250, 0..6)) {
            let mut taken = Taken::default();
            let mut new = Vec::new();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                taken.begin_reading();
                let since = Timestamp::from_second(taken.since().into()).unwrap();
                let reading = log.iter().filter(|piece| piece.stamp >= since).take(cut);
                new.extend(reading.filter(|piece| taken.is_new(piece)).cloned());
            }
            prop_assert_eq!(new, log);
        }
    }
}
