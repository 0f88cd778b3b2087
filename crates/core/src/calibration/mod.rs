//! How far a level's records are from the truth, which a server that knows it wrote down.
//!
//! Both sides stamp with the same clock of the same machine, so the differences are errors and
//! nothing else. What an error is worth to a score is decided elsewhere.

use std::collections::HashMap;

use crate::measure::{LevelRecords, RequestOutcome, RequestRecord};
use crate::metrics::{Distribution, KnownErrors};
use crate::score::Percentile;

/// What a server that knows the truth wrote down. All stamps are nanoseconds of
/// `CLOCK_MONOTONIC` of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Truth {
    /// Every request that it received, whoever sent it.
    pub requests: Vec<TruthRequest>,
    /// Most requests that it had open at once, warm-up and probes included.
    pub peak_in_flight: u32,
}

/// One request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TruthRequest {
    /// The request's `x-request-id`; `at-m-LEVEL-JOB-TURN` for one that is measured.
    pub request_id: String,
    /// When its last byte was read.
    pub received_ns: u64,
    /// Right before the first content was written; `None` where none was.
    pub first_ns: Option<u64>,
    /// Right before the last content was written; `None` where none was.
    pub last_ns: Option<u64>,
    /// How many chunks of content were written, one token each.
    pub chunks: u32,
    /// Right before each of them was written; empty where the server did not keep them.
    pub chunk_ns: Vec<u64>,
    /// When the server was done with it; `None` while it is open.
    pub ended_ns: Option<u64>,
}

/// Signed errors, seconds: ours minus the server's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// How many.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// Ninety-ninth percentile.
    pub p99: f64,
    /// Smallest; below 0 where we were early.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// How far one level's records are from the truth. A figure is `None` where nothing carries it.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Requests that both sides know and that ended well.
    pub requests: usize,
    /// Time to first token by our stamps, less the time from the request's receipt to the first
    /// write; one value a request.
    pub ttft_error: Option<Errors>,
    /// Our stamp of a chunk less the server's; one value a chunk, or only the first and the last
    /// of a request where the server kept no others.
    pub chunk_lag: Option<Errors>,
    /// Error of the mean gap between chunks as a share of it.
    pub gap_error: Option<f64>,
    /// Error of the chunks that arrived in the window, as a share of those that were written in
    /// it: the error of the throughput.
    pub throughput_error: Option<f64>,
    /// Requests that were to be in flight at once.
    pub in_flight_asked: u32,
    /// Most that the server had open at once, of this level's requests.
    pub in_flight_seen: u32,
    /// Requests of ours that the server never received.
    pub not_received: usize,
    /// Requests of this level that the server received and we have no record of.
    pub not_recorded: usize,
}

impl Calibration {
    /// What trust in figures can be built on; `None` where too little ended well to tell.
    pub fn known_errors(&self) -> Option<KnownErrors> {
        let ttft = self.ttft_error?;
        Some(KnownErrors {
            ttft_error_p50: ttft.p50,
            ttft_error_p99: ttft.p99,
            gap_error_mean: self.gap_error.unwrap_or(0.0),
            throughput_error: self.throughput_error.unwrap_or(0.0),
        })
    }
}

/// Compares a level's records with the truth. `number` is the level's place in its benchmark,
/// from 0, and `clock_zero_ns` what `CLOCK_MONOTONIC` showed at the zero of our stamps.
pub fn calibrate(number: usize, level: &LevelRecords, clock_zero_ns: u64, truth: &Truth) -> Calibration {
    let prefix = format!("at-m-{number}-");
    let theirs: HashMap<(u32, u32), &TruthRequest> = truth
        .requests
        .iter()
        .filter_map(|request| Some((place(request.request_id.strip_prefix(&prefix)?)?, request)))
        .collect();
    let known = |request: &RequestRecord| theirs.get(&(request.job, request.turn)).copied();
    let pairs: Vec<Pair<'_>> = level
        .requests
        .iter()
        .filter(|request| request.outcome == RequestOutcome::Success)
        .filter_map(|ours| Some(Pair::new(ours, known(ours)?, clock_zero_ns)))
        .collect();
    let received = level.requests.iter().filter(|request| known(request).is_some());
    let received = received.count();
    Calibration {
        requests: pairs.len(),
        ttft_error: Errors::of(pairs.iter().filter_map(Pair::ttft_error).collect()),
        chunk_lag: Errors::of(pairs.iter().flat_map(Pair::lags).collect()),
        gap_error: gap_error(&pairs),
        throughput_error: throughput_error(level, clock_zero_ns, &theirs),
        in_flight_asked: level.concurrency,
        in_flight_seen: peak(theirs.values().copied()),
        not_received: level.requests.len() - received,
        not_recorded: theirs.len() - received.min(theirs.len()),
    }
}

/// The job and the turn at the end of a request's name.
fn place(name: &str) -> Option<(u32, u32)> {
    let (job, turn) = name.split_once('-')?;
    Some((job.parse().ok()?, turn.parse().ok()?))
}

/// One request from both sides.
struct Pair<'a> {
    ours: &'a RequestRecord,
    theirs: &'a TruthRequest,
    clock_zero_ns: u64,
}

impl<'a> Pair<'a> {
    fn new(ours: &'a RequestRecord, theirs: &'a TruthRequest, clock_zero_ns: u64) -> Self {
        Self {
            ours,
            theirs,
            clock_zero_ns,
        }
    }

    fn ttft_error(&self) -> Option<f64> {
        let ours = difference(*self.ours.content_ns.first()?, self.ours.sent_ns);
        let theirs = difference(self.theirs.first_ns?, self.theirs.received_ns);
        Some(ours - theirs)
    }

    fn lag(&self, ours: u64, theirs: u64) -> f64 {
        difference(ours.saturating_add(self.clock_zero_ns), theirs)
    }

    /// Chunk by chunk where both sides kept as many, else of the first and the last.
    fn lags(&self) -> Vec<f64> {
        let (ours, theirs) = (&self.ours.content_ns, &self.theirs.chunk_ns);
        if ours.len() == theirs.len() {
            let both = ours.iter().zip(theirs);
            return both.map(|(ours, theirs)| self.lag(*ours, *theirs)).collect();
        }
        let ends = [
            ours.first().copied().zip(self.theirs.first_ns),
            ours.last().copied().zip(self.theirs.last_ns),
        ];
        let ends = ends.into_iter().flatten();
        ends.map(|(ours, theirs)| self.lag(ours, theirs)).collect()
    }

    /// From the first chunk to the last: by us, by the server.
    fn spans(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.ours.content_ns.first()?, self.ours.content_ns.last()?);
        let is_whole = u32::try_from(self.ours.content_ns.len()).is_ok_and(|n| n == self.theirs.chunks);
        is_whole.then_some((
            difference(*last, *first),
            difference(self.theirs.last_ns?, self.theirs.first_ns?),
        ))
    }
}

/// As many gaps on both sides, so the spans' error is the mean gap's.
fn gap_error(pairs: &[Pair<'_>]) -> Option<f64> {
    let spans = pairs.iter().filter_map(Pair::spans);
    let (ours, theirs) = spans.fold((0.0, 0.0), |sums, spans| (sums.0 + spans.0, sums.1 + spans.1));
    (theirs > 0.0).then(|| ours / theirs - 1.0)
}

/// Chunks in the window by our stamps against those by the server's; `None` where the server
/// kept no stamp of each chunk. Requests that only one side knows count on that side.
fn throughput_error(
    level: &LevelRecords,
    clock_zero_ns: u64,
    theirs: &HashMap<(u32, u32), &TruthRequest>,
) -> Option<f64> {
    let window = level.window_start_ns..=level.window_end_ns;
    let inside = |at: &&u64| window.contains(*at);
    let ours = level.requests.iter().flat_map(|request| &request.content_ns);
    let ours = ours.filter(inside).count();
    let mut written = 0;
    for request in theirs.values() {
        let kept = u32::try_from(request.chunk_ns.len()).ok()?;
        if kept != request.chunks {
            return None;
        }
        let stamps = request.chunk_ns.iter();
        let stamps = stamps.filter_map(|at| at.checked_sub(clock_zero_ns));
        written += stamps.filter(|at| window.contains(at)).count();
    }
    let (ours, written) = (count(ours), count(written));
    (written > 0.0).then(|| ours / written - 1.0)
}

/// Most requests open at once: from receipt to end, ends before starts of the same moment.
fn peak<'a>(requests: impl Iterator<Item = &'a TruthRequest>) -> u32 {
    let mut changes: Vec<(u64, i32)> = requests
        .flat_map(|request| {
            let end = request.ended_ns.unwrap_or(u64::MAX);
            [(request.received_ns, 1), (end, -1)]
        })
        .collect();
    changes.sort_unstable();
    let open = changes.iter().scan(0_i32, |open, (_, change)| {
        *open += change;
        Some(*open)
    });
    open.max().and_then(|most| u32::try_from(most).ok()).unwrap_or(0)
}

impl Errors {
    fn of(values: Vec<f64>) -> Option<Self> {
        let values = Distribution::of(values, 0)?;
        Some(Self {
            n: values.n,
            mean: values.mean,
            p50: values.percentile(Percentile::P50),
            p99: values.percentile(Percentile::P99),
            min: values.min,
            max: values.max,
        })
    }
}

/// Seconds from one stamp to another; below 0 where the first is the later.
#[expect(clippy::cast_precision_loss, reason = "exact to 2^53 ns, 104 days")]
fn difference(later: u64, earlier: u64) -> f64 {
    if later >= earlier {
        (later - earlier) as f64 / 1e9
    } else {
        -((earlier - later) as f64) / 1e9
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
