//! What a running benchmark tells, and whether it is worth going on.

use std::sync::Arc;

use async_trait::async_trait;
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::LevelRecords;
use autotuner_core::metrics::{LevelMetrics, level_metrics_for};
use autotuner_core::plan::Next;
use autotuner_core::search::{Prospect, Role};
use autotuner_load::{Observer, Progress, Verdict};

use super::judge::terms;
use super::task::considered;
use super::{Event, Worker};
use crate::fault::{self, FaultPoint, Side};

/// Passes a benchmark's progress on, and ends it where the task allows that and its first levels
/// show that the rest is not worth measuring.
pub(super) struct Levels<'a> {
    worker: &'a Arc<Worker>,
    number: ExperimentNumber,
    next: &'a Next,
    gpus: u32,
    /// How many levels there are.
    count: usize,
    done: Vec<LevelMetrics>,
    given_up: Option<String>,
}

impl<'a> Levels<'a> {
    pub(super) fn new(worker: &'a Arc<Worker>, number: ExperimentNumber, next: &'a Next, gpus: u32) -> Self {
        Self {
            worker,
            number,
            next,
            gpus,
            count: worker.task.workload.level_count(),
            done: Vec::new(),
            given_up: None,
        }
    }

    /// Why the benchmark was not carried to its end, if it was not.
    pub(super) fn given_up(self) -> Option<String> {
        self.given_up
    }

    /// What the levels until now say of the rest. Where nobody can tell, it is measured.
    async fn prospect(&self) -> Prospect {
        let (candidate, levels, gpus) = (self.next.candidate.clone(), self.done.clone(), self.gpus);
        let considering = considered(self.worker, move |situation| {
            situation.prospect(&candidate, &levels, gpus)
        });
        considering.await.unwrap_or_else(|error| {
            self.worker.warn(&format!(
                "[Experiment {}] it could not be told whether to measure on: {error}",
                self.number
            ));
            Prospect::Continue { chance: None }
        })
    }
}

#[async_trait]
impl Observer for Levels<'_> {
    fn progress(&mut self, progress: &Progress) {
        fault::at(FaultPoint::Progress, Side::Before);
        self.worker.reporter.report(Event::Measuring {
            number: self.number,
            progress,
        });
        fault::at(FaultPoint::Progress, Side::After);
    }

    async fn level_done(&mut self, records: &LevelRecords) -> Verdict {
        // What is measured to be sure of it is measured to its end.
        if !self.worker.task.search.early_abort || self.next.role != Role::Search {
            return Verdict::Continue;
        }
        self.done
            .push(level_metrics_for(records, &terms(&self.worker.task)));
        let weights = self.worker.task.weights();
        if weights[self.done.len().min(weights.len())..]
            .iter()
            .all(|weight| *weight == 0.0)
        {
            return Verdict::Continue;
        }
        let (done, count) = (self.done.len(), self.count);
        match self.prospect().await {
            Prospect::Continue { chance } => {
                if let Some(chance) = chance {
                    self.worker.logs.line(
                        "INFO",
                        &format!(
                            "[Experiment {}] {done} of {count} levels: it beats the best with a probability of {:.0} %",
                            self.number,
                            100.0 * chance
                        ),
                    );
                }
                Verdict::Continue
            }
            Prospect::Abort { why, .. } => {
                self.given_up = Some(format!("given up after {done} of {count} levels: it {why}"));
                Verdict::Stop
            }
        }
    }
}
