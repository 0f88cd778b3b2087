//! The latest events, in order: bounded in number and in bytes.
//!
//! Progress of a benchmark comes often and only its latest is of use, so a later one takes the
//! earlier one's place: it leaves a gap in the numbers that means nothing. What had to go for
//! want of room does mean something, and is remembered by its number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use autotuner_core::ids::{ExperimentNumber, TaskId};

use super::{Kind, Published};

/// Events that are kept: minutes of a busy service, so that a laptop's short sleep or a proxy's
/// cut connection needs no resync.
const MOST_EVENTS: usize = 4096;

/// Bytes of JSON that are kept.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The latest events.
#[derive(Debug, Default)]
pub(super) struct Ring {
    kept: BTreeMap<u64, Arc<Published>>,
    bytes: usize,
    /// The number of each experiment's latest progress, as long as it is kept.
    progress: HashMap<(TaskId, ExperimentNumber), u64>,
    latest: u64,
    forgotten: u64,
}

impl Ring {
    /// The number of the latest event, 0 before the first.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// The number of the latest event that had to go for want of room, 0 where none had.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Keeps an event, whose number is larger than those before.
    pub(super) fn push(&mut self, event: Published) {
        self.latest = event.number;
        self.bytes += event.json.len();
        if let Some(experiment) = progress_of(&event) {
            let earlier = self.progress.insert(experiment, event.number);
            if let Some(earlier) = earlier.and_then(|number| self.kept.remove(&number)) {
                self.bytes -= earlier.json.len();
            }
        }
        self.kept.insert(event.number, Arc::new(event));
        while self.kept.len() > MOST_EVENTS || self.bytes > MOST_BYTES {
            self.forget_oldest();
        }
    }

    /// Forgets everything, as if more had been told than there is room for. Gives the number
    /// that stands for it.
    pub(super) fn lose(&mut self) -> u64 {
        self.latest += 1;
        self.kept.clear();
        self.progress.clear();
        self.bytes = 0;
        self.forgotten = self.latest;
        self.latest
    }

    fn forget_oldest(&mut self) {
        let Some((number, event)) = self.kept.pop_first() else {
            return;
        };
        self.bytes -= event.json.len();
        self.forgotten = number;
        if let Some(experiment) = progress_of(&event) {
            self.progress.remove(&experiment);
        }
    }

    /// What is kept of the events after this number, oldest first.
    pub(super) fn after(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<Published>> {
        self.kept
            .range(number.saturating_add(1)..)
            .map(|(_, event)| event)
    }
}

fn progress_of(event: &Published) -> Option<(TaskId, ExperimentNumber)> {
    match event.kind {
        Kind::BenchmarkProgress => event.task.zip(event.experiment),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, kind: Kind, experiment: u32, size: usize) -> Published {
        Published {
            number,
            kind,
            task: Some(TaskId(1)),
            experiment: Some(ExperimentNumber(experiment)),
            json: "x".repeat(size),
        }
    }

    fn numbers(ring: &Ring, after: u64) -> Vec<u64> {
        ring.after(after).map(|event| event.number).collect()
    }

    #[test]
    fn the_oldest_go_for_want_of_room() {
        let mut ring = Ring::default();
        for number in 1..=MOST_EVENTS as u64 {
            ring.push(event(number, Kind::TaskUpdated, 1, 10));
        }
        assert_eq!((ring.forgotten(), ring.kept.len()), (0, MOST_EVENTS));
        ring.push(event(MOST_EVENTS as u64 + 1, Kind::TaskUpdated, 1, 10));
        assert_eq!(ring.forgotten(), 1);
        ring.push(event(MOST_EVENTS as u64 + 2, Kind::TaskUpdated, 1, MOST_BYTES));
        assert_eq!(ring.forgotten(), MOST_EVENTS as u64 + 1, "bytes count too");
        assert_eq!(ring.bytes, MOST_BYTES);
    }

    #[test]
    fn later_progress_takes_the_place_of_earlier() {
        let mut ring = Ring::default();
        ring.push(event(1, Kind::ExperimentStarted, 1, 10));
        for number in 2..100_000 {
            ring.push(event(
                number,
                Kind::BenchmarkProgress,
                1 + u32::from(number % 2 == 0),
                10,
            ));
        }
        ring.push(event(100_000, Kind::ExperimentCompleted, 1, 10));
        assert_eq!(numbers(&ring, 0), [1, 99_998, 99_999, 100_000]);
        assert_eq!(numbers(&ring, 99_998), [99_999, 100_000]);
        assert_eq!((ring.forgotten(), ring.bytes, ring.latest()), (0, 40, 100_000));
    }

    #[test]
    fn progress_that_had_to_go_is_not_looked_for() {
        let mut ring = Ring::default();
        ring.push(event(1, Kind::BenchmarkProgress, 1, 10));
        ring.push(event(2, Kind::TaskUpdated, 1, MOST_BYTES));
        assert!(ring.progress.is_empty());
        ring.push(event(3, Kind::BenchmarkProgress, 1, 10));
        ring.push(event(4, Kind::BenchmarkProgress, 1, 10));
        assert_eq!((numbers(&ring, 0), ring.bytes), (vec![4], 10));
    }
}
