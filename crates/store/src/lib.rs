//! Hand three: it remembers.
//!
//! A [`Store`] offers the verbs that running a task needs, and no row-by-row access. Moves
//! of status are compare-and-set: a writer that comes too late changes nothing and is told
//! so. It decides nothing: what is legal is `autotuner_core::lifecycle`'s matter, what
//! comes next `autotuner_core::plan`'s.

mod memory;

pub mod conformance;

pub use memory::MemoryStore;

use async_trait::async_trait;
use autotuner_core::experiment::{Experiment, LaunchFacts, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, IllegalMove, TaskMove, TaskStatus};
use autotuner_core::plan::Next;

/// What running a task needs to remember.
#[async_trait]
pub trait Store: Send + Sync {
    /// A new pending task.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when another task has the name.
    async fn create_task(&self, name: &str) -> Result<TaskId, StoreError>;

    /// Moves a task and returns its new status.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] when its current status does not allow the move.
    async fn move_task(&self, task: TaskId, wanted: TaskMove) -> Result<TaskStatus, StoreError>;

    /// Where a task is.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError>;

    /// Puts a decided experiment on record, as pending, and gives it its number.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    async fn begin_experiment(
        &self,
        task: TaskId,
        next: Next,
        now_ms: i64,
    ) -> Result<ExperimentNumber, StoreError>;

    /// Moves an unfinished experiment on: to deploying, then to benchmarking.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] when its current status does not allow the move, or when the
    /// move would end it, which only [`Store::finish_experiment`] may.
    async fn move_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        wanted: ExperimentMove,
    ) -> Result<(), StoreError>;

    /// Records what was really started.
    ///
    /// # Errors
    /// [`StoreError::NoSuchExperiment`].
    async fn record_launch(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        facts: LaunchFacts,
    ) -> Result<(), StoreError>;

    /// Ends an experiment: status, result and time in one step.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] when it has already ended; what was recorded then stays.
    async fn finish_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        result: Result<Measured, Failure>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Every experiment of a task's current run, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    async fn history(&self, task: TaskId) -> Result<Vec<Experiment>, StoreError>;
}

/// Why something could not be remembered or recalled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Task names are unique.
    #[error("Task '{name}' already exists")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no such task.
    #[error("Task {0} not found")]
    NoSuchTask(TaskId),
    /// There is no such experiment.
    #[error("Experiment {number} not found for task {task}")]
    NoSuchExperiment {
        /// The task.
        task: TaskId,
        /// The number inside it.
        number: ExperimentNumber,
    },
    /// The current status does not allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
}
