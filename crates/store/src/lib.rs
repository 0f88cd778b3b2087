//! Hand three: it remembers.
//!
//! A [`Store`] offers the verbs that running a task needs, and no row-by-row access. Moves
//! of status are compare-and-set: a writer that comes too late changes nothing and is told
//! so. It decides nothing: what is legal is `autotuner_core::lifecycle`'s matter, what
//! comes next `autotuner_core::plan`'s.

mod database;
mod lists;
mod memory;
mod records;

pub mod conformance;
pub mod legacy;

pub use database::{
    Claim, Database, Heard, LONGEST_NOTICE, Listener, LogPiece, OpenError, Renewal, RunStore, Wish,
    WorkerRecord, Written,
};
pub use lists::{Block, ExperimentQuery, ExperimentSort, Order, Progress, Standing, TaskQuery, TaskSort};
pub use memory::MemoryStore;
pub use records::{
    Act, AuditRecord, ContainerRecord, ExperimentRecord, ForeignResult, ImportedExperiment, ImportedTask,
    Listed, NewPreset, NewTask, NewToken, Page, PresetRecord, Role, RunRecord, Statistics, TaskRecord,
    TaskSummary, TimelineEntry, TokenRecord,
};

use async_trait::async_trait;
use autotuner_core::experiment::{Experiment, LaunchFacts, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, IllegalMove, TaskMove, TaskStatus};
use autotuner_core::plan::Next;

/// Whether a task document is of a task like another.
pub type IsAlike<'a> = dyn for<'d> Fn(&'d serde_json::Value) -> bool + Send + Sync + 'a;

/// What running a task needs to remember. Everything else that is asked of a store, by people
/// and their clients, is [`Database`]'s own.
#[async_trait]
pub trait Store: Send + Sync {
    /// Where a task is.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError>;

    /// Ends the current run of a task and returns its new status. What ended it is kept for
    /// people.
    ///
    /// # Errors
    /// [`StoreError::Illegal`] when its current status does not allow the move, or when the
    /// move ends nothing.
    async fn end_task(
        &self,
        task: TaskId,
        wanted: TaskMove,
        because: &str,
        now_ms: i64,
    ) -> Result<TaskStatus, StoreError>;

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

    /// Records what was really started. A container is found by its id and by its experiment from
    /// then on, also when it is gone.
    ///
    /// # Errors
    /// [`StoreError::NoSuchExperiment`].
    async fn record_launch(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        facts: LaunchFacts,
    ) -> Result<(), StoreError>;

    /// Records that an experiment's engine is gone, and with it whatever container it had. May be
    /// told before the experiment ends, after it, or again.
    ///
    /// # Errors
    /// [`StoreError::NoSuchExperiment`].
    async fn record_stop(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        now_ms: i64,
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

    /// The experiments of other runs that had ended, with something measured, when a task's current
    /// run began: of those whose documents are held for alike, the latest so many, latest first.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    async fn alike(
        &self,
        task: TaskId,
        most: usize,
        is_alike: &IsAlike<'_>,
    ) -> Result<Vec<Vec<Experiment>>, StoreError>;
}

/// Why something could not be remembered or recalled.
#[derive(Debug, Clone, thiserror::Error)]
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
    /// There is no task of this name.
    #[error("Task '{name}' not found")]
    NoTaskNamed {
        /// The name.
        name: String,
    },
    /// There is no such experiment.
    #[error("Experiment {number} not found for task {task}")]
    NoSuchExperiment {
        /// The task.
        task: TaskId,
        /// The number inside it.
        number: ExperimentNumber,
    },
    /// There is no experiment of this global id.
    #[error("Experiment {0} not found")]
    NoExperimentWithId(ExperimentId),
    /// There is no such run.
    #[error("Task {task} has no run {run}")]
    NoSuchRun {
        /// The task.
        task: TaskId,
        /// The run.
        run: u32,
    },
    /// There is no preset of this id.
    #[error("Preset with id {0} not found")]
    NoSuchPreset(i64),
    /// Preset names are unique.
    #[error("Preset with name '{name}' already exists")]
    PresetNameTaken {
        /// The name.
        name: String,
    },
    /// There is no token of this id.
    #[error("Token {0} not found")]
    NoSuchToken(i64),
    /// Names of tokens that are not revoked are unique.
    #[error("Token '{name}' already exists")]
    TokenNameTaken {
        /// The name.
        name: String,
    },
    /// The current status does not allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// Another worker has the task by now: whoever is told this must stop.
    #[error("task {0} is another worker's by now")]
    LeaseLost(TaskId),
    /// The database is busy with another program's work; a later attempt may succeed.
    #[error("the database was busy for too long while {doing}")]
    Busy {
        /// What was being done.
        doing: &'static str,
    },
    /// The disk is full or cannot be written.
    #[error("the database cannot be written while {doing}")]
    CannotWrite {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: std::sync::Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A copy never replaces what is there.
    #[error("{path} is already there; name a file that is not")]
    AlreadyThere {
        /// Which file.
        path: String,
    },
    /// What is for a file was asked of a database on a server.
    #[error("the database is no file but on a server, whose own programs copy it: pg_dump")]
    NoFile,
    /// Claims on a database that several machines share are their owners' alone to free.
    #[error("several machines share the database: whose claims are to be freed must be named")]
    Shared,
    /// What is copied goes into an empty database.
    #[error("{place} holds something already; name an empty database")]
    Occupied {
        /// Which one.
        place: String,
    },
    /// Anything else that the database reports.
    #[error("the database failed while {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::sync::Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A row holds what this version cannot read.
    #[error("the record of {what} cannot be read: {reason}")]
    Unreadable {
        /// Whose.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}
