//! What the load generator itself has to do with a level's figures.
//!
//! The one idea: its error is estimated from what it knows of itself, how late its own loops woke,
//! and compared with the metric that is to be scored. That it shares its processors with the
//! engine is by itself no reason to doubt anything.

use super::distribution::{count, seconds};
use super::level::{LevelMetrics, Terms};
use super::rates::{loaded, mean_in_flight};
use crate::measure::{ClientHealth, LevelRecords, Schedule};
use crate::score::Objective;

/// The largest share of a metric that the load generator's own error may make up.
pub const TOLERATED_ERROR: f64 = 0.05;

/// The largest share of its starts that a load by the clock may miss.
const TOLERATED_SHORTFALL: f64 = 0.05;

/// From which share of its time on a processor a load thread could do no more.
const SATURATED: f64 = 0.9;

/// From which share of its time on a processor a load thread's lateness is its own doing. One that
/// mostly waits and is late all the same shares its processors with others, the engine as a rule,
/// as it does for every configuration.
const BUSY: f64 = 0.5;

/// Starts later than this, in seconds, are late at any rate.
const LATE: f64 = 0.01;

/// What the load generator's errors were against a server that knows the truth, under the like
/// load.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KnownErrors {
    /// By how much a TTFT was measured too long, median, seconds.
    pub ttft_error_p50: f64,
    /// The same at the 99th percentile.
    pub ttft_error_p99: f64,
    /// By how much the mean gap between chunks was off, as a ratio of it.
    pub gap_error_mean: f64,
    /// By how much throughput was off, as a ratio of it.
    pub throughput_error: f64,
}

/// How far a level's figures are those of the engine alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trust {
    /// Requests in flight at once that were asked for; `None` where requests start by a clock.
    pub asked_concurrency: Option<u32>,
    /// Requests that were in flight while the load lasted, on average over that time.
    pub achieved_concurrency: Option<f64>,
    /// Starts per second that the schedule asked for; `None` in a closed loop.
    pub asked_rate: Option<f64>,
    /// Starts per second while the schedule lasted; `None` in a closed loop.
    pub achieved_rate: Option<f64>,
    /// How late the load threads woke, 99th percentile, seconds; `None` where nobody looked.
    pub loop_lag_p99: Option<f64>,
    /// Share of the busiest load thread's time in which it had a processor, 0 to 1.
    pub cpu_share: Option<f64>,
    /// By how much a single stamp may be late, seconds: 99 of 100 are less so.
    pub stamp_error_p99: Option<f64>,
    /// The load generator's own part in each metric.
    pub errors: OwnErrors,
    /// Why the load generator, and not the engine, has limited what is scored: whole sentences
    /// for people; none where it has not.
    pub reasons: Vec<String>,
}

/// The load generator's own error as a share of each mean; `None` where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OwnErrors {
    /// Of the mean TTFT that counts.
    pub ttft: Option<f64>,
    /// Of the mean TPOT.
    pub tpot: Option<f64>,
    /// Of the mean latency that counts.
    pub latency: Option<f64>,
    /// Of throughput.
    pub throughput: Option<f64>,
}

impl Trust {
    /// Whether the load generator has limited what is scored.
    pub fn is_client_limited(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl OwnErrors {
    /// The one in what an objective looks at.
    pub fn of(&self, objective: Objective) -> Option<f64> {
        match objective {
            Objective::MinimizeLatency => self.latency,
            Objective::MaximizeThroughput => self.throughput,
            Objective::MinimizeTtft => self.ttft,
            Objective::MinimizeTpot => self.tpot,
        }
    }
}

/// How far a level's figures are the engine's.
pub(super) fn trust(metrics: &LevelMetrics, records: &LevelRecords, terms: &Terms<'_>) -> Trust {
    let schedule = records.schedule.as_ref();
    let client = records.client.as_ref();
    let loaded = loaded(records);
    let length = loaded.length();
    let started = records.requests.iter();
    let starts = started.filter(|request| loaded.contains(request.sent_ns)).count();
    let lag_p99 = client.map(|client| seconds(client.lag_p99_ns));
    let calibrated = terms.calibration.map(|calibration| calibration.ttft_error_p99);
    let mut trust = Trust {
        asked_concurrency: schedule.is_none().then_some(records.concurrency),
        achieved_concurrency: mean_in_flight(records),
        asked_rate: schedule.map(|schedule| schedule.rate),
        achieved_rate: schedule.filter(|_| length > 0.0).map(|_| count(starts) / length),
        loop_lag_p99: lag_p99,
        cpu_share: client.map(|client| client.cpu_share),
        stamp_error_p99: larger(lag_p99, calibrated),
        errors: own_errors(metrics, client, terms.calibration),
        reasons: Vec::new(),
    };
    let objectives = Objective::ALL.into_iter();
    let scored = objectives.filter(|objective| terms.objective.is_none_or(|scored| scored == *objective));
    trust.reasons = scored
        .filter_map(|objective| own_error_reason(&trust, objective, terms.calibration.is_some()))
        .chain(schedule.and_then(|schedule| shortfall_reason(&trust, metrics, schedule)))
        .collect();
    trust
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// The least that the mean of lags can be which has this median and this 99th percentile: half of
/// all are no smaller than the one, and one in a hundred no smaller than the other.
fn mean_lag(client: &ClientHealth) -> f64 {
    0.49 * seconds(client.lag_p50_ns) + 0.01 * seconds(client.lag_p99_ns)
}

/// A wait that ends in a stamp is measured too long by one lag; one between two stamps is off by
/// as much, over all its tokens; and a connection that stands idle for a lag between two requests
/// takes that from throughput. A calibration that says more than the lags is believed.
fn own_errors(
    metrics: &LevelMetrics,
    client: Option<&ClientHealth>,
    calibration: Option<&KnownErrors>,
) -> OwnErrors {
    let mean = |metric: Option<f64>| metric.filter(|mean| *mean > 0.0);
    let ttft = mean(metrics.scored_ttft().map(|ttft| ttft.mean));
    let latency = mean(metrics.scored_latency().map(|latency| latency.mean));
    let tpot = mean(metrics.tpot.as_ref().map(|tpot| tpot.mean));
    let tokens = metrics.output_tokens.as_ref().map_or(0.0, |tokens| tokens.mean);
    let lag = client.map(mean_lag);
    // A start that no want of connections has delayed is late by the load generator's doing.
    let late = match (&metrics.schedule, &metrics.schedule_lag) {
        (Some(Schedule { held_back: 0, .. }), Some(lag)) => lag.mean,
        _ => 0.0,
    };
    let share = |error: Option<f64>, whole: Option<f64>| Some(error? / whole?);
    let since_start = lag.map(|lag| lag + late);
    let calibrated = |error: fn(&KnownErrors) -> f64| calibration.map(error);
    let idle = match metrics.schedule {
        Some(_) => lag.map(|_| 0.0),
        None => share(lag, mean(metrics.latency.as_ref().map(|latency| latency.mean))),
    };
    let by_calibration = |whole| share(calibrated(|of| of.ttft_error_p50.abs()), whole);
    OwnErrors {
        ttft: larger(share(since_start, ttft), by_calibration(ttft)),
        tpot: larger(
            share(lag.map(|lag| lag / (tokens - 1.0).max(1.0)), tpot),
            tpot.and(calibrated(|of| of.gap_error_mean.abs())),
        ),
        latency: larger(share(since_start, latency), by_calibration(latency)),
        throughput: larger(idle, calibrated(|of| of.throughput_error.abs())),
    }
}

fn own_error_reason(trust: &Trust, objective: Objective, is_calibrated: bool) -> Option<String> {
    let is_its_own = is_calibrated || trust.cpu_share.is_none_or(|share| share >= BUSY);
    let error = trust.errors.of(objective);
    let error = error.filter(|error| *error > TOLERATED_ERROR && is_its_own)?;
    let lag = trust.loop_lag_p99.map(|lag| {
        format!(
            "; one in a hundred of its wakings was more than {} late",
            milliseconds(lag)
        )
    });
    let share = trust.cpu_share.map(|share| {
        format!(
            "; its busiest thread was at work for {:.0} % of the time",
            share * 100.0
        )
    });
    Some(format!(
        "the load generator's own error is about {:.1} % of the {}, more than {:.0} %{}{}",
        error * 100.0,
        objective.label(),
        TOLERATED_ERROR * 100.0,
        lag.unwrap_or_default(),
        share.unwrap_or_default(),
    ))
}

/// Starts that were missed by the load generator's doing. Those for which no connection was free
/// are the engine's, which did not answer in time, unless the load threads were at their end.
fn shortfall_reason(trust: &Trust, metrics: &LevelMetrics, schedule: &Schedule) -> Option<String> {
    let achieved = trust.achieved_rate?;
    if achieved >= schedule.rate * (1.0 - TOLERATED_SHORTFALL) {
        return None;
    }
    let is_saturated = trust.cpu_share.is_some_and(|share| share >= SATURATED);
    let lag = metrics.schedule_lag.as_ref().map_or(0.0, |lag| lag.p99);
    let is_late = schedule.held_back == 0 && lag > schedule.rate.recip().max(LATE);
    let why = match (is_saturated, is_late) {
        (true, _) => format!(
            "its busiest thread was at work for {:.0} % of the time",
            trust.cpu_share.unwrap_or_default() * 100.0
        ),
        (false, true) => format!(
            "one in a hundred was sent more than {} after its time, though connections were free",
            milliseconds(lag)
        ),
        (false, false) => return None,
    };
    Some(format!(
        "the load generator started {achieved:.2} of {:.2} requests a second: {why}",
        schedule.rate
    ))
}

/// `12.5 ms`
pub(super) fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1e3;
    match milliseconds {
        _ if milliseconds.abs() >= 99.95 => format!("{milliseconds:.0} ms"),
        _ if milliseconds.abs() >= 1.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{milliseconds:.3} ms"),
    }
}

#[cfg(test)]
mod tests;
