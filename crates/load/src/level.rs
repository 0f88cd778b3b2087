//! One level: connect, warm up, measure, drain.
//!
//! The one idea: the window opens on a server that is warm, with every connection open, and
//! every request that is started in it gets a record. A closed loop's warm-up runs into the
//! window unless the requests are to start together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord, Schedule};
use autotuner_core::workload::{FirstWave, LevelPlan, Load, Workload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::closed::{self, Course, Lead};
use crate::crew;
use crate::enough::Enough;
use crate::health;
use crate::open::{self, Share};
use crate::phase::{Counts, Phase, PhaseParts};
use crate::prompts::Purpose;
use crate::requests::{Recipe, RequestList};
use crate::shared::{Shared, nothing_succeeded};
use crate::slot::Slot;
use crate::threads::LoadThreads;
use crate::{BenchError, Observer, Progress};

/// Connections that an open loop has open before it begins, at most.
const OPEN_BEFOREHAND: u32 = 256;

/// Most requests in flight while an open loop's engine is warmed up.
const OPEN_WARM_UP: u32 = 32;

/// One scenario under one load, and all that is needed to run it.
pub(crate) struct Level<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) threads: &'a Arc<LoadThreads>,
    pub(crate) recipe: &'a Arc<Recipe>,
    pub(crate) workload: &'a Workload,
    /// Counted from 0.
    pub(crate) number: usize,
    pub(crate) plan: &'a LevelPlan,
    pub(crate) progress_interval: Duration,
    pub(crate) cancel: &'a CancellationToken,
}

impl Level<'_> {
    /// Runs the level; with its records it says after how much of its time it ended early, if it did.
    ///
    /// # Errors
    /// [`BenchError`] as for a whole benchmark.
    pub(crate) async fn run(
        &self,
        observer: &mut dyn Observer,
    ) -> Result<(LevelRecords, Option<Duration>), BenchError> {
        let warm_slots = match &self.plan.load {
            Load::InFlight(count) => *count,
            Load::Scheduled { most, .. } => (*most).min(OPEN_WARM_UP),
        };
        let warm_requests = match self.workload.warmup_requests {
            0 => 0,
            requests => requests.max(warm_slots),
        };
        let runs_on = self.workload.first_wave == FirstWave::Spread
            && matches!(self.plan.load, Load::InFlight(_))
            && warm_requests > 0;
        let spread = runs_on.then_some(warm_slots);
        let warm_up = Arc::new(self.phase(Purpose::WarmUp, warm_requests, spread).await?);
        let window = self.phase(Purpose::Window, self.workload.max_requests_per_level, None);
        let window = Arc::new(window.await?);
        let mut slots = self.connect(self.slots(warm_slots)).await?;
        if warm_requests > 0 && !runs_on {
            slots = self.warm_up(&warm_up, slots, observer).await?;
            // Whatever the warm-up cut off, or the server has closed, is connected anew.
            slots = self.connect(slots).await?;
        }
        let lead = runs_on.then(|| Lead {
            phase: warm_up,
            slots: warm_slots,
            begun: Instant::now(),
            enough: warm_requests,
            may_fail: self.number > 0,
        });
        let records = self.window(&window, lead, slots, observer).await?;
        Ok((records, window.ended_early()))
    }

    /// So many slots, dealt out to the load threads.
    fn slots(&self, count: u32) -> Vec<Slot> {
        (0..count as usize).map(Slot::new).collect()
    }

    async fn connect(&self, slots: Vec<Slot>) -> Result<Vec<Slot>, BenchError> {
        crew::connect_all(slots, self.shared, self.threads, self.cancel).await
    }

    async fn phase(&self, purpose: Purpose, limit: u32, spread: Option<u32>) -> Result<Phase, BenchError> {
        let (lasts, drain) = match purpose {
            Purpose::Window => (self.workload.max_time_per_level, self.workload.drain),
            Purpose::Probe | Purpose::Prefix | Purpose::WarmUp => (self.workload.max_warmup, Duration::ZERO),
        };
        Ok(Phase::new(PhaseParts {
            shared: Arc::clone(self.shared),
            level: self.number,
            purpose,
            list: self.build(purpose, limit, spread).await?,
            // A warm-up that runs on sends until the window opens.
            limit: if spread.is_some() { u32::MAX } else { limit },
            lasts,
            drain,
        }))
    }

    async fn build(
        &self,
        purpose: Purpose,
        count: u32,
        spread: Option<u32>,
    ) -> Result<RequestList, BenchError> {
        let mut list = RequestList::new(Arc::clone(self.recipe), purpose, self.number, self.plan.clone());
        if let Some(slots) = spread {
            list.spread_first(slots);
        }
        let while_not = self.cancel.clone();
        let built = tokio::task::spawn_blocking(move || {
            list.build_ahead(count, &while_not);
            list
        });
        match built.await {
            Ok(list) if !self.cancel.is_cancelled() => Ok(list),
            Ok(_) => Err(BenchError::Cancelled),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(BenchError::Cancelled),
            },
        }
    }

    async fn warm_up(
        &self,
        phase: &Arc<Phase>,
        slots: Vec<Slot>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Slot>, BenchError> {
        let course = Course {
            lead: None,
            window: Arc::clone(phase),
            is_recorded: false,
        };
        let crew = crew::each(slots, self.threads, |slot| closed::work(slot, course.clone()));
        let report = || observer.progress(&self.progress(None));
        let slots = crew::finish(crew, self.cancel, self.progress_interval, report).await?;
        if self.number == 0 && phase.counts.succeeded.load(Ordering::Relaxed) == 0 {
            return Err(nothing_succeeded(&self.shared.health, || {
                format!("no request ended within the warm-up's {:?}", phase.lasts)
            }));
        }
        Ok(slots)
    }

    async fn window(
        &self,
        window: &Arc<Phase>,
        lead: Option<Lead>,
        slots: Vec<Slot>,
        observer: &mut dyn Observer,
    ) -> Result<LevelRecords, BenchError> {
        let done = CancellationToken::new();
        let watching = health::watch(Arc::clone(window), Arc::clone(self.threads), done.clone());
        let mut watching = tokio::task::JoinSet::from_iter([watching]);
        let held_back = Arc::new(AtomicU32::new(0));
        let crew = match &self.plan.load {
            Load::InFlight(_) => {
                let course = Course {
                    lead,
                    window: Arc::clone(window),
                    is_recorded: true,
                };
                crew::each(slots, self.threads, |slot| closed::work(slot, course.clone()))
            }
            Load::Scheduled { most, .. } => {
                let slots = self.connect(self.beforehand(slots, *most)).await?;
                self.follow(window, slots, *most, &held_back)
            }
        };
        let mut enough = self.workload.precision.as_ref().map(Enough::new);
        let report = || {
            observer.progress(&self.progress(Some(window)));
            // What has been started in full, or for as long as was planned, is not ended early. To ask
            // when a window ends opens it, so that comes last.
            if let (Some(enough), Some(opened)) = (&mut enough, window.opened())
                && window.started() < window.limit
                && Instant::now() < window.stop_at()
                && enough.is_enough(opened.elapsed().as_secs_f64(), window.counts.sums.totals())
            {
                window.end_early();
            }
        };
        let slots = crew::finish(crew, self.cancel, self.progress_interval, report).await?;
        done.cancel();
        let watched = watching.join_next().await.and_then(Result::ok);
        let (client, engine) = watched.map_or((None, None), |watched| (Some(watched.client), watched.engine));
        if self.number == 0 && window.counts.succeeded.load(Ordering::Relaxed) == 0 {
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
        let mut records = self.records(window, slots);
        records.concurrency = match self.plan.load {
            Load::InFlight(count) => count,
            Load::Scheduled { .. } => client.map_or(0, |client| client.peak_in_flight),
        };
        records.client = client;
        records.engine = engine;
        if let Some(schedule) = &mut records.schedule {
            schedule.held_back = held_back.load(Ordering::Relaxed);
        }
        Ok(records)
    }

    /// The slots that an open loop begins with.
    fn beforehand(&self, mut slots: Vec<Slot>, most: u32) -> Vec<Slot> {
        let wanted = most.min(OPEN_BEFOREHAND) as usize;
        slots.extend(self.slots(u32::try_from(wanted.saturating_sub(slots.len())).unwrap_or(0)));
        slots
    }

    /// Lets every load thread follow its share of the schedule.
    fn follow(
        &self,
        window: &Arc<Phase>,
        slots: Vec<Slot>,
        most: u32,
        held_back: &Arc<AtomicU32>,
    ) -> crew::Crew {
        let count = self.threads.count();
        let mut idle: Vec<Vec<Slot>> = (0..count).map(|_| Vec::new()).collect();
        for slot in slots {
            idle[slot.number % count].push(slot);
        }
        let share = |thread| Share {
            phase: Arc::clone(window),
            starts: Vec::new(),
            most: (most as usize).div_ceil(count),
            thread,
            held_back: Arc::clone(held_back),
        };
        let mut shares: Vec<Share> = (0..count).map(share).collect();
        let starts = self.plan.load.starts(self.workload.seed, self.number);
        let starts = starts.take_while(|start| start.at < self.workload.max_time_per_level);
        for (job, start) in (0..self.workload.max_requests_per_level).zip(starts) {
            shares[job as usize % count].starts.push((job, start.at));
        }
        let mut crew = crew::Crew::new();
        window.open();
        for (idle, share) in idle.into_iter().zip(shares) {
            let thread = self.threads.handle(share.thread);
            crew.spawn_on(open::follow(idle, share), thread);
        }
        crew
    }

    fn records(&self, window: &Phase, slots: Vec<Slot>) -> LevelRecords {
        let (mut requests, mut lead_in) = (Vec::new(), Vec::new());
        for slot in slots {
            requests.extend(slot.records);
            lead_in.extend(slot.lead_in);
        }
        requests.sort_by_key(|request: &RequestRecord| (request.intended_ns, request.job, request.turn));
        let clock = self.shared.clock;
        let start_ns = clock.stamp(window.open());
        let stop_ns = clock.stamp(window.stop_at());
        let is_all_started = window.started() >= window.limit;
        let schedule = match &self.plan.load {
            Load::InFlight(_) => None,
            load @ Load::Scheduled { .. } => Some(Schedule {
                label: load.to_string(),
                rate: load.asked_rate(window.lasts),
                held_back: 0,
            }),
        };
        let last_end = match schedule {
            Some(_) => last_start(&requests),
            None => last_end(&requests),
        };
        LevelRecords {
            scenario: self.plan.scenario.to_string(),
            window_start_ns: start_ns,
            window_end_ns: match is_all_started {
                true => last_end.min(stop_ns),
                false => stop_ns,
            },
            requests,
            lead_in,
            schedule,
            ..LevelRecords::default()
        }
    }

    fn progress(&self, window: Option<&Phase>) -> Progress {
        let opened = window.and_then(|window| Some((window, window.opened()?)));
        let count = |which: fn(&Counts) -> &AtomicU32| {
            opened.map_or(0, |(window, _)| which(&window.counts).load(Ordering::Relaxed))
        };
        Progress {
            level: self.number,
            levels: self.workload.level_count(),
            label: match &self.plan.load {
                load @ Load::InFlight(_) => format!("{} at {load}", self.plan.scenario),
                load @ Load::Scheduled { .. } => format!("{}, {load}", self.plan.scenario),
            },
            warming_up: opened.is_none(),
            completed: count(|counts| &counts.succeeded),
            failed: count(|counts| &counts.failed),
            planned: self.workload.max_requests_per_level,
            in_flight: self.shared.health.open(),
            errors: opened.map_or_else(Vec::new, |(window, _)| {
                let errors = window.counts.errors();
                errors.iter().map(|(error, count)| (*error, *count)).collect()
            }),
            live: opened.and_then(|(window, opened)| window.counts.sums.live(opened.elapsed())),
        }
    }
}

/// When the last request ended; beyond everything while one is open.
fn last_end(requests: &[RequestRecord]) -> u64 {
    let end = |request: &RequestRecord| match request.outcome {
        RequestOutcome::CutOff => u64::MAX,
        RequestOutcome::Success | RequestOutcome::Failed { .. } => request.ended_ns,
    };
    requests.iter().map(end).max().unwrap_or(u64::MAX)
}

/// When the last request should have started, and one mean gap more: so long the schedule lasted.
fn last_start(requests: &[RequestRecord]) -> u64 {
    let (Some(first), Some(last)) = (requests.first(), requests.last()) else {
        return u64::MAX;
    };
    let gaps = requests.len().saturating_sub(1).max(1) as u64;
    last.intended_ns + (last.intended_ns - first.intended_ns) / gaps
}
