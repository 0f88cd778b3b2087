//! Reads a log as it is now: its end as text, or all of it in blocks.
//!
//! A log may be larger than memory, so neither way holds more than a bounded part of it. What is
//! added while it is read is not waited for.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::stream;

use super::place::read_some;
use super::{blocking, open_to_read};

/// The most of a log that is given as text, in bytes.
pub(crate) const MOST_TEXT: u64 = 8 * 1024 * 1024;

/// Bytes of a download that are in memory at once.
const BLOCK: usize = 256 * 1024;

/// The last lines of a log, decoded; as many as there are where no number is given, and no more
/// than fit into [`MOST_TEXT`]. What is left out for want of room is said in a line before them.
/// `None` where there is no log, or nothing in it.
///
/// # Errors
/// The log cannot be read.
pub(crate) fn end(path: &Path, lines: Option<usize>) -> io::Result<Option<String>> {
    let Some(file) = open_to_read(path)? else {
        return Ok(None);
    };
    let length = file.metadata()?.len();
    let mut start = length.saturating_sub(MOST_TEXT);
    let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(0)];
    let count = read_some(&file, &mut bytes, start)?;
    bytes.truncate(count);
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut first = 0;
    if start > 0 {
        // Not from inside a line, unless there is nothing but that.
        first = line_end(&bytes).filter(|end| *end < bytes.len()).unwrap_or(0);
        start += first as u64;
    }
    let wanted = lines.and_then(|lines| last_lines(&bytes[first..], lines));
    let text = String::from_utf8_lossy(&bytes[first + wanted.unwrap_or(0)..]);
    Ok(Some(match start > 0 && wanted.is_none() {
        true => format!("[{start} earlier bytes are left out: download the log to see them]\n{text}"),
        false => text.into_owned(),
    }))
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
}

/// Where the last so many lines begin; `None` where there are not so many.
fn last_lines(bytes: &[u8], lines: usize) -> Option<usize> {
    let last = bytes.len().saturating_sub(1);
    let ends = bytes[..last].iter().enumerate().rev();
    let mut ends = ends.filter(|(_, byte)| **byte == b'\n');
    ends.nth(lines.checked_sub(1)?).map(|(at, _)| at + 1)
}

/// The bytes of a file up to a length, which are read as they are asked for.
pub(crate) fn blocks(file: File, length: u64) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    let file = Arc::new(file);
    stream::try_unfold(0, move |offset| {
        let file = Arc::clone(&file);
        async move {
            let wanted = usize::try_from(length - offset).map_or(BLOCK, |left| left.min(BLOCK));
            if wanted == 0 {
                return Ok(None);
            }
            let block = blocking(move || {
                let mut block = vec![0; wanted];
                let count = read_some(&file, &mut block, offset)?;
                block.truncate(count);
                Ok(block)
            });
            let block = block.await?;
            if block.is_empty() {
                // The length was promised: whoever reads must learn that this is not all.
                return Err(io::Error::other("the log was emptied while it was read"));
            }
            let next = offset + block.len() as u64;
            Ok(Some((block, next)))
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    #[test]
    fn the_end_of_a_log_is_whole_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let check = |content: &[u8], lines: Option<usize>, expected: Option<&str>| {
            std::fs::write(&path, content).expect("written");
            assert_eq!(end(&path, lines).expect("readable").as_deref(), expected);
        };
        assert_eq!(end(&path, None).expect("readable"), None);
        check(b"", None, None);
        check(b"a\nb\n", None, Some("a\nb\n"));
        check(b"a\nb\nc\n", Some(2), Some("b\nc\n"));
        check(b"a\nb\nc", Some(2), Some("b\nc"));
        check(b"a\n\n\n", Some(2), Some("\n\n"));
        check(b"a\nb", Some(2), Some("a\nb"));
        check(b"a\nb", Some(9), Some("a\nb"));
        check(b"\n", Some(1), Some("\n"));
        check(b"bad \xff\n", Some(1), Some("bad \u{fffd}\n"));
    }

    #[test]
    fn what_is_too_much_is_left_out_and_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let line = "0123456789abcdef 0123456789abcdef 0123456789abcdef\n";
        let count = MOST_TEXT as usize / line.len() + 1000;
        std::fs::write(&path, line.repeat(count)).expect("written");
        let text = end(&path, None).expect("readable").expect("something");
        let (said, rest) = text.split_once('\n').expect("two lines");
        let left_out = line.len() * count - rest.len();
        assert_eq!(
            said,
            format!("[{left_out} earlier bytes are left out: download the log to see them]")
        );
        assert!(rest.starts_with(line) && rest.len() > MOST_TEXT as usize - line.len());
        let text = end(&path, Some(3)).expect("readable").expect("something");
        assert_eq!(text, line.repeat(3), "who asks for few gets them, and no notice");
        let text = end(&path, Some(count)).expect("readable").expect("something");
        assert!(text.starts_with(said), "who asks for more is told");
        std::fs::write(&path, "x".repeat(MOST_TEXT as usize + 5)).expect("written");
        let text = end(&path, None).expect("readable").expect("something");
        assert!(text.starts_with("[5 earlier bytes"), "one line without end");
    }

    #[tokio::test]
    async fn blocks_are_the_bytes_up_to_a_length() {
        let content: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        for length in [0, 1, BLOCK, BLOCK + 1, content.len()] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("log");
            std::fs::write(&path, &content).expect("written");
            let file = File::open(&path).expect("opened");
            let read: Vec<Vec<u8>> = blocks(file, length as u64).try_collect().await.expect("readable");
            assert!(read.concat() == content[..length], "{length}");
            assert!(read.iter().all(|block| block.len() <= BLOCK));
        }
        let file = tempfile::tempfile().expect("a file");
        let short: Result<Vec<Vec<u8>>, _> = blocks(file, 5).try_collect().await;
        short.expect_err("not so much there");
    }
}
