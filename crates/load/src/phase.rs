//! One part of a level, a warm-up or a window: what is asked, until when, and what has become
//! of it so far.
//!
//! The one idea: whether more is started, and when what is open is cut off, is known here alone;
//! the loops that start requests (`closed`, `open`) ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use autotuner_core::measure::{RequestError, RequestOutcome, RequestRecord};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::BenchError;
use crate::exchange::Ticket;
use crate::live::Sums;
use crate::prompts::Purpose;
use crate::requests::RequestList;
use crate::shared::{Shared, gone, nothing_succeeded, pause};
use crate::slot::Slot;

/// One part of a level.
pub(crate) struct Phase {
    pub(crate) shared: Arc<Shared>,
    pub(crate) level: usize,
    pub(crate) purpose: Purpose,
    pub(crate) list: RequestList,
    /// Most requests that are started.
    pub(crate) limit: u32,
    /// How long requests are started.
    pub(crate) lasts: Duration,
    /// How long what is open then may go on.
    pub(crate) drain: Duration,
    pub(crate) counts: Counts,
    opened: OnceLock<Instant>,
    has_opened: Notify,
    /// When it was ended before its time.
    ended_early: OnceLock<Instant>,
}

/// What is needed to make a phase.
pub(crate) struct PhaseParts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) level: usize,
    pub(crate) purpose: Purpose,
    pub(crate) list: RequestList,
    pub(crate) limit: u32,
    pub(crate) lasts: Duration,
    pub(crate) drain: Duration,
}

/// What has become of a phase's requests.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Conversations, and requests of all of them, that were started.
    jobs: AtomicU32,
    pub(crate) started: AtomicU32,
    pub(crate) succeeded: AtomicU32,
    pub(crate) failed: AtomicU32,
    pub(crate) sums: Sums,
    /// Failures by class: few, or nobody minds the lock.
    errors: Mutex<BTreeMap<RequestError, u32>>,
}

impl Counts {
    /// Failures by class.
    pub(crate) fn errors(&self) -> MutexGuard<'_, BTreeMap<RequestError, u32>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    /// A phase that has not begun.
    pub(crate) fn new(parts: PhaseParts) -> Self {
        let PhaseParts {
            shared,
            level,
            purpose,
            list,
            limit,
            lasts,
            drain,
        } = parts;
        Self {
            shared,
            level,
            purpose,
            list,
            limit,
            lasts,
            drain,
            counts: Counts::default(),
            opened: OnceLock::new(),
            has_opened: Notify::new(),
            ended_early: OnceLock::new(),
        }
    }

    /// Begins, unless it has begun: when it did.
    pub(crate) fn open(&self) -> Instant {
        if let Some(opened) = self.opened.get() {
            return *opened;
        }
        let opened = *self.opened.get_or_init(Instant::now);
        // Only now: whoever is woken looks again, and must find it.
        self.has_opened.notify_waiters();
        opened
    }

    /// Waits until it begins.
    pub(crate) async fn when_open(&self) {
        loop {
            let has_opened = self.has_opened.notified();
            if self.opened.get().is_some() {
                return;
            }
            has_opened.await;
        }
    }

    /// When it began, if it has.
    pub(crate) fn opened(&self) -> Option<Instant> {
        self.opened.get().copied()
    }

    /// No request is started from then on.
    pub(crate) fn stop_at(&self) -> Instant {
        let at = after(self.open(), self.lasts);
        self.ended_early.get().map_or(at, |early| at.min(*early))
    }

    /// Starts no more requests from now on; those that are open go on.
    pub(crate) fn end_early(&self) {
        self.ended_early.get_or_init(Instant::now);
    }

    /// After how much of its time it was ended before that was over, if it was.
    pub(crate) fn ended_early(&self) -> Option<Duration> {
        let early = self.ended_early.get()?;
        Some(early.saturating_duration_since(self.opened()?))
    }

    /// What is still open then is cut off.
    pub(crate) fn cut_at(&self) -> Instant {
        after(self.stop_at(), self.drain)
    }

    /// The next conversation, unless no more are to be started.
    pub(crate) fn take_job(&self) -> Option<u32> {
        let is_over = Instant::now() >= self.stop_at() || self.started() >= self.limit;
        (!is_over).then(|| self.counts.jobs.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether one more request may be started; counts it if so.
    pub(crate) fn may_start(&self) -> bool {
        let counted = self
            .counts
            .started
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |started| {
                (started < self.limit).then_some(started + 1)
            });
        Instant::now() < self.stop_at() && counted.is_ok()
    }

    /// Requests that were started.
    pub(crate) fn started(&self) -> u32 {
        self.counts.started.load(Ordering::Relaxed)
    }

    /// Requests that have ended, in whatever way.
    pub(crate) fn ended(&self) -> u32 {
        self.counts.succeeded.load(Ordering::Relaxed) + self.counts.failed.load(Ordering::Relaxed)
    }

    /// Sends one request on this slot, waits for its end, and counts it.
    ///
    /// # Errors
    /// [`BenchError::EndpointGone`], [`BenchError::NothingSucceeded`] where going on is useless.
    pub(crate) async fn serve(
        &self,
        slot: &mut Slot,
        job: u32,
        turn: u32,
        intended_ns: u64,
    ) -> Result<RequestRecord, BenchError> {
        let Self { shared, level, .. } = self;
        let prepared = self.list.get(job, turn);
        let letter = match self.purpose {
            Purpose::Probe | Purpose::Prefix => 'p',
            Purpose::WarmUp => 'w',
            Purpose::Window => 'm',
        };
        let ticket = Ticket {
            intended_ns,
            id: format!("at-{letter}-{level}-{job}-{turn}"),
        };
        let asked = slot.ask(shared, &prepared, &ticket, self.cut_at()).await;
        let mut record = asked.record;
        (record.job, record.turn) = (job, turn);
        let health = &shared.health;
        match &record.outcome {
            RequestOutcome::Success => {
                self.counts.succeeded.fetch_add(1, Ordering::Relaxed);
                self.counts.sums.add(&record);
                health.note_success();
                slot.failed_in_a_row = 0;
            }
            RequestOutcome::Failed { error, detail } => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                *self.counts.errors().entry(*error).or_default() += 1;
                health.note_failure(*error, detail);
                slot.failed_in_a_row += 1;
                if health.is_gone(slot.refused_in_a_row) {
                    return Err(gone(&shared.target, detail));
                }
                if health.is_hopeless() {
                    return Err(nothing_succeeded(health, || "the reason was not kept".into()));
                }
            }
            RequestOutcome::CutOff => (),
        }
        Ok(record)
    }

    /// Rests after a failure; not at all after a success.
    pub(crate) async fn rest(&self, slot: &Slot) {
        if slot.failed_in_a_row > 0 {
            let pause = pause(slot.failed_in_a_row);
            tokio::time::sleep_until(self.stop_at().min(Instant::now() + pause)).await;
        }
    }
}

/// That much later; a duration beyond all measure counts as a year.
pub(crate) fn after(moment: Instant, duration: Duration) -> Instant {
    moment + duration.min(Duration::from_secs(365 * 24 * 3600))
}
