//! One reading of a container's log: from a place on, to its end or for as long as it grows.
//!
//! The idea: a reading knows how much of the log is known already, walks over that, and gives only
//! what is new. It is opened a little before its place, and near the end of the log where that is
//! enough, because the daemon searches a log from its beginning. It may be given up at any moment;
//! nothing that was not given counts as known.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::frame::{Decoder, FrameError};
use super::line::{Assembler, Line};
use super::pause::Pause;
use super::place::{Place, Step, Walk, numeric};
use super::raw::{Answer, get};
use crate::DeployError;
use crate::containers::{ContainerError, ContainerId};
use crate::docker::piece::Stream;
use crate::docker::{Daemon, LOOK, too_long};

/// Most lines that are given at once.
const MOST_LINES: usize = 1024;

/// Most bytes that are given at once, but for one long line.
const MOST_BYTES: usize = 256 * 1024;

/// How long more is waited for, once a log comes quickly: to be woken for each line costs more than
/// all else that is done with it. The daemon writes line by line and a socket holds fewer than three
/// hundred such parts, so a longer pause would hold it up.
const GATHERING: Duration = Duration::from_micros(400);

/// A log comes quickly that brings something again so soon.
const SOON: Duration = Duration::from_millis(10);

/// How many pieces before the end of a log a reading begins that goes on from a place: what was
/// missed is nearly always less.
const USUALLY_ENOUGH: usize = 10_000;

/// Whose log it is.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) daemon: Daemon,
    pub(super) id: ContainerId,
    pub(super) has_terminal: bool,
}

/// What of a log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// Whether to go on with what comes.
    pub(super) is_following: bool,
    /// Only so many of the last pieces; a line has one for each 16 KiB.
    pub(super) pieces: Option<usize>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) has_output: bool,
    pub(super) has_errors: bool,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            is_following: false,
            pieces: None,
            since: None,
            until: None,
            has_output: true,
            has_errors: true,
        }
    }
}

/// What a reading brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Batch {
    /// New lines, perhaps none.
    Lines(Vec<Line>),
    /// The daemon has gone back to what was before: its log was exchanged while it read it, and
    /// some of it may have been lost between. The lines came before that.
    WentBack(Vec<Line>),
    /// There is no more.
    End(End),
}

/// Why there is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The daemon says that this is all.
    Clean,
    /// The connection broke, or what came is no log.
    Broken(String),
    /// The daemon itself could not read on.
    Daemon(String),
}

/// A reading under way.
pub(super) struct Reading {
    daemon: Daemon,
    answer: Answer,
    decoder: Decoder,
    assembler: Assembler,
    walk: Walk,
    pieces: usize,
    /// Whether what seems to be known is given all the same: of a log that is read once everything
    /// is new, also where a clock was set back.
    takes_all: bool,
    /// Came last and was not yet looked at.
    pending: Vec<Line>,
    pause: Pause,
    /// When something came last.
    came_at: Option<Instant>,
    end: Option<End>,
}

impl Source {
    /// Begins a reading of a part of the log, of which nothing is known.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub(super) async fn read(&self, range: Range) -> Result<Reading, ContainerError> {
        let mut reading = self.open(range, Walk::default()).await?;
        reading.takes_all = !range.is_following;
        Ok(reading)
    }

    /// Begins a reading of what comes after a place, and of what was begun before it and is not
    /// whole yet: all pieces of a line have the stamp of its first, however late they come. Whether it is whole shows with what it
    /// brings first: [`Reading::has_met_known`].
    ///
    /// # Errors
    /// [`ContainerError`].
    pub(super) async fn read_after(
        &self,
        known: Place,
        held_since: Option<Timestamp>,
        is_following: bool,
    ) -> Result<Reading, ContainerError> {
        let walk = Walk::from(Place::default(), known);
        let range = Range {
            is_following,
            since: known
                .since()
                .map(|since| held_since.map_or(since, |held| held.min(since))),
            ..Range::default()
        };
        if known.is_start() || held_since.is_some() {
            return self.open(range, walk).await;
        }
        let near = Range {
            pieces: Some(USUALLY_ENOUGH),
            ..range
        };
        let mut reading = self.open(near, walk.clone()).await?;
        // The first line decides: one that was known proves that the end of the log reaches back
        // far enough.
        if reading.begins_on_known_ground().await {
            return Ok(reading);
        }
        self.open(range, walk).await
    }

    async fn open(&self, range: Range, walk: Walk) -> Result<Reading, ContainerError> {
        let path = path(&self.id, &range);
        let answer = get(&self.daemon, self.id.as_str(), &path, range.is_following).await?;
        Ok(Reading {
            daemon: self.daemon.clone(),
            answer,
            decoder: Decoder::new(self.has_terminal),
            assembler: Assembler::default(),
            walk,
            pieces: 0,
            takes_all: false,
            pending: Vec::new(),
            pause: Pause::new(),
            came_at: None,
            end: None,
        })
    }
}

fn gone(error: &DeployError) -> String {
    match ContainerError::gone(error) {
        ContainerError::Unreachable { reason } => reason,
        other => other.to_string(),
    }
}

fn path(id: &ContainerId, range: &Range) -> String {
    let flag = |is_set: bool| u8::from(is_set);
    let mut path = format!(
        "/containers/{id}/logs?timestamps=1&stdout={}&stderr={}&follow={}",
        flag(range.has_output),
        flag(range.has_errors),
        flag(range.is_following),
    );
    for (name, stamp) in [("since", range.since), ("until", range.until)] {
        if let Some(stamp) = stamp {
            path.push_str(&format!("&{name}={}", numeric(stamp)));
        }
    }
    if let Some(pieces) = range.pieces {
        path.push_str(&format!("&tail={pieces}"));
    }
    path
}

impl Reading {
    /// What comes next. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Batch {
        loop {
            if !self.pending.is_empty() {
                return self.sift();
            }
            match self.end.clone() {
                Some(end) => return Batch::End(self.verified(end).await),
                None => self.fill().await,
            }
        }
    }

    /// The end as it really was: a daemon that has died says no more than one that is done.
    async fn verified(&mut self, end: End) -> End {
        if end != End::Clean {
            return end;
        }
        match timeout(LOOK, self.daemon.ping()).await {
            Ok(Ok(())) => End::Clean,
            Ok(Err(error)) => End::Broken(gone(&error)),
            Err(_) => End::Broken(gone(&too_long(self.daemon.address(), LOOK))),
        }
    }

    /// Up to where everything is known by now.
    pub(super) fn known(&self) -> Place {
        self.walk.known()
    }

    /// Whether something that was known came by: then nothing is missing after it.
    pub(super) fn has_met_known(&self) -> bool {
        self.walk.has_met_known()
    }

    /// When the oldest line was begun that is not whole yet.
    pub(super) fn held_since(&self) -> Option<Timestamp> {
        self.assembler.held_since()
    }

    /// How many pieces it has brought.
    pub(super) fn pieces(&self) -> usize {
        self.pieces
    }

    /// After the end, where the container lives no more: what was held back of a line without an
    /// end.
    pub(super) fn finish(&mut self) -> Vec<Line> {
        let mut rest = Vec::new();
        self.assembler.finish(&mut rest);
        let takes_all = self.takes_all;
        rest.retain(|line| self.walk.step(line.stream, line.stamp) == Step::New || takes_all);
        rest
    }

    async fn begins_on_known_ground(&mut self) -> bool {
        while self.pending.is_empty() {
            if self.end.is_some() {
                // Nothing came: of a log with anything in it something would.
                return false;
            }
            self.fill().await;
        }
        let first = &self.pending[0];
        self.walk.is_known(first.stamp)
    }

    /// Waits for something, and takes all that is there with it. Given up midway, what has come
    /// is pending.
    async fn fill(&mut self) {
        let first = self.answer.next().await;
        let mut bytes = self.take(first);
        let is_soon = self.came_at.is_some_and(|came_at| came_at.elapsed() < SOON);
        if self.take_all(&mut bytes) && is_soon {
            self.pause.wait(GATHERING).await;
            self.take_all(&mut bytes);
        }
        self.came_at = Some(Instant::now());
    }

    /// Takes what is there already. Whether there was no more than that.
    fn take_all(&mut self, bytes: &mut usize) -> bool {
        while self.end.is_none() && self.pending.len() < MOST_LINES && *bytes < MOST_BYTES {
            match self.answer.next_now() {
                Some(more) => *bytes += self.take(more),
                None => return true,
            }
        }
        false
    }

    /// Takes in what came, and tells how many bytes that was.
    fn take(&mut self, came: Option<Result<Bytes, ContainerError>>) -> usize {
        match came {
            Some(Ok(came)) => {
                self.decoder.push(&came);
                self.take_pieces();
                return came.len();
            }
            Some(Err(ContainerError::Unreachable { reason })) => self.end = Some(End::Broken(reason)),
            Some(Err(error)) => self.end = Some(End::Broken(error.to_string())),
            None => self.end_cleanly(),
        }
        0
    }

    fn take_pieces(&mut self) {
        loop {
            match self.decoder.next() {
                Ok(Some(piece)) => {
                    self.pieces += 1;
                    self.assembler.take(piece, &mut self.pending);
                }
                Ok(None) => return,
                Err(error) => {
                    self.end = Some(match error {
                        FrameError::Daemon(words) => End::Daemon(words),
                        malformed @ FrameError::Malformed(_) => End::Daemon(malformed.to_string()),
                    });
                    return;
                }
            }
        }
    }

    fn end_cleanly(&mut self) {
        self.end = Some(match self.decoder.finish() {
            Ok(rest) => {
                if let Some(piece) = rest {
                    self.pieces += 1;
                    self.assembler.take(piece, &mut self.pending);
                }
                End::Clean
            }
            Err(error) => End::Broken(error.to_string()),
        });
    }

    /// What of the pending lines is new, as far as the daemon does not go back.
    fn sift(&mut self) -> Batch {
        let mut new = Vec::with_capacity(self.pending.len());
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        for line in pending.by_ref() {
            match self.walk.step(line.stream, line.stamp) {
                Step::New => new.push(line),
                Step::Known | Step::Back if self.takes_all => new.push(line),
                Step::Known => {}
                Step::Back => {
                    self.pending = pending.collect();
                    return Batch::WentBack(new);
                }
            }
        }
        Batch::Lines(new)
    }
}

/// Which streams are asked for.
impl Range {
    pub(super) fn only(mut self, stream: Option<Stream>) -> Self {
        self.has_output = stream != Some(Stream::Errors);
        self.has_errors = stream != Some(Stream::Output);
        self
    }
}
