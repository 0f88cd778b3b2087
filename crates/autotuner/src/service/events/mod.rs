//! The event hub: hints of what happened, for whoever listens.
//!
//! Events are hints and REST is the truth: one that is missed costs a moment's delay. Each has a
//! number that grows by one; the latest are kept in one ring, which every listener reads at its
//! own pace, so that a stream that broke can go on where it was and nobody's slowness costs
//! anybody else memory or time. Who is too far behind is told so ([`Notice::Resync`]), and asks
//! again for everything. Nothing outlives the process: the id of an event names the hub that it
//! came from, and an id of another hub leads to a resync.

mod elsewhere;
mod ring;
mod subscription;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use autotuner_core::ids::{ExperimentNumber, TaskId};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};

use crate::clock::{Clock, SystemClock};
pub(crate) use elsewhere::within;
use ring::Ring;
pub(crate) use subscription::{Filter, Notice, Patience, Subscription};

/// Longest message that is passed on whole, in bytes.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// Longest `data` that is passed on, in bytes of JSON.
const LONGEST_DATA: usize = 64 * 1024;

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
    /// A benchmark went on: level, requests done, live TTFT, TPOT and throughput. Only the
    /// latest of an experiment is kept.
    BenchmarkProgress,
    /// Something a person should know, in `data.message`.
    Warning,
    /// Something happened to a container of the Docker daemon.
    ContainerChanged,
    /// The Docker daemon went away or came back.
    DockerChanged,
}

impl Kind {
    /// Every kind.
    const ALL: [Self; 16] = [
        Self::TaskCreated,
        Self::TaskUpdated,
        Self::TaskDeleted,
        Self::TaskStarted,
        Self::TaskProgress,
        Self::TaskCompleted,
        Self::TaskFailed,
        Self::TaskCancelled,
        Self::ExperimentStarted,
        Self::ExperimentProgress,
        Self::ExperimentCompleted,
        Self::ExperimentFailed,
        Self::BenchmarkProgress,
        Self::Warning,
        Self::ContainerChanged,
        Self::DockerChanged,
    ];

    /// Whether it concerns this machine alone.
    fn is_of_this_machine(self) -> bool {
        matches!(self, Self::ContainerChanged | Self::DockerChanged)
    }

    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TaskCreated => "task_created",
            Self::TaskUpdated => "task_updated",
            Self::TaskDeleted => "task_deleted",
            Self::TaskStarted => "task_started",
            Self::TaskProgress => "task_progress",
            Self::TaskCompleted => "task_completed",
            Self::TaskFailed => "task_failed",
            Self::TaskCancelled => "task_cancelled",
            Self::ExperimentStarted => "experiment_started",
            Self::ExperimentProgress => "experiment_progress",
            Self::ExperimentCompleted => "experiment_completed",
            Self::ExperimentFailed => "experiment_failed",
            Self::BenchmarkProgress => "benchmark_progress",
            Self::Warning => "warning",
            Self::ContainerChanged => "container_changed",
            Self::DockerChanged => "docker_changed",
        }
    }
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

    /// The event on the wire: one line of JSON, the same for every kind of listener.
    fn line(&self, now_ms: i64) -> String {
        let mut object = Map::new();
        object.insert("type".into(), self.kind.as_str().into());
        if let Some(task) = self.task {
            object.insert("task_id".into(), task.0.into());
        }
        object.insert("timestamp".into(), timestamp(now_ms));
        if let Some(ExperimentNumber(number)) = self.experiment {
            object.insert("experiment_id".into(), number.into());
        }
        if let Some(message) = &self.message {
            object.insert("message".into(), cut(message).into());
        }
        if !self.data.is_null() {
            let length = self.data.to_string().len();
            let data = match length > LONGEST_DATA {
                true => json!({ "left_out_bytes": length }),
                false => self.data.clone(),
            };
            object.insert("data".into(), data);
        }
        Value::Object(object).to_string()
    }
}

/// A time as events carry it: seconds since the Unix epoch, with a fraction.
pub(crate) fn timestamp(now_ms: i64) -> Value {
    // Milliseconds of any date that people live to see are exact in a double.
    json!(now_ms as f64 / 1000.0)
}

fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(LONGEST_MESSAGE)]
}

/// An event with its number, as it goes out.
#[derive(Debug, PartialEq)]
pub(crate) struct Published {
    /// One more than the event before it.
    pub(crate) number: u64,
    /// What happened.
    pub(crate) kind: Kind,
    /// To which task.
    pub(crate) task: Option<TaskId>,
    /// To which of its experiments.
    pub(crate) experiment: Option<ExperimentNumber>,
    /// The event on the wire: one line of JSON.
    pub(crate) json: String,
}

/// Passes events on to whoever listens. Clones share everything.
#[derive(Clone)]
pub(crate) struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    boot: String,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// The number of the latest event. Looking at it is how listeners wait.
    latest: watch::Sender<u64>,
    /// Where events go that others on the same database want to hear of, once somebody takes them
    /// there.
    elsewhere: OnceLock<mpsc::Sender<String>>,
}

#[derive(Default)]
struct State {
    ring: Ring,
    /// How many listen to this one task, or to one of its experiments.
    listeners: HashMap<TaskId, usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hub {
    fn default() -> Self {
        // Not a secret: it only has to differ from the last time's. The standard library seeds
        // every hasher afresh.
        let boot = RandomState::new().hash_one("boot");
        Self::new(format!("{boot:016x}"), Arc::new(SystemClock))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("boot", &self.shared.boot)
            .field("latest", &*self.shared.latest.borrow())
            .finish()
    }
}

impl Hub {
    /// A hub whose ids begin with this word (without a `-`), and whose times are this clock's.
    pub(crate) fn new(boot: String, clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::default();
        let latest = watch::Sender::new(0);
        Self {
            shared: Arc::new(Shared {
                boot,
                clock,
                state,
                latest,
                elsewhere: OnceLock::new(),
            }),
        }
    }

    /// Tells everybody. Never waits.
    pub(crate) fn publish(&self, event: Event) {
        let json = event.line(self.shared.clock.now_ms());
        if let Some(elsewhere) = self.shared.elsewhere.get()
            && !event.kind.is_of_this_machine()
            && elsewhere.try_send(json.clone()).is_err()
        {
            tracing::warn!("an event is not told to other processes: too many wait to be");
        }
        self.push(event.kind, event.task, event.experiment, json);
    }

    /// Tells everybody here.
    fn push(&self, kind: Kind, task: Option<TaskId>, experiment: Option<ExperimentNumber>, json: String) {
        let mut state = self.shared.state();
        let number = state.ring.latest() + 1;
        state.ring.push(Published {
            number,
            kind,
            task,
            experiment,
            json,
        });
        // Under the lock, so that it never goes back.
        self.shared.latest.send_replace(number);
    }

    /// Listens from now on, or from after the event of this id.
    pub(crate) fn subscribe(&self, filter: Filter, patience: Patience, after: Option<&str>) -> Subscription {
        Subscription::new(Arc::clone(&self.shared), filter, patience, after)
    }

    /// How many listen to this task, or to one of its experiments, and to nothing else.
    pub(crate) fn listeners(&self, task: TaskId) -> usize {
        self.shared.state().listeners.get(&task).copied().unwrap_or(0)
    }

    /// What the ids of this hub's events begin with: another one after every start.
    pub(crate) fn boot(&self) -> &str {
        &self.shared.boot
    }
}

#[cfg(test)]
mod tests;
