//! What one benchmark is told as: our own summary, the result files of other tools, a page.
//!
//! Everything here makes text of what was measured; nothing measures, and nothing writes files.

pub(crate) mod compare;
pub(crate) mod genai_bench;
pub(crate) mod html;
mod sample;
pub(crate) mod search;
pub(crate) mod summary;
pub(crate) mod vllm;

use autotuner_core::calibration::{Calibration, Errors};
use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord};
use autotuner_core::metrics::{ExperimentMetrics, LevelMetrics};
use autotuner_core::workload::Workload;
use autotuner_load::Recording;

use super::words;
use crate::host::Host;

/// A benchmark that has ended.
#[derive(Debug)]
pub(crate) struct BenchRun<'a> {
    /// The server's address, without secrets.
    pub(crate) url: String,
    /// The model that was asked for.
    pub(crate) model: String,
    /// What was asked.
    pub(crate) workload: &'a Workload,
    /// When it began, milliseconds since the Unix epoch.
    pub(crate) started_at_ms: i64,
    /// When it ended, likewise.
    pub(crate) ended_at_ms: i64,
    /// What was recorded.
    pub(crate) recording: &'a Recording,
    /// What that adds up to; its levels are those of the recording, in their order.
    pub(crate) measured: &'a ExperimentMetrics,
    /// The command line that asks the same again.
    pub(crate) command: String,
    /// The machine on which the load generator ran, where that is known.
    pub(crate) host: Option<&'a Host>,
    /// The search that chose the levels, where one did.
    pub(crate) search: Option<&'a search::LoadSearch>,
    /// How far each level's figures are from the truth, where the server knows it; else empty.
    pub(crate) calibration: Vec<Calibration>,
}

/// What a level's load was, for people and to match levels by: `concurrency 8`, `poisson at 10/s`.
pub(crate) fn load_label(level: &LevelRecords) -> String {
    match &level.schedule {
        Some(schedule) => schedule.label.clone(),
        None => format!("concurrency {}", level.concurrency),
    }
}

/// An address without the name, the password and the parameters that may be in it.
pub(crate) fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}{host}{path}")
}

/// Seconds from the opening of a level's window to the end of its last request: what other tools
/// divide by.
fn duration(level: &LevelRecords) -> f64 {
    let last = level.requests.iter().map(|request| request.ended_ns).max();
    let end = last.unwrap_or(level.window_end_ns).max(level.window_start_ns);
    seconds(end - level.window_start_ns)
}

/// Why a level's figures are to be taken with care, in sentences.
pub(crate) fn cautions(level: &LevelMetrics) -> Vec<String> {
    let label = level.label();
    let reasons = level.trust.iter().flat_map(|trust| &trust.reasons);
    let mut cautions: Vec<String> = reasons.map(|reason| format!("{label}: {reason}")).collect();
    if let Some(steadiness) = level.steadiness.filter(|steadiness| !steadiness.is_steady) {
        let ttft = steadiness
            .ttft_drift
            .map(|drift| format!(", TTFT by {}", words::percent(drift)));
        cautions.push(format!(
            "{label}: it was still changing while it was measured, throughput by {}{}; measure for longer",
            words::percent(steadiness.throughput_drift),
            ttft.unwrap_or_default()
        ));
    }
    cautions
}

/// Over the columns of a calibration, for people.
pub(crate) const CALIBRATION_HEADS: [&str; 9] = [
    "requests",
    "in flight",
    "TTFT error mean",
    "TTFT error p99",
    "lag p50",
    "lag p99",
    "lag max",
    "gap error",
    "tok/s error",
];

/// One level's calibration under [`CALIBRATION_HEADS`].
pub(crate) fn calibration_cells(calibration: &Calibration) -> [String; 9] {
    let time = |errors: &Option<Errors>, of: fn(&Errors) -> f64| {
        errors
            .as_ref()
            .map_or("–".to_owned(), |errors| signed(of(errors)))
    };
    let share =
        |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:+.3} %", share * 100.0));
    let lost = calibration.not_received + calibration.not_recorded;
    let lost = if lost > 0 {
        format!(" ({lost} lost)")
    } else {
        String::new()
    };
    [
        format!("{}{lost}", calibration.requests),
        format!(
            "{} of {}",
            calibration.in_flight_seen, calibration.in_flight_asked
        ),
        time(&calibration.ttft_error, |errors| errors.mean),
        time(&calibration.ttft_error, |errors| errors.p99),
        time(&calibration.chunk_lag, |errors| errors.p50),
        time(&calibration.chunk_lag, |errors| errors.p99),
        time(&calibration.chunk_lag, |errors| errors.max),
        share(calibration.gap_error),
        share(calibration.throughput_error),
    ]
}

/// A signed time, as people read it.
fn signed(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "−" } else { "+" };
    format!("{sign}{}", words::duration(seconds.abs()))
}

fn is_success(request: &RequestRecord) -> bool {
    request.outcome == RequestOutcome::Success
}

/// Nanoseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "exact to 2^53 ns, 104 days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// A count as a number to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^53"
)]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
