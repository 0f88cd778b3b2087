//! When a level may end before its time.

use super::findings::Findings;
use super::rules;
use crate::metrics::Distribution;
use crate::problem::Problem;
use crate::score::{Objective, SloMetric, SloPolicy, Statistic};
use crate::task::SearchSettings;
use crate::workload::{Arrival, Figure, Precision, Workload};

/// Fewest requests of a level that ends before its time.
const FEWEST_REQUESTS: u32 = 30;

/// A precision of more than this is none.
const MOST: f64 = 0.5;

const PATH: &str = "benchmark.precision";

/// What a level must know to end before its time: the figure of every objective and, of every
/// bound, the figure that it is about, with enough requests for its percentile.
pub(super) fn resolve(
    ratio: f64,
    search: &SearchSettings,
    slos: &SloPolicy,
    workload: &Workload,
    findings: &Findings,
) -> Precision {
    rules::positive(PATH, ratio, findings);
    if ratio > MOST {
        let message = format!("{ratio} is more than half of every figure");
        let hint = "write a ratio: 0.02 is two per cent";
        findings.refuse(Problem::new(PATH, message).with_hint(hint));
    }
    if matches!(workload.arrival, Arrival::Stages { .. } | Arrival::Trace { .. }) {
        let message = "a load that changes as it goes cannot end before its time";
        let hint = "leave it out, or ask for a steady load";
        findings.refuse(Problem::new(PATH, message).with_hint(hint));
    }
    let sought = std::iter::once(&search.objective).chain(&search.pareto);
    let sought = sought.map(|objective| match objective {
        Objective::MaximizeThroughput => Figure::Tokens,
        Objective::MinimizeLatency => Figure::Latency,
        Objective::MinimizeTtft => Figure::Ttft,
        Objective::MinimizeTpot => Figure::Tpot,
    });
    let bounded = slos.bounds.iter().map(|slo| match slo.metric {
        SloMetric::Latency(_) => Figure::Latency,
        SloMetric::Ttft(_) => Figure::Ttft,
        SloMetric::Tpot(_) => Figure::Tpot,
    });
    let mut figures: Vec<Figure> = Vec::new();
    for figure in sought.chain(bounded) {
        if !figures.contains(&figure) {
            figures.push(figure);
        }
    }
    let percentiles = slos.bounds.iter().filter_map(|slo| match slo.metric {
        SloMetric::Latency(percentile)
        | SloMetric::Ttft(Statistic::At(percentile))
        | SloMetric::Tpot(Statistic::At(percentile)) => Some(percentile),
        SloMetric::Ttft(Statistic::Mean) | SloMetric::Tpot(Statistic::Mean) => None,
    });
    let fewest = percentiles.map(Distribution::fewest).max();
    let fewest = u32::try_from(fewest.unwrap_or(0)).unwrap_or(u32::MAX);
    Precision {
        ratio,
        figures,
        least_requests: fewest.max(FEWEST_REQUESTS),
    }
}
