//! One listener's place in the ring.
//!
//! A listener holds a number and nothing else: what it has yet to hear lies in the ring that all
//! share. Only its own asking moves it on.

use std::sync::Arc;

use autotuner_core::ids::{ExperimentNumber, TaskId};
use tokio::sync::watch;

use super::{Published, Shared, State};

/// Which events somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All.
    Everything,
    /// Those of a task and of its experiments.
    Task(TaskId),
    /// Those of one experiment of a task.
    Experiment(TaskId, ExperimentNumber),
}

impl Filter {
    fn wants(self, event: &Published) -> bool {
        match self {
            Self::Everything => true,
            Self::Task(task) => event.task == Some(task),
            Self::Experiment(task, number) => event.task == Some(task) && event.experiment == Some(number),
        }
    }

    fn task(self) -> Option<TaskId> {
        match self {
            Self::Everything => None,
            Self::Task(task) | Self::Experiment(task, _) => Some(task),
        }
    }
}

/// How far behind somebody may be, and what becomes of who is further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Unheard events with which it is told nothing; the ring has an end of its own.
    pub(crate) most_unheard: usize,
    /// The latest that it still gets after a resync.
    pub(crate) kept: usize,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// Something happened.
    Event(Arc<Published>),
    /// Events were missed for good: ask for everything again.
    Resync,
}

/// A listener.
pub(crate) struct Subscription {
    shared: Arc<Shared>,
    latest: watch::Receiver<u64>,
    filter: Filter,
    patience: Patience,
    /// The number of the last event that was heard or passed over.
    heard: u64,
    /// Whether it could not be taken up where it was.
    is_lost: bool,
}

impl Subscription {
    pub(super) fn new(shared: Arc<Shared>, filter: Filter, patience: Patience, after: Option<&str>) -> Self {
        let latest = shared.latest.subscribe();
        let mut state = shared.state();
        let newest = state.ring.latest();
        let resumed = after.map(|id| {
            let (boot, number) = id.rsplit_once('-')?;
            let number = number.parse().ok()?;
            (boot == shared.boot && number <= newest).then_some(number)
        });
        if let Some(task) = filter.task() {
            *state.listeners.entry(task).or_default() += 1;
        }
        drop(state);
        Self {
            shared,
            latest,
            filter,
            patience,
            heard: resumed.flatten().unwrap_or(newest),
            is_lost: resumed == Some(None),
        }
    }

    /// The next event that is wanted. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> Notice {
        loop {
            self.latest.mark_unchanged();
            if let Some(notice) = self.take() {
                return notice;
            }
            self.latest
                .changed()
                .await
                .expect("the sender lives in what this holds");
        }
    }

    /// The id after which to go on, once what was given out so far has arrived.
    pub(crate) fn position(&self) -> String {
        format!("{}-{}", self.shared.boot, self.heard)
    }

    fn take(&mut self) -> Option<Notice> {
        let shared = Arc::clone(&self.shared);
        let state = shared.state();
        if self.is_lost || self.is_late(&state) {
            self.is_lost = false;
            self.heard = self.place_after_resync(&state);
            return Some(Notice::Resync);
        }
        let next = state
            .ring
            .after(self.heard)
            .find(|event| self.filter.wants(event));
        // What is not wanted is passed over, so that it is never looked at twice.
        self.heard = next.map_or(state.ring.latest(), |event| event.number);
        next.map(|event| Notice::Event(Arc::clone(event)))
    }

    fn is_late(&self, state: &State) -> bool {
        let most = self.patience.most_unheard;
        let has_lost = self.heard < state.ring.forgotten();
        has_lost || {
            let behind = state.ring.latest() - self.heard;
            behind > most as u64 && self.unheard(state).nth(most).is_some()
        }
    }

    fn unheard<'a>(&self, state: &'a State) -> impl DoubleEndedIterator<Item = &'a Arc<Published>> + use<'a> {
        let filter = self.filter;
        state
            .ring
            .after(self.heard)
            .filter(move |event| filter.wants(event))
    }

    fn place_after_resync(&self, state: &State) -> u64 {
        let oldest_kept = self.unheard(state).rev().take(self.patience.kept).last();
        oldest_kept.map_or(state.ring.latest(), |event| event.number - 1)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(task) = self.filter.task() else {
            return;
        };
        let mut state = self.shared.state();
        if let Some(count) = state.listeners.get_mut(&task) {
            *count -= 1;
            if *count == 0 {
                state.listeners.remove(&task);
            }
        }
    }
}
