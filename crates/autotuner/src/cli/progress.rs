//! What a person sees while a task runs: bars on a terminal, lines elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_deploy::{FetchProgress, Watcher};
use autotuner_load::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::words;
use crate::worker::{Event, Reporter};

/// Shows a run on standard error.
pub(super) struct Shown {
    bars: MultiProgress,
    whole: ProgressBar,
    running: Mutex<HashMap<ExperimentNumber, ProgressBar>>,
    is_quiet: bool,
    best: Mutex<Option<Experiment>>,
    /// Images that were told of.
    fetched: Mutex<HashSet<String>>,
}

impl Shown {
    /// Shows a run of at most `planned` search experiments; `is_quiet` leaves out all but warnings.
    pub(super) fn new(planned: u32, is_quiet: bool) -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr()) && !is_quiet;
        let bars = MultiProgress::with_draw_target(if is_terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        // How long the rest takes is not guessed before one experiment has ended.
        let style = style("{bar:24} {pos}/{len} experiments, {elapsed} elapsed  {wide_msg}");
        let whole = bars.add(ProgressBar::new(u64::from(planned)).with_style(style));
        whole.enable_steady_tick(Duration::from_millis(250));
        Self {
            bars,
            whole,
            running: Mutex::default(),
            is_quiet,
            best: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    /// Takes the bars away.
    pub(super) fn clear(&self) {
        self.whole.finish_and_clear();
        drop(self.bars.clear());
    }

    /// A line that stays.
    pub(super) fn line(&self, text: &str) {
        if !self.is_quiet {
            self.insist(text);
        }
    }

    /// A line that stays, however quiet the run is to be.
    pub(super) fn insist(&self, text: &str) {
        if self.bars.is_hidden() {
            super::say(text);
        } else {
            drop(self.bars.println(text));
        }
    }

    fn begun(&self, number: ExperimentNumber, next: &Next) {
        // The configuration comes last: it is what a narrow terminal cuts off.
        let template = format!("  {{spinner}} [{number}] {{prefix}} · {{wide_msg}}");
        let bar = ProgressBar::new_spinner().with_style(style(&template));
        let bar = self.bars.insert_before(&self.whole, bar);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_prefix("deciding");
        bar.set_message(next.candidate.to_string());
        if next.role == Role::Replicate && next.attempt == 1 {
            self.whole.inc_length(1);
        }
        self.lock().insert(number, bar);
    }

    /// On a terminal the bar moves; elsewhere an image is told of when it begins.
    fn fetching(&self, number: Option<ExperimentNumber>, progress: &FetchProgress) {
        let text = fetching(progress);
        match number {
            Some(number) => self.with_bar(number, |bar| bar.set_prefix(text)),
            None => self.whole.set_message(text),
        }
        let mut told = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bars.is_hidden() && told.insert(progress.image.clone()) {
            self.line(&format!("fetching image {}", progress.image));
        }
    }

    fn with_bar(&self, number: ExperimentNumber, act: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self.lock().get(&number) {
            act(bar);
        }
    }

    fn ended(&self, experiment: &Experiment) {
        if let Some(bar) = self.lock().remove(&experiment.number) {
            bar.finish_and_clear();
        }
        if experiment.role != Role::Baseline && !experiment.is_lost() {
            self.whole.inc(1);
            self.whole.set_style(style(
                "{bar:24} {pos}/{len} experiments, {elapsed} elapsed, about {eta} left  {wide_msg}",
            ));
        }
        let mark = if self.note_best(experiment) {
            "  ← best so far"
        } else {
            ""
        };
        self.line(&format!("{}{mark}", ended_line(experiment)));
    }

    /// Whether this is the best so far; remembers and shows it then.
    fn note_best(&self, experiment: &Experiment) -> bool {
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        let is_better = experiment.score() > best.as_ref().and_then(Experiment::score);
        if let (true, Some(score)) = (is_better, experiment.score()) {
            let value = words::objective_value(score.objective(), score.objective_value());
            self.whole
                .set_message(format!("best: [{}] {value}", experiment.number));
            *best = Some(experiment.clone());
        }
        is_better
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ExperimentNumber, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Shown {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Begun { number, next } => self.begun(number, next),
            Event::Moved { number, status } => {
                self.with_bar(number, |bar| bar.set_prefix(status.to_string()));
            }
            Event::Waiting { number, what } => {
                self.with_bar(number, |bar| {
                    bar.set_prefix(what.unwrap_or("starting").to_owned());
                });
            }
            Event::Fetching { number, progress } => self.fetching(number, progress),
            Event::Measuring { number, progress } => {
                self.with_bar(number, |bar| bar.set_prefix(measuring(progress)));
            }
            Event::Ended { experiment } => self.ended(experiment),
            Event::Warned { message } => self.insist(&format!("warning: {message}")),
        }
    }
}

/// Before the first experiment there is no worker yet to pass it on.
impl Watcher for Shown {
    fn fetching(&self, progress: &FetchProgress) {
        self.report(Event::Fetching {
            number: None,
            progress,
        });
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are constants that parse")
        .progress_chars("━╸─")
}

fn fetching(progress: &FetchProgress) -> String {
    const MEGABYTE: u64 = 1_000_000;
    let FetchProgress {
        image,
        layers_done,
        layers,
        bytes_done,
        bytes,
    } = progress;
    let amount = if *bytes > 0 {
        format!(", {} of {} MB", bytes_done / MEGABYTE, bytes / MEGABYTE)
    } else {
        String::new()
    };
    format!("fetching {image}: {layers_done} of {layers} layers{amount}")
}

fn measuring(progress: &Progress) -> String {
    let level = if progress.levels > 1 {
        format!(" (level {} of {})", progress.level + 1, progress.levels)
    } else {
        String::new()
    };
    if progress.warming_up {
        return format!("warming up {}{level}", progress.label);
    }
    let failed = if progress.failed > 0 {
        format!(", {} failed", progress.failed)
    } else {
        String::new()
    };
    format!(
        "measuring {}{level}: {}/{} requests{failed}",
        progress.label, progress.completed, progress.planned
    )
}

fn ended_line(experiment: &Experiment) -> String {
    let number = experiment.number;
    let role = match experiment.role {
        Role::Baseline => "defaults".to_owned(),
        Role::Search => experiment.candidate.to_string(),
        Role::Replicate => format!("again: {}", experiment.candidate),
    };
    match (&experiment.measured(), experiment.failure()) {
        (Some(measured), _) => {
            let score = &measured.score;
            let value = words::objective_value(score.objective(), score.objective_value());
            let slo = if score.is_feasible() {
                ""
            } else {
                ", misses an SLO"
            };
            format!("[{number}] {role}: {value}{slo}")
        }
        (None, Some(failure)) => {
            let kind = failure.kind.as_str().replace('_', " ");
            let advice = failure
                .advice
                .as_ref()
                .map(|advice| format!("\n      {advice}"))
                .unwrap_or_default();
            format!("[{number}] {role}: {kind}: {}{advice}", failure.message)
        }
        (None, None) => format!("[{number}] {role}: {}", experiment.status),
    }
}
