//! One of the requests in flight: a connection that is used for one request after another.
//!
//! The one idea: a connection is fit for use before a request's clock starts, so whatever
//! opening it takes is no part of the request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use autotuner_core::measure::{RequestError, RequestRecord};
use autotuner_core::workload::{Api, Lengths};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::connection::{Connection, connect};
use crate::exchange::{Exchanged, Limits, Prepared, Ticket, exchange};
use crate::shared::Shared;
use crate::transcript::{Ending, RequestFailure, Start, Transcript};

/// A connection that a server closes sooner than this after an answer was not closed for
/// being idle; one that breaks later than this after a request was not just being closed.
const IDLE: Duration = Duration::from_secs(1);

/// One of the requests in flight.
#[derive(Default)]
pub(crate) struct Slot {
    connection: Option<Connection>,
    /// When the connection's last answer ended; `None` if it has carried none.
    answered_at: Option<Instant>,
    /// Attempts to connect that have failed since the last one that worked.
    pub(crate) refused_in_a_row: u32,
    /// Requests that have failed since the last one that succeeded.
    pub(crate) failed_in_a_row: u32,
    /// Which one it is, counted from 0; one that an open loop has added has its thread's number.
    /// The load threads are dealt out by it.
    pub(crate) number: usize,
    /// What was recorded.
    pub(crate) records: Vec<RequestRecord>,
    /// Requests of the warm-up that the window found under way.
    pub(crate) lead_in: Vec<RequestRecord>,
}

impl Slot {
    /// A slot without a connection.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// The slot's connection, a new one if the old is closed.
    ///
    /// # Errors
    /// Why there is none, for reading.
    pub(crate) async fn connection(&mut self, shared: &Shared) -> Result<&mut Connection, String> {
        let answered_at = self.answered_at.take();
        if let Some(mut connection) = self.connection.take() {
            if connection.is_ready().await {
                self.answered_at = answered_at;
                return Ok(self.connection.insert(connection));
            }
            if connection.is_closed() && answered_at.is_some_and(|answered_at| answered_at.elapsed() < IDLE) {
                shared.closes_unannounced.store(true, Ordering::Relaxed);
            }
        }
        match connect(&shared.target, shared.connect_timeout, shared.clock).await {
            Ok(connection) => {
                self.refused_in_a_row = 0;
                shared.health.note_connected();
                Ok(self.connection.insert(connection))
            }
            Err(reason) => {
                self.refused_in_a_row += 1;
                shared.health.note_refused();
                Err(reason)
            }
        }
    }

    /// Sends one request and waits for its end.
    ///
    /// It is sent a second time in one case only: on a connection that had been used before
    /// and broke at once, before any answer. That is what a server looks like that closed the
    /// connection just then. One that took the request and dropped it later has failed it. The
    /// request's clock goes on from the first sending, every second one is counted, and no
    /// connection is used twice after that, so it cannot hide a server that drops requests.
    pub(crate) async fn ask(
        &mut self,
        shared: &Shared,
        prepared: &Prepared,
        ticket: &Ticket,
        cut_at: Instant,
    ) -> Exchanged {
        let intended_ns = ticket.intended_ns;
        let mut first_sent_ns = None;
        loop {
            let lengths = prepared.lengths;
            let connected = tokio::time::timeout_at(cut_at, self.connection(shared)).await;
            match connected {
                Ok(Ok(_)) => (),
                Ok(Err(reason)) => {
                    let failure = RequestFailure::new(RequestError::Connect, &reason);
                    return unsent(shared.clock, intended_ns, lengths, Ending::Failed(failure));
                }
                Err(_) => return unsent(shared.clock, intended_ns, lengths, Ending::CutOff),
            }
            let is_reused = self.answered_at.is_some();
            let mut exchanged = self.exchange(shared, prepared, ticket, cut_at).await;
            let record = &mut exchanged.record;
            let took = Duration::from_nanos(record.ended_ns.saturating_sub(record.sent_ns));
            if let Some(sent_ns) = first_sent_ns {
                record.sent_ns = sent_ns;
            }
            if !(is_reused && exchanged.is_unanswered && took < IDLE) {
                return exchanged;
            }
            first_sent_ns = Some(exchanged.record.sent_ns);
            shared.sent_again.fetch_add(1, Ordering::Relaxed);
            shared.closes_unannounced.store(true, Ordering::Relaxed);
        }
    }

    async fn exchange(
        &mut self,
        shared: &Shared,
        prepared: &Prepared,
        ticket: &Ticket,
        cut_at: Instant,
    ) -> Exchanged {
        let limits = Limits {
            silence: shared.silence,
            cut_at,
        };
        let Some(mut connection) = self.connection.take() else {
            let lost = RequestFailure::new(RequestError::Connect, "the connection is closed");
            return unsent(
                shared.clock,
                ticket.intended_ns,
                prepared.lengths,
                Ending::Failed(lost),
            );
        };
        shared.health.note_opened();
        let exchanged = exchange(
            &mut connection,
            &shared.target,
            prepared,
            ticket,
            limits,
            shared.clock,
        )
        .await;
        shared.health.note_ended();
        shared.note_reads(exchanged.reads, exchanged.reads_of_several);
        if let Some(origin) = &exchanged.origin {
            shared.origins.note(origin);
        }
        self.answered_at = None;
        if exchanged.is_reusable && !shared.closes_unannounced.load(Ordering::Relaxed) {
            self.connection = Some(connection);
            self.answered_at = Some(Instant::now());
        }
        exchanged
    }
}

/// What comes of a request for which there was no connection: it counts as sent when it
/// should have been.
fn unsent(clock: Clock, intended_ns: u64, lengths: Lengths, ending: Ending) -> Exchanged {
    let start = Start {
        intended_ns,
        sent_ns: intended_ns,
    };
    Exchanged {
        record: Transcript::new(Api::Chat, 0).into_record(start, clock.now(), lengths, ending),
        prompt_tokens: None,
        origin: None,
        is_reusable: false,
        is_unanswered: false,
        reads: 0,
        reads_of_several: 0,
    }
}
