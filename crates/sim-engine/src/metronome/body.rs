//! Takes the chunks of a chunked request body apart, as they come.

use super::head::{LONGEST_BODY, too_long};
use super::reply::{Refusal, Status};

/// Longest line between chunks: a size with extensions, or a trailer.
const LONGEST_LINE: usize = 8192;

/// A chunked body of which a part may have come.
#[derive(Debug, Default)]
pub(super) struct ChunkedBody {
    decoded: Vec<u8>,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy)]
enum Stage {
    /// A line with a size comes next.
    #[default]
    Size,
    /// So many bytes of the chunk are missing.
    Data(usize),
    /// The end of the line after a chunk comes next.
    DataEnd,
    /// Lines up to an empty one come next.
    Trailer,
}

impl ChunkedBody {
    /// Takes from the front of `bytes` what belongs to the body; the whole body once it is there.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Refusal> {
        let mut at = 0;
        let result = self.advance(bytes, &mut at);
        bytes.drain(..at);
        Ok(result?.then(|| std::mem::take(&mut self.decoded)))
    }

    /// Goes on from `at` as far as the bytes reach; whether the body is whole.
    fn advance(&mut self, bytes: &[u8], at: &mut usize) -> Result<bool, Refusal> {
        loop {
            match self.stage {
                Stage::Size => {
                    let Some(line) = line(bytes, at)? else {
                        return Ok(false);
                    };
                    let size = size(line)?;
                    if self.decoded.len() + size > LONGEST_BODY {
                        return Err(too_long());
                    }
                    self.stage = if size == 0 {
                        Stage::Trailer
                    } else {
                        Stage::Data(size)
                    };
                }
                Stage::Data(missing) => {
                    let here = missing.min(bytes.len() - *at);
                    self.decoded.extend_from_slice(&bytes[*at..*at + here]);
                    *at += here;
                    if here < missing {
                        self.stage = Stage::Data(missing - here);
                        return Ok(false);
                    }
                    self.stage = Stage::DataEnd;
                }
                Stage::DataEnd => match line(bytes, at)? {
                    None => return Ok(false),
                    Some([]) => self.stage = Stage::Size,
                    Some(_) => return Err(bad("a chunk is longer than its size")),
                },
                Stage::Trailer => match line(bytes, at)? {
                    None => return Ok(false),
                    Some([]) => return Ok(true),
                    Some(_) => {}
                },
            }
        }
    }
}

/// The line at `at` without its end, if it is whole.
fn line<'bytes>(bytes: &'bytes [u8], at: &mut usize) -> Result<Option<&'bytes [u8]>, Refusal> {
    let rest = &bytes[*at..];
    let reach = rest.len().min(LONGEST_LINE);
    match rest[..reach].windows(2).position(|pair| pair == b"\r\n") {
        Some(end) => {
            *at += end + 2;
            Ok(Some(&rest[..end]))
        }
        None if reach == LONGEST_LINE => Err(bad("a line between chunks is too long")),
        None => Ok(None),
    }
}

/// The size that a line gives, extensions apart.
fn size(line: &[u8]) -> Result<usize, Refusal> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad("a chunk's size is no number"));
    }
    let text = std::str::from_utf8(digits).map_err(|_| bad("a chunk's size is no number"))?;
    usize::from_str_radix(text, 16)
        .ok()
        .filter(|size| *size <= LONGEST_BODY)
        .ok_or_else(too_long)
}

fn bad(message: &str) -> Refusal {
    Refusal::new(Status::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a body in pieces of this length and returns it with what is left over.
    fn decode(text: &str, piece: usize) -> Result<(Option<Vec<u8>>, Vec<u8>), Refusal> {
        let mut body = ChunkedBody::default();
        let mut bytes = Vec::new();
        let mut pieces = text.as_bytes().chunks(piece);
        let mut whole = None;
        while whole.is_none() {
            let Some(piece) = pieces.next() else { break };
            bytes.extend_from_slice(piece);
            whole = body.take(&mut bytes)?;
        }
        bytes.extend(pieces.flatten());
        Ok((whole, bytes))
    }

    #[test]
    fn chunks_add_up_however_they_come() {
        let text = "5\r\nhello\r\nC;a=b\r\n, old\r\nworld\r\n0\r\nx: y\r\n\r\nGET";
        for piece in 1..=text.len() {
            let (whole, left) = decode(text, piece).unwrap();
            assert_eq!(
                whole.as_deref(),
                Some(b"hello, old\r\nworld".as_slice()),
                "{piece}"
            );
            assert_eq!(left, b"GET", "{piece}");
        }
    }

    #[test]
    fn what_has_not_come_is_waited_for() {
        for text in ["5", "5\r\nhel", "5\r\nhello\r\n", "0\r\n", "0\r\nx: y\r\n"] {
            assert_eq!(decode(text, 1).unwrap().0, None, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let long = "1".repeat(LONGEST_LINE);
        for (text, status) in [
            ("\r\n", Status::BadRequest),
            ("-1\r\n", Status::BadRequest),
            ("5\r\nhello!\r\n", Status::BadRequest),
            ("4000001\r\n", Status::ContentTooLarge),
            ("ffffffffffffffffff\r\n", Status::ContentTooLarge),
            (&long, Status::BadRequest),
        ] {
            assert_eq!(decode(text, text.len()).unwrap_err().status, status, "{text}");
        }
    }
}
