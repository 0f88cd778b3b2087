//! An objective and its bounds as a goal over rows of numbers.
//!
//! A row holds the objective's number and that of each metric that is bounded, each at every
//! level that counts: what a configuration does at one load is close to a product of what its
//! values do, and the mean over loads is not. What a row is worth is on a logarithmic scale: a
//! tenth more is a tenth more, wherever it begins.

use crate::metrics::{ExperimentMetrics, LevelMetrics};
use crate::score::{Objective, Slo, SloMetric, SloMode, SloPolicy, objective_at, penalty, slo_at};
use crate::search::bayesian::{Goal, Output, Worth};

/// What a task wants.
pub(in crate::search) struct TaskGoal {
    /// What is to be improved; the first numbers of a row.
    objectives: Vec<Objective>,
    aim: Aim,
    mode: SloMode,
    /// Each bound, and which metric of a row it is held against.
    bounds: Vec<(Slo, usize)>,
    /// The metrics that are bounded, each once; they follow the objectives in a row.
    metrics: Vec<SloMetric>,
    /// How many levels there are.
    levels: usize,
    /// The levels that count, and each one's share of the mean.
    shares: Vec<(usize, f64)>,
    outputs: Vec<Output>,
}

/// What rows are valued by.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::search) enum Aim {
    /// The first objective.
    Best,
    /// All objectives, one pull each: the least of them, as far as its pull wants it, and a little of
    /// the others, so that of two that are alike in the least the better one wins.
    Compromise(Vec<Pull>),
}

/// How one objective pulls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::search) struct Pull {
    /// The utility that counts as nothing.
    pub(super) from: f64,
    /// The utility beyond it that counts as all.
    pub(super) range: f64,
    /// How much of it is wanted beside the others.
    pub(super) share: f64,
}

/// How much of every objective counts beside the least.
const ALSO: f64 = 0.05;

/// What a number measures: numbers of one kind move together.
#[derive(PartialEq)]
enum Kind {
    Throughput,
    Latency,
    Ttft,
    Tpot,
}

impl TaskGoal {
    /// The goal of a task with these objectives, at least one, whose levels weigh so much.
    pub(in crate::search) fn of(objectives: Vec<Objective>, slos: &SloPolicy, level_weights: &[f64]) -> Self {
        let mut metrics: Vec<SloMetric> = Vec::new();
        let mut bounds = Vec::new();
        for slo in &slos.bounds {
            let place = metrics.iter().position(|metric| *metric == slo.metric);
            let place = place.unwrap_or_else(|| {
                metrics.push(slo.metric);
                metrics.len() - 1
            });
            bounds.push((slo.clone(), objectives.len() + place));
        }
        let wanted = objectives.iter().map(|objective| match objective {
            Objective::MaximizeThroughput => Kind::Throughput,
            Objective::MinimizeLatency => Kind::Latency,
            Objective::MinimizeTtft => Kind::Ttft,
            Objective::MinimizeTpot => Kind::Tpot,
        });
        let bounded = metrics.iter().map(|metric| match metric {
            SloMetric::Latency(_) => Kind::Latency,
            SloMetric::Ttft(_) => Kind::Ttft,
            SloMetric::Tpot(_) => Kind::Tpot,
        });
        let kinds: Vec<Kind> = wanted.chain(bounded).collect();
        let first_alike = |kind: &Kind| kinds.iter().position(|other| other == kind).unwrap_or(0);
        let shares = shares(level_weights);
        let outputs = kinds
            .iter()
            .flat_map(|kind| {
                let group = first_alike(kind);
                shares.iter().map(move |_| Output { group })
            })
            .collect();
        Self {
            objectives,
            aim: Aim::Best,
            mode: slos.mode,
            bounds,
            metrics,
            levels: level_weights.len(),
            shares,
            outputs,
        }
    }

    /// The same goal with another aim.
    pub(super) fn aiming_at(self, aim: Aim) -> Self {
        Self { aim, ..self }
    }

    /// The numbers of a measurement; `None` if one of them was not measured.
    pub(in crate::search) fn row(&self, metrics: &ExperimentMetrics) -> Option<Vec<f64>> {
        let is_whole = metrics.levels.len() == self.levels;
        let row = is_whole.then(|| self.seen(&metrics.levels, metrics.gpus))?;
        row.into_iter().collect()
    }

    /// The numbers that the first levels of a measurement show.
    pub(in crate::search) fn seen(&self, levels: &[LevelMetrics], gpus: u32) -> Vec<Option<f64>> {
        let wanted = self.objectives.iter().flat_map(|objective| {
            self.counting(levels)
                .map(|level| objective_at(level?, gpus, *objective))
        });
        let bounded = self
            .metrics
            .iter()
            .flat_map(|metric| self.counting(levels).map(|level| slo_at(level?, *metric)));
        let numbers = wanted.chain(bounded);
        numbers
            .map(|number| number.filter(|number| number.is_finite()))
            .collect()
    }

    /// The levels that count; nothing for those that are still to come.
    fn counting<'l>(&self, levels: &'l [LevelMetrics]) -> impl Iterator<Item = Option<&'l LevelMetrics>> {
        self.shares.iter().map(|(level, _)| levels.get(*level))
    }

    /// What a row says of each objective: the larger the better, a logarithm.
    pub(super) fn utilities(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        let objectives = self.objectives.iter().enumerate();
        objectives.map(|(metric, objective)| {
            let size = self.mean(row, metric).max(f64::MIN_POSITIVE).ln();
            if objective.is_maximized() { size } else { -size }
        })
    }

    fn value(&self, row: &[f64]) -> f64 {
        let mut utilities = self.utilities(row);
        match &self.aim {
            Aim::Best => utilities.next().unwrap_or(f64::NEG_INFINITY),
            Aim::Compromise(pulls) => {
                let parts = utilities.zip(pulls);
                let (least, sum) = parts.fold((f64::INFINITY, 0.0), |(least, sum), (utility, pull)| {
                    let part = (utility - pull.from) / pull.range;
                    (least.min(part / pull.share), sum + part)
                });
                least + ALSO * sum
            }
        }
    }

    /// A metric's mean over levels; objectives come first.
    fn mean(&self, row: &[f64], metric: usize) -> f64 {
        let first = metric * self.shares.len();
        let numbers = row[first..].iter().zip(&self.shares);
        numbers.map(|(number, (_, share))| number * share).sum()
    }
}

/// The levels that count and what each counts, together 1: all alike where none has a weight.
fn shares(weights: &[f64]) -> Vec<(usize, f64)> {
    let whole: f64 = weights.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "levels stay far below 2^53")]
    let even = 1.0 / weights.len() as f64;
    let share = |weight: f64| if whole > 0.0 { weight / whole } else { even };
    let shares = weights.iter().map(|weight| share(*weight)).enumerate();
    shares.filter(|(_, share)| *share > 0.0).collect()
}

impl Goal for TaskGoal {
    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    fn worth(&self, row: &[f64]) -> Worth {
        let mut worth = Worth {
            value: self.value(row),
            violation: f64::NEG_INFINITY,
        };
        let mut missed = 0.0;
        for (slo, metric) in &self.bounds {
            let excess = self.mean(row, *metric) / slo.threshold - 1.0;
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
