//! A closed loop over a list of requests: so many in flight at once, until a limit.
//!
//! The one idea: warm-up and window are the same loop with other limits. Each slot has one
//! connection and sends its next request as soon as the last one has ended; which request
//! that is, the shared counter says.
//!
//! It does not judge a whole benchmark, except that it ends where going on is useless.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use autotuner_core::measure::RequestOutcome;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::BenchError;
use crate::live::Sums;
use crate::requests::RequestList;
use crate::shared::{Shared, gone, nothing_succeeded, pause};
use crate::slot::Slot;

/// Connections that are being opened at once, so that a server's queue of new connections
/// (128 at many) does not overflow.
const OPENING_AT_ONCE: usize = 64;

/// One part of a level.
pub(crate) struct Phase {
    pub(crate) shared: Arc<Shared>,
    pub(crate) list: RequestList,
    /// Most requests that are started.
    pub(crate) limit: u32,
    /// No request is started from then on.
    pub(crate) stop_at: Instant,
    /// What is still open then is cut off.
    pub(crate) cut_at: Instant,
    pub(crate) is_recorded: bool,
    pub(crate) counts: Counts,
}

/// What has become of a phase's requests.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) started: AtomicU32,
    pub(crate) succeeded: AtomicU32,
    pub(crate) failed: AtomicU32,
    pub(crate) sums: Sums,
}

/// Runs a phase on these slots and gives them back, with what they recorded. `report` is
/// called every so often, and at the end.
///
/// # Errors
/// [`BenchError::Cancelled`], [`BenchError::EndpointGone`], [`BenchError::NothingSucceeded`].
/// All connections are closed then.
pub(crate) async fn run(
    phase: &Arc<Phase>,
    slots: Vec<Slot>,
    cancel: &CancellationToken,
    report_every: Duration,
    mut report: impl FnMut(&Counts) + Send,
) -> Result<Vec<Slot>, BenchError> {
    let mut workers = JoinSet::new();
    for slot in slots {
        workers.spawn(work(slot, Arc::clone(phase)));
    }
    let mut ticks = tokio::time::interval(report_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut finished = Vec::new();
    let ended = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break Err(BenchError::Cancelled),
            _ = ticks.tick() => report(&phase.counts),
            joined = workers.join_next() => match joined.map(flatten) {
                Some(Ok(slot)) => finished.push(slot),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            },
        }
    };
    workers.shutdown().await;
    report(&phase.counts);
    ended.map(|()| finished)
}

/// Gives every slot a connection that is ready, as far as the server lets it.
///
/// # Errors
/// [`BenchError::Cancelled`].
pub(crate) async fn connect_all(
    slots: Vec<Slot>,
    shared: &Arc<Shared>,
    cancel: &CancellationToken,
) -> Result<Vec<Slot>, BenchError> {
    let mut connecting = JoinSet::new();
    let all = async {
        let mut connected = Vec::with_capacity(slots.len());
        for mut slot in slots {
            if connecting.len() >= OPENING_AT_ONCE {
                connected.extend(connecting.join_next().await.map(flatten));
            }
            let shared = Arc::clone(shared);
            connecting.spawn(async move {
                // A slot that gets no connection now tries again with its first request,
                // where the failure is counted.
                let _ = slot.connection(&shared).await;
                Ok(slot)
            });
        }
        while let Some(joined) = connecting.join_next().await {
            connected.push(flatten(joined));
        }
        connected.into_iter().collect()
    };
    let connected = cancel.run_until_cancelled(all).await;
    connecting.shutdown().await;
    connected.unwrap_or(Err(BenchError::Cancelled))
}

fn flatten<T>(joined: Result<Result<T, BenchError>, tokio::task::JoinError>) -> Result<T, BenchError> {
    match joined {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nobody else aborts these tasks: the runtime is being shut down.
            Err(_) => Err(BenchError::Cancelled),
        },
    }
}

async fn work(mut slot: Slot, phase: Arc<Phase>) -> Result<Slot, BenchError> {
    while let Some(index) = phase.take() {
        let intended_ns = phase.shared.clock.now();
        let prepared = phase.list.get(index);
        let asked = slot.ask(&phase.shared, prepared, intended_ns, phase.cut_at).await;
        let record = asked.record;
        let health = &phase.shared.health;
        match &record.outcome {
            RequestOutcome::Success => {
                phase.counts.succeeded.fetch_add(1, Ordering::Relaxed);
                phase.counts.sums.add(&record);
                health.note_success();
                slot.failed_in_a_row = 0;
            }
            RequestOutcome::Failed { error, detail } => {
                phase.counts.failed.fetch_add(1, Ordering::Relaxed);
                health.note_failure(*error, detail);
                slot.failed_in_a_row += 1;
                if health.is_gone(slot.refused_in_a_row) {
                    return Err(gone(&phase.shared.target, detail));
                }
                if health.is_hopeless() {
                    return Err(nothing_succeeded(health, || "the reason was not kept".into()));
                }
                let pause = pause(slot.failed_in_a_row);
                tokio::time::sleep_until(phase.stop_at.min(Instant::now() + pause)).await;
            }
            RequestOutcome::CutOff => (),
        }
        if phase.is_recorded {
            slot.records.push((index, record));
        }
    }
    Ok(slot)
}

impl Phase {
    /// The index of the next request, unless no more are to be started.
    fn take(&self) -> Option<u32> {
        if Instant::now() >= self.stop_at {
            return None;
        }
        self.counts
            .started
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |started| {
                (started < self.limit).then_some(started + 1)
            })
            .ok()
    }
}
