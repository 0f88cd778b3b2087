//! How far a benchmark is, as the service shows it: in answers and in events.

use std::collections::BTreeMap;

use autotuner_load::{Live, Progress};
use serde::Serialize;
use utoipa::ToSchema;

use super::metrics::errors_by_class;

/// How far a benchmark is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveProgress {
    /// Which level, counted from 0.
    level: usize,
    /// How many levels there are.
    levels: usize,
    /// The scenario and the concurrency of the level, for people.
    label: String,
    /// Whether the level is still warming up.
    warming_up: bool,
    /// Requests of the level that ended well.
    completed: u32,
    /// Requests of the level that failed.
    failed: u32,
    /// Most requests that the level starts.
    planned: u32,
    /// Requests that are in flight now, warm-up and all.
    in_flight: u32,
    /// How many requests of the level failed, by class: `429`, `timeout`.
    errors: BTreeMap<String, u32>,
    /// Mean time to first token so far, seconds.
    ttft: Option<f64>,
    /// Its median so far, seconds, to a few per cent.
    ttft_p50: Option<f64>,
    /// Its 99th percentile so far, likewise.
    ttft_p99: Option<f64>,
    /// Mean time per further token so far, seconds.
    tpot: Option<f64>,
    /// Answer tokens per second so far.
    output_throughput: Option<f64>,
}

impl LiveProgress {
    /// What the load generator has told.
    pub(crate) fn of(progress: &Progress) -> Self {
        let Progress {
            level,
            levels,
            label,
            warming_up,
            completed,
            failed,
            planned,
            in_flight,
            errors,
            live,
        } = progress;
        Self {
            level: *level,
            levels: *levels,
            label: label.clone(),
            warming_up: *warming_up,
            completed: *completed,
            failed: *failed,
            planned: *planned,
            in_flight: *in_flight,
            errors: errors_by_class(errors),
            ttft: live.map(|Live { ttft, .. }| ttft),
            ttft_p50: live.map(|Live { ttft_p50, .. }| ttft_p50),
            ttft_p99: live.map(|Live { ttft_p99, .. }| ttft_p99),
            tpot: live.and_then(|Live { tpot, .. }| tpot),
            output_throughput: live.map(|live| live.output_tokens_per_second),
        }
    }
}
