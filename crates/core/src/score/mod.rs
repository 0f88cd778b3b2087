//! What a measurement is worth: objective, SLOs and the verdict of both.

mod exponential;
mod level;
mod verdict;

pub(crate) use exponential::penalty;
pub(crate) use level::{objective_at, slo_at};
pub use verdict::{Score, ScoreError, ScoreParts, Violation, objective_value, score};

use std::fmt;

use crate::metrics::Distribution;

/// What to improve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Objective {
    /// Mean end-to-end latency, seconds.
    MinimizeLatency,
    /// Total tokens per second, per GPU.
    MaximizeThroughput,
    /// Mean time to first token, seconds.
    MinimizeTtft,
    /// Mean time per output token, seconds.
    MinimizeTpot,
}

/// What must hold, and how a miss counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SloPolicy {
    /// The bounds; none means everything is feasible.
    pub bounds: Vec<Slo>,
    /// How a miss counts.
    pub mode: SloMode,
}

/// One bound on one metric. Bounds are upper bounds, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// What is bounded.
    pub metric: SloMetric,
    /// The largest value that meets the bound, seconds.
    pub threshold: f64,
    /// Weight of a miss in the exponential mode.
    pub weight: f64,
    /// Whether a miss by more than `fail_ratio` makes the experiment worthless in the exponential mode.
    pub hard_fail: bool,
    /// Relative miss above which `hard_fail` strikes.
    pub fail_ratio: f64,
}

/// A metric that a bound can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SloMetric {
    /// End-to-end latency at a percentile.
    Latency(Percentile),
    /// Time to first token: its mean, or a percentile of it.
    Ttft(Statistic),
    /// Time per output token: its mean, or a percentile of it.
    Tpot(Statistic),
}

/// A mean or a percentile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// A percentile.
    At(Percentile),
}

/// The percentiles that are kept of every request metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Percentile {
    /// Median.
    P50,
    /// Ninetieth.
    P90,
    /// Ninety-fifth.
    P95,
    /// Ninety-ninth.
    P99,
}

/// How a missed SLO counts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum SloMode {
    /// Feasible configurations rank before infeasible ones; the objective decides among equals.
    #[default]
    Constraint,
    /// The original system's penalty, with its sign and overflow faults repaired.
    ExponentialV1 {
        /// How fast the penalty grows with the relative miss, above 0; 0.1 originally.
        steepness: f64,
    },
}

impl Objective {
    /// Every objective.
    pub const ALL: [Self; 4] = [
        Self::MinimizeLatency,
        Self::MaximizeThroughput,
        Self::MinimizeTtft,
        Self::MinimizeTpot,
    ];

    /// The word in task documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MinimizeLatency => "minimize_latency",
            Self::MaximizeThroughput => "maximize_throughput",
            Self::MinimizeTtft => "minimize_ttft",
            Self::MinimizeTpot => "minimize_tpot",
        }
    }

    /// The objective with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|objective| objective.as_str() == word)
    }

    /// Whether a larger value is better.
    pub fn is_maximized(self) -> bool {
        matches!(self, Self::MaximizeThroughput)
    }

    /// What is measured, for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::MinimizeLatency => "mean latency",
            Self::MaximizeThroughput => "throughput",
            Self::MinimizeTtft => "mean TTFT",
            Self::MinimizeTpot => "mean TPOT",
        }
    }
}

impl Percentile {
    /// Every percentile that is kept.
    pub const ALL: [Self; 4] = [Self::P50, Self::P90, Self::P95, Self::P99];

    /// As a share, 0 to 1.
    pub fn fraction(self) -> f64 {
        match self {
            Self::P50 => 0.50,
            Self::P90 => 0.90,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
        }
    }

    /// `p50` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// The percentile with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|percentile| percentile.as_str() == word)
    }
}

impl Statistic {
    /// This statistic of a distribution.
    pub fn of(self, distribution: &Distribution) -> f64 {
        match self {
            Self::Mean => distribution.mean,
            Self::At(percentile) => distribution.percentile(percentile),
        }
    }
}

/// For example `latency.p99`, `ttft` (its mean) or `tpot.p90`.
impl fmt::Display for SloMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, statistic) = match self {
            Self::Latency(percentile) => ("latency", Statistic::At(*percentile)),
            Self::Ttft(statistic) => ("ttft", *statistic),
            Self::Tpot(statistic) => ("tpot", *statistic),
        };
        match statistic {
            Statistic::Mean => f.write_str(name),
            Statistic::At(percentile) => write!(f, "{name}.{}", percentile.as_str()),
        }
    }
}
