//! Tasks as rows of a list, with what a page shows beside each.

use autotuner_core::ids::{ExperimentId, TaskId};
use autotuner_store::{Block, Standing, TaskSummary};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::elapsed;
use crate::clock::rfc3339;

/// A row of the list of tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskRow {
    /// Its id.
    pub(super) id: i64,
    /// Unique name.
    pub(super) task_name: String,
    /// For people.
    pub(super) description: Option<String>,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    pub(super) status: &'static str,
    /// Which engine.
    pub(super) base_runtime: String,
    /// The current run, from 1.
    pub(super) run: u32,
    /// Distinct search candidates to be measured at most.
    pub(super) max_iterations: u32,
    /// Experiments on record.
    pub(super) total_experiments: u32,
    /// Experiments that have a score.
    pub(super) successful_experiments: u32,
    /// The best experiment, by its global id.
    pub(super) best_experiment_id: Option<i64>,
    /// When the task was made.
    pub(super) created_at: String,
    /// When the run was started.
    pub(super) started_at: Option<String>,
    /// When it ended.
    pub(super) completed_at: Option<String>,
    /// How long it took, seconds.
    pub(super) elapsed_time: Option<f64>,
    /// Whether somebody has asked for the end of a run that still goes on.
    pub(super) is_cancel_requested: bool,
    /// What a running task waits for, for people.
    pub(super) waiting_for: Option<String>,
    /// Bounds that a good configuration meets.
    pub(super) slo: Option<Value>,
    /// The best experiment, by its number inside the run.
    pub(super) best_experiment_number: Option<u32>,
    /// By which ratio of the objective the best beats the engine's defaults: 0.25 is a quarter
    /// better.
    pub(super) gain_over_defaults: Option<f64>,
    /// Lower end of the interval that holds the true gain in at least 90 of 100 runs; only where
    /// both were measured again.
    pub(super) gain_low: Option<f64>,
    /// Upper end of it.
    pub(super) gain_high: Option<f64>,
    /// The word of the run's verdict; nothing before its first experiment, and where another
    /// program has measured.
    pub(super) claim: Option<&'static str>,
    /// The first experiments of the run, in their order, 60 at most. Only where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blocks: Option<Vec<BlockView>>,
}

/// An experiment in brief.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlockView {
    /// Its global id.
    id: i64,
    /// Its number inside the run, from 1.
    experiment_id: u32,
    /// `pending`, `deploying`, `benchmarking`, `success` or `failed`.
    status: &'static str,
    /// `baseline`, `search` or `replicate`.
    role: &'static str,
    /// Whether it is the best of the run so far.
    is_best: bool,
}

/// What is known of a row beside the task's own record.
#[derive(Debug, Default)]
pub(crate) struct BesideRow {
    /// What a running task waits for.
    pub(crate) waiting_for: Option<String>,
    /// What its run has found out.
    pub(crate) standing: Option<Standing>,
    /// Its first experiments, where they are asked for.
    pub(crate) blocks: Option<Vec<Block>>,
}

impl TaskRow {
    /// The row of a task.
    pub(crate) fn of(summary: &TaskSummary, beside: BesideRow) -> Self {
        let BesideRow {
            waiting_for,
            standing,
            blocks,
        } = beside;
        let verdict = standing.as_ref().and_then(|standing| standing.verdict.as_ref());
        let comparison = verdict.and_then(|verdict| verdict.comparison);
        let TaskSummary {
            id: TaskId(id),
            name,
            description,
            status,
            base_runtime,
            slo,
            run,
            max_iterations,
            total_experiments,
            successful_experiments,
            best_experiment,
            created_at_ms,
            started_at_ms,
            completed_at_ms,
            ended_because: _,
            is_cancel_requested,
        } = summary.clone();
        Self {
            id,
            task_name: name,
            description,
            status: status.as_str(),
            base_runtime,
            run,
            max_iterations,
            total_experiments,
            successful_experiments,
            best_experiment_id: best_experiment.map(|id| id.0),
            created_at: rfc3339(created_at_ms),
            started_at: started_at_ms.map(rfc3339),
            completed_at: completed_at_ms.map(rfc3339),
            elapsed_time: elapsed(started_at_ms, completed_at_ms),
            is_cancel_requested,
            waiting_for,
            slo,
            best_experiment_number: standing
                .as_ref()
                .and_then(|standing| standing.best_number)
                .map(|number| number.0),
            gain_over_defaults: verdict.and_then(|verdict| verdict.claim.gain()),
            gain_low: comparison.map(|comparison| comparison.low),
            gain_high: comparison.map(|comparison| comparison.high),
            claim: verdict.map(|verdict| verdict.claim.as_str()),
            blocks: blocks.map(|blocks| {
                let view = |block| BlockView::of(block, best_experiment);
                blocks.into_iter().map(view).collect()
            }),
        }
    }
}

impl BlockView {
    fn of(block: Block, best: Option<ExperimentId>) -> Self {
        let Block {
            id,
            number,
            status,
            role,
        } = block;
        Self {
            id: id.0,
            experiment_id: number.0,
            status: status.as_str(),
            role: role.as_str(),
            is_best: Some(id) == best,
        }
    }
}
