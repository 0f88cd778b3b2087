//! What a measurement is worth: objective, SLOs and the verdict of both.

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
