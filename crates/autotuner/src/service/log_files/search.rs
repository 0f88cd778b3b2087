//! The last lines of a log that match, found in one pass and a bounded part of memory.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use regex::bytes::Regex;

use super::open_to_read;

/// Most bytes of lines that are kept.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes of one line: what is beyond is taken for the next.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    /// The lines, oldest first, without their ends; what is no UTF-8 is replaced.
    pub(crate) lines: VecDeque<String>,
    /// Lines that were looked at.
    pub(crate) looked_at: u64,
    /// Lines that are what was asked for, kept or not.
    pub(crate) matching: u64,
}

/// The last `tail` lines that match, or of all lines; `None` where there is no log.
///
/// # Errors
/// The log cannot be read.
pub(crate) fn search(path: &Path, tail: usize, wanted: Option<&Regex>) -> io::Result<Option<Matches>> {
    let Some(file) = open_to_read(path)? else {
        return Ok(None);
    };
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let (mut found, mut bytes, mut line) = (Matches::default(), 0, Vec::new());
    loop {
        line.clear();
        if file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(Some(found));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        found.looked_at += 1;
        if !wanted.is_none_or(|wanted| wanted.is_match(text)) {
            continue;
        }
        found.matching += 1;
        let text = String::from_utf8_lossy(text).into_owned();
        bytes += text.len();
        found.lines.push_back(text);
        while found.lines.len() > tail || (bytes > MOST_BYTES && found.lines.len() > 1) {
            bytes -= found.lines.pop_front().map_or(0, |line| line.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_matching_lines_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        assert_eq!(search(&path, 1, None).expect("readable"), None);
        std::fs::write(&path, b"a 1\nb 2\n\na 3\xff\nb 4").expect("written");
        let check = |tail: usize, wanted: Option<&str>, lines: &[&str], matching: u64| {
            let wanted = wanted.map(|wanted| Regex::new(wanted).expect("sound"));
            let found = search(&path, tail, wanted.as_ref())
                .expect("readable")
                .expect("there");
            assert_eq!(found.lines, lines);
            assert_eq!((found.matching, found.looked_at), (matching, 5));
        };
        check(9, None, &["a 1", "b 2", "", "a 3\u{fffd}", "b 4"], 5);
        check(2, None, &["a 3\u{fffd}", "b 4"], 5);
        check(9, Some("^a"), &["a 1", "a 3\u{fffd}"], 2);
        check(1, Some("^a"), &["a 3\u{fffd}"], 2);
        check(0, Some("."), &[], 4);
        check(9, Some("nothing"), &[], 0);
    }
}
