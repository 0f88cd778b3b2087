//! Lines, put together from their pieces.
//!
//! The idea: pieces of the two streams come in between one another, so a line is held back, for
//! its stream, until it is whole. All pieces of a line have its time stamp; a piece with another
//! one begins another line, even where the one before had no end: a container that ended in the
//! middle of a line and was started again goes on with a new line.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use crate::docker::piece::{Piece, Stream};

/// Most that is held of one line. A longer one is let through in parts.
pub(crate) const MOST_HELD: usize = 1024 * 1024;

/// A line that a container printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it was printed. All that is printed to a terminal is output.
    pub stream: Stream,
    /// When the daemon read its first byte.
    pub stamp: Timestamp,
    /// What was printed, without the line feed at its end; a carriage return before it is kept.
    pub text: Bytes,
    /// Whether the line feed was there. Without it the line is the container's last, or goes on
    /// in the next one of its stream, which then has the same stamp.
    pub has_end: bool,
}

/// Puts pieces together.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// Lines that wait for their end, oldest first: one a stream at most.
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    stream: Stream,
    stamp: Timestamp,
    text: BytesMut,
}

impl Assembler {
    /// Takes in the next piece; lines that are whole by it are added.
    pub(super) fn take(&mut self, piece: Piece, lines: &mut Vec<Line>) {
        let Piece { stream, stamp, text } = piece;
        let place = self.held.iter().position(|held| held.stream == stream);
        let Some(place) = place else {
            if text.ends_with(b"\n") {
                lines.push(line(stream, stamp, text));
            } else if !text.is_empty() {
                self.hold(stream, stamp, &text);
            }
            return;
        };
        if self.held[place].stamp != stamp {
            let ended = self.held.remove(place);
            lines.push(ended.line());
            return self.take(Piece { stream, stamp, text }, lines);
        }
        let held = &mut self.held[place];
        held.text.extend_from_slice(&text);
        if text.ends_with(b"\n") || held.text.len() > MOST_HELD {
            let whole = self.held.remove(place);
            lines.push(whole.line());
        }
    }

    /// When the oldest line was begun that is not whole yet.
    pub(super) fn held_since(&self) -> Option<Timestamp> {
        self.held.iter().map(|held| held.stamp).min()
    }

    /// Nothing more comes: what is held is all there is of it.
    pub(super) fn finish(&mut self, lines: &mut Vec<Line>) {
        lines.extend(self.held.drain(..).map(Held::line));
    }

    fn hold(&mut self, stream: Stream, stamp: Timestamp, text: &[u8]) {
        self.held.push(Held {
            stream,
            stamp,
            text: BytesMut::from(text),
        });
    }
}

impl Held {
    fn line(self) -> Line {
        line(self.stream, self.stamp, self.text.freeze())
    }
}

fn line(stream: Stream, stamp: Timestamp, mut text: Bytes) -> Line {
    let has_end = text.ends_with(b"\n");
    if has_end {
        text.truncate(text.len() - 1);
    }
    Line {
        stream,
        stamp,
        text,
        has_end,
    }
}

/// Lines as the bytes that were printed. An end is added only where another line follows one that
/// had none.
#[derive(Debug, Default)]
pub(crate) struct Printer {
    /// Of the last line, where it had no end.
    open: Option<(Stream, Timestamp)>,
}

impl Printer {
    pub(crate) fn print(&mut self, line: &Line, is_stamped: bool, bytes: &mut Vec<u8>) {
        let goes_on = self.open == Some((line.stream, line.stamp));
        if self.open.take().is_some() && !goes_on {
            bytes.push(b'\n');
        }
        if is_stamped && !goes_on {
            bytes.extend_from_slice(format!("{:.9} ", line.stamp).as_bytes());
        }
        bytes.extend_from_slice(&line.text);
        match line.has_end {
            true => bytes.push(b'\n'),
            false => self.open = Some((line.stream, line.stamp)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stream::{Errors, Output};

    fn check(pieces: &[(Stream, i64, &'static str)], expected: &[(i64, &str, bool)], printed: &str) {
        let (mut assembler, mut lines) = (Assembler::default(), Vec::new());
        for (stream, nanosecond, text) in pieces {
            let piece = Piece {
                stream: *stream,
                stamp: Timestamp::from_nanosecond((*nanosecond).into()).unwrap(),
                text: Bytes::from_static(text.as_bytes()),
            };
            assembler.take(piece, &mut lines);
        }
        assembler.finish(&mut lines);
        let found: Vec<(i64, &str, bool)> = lines
            .iter()
            .map(|line| {
                let nanosecond = i64::try_from(line.stamp.as_nanosecond()).unwrap();
                (nanosecond, std::str::from_utf8(&line.text).unwrap(), line.has_end)
            })
            .collect();
        assert_eq!(found, expected, "{pieces:?}");
        let (mut printer, mut bytes) = (Printer::default(), Vec::new());
        for line in &lines {
            printer.print(line, false, &mut bytes);
        }
        assert_eq!(String::from_utf8(bytes).unwrap(), printed, "{pieces:?}");
    }

    #[test]
    fn lines_come_whole_and_as_they_were_printed() {
        check(&[], &[], "");
        check(
            &[(Output, 1, "a\n"), (Errors, 2, "\n"), (Output, 3, "50%\r99%\r\n")],
            &[(1, "a", true), (2, "", true), (3, "50%\r99%\r", true)],
            "a\n\n50%\r99%\r\n",
        );
    }

    #[test]
    fn pieces_are_joined_within_their_own_stream() {
        check(
            &[
                (Output, 1, "aa"),
                (Errors, 2, "bb"),
                (Output, 1, "AA"),
                (Errors, 2, "BB\n"),
                (Output, 1, "\n"),
            ],
            &[(2, "bbBB", true), (1, "aaAA", true)],
            "bbBB\naaAA\n",
        );
    }

    #[test]
    fn an_unfinished_line_is_not_glued_to_the_next() {
        check(
            &[(Output, 1, "no end"), (Output, 2, "next\n")],
            &[(1, "no end", false), (2, "next", true)],
            "no end\nnext\n",
        );
        check(&[(Output, 1, "no end")], &[(1, "no end", false)], "no end");
        check(
            &[(Output, 1, "one"), (Errors, 2, "other")],
            &[(1, "one", false), (2, "other", false)],
            "one\nother",
        );
    }

    #[test]
    fn a_line_without_measure_comes_in_parts_that_make_the_whole() {
        let part = "x".repeat(16 * 1024);
        let (mut assembler, mut lines) = (Assembler::default(), Vec::new());
        for _ in 0..500 {
            let text = Bytes::from(part.clone());
            assembler.take(
                Piece {
                    stream: Output,
                    stamp: Timestamp::UNIX_EPOCH,
                    text,
                },
                &mut lines,
            );
            assert!(
                assembler.held.iter().map(|held| held.text.len()).sum::<usize>() <= MOST_HELD + part.len()
            );
        }
        let text = Bytes::from_static(b"\n");
        assembler.take(
            Piece {
                stream: Output,
                stamp: Timestamp::UNIX_EPOCH,
                text,
            },
            &mut lines,
        );
        let (mut printer, mut bytes) = (Printer::default(), Vec::new());
        for line in &lines {
            printer.print(line, false, &mut bytes);
        }
        assert!(bytes == format!("{}\n", part.repeat(500)).into_bytes());
    }
}
