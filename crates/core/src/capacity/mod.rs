//! What one look at a load has shown: whether the bounds hold, and whether the server keeps up.
//!
//! The one idea: a load that a server does not keep up with is none that it bears, even where the
//! window was too short for the bounds to notice. By a clock, it falls behind where waiting grows
//! from request to request; in a closed loop, where more in flight only wait longer.
//!
//! Which load is looked at next is `workload::knee`'s to say.

mod behind;
#[cfg(test)]
mod tests;

pub use behind::Behind;

use crate::measure::LevelRecords;
use crate::metrics::{LevelMetrics, Terms, level_metrics_for};
use crate::score::{Objective, Slo, SloMetric, Statistic};
use crate::workload::knee::LookVerdict;

/// Largest share of a look's requests that may fail before that alone is a miss.
pub const TOLERATED_FAILURES: f64 = 0.1;

/// Largest share of asked starts that may be missing where the load generator was the limit.
const TOLERATED_SHORTFALL: f64 = 0.05;

/// What one look at a load has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The load: requests in flight, or requests a second.
    pub load: f64,
    /// Every bound, in the order in which they were given.
    pub bounds: Vec<BoundSeen>,
    /// Requests that were started.
    pub started: u32,
    /// Those of them that failed or were cut off.
    pub lost: u32,
    /// Why the server does not keep up; `None` where it does.
    pub behind: Option<Behind>,
    /// Why the load generator was the limit, in sentences; none where it was not.
    pub client_limits: Vec<String>,
    /// Whether so few requests were started by the load generator's doing that this is no look
    /// at the load that was asked for.
    pub is_short: bool,
    /// Tokens a second, prompts and answers together.
    pub throughput: f64,
    /// Mean latency, seconds; `None` where no request succeeded.
    pub latency: Option<f64>,
}

/// One bound and what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundSeen {
    /// What is bounded.
    pub metric: SloMetric,
    /// The largest value that meets the bound, seconds.
    pub threshold: f64,
    /// What was measured, seconds: infinite where requests that did not succeed decide it;
    /// `None` where no request has it.
    pub actual: Option<f64>,
    /// Whether too few requests carry the percentile.
    pub is_low_n: bool,
}

impl BoundSeen {
    /// Whether it holds.
    pub fn is_met(&self) -> bool {
        self.actual.is_some_and(|actual| actual <= self.threshold)
    }
}

impl Look {
    /// What came of it; `None` where the load generator was the limit, so that a miss would say
    /// nothing of the server.
    pub fn verdict(&self) -> Option<LookVerdict> {
        let is_limited = !self.client_limits.is_empty();
        let is_met = self.bounds.iter().all(BoundSeen::is_met) && !self.has_lost_many();
        match (is_limited, is_met, &self.behind) {
            (true, true, None) if !self.is_short => Some(LookVerdict::Meets),
            (true, ..) => None,
            (false, _, Some(_)) => Some(LookVerdict::OverSaturated),
            (false, true, None) => Some(LookVerdict::Meets),
            (false, false, None) => Some(LookVerdict::Misses),
        }
    }

    /// Whether so many requests failed that this alone is a miss.
    pub fn has_lost_many(&self) -> bool {
        f64::from(self.lost) > TOLERATED_FAILURES * f64::from(self.started)
    }
}

/// Sums up a level for a search with these bounds: the load generator must not be in the way of
/// what they look at.
pub fn measured(records: &LevelRecords, slos: &[Slo]) -> LevelMetrics {
    let of = |slo: &Slo| match slo.metric {
        SloMetric::Latency(_) => Objective::MinimizeLatency,
        SloMetric::Ttft(_) => Objective::MinimizeTtft,
        SloMetric::Tpot(_) => Objective::MinimizeTpot,
    };
    let first = slos.first().map(of);
    let terms = Terms {
        slos,
        // Where they look at several metrics, it must not be in the way of any.
        objective: first.filter(|first| slos.iter().all(|slo| of(slo) == *first)),
        calibration: None,
    };
    level_metrics_for(records, &terms)
}

/// What a level at this load has shown, after these looks at others.
pub fn look(load: f64, records: &LevelRecords, level: &LevelMetrics, slos: &[Slo], before: &[Look]) -> Look {
    let trust = level.trust.as_ref();
    let rates = trust.and_then(|trust| trust.asked_rate.zip(trust.achieved_rate));
    let mut look = Look {
        load,
        bounds: slos.iter().map(|slo| seen(slo, level)).collect(),
        started: level.counts.started,
        lost: level.counts.failed + level.counts.cut_off,
        behind: None,
        client_limits: trust.map(|trust| trust.reasons.clone()).unwrap_or_default(),
        is_short: rates.is_some_and(|(asked, achieved)| achieved < asked * (1.0 - TOLERATED_SHORTFALL)),
        throughput: level.rates.total_tokens,
        latency: level.scored_latency().map(|latency| latency.mean),
    };
    look.behind = match &level.schedule {
        Some(schedule) => behind::by_clock(records, schedule),
        None => behind::in_closed_loop(&look, before),
    };
    look
}

/// Requests that did not succeed count as infinitely slow in a percentile.
fn seen(slo: &Slo, level: &LevelMetrics) -> BoundSeen {
    let (distribution, statistic) = match slo.metric {
        SloMetric::Latency(percentile) => (level.scored_latency(), Statistic::At(percentile)),
        SloMetric::Ttft(statistic) => (level.scored_ttft(), statistic),
        SloMetric::Tpot(statistic) => (level.tpot.as_ref(), statistic),
    };
    BoundSeen {
        metric: slo.metric,
        threshold: slo.threshold,
        actual: distribution.map(|distribution| match statistic {
            Statistic::Mean => distribution.mean,
            Statistic::At(percentile) => distribution.percentile_with_failures(percentile),
        }),
        is_low_n: match statistic {
            Statistic::Mean => false,
            Statistic::At(percentile) => distribution.is_none_or(|it| it.is_low_n(percentile)),
        },
    }
}
