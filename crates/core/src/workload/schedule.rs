//! The moments at which a load's requests start, counted from the opening of its window.
//!
//! The one idea: a schedule is a list that follows from the load, the seed and the level alone,
//! so every configuration of a task is asked at the same moments. It has no clock and does not
//! wait: whoever sends asks for the next start and waits for it.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Gamma};

use super::arrival::{Arrival, Load, Stage, TraceStart};
use super::scenario::Lengths;

/// One start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When, from the opening of the window.
    pub at: Duration,
    /// How long its prompt and its answer were, where that was recorded; `None` leaves it to
    /// the scenario.
    pub lengths: Option<Lengths>,
}

/// The starts of a load, earliest first; see [`Load::starts`].
#[derive(Debug, Clone)]
pub struct Starts {
    clock: Clock,
    random: ChaCha8Rng,
}

#[derive(Debug, Clone)]
enum Clock {
    /// None at all.
    Stopped,
    /// Start `next` is `next / rate` seconds after the opening.
    Even { rate: f64, next: u64 },
    /// The last start, and how the next gap is drawn; seconds.
    Gaps { last: f64, gap: Gap },
    /// Starts of a changing rate: how much of the integral of the rate is used up.
    Stages { stages: Arc<[Stage]>, used: f64 },
    /// What was recorded.
    Trace { starts: Arc<[TraceStart]>, next: usize },
}

#[derive(Debug, Clone, Copy)]
enum Gap {
    Exponential { mean: f64 },
    Gamma(Gamma<f64>),
}

impl Load {
    /// When requests start under this load. A closed loop has no such list: it is empty.
    ///
    /// Constant, Poisson and gamma arrivals never end; stages end with the last of them, a trace
    /// with its last start. Equal seeds and levels have equal starts.
    pub fn starts(&self, seed: u64, level: usize) -> Starts {
        let mut key = *b"autotuner starts: ..............";
        key[16..24].copy_from_slice(&seed.to_le_bytes());
        key[24..32].copy_from_slice(&(level as u64).to_le_bytes());
        Starts {
            clock: match self {
                Self::InFlight(_) => Clock::Stopped,
                Self::Scheduled { arrival, .. } => clock(arrival),
            },
            random: ChaCha8Rng::from_seed(key),
        }
    }

    /// Requests that the schedule starts in each second of a window of this length, on average;
    /// 0 for a closed loop and for no window at all.
    pub fn asked_rate(&self, window: Duration) -> f64 {
        let Self::Scheduled { arrival, .. } = self else {
            return 0.0;
        };
        let seconds = window.as_secs_f64();
        let per_second = |requests: f64| if seconds > 0.0 { requests / seconds } else { 0.0 };
        match arrival {
            Arrival::Closed => 0.0,
            Arrival::Constant { rates } | Arrival::Poisson { rates } | Arrival::Gamma { rates, .. } => {
                rates.first().copied().unwrap_or_default()
            }
            Arrival::Stages { stages } => per_second(expected(stages, seconds)),
            #[expect(clippy::cast_precision_loss, reason = "a count of starts, far below 2^52")]
            Arrival::Trace { starts } => per_second(starts.partition_point(|start| start.at < window) as f64),
        }
    }

    /// How long the schedule itself lasts, as [`Arrival::lasts`] says.
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Self::InFlight(_) => None,
            Self::Scheduled { arrival, .. } => arrival.lasts(),
        }
    }
}

impl Arrival {
    /// How long the schedule itself lasts: until the end of the last stage, or until the last
    /// recorded start. `None` for arrivals that never end.
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Self::Stages { stages } => {
                let add = |sum: Duration, stage: &Stage| sum.saturating_add(stage.lasts);
                Some(stages.iter().fold(Duration::ZERO, add))
            }
            Self::Trace { starts } => Some(starts.last().map_or(Duration::ZERO, |start| start.at)),
            Self::Closed | Self::Constant { .. } | Self::Poisson { .. } | Self::Gamma { .. } => None,
        }
    }
}

fn clock(arrival: &Arrival) -> Clock {
    let rate = |rates: &[f64]| {
        let rate = rates.first().copied();
        rate.filter(|rate| rate.is_finite() && *rate > 0.0)
    };
    let made = match arrival {
        Arrival::Closed => None,
        Arrival::Constant { rates } => rate(rates).map(|rate| Clock::Even { rate, next: 0 }),
        Arrival::Poisson { rates } => rate(rates).map(|rate| Clock::Gaps {
            last: 0.0,
            gap: Gap::Exponential { mean: 1.0 / rate },
        }),
        // A shape of k and a scale of 1/(k × rate) have the mean 1/rate.
        Arrival::Gamma { rates, burstiness } => rate(rates).and_then(|rate| {
            let gamma = Gamma::new(*burstiness, 1.0 / (burstiness * rate)).ok()?;
            Some(Clock::Gaps {
                last: 0.0,
                gap: Gap::Gamma(gamma),
            })
        }),
        Arrival::Stages { stages } => Some(Clock::Stages {
            stages: Arc::clone(stages),
            used: 0.0,
        }),
        Arrival::Trace { starts } => Some(Clock::Trace {
            starts: Arc::clone(starts),
            next: 0,
        }),
    };
    made.unwrap_or(Clock::Stopped)
}

impl Iterator for Starts {
    type Item = Start;

    fn next(&mut self) -> Option<Start> {
        let seconds = match &mut self.clock {
            Clock::Stopped => return None,
            #[expect(clippy::cast_precision_loss, reason = "a count of starts, far below 2^52")]
            Clock::Even { rate, next } => {
                let at = *next as f64 / *rate;
                *next += 1;
                Some(at)
            }
            Clock::Gaps { last, gap } => {
                *last += match gap {
                    Gap::Exponential { mean } => *mean * exponential(&mut self.random),
                    Gap::Gamma(gamma) => gamma.sample(&mut self.random),
                };
                Some(*last)
            }
            Clock::Stages { stages, used } => {
                *used += exponential(&mut self.random);
                moment(stages, *used)
            }
            Clock::Trace { starts, next } => {
                let TraceStart { at, lengths } = *starts.get(*next)?;
                *next += 1;
                return Some(Start {
                    at,
                    lengths: Some(lengths),
                });
            }
        };
        let at = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if at.is_none() {
            self.clock = Clock::Stopped;
        }
        at.map(|at| Start { at, lengths: None })
    }
}

fn exponential(random: &mut ChaCha8Rng) -> f64 {
    Exp1.sample(random)
}

/// When the integral of the rate, in requests, comes to this much; seconds. Exponential steps of
/// it are Poisson arrivals of whatever rate there is at the time.
fn moment(stages: &[Stage], used: f64) -> Option<f64> {
    let (mut before, mut began) = (0.0, 0.0);
    for stage in stages {
        let lasts = stage.lasts.as_secs_f64();
        let here = stage.rate * lasts;
        if used < before + here {
            return Some(began + (used - before) / stage.rate);
        }
        before += here;
        began += lasts;
    }
    None
}

/// How many starts the stages have in their first seconds, on average.
fn expected(stages: &[Stage], seconds: f64) -> f64 {
    let (mut requests, mut began) = (0.0, 0.0);
    for stage in stages {
        let lasts = stage.lasts.as_secs_f64();
        requests += stage.rate * (seconds - began).clamp(0.0, lasts);
        began += lasts;
    }
    requests
}
