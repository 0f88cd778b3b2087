//! What a database is told and what it tells: plain records, nothing decided.
//!
//! Times are milliseconds since the Unix epoch. Documents are the task documents that users
//! write, as trees; nobody in this crate looks into them.

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::space::Candidate;
use serde_json::Value;

/// Who changes something, and when. Every change writes a row of the audit log with it, in the
/// same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Name of the token, or `local` where nobody was asked.
    pub actor: String,
    /// With which role.
    pub role: Role,
    /// From which address, where it came over the network.
    pub address: Option<String>,
    /// When.
    pub at_ms: i64,
}

/// What somebody may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    Viewer,
    /// Make, start, stop and remove tasks.
    Operator,
    /// Everything: tokens, the audit log, what reaches beyond the product's own.
    Admin,
}

impl Role {
    /// Every role, least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows to leave out first.
    pub skip: u64,
    /// How many to give at most.
    pub limit: u64,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// How many rows there are in all.
    pub total: u64,
}

/// A task to be kept: its document, and what lists show without reading it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Unique name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The engine's word, as the document has it.
    pub base_runtime: String,
    /// Where engines run: `docker`, `local`, `kubernetes`.
    pub deployment_mode: String,
    /// The whole document, with canonical names.
    pub document: Value,
    /// The document's `slo` part.
    pub slo: Option<Value>,
    /// Distinct search candidates to be measured at most.
    pub max_iterations: u32,
}

/// A task with its document.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRecord {
    /// What lists show of it.
    pub summary: TaskSummary,
    /// Where engines run.
    pub deployment_mode: String,
    /// The whole document, with canonical names.
    pub document: Value,
}

/// What lists show of a task. Counts and times are the current run's.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSummary {
    /// Its id.
    pub id: TaskId,
    /// Unique name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Where it is.
    pub status: TaskStatus,
    /// The engine's word.
    pub base_runtime: String,
    /// The document's `slo` part.
    pub slo: Option<Value>,
    /// The current run, from 1.
    pub run: u32,
    /// Distinct search candidates to be measured at most.
    pub max_iterations: u32,
    /// Experiments on record, every attempt counted.
    pub total_experiments: u32,
    /// Experiments that have a score.
    pub successful_experiments: u32,
    /// The best of them, by [`autotuner_core::score::Score`]'s own order.
    pub best_experiment: Option<ExperimentId>,
    /// When the task was made.
    pub created_at_ms: i64,
    /// When the run was started.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// Why it ended, for people.
    pub ended_because: Option<String>,
    /// Whether somebody has asked for the end of a run that still goes on.
    pub is_cancel_requested: bool,
}

/// One start of a task to its end. The current one is among them.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its number inside the task, from 1.
    pub run: u32,
    /// Where it is, or was at its end.
    pub status: TaskStatus,
    /// The document that it ran.
    pub document: Value,
    /// Experiments on record.
    pub total_experiments: u32,
    /// Experiments that have a score.
    pub successful_experiments: u32,
    /// The best of them.
    pub best_experiment: Option<ExperimentId>,
    /// When it was started.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// Why it ended, for people.
    pub ended_because: Option<String>,
}

/// An experiment and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentRecord {
    /// Its global id.
    pub id: ExperimentId,
    /// Its task.
    pub task: TaskId,
    /// What its task is called now.
    pub task_name: String,
    /// The run of the task.
    pub run: u32,
    /// What it is.
    pub experiment: Experiment,
    /// What another program measured, in its own words, where the experiment was taken over from
    /// one. Such an experiment has ended and has no result of ours.
    pub foreign: Option<ForeignResult>,
}

/// A container that an engine was started in, and what for. Kept when it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRecord {
    /// Docker's own id, 64 hexadecimal digits.
    pub id: String,
    /// What it was called.
    pub name: String,
    /// The experiment that it was started for, by its global id.
    pub experiment: ExperimentId,
    /// The experiment's task.
    pub task: TaskId,
    /// The run of the task.
    pub run: u32,
    /// The experiment's number inside the run.
    pub number: ExperimentNumber,
    /// Which attempt at its candidate the experiment is, from 1.
    pub attempt: u32,
    /// The image that was asked for.
    pub image: Option<String>,
    /// When it was started.
    pub started_at_ms: i64,
    /// When it was stopped or, where its worker died, when that was noticed; `None` while it
    /// runs, and where it could not be stopped.
    pub ended_at_ms: Option<i64>,
}

/// What another program made of an experiment, kept as it told it.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignResult {
    /// Its metrics, under its own keys.
    pub metrics: Option<Value>,
    /// Its score; lower is better.
    pub objective_score: Option<f64>,
    /// Why it failed, in its own words.
    pub error_message: Option<String>,
    /// How long it took, seconds.
    pub elapsed_seconds: Option<f64>,
}

/// A task of another program, to be kept as a run that has ended, or as one that never began.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedTask {
    /// What it is.
    pub task: NewTask,
    /// Where it is; not running.
    pub status: TaskStatus,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was started.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// Why it ended, for people.
    pub ended_because: Option<String>,
    /// Its experiments, in their order.
    pub experiments: Vec<ImportedExperiment>,
    /// Which of them is the best, by its place in the list.
    pub best: Option<usize>,
}

/// An experiment of another program, which has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedExperiment {
    /// What was tried.
    pub candidate: Candidate,
    /// Whether it was measured and scored.
    pub is_success: bool,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: i64,
    /// What came of it.
    pub foreign: ForeignResult,
}

/// A preset to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPreset {
    /// Unique name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// A word to sort by.
    pub category: Option<String>,
    /// The engine's word; any engine when `None`.
    pub runtime: Option<String>,
    /// Whether it came with the product.
    pub is_system: bool,
    /// Parameter name → list of values.
    pub parameters: Value,
    /// Anything else that its author says of it.
    pub metadata: Option<Value>,
}

/// A preset that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetRecord {
    /// Its id.
    pub id: i64,
    /// What it is.
    pub preset: NewPreset,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
}

/// A token to be kept. Only the hash of its secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Name, unique among those that are not revoked.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it stops being good; never when `None`.
    pub expires_at_ms: Option<i64>,
}

/// A token that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it stops being good.
    pub expires_at_ms: Option<i64>,
    /// When it was last shown, to the minute.
    pub last_used_at_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_at_ms: Option<i64>,
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Its number; later rows have larger ones.
    pub id: i64,
    /// Who, when, from where.
    pub act: Act,
    /// What was done: `task.create`, `token.revoke`.
    pub action: String,
    /// To what: `task 12`.
    pub target: String,
    /// What else is worth knowing; never a secret.
    pub detail: Option<Value>,
}

/// Figures of the whole database.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Number of tasks of each status.
    pub tasks: Vec<(TaskStatus, u64)>,
    /// Number of experiments of each status, by its word.
    pub experiments: Vec<(&'static str, u64)>,
    /// Tasks made in the last 24 hours.
    pub tasks_last_24h: u64,
    /// Experiments begun in the last 24 hours.
    pub experiments_last_24h: u64,
    /// Mean duration of the experiments that succeeded, seconds.
    pub mean_experiment_seconds: Option<f64>,
    /// The tasks that run now.
    pub running: Vec<TaskSummary>,
}

/// An experiment as a timeline shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// Its global id.
    pub id: ExperimentId,
    /// Its task.
    pub task: TaskId,
    /// Its number inside the task's run.
    pub number: ExperimentNumber,
    /// The word of its status.
    pub status: &'static str,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// Its score; lower is better.
    pub objective_score: Option<f64>,
}
