//! The truth: when each request came and when each part of its answer was written.
//!
//! All stamps are nanoseconds of the system's monotonic clock, which is the same for every
//! process of a machine. The stamp of a write is taken right before it. It deliberately
//! computes nothing: what a stamp is worth is for whoever compares.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::clock::Nanoseconds;
use super::options::Stamps;

/// Requests that are kept; the oldest make room.
const MOST_REQUESTS: usize = 1 << 20;

/// Stamps of chunks that are kept, 128 MiB of them; the oldest requests make room.
const MOST_STAMPS: usize = 1 << 24;

/// Room for stamps that a request gets at once; those with more chunks get it as they go.
const STAMPS_AT_ONCE: u32 = 1024;

/// What `GET /truth` tells, all of it since the start or the last `POST /truth/reset`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Most completion requests that were in flight at once.
    pub peak_in_flight: u32,
    /// Connections that were accepted.
    pub connections_accepted: u64,
    /// Processor time that the server's thread has used.
    pub cpu_ns: u64,
    /// The completion requests that were not refused, in the order in which they came.
    pub requests: VecDeque<Record>,
}

/// What really happened to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its `x-request-id`, or nothing.
    pub request_id: String,
    /// When its last byte had been read.
    pub received_ns: u64,
    /// When the write was made that carried the first chunk with content.
    pub first_ns: Option<u64>,
    /// When the write was made that carried the last chunk with content so far.
    pub last_ns: Option<u64>,
    /// Chunks with content that were written, of one token each. An answer that is not streamed
    /// is one chunk.
    pub chunks: u32,
    /// When the writes were made that carried each chunk with content; empty where only the
    /// first and the last stamp are kept.
    pub chunk_ns: Vec<u64>,
    /// When the end was written, or when the client was seen to have gone.
    pub ended_ns: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It has not ended yet.
    Open,
    /// The whole answer was written.
    Complete,
    /// The client went away before.
    Aborted,
}

/// Names a record, even after it was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Keeps the truth.
#[derive(Debug)]
pub(super) struct Ledger {
    keeps: Stamps,
    truth: Truth,
    /// How many records came before the first that is kept.
    forgotten: u64,
    /// Stamps of chunks in the records that are kept.
    stamps: usize,
    in_flight: u32,
    /// The thread's processor time at the start, or at the last reset.
    cpu_from: Nanoseconds,
}

impl Ledger {
    pub(super) fn new(keeps: Stamps, thread_time: Nanoseconds) -> Self {
        Self {
            keeps,
            truth: Truth::default(),
            forgotten: 0,
            stamps: 0,
            in_flight: 0,
            cpu_from: thread_time,
        }
    }

    /// Notes a new connection.
    pub(super) fn accept(&mut self) {
        self.truth.connections_accepted += 1;
    }

    /// Opens the record of a request.
    pub(super) fn open(&mut self, request_id: String, received: Nanoseconds, tokens: u32) -> Ticket {
        while self.truth.requests.len() >= MOST_REQUESTS || self.stamps > MOST_STAMPS {
            let oldest = self.truth.requests.pop_front();
            self.stamps -= oldest.map_or(0, |record| record.chunk_ns.len());
            self.forgotten += 1;
        }
        self.in_flight += 1;
        self.truth.peak_in_flight = self.truth.peak_in_flight.max(self.in_flight);
        let ticket = Ticket(self.forgotten + self.truth.requests.len() as u64);
        let room = match self.keeps {
            Stamps::All => tokens.min(STAMPS_AT_ONCE) as usize,
            Stamps::FirstLast => 0,
        };
        self.truth.requests.push_back(Record {
            request_id,
            received_ns: received,
            first_ns: None,
            last_ns: None,
            chunks: 0,
            chunk_ns: Vec::with_capacity(room),
            ended_ns: None,
            outcome: Outcome::Open,
        });
        ticket
    }

    /// Notes that a write with so many chunks was begun at a time.
    pub(super) fn stamp(&mut self, ticket: Ticket, time: Nanoseconds, chunks: u32) {
        let keeps = self.keeps;
        let Some(record) = self.record(ticket) else { return };
        record.first_ns.get_or_insert(time);
        record.last_ns = Some(time);
        record.chunks += chunks;
        if keeps == Stamps::All {
            let stamps = record.chunk_ns.len() + chunks as usize;
            record.chunk_ns.resize(stamps, time);
            self.stamps += chunks as usize;
        }
    }

    /// Ends the record of a request.
    pub(super) fn end(&mut self, ticket: Ticket, time: Nanoseconds, outcome: Outcome) {
        self.in_flight -= 1;
        if let Some(record) = self.record(ticket) {
            record.ended_ns = Some(time);
            record.outcome = outcome;
        }
    }

    /// How many requests are in flight.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Forgets all records, those of requests in flight too, and counts anew.
    pub(super) fn reset(&mut self, thread_time: Nanoseconds) {
        self.forgotten += self.truth.requests.len() as u64;
        self.stamps = 0;
        self.cpu_from = thread_time;
        self.truth = Truth {
            peak_in_flight: self.in_flight,
            ..Truth::default()
        };
    }

    /// The truth so far.
    pub(super) fn tell(&mut self, thread_time: Nanoseconds) -> &Truth {
        self.truth.cpu_ns = thread_time - self.cpu_from;
        &self.truth
    }

    fn record(&mut self, ticket: Ticket) -> Option<&mut Record> {
        let place = ticket.0.checked_sub(self.forgotten)?;
        self.truth.requests.get_mut(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> String {
        format!("r{number}")
    }

    #[test]
    fn every_chunk_has_a_stamp() {
        let mut ledger = Ledger::new(Stamps::All, 5);
        ledger.accept();
        let (first, second) = (ledger.open(id(1), 10, 3), ledger.open(id(2), 11, 3));
        ledger.stamp(first, 20, 2);
        ledger.stamp(first, 30, 1);
        ledger.end(first, 31, Outcome::Complete);
        ledger.end(second, 32, Outcome::Aborted);
        let expected = r#"{"peak_in_flight":2,"connections_accepted":1,"cpu_ns":7,"requests":[{"request_id":"r1","received_ns":10,"first_ns":20,"last_ns":30,"chunks":3,"chunk_ns":[20,20,30],"ended_ns":31,"outcome":"complete"},{"request_id":"r2","received_ns":11,"first_ns":null,"last_ns":null,"chunks":0,"chunk_ns":[],"ended_ns":32,"outcome":"aborted"}]}"#;
        assert_eq!(serde_json::to_string(ledger.tell(12)).unwrap(), expected);
    }

    #[test]
    fn the_first_and_the_last_stamp_are_kept_alone_if_so_wished() {
        let mut ledger = Ledger::new(Stamps::FirstLast, 0);
        let ticket = ledger.open(id(1), 10, 3);
        ledger.stamp(ticket, 20, 2);
        ledger.stamp(ticket, 30, 1);
        let record = &ledger.tell(0).requests[0];
        assert_eq!(
            (record.first_ns, record.last_ns, record.chunks, record.outcome),
            (Some(20), Some(30), 3, Outcome::Open)
        );
        assert!(record.chunk_ns.is_empty());
    }

    #[test]
    fn a_reset_forgets_and_what_is_in_flight_stays_so() {
        let mut ledger = Ledger::new(Stamps::All, 0);
        ledger.accept();
        let (first, second) = (ledger.open(id(1), 10, 1), ledger.open(id(2), 11, 1));
        ledger.end(first, 20, Outcome::Complete);
        ledger.reset(100);
        ledger.stamp(second, 30, 1);
        let third = ledger.open(id(3), 40, 1);
        ledger.end(second, 41, Outcome::Complete);
        ledger.stamp(third, 42, 1);
        assert_eq!(ledger.in_flight(), 1);
        let truth = ledger.tell(101);
        assert_eq!(
            (truth.peak_in_flight, truth.connections_accepted, truth.cpu_ns),
            (2, 0, 1)
        );
        let ids: Vec<&str> = truth.requests.iter().map(|record| &*record.request_id).collect();
        assert_eq!(ids, ["r3"]);
        assert_eq!(truth.requests[0].chunk_ns, [42]);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut ledger = Ledger::new(Stamps::All, 0);
        let most = u32::try_from(MOST_STAMPS).unwrap();
        let first = ledger.open(id(1), 10, 1);
        ledger.stamp(first, 20, most);
        let second = ledger.open(id(2), 30, 1);
        ledger.stamp(second, 40, 1);
        ledger.open(id(3), 50, 1);
        ledger.stamp(first, 60, 1);
        let ids: Vec<&str> = ledger
            .truth
            .requests
            .iter()
            .map(|record| &*record.request_id)
            .collect();
        assert_eq!(ids, ["r2", "r3"]);
    }
}
