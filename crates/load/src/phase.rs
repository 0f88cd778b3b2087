//! A closed loop over a list of requests: so many in flight at once, until a limit.
//!
//! The one idea: warm-up and window are the same loop with other limits. Each slot has one
//! connection and sends its next request as soon as the last one has ended; which request
//! that is, the shared counter says.
//!
//! It does not judge a whole benchmark, except for the two cases in which going on is
//! useless: an endpoint that is gone, and one that has never answered well.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use autotuner_core::measure::{RequestError, RequestOutcome, RequestRecord};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::BenchError;
use crate::clock::Clock;
use crate::connection::{Connection, connect};
use crate::exchange::{Exchanged, Limits, Prepared, exchange};
use crate::requests::RequestList;
use crate::target::Target;
use crate::transcript::{Ending, RequestFailure, Start, Transcript};

/// A slot's pause after its first failure; it doubles with each further one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// A slot's longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Refused connections in a row that mean that the endpoint is gone.
pub(crate) const REFUSALS: u32 = 5;

/// Connections that are being opened at once, so that a server's queue of new connections
/// (128 at many) does not overflow.
const OPENING_AT_ONCE: usize = 64;

/// What all phases of a measurement share.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) clock: Clock,
    pub(crate) connect_timeout: Duration,
    /// Longest time without a byte.
    pub(crate) silence: Duration,
    pub(crate) health: Health,
}

/// How the endpoint has answered so far, all phases together.
#[derive(Debug, Default)]
pub(crate) struct Health {
    succeeded: AtomicU32,
    failed: AtomicU32,
    /// Failed attempts to connect since the last one that worked.
    refused: AtomicU32,
    /// Requests that are being answered right now.
    open: AtomicU32,
    first_error: Mutex<Option<String>>,
    /// Failures before any success that are enough to give up.
    patience: u32,
}

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
}

/// One of the requests in flight.
#[derive(Default)]
pub(crate) struct Slot {
    connection: Option<Connection>,
    refused_in_a_row: u32,
    failed_in_a_row: u32,
    /// What was recorded, with each request's index.
    pub(crate) records: Vec<(u32, RequestRecord)>,
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
                health.succeeded.fetch_add(1, Ordering::Relaxed);
                slot.failed_in_a_row = 0;
            }
            RequestOutcome::Failed { error, detail } => {
                phase.counts.failed.fetch_add(1, Ordering::Relaxed);
                health.note_failure(*error, detail);
                slot.failed_in_a_row += 1;
                if health.is_gone(&slot) {
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

/// The pause after so many failures in a row.
pub(crate) fn pause(failed_in_a_row: u32) -> Duration {
    let doublings = failed_in_a_row.saturating_sub(1).min(10);
    (SHORTEST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// The endpoint takes no connections any more.
pub(crate) fn gone(target: &Target, reason: &str) -> BenchError {
    BenchError::EndpointGone {
        url: target.url.clone(),
        reason: reason.to_owned(),
    }
}

/// Nothing succeeded, for the reason that came first, or else for this one.
pub(crate) fn nothing_succeeded(health: &Health, otherwise: impl FnOnce() -> String) -> BenchError {
    let first_error = health
        .first_error
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    BenchError::NothingSucceeded {
        first_error: first_error.unwrap_or_else(otherwise),
    }
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

impl Health {
    /// No answer yet; as many failures as there are slots, at least 3, are enough to give up.
    pub(crate) fn new(concurrency: u32) -> Self {
        Self {
            patience: concurrency.max(3),
            ..Self::default()
        }
    }

    fn note_failure(&self, error: RequestError, detail: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first_error.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| describe(error, detail));
    }

    /// Whether as many requests failed as are sent at once, and none ever succeeded.
    fn is_hopeless(&self) -> bool {
        self.succeeded.load(Ordering::Relaxed) == 0 && self.failed.load(Ordering::Relaxed) >= self.patience
    }

    /// Whether nobody gets a connection any more, this slot least of all, and no answer is
    /// on its way.
    fn is_gone(&self, slot: &Slot) -> bool {
        slot.refused_in_a_row >= REFUSALS
            && self.refused.load(Ordering::Relaxed) >= REFUSALS
            && self.open.load(Ordering::Relaxed) == 0
    }
}

/// A failure, for people.
pub(crate) fn describe(error: RequestError, detail: &str) -> String {
    match error {
        RequestError::Connect => format!("no answer: {detail}"),
        RequestError::Status(status) if detail.is_empty() => format!("HTTP status {status}"),
        RequestError::Status(status) => format!("HTTP status {status}: {detail}"),
        RequestError::Timeout => format!("timed out: {detail}"),
        RequestError::Truncated | RequestError::Empty => detail.to_owned(),
        RequestError::InBand => format!("the server reported an error inside the stream: {detail}"),
        RequestError::Parse => format!("the answer cannot be read: {detail}"),
    }
}

impl Slot {
    /// The slot's connection, a new one if the old is closed.
    ///
    /// # Errors
    /// Why there is none, for reading.
    pub(crate) async fn connection(&mut self, shared: &Shared) -> Result<&mut Connection, String> {
        if let Some(mut connection) = self.connection.take()
            && connection.is_ready().await
        {
            return Ok(self.connection.insert(connection));
        }
        match connect(&shared.target, shared.connect_timeout, shared.clock).await {
            Ok(connection) => {
                self.refused_in_a_row = 0;
                shared.health.refused.store(0, Ordering::Relaxed);
                Ok(self.connection.insert(connection))
            }
            Err(reason) => {
                self.refused_in_a_row += 1;
                shared.health.refused.fetch_add(1, Ordering::Relaxed);
                Err(reason)
            }
        }
    }

    /// Sends one request and waits for its end.
    pub(crate) async fn ask(
        &mut self,
        shared: &Shared,
        prepared: Prepared,
        intended_ns: u64,
        cut_at: Instant,
    ) -> Exchanged {
        let lengths = prepared.lengths;
        let connected = tokio::time::timeout_at(cut_at, self.connection(shared)).await;
        let connection = match connected {
            Ok(Ok(connection)) => connection,
            Ok(Err(reason)) => {
                let failure = RequestFailure::new(RequestError::Connect, &reason);
                return unsent(shared.clock, intended_ns, lengths, Ending::Failed(failure));
            }
            Err(_) => return unsent(shared.clock, intended_ns, lengths, Ending::CutOff),
        };
        let limits = Limits {
            silence: shared.silence,
            cut_at,
        };
        shared.health.open.fetch_add(1, Ordering::Relaxed);
        let exchanged = exchange(
            connection,
            &shared.target,
            prepared,
            intended_ns,
            limits,
            shared.clock,
        )
        .await;
        shared.health.open.fetch_sub(1, Ordering::Relaxed);
        if !exchanged.is_reusable {
            self.connection = None;
        }
        exchanged
    }
}

/// What comes of a request for which there was no connection: it counts as sent when it
/// should have been.
fn unsent(
    clock: Clock,
    intended_ns: u64,
    lengths: autotuner_core::workload::Lengths,
    ending: Ending,
) -> Exchanged {
    let start = Start {
        intended_ns,
        sent_ns: intended_ns,
    };
    Exchanged {
        record: Transcript::new(0).into_record(start, clock.now(), lengths, ending),
        prompt_tokens: None,
        is_reusable: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_bounded() {
        let pauses: Vec<_> = (1..8).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
