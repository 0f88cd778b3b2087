//! One level: one scenario under one load.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::confidence::{Confidence, confidence};
use super::crosscheck::seen_beside;
use super::distribution::{Distribution, GapDistribution, count};
use super::rates::{Rates, rates, window};
use super::request::{self, Since};
use super::series::{TimeSeries, time_series};
use super::steadiness::{Steadiness, steadiness};
use super::trust::{KnownErrors, Trust, trust};
use crate::measure::{
    EngineFigures, LevelRecords, RequestError, RequestOutcome, RequestRecord, Schedule, TokenSource,
};
use crate::score::{Objective, Slo};

/// What one level's records add up to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LevelMetrics {
    /// The scenario, as the user writes it.
    pub scenario: String,
    /// Requests in flight at once: asked for in a closed loop, the most there were in an open one.
    pub concurrency: u32,
    /// What the schedule asked for; `None` in a closed loop.
    pub schedule: Option<Schedule>,
    /// Length of the window, seconds.
    pub window: f64,
    /// How requests ended.
    pub counts: Counts,
    /// Time to first token since sending, seconds.
    pub ttft: Option<Distribution>,
    /// The same since the schedule wanted the request; `None` in a closed loop.
    pub ttft_from_schedule: Option<Distribution>,
    /// Time per output token after the first, seconds.
    pub tpot: Option<Distribution>,
    /// End-to-end latency since sending, seconds.
    pub latency: Option<Distribution>,
    /// The same since the schedule wanted the request; `None` in a closed loop.
    pub latency_from_schedule: Option<Distribution>,
    /// A request's longest gap between chunks, seconds.
    pub stall: Option<Distribution>,
    /// Gaps between chunks, pooled, seconds.
    pub gaps: Option<GapDistribution>,
    /// The same weighted by tokens, the further tokens of a chunk coming without a gap; only where
    /// the server counts in each chunk and some carried several.
    pub token_gaps: Option<GapDistribution>,
    /// Tokens in a chunk, on average, where the server counts in each.
    pub chunk_tokens: Option<f64>,
    /// Time to the first text that was not reasoning, since sending, seconds.
    pub first_visible: Option<GapDistribution>,
    /// End-to-end latency by all tokens, seconds.
    pub ntpot: Option<GapDistribution>,
    /// How much later than the schedule wanted requests were sent, whatever came of them, seconds;
    /// `None` in a closed loop.
    pub schedule_lag: Option<GapDistribution>,
    /// Prompt tokens of successful requests.
    pub input_tokens: Option<Distribution>,
    /// Answer tokens of successful requests.
    pub output_tokens: Option<Distribution>,
    /// Who counted the answer tokens; the weakest source of any request.
    pub token_source: Option<TokenSource>,
    /// Rates over the window.
    pub rates: Rates,
    /// The window slice by slice.
    pub series: Option<TimeSeries>,
    /// Whether the level ran evenly; `None` where that cannot be told.
    pub steadiness: Option<Steadiness>,
    /// How sure the figures are; `None` where that cannot be told.
    pub confidence: Option<Confidence>,
    /// What the load generator itself has to do with the figures. A result that was put away by an
    /// earlier version has none.
    pub trust: Option<Trust>,
    /// What the engine's own metrics say of the same time, where it publishes any.
    pub engine: Option<EngineFigures>,
    /// What was measured of that time, in the engine's terms: what was under way when the window
    /// opened is in it. `None` where the engine says nothing, and in results of earlier versions.
    pub seen: Option<EngineFigures>,
}

/// How a level's requests ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Started in the window.
    pub started: u32,
    /// Ended well.
    pub succeeded: u32,
    /// Ended in an error.
    pub failed: u32,
    /// Still open when the level ended for good.
    pub cut_off: u32,
    /// Errors by class.
    pub errors: BTreeMap<RequestError, u32>,
}

/// What a level is summed up for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms<'a> {
    /// They decide goodput; without any, every success is good.
    pub slos: &'a [Slo],
    /// What will be scored: the load generator must not be in the way of that. Without one, of
    /// none of the objectives.
    pub objective: Option<Objective>,
    /// What the load generator's errors were against a server that knows the truth.
    pub calibration: Option<&'a KnownErrors>,
}

/// Sums up one level. `slos` decide goodput; without any, every success is good.
pub fn level_metrics(records: &LevelRecords, slos: &[Slo]) -> LevelMetrics {
    level_metrics_for(
        records,
        &Terms {
            slos,
            ..Terms::default()
        },
    )
}

/// Sums up one level, on these terms.
pub fn level_metrics_for(records: &LevelRecords, terms: &Terms<'_>) -> LevelMetrics {
    let counts = counts(&records.requests);
    let failures = (counts.failed + counts.cut_off) as usize;
    let requests = records.requests.iter();
    let good: Vec<&RequestRecord> = requests.filter(|request| request::is_good(request)).collect();
    let of = |metric: &dyn Fn(&RequestRecord) -> Option<f64>| {
        let values = good.iter().filter_map(|request| metric(request));
        Distribution::of(values.collect(), failures)
    };
    let brief = |metric: &dyn Fn(&RequestRecord) -> Option<f64>| {
        GapDistribution::exact(good.iter().filter_map(|request| metric(request)).collect())
    };
    let is_open_loop = records.schedule.is_some();
    let from_schedule = |metric: fn(&RequestRecord, Since) -> Option<f64>| {
        is_open_loop.then(|| of(&|request| metric(request, Since::Intended)))?
    };
    let lags = || records.requests.iter().map(request::schedule_lag).collect();
    let mut metrics = LevelMetrics {
        scenario: records.scenario.clone(),
        concurrency: records.concurrency,
        schedule: records.schedule.clone(),
        window: window(records).length(),
        ttft: of(&|request| request::ttft(request, Since::Sent)),
        ttft_from_schedule: from_schedule(request::ttft),
        tpot: of(&request::tpot),
        latency: of(&|request| request::latency(request, Since::Sent)),
        latency_from_schedule: from_schedule(request::latency),
        stall: of(&request::longest_gap),
        gaps: pooled(
            good.iter()
                .flat_map(|request| request::gaps(request))
                .map(|gap| (gap, 1)),
        ),
        token_gaps: token_gaps(&good),
        chunk_tokens: chunk_tokens(&good),
        first_visible: brief(&|request| request::first_visible(request, Since::Sent)),
        ntpot: brief(&request::ntpot),
        schedule_lag: is_open_loop.then(|| GapDistribution::exact(lags())).flatten(),
        input_tokens: of(&|request| Some(f64::from(request.input_tokens.count))),
        output_tokens: of(&|request| Some(f64::from(request.output_tokens.count))),
        token_source: good.iter().map(|request| request.output_tokens.source).max(),
        rates: rates(records, terms.slos),
        series: time_series(records),
        steadiness: steadiness(records),
        confidence: confidence(records, terms.slos),
        trust: None,
        engine: records.engine,
        seen: records.engine.map(|said| seen_beside(records, &said)),
        counts,
    };
    metrics.trust = Some(trust(&metrics, records, terms));
    metrics
}

impl LevelMetrics {
    /// The time to first token that counts: from the schedule where there is one.
    pub fn scored_ttft(&self) -> Option<&Distribution> {
        self.ttft_from_schedule.as_ref().or(self.ttft.as_ref())
    }

    /// The end-to-end latency that counts: from the schedule where there is one.
    pub fn scored_latency(&self) -> Option<&Distribution> {
        self.latency_from_schedule.as_ref().or(self.latency.as_ref())
    }

    /// For people: `D(100,128) at concurrency 8`, `D(100,128), poisson at 10/s`.
    pub fn label(&self) -> String {
        match &self.schedule {
            Some(schedule) => format!("{}, {}", self.scenario, schedule.label),
            None => format!("{} at concurrency {}", self.scenario, self.concurrency),
        }
    }
}

fn counts(requests: &[RequestRecord]) -> Counts {
    let mut counts = Counts::default();
    for request in requests {
        counts.started += 1;
        match &request.outcome {
            RequestOutcome::Success => counts.succeeded += 1,
            RequestOutcome::CutOff => counts.cut_off += 1,
            RequestOutcome::Failed { error, .. } => {
                counts.failed += 1;
                *counts.errors.entry(*error).or_default() += 1;
            }
        }
    }
    counts
}

/// Longest gap that the histogram tells apart: an hour.
const LONGEST_GAP_NS: u64 = 3_600_000_000_000;

/// Gaps in nanoseconds, each with how often it occurs.
fn pooled(gaps: impl Iterator<Item = (u64, u64)>) -> Option<GapDistribution> {
    let mut histogram =
        Histogram::new_with_bounds(1_000, LONGEST_GAP_NS, 3).expect("the bounds are constants that fit");
    for (gap, times) in gaps {
        histogram.saturating_record_n(gap, times);
    }
    GapDistribution::of(&histogram)
}

fn token_gaps(good: &[&RequestRecord]) -> Option<GapDistribution> {
    let mut chunks = good
        .iter()
        .filter_map(|request| request::counted_chunks(request))
        .flatten();
    chunks.any(|tokens| *tokens > 1).then(|| {
        let gaps = good.iter().flat_map(|request| request::token_gaps(request));
        pooled(gaps)
    })?
}

fn chunk_tokens(good: &[&RequestRecord]) -> Option<f64> {
    let chunks = || {
        good.iter()
            .filter_map(|request| request::counted_chunks(request))
            .flatten()
    };
    let n = chunks().count();
    (n > 0).then(|| chunks().map(|tokens| f64::from(*tokens)).sum::<f64>() / count(n))
}

#[cfg(test)]
mod tests;
