//! A level's window slice by slice: what a chart of it shows. Nothing is judged by it.

use super::distribution::count;
use super::rates::{since, window};
use super::request::{is_good, ttft};
use super::slices::Slices;
use crate::measure::{LevelRecords, RequestOutcome};

/// Most slices of a window.
pub const MOST_SLICES: usize = 120;

/// How long a slice is where that makes few enough of them, seconds.
const SLICE: f64 = 1.0;

/// A window shorter than this, in seconds, has no series.
const SHORTEST: f64 = 0.1;

/// A window in equal slices, of about a second each while there are no more than
/// [`MOST_SLICES`] of them; a shorter window is a single one.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSeries {
    /// How long each slice is, seconds.
    pub slice: f64,
    /// Answer tokens that arrived, per second.
    pub output_tokens: Vec<f64>,
    /// Requests that ended well.
    pub completed: Vec<u32>,
    /// Requests that ended in an error.
    pub failed: Vec<u32>,
    /// Requests in flight, on average over the slice.
    pub in_flight: Vec<f64>,
    /// Mean TTFT of the successful requests whose first token came in the slice, seconds: from the
    /// schedule where there is one. `None` where none came.
    pub ttft: Vec<Option<f64>>,
}

/// The series of a level's window; `None` of a window too short to be cut.
pub(super) fn time_series(records: &LevelRecords) -> Option<TimeSeries> {
    let window = window(records);
    if window.length() < SHORTEST {
        return None;
    }
    let slices = Slices::of(window, slices_of(window.length()))?;
    let tokens = slices.output_tokens(records.borne()).into_iter();
    let mut completed = vec![0; slices.count()];
    let mut failed = vec![0; slices.count()];
    for request in records.borne() {
        let Some(index) = slices.at(request.ended_ns) else {
            continue;
        };
        match request.outcome {
            RequestOutcome::Success => completed[index] += 1,
            RequestOutcome::Failed { .. } => failed[index] += 1,
            RequestOutcome::CutOff => {}
        }
    }
    Some(TimeSeries {
        slice: slices.length(),
        output_tokens: tokens.map(|tokens| tokens / slices.length()).collect(),
        completed,
        failed,
        in_flight: slices.in_flight(records.borne()),
        ttft: mean_ttft(records, slices),
    })
}

/// Mean TTFT of the successful requests whose first token came in each slice.
pub(super) fn mean_ttft(records: &LevelRecords, slices: Slices) -> Vec<Option<f64>> {
    let firsts = || {
        let good = records.requests.iter().filter(|request| is_good(request));
        good.filter_map(|request| Some((*request.content_ns.first()?, ttft(request, since(records))?)))
    };
    let sums = slices.sums(firsts());
    let counts = slices.sums(firsts().map(|(at_ns, _)| (at_ns, 1.0)));
    let pairs = sums.into_iter().zip(counts);
    pairs.map(|(sum, n)| (n > 0.0).then(|| sum / n)).collect()
}

fn slices_of(window: f64) -> usize {
    (1..MOST_SLICES)
        .find(|slices| window < SLICE * (count(*slices) + 0.5))
        .unwrap_or(MOST_SLICES)
}

#[cfg(test)]
mod tests;
