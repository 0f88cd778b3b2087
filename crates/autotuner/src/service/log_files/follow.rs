//! Follows a log that somebody else writes: what is there first, then what comes.
//!
//! A [`Follower`] keeps no unfinished line: what it has not given out it reads again. It takes
//! one step at a time when asked, so that whoever is slow slows only itself, and one step holds
//! a bounded amount however long the log is.
//!
//! Decided: a last line without its newline waits for it, because programs that write through a
//! buffer stop in the middle of lines for as long as they like. It is given out as it is when
//! the caller says that nobody writes any more, or when the log is gone; should something be
//! added to it after all, that comes as a line of its own. A line of more than 64 KiB is cut.
//!
//! An emptied log is seen by its length, or by the bytes before the place of reading, which are
//! looked at with every read. What was written and emptied again between two looks is lost.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::place::{Mark, Place, read_some};
use super::{open_to_read, unless_missing};

/// Longest line that is given out whole, in bytes.
pub(crate) const LONGEST_LINE: usize = 64 * 1024;

/// Bytes that are read in one step; more than the longest line, so that each step gets on.
const BLOCK: usize = 256 * 1024;

/// Lines that are given out in one step: blank ones cost more memory than bytes.
const MOST_LINES: usize = 4096;

/// What a line that was cut ends with.
const CUT: &str = " [the rest of this line is left out: download the log to see it]";

/// One line, decoded, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it says; bytes that are no UTF-8 are replaced.
    pub(crate) text: String,
    /// Where the log goes on after it.
    pub(crate) after: Mark,
}

/// What one step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Lines, perhaps none yet.
    Lines {
        lines: Vec<Line>,
        /// Whether there was no more.
        is_all: bool,
    },
    /// Nothing new.
    Nothing,
    /// There is no file, and there was none.
    Missing,
    /// The file was emptied, or another one is in its place: all over again from its start.
    Truncated,
    /// The file is gone.
    Removed,
}

impl Step {
    /// Nothing to tell, but there is more to be read at once.
    const GO_ON: Self = Self::Lines {
        lines: Vec::new(),
        is_all: false,
    };
}

/// Reads one log to its end, again and again.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    file: Option<File>,
    /// Where to go on once there is a file; `Err` for a mark that nobody can read.
    resume: Option<Result<Mark, ()>>,
    place: Place,
    /// What the file was like when it had been read to its end.
    seen: Option<(u64, (i64, i64))>,
    has_unfinished: bool,
}

impl Follower {
    /// Follows from the start, or from after the line with this mark.
    pub(crate) fn new(path: PathBuf, after: Option<&str>) -> Self {
        Self {
            path,
            file: None,
            resume: after.map(|text| Mark::parse(text).ok_or(())),
            place: Place::default(),
            seen: None,
            has_unfinished: false,
        }
    }

    /// Whether the log ends, as far as is known, in a line without its newline.
    pub(crate) fn has_unfinished(&self) -> bool {
        self.has_unfinished
    }

    /// Where the log goes on.
    pub(crate) fn mark(&self) -> Mark {
        self.place.mark()
    }

    /// Looks once. With `is_over` a last line is given out without its newline. Waits for the
    /// disk, so no place for it among tasks.
    ///
    /// # Errors
    /// The log cannot be read; that is the end of following it.
    pub(crate) fn step(&mut self, is_over: bool) -> io::Result<Step> {
        let Some(file) = self.file.take() else {
            return self.open();
        };
        let now = unless_missing(self.path.symlink_metadata())?;
        let open = file.metadata()?;
        match now {
            Some(now) if is_same(&now, &open) => {
                let step = self.read(&file, &open, is_over);
                self.file = Some(file);
                step
            }
            Some(_) => self.change(file),
            // What was written last is still there to be read.
            None => self.finish(file),
        }
    }

    fn open(&mut self) -> io::Result<Step> {
        let Some(file) = open_to_read(&self.path)? else {
            return Ok(Step::Missing);
        };
        let place = match self.resume.take() {
            None => Some(Place::default()),
            Some(Ok(mark)) => Place::find(mark, &file)?,
            Some(Err(())) => None,
        };
        let is_other = place.is_none();
        self.begin(file, place.unwrap_or_default());
        Ok(if is_other { Step::Truncated } else { Step::GO_ON })
    }

    fn begin(&mut self, file: File, place: Place) {
        self.place = place;
        self.seen = None;
        self.has_unfinished = false;
        self.file = Some(file);
    }

    /// Another file is in the place of the open one: a copy with the same beginning, in which
    /// reading goes on, or a different log.
    fn change(&mut self, old: File) -> io::Result<Step> {
        let Some(new) = open_to_read(&self.path)? else {
            return self.finish(old);
        };
        let place = Place::find(self.place.mark(), &new)?;
        if let Some(place) = place.filter(|place| place.offset() > 0) {
            self.begin(new, place);
            return Ok(Step::GO_ON);
        }
        let left = self.finish(old)?;
        if left != Step::Removed {
            return Ok(left);
        }
        let was_given_out = self.place.offset() > 0;
        self.begin(new, Place::default());
        Ok(if was_given_out {
            Step::Truncated
        } else {
            Step::GO_ON
        })
    }

    /// Gives out what is left in a file that is gone, then says so.
    fn finish(&mut self, file: File) -> io::Result<Step> {
        let metadata = file.metadata()?;
        self.seen = None;
        match self.read(&file, &metadata, true)? {
            Step::Lines { lines, .. } if !lines.is_empty() => {
                self.file = Some(file);
                Ok(Step::Lines { lines, is_all: false })
            }
            _ => Ok(Step::Removed),
        }
    }

    fn read(&mut self, file: &File, metadata: &Metadata, is_over: bool) -> io::Result<Step> {
        let look = (metadata.len(), (metadata.mtime(), metadata.mtime_nsec()));
        if self.seen == Some(look) && !(is_over && self.has_unfinished) {
            return Ok(Step::Nothing);
        }
        let known = self.place.tail().len();
        let start = self.place.offset() - known as u64;
        // No more than there is: idle followers of small logs are cheap.
        let there = usize::try_from(metadata.len().saturating_sub(start)).unwrap_or(usize::MAX);
        let mut block = vec![0; there.min(known + BLOCK)];
        let count = read_some(file, &mut block, start)?;
        block.truncate(count);
        if metadata.len() < self.place.offset() || !self.is_sound(file, &block, start)? {
            self.place = Place::default();
            self.has_unfinished = false;
            self.seen = None;
            return Ok(Step::Truncated);
        }
        let is_whole = count < known + BLOCK;
        let (lines, is_all) = self.lines(&block[known..], is_whole, is_over);
        self.seen = is_all.then_some(look);
        Ok(Step::Lines { lines, is_all })
    }

    /// Whether a block begins with what was read before, and the log still looks like that after
    /// the block was read: it might have been emptied meanwhile.
    fn is_sound(&self, file: &File, block: &[u8], start: u64) -> io::Result<bool> {
        let known = self.place.tail();
        let first = &block[..block.len().min(known.len().max(64))];
        let mut again = vec![0; first.len()];
        let count = read_some(file, &mut again, start)?;
        Ok(block.starts_with(known) && again[..count] == *first)
    }

    fn lines(&mut self, bytes: &[u8], is_whole: bool, is_over: bool) -> (Vec<Line>, bool) {
        let mut lines = Vec::new();
        let mut rest = bytes;
        self.has_unfinished = false;
        while !rest.is_empty() && lines.len() < MOST_LINES {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (used, text, is_skipping) = match end {
                Some(end) if self.place.is_skipping => (end + 1, None, false),
                None if self.place.is_skipping => (rest.len(), None, true),
                Some(end) if end <= LONGEST_LINE => (end + 1, Some(decode(&rest[..end])), false),
                _ if rest.len() > LONGEST_LINE => {
                    (LONGEST_LINE, Some(decode_cut(&rest[..LONGEST_LINE])), true)
                }
                _ if is_over && is_whole => (rest.len(), Some(decode(rest)), false),
                _ => {
                    self.has_unfinished = true;
                    break;
                }
            };
            self.place.advance(&rest[..used]);
            self.place.is_skipping = is_skipping;
            rest = &rest[used..];
            let after = || self.place.mark();
            lines.extend(text.map(|text| Line { text, after: after() }));
        }
        let is_all = is_whole && (rest.is_empty() || self.has_unfinished);
        (lines, is_all)
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

/// Decodes what was cut without regard to characters: the last one may be there in part.
fn decode_cut(bytes: &[u8]) -> String {
    let begun = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    let is_begun = std::str::from_utf8(begun).is_err_and(|error| error.error_len().is_none());
    let whole = bytes.len() - if is_begun { begun.len() } else { 0 };
    String::from_utf8_lossy(&bytes[..whole]).into_owned() + CUT
}

#[cfg(test)]
mod tests;
