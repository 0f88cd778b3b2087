//! Passes on what happens while a task runs: to the event hub, and to the board.
//!
//! Events carry what a page shows at once; everything else is asked for over REST.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::plan::Next;
use autotuner_core::score::Score;
use autotuner_core::search::Role;
use autotuner_core::space::{CandidateKey, Size};
use autotuner_core::task::Task;
use autotuner_deploy::{FetchProgress, Watcher};
use autotuner_load::Progress;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::Service;
use super::super::events::{Event as Hint, Kind};
use super::board::Figures;
use crate::report::metrics;
use crate::report::progress::LiveProgress;
use crate::worker::{Event, Reporter};

/// Shortest time between two hints of one experiment's progress.
const HINT_PAUSE: Duration = Duration::from_millis(250);

/// Tells of one run of one task.
pub(super) struct Teller {
    service: Arc<Service>,
    task: TaskId,
    /// Search experiments that are planned at most.
    planned: u32,
    /// Repetitions that are planned at most.
    planned_again: u32,
    /// Experiments that may run at once.
    at_once: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Experiments on record, every attempt counted.
    total: usize,
    successful: usize,
    /// Search experiments that count and have ended.
    done: u32,
    /// The configurations that these are of.
    searched: HashSet<CandidateKey>,
    /// Repetitions that count and have ended.
    done_again: u32,
    best: Option<Score>,
    /// How long each one that has ended and was not lost took, milliseconds, in order.
    took_ms: Vec<i64>,
    /// When an experiment's progress was last told.
    told: HashMap<ExperimentNumber, Instant>,
}

impl Teller {
    /// Tells of a run that begins, or goes on after these experiments.
    pub(super) fn new(service: Arc<Service>, id: TaskId, task: &Task, history: &[Experiment]) -> Self {
        let size = match task.space.size() {
            Size::Finite(size) => u32::try_from(size).unwrap_or(u32::MAX),
            Size::Infinite => u32::MAX,
        };
        let mut state = State::default();
        for experiment in history {
            state.total += 1;
            state.note(experiment);
        }
        let teller = Self {
            service,
            task: id,
            planned: task.search.max_iterations.min(size),
            planned_again: task.most_replicates(),
            at_once: task.search.max_parallel_experiments,
            state: Mutex::new(state),
        };
        teller.show();
        teller
    }

    /// Puts on the board how far the run is.
    fn show(&self) {
        let state = self.state();
        let figures = Figures {
            planned: self.planned,
            done: state.done,
            planned_again: self.planned_again,
            done_again: state.done_again,
            at_once: self.at_once,
            best_score: state.best.as_ref().map(Score::lower_is_better),
            usual_ms: state.usual_ms(),
        };
        drop(state);
        self.service.board.figures(self.task, figures);
    }

    fn hint(&self, kind: Kind, number: Option<ExperimentNumber>, message: Option<String>, data: Value) {
        self.service.events.publish(Hint {
            kind,
            task: Some(self.task),
            experiment: number,
            message,
            data,
        });
    }

    fn progress(&self, number: ExperimentNumber) {
        let state = self.state();
        let data = json!({
            "current_experiment": number.0,
            "total_experiments": state.total,
            "successful_experiments": state.successful,
            "planned_experiments": self.planned,
            "progress_percent": percent(state.done, self.planned),
            "best_score": state.best.as_ref().map(Score::lower_is_better),
        });
        drop(state);
        self.hint(Kind::TaskProgress, None, None, data);
    }

    fn begun(&self, number: ExperimentNumber, next: &Next) {
        self.phase(number, "starting");
        self.service.board.tries(self.task, number, &next.candidate);
        self.state().total += 1;
        let data = json!({
            "parameters": next.candidate.to_json(),
            "status": "pending",
            "role": next.role.as_str(),
            "attempt": next.attempt,
        });
        self.hint(
            Kind::ExperimentStarted,
            Some(number),
            Some(next.reason.clone()),
            data,
        );
        self.progress(number);
    }

    fn ended(&self, experiment: &Experiment) {
        let number = experiment.number;
        self.service.board.experiment_ended(self.task, number);
        {
            let mut state = self.state();
            state.told.remove(&number);
            state.note(experiment);
        }
        self.show();
        let measured = experiment.measured();
        let failure = experiment.failure();
        let ended = experiment.ended_at_ms.unwrap_or(experiment.started_at_ms);
        let elapsed = u64::try_from(ended.saturating_sub(experiment.started_at_ms)).unwrap_or(0);
        let data = json!({
            "status": experiment.status.as_str(),
            "metrics": measured.map(|measured| metrics::experiment(&measured.metrics)),
            "objective_score": experiment.score().map(Score::lower_is_better),
            "elapsed_time": Duration::from_millis(elapsed).as_secs_f64(),
            "failure_kind": failure.map(|failure| failure.kind.as_str()),
        });
        let kind = match failure {
            None => Kind::ExperimentCompleted,
            Some(_) => Kind::ExperimentFailed,
        };
        let message = failure.map(|failure| failure.message.clone());
        self.hint(kind, Some(number), message, data);
        self.progress(number);
    }

    fn measuring(&self, number: ExperimentNumber, progress: &Progress) {
        let phase = if progress.warming_up {
            "warming up"
        } else {
            "benchmarking"
        };
        self.phase(number, phase);
        self.service.board.measures(self.task, number, progress);
        if !self.is_due(number, progress.completed + progress.failed >= progress.planned) {
            return;
        }
        let shown = LiveProgress::of(progress);
        let mut data = serde_json::to_value(shown).expect("every key is a text, and no part fails");
        data["status"] = phase.replace(' ', "_").into();
        self.hint(Kind::BenchmarkProgress, Some(number), None, data);
    }

    /// Whether an experiment's progress is to be told again. The end of a level always is.
    fn is_due(&self, number: ExperimentNumber, is_end: bool) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        let is_early = |told: &Instant| now.duration_since(*told) < HINT_PAUSE;
        if !is_end && state.told.get(&number).is_some_and(is_early) {
            return false;
        }
        state.told.insert(number, now);
        true
    }

    /// Only what is waited for before an engine is started comes here.
    fn waiting(&self, number: ExperimentNumber, what: Option<&str>) {
        if self.service.board.experiment_waits(self.task, number, what) {
            let data = json!({"status": ExperimentStatus::Deploying.as_str(), "waiting_for": what});
            let message = what.map(str::to_owned);
            self.hint(Kind::ExperimentProgress, Some(number), message, data);
        }
    }

    fn phase(&self, number: ExperimentNumber, phase: &str) {
        let now = self.service.clock.now_ms();
        self.service.board.phase(self.task, number, phase, now);
    }

    fn fetch(&self, number: Option<ExperimentNumber>, progress: &FetchProgress) {
        let what = fetching(progress);
        match number {
            Some(number) => {
                let board = &self.service.board;
                board.experiment_waits(self.task, number, Some(&what));
            }
            None => self.service.board.wait(self.task, Some(what)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, experiment: &Experiment) {
        if experiment.status.is_ended() && !experiment.is_lost() {
            match experiment.role {
                Role::Baseline => {}
                // One that was measured once more is no further configuration.
                Role::Search if self.searched.insert(experiment.candidate.key()) => self.done += 1,
                Role::Search => {}
                Role::Replicate => self.done_again += 1,
            }
        }
        if let Some(ended) = experiment.ended_at_ms.filter(|_| !experiment.is_lost()) {
            let took = ended.saturating_sub(experiment.started_at_ms);
            let place = self.took_ms.partition_point(|other| *other < took);
            self.took_ms.insert(place, took);
        }
        if let Some(score) = experiment.score() {
            self.successful += 1;
            if self.best.as_ref().is_none_or(|best| score > best) {
                self.best = Some(score.clone());
            }
        }
    }

    /// The median of how long they took.
    fn usual_ms(&self) -> Option<i64> {
        let (upper, lower) = (self.took_ms.len() / 2, self.took_ms.len().saturating_sub(1) / 2);
        Some(i64::midpoint(
            *self.took_ms.get(lower)?,
            *self.took_ms.get(upper)?,
        ))
    }
}

impl Reporter for Teller {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Begun { number, next } => self.begun(number, next),
            Event::Moved { number, status } => {
                self.phase(number, status.as_str());
                let data = json!({"status": status.as_str()});
                self.hint(Kind::ExperimentProgress, Some(number), None, data);
            }
            Event::Waiting { number, what } => self.waiting(number, what),
            Event::Fetching { number, progress } => self.fetch(number, progress),
            Event::Measuring { number, progress } => self.measuring(number, progress),
            Event::Ended { experiment } => self.ended(experiment),
            Event::Warned { message } => {
                let data = json!({"message": message});
                self.hint(Kind::Warning, None, Some(message.to_owned()), data);
            }
        }
    }
}

/// Before the first experiment there is no worker yet to pass it on.
impl Watcher for Teller {
    fn fetching(&self, progress: &FetchProgress) {
        self.fetch(None, progress);
    }
}

fn percent(done: u32, planned: u32) -> f64 {
    100.0 * f64::from(done.min(planned)) / f64::from(planned.max(1))
}

fn fetching(progress: &FetchProgress) -> String {
    let FetchProgress {
        image,
        layers_done,
        layers,
        ..
    } = progress;
    format!("fetching image {image}: {layers_done} of {layers} layers")
}
