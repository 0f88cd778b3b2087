//! An HTTP/1.1 answer, read.

use super::WireError;
use super::chunks::{Chunks, Part};

/// Longest head of an answer.
const LONGEST_HEAD: usize = 64 * 1024;

/// Most header lines of an answer.
const MOST_HEADERS: usize = 100;

/// A piece of an answer, borrowed from the bytes that brought it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// The head is whole: this is the status.
    Status(u16),
    /// Bytes of the body.
    Body(&'a [u8]),
    /// The answer is whole.
    End,
}

/// Reads one answer after the other from one connection.
#[derive(Debug)]
pub(crate) struct AnswerReader {
    /// The part of a head that earlier reads have brought.
    head: Vec<u8>,
    state: State,
    /// Whether the connection can carry another request once this answer is over.
    keeps_alive: bool,
}

#[derive(Debug)]
enum State {
    Head,
    Sized(u64),
    Chunked(Chunks),
    /// The body ends with the connection.
    UntilClose,
    Over,
}

impl AnswerReader {
    /// A reader that waits for an answer.
    pub(crate) fn new() -> Self {
        Self {
            head: Vec::new(),
            state: State::Head,
            keeps_alive: true,
        }
    }

    /// Gets ready for the next answer.
    pub(crate) fn start(&mut self) {
        self.head.clear();
        self.state = State::Head;
        self.keeps_alive = true;
    }

    /// The next piece that `bytes` holds, which are moved on behind it; `None` where they end first.
    ///
    /// # Errors
    /// [`WireError`] when this is no answer.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Piece<'a>>, WireError> {
        match &mut self.state {
            State::Head => self.read_head(bytes),
            State::Sized(0) => {
                self.state = State::Over;
                Ok(Some(Piece::End))
            }
            State::Sized(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= here as u64;
                Ok(take(bytes, here))
            }
            State::Chunked(chunks) => match chunks.next(bytes)? {
                Some(Part::Data(data)) => Ok(Some(Piece::Body(data))),
                Some(Part::End) => {
                    self.state = State::Over;
                    Ok(Some(Piece::End))
                }
                None => Ok(None),
            },
            State::UntilClose => Ok(take(bytes, bytes.len())),
            State::Over => Ok(None),
        }
    }

    /// Whether the head of the answer is not whole yet.
    pub(crate) fn is_before_answer(&self) -> bool {
        matches!(self.state, State::Head)
    }

    /// Whether the end of the connection is the end of the answer.
    pub(crate) fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::UntilClose)
    }

    /// Whether the connection can carry another request: the answer is over and did not say otherwise.
    pub(crate) fn is_reusable(&self) -> bool {
        matches!(self.state, State::Over) && self.keeps_alive
    }

    fn read_head<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Piece<'a>>, WireError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let before = self.head.len();
        if before == 0
            && let Some((length, head)) = parse(bytes)?
        {
            *bytes = &bytes[length..];
            return self.take_head(head, bytes);
        }
        // Byte after byte a long head would be read again and again; a blank line comes first.
        let from = before.saturating_sub(3);
        self.head.extend_from_slice(bytes);
        let is_maybe_whole = self.head[from..]
            .windows(2)
            .any(|pair| matches!(pair, b"\n\n" | b"\n\r"));
        let whole = if is_maybe_whole { parse(&self.head)? } else { None };
        let Some((length, head)) = whole else {
            if self.head.len() > LONGEST_HEAD {
                return Err(WireError::LongHead(LONGEST_HEAD));
            }
            *bytes = &bytes[bytes.len()..];
            return Ok(None);
        };
        *bytes = &bytes[length - before..];
        self.head.clear();
        self.take_head(head, bytes)
    }

    fn take_head<'a>(&mut self, head: Head, bytes: &mut &'a [u8]) -> Result<Option<Piece<'a>>, WireError> {
        if (100..200).contains(&head.status) && head.status != 101 {
            // An interim answer: the real one follows.
            return self.read_head(bytes);
        }
        self.keeps_alive = head.keeps_alive && !matches!(head.framing, Framing::UntilClose);
        self.state = match head.framing {
            Framing::Sized(length) => State::Sized(length),
            Framing::Chunked => State::Chunked(Chunks::new()),
            Framing::UntilClose => State::UntilClose,
        };
        Ok(Some(Piece::Status(head.status)))
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<Piece<'a>> {
    let (body, rest) = bytes.split_at(count);
    *bytes = rest;
    (count > 0).then_some(Piece::Body(body))
}

/// What matters of a head.
#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    framing: Framing,
    keeps_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Sized(u64),
    Chunked,
    UntilClose,
}

/// The head at the beginning of `bytes`, and its length; `None` where it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, WireError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(WireError::Head(format!("{error}, at {}", beginning(bytes)))),
    };
    let status = response.code.unwrap_or_default();
    let is_old = response.version == Some(0);
    let head = read_headers(status, is_old, response.headers)?;
    Ok(Some((length, head)))
}

fn read_headers(status: u16, is_old: bool, headers: &[httparse::Header<'_>]) -> Result<Head, WireError> {
    let (mut length, mut is_chunked, mut is_coded) = (None, false, false);
    let mut keeps_alive = !is_old;
    // Such an answer has no body, whatever it says of one.
    let is_bare = matches!(status, 204 | 304);
    for header in headers {
        let words = || {
            let text = std::str::from_utf8(header.value).unwrap_or_default();
            text.split(',').map(|word| word.trim().to_ascii_lowercase())
        };
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            is_coded = true;
            is_chunked = words().next_back().is_some_and(|last| last == "chunked");
        } else if header.name.eq_ignore_ascii_case("content-length") && !is_bare {
            for word in words() {
                let bytes: u64 = word
                    .parse()
                    .ok()
                    .filter(|_| word.bytes().all(|byte| byte.is_ascii_digit()))
                    .ok_or_else(|| WireError::Head(format!("its content-length is {word:?}")))?;
                if length.is_some_and(|length| length != bytes) {
                    return Err(WireError::Head("it has two lengths".into()));
                }
                length = Some(bytes);
            }
        } else if header.name.eq_ignore_ascii_case("connection") {
            for word in words() {
                match word.as_str() {
                    "close" => keeps_alive = false,
                    "keep-alive" => keeps_alive = true,
                    _ => (),
                }
            }
        } else if header.name.eq_ignore_ascii_case("content-encoding")
            && let Some(coding) = words().find(|word| !word.is_empty() && word != "identity")
        {
            return Err(WireError::Coding(coding));
        }
    }
    let framing = match length {
        _ if is_bare => Framing::Sized(0),
        _ if is_chunked => Framing::Chunked,
        _ if is_coded => Framing::UntilClose,
        Some(length) => Framing::Sized(length),
        None => Framing::UntilClose,
    };
    Ok(Head {
        status,
        framing,
        // Both at once is how requests are smuggled: such a connection is not used again.
        keeps_alive: keeps_alive && !(is_coded && length.is_some()),
    })
}

/// The first characters of what was read, for an error's text.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
    format!("{:?}", text.chars().take(40).collect::<String>())
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
