//! A store that lives as long as the process: what `autotuner run` needs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use autotuner_core::experiment::{Experiment, LaunchFacts, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskMove, TaskStatus};
use autotuner_core::plan::Next;

use crate::{IsAlike, Store, StoreError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tasks: Mutex<BTreeMap<i64, Row>>,
}

#[derive(Debug)]
struct Row {
    name: String,
    status: TaskStatus,
    experiments: Vec<Experiment>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new task that runs.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when another task has the name.
    pub fn begin_task(&self, name: &str) -> Result<TaskId, StoreError> {
        let mut tasks = self.lock();
        if tasks.values().any(|row| row.name == name) {
            return Err(StoreError::NameTaken {
                name: name.to_owned(),
            });
        }
        let id = tasks.last_key_value().map_or(1, |(last, _)| last + 1);
        let row = Row {
            name: name.to_owned(),
            status: TaskStatus::Running,
            experiments: Vec::new(),
        };
        tasks.insert(id, row);
        Ok(TaskId(id))
    }

    /// Every change is complete before the lock is let go, so that a panic elsewhere leaves
    /// nothing half done.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Row>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_task<T>(
        &self,
        task: TaskId,
        act: impl FnOnce(&mut Row) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tasks = self.lock();
        let row = tasks.get_mut(&task.0).ok_or(StoreError::NoSuchTask(task))?;
        act(row)
    }

    fn with_experiment<T>(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        act: impl FnOnce(&mut Experiment) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_task(task, |row| {
            let experiment = row
                .experiments
                .iter_mut()
                .find(|experiment| experiment.number == number)
                .ok_or(StoreError::NoSuchExperiment { task, number })?;
            act(experiment)
        })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError> {
        self.with_task(task, |row| Ok(row.status))
    }

    async fn end_task(
        &self,
        task: TaskId,
        wanted: TaskMove,
        _because: &str,
        _now_ms: i64,
    ) -> Result<TaskStatus, StoreError> {
        self.with_task(task, |row| {
            let next = row.status.after(wanted)?;
            if !next.is_ended() {
                // Beginning is not for who runs it; from an ended status every end is illegal.
                next.after(TaskMove::Start)?;
            }
            row.status = next;
            Ok(row.status)
        })
    }

    async fn begin_experiment(
        &self,
        task: TaskId,
        next: Next,
        now_ms: i64,
    ) -> Result<ExperimentNumber, StoreError> {
        let Next {
            role,
            candidate,
            reason,
            attempt,
        } = next;
        self.with_task(task, |row| {
            let last = row.experiments.last().map_or(0, |experiment| experiment.number.0);
            let number = ExperimentNumber(last + 1);
            row.experiments.push(Experiment {
                number,
                role,
                candidate,
                reason,
                attempt,
                status: ExperimentStatus::Pending,
                launch: None,
                result: None,
                started_at_ms: now_ms,
                ended_at_ms: None,
            });
            Ok(number)
        })
    }

    async fn move_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        wanted: ExperimentMove,
    ) -> Result<(), StoreError> {
        self.with_experiment(task, number, |experiment| {
            let next = experiment.status.after(wanted)?;
            if next.is_ended() {
                // Ending needs a result; from an ended status every move is illegal.
                next.after(wanted)?;
            }
            experiment.status = next;
            Ok(())
        })
    }

    async fn record_launch(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        facts: LaunchFacts,
    ) -> Result<(), StoreError> {
        self.with_experiment(task, number, |experiment| {
            experiment.launch = Some(facts);
            Ok(())
        })
    }

    async fn record_stop(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        _now_ms: i64,
    ) -> Result<(), StoreError> {
        // Containers are looked up in a database only.
        self.with_experiment(task, number, |_| Ok(()))
    }

    async fn finish_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        result: Result<Measured, Failure>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.with_experiment(task, number, |experiment| {
            let wanted = if result.is_ok() {
                ExperimentMove::Succeed
            } else {
                ExperimentMove::Fail
            };
            experiment.status = experiment.status.after(wanted)?;
            experiment.result = Some(result);
            experiment.ended_at_ms = Some(now_ms);
            Ok(())
        })
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Experiment>, StoreError> {
        self.with_task(task, |row| Ok(row.experiments.clone()))
    }

    async fn alike(
        &self,
        task: TaskId,
        _most: usize,
        _is_alike: &IsAlike<'_>,
    ) -> Result<Vec<Vec<Experiment>>, StoreError> {
        // It keeps no documents, and nothing of earlier processes.
        self.with_task(task, |_| Ok(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fresh;

    #[async_trait]
    impl crate::conformance::Fixture for Fresh {
        async fn running(&self, name: &str) -> (std::sync::Arc<dyn Store>, TaskId) {
            let store = MemoryStore::new();
            let task = store.begin_task(name).expect("new");
            (std::sync::Arc::new(store), task)
        }
    }

    #[tokio::test]
    async fn it_keeps_what_every_store_must() {
        crate::conformance::conformance(&Fresh).await;
    }

    #[test]
    fn names_are_unique_and_ids_grow() {
        let store = MemoryStore::new();
        let first = store.begin_task("first").expect("new");
        let second = store.begin_task("second").expect("new");
        assert!(second > first);
        let taken = store.begin_task("first").expect_err("taken");
        assert_eq!(taken.to_string(), "Task 'first' already exists");
    }
}
