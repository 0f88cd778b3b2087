//! A place in a log that still can be told from another one after the log was emptied, filled
//! again, replaced by a copy, and read by another process.
//!
//! A place is a number of bytes together with what they looked like: a hash over the log's first
//! bytes and the last ones before the place. Inodes and times are no part of it: a copy with the
//! same content is as good as the log that was read, and an emptied log keeps its inode. Two
//! different logs with the same first kibibyte and the same last 128 bytes before the same place
//! are taken for one; the stamps of task logs rule that out.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// First bytes of a log that a place remembers.
const HEAD: usize = 1024;

/// Last bytes before a place that it remembers.
const TAIL: usize = 128;

/// How much of a log has been read, and what it looked like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    offset: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Whether it is inside a line of which enough was given.
    pub(crate) is_skipping: bool,
    /// The hash of the head, once it is whole.
    of_head: Option<Hash>,
}

impl Place {
    /// Bytes before it.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The last bytes before it.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Goes on over these bytes.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        let missing = bytes.len().min(HEAD - self.head.len());
        self.head.extend_from_slice(&bytes[..missing]);
        let last = &bytes[bytes.len().saturating_sub(TAIL)..];
        let too_many = (self.tail.len() + last.len()).saturating_sub(TAIL);
        self.tail.drain(..too_many);
        self.tail.extend_from_slice(last);
        if self.of_head.is_none() && self.head.len() == HEAD {
            self.of_head = Some(Hash::default().with(&self.head));
        }
    }

    /// What names it outside of this process.
    pub(crate) fn mark(&self) -> Mark {
        let of_head = self.of_head.unwrap_or_else(|| Hash::default().with(&self.head));
        Mark {
            offset: self.offset,
            hash: of_head.with(&self.tail).0,
            is_skipping: self.is_skipping,
        }
    }

    /// The place of a mark in a log; `None` where the log looks different there.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) fn find(mark: Mark, log: &File) -> io::Result<Option<Self>> {
        let first = |most: usize| usize::try_from(mark.offset).map_or(most, |offset| offset.min(most));
        let (mut head, mut tail) = (vec![0; first(HEAD)], vec![0; first(TAIL)]);
        let before_tail = mark.offset - tail.len() as u64;
        if !read_all(log, &mut head, 0)? || !read_all(log, &mut tail, before_tail)? {
            return Ok(None);
        }
        let mut place = Self::default();
        place.advance(&head);
        place.offset = mark.offset;
        place.tail = tail;
        place.is_skipping = mark.is_skipping;
        Ok((place.mark() == mark).then_some(place))
    }
}

/// The name of a place: the id of a line in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    offset: u64,
    hash: u64,
    is_skipping: bool,
}

impl Mark {
    /// The mark with this text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (text, is_skipping) = match text.strip_suffix('+') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (offset, hash) = text.split_once('-')?;
        Some(Self {
            offset: offset.parse().ok()?,
            hash: u64::from_str_radix(hash, 16).ok()?,
            is_skipping,
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipping = if self.is_skipping { "+" } else { "" };
        write!(f, "{}-{:016x}{skipping}", self.offset, self.hash)
    }
}

/// FNV-1a, 64 bits: marks outlive the process, so the standard library's hash, which may change
/// with its version, will not do; nobody gains anything by making two places look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn with(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }
}

/// Reads until the buffer is full or the file ends; how many bytes.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_all(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    // No file is longer than what the kernel can count.
    if i64::try_from(offset).is_err() {
        return Ok(false);
    }
    Ok(read_some(file, buffer, offset)? == buffer.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(content: &[u8]) -> File {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(content, 0).expect("written");
        file
    }

    fn after(content: &[u8]) -> Place {
        let mut place = Place::default();
        place.advance(content);
        place
    }

    #[test]
    fn a_place_is_found_again() {
        let content: Vec<u8> = (0..5000u32).flat_map(u32::to_le_bytes).collect();
        let log = log(&content);
        for length in [0, 1, 100, 128, 129, 1023, 1024, 1025, 5000, content.len()] {
            let place = after(&content[..length]);
            let text = place.mark().to_string();
            let mark = Mark::parse(&text).expect("a mark");
            let found = Place::find(mark, &log).expect("readable");
            assert_eq!(found, Some(place), "{text}");
        }
    }

    #[test]
    fn how_the_bytes_came_makes_no_difference() {
        let content: Vec<u8> = (0..1500u32).flat_map(u32::to_le_bytes).collect();
        for size in [1, 7, 127, 128, 129, 1000, 1024, 4096] {
            let mut place = Place::default();
            content.chunks(size).for_each(|bytes| place.advance(bytes));
            assert_eq!(place, after(&content), "{size}");
        }
    }

    #[test]
    fn another_log_is_seen() {
        let content = b"first line\nsecond line\n".repeat(100);
        let mark = after(&content[..2000]).mark();
        let check = |content: &[u8], expected: bool| {
            let found = Place::find(mark, &log(content)).expect("readable");
            assert_eq!(found.is_some(), expected);
        };
        check(&content, true);
        check(&content[..2000], true);
        check(&content[..1999], false);
        check(b"", false);
        let mut other = content.clone();
        other[0] = b'F';
        check(&other, false);
        let mut other = content.clone();
        other[1999] ^= 1;
        check(&other, false);
    }

    #[test]
    fn marks_are_read_as_they_are_written() {
        let mut place = after(b"abc");
        place.is_skipping = true;
        let mark = place.mark();
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for text in [
            "",
            "-",
            "5",
            "5-",
            "x-1",
            "-5-1",
            "5-1-2",
            "5-xyz",
            "5-11111111111111111",
        ] {
            assert_eq!(Mark::parse(text), None, "{text:?}");
        }
        let far = Mark::parse("18446744073709551615-1").expect("a mark");
        assert_eq!(Place::find(far, &log(b"abc")).expect("readable"), None);
    }
}
