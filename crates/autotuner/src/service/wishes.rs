//! Cancels that the database could not be told of.
//!
//! The one idea: a full disk must not keep an engine running that somebody wants gone. Such a
//! wish waits here, in memory, for the worker to hear of it with the bell; its row in the audit
//! log follows when the run's end can be put on record. A server that dies before knows nothing
//! of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use autotuner_core::ids::TaskId;
use autotuner_store::{Act, Database};
use serde_json::json;

use crate::worker::chain;

/// The wishes, each for one run of a task, with who has it. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes(Arc<Mutex<BTreeMap<(TaskId, u32), Act>>>);

impl Wishes {
    /// Somebody wants the end of a run. The first who does is kept.
    pub(crate) fn cancel(&self, task: TaskId, run: u32, act: Act) {
        self.lock().entry((task, run)).or_insert(act);
    }

    /// Whether somebody wants the end of this run.
    pub(crate) fn is_cancelled(&self, task: TaskId, run: u32) -> bool {
        self.lock().contains_key(&(task, run))
    }

    /// Puts on record who wanted the end of this run, which is there now.
    pub(crate) async fn note(&self, database: &Database, task: TaskId, run: u32) {
        let Some(act) = self.lock().remove(&(task, run)) else {
            return;
        };
        let (target, detail) = (format!("task {task}"), json!({ "run": run }));
        if let Err(error) = database.note(&act, "task.cancel", &target, Some(detail)).await {
            tracing::error!(
                actor = act.actor,
                "a cancel is not in the audit log: {}",
                chain(&error)
            );
        }
    }

    /// Every change is complete before the lock is let go.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(TaskId, u32), Act>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
