//! The body of a streamed answer.
//!
//! It is polled by the connection when that is ready to write, and stamps the truth at the
//! moment it hands a content chunk over: one token, one chunk, one stamp. It also plays the
//! faults that strike halfway through an answer.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::endless::EndlessLine;
use super::places::Place;
use super::wire::{DONE, Renderer, Usage};
use crate::clock::Clock;
use crate::driver::Token;
use crate::fault::RequestFault;
use crate::text;
use crate::truth::{Outcome, Record};

/// The answer was cut; the connection closes without the end of the body.
#[derive(Debug, Error)]
#[error("the answer was cut")]
pub(crate) struct Cut;

/// What an answer is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) renderer: Renderer,
    pub(crate) tokens: mpsc::Receiver<Token>,
    pub(crate) record: Arc<Record>,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) fingerprint: u64,
    pub(crate) max_tokens: u32,
    pub(crate) includes_usage: bool,
    pub(crate) fault: Option<RequestFault>,
    /// How late the fault `slow-first-token` is.
    pub(crate) slow_first_token: Duration,
    /// Held until the answer is over.
    pub(crate) _place: Place,
}

/// The body of a streamed answer.
#[derive(Debug)]
pub(crate) struct Answer {
    parts: Parts,
    /// Chunks without content that are due before the next token, or after the last.
    due: VecDeque<Bytes>,
    has_all_tokens: bool,
    has_stalled: bool,
    /// The first token, while it is held back.
    late: Option<(Pin<Box<Sleep>>, Token)>,
    endless: Option<EndlessLine>,
}

impl Answer {
    /// An answer that has yet to begin.
    pub(crate) fn new(parts: Parts) -> Self {
        let due = parts.renderer.opening().into_iter().collect();
        Self {
            parts,
            due,
            has_all_tokens: false,
            has_stalled: false,
            late: None,
            endless: None,
        }
    }

    /// The next token, when it may be handed out; none when no more will come.
    fn poll_token(&mut self, context: &mut Context<'_>) -> Poll<Option<Token>> {
        if self.late.is_none() {
            let token = ready!(self.parts.tokens.poll_recv(context));
            match (token, self.parts.fault) {
                (Some(token), Some(RequestFault::SlowFirstToken)) if token.position == 0 => {
                    let wait = Box::pin(tokio::time::sleep(self.parts.slow_first_token));
                    self.late = Some((wait, token));
                }
                _ => return Poll::Ready(token),
            }
        }
        let Some((wait, token)) = &mut self.late else {
            return Poll::Pending;
        };
        ready!(wait.as_mut().poll(context));
        let token = *token;
        self.late = None;
        Poll::Ready(Some(token))
    }

    /// What comes instead of the token at which the fault strikes, or that token.
    fn spoil(&mut self, token: Token) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.parts.fault {
            Some(RequestFault::CutStream) => {
                self.parts.end(Outcome::Faulted);
                Poll::Ready(Some(Err(Cut)))
            }
            // It ends when the connection does.
            Some(RequestFault::Stall) => {
                self.parts.end(Outcome::Faulted);
                self.has_stalled = true;
                Poll::Pending
            }
            Some(RequestFault::BadJson) => {
                self.parts.end(Outcome::Faulted);
                let _ = self.token(token);
                Poll::Ready(Some(Ok(Bytes::from_static(
                    b"data: {\"choices\": [{\"index\": 0, \"te\n\n",
                ))))
            }
            Some(RequestFault::EndlessLine) => {
                self.parts.end(Outcome::Faulted);
                let (beginning, rest) = EndlessLine::begin();
                self.endless = Some(rest);
                Poll::Ready(Some(Ok(beginning)))
            }
            Some(RequestFault::Garbage | RequestFault::Http500 | RequestFault::SlowFirstToken) | None => {
                Poll::Ready(Some(Ok(self.token(token))))
            }
        }
    }

    fn token(&mut self, token: Token) -> Bytes {
        let parts = &mut self.parts;
        let word = text::token(parts.seed, parts.fingerprint, token.position);
        let chunk = parts.renderer.content(&word);
        if token.is_last {
            self.has_all_tokens = true;
            self.due.push_back(parts.renderer.finish());
            if parts.includes_usage {
                self.due
                    .push_back(parts.renderer.usage(parts.usage(token.position + 1)));
            }
            self.due.push_back(DONE);
        }
        let now = parts.clock.now();
        parts.record.update(|truth| truth.stamp(now, 1));
        chunk
    }
}

impl Parts {
    /// The usage of an answer of so many tokens.
    pub(crate) fn usage(&self, completion_tokens: u32) -> Usage {
        self.record.update(|truth| Usage {
            prompt_tokens: truth.prompt_tokens,
            cached_tokens: truth.cached_tokens,
            completion_tokens,
        })
    }

    /// The place of the token at which a fault strikes: halfway, and never the first unless it
    /// is the only one.
    pub(crate) fn halfway(&self) -> u32 {
        self.max_tokens / 2
    }

    fn finish_whole(&self, words: &str, tokens: u32) -> String {
        let mut body = self.renderer.whole(words, self.usage(tokens)).to_string();
        let now = self.clock.now();
        self.record.update(|truth| truth.stamp(now, tokens));
        if self.fault == Some(RequestFault::BadJson) {
            self.end(Outcome::Faulted);
            body.truncate(body.len() / 2);
        } else {
            self.end(Outcome::Complete);
        }
        body
    }

    /// Ends the record; a fault is told apart from a client that left.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.record.end(outcome, self.clock.now());
    }
}

impl Stream for Answer {
    type Item = Result<Bytes, Cut>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let answer = &mut *self;
        if let Some(chunk) = answer.due.pop_front() {
            if answer.has_all_tokens && answer.due.is_empty() {
                answer.parts.end(Outcome::Complete);
            }
            return Poll::Ready(Some(Ok(chunk)));
        }
        if answer.has_all_tokens {
            return Poll::Ready(None);
        }
        if answer.has_stalled {
            return Poll::Pending;
        }
        if let Some(line) = &mut answer.endless {
            return Poll::Ready(Some(line.next().ok_or(Cut)));
        }
        let Some(token) = ready!(answer.poll_token(context)) else {
            answer.parts.end(Outcome::Aborted);
            return Poll::Ready(Some(Err(Cut)));
        };
        if token.position == answer.parts.halfway() {
            answer.spoil(token)
        } else {
            Poll::Ready(Some(Ok(answer.token(token))))
        }
    }
}

/// Whatever has not ended by the time its parts are dropped was left by its client.
impl Drop for Parts {
    fn drop(&mut self) {
        self.end(Outcome::Aborted);
    }
}

/// Waits for all tokens of an answer that is not streamed and renders its body. Dropping the
/// future gives the request up.
pub(crate) async fn collect(mut parts: Parts) -> Result<String, Cut> {
    let mut words = String::new();
    loop {
        let token = parts.tokens.recv().await.ok_or(Cut)?;
        if token.position == 0 && parts.fault == Some(RequestFault::SlowFirstToken) {
            tokio::time::sleep(parts.slow_first_token).await;
        }
        if token.position == parts.halfway() {
            match parts.fault {
                Some(RequestFault::CutStream) => {
                    parts.end(Outcome::Faulted);
                    return Err(Cut);
                }
                Some(RequestFault::Stall) => {
                    parts.end(Outcome::Faulted);
                    std::future::pending::<()>().await;
                }
                _ => {}
            }
        }
        words.push_str(&text::token(parts.seed, parts.fingerprint, token.position));
        if token.is_last {
            return Ok(parts.finish_whole(&words, token.position + 1));
        }
    }
}

/// The body of an answer that is not streamed and was cut: it begins and then fails.
#[derive(Debug, Default)]
pub(crate) struct CutBody {
    polls: u32,
}

impl Stream for CutBody {
    type Item = Result<Bytes, Cut>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.polls += 1;
        match self.polls {
            1 => Poll::Ready(Some(Ok(Bytes::from_static(b"{\"id\":\"cmpl-")))),
            // A pause in which the connection writes what it has; a body that fails at once
            // would take the headers with it.
            2 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(Cut))),
        }
    }
}
