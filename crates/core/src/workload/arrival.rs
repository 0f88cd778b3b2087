//! When requests start: so many in flight at once, or by a clock.
//!
//! The one idea: a load that follows a clock is a list of moments that depends on the seed
//! alone. It does not wait: whoever sends does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::scenario::Lengths;

/// When requests start.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Arrival {
    /// A fixed number is in flight: each end starts the next. One level a concurrency.
    #[default]
    Closed,
    /// Evenly spaced, so many a second. One level a rate.
    Constant {
        /// Requests a second, at least one, each above 0.
        rates: Vec<f64>,
    },
    /// Independent of each other, so many a second on average. One level a rate.
    Poisson {
        /// Requests a second, at least one, each above 0.
        rates: Vec<f64>,
    },
    /// Gaps that are gamma distributed. One level a rate.
    Gamma {
        /// Requests a second on average, at least one, each above 0.
        rates: Vec<f64>,
        /// Shape of the gaps' distribution: 1 is Poisson, less is burstier, more is steadier.
        burstiness: f64,
    },
    /// Poisson arrivals whose rate changes from stage to stage. One level.
    Stages {
        /// The stages, in their order, at least one.
        stages: Arc<[Stage]>,
    },
    /// Recorded moments, with the lengths that were recorded. One level.
    Trace {
        /// The starts, earliest first, at least one.
        starts: Arc<[TraceStart]>,
    },
}

/// A part of a load whose rate changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Requests a second; 0 is a pause.
    pub rate: f64,
    /// How long it lasts.
    pub lasts: Duration,
}

/// One recorded start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceStart {
    /// When, from the beginning of the trace.
    pub at: Duration,
    /// How long its prompt and its answer were.
    pub lengths: Lengths,
}

/// How the first requests of a closed loop start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstWave {
    /// Spread over the time that a request takes, as the warm-up has seen it, so that the streams
    /// of requests of one length do not stay in step.
    #[default]
    Spread,
    /// All at once.
    Together,
}

/// The load of one level.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// So many in flight.
    InFlight(u32),
    /// By a clock.
    Scheduled {
        /// The clock's rule, of a single rate.
        arrival: Arrival,
        /// Most requests in flight.
        most: u32,
    },
}

impl Arrival {
    pub(super) fn loads(&self, concurrency: &[u32], most: u32) -> Vec<Load> {
        let scheduled = |arrival| Load::Scheduled { arrival, most };
        let each = |rates: &[f64], of: &dyn Fn(Vec<f64>) -> Self| {
            rates.iter().map(|rate| scheduled(of(vec![*rate]))).collect()
        };
        match self {
            Self::Closed => concurrency.iter().copied().map(Load::InFlight).collect(),
            Self::Constant { rates } => each(rates, &|rates| Self::Constant { rates }),
            Self::Poisson { rates } => each(rates, &|rates| Self::Poisson { rates }),
            Self::Gamma { rates, burstiness } => each(rates, &|rates| Self::Gamma {
                rates,
                burstiness: *burstiness,
            }),
            Self::Stages { .. } | Self::Trace { .. } => vec![scheduled(self.clone())],
        }
    }
}

impl Load {
    /// How great it is beside another of its kind: requests in flight, or requests a second.
    pub fn size(&self) -> f64 {
        match self {
            Self::InFlight(count) => f64::from(*count),
            Self::Scheduled { arrival, .. } => match arrival {
                Arrival::Constant { rates } | Arrival::Poisson { rates } | Arrival::Gamma { rates, .. } => {
                    rates.first().copied().unwrap_or(0.0)
                }
                Arrival::Closed | Arrival::Stages { .. } | Arrival::Trace { .. } => 0.0,
            },
        }
    }

    /// Most requests in flight.
    pub fn most_in_flight(&self) -> u32 {
        match self {
            Self::InFlight(most) | Self::Scheduled { most, .. } => *most,
        }
    }
}

/// For people: `concurrency 8`, `poisson at 10/s`.
impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight(count) => write!(f, "concurrency {count}"),
            Self::Scheduled { arrival, .. } => arrival.fmt(f),
        }
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |f: &mut fmt::Formatter<'_>, kind: &str, rates: &[f64]| {
            let rates: Vec<String> = rates.iter().map(f64::to_string).collect();
            write!(f, "{kind} at {}/s", rates.join(", "))
        };
        match self {
            Self::Closed => f.write_str("closed loop"),
            Self::Constant { rates } => at(f, "constant", rates),
            Self::Poisson { rates } => at(f, "poisson", rates),
            Self::Gamma { rates, burstiness } => at(f, &format!("gamma({burstiness})"), rates),
            Self::Stages { stages } => write!(f, "{} stages", stages.len()),
            Self::Trace { starts } => write!(f, "trace of {} requests", starts.len()),
        }
    }
}
