//! The last lines of an engine's output, fit to be shown.
//!
//! Engines write progress bars, half characters and lines of a megabyte. What is read is
//! bounded whatever they write. Nothing in here says what a line means.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the end of a log is looked at.
const WINDOW_BYTES: u64 = 256 * 1024;

/// How much of one line is kept.
const LINE_BYTES: usize = 8 * 1024;

/// The last lines of a file, oldest first.
///
/// # Errors
/// It cannot be read.
pub fn tail(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(WINDOW_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(WINDOW_BYTES).read_to_end(&mut bytes)?;
    Ok(last_lines(&bytes, start > 0, lines))
}

/// The last lines of `bytes`. When these begin in the middle of a line, it is left out,
/// unless it is all there is.
fn last_lines(bytes: &[u8], begins_inside_line: bool, lines: usize) -> Vec<String> {
    let bytes = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) if begins_inside_line && end + 1 < bytes.len() => &bytes[end + 1..],
        _ => bytes,
    };
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<String> = bytes
        .rsplit(|byte| *byte == b'\n')
        .take(lines)
        .map(|line| cut(last_overwrite(line)))
        .collect();
    found.reverse();
    found
}

/// What a terminal would show of a line that returns to its own beginning: the last text.
fn last_overwrite(line: &[u8]) -> &[u8] {
    line.rsplit(|byte| *byte == b'\r')
        .find(|part| !part.is_empty())
        .unwrap_or_default()
}

fn cut(line: &[u8]) -> String {
    if line.len() <= LINE_BYTES {
        return String::from_utf8_lossy(line).into_owned();
    }
    // Not through the middle of a character: a continuation byte is 10xxxxxx.
    let mut end = LINE_BYTES;
    while end > LINE_BYTES - 3 && line[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    let kept = String::from_utf8_lossy(&line[..end]);
    format!("{kept} [… {} more bytes]", line.len() - end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], lines: usize, expected: &[&str]) {
        assert_eq!(
            last_lines(bytes, false, lines),
            expected,
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }

    #[test]
    fn the_last_lines_come_oldest_first() {
        check(b"", 9, &[]);
        check(b"\n", 9, &[]);
        check(b"a\nb\nc\n", 2, &["b", "c"]);
        check(b"a\nb\nc", 9, &["a", "b", "c"]);
        check(b"a\n\nb\n", 9, &["a", "", "b"]);
        check(b"a\nb\n", 0, &[]);
    }

    #[test]
    fn progress_shows_its_last_state() {
        check(b"x\r\n10%\r20%\r30%\r\ny", 9, &["x", "30%", "y"]);
        check(b"10%\r20%\r", 9, &["20%"]);
        check(b"\r\r\n", 9, &[""]);
    }

    #[test]
    fn broken_text_is_replaced() {
        check(b"a\xffb\n\xe2\x82\n", 9, &["a\u{fffd}b", "\u{fffd}"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "x".repeat(LINE_BYTES + 5);
        let expected = format!("{} [… 5 more bytes]", "x".repeat(LINE_BYTES));
        check(long.as_bytes(), 9, &[&expected]);
        let euros = "€".repeat(LINE_BYTES);
        let shown = last_lines(euros.as_bytes(), false, 1);
        assert!(shown[0].starts_with('€') && !shown[0].contains('\u{fffd}'));
    }

    #[test]
    fn only_the_end_of_a_long_log_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        std::fs::write(file.path(), text).unwrap();
        let all = tail(file.path(), usize::MAX).unwrap();
        assert_eq!(all.last().unwrap(), "line 99999");
        assert!(all.len() < 30_000, "{}", all.len());
        let first: usize = all[0].strip_prefix("line ").unwrap().parse().unwrap();
        assert_eq!(first + all.len(), 100_000, "no line is cut at its beginning");
    }

    #[test]
    fn one_endless_line_is_still_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "y".repeat(1_000_000)).unwrap();
        let all = tail(file.path(), 5).unwrap();
        assert_eq!(all.len(), 1);
        assert!(all[0].starts_with("yyy") && all[0].len() < 9_000);
    }
}
