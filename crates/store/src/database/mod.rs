//! The database: everything that the service remembers.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use autotuner_core::experiment::{Experiment, LaunchFacts, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use serde_json::Value;

use crate::records::{
    Act, AuditRecord, ExperimentRecord, Listed, NewPreset, NewTask, NewToken, Page, PresetRecord, RunRecord,
    Statistics, TaskRecord, TaskSummary, TimelineEntry, TokenRecord,
};
use crate::{Store, StoreError};

/// A database that is open. Clones share it.
#[derive(Debug, Clone)]
pub struct Database {}

/// Why a database could not be opened. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a later version.
    #[error("{path} was written by a later version (schema {found}, this one knows {known})")]
    Newer {
        /// Which file.
        path: String,
        /// Its schema.
        found: i64,
        /// The latest that we know.
        known: i64,
    },
    /// It could not be opened, copied or brought up to date.
    #[error("cannot open the database {path}: {doing}")]
    Failed {
        /// Which file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A worker's hold on a task, until it expires.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: String,
    /// Its current run.
    pub run: u32,
    /// The fence: every write of this claim names it, and none has an effect once another
    /// claim was made.
    pub epoch: i64,
    /// The task's document.
    pub document: Value,
    /// Whether its end was asked for before it was claimed.
    pub is_cancel_requested: bool,
    /// Experiments that a dead worker had left open and that are now on record as lost.
    pub lost: Vec<ExperimentNumber>,
}

/// What a worker learns when it renews its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Whether somebody has asked for the end of the run.
    pub is_cancel_requested: bool,
}

impl Database {
    /// Opens the file, makes it where it is missing, and brings it up to date; before that it
    /// is copied beside itself.
    pub async fn open(path: &Path, now_ms: i64) -> Result<Self, OpenError> {
        todo!()
    }
    /// Lets everything be written and closes.
    pub async fn close(&self) {
        todo!()
    }
    /// What is wrong with the file; nothing, where it is sound.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }
    /// A whole copy, made while others read and write. Refuses to replace a file.
    pub async fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        todo!()
    }
    /// Whether it can be written now: what readiness means.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// A new pending task.
    pub async fn create_task(&self, act: &Act, task: NewTask) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// One task.
    pub async fn task(&self, id: TaskId) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// One task, by name.
    pub async fn task_named(&self, name: &str) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Tasks, newest first.
    pub async fn tasks(
        &self,
        page: Page,
        status: Option<TaskStatus>,
    ) -> Result<Listed<TaskSummary>, StoreError> {
        todo!()
    }
    /// Changes what is said of a task for people, whatever its status.
    pub async fn describe_task(
        &self,
        act: &Act,
        id: TaskId,
        description: Option<String>,
    ) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Replaces a task's document; its status is pending then. The end of an earlier run stays
    /// in the run history. Illegal while it runs.
    pub async fn edit_task(&self, act: &Act, id: TaskId, task: NewTask) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Puts a new task in the place of a pending one, in one step: new id, the old one is gone.
    pub async fn replace_task(&self, act: &Act, id: TaskId, task: NewTask) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Removes a task that does not run, with all of its runs and experiments.
    pub async fn delete_task(&self, act: &Act, id: TaskId) -> Result<(), StoreError> {
        todo!()
    }
    /// Pending → running.
    pub async fn start_task(&self, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Asks for the end of a running task. One that no live claim holds is cancelled at once.
    pub async fn cancel_task(&self, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Ended → pending, as a new run; with a new document where one is given.
    pub async fn restart_task(
        &self,
        act: &Act,
        id: TaskId,
        changed: Option<NewTask>,
    ) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Anything but running → pending; the current run's experiments are removed for good.
    pub async fn clear_task(&self, act: &Act, id: TaskId) -> Result<TaskRecord, StoreError> {
        todo!()
    }
    /// Every run of a task, latest first.
    pub async fn runs(&self, id: TaskId) -> Result<Vec<RunRecord>, StoreError> {
        todo!()
    }

    /// Experiments of all tasks, newest first.
    pub async fn experiments(&self, page: Page) -> Result<Listed<ExperimentRecord>, StoreError> {
        todo!()
    }
    /// One experiment, by its global id.
    pub async fn experiment(&self, id: ExperimentId) -> Result<ExperimentRecord, StoreError> {
        todo!()
    }
    /// Experiments of one run of a task, oldest first; of the current one when `run` is `None`.
    pub async fn experiments_of(
        &self,
        task: TaskId,
        run: Option<u32>,
        page: Page,
    ) -> Result<Listed<ExperimentRecord>, StoreError> {
        todo!()
    }
    /// One experiment of a task's current run.
    pub async fn experiment_numbered(
        &self,
        task: TaskId,
        number: ExperimentNumber,
    ) -> Result<ExperimentRecord, StoreError> {
        todo!()
    }

    /// Takes the oldest task that is to run and that no live claim holds. Experiments that its
    /// last worker left open are put on record as lost in the same step.
    pub async fn claim(&self, owner: &str, now_ms: i64, lease_ms: i64) -> Result<Option<Claim>, StoreError> {
        todo!()
    }
    /// Lengthens a claim. [`StoreError::LeaseLost`] when it is another worker's by now.
    pub async fn renew(&self, claim: &Claim, now_ms: i64, lease_ms: i64) -> Result<Renewal, StoreError> {
        todo!()
    }
    /// Gives a claim back; the task stays as it is, for the next worker.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        todo!()
    }
    /// What running the claimed task remembers: every write is fenced by the claim.
    pub fn run_store(&self, claim: &Claim) -> RunStore {
        todo!()
    }
    /// The global id of an experiment of a claimed run.
    pub async fn experiment_id(
        &self,
        claim: &Claim,
        number: ExperimentNumber,
    ) -> Result<ExperimentId, StoreError> {
        todo!()
    }

    /// Presets, by name.
    pub async fn presets(&self, category: Option<&str>) -> Result<Vec<PresetRecord>, StoreError> {
        todo!()
    }
    /// One preset.
    pub async fn preset(&self, id: i64) -> Result<PresetRecord, StoreError> {
        todo!()
    }
    /// Keeps a new preset.
    pub async fn create_preset(&self, act: &Act, preset: NewPreset) -> Result<PresetRecord, StoreError> {
        todo!()
    }
    /// Replaces a preset.
    pub async fn update_preset(
        &self,
        act: &Act,
        id: i64,
        preset: NewPreset,
    ) -> Result<PresetRecord, StoreError> {
        todo!()
    }
    /// Removes a preset.
    pub async fn delete_preset(&self, act: &Act, id: i64) -> Result<(), StoreError> {
        todo!()
    }

    /// Keeps a new token.
    pub async fn create_token(&self, act: &Act, token: NewToken) -> Result<TokenRecord, StoreError> {
        todo!()
    }
    /// Every token, revoked ones too, oldest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        todo!()
    }
    /// The token of this hash that is neither revoked nor expired.
    pub async fn token_with_hash(
        &self,
        hash: &[u8; 32],
        now_ms: i64,
    ) -> Result<Option<TokenRecord>, StoreError> {
        todo!()
    }
    /// Revokes a token, and every session that it began.
    pub async fn revoke_token(&self, act: &Act, id: i64) -> Result<(), StoreError> {
        todo!()
    }
    /// Begins a browser's session with a token; the hash is of the cookie's value.
    pub async fn begin_session(
        &self,
        act: &Act,
        token: i64,
        hash: &[u8; 32],
        expires_at_ms: i64,
    ) -> Result<(), StoreError> {
        todo!()
    }
    /// The token of a session that is still good.
    pub async fn session(&self, hash: &[u8; 32], now_ms: i64) -> Result<Option<TokenRecord>, StoreError> {
        todo!()
    }
    /// Ends a session; one that is not there is no error.
    pub async fn end_session(&self, act: &Act, hash: &[u8; 32]) -> Result<(), StoreError> {
        todo!()
    }

    /// The audit log, latest first.
    pub async fn audit(&self, page: Page) -> Result<Listed<AuditRecord>, StoreError> {
        todo!()
    }
    /// Puts on record what was done outside of the database, such as emptying a log.
    pub async fn note(
        &self,
        act: &Act,
        action: &str,
        target: &str,
        detail: Option<Value>,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Figures of everything.
    pub async fn statistics(&self, now_ms: i64) -> Result<Statistics, StoreError> {
        todo!()
    }
    /// Experiments begun since then, oldest first, ten thousand at most.
    pub async fn timeline(&self, since_ms: i64) -> Result<Vec<TimelineEntry>, StoreError> {
        todo!()
    }
}

/// What running a claimed task remembers.
#[derive(Debug, Clone)]
pub struct RunStore {
    database: Arc<Database>,
    claim: Claim,
}

#[async_trait]
impl Store for RunStore {
    async fn task_status(&self, task: TaskId) -> Result<TaskStatus, StoreError> {
        todo!()
    }
    async fn end_task(
        &self,
        task: TaskId,
        wanted: TaskMove,
        because: &str,
        now_ms: i64,
    ) -> Result<TaskStatus, StoreError> {
        todo!()
    }
    async fn begin_experiment(
        &self,
        task: TaskId,
        next: Next,
        now_ms: i64,
    ) -> Result<ExperimentNumber, StoreError> {
        todo!()
    }
    async fn move_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        wanted: ExperimentMove,
    ) -> Result<(), StoreError> {
        todo!()
    }
    async fn record_launch(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        facts: LaunchFacts,
    ) -> Result<(), StoreError> {
        todo!()
    }
    async fn finish_experiment(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        result: Result<Measured, Failure>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        todo!()
    }
    async fn history(&self, task: TaskId) -> Result<Vec<Experiment>, StoreError> {
        todo!()
    }
}
