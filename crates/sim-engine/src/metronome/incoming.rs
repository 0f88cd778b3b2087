//! What a client has sent so far, and the requests in it.

use super::body::ChunkedBody;
use super::head::{Head, Length, parse};
use super::reply::{Refusal, Status};

/// Longest head of a request.
const LONGEST_HEAD: usize = 64 << 10;

/// A buffer that has grown beyond this is given back after the request it grew for.
const USUAL_ROOM: usize = 64 << 10;

/// Bytes of a client, up to the last that was read.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// Bytes in which the head's end was looked for already.
    searched: usize,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Head,
    Fixed(Head, usize),
    Chunked(Head, ChunkedBody),
}

/// A request that has come in whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
}

/// What the bytes amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// More must come.
    Nothing,
    /// A head whose client waits to be asked for the body.
    Waiting,
    /// A whole request.
    Request(Request),
}

impl Incoming {
    /// Adds bytes that were read.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next request out, once it is whole. After a refusal there is no going on: where
    /// the next request would begin is not known.
    pub(super) fn next(&mut self) -> Result<Found, Refusal> {
        if let Stage::Head = self.stage {
            let Some(end) = self.end_of_head()? else {
                return Ok(Found::Nothing);
            };
            let head = parse(&self.bytes[..end - 4])?;
            self.bytes.drain(..end);
            self.searched = 0;
            let waits = head.waits;
            self.stage = match head.length {
                Length::Fixed(length) => Stage::Fixed(head, length),
                Length::Chunked => Stage::Chunked(head, ChunkedBody::default()),
            };
            if waits && self.bytes.is_empty() {
                return Ok(Found::Waiting);
            }
        }
        self.take_body()
    }

    fn take_body(&mut self) -> Result<Found, Refusal> {
        let whole = match &mut self.stage {
            Stage::Head => None,
            Stage::Fixed(_, length) if self.bytes.len() < *length => None,
            Stage::Fixed(_, length) => {
                let rest = self.bytes.split_off(*length);
                Some(std::mem::replace(&mut self.bytes, rest))
            }
            Stage::Chunked(_, body) => body.take(&mut self.bytes)?,
        };
        let Some(body) = whole else {
            return Ok(Found::Nothing);
        };
        self.bytes.shrink_to(USUAL_ROOM);
        match std::mem::take(&mut self.stage) {
            Stage::Head => Ok(Found::Nothing),
            Stage::Fixed(head, _) | Stage::Chunked(head, _) => Ok(Found::Request(Request { head, body })),
        }
    }

    /// Where the head ends, its empty line included.
    fn end_of_head(&mut self) -> Result<Option<usize>, Refusal> {
        // Between requests, some clients send an empty line too many.
        while self.bytes.starts_with(b"\r\n") {
            self.bytes.drain(..2);
            self.searched = 0;
        }
        let from = self.searched.saturating_sub(3);
        let found = self.bytes[from..].windows(4).position(|four| four == b"\r\n\r\n");
        self.searched = self.bytes.len();
        let end = found.map(|at| from + at + 4);
        if end.unwrap_or(self.bytes.len()) > LONGEST_HEAD {
            return Err(Refusal::new(Status::HeadTooLarge, "a head has at most 64 KiB"));
        }
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "POST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello\r\n\
                       POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\
                       GET /c HTTP/1.1\r\n\r\nGET";

    #[test]
    fn requests_are_found_however_they_come() {
        for piece in 1..=TWO.len() {
            let mut incoming = Incoming::default();
            let mut found = Vec::new();
            for bytes in TWO.as_bytes().chunks(piece) {
                incoming.push(bytes);
                while let Found::Request(request) = incoming.next().unwrap() {
                    found.push((request.head.path, request.body));
                }
            }
            let expected = [("/a", "hello"), ("/b", "hi"), ("/c", "")]
                .map(|(path, body)| (path.to_owned(), body.as_bytes().to_vec()));
            assert_eq!(found, expected, "{piece}");
        }
    }

    #[test]
    fn who_waits_is_told_once_and_only_if_needed() {
        let head = "POST /a HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n";
        let mut incoming = Incoming::default();
        incoming.push(head.as_bytes());
        assert_eq!(incoming.next(), Ok(Found::Waiting));
        assert_eq!(incoming.next(), Ok(Found::Nothing));
        incoming.push(b"hi");
        assert!(matches!(incoming.next(), Ok(Found::Request(_))));
        incoming.push(head.as_bytes());
        incoming.push(b"hi");
        assert!(matches!(incoming.next(), Ok(Found::Request(_))));
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let mut incoming = Incoming::default();
        incoming.push(&[b'a'; LONGEST_HEAD]);
        assert_eq!(incoming.next(), Ok(Found::Nothing));
        incoming.push(b"a");
        assert_eq!(incoming.next().unwrap_err().status, Status::HeadTooLarge);
    }
}
