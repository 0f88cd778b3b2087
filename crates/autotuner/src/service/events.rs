//! The event hub: hints of what happened, for whoever listens.
//!
//! Events are hints and REST is the truth: one that is missed costs a moment's delay. Each has a
//! number that grows by one; the latest are kept, so that a stream that broke can go on where it
//! was. Who is too far behind is told so, and asks again for everything.

use autotuner_core::ids::{ExperimentNumber, TaskId};
use serde_json::Value;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    TaskCreated,
    /// Its document, description or status was changed by a person.
    TaskUpdated,
    TaskDeleted,
    TaskStarted,
    /// Counts of a running task changed.
    TaskProgress,
    TaskCompleted,
    TaskFailed,
    TaskCancelled,
    ExperimentStarted,
    /// Its status moved on.
    ExperimentProgress,
    ExperimentCompleted,
    ExperimentFailed,
    /// A benchmark went on: level, requests done, live TTFT, TPOT and throughput.
    BenchmarkProgress,
    /// Something a person should know, in `data.message`.
    Warning,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// What.
    pub(crate) kind: Kind,
    /// To which task.
    pub(crate) task: Option<TaskId>,
    /// To which of its experiments.
    pub(crate) experiment: Option<ExperimentNumber>,
    /// One line for people.
    pub(crate) message: Option<String>,
    /// What else is known; `null` where nothing is.
    pub(crate) data: Value,
}

impl Event {
    /// Something that happened to a task.
    pub(crate) fn of_task(kind: Kind, task: TaskId) -> Self {
        Self {
            kind,
            task: Some(task),
            experiment: None,
            message: None,
            data: Value::Null,
        }
    }
}

/// Passes events on to whoever listens.
#[derive(Debug, Default)]
pub(crate) struct Hub {}

impl Hub {
    /// Tells everybody. Never waits.
    pub(crate) fn publish(&self, _event: Event) {
        todo!()
    }
}
