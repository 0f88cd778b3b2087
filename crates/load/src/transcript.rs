//! What one answer amounts to: bytes and their stamps in, a record out.
//!
//! The one idea: the whole judgement of a request (what counts as content, which tokens,
//! success or which error) is here and needs no network, so it can be tested to the
//! nanosecond with made-up stamps. It holds no more than a bounded number of bytes, whatever
//! a server sends.

#[cfg(test)]
mod fuzz;
mod heard;
#[cfg(test)]
mod tests;

use autotuner_core::measure::{RequestError, RequestOutcome, RequestRecord};
use autotuner_core::workload::{Api, Lengths};

use crate::delta::{self, Fault, Origin};
use crate::sse::{ScanError, Scanner};
use heard::Heard;

/// Most characters of an error's text that are kept.
const DETAIL_CHARACTERS: usize = 300;

/// Longest body of an answer that comes whole.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestFailure {
    /// The class.
    pub(crate) error: RequestError,
    /// What exactly.
    pub(crate) detail: String,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The answer came to its end, and is good.
    Complete,
    /// It failed.
    Failed(RequestFailure),
    /// It was still open when the time for it was over.
    CutOff,
}

/// When a request began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// When the schedule wanted it.
    pub(crate) intended_ns: u64,
    /// When it was sent.
    pub(crate) sent_ns: u64,
}

/// Reads an answer's body and remembers what matters.
#[derive(Debug)]
pub(crate) struct Transcript {
    body: Body,
    heard: Heard,
}

/// How an answer is written.
#[derive(Debug)]
enum Body {
    /// As events, one after the other.
    Events(Scanner),
    /// Whole, and read when it is: what there is of it so far.
    Whole(Vec<u8>),
}

impl RequestFailure {
    /// A failure whose text is cut to a readable length and to one line.
    pub(crate) fn new(error: RequestError, detail: &str) -> Self {
        let mut text = String::new();
        let mut characters = 0;
        for word in detail.split_whitespace() {
            let space = if text.is_empty() { "" } else { " " };
            for character in space.chars().chain(word.chars()) {
                if characters == DETAIL_CHARACTERS {
                    return Self { error, detail: text };
                }
                text.push(character);
                characters += 1;
            }
        }
        Self { error, detail: text }
    }
}

impl Transcript {
    /// An answer of which nothing has been heard; `chunks` are expected.
    pub(crate) fn new(api: Api, chunks: u32) -> Self {
        match api {
            Api::Chat | Api::Completions | Api::LlamaCpp | Api::Tgi => Self {
                body: Body::Events(Scanner::default()),
                heard: Heard::new(api, chunks),
            },
            Api::Embeddings | Api::Rerank => Self {
                body: Body::Whole(Vec::new()),
                heard: Heard::new(api, 1),
            },
        }
    }

    /// Takes bytes of the body, all read at `stamp`, and says how many chunks of content they
    /// completed. One stamp stands for all of those.
    ///
    /// # Errors
    /// When they are no event stream, no JSON, carry an error object, or never end.
    pub(crate) fn feed(&mut self, bytes: &[u8], stamp: u64) -> Result<u32, RequestFailure> {
        let Self { body, heard } = self;
        let before = heard.chunks();
        match body {
            Body::Events(scanner) => scanner
                .feed(bytes, |event| heard.take(event, stamp))
                .map_err(failure)?,
            Body::Whole(body) if body.len() + bytes.len() > LONGEST_BODY => {
                let text = format!("an answer of more than {LONGEST_BODY} bytes");
                return Err(RequestFailure::new(RequestError::Parse, &text));
            }
            Body::Whole(body) => body.extend_from_slice(bytes),
        }
        Ok(heard.chunks() - before)
    }

    /// When `[DONE]` arrived, if it did.
    pub(crate) fn done_ns(&self) -> Option<u64> {
        self.heard.done_ns()
    }

    /// The body has come to its end, at `stamp`: is the answer good? The content of an answer
    /// that comes whole arrives now.
    pub(crate) fn close(&mut self, stamp: u64) -> Ending {
        let Self { body, heard } = self;
        match body {
            Body::Events(scanner) => {
                if heard.done_ns().is_none() {
                    let finished = scanner.finish(|event| heard.take(event, stamp));
                    // The remains of an event that was cut in two are no error of their own.
                    if let Err(ScanError::Receiver(found)) = finished
                        && found.error == RequestError::InBand
                    {
                        return Ending::Failed(found);
                    }
                }
            }
            Body::Whole(body) => {
                let body = std::mem::take(body);
                let read = delta::parse_whole(heard.api(), &body).map_err(|fault| faulty(fault, &body));
                match read {
                    Ok(whole) => heard.take_whole(whole, stamp),
                    Err(found) => return Ending::Failed(found),
                }
            }
        }
        self.judge("the stream ended without a finish reason or [DONE]")
    }

    /// The body broke off.
    pub(crate) fn break_off(&mut self, reason: &str) -> Ending {
        self.judge(reason)
    }

    fn judge(&self, without_finish: &str) -> Ending {
        let failed = |error, detail: &str| Ending::Failed(RequestFailure::new(error, detail));
        if !self.heard.is_over() {
            return match &self.body {
                Body::Events(scanner) => match scanner.foreign() {
                    Some(foreign) => failed(RequestError::Parse, &no_stream(foreign)),
                    None => failed(RequestError::Truncated, without_finish),
                },
                Body::Whole(_) => failed(RequestError::Truncated, without_finish),
            };
        }
        if self.heard.chunks() == 0 {
            return failed(RequestError::Empty, "the answer is complete and has no content");
        }
        Ending::Complete
    }

    /// How many prompt tokens the server has counted.
    pub(crate) fn counted_prompt_tokens(&self) -> Option<u32> {
        self.heard.counted_prompt_tokens()
    }

    /// Who answered; none before any content.
    pub(crate) fn take_origin(&mut self) -> Option<Origin> {
        self.heard.take_origin()
    }

    /// The record of the request.
    pub(crate) fn into_record(
        self,
        start: Start,
        ended_ns: u64,
        lengths: Lengths,
        ending: Ending,
    ) -> RequestRecord {
        RequestRecord {
            intended_ns: start.intended_ns,
            sent_ns: start.sent_ns,
            ended_ns,
            outcome: match ending {
                Ending::Complete => RequestOutcome::Success,
                Ending::Failed(RequestFailure { error, detail }) => RequestOutcome::Failed { error, detail },
                Ending::CutOff => RequestOutcome::CutOff,
            },
            ..self.heard.into_record(lengths)
        }
    }

    /// Bytes of memory that it holds.
    #[cfg(test)]
    fn held_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Events(scanner) => scanner.held_bytes(),
            Body::Whole(body) => body.capacity(),
        };
        body + self.heard.held_bytes()
    }
}

/// The failure that data amounts to in which a fault was found.
fn faulty(fault: Fault, data: &[u8]) -> RequestFailure {
    match fault {
        Fault::InBand(text) => RequestFailure::new(RequestError::InBand, &text),
        Fault::Unreadable(error) => {
            let shown = data.get(..4 * DETAIL_CHARACTERS).unwrap_or(data);
            let text = format!("{error} in {}", String::from_utf8_lossy(shown));
            RequestFailure::new(RequestError::Parse, &text)
        }
    }
}

fn failure(error: ScanError<RequestFailure>) -> RequestFailure {
    match error {
        ScanError::Receiver(failure) => failure,
        ScanError::Stream(error) => RequestFailure::new(RequestError::Parse, &error.to_string()),
    }
}

fn no_stream(foreign: &[u8]) -> String {
    format!(
        "the answer is no event stream: {}",
        String::from_utf8_lossy(foreign)
    )
}
