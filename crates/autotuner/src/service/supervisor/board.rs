//! What the worker does at the moment, for status pages and for people who wait.
//!
//! Never used to decide anything: it says what somebody last put down, and a death empties it. Where
//! several machines share a database, it shows what all of their workers do.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::space::Candidate;
use autotuner_load::Progress;
use serde::{Deserialize, Serialize};

/// What the worker does at the moment.
#[derive(Debug, Default)]
pub(crate) struct Board {
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    own: Snapshot,
    /// By the name of the machine.
    others: Vec<(String, Snapshot)>,
}

/// Everything that is on the board.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// When the worker last looked for something to do; `None` before it first has.
    pub(crate) last_tick_ms: Option<i64>,
    /// How many tasks may run at once.
    pub(crate) places: usize,
    /// The tasks that run, by id.
    #[serde(with = "by_id")]
    pub(crate) runs: BTreeMap<TaskId, RunShown>,
    /// What keeps the worker from taking on tasks.
    pub(crate) problem: Option<String>,
}

/// A task that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunShown {
    /// Its name.
    pub(crate) name: String,
    /// Which run of it.
    pub(crate) run: u32,
    /// Since when this worker has it.
    pub(crate) since_ms: i64,
    /// What it waits for as a whole.
    pub(crate) waits_for: Option<String>,
    /// How far it is; nothing while it is prepared.
    pub(crate) figures: Option<Figures>,
    /// Its experiments that are under way.
    #[serde(with = "by_number")]
    pub(crate) experiments: BTreeMap<ExperimentNumber, ExperimentShown>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Search experiments that are planned at most.
    pub(crate) planned: u32,
    /// Search experiments that have ended and count.
    pub(crate) done: u32,
    /// Repetitions of the best and the defaults that are planned at most.
    pub(crate) planned_again: u32,
    /// Repetitions that have ended and count.
    pub(crate) done_again: u32,
    /// How many may run at once.
    pub(crate) at_once: u32,
    /// Of the best: lower is better.
    pub(crate) best_score: Option<f64>,
    /// How long half of the experiments that have ended took at most, milliseconds; nothing before
    /// the first.
    pub(crate) usual_ms: Option<i64>,
}

/// An experiment that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExperimentShown {
    /// What is being done, in a word or two.
    pub(crate) phase: String,
    /// Since when.
    pub(crate) since_ms: i64,
    /// What it waits for.
    pub(crate) waits_for: Option<String>,
    /// What is tried; told by its own machine alone.
    #[serde(skip)]
    pub(crate) candidate: Option<Candidate>,
    /// What its benchmark last said; told by its own machine alone.
    #[serde(skip)]
    pub(crate) progress: Option<Progress>,
}

impl Figures {
    /// How long the rest takes at most, seconds, if it takes as long as what has ended did.
    pub(crate) fn left_seconds(&self) -> Option<f64> {
        let searched = self.planned.saturating_sub(self.done);
        let again = self.planned_again.saturating_sub(self.done_again);
        let left = searched.saturating_add(again);
        let usual = u64::try_from(self.usual_ms?).unwrap_or(0);
        let usual = Duration::from_millis(usual).as_secs_f64();
        Some(usual * f64::from(left) / f64::from(self.at_once.max(1)))
    }
}

impl Snapshot {
    /// What two workers do together.
    fn with(mut self, other: &Self) -> Self {
        self.last_tick_ms = self.last_tick_ms.max(other.last_tick_ms);
        self.places += other.places;
        for (task, run) in &other.runs {
            // What is known here is known best.
            self.runs.entry(*task).or_insert_with(|| run.clone());
        }
        self.problem = self.problem.or_else(|| other.problem.clone());
        self
    }
}

/// Maps whose keys are ids, as lists: keys of JSON are texts.
macro_rules! keyed_by {
    ($module:ident, $key:ident($number:ty)) => {
        mod $module {
            use std::collections::BTreeMap;

            use autotuner_core::ids::$key;
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            pub(super) fn serialize<S: Serializer, T: Serialize>(
                map: &BTreeMap<$key, T>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(map.iter().map(|($key(key), value)| (key, value)))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
                deserializer: D,
            ) -> Result<BTreeMap<$key, T>, D::Error> {
                let list = Vec::<($number, T)>::deserialize(deserializer)?;
                Ok(list
                    .into_iter()
                    .map(|(key, value)| ($key(key), value))
                    .collect())
            }
        }
    };
}

keyed_by!(by_id, TaskId(i64));
keyed_by!(by_number, ExperimentNumber(u32));

impl Board {
    /// Everything that is on it: what all workers do.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let Shown { own, others } = &*self.lock();
        others.iter().fold(own.clone(), |all, (_, other)| all.with(other))
    }

    /// What this process' worker does.
    pub(crate) fn own(&self) -> Snapshot {
        self.lock().own.clone()
    }

    /// What the workers of other processes do, as they last said.
    pub(crate) fn show_others(&self, others: Vec<(String, Snapshot)>) {
        self.lock().others = others;
    }

    /// Every worker, by the name of its machine: this process', if it has one, and those of others.
    pub(crate) fn workers(&self, here: &str) -> Vec<(String, Snapshot)> {
        let Shown { own, others } = &*self.lock();
        let own = own.last_tick_ms.map(|_| (here.to_owned(), own.clone()));
        own.into_iter().chain(others.iter().cloned()).collect()
    }

    /// What a task that is running waits for, where it waits: a place among those that run,
    /// processors, GPUs, an image, a daemon.
    pub(crate) fn waiting_for(&self, task: TaskId) -> Option<String> {
        let shown = self.lock();
        let boards = || std::iter::once(&shown.own).chain(shown.others.iter().map(|(_, other)| other));
        let Some(run) = boards().find_map(|board| board.runs.get(&task)) else {
            let places: usize = boards().map(|board| board.places).sum();
            let running: usize = boards().map(|board| board.runs.len()).sum();
            let is_full = places > 0 && running >= places;
            return is_full.then(|| format!("waiting for one of {places} running tasks to end"));
        };
        let experiments = || run.experiments.values();
        let all_wait = experiments().all(|experiment| experiment.waits_for.is_some());
        let first = || experiments().find_map(|experiment| experiment.waits_for.clone());
        run.waits_for.clone().or_else(|| first().filter(|_| all_wait))
    }

    /// When the worker last looked for something to do: this process', or else that of another.
    pub(crate) fn last_tick_ms(&self) -> Option<i64> {
        let shown = self.lock();
        let others = shown.others.iter().filter_map(|(_, other)| other.last_tick_ms);
        shown.own.last_tick_ms.or_else(|| others.max())
    }

    pub(crate) fn tick(&self, now_ms: i64, places: usize) {
        let shown = &mut self.lock().own;
        shown.last_tick_ms = Some(now_ms);
        shown.places = places;
    }

    pub(super) fn note_problem(&self, problem: Option<String>) {
        self.lock().own.problem = problem;
    }

    pub(in crate::service) fn begin(&self, task: TaskId, run: RunShown) {
        self.lock().own.runs.insert(task, run);
    }

    pub(super) fn end(&self, task: TaskId) {
        self.lock().own.runs.remove(&task);
    }

    /// A task waits for something as a whole, or no more.
    pub(super) fn wait(&self, task: TaskId, what: Option<String>) {
        if let Some(run) = self.lock().own.runs.get_mut(&task) {
            run.waits_for = what;
        }
    }

    /// An experiment is in this phase now; since when, it keeps where the phase is no new one.
    pub(in crate::service) fn phase(&self, task: TaskId, number: ExperimentNumber, phase: &str, now_ms: i64) {
        if let Some(run) = self.lock().own.runs.get_mut(&task) {
            let shown = run.experiments.entry(number).or_insert_with(|| ExperimentShown {
                phase: String::new(),
                since_ms: now_ms,
                waits_for: None,
                candidate: None,
                progress: None,
            });
            if shown.phase != phase {
                phase.clone_into(&mut shown.phase);
                shown.since_ms = now_ms;
            }
            shown.waits_for = None;
        }
    }

    /// How far a run is by now.
    pub(super) fn figures(&self, task: TaskId, figures: Figures) {
        if let Some(run) = self.lock().own.runs.get_mut(&task) {
            run.figures = Some(figures);
        }
    }

    /// What an experiment that is on the board tries.
    pub(super) fn tries(&self, task: TaskId, number: ExperimentNumber, candidate: &Candidate) {
        self.with(task, number, |shown| shown.candidate = Some(candidate.clone()));
    }

    /// What the benchmark of an experiment that is on the board says.
    pub(super) fn measures(&self, task: TaskId, number: ExperimentNumber, progress: &Progress) {
        self.with(task, number, |shown| shown.progress = Some(progress.clone()));
    }

    fn with(&self, task: TaskId, number: ExperimentNumber, change: impl FnOnce(&mut ExperimentShown)) {
        let mut all = self.lock();
        let run = all.own.runs.get_mut(&task);
        if let Some(shown) = run.and_then(|run| run.experiments.get_mut(&number)) {
            change(shown);
        }
    }

    /// An experiment waits for something, or no more. Whether that is news.
    pub(in crate::service) fn experiment_waits(
        &self,
        task: TaskId,
        number: ExperimentNumber,
        what: Option<&str>,
    ) -> bool {
        let mut all = self.lock();
        let run = all.own.runs.get_mut(&task);
        let Some(shown) = run.and_then(|run| run.experiments.get_mut(&number)) else {
            return false;
        };
        let is_news = shown.waits_for.as_deref() != what;
        shown.waits_for = what.map(str::to_owned);
        is_news
    }

    pub(super) fn experiment_ended(&self, task: TaskId, number: ExperimentNumber) {
        if let Some(run) = self.lock().own.runs.get_mut(&task) {
            run.experiments.remove(&number);
        }
    }

    /// Every change is complete before the lock is let go.
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: TaskId = TaskId(3);

    fn board() -> Board {
        let board = Board::default();
        board.tick(1, 1);
        board.begin(
            TASK,
            RunShown {
                name: "t".into(),
                run: 1,
                since_ms: 1,
                waits_for: None,
                figures: None,
                experiments: BTreeMap::new(),
            },
        );
        board
    }

    #[test]
    fn the_rest_takes_as_long_as_what_has_ended() {
        let check = |(planned, planned_again), (done, done_again), at_once, usual_ms, expected| {
            let figures = Figures {
                planned,
                done,
                planned_again,
                done_again,
                at_once,
                best_score: None,
                usual_ms,
            };
            assert_eq!(figures.left_seconds(), expected, "{figures:?}");
        };
        check((10, 0), (4, 0), 1, Some(30_000), Some(180.0));
        check((10, 0), (4, 0), 2, Some(30_000), Some(90.0));
        check((10, 4), (4, 0), 2, Some(30_000), Some(150.0));
        check((10, 4), (10, 1), 1, Some(30_000), Some(90.0));
        check((10, 0), (12, 1), 0, Some(30_000), Some(0.0));
        check((10, 2), (0, 0), 1, None, None);
    }

    #[test]
    fn what_a_task_waits_for_is_what_all_of_it_waits_for() {
        let board = board();
        let (first, second) = (ExperimentNumber(1), ExperimentNumber(2));
        board.phase(TASK, first, "starting", 5);
        assert_eq!(board.waiting_for(TASK), None);
        board.experiment_waits(TASK, first, Some("GPUs"));
        assert_eq!(board.waiting_for(TASK).as_deref(), Some("GPUs"));
        board.phase(TASK, second, "benchmarking", 6);
        assert_eq!(board.waiting_for(TASK), None, "one goes on");
        board.experiment_ended(TASK, second);
        board.wait(TASK, Some("the daemon".into()));
        assert_eq!(board.waiting_for(TASK).as_deref(), Some("the daemon"));
        board.wait(TASK, None);
        board.experiment_waits(TASK, first, None);
        assert_eq!(board.waiting_for(TASK), None);
    }

    #[test]
    fn a_task_that_is_not_taken_on_waits_for_a_place() {
        let board = board();
        let other = TaskId(4);
        assert_eq!(
            board.waiting_for(other).as_deref(),
            Some("waiting for one of 1 running tasks to end")
        );
        board.end(TASK);
        assert_eq!(board.waiting_for(other), None, "it is about to be taken on");
    }

    #[test]
    fn what_others_do_is_shown_beside_what_is_done_here() {
        let (here, there) = (Board::default(), board());
        there.phase(TASK, ExperimentNumber(2), "benchmarking", 5);
        there.note_problem(Some("no disk".into()));
        let said = serde_json::to_string(&there.own()).expect("JSON");
        let heard: Snapshot = serde_json::from_str(&said).expect("the same");
        assert_eq!(heard, there.own());
        let others = [heard, Snapshot::default()].map(|board| ("there".to_owned(), board));
        here.show_others(others.to_vec());
        assert_eq!(here.snapshot(), there.own());
        assert_eq!(here.workers("here").len(), 2);
        here.tick(9, 2);
        assert_eq!(here.workers("here")[0].0, "here");
        let all = here.snapshot();
        assert_eq!((all.last_tick_ms, all.places, all.runs.len()), (Some(9), 3, 1));
        assert_eq!((here.own().runs.len(), here.waiting_for(TaskId(4))), (0, None));
        here.show_others(Vec::new());
        assert_eq!(here.snapshot(), here.own());
    }

    #[test]
    fn a_phase_has_lasted_since_it_began() {
        let board = board();
        let number = ExperimentNumber(1);
        board.phase(TASK, number, "deploying", 5);
        board.phase(TASK, number, "deploying", 6);
        let since = |board: &Board| board.snapshot().runs[&TASK].experiments[&number].since_ms;
        assert_eq!(since(&board), 5);
        board.phase(TASK, number, "benchmarking", 7);
        assert_eq!(since(&board), 7);
        assert_eq!(board.last_tick_ms(), Some(1));
    }
}
