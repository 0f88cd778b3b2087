//! The verdict on one experiment: feasible or not, and how good.

use std::cmp::Ordering;

use super::exponential::penalty;
use super::{Objective, Slo, SloMetric, SloMode, SloPolicy, Statistic};
use crate::metrics::ExperimentMetrics;

/// What one experiment's metrics are worth.
///
/// Scores order themselves: feasible before infeasible, then larger `value` first,
/// whatever the objective. Nothing else knows about directions or infinities.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    feasible: bool,
    value: f64,
    objective: Objective,
    objective_value: f64,
    penalty: f64,
    violations: Vec<Violation>,
    low_n: bool,
}

/// One bound that was missed.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// What was bounded.
    pub metric: SloMetric,
    /// The bound, seconds.
    pub threshold: f64,
    /// What was measured, seconds.
    pub actual: f64,
    /// (actual − threshold) / threshold.
    pub ratio: f64,
}

/// What a [`Score`] is made of, for whoever keeps one and brings it back. Nothing else makes
/// scores out of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreParts {
    /// Whether it may be chosen at all.
    pub feasible: bool,
    /// Larger is better.
    pub value: f64,
    /// What was to be improved.
    pub objective: Objective,
    /// What the objective looks at, in its own unit.
    pub objective_value: f64,
    /// Sum of the exponential mode's penalties.
    pub penalty: f64,
    /// The bounds that were missed.
    pub violations: Vec<Violation>,
    /// Whether an SLO was judged by a percentile of too few requests.
    pub low_n: bool,
}

/// Why metrics cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The metric that the objective looks at was not measured.
    #[error("{objective} was not measured at every level")]
    NotMeasured {
        /// What was looked for.
        objective: &'static str,
    },
    /// A metric that an SLO bounds was not measured.
    #[error("the SLO on {metric} cannot be judged: it was not measured at every level")]
    SloNotMeasured {
        /// What was looked for.
        metric: String,
    },
}

/// Judges an experiment.
///
/// # Errors
/// Metrics that lack what the objective or an SLO looks at have no score.
pub fn score(
    metrics: &ExperimentMetrics,
    objective: Objective,
    slos: &SloPolicy,
) -> Result<Score, ScoreError> {
    let objective_value = objective_value(metrics, objective)?;
    let mut violations = Vec::new();
    let mut penalty_sum = 0.0;
    let mut is_worthless = false;
    let mut low_n = false;
    for slo in &slos.bounds {
        let actual = slo_value(metrics, slo.metric)?;
        low_n |= rests_on_few(metrics, slo.metric);
        if actual <= slo.threshold {
            continue;
        }
        let ratio = (actual - slo.threshold) / slo.threshold;
        if let SloMode::ExponentialV1 { steepness } = slos.mode {
            penalty_sum += penalty(slo, ratio, steepness);
            is_worthless |= slo.hard_fail && ratio > slo.fail_ratio;
        }
        violations.push(violation(slo, actual, ratio));
    }
    let (feasible, value) = match slos.mode {
        SloMode::Constraint => (violations.is_empty(), signed(objective, objective_value)),
        SloMode::ExponentialV1 { .. } => (!is_worthless, penalised(objective, objective_value, penalty_sum)),
    };
    Ok(Score {
        feasible,
        value,
        objective,
        objective_value,
        penalty: penalty_sum,
        violations,
        low_n,
    })
}

impl Score {
    /// The score that [`Score::parts`] took apart.
    pub fn from_parts(parts: ScoreParts) -> Self {
        let ScoreParts {
            feasible,
            value,
            objective,
            objective_value,
            penalty,
            violations,
            low_n,
        } = parts;
        Self {
            feasible,
            value,
            objective,
            objective_value,
            penalty,
            violations,
            low_n,
        }
    }

    /// What it is made of.
    pub fn parts(&self) -> ScoreParts {
        let Self {
            feasible,
            value,
            objective,
            objective_value,
            penalty,
            violations,
            low_n,
        } = self.clone();
        ScoreParts {
            feasible,
            value,
            objective,
            objective_value,
            penalty,
            violations,
            low_n,
        }
    }

    /// Whether it may be chosen at all: every SLO met, or, in the exponential mode, no hard one broken.
    pub fn is_feasible(&self) -> bool {
        self.feasible
    }

    /// Finite; larger is better. Comparable within one task only.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// What the objective looks at, in its own unit: seconds, or tokens per second and GPU.
    pub fn objective_value(&self) -> f64 {
        self.objective_value
    }

    /// What was to be improved.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// Sum of the exponential mode's penalties, 0 in the other mode.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The bounds that were missed.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Whether an SLO was judged by a percentile of too few requests.
    pub fn is_low_n(&self) -> bool {
        self.low_n
    }

    /// The original system's number: lower is better.
    pub fn lower_is_better(&self) -> f64 {
        -self.value
    }

    /// How much better than `other`, as a ratio of the objective: 0.25 is a quarter more
    /// throughput, or a quarter less latency. `None` against a value of 0.
    pub fn gain_over(&self, other: &Self) -> Option<f64> {
        let (new, old) = (self.objective_value, other.objective_value);
        if old == 0.0 {
            return None;
        }
        let change = (new - old) / old;
        Some(if self.objective.is_maximized() {
            change
        } else {
            -change
        })
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Greater is better.
impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.feasible
            .cmp(&other.feasible)
            .then(self.value.total_cmp(&other.value))
    }
}

fn violation(slo: &Slo, actual: f64, ratio: f64) -> Violation {
    Violation {
        metric: slo.metric,
        threshold: slo.threshold,
        actual,
        ratio,
    }
}

fn signed(objective: Objective, value: f64) -> f64 {
    if objective.is_maximized() { value } else { -value }
}

/// The original's rule, base × (1 + penalty) for what is minimised, and its mirror image,
/// base ÷ (1 + penalty), for what is maximised: a miss always makes it worse, and more
/// throughput at equal misses always makes it better.
fn penalised(objective: Objective, value: f64, penalty: f64) -> f64 {
    let factor = 1.0 + penalty;
    let result = if objective.is_maximized() {
        value / factor
    } else {
        -(value * factor)
    };
    result.clamp(-f64::MAX, f64::MAX)
}

/// What an objective looks at, in its own unit.
///
/// # Errors
/// It was not measured at every level.
pub fn objective_value(metrics: &ExperimentMetrics, objective: Objective) -> Result<f64, ScoreError> {
    match objective {
        Objective::MinimizeLatency => metrics.latency.map(|latency| latency.mean),
        Objective::MinimizeTtft => metrics.ttft(Statistic::Mean),
        Objective::MinimizeTpot => metrics.tpot(Statistic::Mean),
        Objective::MaximizeThroughput => Some(metrics.total_throughput_per_gpu()),
    }
    .filter(|value| value.is_finite())
    .ok_or(ScoreError::NotMeasured {
        objective: objective.label(),
    })
}

/// The number that a bound is held against.
///
/// # Errors
/// It was not measured at every level.
fn slo_value(metrics: &ExperimentMetrics, metric: SloMetric) -> Result<f64, ScoreError> {
    match metric {
        SloMetric::Latency(percentile) => metrics.latency_at(percentile),
        SloMetric::Ttft(statistic) => metrics.ttft(statistic),
        SloMetric::Tpot(statistic) => metrics.tpot(statistic),
    }
    .ok_or_else(|| ScoreError::SloNotMeasured {
        metric: metric.to_string(),
    })
}

fn rests_on_few(metrics: &ExperimentMetrics, metric: SloMetric) -> bool {
    let percentile = match metric {
        SloMetric::Latency(percentile)
        | SloMetric::Ttft(Statistic::At(percentile))
        | SloMetric::Tpot(Statistic::At(percentile)) => percentile,
        SloMetric::Ttft(Statistic::Mean) | SloMetric::Tpot(Statistic::Mean) => return false,
    };
    metrics.levels.iter().any(|level| {
        let distribution = match metric {
            SloMetric::Latency(_) => level.scored_latency(),
            SloMetric::Ttft(_) => level.scored_ttft(),
            SloMetric::Tpot(_) => level.tpot.as_ref(),
        };
        distribution.is_none_or(|distribution| distribution.is_low_n(percentile))
    })
}

#[cfg(test)]
mod tests;
