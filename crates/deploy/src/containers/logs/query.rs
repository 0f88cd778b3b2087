//! A part of a log, read once: the last lines, those of a time, those that match.
//!
//! The idea: an answer is bounded in lines and in bytes whatever is asked for, and says when it
//! was cut. Docker's own limit counts pieces of lines, so what it gives is asked for with some
//! more, and more again until there are enough whole lines.

use std::collections::VecDeque;

use std::time::Duration;

use jiff::Timestamp;
use regex::bytes::Regex;

use tokio::time::timeout;

use super::line::Line;
use super::place::Place;
use super::reading::{Batch, End, Range, Reading, Source};
use crate::containers::ContainerError;
use crate::docker::piece::Stream;

/// Most bytes of lines in one answer.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How many pieces more than lines are asked for at first: enough for a few long lines, and to
/// see where the other stream stands.
const SPARE_PIECES: usize = 64;

/// How long it may take.
const LONGEST: Duration = Duration::from_secs(120);

/// How many times as many pieces are asked for where there were not enough lines.
const MORE: usize = 4;

/// What of a log is wanted.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// So many of the last lines, of those that are asked for otherwise.
    pub tail: usize,
    /// Only what was printed at this time or later.
    pub since: Option<Timestamp>,
    /// Only what was printed until this time.
    pub until: Option<Timestamp>,
    /// Only lines that match.
    pub search: Option<Regex>,
    /// Only what was printed there.
    pub stream: Option<Stream>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The lines, oldest first.
    pub lines: Vec<Line>,
    /// Lines that were looked at.
    pub looked_at: u64,
    /// Lines that are what was asked for, whether or not they are given.
    pub matching: u64,
    /// Whether lines are missing at the beginning, because not more was asked for or because the
    /// answer would have been too long.
    pub is_cut: bool,
    /// What the daemon complained of at the end: the rest is missing.
    pub complaint: Option<String>,
    /// The place before the first line that is given.
    pub(crate) before: Place,
    /// Where the reading came to.
    pub(crate) place: Place,
    /// When the oldest line was begun that is not whole yet, and is not given.
    pub(super) held_since: Option<Timestamp>,
}

/// What becomes of a last line that has no end yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastLine {
    /// It is given as it is.
    AsItIs,
    /// It is left for whoever goes on, to whom it will come whole.
    WhenWhole,
}

/// Finds what is asked for.
///
/// # Errors
/// [`ContainerError`]; a connection that breaks midway among them.
pub(super) async fn find(source: &Source, query: &LogQuery, last: LastLine) -> Result<Found, ContainerError> {
    match timeout(LONGEST, find_in(source, query, last)).await {
        Ok(found) => found,
        Err(_) => Err(ContainerError::Invalid {
            message: format!(
                "the log is too long to be read within {} s: ask for a part of it (tail, since, until), or \
                 download it",
                LONGEST.as_secs()
            ),
        }),
    }
}

async fn find_in(source: &Source, query: &LogQuery, last: LastLine) -> Result<Found, ContainerError> {
    let range = Range {
        since: query.since,
        until: query.until,
        ..Range::default()
    };
    let is_plain = query.since.is_none() && query.until.is_none() && query.search.is_none();
    if !is_plain {
        return Ok(through(source.read(range).await?, query, last).await?.0);
    }
    let mut pieces = query.tail.saturating_add(SPARE_PIECES);
    loop {
        let reading = source
            .read(Range {
                pieces: Some(pieces),
                ..range
            })
            .await?;
        let (mut found, came) = through(reading, query, last).await?;
        let is_whole = came < pieces;
        // Of the end of a log the first line may lack its beginning; here it is among those
        // that are not kept.
        let is_enough = found.is_cut || found.matching > query.tail as u64;
        if is_whole || is_enough || found.complaint.is_some() {
            found.is_cut |= !is_whole;
            return Ok(found);
        }
        pieces = pieces.saturating_mul(MORE);
    }
}

/// Reads all of it and keeps the last of what is asked for. With it, how many pieces came.
async fn through(
    mut reading: Reading,
    query: &LogQuery,
    last: LastLine,
) -> Result<(Found, usize), ContainerError> {
    let mut kept = Kept::default();
    let mut found = Found::default();
    let mut first = None;
    loop {
        match reading.next().await {
            Batch::Lines(lines) | Batch::WentBack(lines) => {
                if let (None, Some(line)) = (first, lines.first()) {
                    // One that was begun before it and is not whole yet comes after it.
                    let held = reading.held_since().unwrap_or(line.stamp);
                    let begin = line.stamp.min(held);
                    first = Some(begin);
                    kept.before.not_before(begin);
                }
                kept.take(lines, query, &mut found);
                // An expression may take long, and others want to go on, too.
                tokio::task::yield_now().await;
            }
            Batch::End(end) => {
                found.held_since = reading.held_since();
                if last == LastLine::AsItIs {
                    kept.take(reading.finish(), query, &mut found);
                }
                match end {
                    End::Clean => {}
                    End::Daemon(words) => found.complaint = Some(words),
                    End::Broken(reason) => return Err(ContainerError::Unreachable { reason }),
                }
                break;
            }
        }
    }
    found.place = reading.known();
    // What came before the part that was read is left out on purpose.
    if let Some(first) = first.or(query.since) {
        found.place.not_before(first);
    }
    found.before = kept.before;
    found.is_cut = kept.has_dropped;
    found.lines = kept.lines.into();
    Ok((found, reading.pieces()))
}

/// The last lines, as many as are wanted and as there is room for.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) lines: VecDeque<Line>,
    bytes: usize,
    pub(crate) has_dropped: bool,
    /// The place before the first of them.
    pub(crate) before: Place,
}

impl Kept {
    /// Takes in what comes next of a log.
    pub(crate) fn take(&mut self, lines: Vec<Line>, query: &LogQuery, found: &mut Found) {
        for line in lines {
            found.looked_at += 1;
            let is_wanted = query.stream.is_none_or(|stream| stream == line.stream)
                && query
                    .search
                    .as_ref()
                    .is_none_or(|search| search.is_match(&line.text));
            if !is_wanted {
                continue;
            }
            found.matching += 1;
            self.bytes += line.text.len();
            self.lines.push_back(line);
            while self.lines.len() > query.tail || (self.bytes > MOST_BYTES && self.lines.len() > 1) {
                if let Some(dropped) = self.lines.pop_front() {
                    self.bytes -= dropped.text.len();
                    self.before.advance(dropped.stream, dropped.stamp);
                }
                self.has_dropped = true;
            }
        }
    }
}
