//! Somebody who looks at a container's log.
//!
//! The idea: a viewer stands at a place and asks for what comes after it, when there is room for
//! it. Mostly the ring has that. Where it does not any more, the viewer goes back to the daemon
//! alone, reads until it meets the ring again, and has missed nothing; what the daemon has thrown
//! away is said to be missing.

use std::sync::Arc;

use super::channel::{Look, Seat, Word};
use super::line::Line;
use super::place::{Place, Step, Walk};
use super::reading::{Batch, End, Reading, Source};
use super::ring::{Chunk, Item, Life};
use crate::containers::{ContainerError, Shared};

/// What is said where the log no longer reaches back to where a viewer is.
const MISSED: &str = "the daemon has thrown away what came next: some lines are missing here";

/// A container's log, from a place on.
pub struct Viewer {
    shared: Arc<Shared>,
    source: Source,
    seat: Seat,
    place: Place,
    way: Way,
    /// Given before anything else.
    first: Option<Arc<Chunk>>,
    /// The number of the last word about the container's life that it knows.
    told: u64,
    /// When the life had begun in which the container was when the viewer came; `None` where it did
    /// not live.
    alive_since: Option<String>,
}

/// Where a viewer gets what comes next.
enum Way {
    /// It is not known yet.
    Unknown,
    /// From the ring: the chunk of this number.
    Ring(u64),
    /// From the daemon; whether the beginning was looked at.
    Daemon {
        reading: Box<Reading>,
        is_checked: bool,
        /// Up to where the ring had come when the reading began.
        head: Place,
    },
}

impl Viewer {
    pub(super) fn new(shared: Arc<Shared>, source: Source, seat: Seat, place: Place) -> Self {
        Self {
            shared,
            source,
            seat,
            place,
            way: Way::Unknown,
            first: None,
            told: 0,
            alive_since: None,
        }
    }

    /// What is given first: the end of the log as it was, up to this viewer's place.
    pub(super) fn beginning_with(mut self, chunk: Chunk) -> Self {
        self.first = Some(Arc::new(chunk)).filter(|chunk| !chunk.items().is_empty());
        self
    }

    /// For a container that lives: what became of it in earlier lives is no news.
    pub(super) fn alive_since(mut self, started_at: Option<String>) -> Self {
        self.alive_since = started_at;
        self
    }

    /// The place up to which everything was given.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What comes next, waited for; `None` when nothing more will ever come. May be dropped while
    /// it waits.
    ///
    /// # Errors
    /// [`ContainerError`]: what was missed can no longer be read. It may be asked again.
    pub async fn next(&mut self) -> Result<Option<Arc<Chunk>>, ContainerError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        loop {
            match &mut self.way {
                Way::Unknown => {
                    if let Some(gap) = self.find_way().await? {
                        return Ok(Some(gap));
                    }
                }
                Way::Ring(number) => {
                    let number = *number;
                    match self.seat.look(number) {
                        Look::Chunk(chunk) => {
                            self.way = Way::Ring(number + 1);
                            if let Some(chunk) = self.what_is_new(chunk) {
                                return Ok(Some(chunk));
                            }
                        }
                        Look::Gone => self.way = Way::Unknown,
                        Look::NotYet { last, has_ended } => {
                            if let Some(life) = self.news(last) {
                                let items = vec![Item::Life(life)];
                                return Ok(Some(Arc::new(Chunk::new(items, self.place))));
                            }
                            if has_ended {
                                return Ok(None);
                            }
                            self.seat.wait().await;
                        }
                    }
                }
                Way::Daemon {
                    reading, is_checked, ..
                } => {
                    let batch = reading.next().await;
                    let has_met_known = reading.has_met_known();
                    let is_first = !*is_checked;
                    if let Some(chunk) = self.of_daemon(batch, is_first && !has_met_known)? {
                        return Ok(Some(chunk));
                    }
                }
            }
        }
    }

    /// Finds out where what comes next is to be had. What is nowhere any more is said to be
    /// missing.
    async fn find_way(&mut self) -> Result<Option<Arc<Chunk>>, ContainerError> {
        if let Some(number) = self.seat.join(&self.place) {
            self.way = Way::Ring(number);
            return Ok(None);
        }
        let head = self.seat.channel().head();
        self.source.daemon = self.shared.reach.daemon().await?;
        match self.source.read_after(self.place, None, false).await {
            Ok(reading) => {
                self.way = Way::Daemon {
                    reading: Box::new(reading),
                    is_checked: !self.place.has_lines(),
                    head,
                };
                Ok(None)
            }
            // Gone, and its log with it: what the ring has is all there is.
            Err(ContainerError::NotFound { .. } | ContainerError::Conflict { .. }) => {
                self.way = Way::Ring(self.seat.first());
                let gap = Item::Gap(MISSED.to_owned());
                Ok(Some(Arc::new(Chunk::new(vec![gap], self.place))))
            }
            Err(error) => Err(error),
        }
    }

    /// What is news to this viewer of the last word about the container, once it has seen all
    /// else.
    fn news(&mut self, last: Word) -> Option<Life> {
        if last.number <= self.told {
            return None;
        }
        self.told = last.number;
        match last.life {
            // Whoever comes later sees that it lives.
            Life::Started { .. } => None,
            Life::Stopped { .. } if self.alive_since.is_some() && last.started_at != self.alive_since => None,
            life => Some(life),
        }
    }

    /// What of a chunk of the ring this viewer has not seen.
    fn what_is_new(&mut self, chunk: Arc<Chunk>) -> Option<Arc<Chunk>> {
        let is_old = chunk.word() > 0 && chunk.word() <= self.told;
        self.told = self.told.max(chunk.word());
        if is_old {
            return None;
        }
        if chunk.before() == self.place {
            self.place = chunk.after();
            return Some(chunk);
        }
        let before = self.place;
        let mut walk = Walk::from(chunk.before(), self.place);
        let items: Vec<Item> = chunk
            .items()
            .iter()
            .filter(|item| match item {
                Item::Line(line) => walk.step(line.stream, line.stamp) == Step::New,
                Item::Gap(_) | Item::Life(_) => walk.known() != before || chunk.lines() == 0,
            })
            .cloned()
            .collect();
        self.place = walk.known();
        (!items.is_empty()).then(|| Arc::new(Chunk::new(items, before)))
    }

    /// What the daemon brought; then the ring is looked for again.
    fn of_daemon(&mut self, batch: Batch, may_miss: bool) -> Result<Option<Arc<Chunk>>, ContainerError> {
        let lines: Vec<Line> = match batch {
            Batch::Lines(lines) | Batch::WentBack(lines) => lines,
            Batch::End(End::Clean) => {
                // All that the ring had then was there to be read, or was left out on purpose.
                if let Way::Daemon { head, .. } = &self.way {
                    self.place.raise(head);
                }
                self.way = Way::Unknown;
                return Ok(None);
            }
            Batch::End(End::Broken(reason) | End::Daemon(reason)) => {
                self.way = Way::Unknown;
                return Err(ContainerError::Unreachable { reason });
            }
        };
        if lines.is_empty() {
            return Ok(None);
        }
        let mut items: Vec<Item> = lines.into_iter().map(Item::Line).collect();
        if may_miss {
            items.insert(0, Item::Gap(MISSED.to_owned()));
        }
        let chunk = Arc::new(Chunk::new(items, self.place));
        self.place = chunk.after();
        match (self.seat.join(&self.place), &mut self.way) {
            (Some(number), way) => *way = Way::Ring(number),
            (None, Way::Daemon { is_checked, .. }) => *is_checked = true,
            (None, _) => {}
        }
        Ok(Some(chunk))
    }
}
