//! One level: connect, warm up, measure, drain.
//!
//! The one idea: the window opens on an idle server that is warm, with every connection
//! open, and every request that is started in it gets a record.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use autotuner_core::measure::{LevelRecords, RequestOutcome};
use autotuner_core::workload::{Scenario, Workload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::phase::{self, Counts, Phase};
use crate::prompts::Purpose;
use crate::requests::{Recipe, RequestList};
use crate::shared::{Shared, nothing_succeeded};
use crate::slot::Slot;
use crate::{BenchError, Observer, Progress};

/// One scenario at one concurrency, and all that is needed to run it.
pub(crate) struct Level<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) recipe: &'a Arc<Recipe>,
    pub(crate) workload: &'a Workload,
    /// Counted from 0.
    pub(crate) number: usize,
    pub(crate) scenario: &'a Scenario,
    pub(crate) concurrency: u32,
    pub(crate) progress_interval: Duration,
}

impl Level<'_> {
    /// Runs the level.
    ///
    /// # Errors
    /// [`BenchError`] as for a whole benchmark.
    pub(crate) async fn run(
        &self,
        cancel: &CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<LevelRecords, BenchError> {
        let warm_up_requests = match self.workload.warmup_requests {
            0 => 0,
            requests => requests.max(self.concurrency),
        };
        let warm_up_list = self.build(Purpose::WarmUp, warm_up_requests, cancel).await?;
        let window_list = self
            .build(Purpose::Window, self.workload.max_requests_per_level, cancel)
            .await?;
        let mut slots: Vec<Slot> = (0..self.concurrency).map(|_| Slot::default()).collect();
        slots = phase::connect_all(slots, self.shared, cancel).await?;
        if warm_up_requests > 0 {
            slots = self
                .warm_up(warm_up_list, warm_up_requests, slots, cancel, observer)
                .await?;
            // Whatever the warm-up cut off, or the server has closed, is connected anew.
            slots = phase::connect_all(slots, self.shared, cancel).await?;
        }
        self.window(window_list, slots, cancel, observer).await
    }

    async fn build(
        &self,
        purpose: Purpose,
        count: u32,
        cancel: &CancellationToken,
    ) -> Result<RequestList, BenchError> {
        let mut list = RequestList::new(
            Arc::clone(self.recipe),
            purpose,
            self.number,
            self.scenario.clone(),
        );
        let while_not = cancel.clone();
        let built = tokio::task::spawn_blocking(move || {
            list.build_ahead(count, &while_not);
            list
        });
        match built.await {
            Ok(list) if !cancel.is_cancelled() => Ok(list),
            Ok(_) => Err(BenchError::Cancelled),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(BenchError::Cancelled),
            },
        }
    }

    async fn warm_up(
        &self,
        list: RequestList,
        limit: u32,
        slots: Vec<Slot>,
        cancel: &CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Slot>, BenchError> {
        let until = after(Instant::now(), self.workload.max_warmup);
        let phase = Arc::new(Phase {
            shared: Arc::clone(self.shared),
            list,
            limit,
            stop_at: until,
            cut_at: until,
            is_recorded: false,
            counts: Counts::default(),
        });
        let none = Counts::default();
        let report = |_: &Counts| observer.progress(&self.progress(true, &none, Duration::ZERO));
        let slots = phase::run(&phase, slots, cancel, self.progress_interval, report).await?;
        if self.number == 0 && phase.counts.succeeded.load(Ordering::Relaxed) == 0 {
            return Err(nothing_succeeded(&self.shared.health, || {
                format!(
                    "no request ended within the warm-up's {:?}",
                    self.workload.max_warmup
                )
            }));
        }
        Ok(slots)
    }

    async fn window(
        &self,
        list: RequestList,
        slots: Vec<Slot>,
        cancel: &CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<LevelRecords, BenchError> {
        let start = Instant::now();
        let stop_at = after(start, self.workload.max_time_per_level);
        let phase = Arc::new(Phase {
            shared: Arc::clone(self.shared),
            list,
            limit: self.workload.max_requests_per_level,
            stop_at,
            cut_at: after(stop_at, self.workload.drain),
            is_recorded: true,
            counts: Counts::default(),
        });
        let report = |counts: &Counts| observer.progress(&self.progress(false, counts, start.elapsed()));
        let slots = phase::run(&phase, slots, cancel, self.progress_interval, report).await?;
        if self.number == 0 && phase.counts.succeeded.load(Ordering::Relaxed) == 0 {
            return Err(nothing_succeeded(&self.shared.health, || {
                let Workload {
                    max_time_per_level,
                    drain,
                    ..
                } = self.workload;
                format!(
                    "no request ended within the {max_time_per_level:?} of the level and {drain:?} after it"
                )
            }));
        }
        let clock = self.shared.clock;
        let is_all_started = phase.counts.started.load(Ordering::Relaxed) == phase.limit;
        Ok(self.records(clock.stamp(start), clock.stamp(stop_at), is_all_started, slots))
    }

    fn records(&self, start_ns: u64, stop_ns: u64, is_all_started: bool, slots: Vec<Slot>) -> LevelRecords {
        let mut requests: Vec<_> = slots.into_iter().flat_map(|slot| slot.records).collect();
        requests.sort_by_key(|(index, _)| *index);
        let requests: Vec<_> = requests.into_iter().map(|(_, record)| record).collect();
        let last_end = requests
            .iter()
            .map(|request| match request.outcome {
                RequestOutcome::CutOff => u64::MAX,
                RequestOutcome::Success | RequestOutcome::Failed { .. } => request.ended_ns,
            })
            .max()
            .unwrap_or(u64::MAX);
        LevelRecords {
            scenario: self.scenario.to_string(),
            concurrency: self.concurrency,
            window_start_ns: start_ns,
            window_end_ns: match is_all_started {
                true => last_end.min(stop_ns),
                false => stop_ns,
            },
            requests,
        }
    }

    fn progress(&self, warming_up: bool, counts: &Counts, elapsed: Duration) -> Progress {
        Progress {
            level: self.number,
            levels: self.workload.level_count(),
            label: format!("{} at concurrency {}", self.scenario, self.concurrency),
            warming_up,
            completed: counts.succeeded.load(Ordering::Relaxed),
            failed: counts.failed.load(Ordering::Relaxed),
            planned: self.workload.max_requests_per_level,
            live: counts.sums.live(elapsed),
        }
    }
}

/// That much later; a duration beyond all measure counts as a year.
pub(crate) fn after(moment: Instant, duration: Duration) -> Instant {
    moment + duration.min(Duration::from_secs(365 * 24 * 3600))
}
