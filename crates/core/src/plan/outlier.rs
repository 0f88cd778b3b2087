//! What to measure once more while the search goes on: a run that was slow for no reason of its own.
//!
//! A further attempt at the same candidate costs a start and nothing of the search's budget, and
//! both of its measurements count from then on.

use super::{History, Next};
use crate::experiment::Experiment;
use crate::search::{Role, doubted};

/// Measurements without which nothing can be expected of a candidate.
const ENOUGH: usize = 8;

/// Of so many candidates one may be measured once more, rounded up.
const OF: u32 = 10;

impl History<'_> {
    /// What is to be measured once more; nothing if all runs are what others lead to expect, or as
    /// many as may be are on record.
    pub(super) fn once_more(&self, decided: &[Next]) -> Option<Next> {
        let searched = || {
            let all = self.experiments.iter();
            all.filter(|experiment| experiment.role == Role::Search)
        };
        let scored = searched()
            .filter(|experiment| experiment.score().is_some())
            .count();
        let once_more = searched()
            .filter(|experiment| self.is_once_more(experiment))
            .count();
        let most = self.task.search.max_iterations.div_ceil(OF);
        let is_open = |next: &Next| next.role == Role::Search && next.attempt > 1;
        let is_running = searched().any(|experiment| experiment.attempt > 1 && !experiment.status.is_ended());
        if scored < ENOUGH || once_more >= most as usize || is_running || decided.iter().any(is_open) {
            return None;
        }
        let slow = self
            .doubted
            .get_or_init(|| self.situation.told(&[], self.begun(decided), doubted));
        let slow = slow.as_ref()?;
        let of = searched().rfind(|experiment| experiment.candidate.key() == *slow)?;
        // Whoever looks at the same history later must see the same: only the one attempt.
        (of.score().is_some() && of.attempt == 1).then(|| Next {
            role: Role::Search,
            candidate: of.candidate.clone(),
            reason: "measured once more: slower than all others together would have expected".into(),
            attempt: 2,
        })
    }

    /// Whether it is a further attempt at what had a score already.
    fn is_once_more(&self, experiment: &Experiment) -> bool {
        let is_first = |other: &Experiment| {
            other.score().is_some()
                && other.number < experiment.number
                && other.role == experiment.role
                && other.candidate.key() == experiment.candidate.key()
        };
        self.experiments.iter().any(is_first)
    }
}
