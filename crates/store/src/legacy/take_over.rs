//! From the original's records to those that this product keeps.
//!
//! What was not finished there will not be finished: it has failed.

use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use autotuner_core::space::{Candidate, ParameterName, Value};

use super::{LegacyExperiment, LegacyTask};
use crate::records::{ForeignResult, ImportedExperiment, ImportedTask, NewTask};

impl LegacyTask {
    /// What [`crate::Database::import_task`] keeps of it, as this task. A time that the original
    /// does not tell is taken from the others, or else is `now_ms`.
    pub fn imported(&self, task: NewTask, now_ms: i64) -> ImportedTask {
        let created_at_ms = self.created_at_ms.or(self.started_at_ms).unwrap_or(now_ms);
        let (status, ended_because) = match self.status {
            TaskStatus::Running => (
                TaskStatus::Failed,
                Some("it was running in the original system when it was taken over".to_owned()),
            ),
            TaskStatus::Pending if !self.experiments.is_empty() => (
                TaskStatus::Cancelled,
                Some(
                    "it had been put back in the original system, with results of an earlier run".to_owned(),
                ),
            ),
            other => (other, None),
        };
        let best = self.best_experiment.and_then(|best| {
            let mut experiments = self.experiments.iter();
            experiments.position(|experiment| experiment.id == best)
        });
        ImportedTask {
            task,
            status,
            created_at_ms,
            started_at_ms: self.started_at_ms,
            completed_at_ms: self.completed_at_ms,
            ended_because,
            experiments: self
                .experiments
                .iter()
                .map(|experiment| experiment.imported(created_at_ms))
                .collect(),
            best,
        }
    }
}

impl LegacyExperiment {
    fn imported(&self, task_created_at_ms: i64) -> ImportedExperiment {
        let is_open = !self.status.is_ended();
        let started_at_ms = self.started_at_ms.or(self.created_at_ms);
        let started_at_ms = started_at_ms.unwrap_or(task_created_at_ms);
        let unfinished = || "it was not finished in the original system".to_owned();
        ImportedExperiment {
            candidate: candidate(&self.parameters),
            is_success: self.status == ExperimentStatus::Success,
            started_at_ms,
            ended_at_ms: self.completed_at_ms.unwrap_or(started_at_ms),
            foreign: ForeignResult {
                metrics: self.metrics.clone(),
                objective_score: self.objective_score,
                error_message: self.error_message.clone().or_else(|| is_open.then(unfinished)),
                elapsed_seconds: self.elapsed_seconds,
            },
        }
    }
}

/// The original's parameters under their own names. A list or an object, which no flag can be,
/// is kept as the text of its JSON.
fn candidate(parameters: &serde_json::Value) -> Candidate {
    let parameters = parameters.as_object().into_iter().flatten();
    Candidate::new(parameters.map(|(name, value)| {
        let value = Value::from_json(value).unwrap_or_else(|_| Value::Text(value.to_string()));
        (ParameterName::new(name), value)
    }))
}
