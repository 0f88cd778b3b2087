//! What all phases of a measurement share: where to ask, by which clock, and how the
//! endpoint has answered so far.
//!
//! The one idea: whether going on is useless is told by counters that every slot feeds. Two
//! cases are known here: an endpoint that is gone, and one that has never answered well.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use autotuner_core::measure::RequestError;

use crate::BenchError;
use crate::clock::Clock;
use crate::origins::Origins;
use crate::target::Target;

/// A slot's pause after its first failure; it doubles with each further one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// A slot's longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Refused connections in a row that mean that the endpoint is gone.
pub(crate) const REFUSALS: u32 = 5;

/// What all phases of a measurement share.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) clock: Clock,
    pub(crate) connect_timeout: Duration,
    /// Longest time without a byte.
    pub(crate) silence: Duration,
    pub(crate) health: Health,
    pub(crate) origins: Origins,
    /// Whether the server has been seen to close a connection right after an answer without
    /// having said so. A request that is sent at that moment is lost, through no fault of
    /// the configuration that is measured; so from then on no connection is used twice.
    pub(crate) closes_unannounced: AtomicBool,
    /// Requests that met such a connection and were sent again.
    pub(crate) sent_again: AtomicU32,
    /// Reads from all connections, and those that brought several chunks of content.
    pub(crate) reads: AtomicU64,
    pub(crate) reads_of_several: AtomicU64,
}

impl Shared {
    /// Counts the reads of one request.
    pub(crate) fn note_reads(&self, reads: u32, of_several: u32) {
        self.reads.fetch_add(u64::from(reads), Ordering::Relaxed);
        self.reads_of_several
            .fetch_add(u64::from(of_several), Ordering::Relaxed);
    }
}

/// How the endpoint has answered so far, all phases together.
#[derive(Debug, Default)]
pub(crate) struct Health {
    succeeded: AtomicU32,
    failed: AtomicU32,
    /// Failed attempts to connect since the last one that worked.
    refused: AtomicU32,
    /// Requests that are being answered right now, and the most there were since it was asked.
    open: AtomicU32,
    most_open: AtomicU32,
    first_error: Mutex<Option<String>>,
    /// Failures before any success that are enough to give up.
    patience: u32,
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

impl Health {
    /// No answer yet; as many failures as there are slots, at least 3, are enough to give up.
    pub(crate) fn new(concurrency: u32) -> Self {
        Self {
            patience: concurrency.max(3),
            ..Self::default()
        }
    }

    pub(crate) fn note_success(&self) {
        self.succeeded.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_failure(&self, error: RequestError, detail: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first_error.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| describe(error, detail));
    }

    pub(crate) fn note_connected(&self) {
        self.refused.store(0, Ordering::Relaxed);
    }

    pub(crate) fn note_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_opened(&self) {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_open.fetch_max(open, Ordering::Relaxed);
    }

    /// Requests that are being answered right now.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Most requests that were being answered at once since this was last asked.
    pub(crate) fn take_most_open(&self) -> u32 {
        self.most_open.swap(self.open(), Ordering::Relaxed)
    }

    pub(crate) fn note_ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether as many requests failed as are sent at once, and none ever succeeded.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.succeeded.load(Ordering::Relaxed) == 0 && self.failed.load(Ordering::Relaxed) >= self.patience
    }

    /// Whether nobody gets a connection any more, least of all the slot that asks, and no
    /// answer is on its way.
    pub(crate) fn is_gone(&self, refused_in_a_row: u32) -> bool {
        refused_in_a_row >= REFUSALS
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
