//! How sure a level's figures are: 95 % intervals, from the level's own ups and downs.
//!
//! They tell what the same engine, once started, would show in another such window. That another
//! start of it may differ is no part of them.

use super::distribution::{Distribution, count};
use super::rates::{loaded, meets_all, since, window};
use super::request::{Since, is_good, latency, tpot, ttft};
use super::resample::{Draws, Interval, Ranked};
use super::slices::Slices;
use crate::measure::{LevelRecords, RequestRecord};
use crate::score::{Percentile, Slo};

/// Most blocks of time.
const MOST_BLOCKS: usize = 50;

/// Fewest blocks of time: fewer cannot tell how they vary.
const FEWEST_BLOCKS: usize = 5;

/// Fewest requests in a block, on average.
const FEWEST_IN_BLOCK: usize = 4;

/// 95 % intervals of a level's figures. One is `None` where the figure itself does not exist or
/// rests on too few requests.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Confidence {
    /// Blocks of time that they rest on. From fewer than 20 they are wide on purpose.
    pub blocks: u32,
    /// Mean TTFT, seconds: from the schedule where there is one.
    pub ttft: Option<Interval>,
    /// Mean TPOT, seconds.
    pub tpot: Option<Interval>,
    /// Mean end-to-end latency, seconds: from the schedule where there is one.
    pub latency: Option<Interval>,
    /// Percentiles of that TTFT.
    pub ttft_percentiles: PercentileIntervals,
    /// Percentiles of that latency.
    pub latency_percentiles: PercentileIntervals,
    /// Answer tokens per second.
    pub output_tokens: Option<Interval>,
    /// Prompt and answer tokens per second.
    pub total_tokens: Option<Interval>,
    /// Requests per second that ended well.
    pub requests: Option<Interval>,
    /// Requests per second that ended well and met every SLO.
    pub goodput: Option<Interval>,
}

/// Intervals of a metric's percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PercentileIntervals {
    /// Of the median.
    pub p50: Option<Interval>,
    /// Of the ninetieth.
    pub p90: Option<Interval>,
    /// Of the ninety-ninth.
    pub p99: Option<Interval>,
}

/// The intervals of a level's figures; `None` of one that lasted for fewer than five requests
/// one after the other, or has too few of them.
pub(super) fn confidence(records: &LevelRecords, slos: &[Slo]) -> Option<Confidence> {
    let good: Vec<&RequestRecord> = records
        .requests
        .iter()
        .filter(|request| is_good(request))
        .collect();
    let blocks = blocks(records, &good)?;
    let draws = Draws::of(blocks, good.len())?;
    let slices = Slices::of(loaded(records), draws.slices())?;
    let whole = Slices::of(window(records), draws.slices())?;
    let since = since(records);
    let metric = |of: &dyn Fn(&RequestRecord) -> Option<f64>| Metric::of(&good, slices, of);
    let ttfts = metric(&|request| ttft(request, since));
    let latencies = metric(&|request| latency(request, since));
    let tpots = metric(&tpot);
    let output = slices.output_tokens(records.borne());
    let input = slices.input_tokens(records.borne());
    let total: Vec<f64> = output
        .iter()
        .zip(input)
        .map(|(output, input)| output + input)
        .collect();
    let met = |request: &&RequestRecord| meets_all(request, slos, since);
    let ended = |request: &RequestRecord| (request.ended_ns, 1.0);
    let all = || records.borne().filter(|request| is_good(request));
    let per_second = |slices: Slices, amounts: &[f64]| {
        let lengths = vec![slices.length(); slices.count()];
        draws.of_ratio(amounts, &lengths)
    };
    Some(Confidence {
        blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
        ttft: ttfts.mean(&draws),
        tpot: tpots.mean(&draws),
        latency: latencies.mean(&draws),
        ttft_percentiles: ttfts.percentiles(&draws),
        latency_percentiles: latencies.percentiles(&draws),
        output_tokens: per_second(slices, &output),
        total_tokens: per_second(slices, &total),
        requests: per_second(whole, &whole.sums(all().map(ended))),
        goodput: per_second(whole, &whole.sums(all().filter(met).map(ended))),
    })
}

/// As many blocks as last at least as long as a request and hold some requests each: what
/// happens in one is then news after what happened in the one before.
fn blocks(records: &LevelRecords, good: &[&RequestRecord]) -> Option<usize> {
    let sum: f64 = good
        .iter()
        .filter_map(|request| latency(request, Since::Sent))
        .sum();
    let mean = sum / count(good.len().max(1));
    let by_requests = (good.len() / FEWEST_IN_BLOCK).min(MOST_BLOCKS);
    let loaded = loaded(records).length();
    let fitting = |blocks: &usize| count(*blocks) * mean <= loaded;
    (FEWEST_BLOCKS..=by_requests).rev().find(fitting)
}

/// A metric of requests, each with the slice in which its request was sent.
struct Metric {
    values: Vec<(f64, usize)>,
    slices: usize,
}

impl Metric {
    fn of(good: &[&RequestRecord], slices: Slices, of: &dyn Fn(&RequestRecord) -> Option<f64>) -> Self {
        let placed = |request: &&RequestRecord| Some((of(request)?, slices.nearest(request.sent_ns)));
        Self {
            values: good.iter().filter_map(placed).collect(),
            slices: slices.count(),
        }
    }

    fn mean(&self, draws: &Draws) -> Option<Interval> {
        let mut sums = vec![0.0; self.slices];
        let mut counts = vec![0.0; self.slices];
        for (value, slice) in &self.values {
            sums[*slice] += value;
            counts[*slice] += 1.0;
        }
        draws.of_ratio(&sums, &counts)
    }

    fn percentiles(self, draws: &Draws) -> PercentileIntervals {
        let n = self.values.len();
        let ranked = Ranked::of(self.values, self.slices);
        let of = |percentile: Percentile| {
            let is_carried = n >= Distribution::fewest(percentile);
            is_carried.then(|| draws.of_percentile(&ranked, percentile.fraction()))?
        };
        PercentileIntervals {
            p50: of(Percentile::P50),
            p90: of(Percentile::P90),
            p99: of(Percentile::P99),
        }
    }
}

#[cfg(test)]
mod tests;
