//! One piece of what a container printed, as the daemon hands it out.
//!
//! The idea: the daemon cuts a line into pieces of 16 KiB, gives all of them one time stamp,
//! and writes that stamp before each. A piece here has lost the stamp from its text and has
//! it as a value. What the pieces make together is not decided here.

use bollard::container::LogOutput;
use bytes::Bytes;
use jiff::Timestamp;

/// The longest stamp there is, `2026-11-23T10:33:51.885661153+00:00`, with some room.
const LONGEST_STAMP: usize = 40;

/// The stamp that daemons write, `2026-11-23T10:33:51.885661153Z`, and the blank after it.
const USUAL_STAMP: usize = 31;

/// Reads that stamp quickly: there is one before every line.
fn usual_stamp(text: &[u8; USUAL_STAMP]) -> Option<Timestamp> {
    let is_usual = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (29, b'Z'),
        (30, b' '),
    ];
    if is_usual.iter().any(|(at, sign)| text[*at] != *sign) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0_i64, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Leap seconds, leap days and dates that are none are for the library to judge.
    let is_sound = (1..=12).contains(&month)
        && (1..=days_of(month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_sound || year < 1 {
        return None;
    }
    // Days since 1970-01-01 of the Gregorian calendar, in years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let nanosecond = i32::try_from(number(20, 29)?).ok()?;
    Timestamp::new(days * 86_400 + hour * 3_600 + minute * 60 + second, nanosecond).ok()
}

fn days_of(month: i64) -> i64 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Where a container printed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

/// A line, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it was printed.
    pub(crate) stream: Stream,
    /// When the daemon read the line's first byte.
    pub(crate) stamp: Timestamp,
    /// What was printed, the line's end included where it has one.
    pub(crate) text: Bytes,
}

/// Why something is no piece of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoPiece {
    /// It is the daemon's own voice, that says why it stops here.
    Daemon(String),
    /// The container has a terminal, or the daemon speaks another language.
    Unframed,
}

/// The text of what the daemon says in its own name begins like a frame of a third stream.
const DAEMON_FRAME: &[u8] = &[3, 0, 0, 0];
const FRAME_HEADER_BYTES: usize = 8;

impl Piece {
    pub(crate) fn of(output: LogOutput) -> Result<Self, NoPiece> {
        let (stream, text) = match output {
            LogOutput::StdOut { message } => (Stream::Output, message),
            LogOutput::StdErr { message } => (Stream::Errors, message),
            LogOutput::Console { message } if message.starts_with(DAEMON_FRAME) => {
                let words = message.get(FRAME_HEADER_BYTES..).unwrap_or_default();
                return Err(NoPiece::Daemon(String::from_utf8_lossy(words).trim().to_owned()));
            }
            LogOutput::Console { .. } | LogOutput::StdIn { .. } => return Err(NoPiece::Unframed),
        };
        Self::stamped(stream, text).ok_or(NoPiece::Unframed)
    }

    /// Takes the stamp off a text; `None` where it has none.
    pub(crate) fn stamped(stream: Stream, mut text: Bytes) -> Option<Self> {
        let (stamp, end) = match text.first_chunk().and_then(usual_stamp) {
            Some(stamp) => (stamp, USUAL_STAMP - 1),
            None => {
                let end = text.iter().take(LONGEST_STAMP).position(|byte| *byte == b' ')?;
                (std::str::from_utf8(&text[..end]).ok()?.parse().ok()?, end)
            }
        };
        Some(Self {
            stream,
            stamp,
            text: text.split_off(end + 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &'static [u8]) -> Result<Piece, NoPiece> {
        Piece::of(LogOutput::StdErr {
            message: Bytes::from_static(message),
        })
    }

    fn check(message: &'static [u8], nanosecond: i128, text: &[u8]) {
        let piece = read(message).unwrap();
        assert_eq!(piece.stream, Stream::Errors);
        assert_eq!(piece.stamp.as_nanosecond(), nanosecond, "{}", piece.stamp);
        assert_eq!(piece.text, text);
    }

    #[test]
    fn the_stamp_is_taken_off_and_nothing_else() {
        check(
            b"1970-01-01T00:00:01.000000002Z a line\n",
            1_000_000_002,
            b"a line\n",
        );
        check(b"1970-01-01T00:00:00.000000000Z  x \r 9%\r\n", 0, b" x \r 9%\r\n");
        check(b"1970-01-01T00:00:00.000000000Z \n", 0, b"\n");
        check(b"1970-01-01T00:00:00.000000000Z ", 0, b"");
        check(b"1970-01-01T00:00:00.000000000Z \xff\0\x1b", 0, b"\xff\0\x1b");
        check(
            b"1970-01-01T02:00:00.5+02:00 other daemons' way",
            500_000_000,
            b"other daemons' way",
        );
    }

    #[test]
    fn stamps_are_read_as_the_library_reads_them() {
        let mut at = Timestamp::from_second(-62_000_000_000).unwrap();
        while at.as_second() < 250_000_000_000 {
            let text = format!("{at:.9} ");
            let quickly = usual_stamp(text.as_bytes().first_chunk().unwrap());
            assert!(quickly.is_none_or(|stamp| stamp == at), "{text}: {quickly:?}");
            let piece = Piece::stamped(Stream::Output, Bytes::from(text.clone())).unwrap();
            assert_eq!(piece.stamp, at, "{text}");
            at += jiff::SignedDuration::new(12_345_678, 987_654_321);
        }
        for wrong in [
            "2026-02-30T00:00:00.000000000Z ",
            "2026-13-01T00:00:00.000000000Z ",
            "2026-01-01T24:00:00.000000000Z ",
        ] {
            assert_eq!(read(wrong.as_bytes()), Err(NoPiece::Unframed), "{wrong}");
        }
    }

    #[test]
    fn what_has_no_stamp_is_no_piece() {
        for message in [
            &b""[..],
            b"text",
            b"no stamp here\n",
            b"1970-01-01T00:00:00.000000000Z",
            b"\xff\xff x",
        ] {
            assert_eq!(read(message), Err(NoPiece::Unframed), "{message:?}");
        }
    }

    #[test]
    fn the_daemons_own_words_are_told_from_a_terminal() {
        let console = |message| {
            Piece::of(LogOutput::Console {
                message: Bytes::from_static(message),
            })
        };
        let words = console(b"\x03\0\0\0\0\0\0\x16Error grabbing logs: x\n");
        assert_eq!(words, Err(NoPiece::Daemon("Error grabbing logs: x".to_owned())));
        assert_eq!(console(b"\x03\0\0\0"), Err(NoPiece::Daemon(String::new())));
        assert_eq!(console(b"$ ls\r\n"), Err(NoPiece::Unframed));
    }
}
