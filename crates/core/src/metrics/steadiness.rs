//! Whether a level ran as it would have gone on running, or was still on its way somewhere.
//!
//! The one idea: a drift is told only where it is both large and certain. Its size is the
//! Theil–Sen slope, the median over all pairs of slices, and its certainty the Mann–Kendall
//! test, which counts in how many pairs the later is the greater. Both look at order and not at
//! squares: the one slice in which an engine stood still, and the long tail of a time to first
//! token, would carry a least-squares line away.

use super::distribution::count;
use super::rates::loaded;
use super::request::{Since, is_good, latency};
use super::series::mean_ttft;
use super::slices::Slices;
use crate::measure::LevelRecords;

/// The largest drift over the window that is called steady.
const TOLERATED_DRIFT: f64 = 0.05;

/// From how many standard deviations of chance a drift is certain: one in a thousand of steady
/// series is as much in order.
const CERTAIN: f64 = 3.3;

/// Fewest slices: with fewer, even perfect order comes about by chance too often.
const FEWEST_SLICES: usize = 8;

/// Most slices.
const MOST_SLICES: usize = 20;

/// Fewest first tokens in a slice, on average.
const FEWEST_IN_SLICE: usize = 4;

/// How a level's throughput and TTFT moved while its load lasted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steadiness {
    /// Whether neither has moved by more than a twentieth, as far as that can be told from noise.
    pub is_steady: bool,
    /// By which ratio throughput has changed from the beginning to the end: 0.2 is a fifth more.
    pub throughput_drift: f64,
    /// The same of the mean TTFT; `None` where some slice saw no first token.
    pub ttft_drift: Option<f64>,
    /// Slices that were looked at.
    pub slices: u32,
}

/// How a level moved; `None` of one that is too short, or has too few requests, to tell.
pub(super) fn steadiness(records: &LevelRecords) -> Option<Steadiness> {
    let slices = Slices::of(loaded(records), slices_of(records)?)?;
    let mut throughput = slices.output_tokens(records.borne());
    if throughput.iter().all(|tokens| *tokens == 0.0) {
        throughput = slices.input_tokens(records.borne());
    }
    let throughput = Drift::of(&throughput)?;
    let ttft: Option<Vec<f64>> = mean_ttft(records, slices).into_iter().collect();
    let ttft = ttft.and_then(|ttft| Drift::of(&ttft));
    Some(Steadiness {
        is_steady: throughput.is_none_worth_telling() && ttft.is_none_or(Drift::is_none_worth_telling),
        throughput_drift: throughput.ratio,
        ttft_drift: ttft.map(|drift| drift.ratio),
        slices: u32::try_from(slices.count()).unwrap_or(u32::MAX),
    })
}

/// As many slices as hold some first tokens each, and last at least as long as a request: slices
/// shorter than that are no news after their neighbours.
fn slices_of(records: &LevelRecords) -> Option<usize> {
    let loaded = loaded(records);
    let latencies = || {
        let good = records.requests.iter().filter(|request| is_good(request));
        good.filter_map(|request| latency(request, Since::Sent))
    };
    let requests = latencies().count();
    let mean = latencies().sum::<f64>() / count(requests.max(1));
    let by_requests = (requests / FEWEST_IN_SLICE).min(MOST_SLICES);
    let fitting = |slices: &usize| count(*slices) * mean <= loaded.length();
    (FEWEST_SLICES..=by_requests).rev().find(fitting)
}

/// A series' movement.
#[derive(Debug, Clone, Copy)]
struct Drift {
    /// From one end to the other, as a ratio of the mean.
    ratio: f64,
    /// How far from chance its order is, standard deviations.
    certainty: f64,
}

impl Drift {
    /// `None` of a series whose mean is 0.
    fn of(series: &[f64]) -> Option<Self> {
        let n = count(series.len());
        let mean = series.iter().sum::<f64>() / n;
        let pairs = || {
            let of = |(index, earlier): (usize, &f64)| {
                let earlier = *earlier;
                let later = series[index + 1..].iter().enumerate();
                later.map(move |(further, later)| (count(further + 1), later - earlier))
            };
            series.iter().enumerate().flat_map(of)
        };
        let mut slopes: Vec<f64> = pairs().map(|(apart, more)| more / apart).collect();
        slopes.sort_by(f64::total_cmp);
        let slope = (slopes.get(slopes.len().saturating_sub(1) / 2)? + slopes.get(slopes.len() / 2)?) / 2.0;
        let order: f64 = pairs().map(|(_, more)| sign(more)).sum();
        // Of a series without order: zero on average, and this far off.
        let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        (mean > 0.0).then(|| Self {
            ratio: slope * n / mean,
            certainty: (order.abs() - 1.0).max(0.0) / deviation,
        })
    }

    fn is_none_worth_telling(self) -> bool {
        self.ratio.abs() <= TOLERATED_DRIFT || self.certainty < CERTAIN
    }
}

fn sign(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number.signum() }
}

#[cfg(test)]
mod tests;
