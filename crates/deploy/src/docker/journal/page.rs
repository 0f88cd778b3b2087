//! Puts pieces together into the lines that the container printed.
//!
//! The idea: a line in pieces is held back, per stream, until it is whole, because pieces of
//! the two streams come in between one another. A line that grows beyond all measure is no
//! longer held: it is let through in parts, and when the other stream comes in between, a
//! line end is put there that was not printed. That, and an unfinished line that something
//! follows, are the only bytes of ours.

use std::mem;

use jiff::Timestamp;

use super::piece::{Piece, Stream};

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
