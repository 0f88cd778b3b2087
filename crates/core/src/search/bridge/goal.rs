//! An objective and its bounds as a goal over rows of numbers.
//!
//! A row holds the objective's number and that of each metric that is bounded, as the score
//! sees them. What a row is worth is on a logarithmic scale: a tenth more is a tenth more,
//! wherever it begins.

use crate::metrics::ExperimentMetrics;
use crate::score::{Objective, Score, Slo, SloMetric, SloMode, SloPolicy, penalty, slo_value};
use crate::search::bayesian::{Goal, Output, Worth};

/// What a task wants.
pub(in crate::search) struct TaskGoal {
    is_maximized: bool,
    mode: SloMode,
    /// Each bound, and where its metric is in a row.
    bounds: Vec<(Slo, usize)>,
    /// The metrics that are bounded, each once; they follow the objective in a row.
    metrics: Vec<SloMetric>,
    outputs: Vec<Output>,
}

/// What a number measures: numbers of one kind move together.
#[derive(PartialEq)]
enum Kind {
    Throughput,
    Latency,
    Ttft,
    Tpot,
}

impl TaskGoal {
    pub(in crate::search) fn of(objective: Objective, slos: &SloPolicy) -> Self {
        let mut metrics: Vec<SloMetric> = Vec::new();
        let mut bounds = Vec::new();
        for slo in &slos.bounds {
            let place = metrics.iter().position(|metric| *metric == slo.metric);
            let place = place.unwrap_or_else(|| {
                metrics.push(slo.metric);
                metrics.len() - 1
            });
            bounds.push((slo.clone(), place + 1));
        }
        let wanted = match objective {
            Objective::MaximizeThroughput => Kind::Throughput,
            Objective::MinimizeLatency => Kind::Latency,
            Objective::MinimizeTtft => Kind::Ttft,
            Objective::MinimizeTpot => Kind::Tpot,
        };
        let bounded = metrics.iter().map(|metric| match metric {
            SloMetric::Latency(_) => Kind::Latency,
            SloMetric::Ttft(_) => Kind::Ttft,
            SloMetric::Tpot(_) => Kind::Tpot,
        });
        let kinds: Vec<Kind> = std::iter::once(wanted).chain(bounded).collect();
        let first_alike = |kind: &Kind| kinds.iter().position(|other| other == kind).unwrap_or(0);
        let outputs = kinds
            .iter()
            .map(|kind| Output {
                group: first_alike(kind),
            })
            .collect();
        Self {
            is_maximized: objective.is_maximized(),
            mode: slos.mode,
            bounds,
            metrics,
            outputs,
        }
    }

    /// The numbers of a measurement; `None` if one of them was not measured.
    pub(in crate::search) fn row(&self, score: &Score, metrics: &ExperimentMetrics) -> Option<Vec<f64>> {
        let bounded = self.metrics.iter().map(|metric| slo_value(metrics, *metric).ok());
        let numbers: Option<Vec<f64>> = std::iter::once(Some(score.objective_value()))
            .chain(bounded)
            .collect();
        numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()))
    }
}

impl Goal for TaskGoal {
    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    fn worth(&self, row: &[f64]) -> Worth {
        let size = row[0].max(f64::MIN_POSITIVE).ln();
        let mut worth = Worth {
            value: if self.is_maximized { size } else { -size },
            violation: f64::NEG_INFINITY,
        };
        let mut missed = 0.0;
        for (slo, place) in &self.bounds {
            let excess = row[*place] / slo.threshold - 1.0;
            match self.mode {
                SloMode::Constraint => worth.violation = worth.violation.max(excess),
                SloMode::ExponentialV1 { steepness } if excess > 0.0 => {
                    missed += penalty(slo, excess, steepness);
                    if slo.hard_fail {
                        worth.violation = worth.violation.max(excess - slo.fail_ratio);
                    }
                }
                SloMode::ExponentialV1 { .. } => {}
            }
        }
        worth.value -= missed.ln_1p();
        worth
    }
}
