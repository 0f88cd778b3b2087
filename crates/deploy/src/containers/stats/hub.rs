//! Who is looked at, what was seen, and when enough is enough.
//!
//! The idea: a map from containers to what is shared about each. Joining and leaving happen under
//! the map's lock, so that nobody joins what is just being given up. What a container's own task
//! holds is no part of what keeps [`super::Containers`] alive: when that goes, all of it goes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::gpus::GpuWatch;
use super::upstream::follow;
use super::usage::Usage;
use crate::containers::{ContainerError, ContainerId, Shared};

/// Figures that are kept of each container: one a second for five minutes.
const KEPT: usize = 300;

/// Containers that are looked at together at most.
const MOST_WATCHED: usize = 256;

/// How long a container is looked at when nobody has asked any more.
const LINGER: Duration = Duration::from_secs(30);

/// Everybody who is looked at.
#[derive(Debug)]
pub(in crate::containers) struct Stats {
    watched: Mutex<HashMap<ContainerId, Arc<Watched>>>,
    pub(super) gpus: GpuWatch,
    tasks: TaskTracker,
    end: CancellationToken,
    _guard: DropGuard,
}

/// What is shared about one container.
#[derive(Debug)]
pub(super) struct Watched {
    states: watch::Sender<State>,
    history: Mutex<VecDeque<Arc<Usage>>>,
    asked_at: Mutex<Instant>,
}

/// How far it is.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The last figures.
    pub(super) latest: Option<Arc<Usage>>,
    /// How many there have been.
    pub(super) count: u64,
    /// Why there will be no more.
    pub(super) end: Option<End>,
}

/// Why there will be no more figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The container is gone.
    Removed,
    /// Something else came between.
    Failed(ContainerError),
}

impl Default for Stats {
    fn default() -> Self {
        let end = CancellationToken::new();
        Self {
            watched: Mutex::default(),
            gpus: GpuWatch::default(),
            tasks: TaskTracker::new(),
            _guard: end.clone().drop_guard(),
            end,
        }
    }
}

/// Joins those who look at a container, or begins.
pub(super) fn join(
    shared: &Arc<Shared>,
    container: &ContainerId,
) -> Result<(Arc<Watched>, watch::Receiver<State>), ContainerError> {
    let stats = &shared.stats;
    let mut all = stats.lock();
    if let Some(watched) = all.get(container) {
        *lock(&watched.asked_at) = Instant::now();
        return Ok((Arc::clone(watched), watched.states.subscribe()));
    }
    make_room(&mut all)?;
    let watched = Arc::new(Watched {
        states: watch::Sender::default(),
        history: Mutex::default(),
        asked_at: Mutex::new(Instant::now()),
    });
    let states = watched.states.subscribe();
    all.insert(container.clone(), Arc::clone(&watched));
    let following = follow(Arc::downgrade(shared), container.clone(), Arc::clone(&watched));
    stats
        .tasks
        .spawn(stats.end.clone().run_until_cancelled_owned(following));
    Ok((watched, states))
}

/// Gives up the one that was asked for longest ago, where there are as many as may be.
fn make_room(all: &mut HashMap<ContainerId, Arc<Watched>>) -> Result<(), ContainerError> {
    if all.len() < MOST_WATCHED {
        return Ok(());
    }
    let idle = all.iter().filter(|(_, watched)| !watched.is_held());
    let longest_idle = idle.min_by_key(|(_, watched)| *lock(&watched.asked_at));
    let Some(container) = longest_idle.map(|(container, _)| container.clone()) else {
        return Err(ContainerError::Conflict {
            message: format!(
                "{MOST_WATCHED} containers are being looked at already: close one of them, and try again"
            ),
        });
    };
    all.remove(&container);
    Ok(())
}

impl Stats {
    /// Whether to go on: somebody holds a watch, or has asked not long ago. Otherwise it is not
    /// in the map any more.
    pub(super) fn is_wanted(&self, container: &ContainerId, watched: &Arc<Watched>) -> bool {
        let mut all = self.lock();
        let is_known = all
            .get(container)
            .is_some_and(|known| Arc::ptr_eq(known, watched));
        if !is_known {
            return watched.is_held();
        }
        let is_wanted = watched.is_held() || lock(&watched.asked_at).elapsed() < LINGER;
        if !is_wanted {
            all.remove(container);
        }
        is_wanted
    }

    /// Tells everybody that there will be no more. Who asks next begins anew.
    pub(super) fn end(&self, container: &ContainerId, watched: &Arc<Watched>, end: End) {
        let mut all = self.lock();
        if all
            .get(container)
            .is_some_and(|known| Arc::ptr_eq(known, watched))
        {
            all.remove(container);
        }
        watched.states.send_modify(|state| state.end = Some(end));
    }

    /// How many containers are looked at.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ContainerId, Arc<Watched>>> {
        lock(&self.watched)
    }
}

impl Watched {
    /// Takes in the next figures.
    pub(super) fn take(&self, usage: Usage) {
        let usage = Arc::new(usage);
        let mut history = lock(&self.history);
        if history.len() == KEPT {
            history.pop_front();
        }
        history.push_back(Arc::clone(&usage));
        drop(history);
        self.states.send_modify(|state| {
            state.latest = Some(usage);
            state.count += 1;
        });
    }

    /// All figures that are kept, oldest first.
    pub(super) fn history(&self) -> Vec<Arc<Usage>> {
        lock(&self.history).iter().cloned().collect()
    }

    fn is_held(&self) -> bool {
        self.states.receiver_count() > 0
    }
}

/// Nothing is ever left half done in there.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
