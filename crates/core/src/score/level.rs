//! What one level shows of an objective or of a bound. An experiment's number is the weighted
//! mean of its levels' (see [`ExperimentMetrics`](crate::metrics::ExperimentMetrics)).

use super::{Objective, SloMetric, Statistic};
use crate::metrics::LevelMetrics;

/// What the objective looks at, in its own unit; `None` where it was not measured.
pub(crate) fn objective_at(level: &LevelMetrics, gpus: u32, objective: Objective) -> Option<f64> {
    match objective {
        Objective::MinimizeLatency => level.scored_latency().map(|latency| latency.mean),
        Objective::MinimizeTtft => level.scored_ttft().map(|ttft| ttft.mean),
        Objective::MinimizeTpot => level.tpot.as_ref().map(|tpot| tpot.mean),
        Objective::MaximizeThroughput => Some(level.rates.total_tokens / f64::from(gpus.max(1))),
    }
}

/// What a bound is held against, seconds; `None` where it was not measured.
pub(crate) fn slo_at(level: &LevelMetrics, metric: SloMetric) -> Option<f64> {
    let (of, statistic) = match metric {
        SloMetric::Latency(percentile) => (level.scored_latency(), Statistic::At(percentile)),
        SloMetric::Ttft(statistic) => (level.scored_ttft(), statistic),
        SloMetric::Tpot(statistic) => (level.tpot.as_ref(), statistic),
    };
    of.map(|of| statistic.of(of))
}
