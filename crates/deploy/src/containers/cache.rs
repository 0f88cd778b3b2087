//! Containers as they were last looked at, as long as that is known to hold.
//!
//! The idea: what was seen of a container holds until the daemon tells of something that happened
//! to it. So nothing is kept while nobody listens to the daemon, and a look that was begun before
//! something happened is not kept either: it may show how it was before.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Container, ContainerId};

/// Containers of which it is remembered when something happened to them. Beyond, looks that are
/// under way are not kept.
const MOST_TOUCHED: usize = 4096;

/// What is known of each container.
#[derive(Default)]
pub(super) struct Cache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether the daemon is listened to, or about to be: what is seen may be kept.
    is_live: bool,
    /// Whether it is known to tell: what was kept holds.
    is_trusted: bool,
    /// What happened so far, counted.
    clock: u64,
    /// When nothing was known last.
    emptied: u64,
    /// When something happened to each container last.
    touched: HashMap<ContainerId, u64>,
    known: HashMap<ContainerId, Container>,
}

/// When a look was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begun(u64);

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every change is told of by [`touch`](Self::touch).
    pub(super) fn begin(&self) {
        self.set(true);
    }

    /// The daemon tells of changes.
    pub(super) fn trust(&self) {
        let mut state = self.state();
        state.is_trusted = state.is_live;
    }

    /// Changes may pass unnoticed from now on.
    pub(super) fn end(&self) {
        self.set(false);
    }

    fn set(&self, is_live: bool) {
        let mut state = self.state();
        state.clock += 1;
        state.emptied = state.clock;
        state.is_live = is_live;
        state.is_trusted = false;
        state.touched.clear();
        state.known.clear();
    }

    /// Whether changes are told of.
    pub(super) fn is_trusted(&self) -> bool {
        self.state().is_trusted
    }

    /// Something happened to a container.
    pub(super) fn touch(&self, id: &ContainerId) {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        state.known.remove(id);
        if state.touched.len() >= MOST_TOUCHED {
            state.emptied = now;
            state.touched.clear();
        }
        if state.is_live {
            state.touched.insert(id.clone(), now);
        }
    }

    /// Now.
    pub(super) fn now(&self) -> Begun {
        Begun(self.state().clock)
    }

    /// Keeps what a look found that was begun then, unless something may have happened since.
    pub(super) fn keep(&self, begun: Begun, container: &Container) {
        let mut state = self.state();
        let touched = state.touched.get(&container.id).copied().unwrap_or_default();
        if state.is_live && begun.0 >= touched.max(state.emptied) {
            state.known.insert(container.id.clone(), container.clone());
        }
    }

    /// What is known of a container, if that holds.
    pub(super) fn get(&self, id: &ContainerId) -> Option<Container> {
        let state = self.state();
        state.known.get(id).filter(|_| state.is_trusted).cloned()
    }

    /// Forgets every container but these, which are all that there are.
    pub(super) fn retain(&self, begun: Begun, there: &HashSet<ContainerId>) {
        let mut state = self.state();
        state.known.retain(|id, _| there.contains(id));
        // One that something happened to meanwhile may be newer than the list.
        state
            .touched
            .retain(|id, touched| there.contains(id) || *touched > begun.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::containers::testing::container;

    #[test]
    fn what_was_seen_holds_until_something_happens() {
        let cache = Cache::default();
        let seen = container(1, "running");
        let id = seen.id.clone();
        cache.keep(cache.now(), &seen);
        assert_eq!(cache.get(&id), None, "nobody listens");
        cache.begin();
        cache.keep(cache.now(), &seen);
        assert_eq!(
            cache.get(&id),
            None,
            "it is not known yet whether anything is heard"
        );
        cache.trust();
        assert_eq!(cache.get(&id), Some(seen.clone()));
        cache.touch(&id);
        assert_eq!(cache.get(&id), None);
        cache.keep(cache.now(), &seen);
        cache.end();
        assert_eq!(cache.get(&id), None, "nobody listens any more");
    }

    #[test]
    fn a_look_that_something_overtook_is_not_kept() {
        let cache = Cache::default();
        let (one, other) = (container(1, "running"), container(2, "running"));
        let before_all = cache.now();
        cache.begin();
        cache.trust();
        cache.keep(before_all, &one);
        assert_eq!(cache.get(&one.id), None);
        let begun = cache.now();
        cache.touch(&one.id);
        cache.keep(begun, &one);
        cache.keep(begun, &other);
        assert_eq!(cache.get(&one.id), None);
        assert!(cache.get(&other.id).is_some(), "nothing happened to it");
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let cache = Cache::default();
        cache.begin();
        cache.trust();
        let (one, other) = (container(1, "running"), container(2, "running"));
        cache.keep(cache.now(), &one);
        cache.keep(cache.now(), &other);
        cache.retain(cache.now(), &HashSet::from([one.id.clone()]));
        assert!(cache.get(&one.id).is_some());
        assert_eq!(cache.get(&other.id), None);
    }
}
