//! A run's begin and end, as events: with what a page shows at once.

use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::score::Score;
use autotuner_core::task::Task;
use autotuner_store::{Claim, Store, TaskSummary};
use serde_json::{Value, json};

use super::super::Service;
use super::super::events::{Event, Kind};
use crate::worker::chain;

/// Tells that a run begins, or goes on after these experiments.
pub(super) fn begin(service: &Service, claim: &Claim, task: &Task, history: &[Experiment]) {
    let mut hint = Event::of_task(Kind::TaskStarted, claim.task);
    hint.data = json!({
        "status": TaskStatus::Running.as_str(),
        "run": claim.run,
        "total_experiments": history.len(),
        "max_iterations": task.search.max_iterations,
    });
    service.events.publish(hint);
}

/// Tells of a run's end, as it is on record.
pub(super) async fn end(service: &Service, task: TaskId, store: &dyn Store) {
    let summary = match service.database.task(task).await {
        Ok(record) => record.summary,
        Err(error) => return tracing::warn!("the end is not told of: {}", chain(&error)),
    };
    let history = store.history(task).await.unwrap_or_default();
    let best = history.iter().filter_map(Experiment::score).max();
    let kind = match summary.status {
        TaskStatus::Completed => Kind::TaskCompleted,
        TaskStatus::Cancelled => Kind::TaskCancelled,
        _ => Kind::TaskFailed,
    };
    let mut hint = Event::of_task(kind, task);
    hint.message.clone_from(&summary.ended_because);
    hint.data = end_data(&summary, best);
    service.events.publish(hint);
}

fn end_data(summary: &TaskSummary, best: Option<&Score>) -> Value {
    let elapsed = summary.started_at_ms.zip(summary.completed_at_ms);
    let elapsed = elapsed.and_then(|(from, to)| u64::try_from(to.saturating_sub(from)).ok());
    json!({
        "status": summary.status.as_str(),
        "total_experiments": summary.total_experiments,
        "successful_experiments": summary.successful_experiments,
        "best_experiment_id": summary.best_experiment.map(|id| id.0),
        "best_score": best.map(Score::lower_is_better),
        "elapsed_time": elapsed.map(|ms| Duration::from_millis(ms).as_secs_f64()),
    })
}
