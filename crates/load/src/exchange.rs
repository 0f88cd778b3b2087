//! One request and its answer, over one connection.
//!
//! The one idea: two limits hold for every request, the longest silence and the moment at
//! which it is cut off, and one timer serves both. What was heard until then is kept.
//!
//! It does not decide what an answer is worth: that is the transcript's matter.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use autotuner_core::measure::{RequestError, RequestRecord};
use autotuner_core::workload::Lengths;
use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use crate::clock::Clock;
use crate::connection::Connection;
use crate::delta::Origin;
use crate::stream::Read;
use crate::target::Target;
use crate::transcript::{Ending, RequestFailure, Start, Transcript};
use crate::wire::{AnswerReader, Piece};

/// How long the end of a body may take after its `[DONE]`, before the connection is given up.
const TAIL: Duration = Duration::from_millis(250);

/// Most bytes that are read of the body of a refusal.
const REFUSAL_BYTES: usize = 16 * 1024;

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// What it asks for.
    pub(crate) lengths: Lengths,
    /// Its body.
    pub(crate) body: Bytes,
}

/// A request's place in the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// When the schedule wanted it.
    pub(crate) intended_ns: u64,
    /// Its `x-request-id`.
    pub(crate) id: String,
}

/// When a request ends, whatever the server does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Longest time without a byte.
    pub(crate) silence: Duration,
    /// When it is cut off.
    pub(crate) cut_at: Instant,
}

/// What came of a request.
pub(crate) struct Exchanged {
    /// What is recorded of it.
    pub(crate) record: RequestRecord,
    /// Prompt tokens as the server counts them.
    pub(crate) prompt_tokens: Option<u32>,
    /// Who answered; none where no content came.
    pub(crate) origin: Option<Origin>,
    /// Whether the connection can carry another request.
    pub(crate) is_reusable: bool,
    /// Whether the connection broke before a single byte of an answer came.
    pub(crate) is_unanswered: bool,
    /// Reads that brought something, and those of them that brought several chunks of content.
    pub(crate) reads: u32,
    pub(crate) reads_of_several: u32,
}

/// Sends a request and reads its answer to the end, or to a limit.
pub(crate) async fn exchange(
    connection: &mut Connection,
    target: &Target,
    prepared: &Prepared,
    ticket: &Ticket,
    limits: Limits,
    clock: Clock,
) -> Exchanged {
    let Prepared { lengths, body } = prepared;
    connection.prepare(&target.head, &ticket.id, body);
    let mut conversation = Conversation {
        heard: Heard::new(Transcript::new(target.api, lengths.output)),
        is_sent: false,
        unsent: None,
        connection,
    };
    let sent_ns = clock.now();
    let stopped = conversation.within(limits, sent_ns, clock).await;
    let is_over = stopped.is_ok();
    if is_over && conversation.heard.transcript.done_ns().is_some() {
        conversation.read_tail().await;
    }
    let is_reusable = is_over && conversation.connection.reader.is_reusable();
    let Heard {
        mut transcript,
        reads,
        reads_of_several,
        ..
    } = conversation.heard;
    let is_unanswered = reads == 0 && matches!(stopped, Ok(Stop::Unanswered(_)));
    let ending = match stopped {
        Ok(Stop::Ended(ending)) => ending,
        Ok(Stop::Unanswered(reason)) => Ending::Failed(RequestFailure::new(RequestError::Connect, &reason)),
        Err(Limit::Cut) => Ending::CutOff,
        Err(Limit::Silence) => Ending::Failed(RequestFailure::new(
            RequestError::Timeout,
            &format!("no byte for {:?}", limits.silence),
        )),
    };
    // What says [DONE] ended then, whatever became of the connection afterwards.
    let (ending, ended_ns) = match transcript.done_ns() {
        Some(done_ns) => (transcript.close(done_ns), done_ns),
        None => (ending, clock.now()),
    };
    let prompt_tokens = transcript.counted_prompt_tokens();
    let origin = transcript.take_origin();
    let start = Start {
        intended_ns: ticket.intended_ns,
        sent_ns,
    };
    Exchanged {
        record: transcript.into_record(start, ended_ns, *lengths, ending),
        prompt_tokens,
        origin,
        is_reusable,
        is_unanswered,
        reads,
        reads_of_several,
    }
}

/// Which limit ended a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Silence,
    Cut,
}

/// How a request ended that no limit did.
#[derive(Debug)]
enum Stop {
    Ended(Ending),
    /// The connection broke before an answer began, for this reason.
    Unanswered(String),
}

/// A request and its answer, on the wire.
struct Conversation<'a> {
    connection: &'a mut Connection,
    heard: Heard,
    is_sent: bool,
    /// Why the other side took no more of the request.
    unsent: Option<io::Error>,
}

/// What was heard so far.
struct Heard {
    transcript: Transcript,
    /// The status of a refusal, and its body.
    refusal: Option<(u16, Vec<u8>)>,
    /// Chunks with content.
    chunks: u32,
    reads: u32,
    reads_of_several: u32,
}

impl Conversation<'_> {
    /// Talks until the answer ends or a limit is reached. The timer is set for the nearest moment
    /// at which a limit could be reached, and moved on if bytes came in meanwhile: no timer is
    /// touched when a byte arrives.
    async fn within(&mut self, limits: Limits, sent_ns: u64, clock: Clock) -> Result<Stop, Limit> {
        let silent_until = |read_ns: u64| clock.moment(sent_ns.max(read_ns)) + limits.silence;
        let mut timer: Pin<&mut Sleep> =
            pin!(tokio::time::sleep_until(silent_until(sent_ns).min(limits.cut_at)));
        poll_fn(|cx| {
            if let Poll::Ready(stop) = self.poll(cx) {
                return Poll::Ready(Ok(stop));
            }
            while timer.as_mut().poll(cx).is_ready() {
                let now = Instant::now();
                let silent_until = silent_until(self.connection.last_read_ns);
                if now >= limits.cut_at {
                    return Poll::Ready(Err(Limit::Cut));
                }
                if now >= silent_until {
                    return Poll::Ready(Err(Limit::Silence));
                }
                timer.as_mut().reset(silent_until.min(limits.cut_at));
            }
            Poll::Pending
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        if !self.is_sent {
            match self.connection.poll_send(cx) {
                Poll::Pending => (),
                Poll::Ready(Ok(())) => self.is_sent = true,
                // There may be an answer all the same that says why.
                Poll::Ready(Err(error)) => {
                    self.is_sent = true;
                    self.unsent = Some(error);
                }
            }
        }
        loop {
            let Self {
                connection, heard, ..
            } = self;
            let read = connection.poll_receive(cx, |reader, bytes, stamp| heard.take(reader, bytes, stamp));
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(self.broken(&error.to_string())),
                Poll::Ready(Ok(Read::Closed)) => return Poll::Ready(self.closed()),
                Poll::Ready(Ok(Read::Taken {
                    value: Some(ending), ..
                })) => {
                    return Poll::Ready(Stop::Ended(ending));
                }
                // There is more, but others wait too.
                Poll::Ready(Ok(Read::Taken { is_full: true, .. })) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(Read::Taken { .. })) => (),
            }
        }
    }

    fn closed(&mut self) -> Stop {
        if self.connection.reader.ends_with_connection() {
            return Stop::Ended(self.heard.finish(self.connection.last_read_ns));
        }
        self.broken("the server closed the connection before the answer was whole")
    }

    fn broken(&mut self, reason: &str) -> Stop {
        if self.connection.reader.is_before_answer() {
            let reason = match &self.unsent {
                Some(error) => error.to_string(),
                None => reason.to_owned(),
            };
            return Stop::Unanswered(reason);
        }
        Stop::Ended(match self.heard.refused() {
            Some(refusal) => refusal,
            None => self
                .heard
                .transcript
                .break_off(&format!("the stream broke off: {reason}")),
        })
    }

    /// Reads what follows `[DONE]`, so that the connection can be used again.
    async fn read_tail(&mut self) {
        let Self { connection, .. } = self;
        let tail = poll_fn(|cx| {
            while !connection.reader.is_reusable() {
                let read = connection.poll_receive(
                    cx,
                    |reader, mut bytes, _| {
                        while let Ok(Some(_)) = reader.next(&mut bytes) {}
                    },
                );
                match read {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(Read::Taken { .. })) => (),
                    Poll::Ready(_) => return Poll::Ready(()),
                }
            }
            Poll::Ready(())
        });
        drop(tokio::time::timeout(TAIL, tail).await);
    }
}

impl Heard {
    fn new(transcript: Transcript) -> Self {
        Self {
            transcript,
            refusal: None,
            chunks: 0,
            reads: 0,
            reads_of_several: 0,
        }
    }

    /// Takes what one read brought; gives the ending, if it has come.
    fn take(&mut self, reader: &mut AnswerReader, mut bytes: &[u8], stamp: u64) -> Option<Ending> {
        self.reads += 1;
        let before = self.chunks;
        let ending = self.take_pieces(reader, &mut bytes, stamp);
        self.reads_of_several += u32::from(self.chunks > before + 1);
        ending
    }

    fn take_pieces(&mut self, reader: &mut AnswerReader, bytes: &mut &[u8], stamp: u64) -> Option<Ending> {
        loop {
            match reader.next(bytes) {
                Ok(Some(Piece::Status(status))) if (200..300).contains(&status) => (),
                Ok(Some(Piece::Status(status))) => self.refusal = Some((status, Vec::new())),
                Ok(Some(Piece::Body(body))) => {
                    if let Some((_, text)) = &mut self.refusal {
                        text.extend_from_slice(body);
                        if text.len() >= REFUSAL_BYTES {
                            return self.refused();
                        }
                    } else {
                        match self.transcript.feed(body, stamp) {
                            Ok(chunks) => self.chunks += chunks,
                            Err(failure) => return Some(Ending::Failed(failure)),
                        }
                    }
                }
                Ok(Some(Piece::End)) => return Some(self.finish(stamp)),
                Ok(None) => break,
                Err(error) => {
                    return Some(Ending::Failed(RequestFailure::new(
                        RequestError::Parse,
                        &error.to_string(),
                    )));
                }
            }
        }
        // What follows [DONE] is waited for elsewhere.
        self.transcript
            .done_ns()
            .map(|done_ns| self.transcript.close(done_ns))
    }

    /// The answer is over.
    fn finish(&mut self, stamp: u64) -> Ending {
        self.refused().unwrap_or_else(|| self.transcript.close(stamp))
    }

    fn refused(&self) -> Option<Ending> {
        let (status, text) = self.refusal.as_ref()?;
        let text = String::from_utf8_lossy(text);
        let refusal = RequestFailure::new(RequestError::Status(*status), &text);
        Some(Ending::Failed(refusal))
    }
}
