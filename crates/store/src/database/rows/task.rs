//! Rows of tasks and of their runs.

use autotuner_core::ids::{ExperimentId, TaskId};
use autotuner_core::lifecycle::TaskStatus;

use super::{Kept, Strange, document, small};
use crate::StoreError;
use crate::records::{RunRecord, TaskRecord, TaskSummary};

/// What [`SummaryRow`] is read from: `t` the tasks.
macro_rules! summary_columns {
    () => {
        "t.id, t.name, t.description, t.status, t.base_runtime, t.slo, t.run, t.max_iterations, \
         t.total_experiments, t.successful_experiments, t.best_experiment, t.created_at_ms, \
         t.started_at_ms, t.completed_at_ms, t.ended_because, t.is_cancel_requested"
    };
}
pub(crate) use summary_columns;

/// A task as it is stored, without its document.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SummaryRow {
    id: i64,
    name: String,
    description: Option<String>,
    status: String,
    base_runtime: String,
    slo: Option<String>,
    run: i64,
    max_iterations: i64,
    total_experiments: i64,
    successful_experiments: i64,
    best_experiment: Option<i64>,
    created_at_ms: i64,
    started_at_ms: Option<i64>,
    completed_at_ms: Option<i64>,
    ended_because: Option<String>,
    is_cancel_requested: bool,
}

impl SummaryRow {
    /// What it says.
    pub(crate) fn summary(self) -> Result<TaskSummary, StoreError> {
        let Self {
            id,
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
            ended_because,
            is_cancel_requested,
        } = self;
        let what = || format!("task {id}");
        let told = |strange: Strange| strange.of(what());
        let count = |number| small(number, "count").map_err(told);
        Ok(TaskSummary {
            id: TaskId(id),
            name,
            description,
            status: TaskStatus::recall(status).map_err(told)?,
            base_runtime,
            slo: slo.map(|text| document(&text, what)).transpose()?,
            run: count(run)?,
            max_iterations: count(max_iterations)?,
            total_experiments: count(total_experiments)?,
            successful_experiments: count(successful_experiments)?,
            best_experiment: best_experiment.map(ExperimentId),
            created_at_ms,
            started_at_ms,
            completed_at_ms,
            ended_because,
            is_cancel_requested,
        })
    }
}

/// A task as it is stored, with its document.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct TaskRow {
    #[sqlx(flatten)]
    summary: SummaryRow,
    deployment_mode: String,
    document: String,
}

impl TaskRow {
    /// What it says.
    pub(crate) fn record(self) -> Result<TaskRecord, StoreError> {
        let Self {
            summary,
            deployment_mode,
            document: text,
        } = self;
        let id = summary.id;
        Ok(TaskRecord {
            summary: summary.summary()?,
            deployment_mode,
            document: document(&text, || format!("task {id}"))?,
        })
    }
}

/// A run as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct RunRow {
    task: i64,
    run: i64,
    status: String,
    document: String,
    total_experiments: i64,
    successful_experiments: i64,
    best_experiment: Option<i64>,
    started_at_ms: Option<i64>,
    completed_at_ms: Option<i64>,
    ended_because: Option<String>,
}

impl RunRow {
    /// What it says.
    pub(crate) fn record(self) -> Result<RunRecord, StoreError> {
        let Self {
            task,
            run,
            status,
            document: text,
            total_experiments,
            successful_experiments,
            best_experiment,
            started_at_ms,
            completed_at_ms,
            ended_because,
        } = self;
        let what = || format!("run {run} of task {task}");
        let told = |strange: Strange| strange.of(what());
        let count = |number| small(number, "count").map_err(told);
        Ok(RunRecord {
            run: count(run)?,
            status: TaskStatus::recall(status).map_err(told)?,
            document: document(&text, what)?,
            total_experiments: count(total_experiments)?,
            successful_experiments: count(successful_experiments)?,
            best_experiment: best_experiment.map(ExperimentId),
            started_at_ms,
            completed_at_ms,
            ended_because,
        })
    }
}
