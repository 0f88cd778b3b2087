//! Logs of pods: a part of one, all of one, and one as it grows.
//!
//! In the words of containers' logs ([`LogQuery`], [`Found`], [`Chunk`]), so that whoever shows those
//! shows these. A log of a pod is read from the cluster for each who looks: it is as long as one
//! experiment, and few look.

mod decode;
mod reading;
mod viewer;

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::time::timeout;

use self::reading::{Brought, Range, Reading};
pub use self::viewer::PodViewer;
use super::{Pod, PodError, Pods};
use crate::containers::logs::line::Printer;
use crate::containers::logs::place::Walk;
use crate::containers::logs::query::Kept;
use crate::containers::logs::ring::Chunk;
use crate::containers::{Found, Item, Line, LogQuery, Place};
use crate::kubernetes::Reach;

/// How many lines more than are wanted are asked for at first: an agent's messages are among them.
const SPARE: usize = 256;

/// How many times as many are asked for where there were not enough.
const MORE: usize = 4;

/// How long a part of a log may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Where somebody begins who follows a log.
#[derive(Debug, Clone)]
pub enum PodBeginning {
    /// With the end of what there is.
    With(LogQuery),
    /// After a place that was reached before.
    After(Place),
}

impl Pods {
    /// A part of a pod's log. One that has not begun is empty.
    ///
    /// # Errors
    /// [`PodError`].
    pub async fn find_in_log(&self, pod: &Pod, query: &LogQuery) -> Result<Found, PodError> {
        let reach = self.reach().await?;
        find(&reach, pod, query, true).await
    }

    /// A pod's log as it grows, without a line lost or given twice.
    ///
    /// # Errors
    /// [`PodError`].
    pub async fn follow_log(&self, pod: &Pod, beginning: PodBeginning) -> Result<PodViewer, PodError> {
        let reach = self.reach().await?;
        let (first, place) = match beginning {
            PodBeginning::After(place) => (None, place),
            PodBeginning::With(query) => {
                let found = find(&reach, pod, &query, false).await?;
                let lines = found.lines.into_iter().map(Item::Line).collect();
                (Some(Chunk::new(lines, found.before)), found.place)
            }
        };
        Ok(PodViewer::new(self.clone(), pod, first, place))
    }

    /// A pod's log as it is now, in parts of a bounded size; with the time before each line where
    /// `is_stamped`. What breaks it off is its last item.
    ///
    /// # Errors
    /// [`PodError`] of the beginning.
    pub async fn whole_log(
        &self,
        pod: &Pod,
        query: &LogQuery,
        is_stamped: bool,
    ) -> Result<impl Stream<Item = Result<Bytes, PodError>> + Send + 'static, PodError> {
        let reach = self.reach().await?;
        let copy = Copy {
            reading: Reading::open(&reach, pod, range_of(query)).await?,
            printer: Printer::default(),
            query: query.clone(),
            is_stamped,
        };
        Ok(stream::unfold(copy, |mut copy| async move {
            let part = copy.next().await?;
            Some((part, copy))
        }))
    }

    pub(super) async fn way(&self) -> Result<Reach, PodError> {
        self.reach().await
    }
}

fn range_of(query: &LogQuery) -> Range {
    Range {
        since: query.since,
        ..Range::default()
    }
}

/// Whether a line is of the time that is asked for: a cluster knows whole seconds, and no end.
fn is_of_time(line: &Line, query: &LogQuery) -> bool {
    query.since.is_none_or(|since| line.stamp >= since) && query.until.is_none_or(|until| line.stamp <= until)
}

/// Finds what is asked for. A last line without an end is left for whoever goes on, unless it is
/// wanted as it is.
async fn find(reach: &Reach, pod: &Pod, query: &LogQuery, as_it_is: bool) -> Result<Found, PodError> {
    match timeout(LONGEST, find_in(reach, pod, query, as_it_is)).await {
        Ok(found) => found,
        Err(_) => Err(PodError::Invalid {
            message: format!(
                "the log is too long to be read within {} s: ask for a part of it (tail, since, until), or \
                 download it",
                LONGEST.as_secs()
            ),
        }),
    }
}

async fn find_in(reach: &Reach, pod: &Pod, query: &LogQuery, as_it_is: bool) -> Result<Found, PodError> {
    let is_plain = query.since.is_none() && query.until.is_none() && query.search.is_none();
    let mut raw_lines = is_plain.then(|| query.tail.saturating_add(SPARE));
    loop {
        let range = Range {
            raw_lines,
            ..range_of(query)
        };
        let Some(reading) = Reading::open(reach, pod, range).await? else {
            return Ok(Found::default());
        };
        let (mut found, came) = through(reading, query, as_it_is).await?;
        let is_whole = raw_lines.is_none_or(|asked| came < asked);
        // The first line of a part may lack its beginning; here it is among those that are not kept.
        let is_enough = found.is_cut || found.matching > query.tail as u64;
        if is_whole || is_enough {
            found.is_cut |= !is_whole;
            return Ok(found);
        }
        raw_lines = raw_lines.map(|lines| lines.saturating_mul(MORE));
    }
}

/// Reads all of it and keeps the last of what is asked for. With it, how many lines came, an agent's
/// messages among them.
async fn through(mut reading: Reading, query: &LogQuery, as_it_is: bool) -> Result<(Found, usize), PodError> {
    let mut kept = Kept::default();
    let mut found = Found::default();
    let mut walk = Walk::default();
    let mut first = None;
    let mut is_over = false;
    while !is_over {
        let lines = match reading.next().await? {
            Brought::Lines(lines) => lines,
            Brought::End if as_it_is => {
                is_over = true;
                reading.finish()
            }
            Brought::End => break,
        };
        if let (None, Some(line)) = (first, lines.first()) {
            first = Some(line.stamp);
            kept.before.not_before(line.stamp);
        }
        for line in &lines {
            walk.step(line.stream, line.stamp);
        }
        let lines = lines.into_iter().filter(|line| is_of_time(line, query)).collect();
        kept.take(lines, query, &mut found);
        // An expression may take long, and others want to go on, too.
        tokio::task::yield_now().await;
    }
    found.place = walk.known();
    // What came before the part that was read is left out on purpose.
    if let Some(first) = first.or(query.since) {
        found.place.not_before(first);
    }
    found.before = kept.before;
    found.is_cut = kept.has_dropped;
    found.lines = kept.lines.into();
    Ok((found, reading.raw_lines()))
}

/// A log on its way into a file.
struct Copy {
    reading: Option<Reading>,
    printer: Printer,
    query: LogQuery,
    is_stamped: bool,
}

impl Copy {
    async fn next(&mut self) -> Option<Result<Bytes, PodError>> {
        loop {
            let reading = self.reading.as_mut()?;
            let lines = match reading.next().await {
                Ok(Brought::Lines(lines)) => lines,
                Ok(Brought::End) => {
                    let last = reading.finish();
                    self.reading = None;
                    last
                }
                Err(error) => {
                    self.reading = None;
                    return Some(Err(error));
                }
            };
            let mut bytes = Vec::new();
            let is_wanted = |line: &&Line| {
                is_of_time(line, &self.query) && self.query.stream.is_none_or(|stream| stream == line.stream)
            };
            for line in lines.iter().filter(is_wanted) {
                self.printer.print(line, self.is_stamped, &mut bytes);
            }
            if !bytes.is_empty() {
                return Some(Ok(bytes.into()));
            }
        }
    }
}
