//! What may be asked of lists: which rows, in which order; and the small answers that belong to
//! rows of a list.

use autotuner_core::failure::FailureKind;
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use autotuner_core::search::Role;
use autotuner_core::verdict::Verdict;

/// Which tasks, in which order. What is empty or `None` asks for nothing in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskQuery {
    /// Of one of these statuses.
    pub statuses: Vec<TaskStatus>,
    /// A part of the name or the description, ASCII letters of either case; or the id, also as
    /// `#12`.
    pub text: Option<String>,
    /// The engine's word.
    pub runtime: Option<String>,
    /// What they are sorted by; of equals the newest first.
    pub sort: TaskSort,
    /// Which way.
    pub order: Order,
    /// What time it is, by which the duration of a running task is told.
    pub now_ms: i64,
}

/// What tasks are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskSort {
    /// When they were put on record.
    Created,
    /// The name.
    Name,
    /// Pending, running, completed, failed, cancelled.
    Status,
    /// When the run was started.
    Started,
    /// When it ended.
    Completed,
    /// How long it took, or has taken so far.
    Elapsed,
    /// How many experiments the run has.
    Experiments,
}

/// Which experiments, in which order. What is empty or `None` asks for nothing in particular.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentQuery {
    /// Of this task, of all of its runs.
    pub task: Option<TaskId>,
    /// Of one of these statuses.
    pub statuses: Vec<ExperimentStatus>,
    /// Failed so.
    pub failure: Option<FailureKind>,
    /// Tried for this.
    pub role: Option<Role>,
    /// Of tasks with this engine.
    pub runtime: Option<String>,
    /// A part of the task's name, or `#12` for task 12; or words that all stand in the
    /// configuration, each in a name, in a value, or as `name=value`.
    pub text: Option<String>,
    /// What they are sorted by; equals by their ids, the same way.
    pub sort: ExperimentSort,
    /// Which way.
    pub order: Order,
}

/// What experiments are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExperimentSort {
    /// When they were put on record.
    Created,
    /// When they began.
    Started,
    /// How long they took.
    Elapsed,
    /// What they are worth, by the score's own order: descending is the best first. Within one
    /// task alone; those without a score come last.
    Score,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The smallest first; what has no value counts as smallest.
    Ascending,
    /// The largest first.
    Descending,
}

/// What a task's current run has found out so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The number of the best experiment.
    pub best_number: Option<ExperimentNumber>,
    /// The verdict; of what another program measured there is none.
    pub verdict: Option<Verdict>,
}

/// An experiment as one block of a row of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Its global id.
    pub id: ExperimentId,
    /// Its number inside the run.
    pub number: ExperimentNumber,
    /// Where it is.
    pub status: ExperimentStatus,
    /// What it is for.
    pub role: Role,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Search experiments that have ended and count.
    pub done: u32,
    /// Of the best: lower is better.
    pub best_score: Option<f64>,
}

impl TaskQuery {
    /// Every task, newest first.
    pub fn all(now_ms: i64) -> Self {
        Self {
            statuses: Vec::new(),
            text: None,
            runtime: None,
            sort: TaskSort::Created,
            order: Order::Descending,
            now_ms,
        }
    }
}

impl ExperimentQuery {
    /// Every experiment, newest first.
    pub fn all() -> Self {
        Self {
            task: None,
            statuses: Vec::new(),
            failure: None,
            role: None,
            runtime: None,
            text: None,
            sort: ExperimentSort::Created,
            order: Order::Descending,
        }
    }
}

impl Order {
    /// The engine's word.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }

    /// The same, and what has no value is lower than whatever has one: SQLite's own order, which
    /// PostgreSQL must be told.
    pub(crate) fn keyword_with_none_lowest(self) -> &'static str {
        match self {
            Self::Ascending => "ASC NULLS FIRST",
            Self::Descending => "DESC NULLS LAST",
        }
    }
}
