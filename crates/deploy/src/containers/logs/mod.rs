//! Logs of containers: followed without losing a line, searched, and given away whole.
//!
//! The idea: a follower of the daemon is told "that was all" with lines missing, and a daemon is
//! restarted in the middle, so what a stream brings is never trusted to be all of it. Each line
//! has a place in the log ([`Place`]); whoever stands at one can always ask for what comes after.

mod channel;
mod frame;
mod life;
pub(crate) mod line;
mod pause;
pub(crate) mod place;
pub(crate) mod query;
mod raw;
mod reading;
pub(crate) mod ring;
mod upstream;
mod viewer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio_util::task::AbortOnDropHandle;

use self::channel::{Channel, Seat};
use self::life::Seen;
use self::line::Printer;
use self::query::LastLine;
use self::reading::{Batch, End, Range, Reading, Source};
use self::ring::Item as Entries;
use self::upstream::Upstream;
use super::{Container, ContainerError, ContainerId, Containers};

pub use self::line::Line;
pub use self::place::{NoPlace, Place};
pub use self::query::{Found, LogQuery};
pub use self::ring::{Chunk, FORMS, Item, Life};
pub use self::viewer::Viewer;
pub use crate::docker::piece::Stream as LogStream;

/// Where somebody begins who follows a log.
#[derive(Debug, Clone)]
pub enum Beginning {
    /// With the end of what there is.
    With(LogQuery),
    /// After a place that was reached before.
    After(Place),
}

/// The logs that are followed at the moment.
#[derive(Default)]
pub(super) struct Followed {
    channels: Mutex<HashMap<ContainerId, Flow>>,
}

impl Followed {
    fn channels(&self) -> MutexGuard<'_, HashMap<ContainerId, Flow>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A channel, and what fills it.
struct Flow {
    channel: Arc<Channel>,
    _reading: AbortOnDropHandle<()>,
}

impl Containers {
    async fn source(&self, container: &Container) -> Result<Source, ContainerError> {
        Ok(Source {
            daemon: self.shared.reach.daemon().await?,
            id: container.id.clone(),
            has_terminal: container.has_terminal,
        })
    }

    /// A part of a container's log.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn find_in_log(
        &self,
        container: &Container,
        query: &LogQuery,
    ) -> Result<Found, ContainerError> {
        let source = self.source(container).await?;
        query::find(&source, query, LastLine::AsItIs).await
    }

    /// A container's log as it grows, without a line lost or given twice. It is read from the
    /// daemon once, for however many follow it.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn follow_log(
        &self,
        container: &Container,
        beginning: Beginning,
    ) -> Result<Viewer, ContainerError> {
        let source = self.source(container).await?;
        let seat = self.seat(&source, container).await?;
        let (first, place) = match beginning {
            Beginning::After(place) => (None, place),
            Beginning::With(query) => {
                let found = query::find(&source, &query, LastLine::WhenWhole).await?;
                let lines = found.lines.into_iter().map(Entries::Line).collect();
                (Some(Chunk::new(lines, found.before)), found.place)
            }
        };
        let viewer = Viewer::new(Arc::clone(&self.shared), source, seat, place);
        let viewer = match first {
            Some(first) => viewer.beginning_with(first),
            None => viewer,
        };
        Ok(match Seen::of(container).is_alive {
            true => viewer.alive_since(container.started_at.clone()),
            false => viewer,
        })
    }

    /// A seat at the container's channel, which is opened at the end of its log where there is
    /// none.
    async fn seat(&self, source: &Source, container: &Container) -> Result<Seat, ContainerError> {
        if let Some(seat) = self.seat_there(&source.id) {
            return Ok(seat);
        }
        let end = query::find(source, &LogQuery::default(), LastLine::WhenWhole).await?;
        Ok(self.seat_here(source, Seen::of(container), &end))
    }

    fn seat_there(&self, id: &ContainerId) -> Option<Seat> {
        let mut channels = self.shared.followed.channels();
        channels.retain(|_, flow| !flow.channel.has_ended());
        Seat::take(Arc::clone(&channels.get(id)?.channel))
    }

    /// The same at a channel that begins here, unless somebody was quicker.
    fn seat_here(&self, source: &Source, seen: Seen, end: &Found) -> Seat {
        let mut channels = self.shared.followed.channels();
        if let Some(flow) = channels.get(&source.id)
            && let Some(seat) = Seat::take(Arc::clone(&flow.channel))
        {
            return seat;
        }
        let channel = Arc::new(Channel::new(end.place));
        let seat = Seat::take(Arc::clone(&channel)).expect("a new channel has not ended");
        let upstream = Upstream::new(
            Arc::clone(&self.shared),
            Arc::clone(&channel),
            source.clone(),
            seen,
            end.held_since,
        );
        let flow = Flow {
            channel,
            _reading: AbortOnDropHandle::new(tokio::spawn(upstream.run())),
        };
        channels.insert(source.id.clone(), flow);
        seat
    }

    /// A container's log as it is now, byte by byte, in parts of a bounded size; with the time
    /// before each line where `is_stamped`. What breaks it off is its last item.
    ///
    /// # Errors
    /// [`ContainerError`] of the beginning.
    pub async fn whole_log(
        &self,
        container: &Container,
        query: &LogQuery,
        is_stamped: bool,
    ) -> Result<impl Stream<Item = Result<Bytes, ContainerError>> + Send + 'static, ContainerError> {
        let range = Range {
            since: query.since,
            until: query.until,
            ..Range::default()
        };
        let reading = self
            .source(container)
            .await?
            .read(range.only(query.stream))
            .await?;
        let copy = Copy {
            reading: Some(reading),
            printer: Printer::default(),
            is_stamped,
        };
        Ok(stream::unfold(copy, |mut copy| async move {
            let part = copy.next().await?;
            Some((part, copy))
        }))
    }
}

/// A log on its way into a file.
struct Copy {
    reading: Option<Reading>,
    printer: Printer,
    is_stamped: bool,
}

impl Copy {
    async fn next(&mut self) -> Option<Result<Bytes, ContainerError>> {
        loop {
            let batch = self.reading.as_mut()?.next().await;
            let lines = match batch {
                Batch::Lines(lines) | Batch::WentBack(lines) => lines,
                Batch::End(End::Clean) => self.reading.take()?.finish(),
                Batch::End(End::Broken(reason)) => {
                    self.reading = None;
                    return Some(Err(ContainerError::Unreachable { reason }));
                }
                Batch::End(End::Daemon(message)) => {
                    self.reading = None;
                    return Some(Err(ContainerError::Refused { status: 200, message }));
                }
            };
            let mut bytes = Vec::new();
            for line in &lines {
                self.printer.print(line, self.is_stamped, &mut bytes);
            }
            if !bytes.is_empty() {
                return Some(Ok(bytes.into()));
            }
        }
    }
}
