//! What really happened to each request, for comparing with what a client thought it saw.
//!
//! A ring keeps the latest requests; a record is stamped where things happen: by the handler
//! when a request arrives, by the driver when it is admitted, and by the answer's body at the
//! moment a chunk is handed to the connection. All times are nanoseconds since the engine
//! started, never going back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::clock::Nanoseconds;

/// Requests that the ring holds; the oldest make room for new ones.
pub(crate) const CAPACITY: usize = 4096;

/// What really happened to one request. Times are nanoseconds since the engine's start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestTruth {
    /// The request's `x-request-id`, its own or the one it was given.
    pub request_id: String,
    /// Its place among all completion requests that were accepted, from 1.
    pub ordinal: u64,
    /// When its headers had been read.
    pub received_ns: Nanoseconds,
    /// When it was first given a place in a step; none while it waits.
    pub admitted_ns: Option<Nanoseconds>,
    /// When the first chunk with content was handed to the connection.
    pub first_content_ns: Option<Nanoseconds>,
    /// When each chunk with content was handed to the connection. An answer that is not
    /// streamed is one chunk.
    pub chunk_ns: Vec<Nanoseconds>,
    /// When the answer ended, for whatever reason; none while it goes on.
    pub ended_ns: Option<Nanoseconds>,
    /// Tokens in the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the prompt that were known and not computed.
    pub cached_tokens: u32,
    /// Tokens of the answer that were handed to the connection.
    pub completion_tokens: u32,
    /// How often it was pushed out of the cache.
    pub preemptions: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not ended yet.
    Open,
    /// The whole answer was handed to the connection.
    Complete,
    /// A fault that was switched on spoilt it.
    Faulted,
    /// The client went away, or the engine ended, before the answer was whole.
    Aborted,
}

/// One request's record, shared by those who stamp it.
#[derive(Debug)]
pub(crate) struct Record(Mutex<RequestTruth>);

impl Record {
    /// Changes the record under its lock.
    pub(crate) fn update<Value>(&self, change: impl FnOnce(&mut RequestTruth) -> Value) -> Value {
        change(&mut lock(&self.0))
    }

    /// Ends the record, unless it has ended before.
    pub(crate) fn end(&self, outcome: Outcome, now: Nanoseconds) {
        self.update(|truth| {
            if truth.outcome == Outcome::Open {
                truth.outcome = outcome;
                truth.ended_ns = Some(now);
            }
        });
    }
}

impl RequestTruth {
    /// Notes that a chunk with content is being handed to the connection.
    pub(crate) fn stamp(&mut self, now: Nanoseconds, tokens: u32) {
        self.first_content_ns.get_or_insert(now);
        self.chunk_ns.push(now);
        self.completion_tokens += tokens;
    }
}

/// What is known of a request when it is accepted.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) request_id: String,
    pub(crate) ordinal: u64,
    pub(crate) received_ns: Nanoseconds,
    pub(crate) prompt_tokens: u32,
}

/// The latest requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct TruthRing(Mutex<VecDeque<Arc<Record>>>);

impl TruthRing {
    /// Opens a record for a request that has just been accepted.
    pub(crate) fn open(&self, arrival: Arrival) -> Arc<Record> {
        let Arrival {
            request_id,
            ordinal,
            received_ns,
            prompt_tokens,
        } = arrival;
        let record = Arc::new(Record(Mutex::new(RequestTruth {
            request_id,
            ordinal,
            received_ns,
            admitted_ns: None,
            first_content_ns: None,
            chunk_ns: Vec::new(),
            ended_ns: None,
            prompt_tokens,
            cached_tokens: 0,
            completion_tokens: 0,
            preemptions: 0,
            outcome: Outcome::Open,
        })));
        let mut ring = lock(&self.0);
        if ring.len() == CAPACITY {
            ring.pop_front();
        }
        ring.push_back(Arc::clone(&record));
        record
    }

    /// A copy of all records, oldest first.
    pub(crate) fn all(&self) -> Vec<RequestTruth> {
        lock(&self.0)
            .iter()
            .map(|record| record.update(|truth| truth.clone()))
            .collect()
    }

    /// Forgets all records.
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// A panic elsewhere leaves plain numbers here, which are still worth reading.
fn lock<Value>(mutex: &Mutex<Value>) -> MutexGuard<'_, Value> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(ordinal: u64) -> Arrival {
        Arrival {
            request_id: format!("r{ordinal}"),
            ordinal,
            received_ns: ordinal,
            prompt_tokens: 1,
        }
    }

    #[test]
    fn the_ring_keeps_the_latest() {
        let ring = TruthRing::default();
        for ordinal in 0..5000 {
            ring.open(arrival(ordinal));
        }
        let all = ring.all();
        assert_eq!(all.len(), CAPACITY);
        assert_eq!(all[0].request_id, "r904");
        assert_eq!(all[CAPACITY - 1].request_id, "r4999");
        ring.clear();
        assert_eq!(ring.all(), []);
    }

    #[test]
    fn stamps_add_up_and_the_first_end_counts() {
        let ring = TruthRing::default();
        let record = ring.open(arrival(10));
        record.update(|truth| truth.stamp(20, 1));
        record.update(|truth| truth.stamp(30, 1));
        record.end(Outcome::Complete, 31);
        record.end(Outcome::Aborted, 40);
        let truth = &ring.all()[0];
        assert_eq!(
            (truth.first_content_ns, truth.chunk_ns.as_slice()),
            (Some(20), [20, 30].as_slice())
        );
        assert_eq!(
            (truth.completion_tokens, truth.outcome, truth.ended_ns),
            (2, Outcome::Complete, Some(31))
        );
    }
}
