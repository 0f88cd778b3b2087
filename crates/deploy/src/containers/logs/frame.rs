//! What the daemon sends, cut into the pieces of lines that it is made of.
//!
//! The idea: the daemon's bytes are not trusted. Where a container has no terminal, each piece
//! has a header of eight bytes that names its stream and its length; a header that is none ends
//! the reading instead of being taken for a length to wait for. Where it has one, there are no
//! headers, and a long line's pieces are told by the time stamp that stands before each of them.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::docker::piece::{Piece, Stream};

const HEADER: usize = 8;

/// The longest piece that is believed: the daemon's own have 16 KiB and a time stamp.
pub(crate) const LONGEST_PIECE: usize = 1024 * 1024;

/// Where the daemon cuts a line in two; a terminal's pieces are not shorter than this.
const CUT: usize = 16 * 1024;

/// Why what was sent cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// The daemon says in its own name why it stops here.
    #[error("the daemon stopped: {0}")]
    Daemon(String),
    /// It is not what a daemon sends.
    #[error("what the daemon sent is no log: {0}")]
    Malformed(&'static str),
}

/// Cuts what comes into pieces. It holds one piece at most.
#[derive(Debug)]
pub(crate) struct Decoder {
    has_terminal: bool,
    buffer: BytesMut,
}

impl Decoder {
    pub(crate) fn new(has_terminal: bool) -> Self {
        Self {
            has_terminal,
            buffer: BytesMut::new(),
        }
    }

    /// Takes in what came. To be followed by [`Decoder::next`] until it has no more.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole piece.
    ///
    /// # Errors
    /// [`FrameError`]: there is no more after it.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, FrameError> {
        match self.has_terminal {
            true => self.next_of_terminal(),
            false => self.next_framed(),
        }
    }

    /// What is left when nothing more comes: a terminal's last line may have no end.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub(crate) fn finish(&mut self) -> Result<Option<Piece>, FrameError> {
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if !self.has_terminal {
            return Err(FrameError::Malformed("it ends in the middle of a line"));
        }
        let rest = self.buffer.split().freeze();
        stamped(Stream::Output, rest).map(Some)
    }

    fn next_framed(&mut self) -> Result<Option<Piece>, FrameError> {
        let Some(header) = self.buffer.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [stream, pad @ .., a, b, c, d] = *header;
        if pad != [0; 3] {
            return Err(FrameError::Malformed("a line without a header"));
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > LONGEST_PIECE {
            return Err(FrameError::Malformed("a line of more than 1 MiB"));
        }
        let stream = match stream {
            0 | 1 => Some(Stream::Output),
            2 => Some(Stream::Errors),
            3 => None,
            _ => return Err(FrameError::Malformed("a line of no known stream")),
        };
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        let text = self.buffer.split_to(length).freeze();
        match stream {
            Some(stream) => stamped(stream, text).map(Some),
            None => {
                let words = String::from_utf8_lossy(&text).trim().to_owned();
                Err(FrameError::Daemon(words))
            }
        }
    }

    fn next_of_terminal(&mut self) -> Result<Option<Piece>, FrameError> {
        let end = self
            .buffer
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| at + 1);
        let length = match self.again(end.unwrap_or(self.buffer.len())) {
            Some(cut) => cut,
            None => match end {
                Some(end) => end,
                None if self.buffer.len() > LONGEST_PIECE => {
                    return Err(FrameError::Malformed("a line of more than 1 MiB"));
                }
                None => return Ok(None),
            },
        };
        let text = self.buffer.split_to(length).freeze();
        stamped(Stream::Output, text).map(Some)
    }

    /// Where within these first bytes the line's own time stamp stands once more: there the daemon
    /// has cut it.
    fn again(&self, within: usize) -> Option<usize> {
        let line = &self.buffer[..within];
        let stamp_end = line.iter().take(64).position(|byte| *byte == b' ')? + 1;
        let (stamp, earliest) = (&line[..stamp_end], stamp_end + CUT);
        let rest = line.get(earliest..)?;
        let found = rest.windows(stamp_end).position(|window| window == stamp)?;
        Some(earliest + found)
    }
}

fn stamped(stream: Stream, text: Bytes) -> Result<Piece, FrameError> {
    Piece::stamped(stream, text).ok_or(FrameError::Malformed("a line without a time stamp"))
}

#[cfg(test)]
mod tests;
