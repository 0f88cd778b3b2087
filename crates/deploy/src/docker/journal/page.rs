//! Puts pieces together into the lines that the container printed.
//!
//! The idea: a line in pieces is held back, per stream, until it is whole, because pieces of
//! the two streams come in between one another. A line that grows beyond all measure is no
//! longer held: it is let through in parts, and when the other stream comes in between, a
//! line end is put there that was not printed. That, and an unfinished line that something
//! follows, are the only bytes of ours.

use std::mem;

use jiff::Timestamp;

use crate::docker::piece::{Piece, Stream};

/// Most that is held of one line.
pub(super) const MOST_HELD: usize = 1024 * 1024;

/// Lines, ready to be written, and what is not ready yet.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// What can be written.
    ready: Vec<u8>,
    /// Lines that wait for their end, oldest first: one a stream at most.
    held: Vec<Held>,
    /// Whose line the last byte that was let through is in the middle of.
    inside: Option<Stream>,
}

/// A line without an end so far.
#[derive(Debug)]
struct Held {
    stream: Stream,
    stamp: Timestamp,
    text: Vec<u8>,
}

impl Page {
    /// Takes in the next piece.
    pub(super) fn take(&mut self, piece: &Piece) {
        let place = self.held.iter().position(|held| held.stream == piece.stream);
        let mut held = match place.map(|place| self.held.remove(place)) {
            Some(held) if held.stamp == piece.stamp => held,
            Some(other) => {
                // Another line begins, so this one has ended without saying so.
                self.let_through(other.stream, &other.text);
                if self.inside == Some(other.stream) {
                    self.end_line();
                }
                Held::new(piece)
            }
            None => Held::new(piece),
        };
        if held.text.is_empty() && piece.text.ends_with(b"\n") {
            self.let_through(piece.stream, &piece.text);
            return;
        }
        held.text.extend_from_slice(&piece.text);
        if held.text.ends_with(b"\n") {
            self.let_through(held.stream, &held.text);
            return;
        }
        if held.text.len() > MOST_HELD {
            let text = mem::take(&mut held.text);
            self.let_through(held.stream, &text);
        }
        // Before the other stream's, where it was.
        let place = place.unwrap_or(self.held.len()).min(self.held.len());
        self.held.insert(place, held);
    }

    /// Nothing more comes: what is held is all there is of it. More may come all the same.
    pub(super) fn finish(&mut self) {
        let mut held = mem::take(&mut self.held);
        for line in &mut held {
            let text = mem::take(&mut line.text);
            self.let_through(line.stream, &text);
        }
        self.held = held;
    }

    /// What is ready to be written. Whoever writes takes out what was written.
    pub(super) fn ready(&mut self) -> &mut Vec<u8> {
        &mut self.ready
    }

    fn let_through(&mut self, stream: Stream, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if self.inside.is_some_and(|other| other != stream) {
            self.end_line();
        }
        self.ready.extend_from_slice(text);
        self.inside = if text.ends_with(b"\n") { None } else { Some(stream) };
    }

    fn end_line(&mut self) {
        if self.inside.take().is_some() {
            self.ready.push(b'\n');
        }
    }
}

impl Held {
    fn new(piece: &Piece) -> Self {
        Self {
            stream: piece.stream,
            stamp: piece.stamp,
            text: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stream::{Errors, Output};
    use bytes::Bytes;

    fn piece(stream: Stream, nanosecond: i64, text: impl Into<Bytes>) -> Piece {
        Piece {
            stream,
            stamp: Timestamp::from_nanosecond(nanosecond.into()).unwrap(),
            text: text.into(),
        }
    }

    fn check(pieces: &[(Stream, i64, &'static str)], expected: &str) {
        let mut page = Page::default();
        for (stream, nanosecond, text) in pieces {
            page.take(&piece(*stream, *nanosecond, *text));
        }
        page.finish();
        assert_eq!(String::from_utf8_lossy(page.ready()), expected, "{pieces:?}");
        page.finish();
        assert_eq!(
            String::from_utf8_lossy(page.ready()),
            expected,
            "finished twice: {pieces:?}"
        );
    }

    #[test]
    fn lines_come_as_they_were_printed() {
        check(&[], "");
        check(
            &[(Output, 1, "a\n"), (Errors, 2, "\n"), (Output, 3, " b\r\n")],
            "a\n\n b\r\n",
        );
        check(
            &[(Output, 1, "10%\r20%\r"), (Output, 1, "30%\n")],
            "10%\r20%\r30%\n",
        );
        check(&[(Output, 5, "late\n"), (Errors, 4, "early\n")], "late\nearly\n");
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
            "bbBB\naaAA\n",
        );
        check(
            &[(Output, 1, "a"), (Errors, 2, "b\n"), (Output, 1, "A\n")],
            "b\naA\n",
        );
    }

    #[test]
    fn the_last_line_keeps_its_missing_end() {
        check(&[(Output, 1, "a\n"), (Output, 2, "the end")], "a\nthe end");
        check(&[(Output, 1, "x"), (Output, 1, "y")], "xy");
        check(&[(Output, 1, "the end"), (Errors, 2, "more\n")], "more\nthe end");
        check(
            &[(Output, 1, "one end"), (Errors, 2, "other end")],
            "one end\nother end",
        );
    }

    #[test]
    fn an_unfinished_line_is_not_glued_to_the_next() {
        check(&[(Output, 1, "no end"), (Output, 2, "next\n")], "no end\nnext\n");
        check(
            &[(Output, 1, "no end"), (Errors, 2, "e\n"), (Output, 3, "next")],
            "e\nno end\nnext",
        );
    }

    #[test]
    fn a_line_goes_on_after_it_seemed_to_have_ended() {
        let mut page = Page::default();
        page.take(&piece(Output, 1, "begun "));
        page.finish();
        page.take(&piece(Output, 1, "and "));
        page.finish();
        page.take(&piece(Output, 1, "done\n"));
        page.take(&piece(Output, 2, "next\n"));
        assert_eq!(page.ready(), b"begun and done\nnext\n");
    }

    #[test]
    fn a_line_without_measure_is_let_through_in_parts() {
        let part = "x".repeat(16 * 1024);
        let mut page = Page::default();
        let mut written = Vec::new();
        for _ in 0..500 {
            page.take(&piece(Output, 1, part.clone()));
            assert!(page.held.iter().map(|held| held.text.len()).sum::<usize>() <= MOST_HELD + part.len());
            written.append(page.ready());
        }
        assert!(written.len() > 6 * MOST_HELD, "{}", written.len());
        page.take(&piece(Output, 1, "\n"));
        written.append(page.ready());
        assert_eq!(written, format!("{}\n", part.repeat(500)).into_bytes());
    }

    #[test]
    fn two_lines_without_measure_do_not_run_into_one_another() {
        let mut page = Page::default();
        let long = |letter: &str| letter.repeat(MOST_HELD + 1);
        page.take(&piece(Output, 1, long("a")));
        page.take(&piece(Errors, 2, long("b")));
        page.take(&piece(Output, 3, "next\n"));
        page.take(&piece(Errors, 2, "B\n"));
        let expected = format!("{}\n{}\nnext\nB\n", long("a"), long("b"));
        assert!(page.ready() == expected.as_bytes());
    }
}
