//! One request and its answer, over one connection.
//!
//! The one idea: two limits hold for every request, the longest silence and the moment at
//! which it is cut off, and one timer serves both. What was heard until then is kept.
//!
//! It does not decide what an answer is worth: that is the transcript's matter.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use autotuner_core::measure::{RequestError, RequestRecord};
use autotuner_core::workload::Lengths;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::clock::{Clock, LastRead};
use crate::connection::Connection;
use crate::delta::Origin;
use crate::target::Target;
use crate::transcript::{Ending, RequestFailure, Start, Transcript};

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
    /// Whether the connection broke before an answer began.
    pub(crate) is_unanswered: bool,
}

/// Sends a request and reads its answer to the end, or to a limit.
pub(crate) async fn exchange(
    connection: &mut Connection,
    target: &Target,
    prepared: Prepared,
    intended_ns: u64,
    limits: Limits,
    clock: Clock,
) -> Exchanged {
    let Prepared { lengths, body } = prepared;
    let request = target.request(body);
    let last_read = connection.last_read().clone();
    let mut transcript = Transcript::new(lengths.output);
    let start = Start {
        intended_ns,
        sent_ns: clock.now(),
    };
    let (stopped, is_reusable, is_unanswered) = {
        let mut reading = Reading {
            connection,
            transcript: &mut transcript,
            last_read: &last_read,
            is_reusable: false,
            is_unanswered: false,
        };
        let stopped = within(
            limits,
            start.sent_ns,
            &last_read,
            clock,
            reading.converse(request),
        )
        .await;
        (stopped, reading.is_reusable, reading.is_unanswered)
    };
    let ending = match stopped {
        Ok(ending) => ending,
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
    Exchanged {
        record: transcript.into_record(start, ended_ns, lengths, ending),
        prompt_tokens,
        origin,
        is_reusable,
        is_unanswered,
    }
}

/// Which limit ended a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Silence,
    Cut,
}

/// Runs `talk` until it ends or a limit is reached. The timer is set for the nearest moment
/// at which a limit could be reached, and moved on if bytes came in meanwhile: no timer is
/// touched when a byte arrives.
async fn within(
    limits: Limits,
    sent_ns: u64,
    last_read: &LastRead,
    clock: Clock,
    talk: impl Future<Output = Ending>,
) -> Result<Ending, Limit> {
    let silent_until = || clock.moment(sent_ns.max(last_read.stamp())) + limits.silence;
    let mut talk = pin!(talk);
    let mut timer: Pin<&mut Sleep> = pin!(tokio::time::sleep_until(silent_until().min(limits.cut_at)));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(ending) = talk.as_mut().poll(cx) {
            return Poll::Ready(Ok(ending));
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= limits.cut_at {
                return Poll::Ready(Err(Limit::Cut));
            }
            if now >= silent_until() {
                return Poll::Ready(Err(Limit::Silence));
            }
            timer.as_mut().reset(silent_until().min(limits.cut_at));
        }
        Poll::Pending
    })
    .await
}

/// An answer that is being read.
struct Reading<'a> {
    connection: &'a mut Connection,
    transcript: &'a mut Transcript,
    last_read: &'a LastRead,
    is_reusable: bool,
    is_unanswered: bool,
}

impl Reading<'_> {
    async fn converse(&mut self, request: hyper::Request<http_body_util::Full<Bytes>>) -> Ending {
        let response = match self.connection.send(request).await {
            Ok(response) => response,
            Err(error) if error.is_parse() => {
                return Ending::Failed(RequestFailure::new(RequestError::Parse, &chain(&error)));
            }
            Err(error) => {
                self.is_unanswered = true;
                return Ending::Failed(RequestFailure::new(RequestError::Connect, &chain(&error)));
            }
        };
        if !response.status().is_success() {
            return self.read_refusal(response).await;
        }
        let mut body = response.into_body();
        loop {
            match self.connection.drive(body.frame()).await {
                None => {
                    self.is_reusable = true;
                    return self.transcript.close(self.last_read.stamp());
                }
                Some(Err(error)) => return self.broken(&error),
                Some(Ok(frame)) => {
                    let stamp = self.last_read.stamp();
                    let Some(bytes) = frame.data_ref() else { continue };
                    if let Err(failure) = self.transcript.feed(bytes, stamp) {
                        return Ending::Failed(failure);
                    }
                    if let Some(done_ns) = self.transcript.done_ns() {
                        self.read_tail(body).await;
                        return self.transcript.close(done_ns);
                    }
                }
            }
        }
    }

    /// Reads what follows `[DONE]`, so that the connection can be used again.
    async fn read_tail(&mut self, mut body: Incoming) {
        let tail = self
            .connection
            .drive(async { while let Some(Ok(_)) = body.frame().await {} });
        self.is_reusable = tokio::time::timeout(TAIL, tail).await.is_ok();
    }

    fn broken(&mut self, error: &hyper::Error) -> Ending {
        let is_bad_framing = std::error::Error::source(error)
            .and_then(|source| source.downcast_ref::<std::io::Error>())
            .is_some_and(|source| {
                matches!(
                    source.kind(),
                    std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData
                )
            });
        if is_bad_framing {
            return Ending::Failed(RequestFailure::new(RequestError::Parse, &chain(error)));
        }
        self.transcript
            .break_off(&format!("the stream broke off: {}", chain(error)))
    }

    async fn read_refusal(&mut self, response: Response<Incoming>) -> Ending {
        let status = response.status();
        let mut body = response.into_body();
        let mut text = Vec::new();
        while text.len() < REFUSAL_BYTES {
            match self.connection.drive(body.frame()).await {
                Some(Ok(frame)) => text.extend_from_slice(frame.data_ref().map_or(&[], |bytes| bytes)),
                Some(Err(_)) => break,
                None => {
                    self.is_reusable = true;
                    break;
                }
            }
        }
        Ending::Failed(RequestFailure::new(
            RequestError::Status(status.as_u16()),
            &String::from_utf8_lossy(&text),
        ))
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
