//! The chunked transfer coding, read (RFC 9112, section 7.1).
//!
//! Every byte of a size line is looked at; data is passed on in the slices in which it came.

use super::WireError;

/// Most bytes of extensions, and of trailers, that one body may have.
const MOST_ASIDE: usize = 16 * 1024;

/// Most lines of trailers.
const MOST_TRAILERS: usize = 100;

/// Most digits and blanks of one chunk's size: zeros in front of it, and blanks behind, have no
/// end of their own.
const LONGEST_SIZE: usize = 256;

/// Where a reader is in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the first digit of a size.
    SizeStart,
    /// After a digit.
    Size,
    /// After blanks behind a size.
    SizeBlank,
    /// In what follows a `;`.
    Extension,
    /// At the LF of a size line.
    SizeEnd,
    /// In the data of a chunk.
    Data,
    /// At the CR, or the LF, behind the data.
    DataCr,
    DataLf,
    /// At the beginning of a trailer line, or at the CR that ends them all.
    TrailerStart,
    /// In a trailer line.
    Trailer,
    /// At the LF of a trailer line.
    TrailerLf,
    /// At the very last LF.
    LastLf,
    /// Behind everything.
    Done,
}

/// What comes out of a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Bytes of the body.
    Data(&'a [u8]),
    /// The body is over.
    End,
}

/// Reads a chunked body.
#[derive(Debug, Clone)]
pub(super) struct Chunks {
    state: State,
    /// Bytes of the chunk that are still to come.
    left: u64,
    /// Digits and blanks of the present size.
    length: usize,
    aside: usize,
    /// The trailer lines so far, each with its end.
    trailers: Vec<u8>,
}

impl Chunks {
    /// A body of which nothing was read.
    pub(super) fn new() -> Self {
        Self {
            state: State::SizeStart,
            left: 0,
            length: 0,
            aside: 0,
            trailers: Vec::new(),
        }
    }

    /// The next part that `bytes` holds, which are moved on behind it; `None` where they end first.
    ///
    /// # Errors
    /// [`WireError::Chunk`].
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Part<'a>>, WireError> {
        loop {
            if self.state == State::Data {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                if here == 0 {
                    return Ok(None);
                }
                let (data, rest) = bytes.split_at(here);
                *bytes = rest;
                self.left -= here as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Some(Part::Data(data)));
            }
            if self.state == State::Done {
                return Ok(Some(Part::End));
            }
            let Some((byte, rest)) = bytes.split_first() else {
                return Ok(None);
            };
            *bytes = rest;
            self.state = self.step(*byte)?;
        }
    }

    fn step(&mut self, byte: u8) -> Result<State, WireError> {
        let broken = |what| Err(WireError::Chunk(what));
        match (self.state, byte) {
            (State::SizeStart | State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if self.state == State::SizeStart {
                    (self.left, self.length) = (0, 0);
                }
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let size = self.left.checked_mul(16);
                match size.and_then(|size| size.checked_add(u64::from(digit))) {
                    Some(size) => self.left = size,
                    None => return broken("a chunk's size is beyond all measure"),
                }
                self.lengthen(State::Size)
            }
            (State::SizeStart, _) => broken("a chunk has no size"),
            (State::Size | State::SizeBlank, b' ' | b'\t') => self.lengthen(State::SizeBlank),
            (State::Size | State::SizeBlank, b';') => Ok(State::Extension),
            (State::Size | State::SizeBlank | State::Extension, b'\r') => Ok(State::SizeEnd),
            (State::Size | State::SizeBlank, _) => broken("a chunk's size is no number"),
            (State::Extension, b'\n') => broken("a chunk's extension holds a line break"),
            (State::Extension, _) => self.aside(State::Extension),
            (State::SizeEnd, b'\n') if self.left == 0 => Ok(State::TrailerStart),
            (State::SizeEnd, b'\n') => Ok(State::Data),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::SizeStart),
            (State::DataCr | State::DataLf, _) => broken("a chunk is longer than its size"),
            (State::TrailerStart, b'\r') => Ok(State::LastLf),
            (State::TrailerStart | State::Trailer, b'\n') => broken("a trailer holds a lone line feed"),
            (State::Trailer, b'\r') => Ok(State::TrailerLf),
            (State::TrailerStart | State::Trailer, _) => {
                self.trailers.push(byte);
                self.aside(State::Trailer)
            }
            (State::TrailerLf, b'\n') => {
                self.trailers.extend_from_slice(b"\r\n");
                Ok(State::TrailerStart)
            }
            (State::LastLf, b'\n') => self.end(),
            (State::SizeEnd | State::TrailerLf | State::LastLf, _) => {
                broken("a carriage return stands alone")
            }
            (State::Data | State::Done, _) => Ok(self.state),
        }
    }

    fn lengthen(&mut self, state: State) -> Result<State, WireError> {
        self.length += 1;
        if self.length > LONGEST_SIZE {
            return Err(WireError::Chunk("a chunk's size is too long"));
        }
        Ok(state)
    }

    /// Trailers must be header lines, or the body may have ended elsewhere than it seems.
    fn end(&mut self) -> Result<State, WireError> {
        self.trailers.extend_from_slice(b"\r\n");
        let mut lines = [httparse::EMPTY_HEADER; MOST_TRAILERS];
        match httparse::parse_headers(&self.trailers, &mut lines) {
            Ok(httparse::Status::Complete(_)) => Ok(State::Done),
            Ok(httparse::Status::Partial) | Err(_) => {
                Err(WireError::Chunk("what follows its last chunk is no trailer"))
            }
        }
    }

    fn aside(&mut self, state: State) -> Result<State, WireError> {
        self.aside += 1;
        if self.aside > MOST_ASIDE {
            return Err(WireError::Chunk("its extensions and trailers are too long"));
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, or why there is none, and how many bytes were left over.
    fn read(parts: &[&[u8]]) -> Result<(Vec<u8>, bool), WireError> {
        let (mut chunks, mut body) = (Chunks::new(), Vec::new());
        for part in parts {
            let mut bytes = *part;
            while let Some(part) = chunks.next(&mut bytes)? {
                match part {
                    Part::Data(data) => body.extend_from_slice(data),
                    Part::End => return Ok((body, true)),
                }
            }
        }
        Ok((body, false))
    }

    #[test]
    fn bodies_however_they_are_cut() {
        for (stream, body, is_whole) in [
            ("3\r\nabc\r\n0\r\n\r\n", "abc", true),
            (
                "3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
                "abc0123456789",
                true,
            ),
            ("003 \t\r\nabc\r\n0;last\r\nx-t: 1\r\ny: 2\r\n\r\n", "abc", true),
            ("0003\r\nabc\r\n0003\r\nabc\r\n0\r\n\r\n", "abcabc", true),
            ("3\r\nab", "ab", false),
            ("3\r\nabc\r\n0\r\n", "abc", false),
        ] {
            for at in 0..=stream.len() {
                let (head, tail) = stream.as_bytes().split_at(at);
                let expected = Ok((body.as_bytes().to_vec(), is_whole));
                assert_eq!(read(&[head, tail]), expected, "{stream:?} cut at {at}");
            }
        }
    }

    #[test]
    fn what_is_no_chunked_body() {
        for stream in [
            "\r\n",
            "x\r\n",
            "3x\r\n",
            "3\nabc",
            "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "11111111111111111\r\n",
            "3;a\nb\r\n",
            "0\r\n\n",
            "0\r\nno trailer\r\n\r\n",
        ] {
            assert!(read(&[stream.as_bytes()]).is_err(), "{stream:?}");
        }
        for long in [
            format!("3;{}\r\nabc", "x".repeat(MOST_ASIDE + 1)),
            format!("{}3\r\nabc", "0".repeat(LONGEST_SIZE)),
            format!("3{}\r\nabc", " ".repeat(LONGEST_SIZE)),
        ] {
            assert!(read(&[long.as_bytes()]).is_err());
        }
    }
}
