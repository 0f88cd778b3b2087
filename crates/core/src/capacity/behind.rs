//! Whether a server keeps up with a load.
//!
//! The one idea: chance looks like falling behind, too, so growth must be larger than what is
//! tolerated and than what chance makes of so few requests.

use super::Look;
use crate::measure::{LevelRecords, RequestOutcome, RequestRecord, Schedule};
use crate::workload::knee::LookVerdict;

/// Largest share of a load by which a server may fall behind it.
const TOLERATED: f64 = 0.05;

/// Fewest requests of a third of the window that tell anything.
const FEWEST: usize = 8;

/// How many standard errors make a growth more than chance.
const SURE: f64 = 3.0;

/// A load this much above another can be told from it.
const APART: f64 = 1.1;

/// Where throughput grows by a smaller share of what the load grew by, it has ended growing.
const LEAST_GAIN: f64 = 0.1;

/// Why a server does not keep up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Behind {
    /// As many requests were in flight as may be, so that others had to wait to be sent.
    HeldBack {
        /// How many had to wait.
        held_back: u32,
    },
    /// Waiting grew all the time.
    Backlog {
        /// Seconds by which waiting grew in each second.
        growth: f64,
    },
    /// More requests in flight made no more throughput and only waited longer.
    NoMoreThroughput {
        /// The lower load that it is compared with.
        than: f64,
        /// By how much throughput grew, as a ratio.
        throughput: f64,
        /// By how much the mean latency grew, as a ratio.
        latency: f64,
    },
}

/// Whether a server falls behind a schedule.
pub(super) fn by_clock(records: &LevelRecords, schedule: &Schedule) -> Option<Behind> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of requests stay far below 2^53"
    )]
    let started = records.requests.len() as f64;
    if f64::from(schedule.held_back) > started * TOLERATED {
        return Some(Behind::HeldBack {
            held_back: schedule.held_back,
        });
    }
    let growth = growth(records)?;
    (growth > TOLERATED).then_some(Behind::Backlog { growth })
}

/// Whether a closed loop's throughput has ended growing while its latency grows, against the
/// nearest lower load that the server has borne.
pub(super) fn in_closed_loop(look: &Look, before: &[Look]) -> Option<Behind> {
    let borne = before.iter().filter(|other| other.load * APART <= look.load);
    let borne = borne.filter(|other| other.verdict() == Some(LookVerdict::Meets));
    let below = borne.max_by(|one, other| one.load.total_cmp(&other.load))?;
    let more = look.load / below.load - 1.0;
    let throughput = ratio(look.throughput, below.throughput)?;
    let latency = ratio(look.latency?, below.latency?)?;
    let has_ended = throughput < LEAST_GAIN * more && latency > more / 2.0;
    has_ended.then_some(Behind::NoMoreThroughput {
        than: below.load,
        throughput,
        latency,
    })
}

fn ratio(new: f64, old: f64) -> Option<f64> {
    (old > 0.0).then(|| new / old - 1.0)
}

/// Seconds by which waiting grew in each second, from the middle third of the window to its last:
/// the first is what an idle server takes to fill. `None` where it did not, or by no more than
/// chance.
fn growth(records: &LevelRecords) -> Option<f64> {
    let start = records.window_start_ns;
    let third = records.window_end_ns.saturating_sub(start) / 3;
    let of = |from: u64, to: u64| {
        let requests = records.requests.iter();
        let within = requests.filter(move |request| (from..to).contains(&request.intended_ns));
        Sample::of(within.filter_map(waited).collect())
    };
    let middle = of(start + third, start + 2 * third)?;
    let last = of(start + 2 * third, u64::MAX)?;
    let seconds = last.at - middle.at;
    let grown = last.mean - middle.mean;
    let chance = (middle.variance_of_mean + last.variance_of_mean).sqrt();
    (seconds > 0.0 && grown > SURE * chance).then(|| grown / seconds)
}

/// When a request was wanted, and how long it took from then on: at least, where it was cut off.
fn waited(request: &RequestRecord) -> Option<(f64, f64)> {
    let ended = match request.outcome {
        RequestOutcome::Success => request.content_ns.last().copied().unwrap_or(request.ended_ns),
        RequestOutcome::CutOff => request.ended_ns,
        RequestOutcome::Failed { .. } => return None,
    };
    let took = ended.saturating_sub(request.intended_ns);
    Some((seconds(request.intended_ns), seconds(took)))
}

/// Waits of some requests.
struct Sample {
    /// When they were wanted, on average, seconds.
    at: f64,
    mean: f64,
    variance_of_mean: f64,
}

impl Sample {
    fn of(waits: Vec<(f64, f64)>) -> Option<Self> {
        if waits.len() < FEWEST {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of requests stay far below 2^53"
        )]
        let n = waits.len() as f64;
        let mean = waits.iter().map(|(_, wait)| wait).sum::<f64>() / n;
        let squares: f64 = waits.iter().map(|(_, wait)| (wait - mean).powi(2)).sum();
        Some(Self {
            at: waits.iter().map(|(at, _)| at).sum::<f64>() / n,
            mean,
            variance_of_mean: squares / (n - 1.0) / n,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact to 2^53 ns, 104 days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
