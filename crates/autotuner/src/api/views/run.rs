//! Runs: each start of a task to its end.

use autotuner_store::RunRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::elapsed;
use super::hidden::masked;
use crate::clock::rfc3339;

/// One start of a task to its end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    /// Its number inside the task, from 1.
    run: u32,
    /// Whether it is the task's current one.
    is_current: bool,
    /// Where it is, or was at its end.
    status: &'static str,
    /// Experiments on record.
    total_experiments: u32,
    /// Experiments that have a score.
    successful_experiments: u32,
    /// The best of them, by its global id.
    best_experiment_id: Option<i64>,
    /// When it was started.
    started_at: Option<String>,
    /// When it ended.
    completed_at: Option<String>,
    /// How long it took, seconds.
    elapsed_time: Option<f64>,
    /// Why it ended, for people.
    ended_because: Option<String>,
    /// The document that it ran; secrets are shown as `***`.
    document: Value,
}

impl RunView {
    /// The view of a run of a task whose current one is `current`.
    pub(crate) fn of(record: RunRecord, current: u32) -> Self {
        let RunRecord {
            run,
            status,
            document,
            total_experiments,
            successful_experiments,
            best_experiment,
            started_at_ms,
            completed_at_ms,
            ended_because,
        } = record;
        Self {
            run,
            is_current: run == current,
            status: status.as_str(),
            total_experiments,
            successful_experiments,
            best_experiment_id: best_experiment.map(|id| id.0),
            started_at: started_at_ms.map(rfc3339),
            completed_at: completed_at_ms.map(rfc3339),
            elapsed_time: elapsed(started_at_ms, completed_at_ms),
            ended_because,
            document: masked(&document),
        }
    }
}
