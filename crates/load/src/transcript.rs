//! What one streamed answer amounts to: bytes and their stamps in, a record out.
//!
//! The one idea: the whole judgement of a request (what counts as content, which tokens,
//! success or which error) is here and needs no network, so it can be tested to the
//! nanosecond with made-up stamps.

use autotuner_core::measure::{RequestError, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use autotuner_core::workload::Lengths;

use crate::delta::{self, Origin};
use crate::sse::{Event, ScanError, Scanner};

/// Most characters of an error's text that are kept.
const DETAIL_CHARACTERS: usize = 300;

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
    scanner: Scanner,
    heard: Heard,
}

/// What was heard in the events.
#[derive(Debug, Default)]
struct Heard {
    content_ns: Vec<u64>,
    first_chunk_tokens: u32,
    /// Who sent the first chunk with content, once there was one.
    origin: Option<Origin>,
    usage: delta::Usage,
    is_finished: bool,
    /// When `[DONE]` arrived; nothing that follows it counts.
    done_ns: Option<u64>,
}

impl RequestFailure {
    /// A failure whose text is cut to a readable length and to one line.
    pub(crate) fn new(error: RequestError, detail: &str) -> Self {
        let words: Vec<&str> = detail.split_whitespace().collect();
        let detail = words.join(" ").chars().take(DETAIL_CHARACTERS).collect();
        Self { error, detail }
    }
}

impl Transcript {
    /// An answer of which nothing has been heard; `chunks` are expected.
    pub(crate) fn new(chunks: u32) -> Self {
        /// A server need not send what it was asked for, so no more than this is trusted.
        const MOST_RESERVED: u32 = 4096;
        let heard = Heard {
            content_ns: Vec::with_capacity(chunks.min(MOST_RESERVED) as usize),
            first_chunk_tokens: 1,
            ..Heard::default()
        };
        Self {
            scanner: Scanner::default(),
            heard,
        }
    }

    /// Takes bytes of the body, all read at `stamp`.
    ///
    /// # Errors
    /// When they are no event stream, no JSON, or carry an error object.
    pub(crate) fn feed(&mut self, bytes: &[u8], stamp: u64) -> Result<(), RequestFailure> {
        let Self { scanner, heard } = self;
        scanner
            .feed(bytes, |event| heard.take(event, stamp))
            .map_err(failure)
    }

    /// When `[DONE]` arrived, if it did.
    pub(crate) fn done_ns(&self) -> Option<u64> {
        self.heard.done_ns
    }

    /// The body has come to its end, at `stamp`: is the answer good?
    pub(crate) fn close(&mut self, stamp: u64) -> Ending {
        let Self { scanner, heard } = self;
        if heard.done_ns.is_none() {
            let finished = scanner.finish(|event| heard.take(event, stamp));
            // The remains of an event that was cut in two are no error of their own.
            if let Err(ScanError::Receiver(found)) = finished
                && found.error == RequestError::InBand
            {
                return Ending::Failed(found);
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
        if !self.heard.is_finished && self.heard.done_ns.is_none() {
            return match self.scanner.foreign() {
                Some(foreign) => failed(RequestError::Parse, &no_stream(foreign)),
                None => failed(RequestError::Truncated, without_finish),
            };
        }
        if self.heard.content_ns.is_empty() {
            return failed(RequestError::Empty, "the answer is complete and has no content");
        }
        Ending::Complete
    }

    /// How many prompt tokens the server has counted.
    pub(crate) fn counted_prompt_tokens(&self) -> Option<u32> {
        self.heard.usage.prompt_tokens.filter(|count| *count > 0)
    }

    /// Who answered; none before any content.
    pub(crate) fn take_origin(&mut self) -> Option<Origin> {
        self.heard.origin.take()
    }

    /// The record of the request.
    pub(crate) fn into_record(
        self,
        start: Start,
        ended_ns: u64,
        lengths: Lengths,
        ending: Ending,
    ) -> RequestRecord {
        let input_tokens = match self.counted_prompt_tokens() {
            Some(count) => TokenCount {
                count,
                source: TokenSource::Usage,
            },
            None => TokenCount {
                count: lengths.input,
                source: TokenSource::Requested,
            },
        };
        let Heard {
            content_ns,
            first_chunk_tokens,
            origin: _,
            usage,
            is_finished: _,
            done_ns: _,
        } = self.heard;
        let chunks = u32::try_from(content_ns.len()).unwrap_or(u32::MAX);
        // A server that counts nothing although it said something does not count.
        let output_tokens = match usage.completion_tokens {
            Some(count) if count > 0 || chunks == 0 => TokenCount {
                count,
                source: TokenSource::Usage,
            },
            _ => TokenCount {
                count: chunks,
                source: TokenSource::Chunks,
            },
        };
        RequestRecord {
            intended_ns: start.intended_ns,
            sent_ns: start.sent_ns,
            content_ns,
            first_chunk_tokens,
            ended_ns,
            input_tokens,
            output_tokens,
            outcome: match ending {
                Ending::Complete => RequestOutcome::Success,
                Ending::Failed(RequestFailure { error, detail }) => RequestOutcome::Failed { error, detail },
                Ending::CutOff => RequestOutcome::CutOff,
            },
        }
    }
}

impl Heard {
    fn take(&mut self, event: Event<'_>, stamp: u64) -> Result<(), RequestFailure> {
        if self.done_ns.is_some() {
            return Ok(());
        }
        let data = event.data.trim_ascii();
        if event.is_error {
            return Err(in_band(data));
        }
        match data {
            b"" => return Ok(()),
            b"[DONE]" => {
                self.done_ns = Some(stamp);
                return Ok(());
            }
            _ => (),
        }
        let delta = delta::parse(data).map_err(|error| {
            let text = format!("{error} in {}", String::from_utf8_lossy(data));
            RequestFailure::new(RequestError::Parse, &text)
        })?;
        if let Some(error) = delta.error {
            return Err(RequestFailure::new(RequestError::InBand, &error));
        }
        let counted = delta.usage.and_then(|usage| usage.completion_tokens);
        if delta.has_content {
            if self.content_ns.is_empty() {
                self.first_chunk_tokens = counted.unwrap_or(1).max(1);
                self.origin = Some(delta::origin(data));
            }
            self.content_ns.push(stamp);
        }
        if let Some(usage) = delta.usage {
            self.usage.prompt_tokens = usage.prompt_tokens.or(self.usage.prompt_tokens);
            self.usage.completion_tokens = usage.completion_tokens.or(self.usage.completion_tokens);
        }
        self.is_finished |= delta.is_finished;
        Ok(())
    }
}

fn in_band(data: &[u8]) -> RequestFailure {
    let named = delta::parse(data).ok().and_then(|delta| delta.error);
    let text = named.unwrap_or_else(|| String::from_utf8_lossy(data).into_owned());
    RequestFailure::new(RequestError::InBand, &text)
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

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: Lengths = Lengths {
        input: 100,
        output: 20,
    };
    const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#;
    const TEXT: &str = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#;
    const FINISH: &str = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
    const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":97,"completion_tokens":3}}"#;
    const RIDING: &str = r#"{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":97,"completion_tokens":3}}"#;
    const ERROR: &str = r#"{"error":{"message":"out of memory"}}"#;

    fn event(data: &str) -> String {
        format!("data: {data}\n\n")
    }

    /// The record of an answer whose reads come at these stamps, closed at `closed_at`.
    fn record<B: AsRef<[u8]>>(reads: &[(u64, B)], closed_at: u64) -> RequestRecord {
        let mut transcript = Transcript::new(LENGTHS.output);
        let start = Start {
            intended_ns: 1,
            sent_ns: 2,
        };
        for (stamp, bytes) in reads {
            if let Err(failure) = transcript.feed(bytes.as_ref(), *stamp) {
                return transcript.into_record(start, *stamp, LENGTHS, Ending::Failed(failure));
            }
        }
        let ending = transcript.close(closed_at);
        let ended = transcript.done_ns().unwrap_or(closed_at);
        transcript.into_record(start, ended, LENGTHS, ending)
    }

    fn failed(events: &[&str]) -> (RequestError, String) {
        let reads: Vec<_> = events.iter().map(|data| (1, event(data))).collect();
        match record(&reads, 9).outcome {
            RequestOutcome::Failed { error, detail } => (error, detail),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_whole_answer_to_the_nanosecond() {
        let reads = [
            (10, event(ROLE)),
            (25, event(TEXT)),
            (31, event(TEXT) + &event(TEXT)),
            (40, event(FINISH)),
            (41, event(USAGE)),
            (47, event("[DONE]")),
            (50, event(TEXT)),
        ];
        assert_eq!(
            record(&reads, 60),
            RequestRecord {
                intended_ns: 1,
                sent_ns: 2,
                content_ns: vec![25, 31, 31],
                first_chunk_tokens: 1,
                ended_ns: 47,
                input_tokens: TokenCount {
                    count: 97,
                    source: TokenSource::Usage
                },
                output_tokens: TokenCount {
                    count: 3,
                    source: TokenSource::Usage
                },
                outcome: RequestOutcome::Success,
            }
        );
    }

    #[test]
    fn an_event_has_the_stamp_of_the_read_that_completed_it() {
        let stream: String = [ROLE, TEXT, TEXT, FINISH, USAGE, "[DONE]"].map(event).concat();
        let second_text_ends = [ROLE, TEXT, TEXT].map(event).concat().len();
        let first_text_ends = [ROLE, TEXT].map(event).concat().len();
        for at in 1..stream.len() {
            let (head, tail) = stream.split_at(at);
            let record = record(&[(10, head), (20, tail)], 30);
            let stamp = |end: usize| if at >= end { 10 } else { 20 };
            assert_eq!(
                record.content_ns,
                [stamp(first_text_ends), stamp(second_text_ends)],
                "cut at {at}"
            );
            assert_eq!(
                (record.ended_ns, record.outcome),
                (20, RequestOutcome::Success),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn cuts_inside_a_character_change_nothing() {
        let text = r#"{"choices":[{"delta":{"content":"漢é"}}]}"#;
        let stream = event(text) + &event(FINISH);
        for at in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            let record = record(&[(1, head), (2, tail)], 3);
            assert_eq!(
                (record.content_ns.len(), record.outcome),
                (1, RequestOutcome::Success),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn who_counted_the_tokens() {
        let counts = |events: &[&str]| {
            let reads: Vec<_> = events.iter().map(|data| (1, event(data))).collect();
            let record = record(&reads, 9);
            let TokenCount { count, source } = record.output_tokens;
            (
                record.input_tokens.count,
                record.input_tokens.source,
                count,
                source,
            )
        };
        use TokenSource::{Chunks, Requested, Usage};
        assert_eq!(counts(&[TEXT, FINISH, USAGE]), (97, Usage, 3, Usage));
        assert_eq!(counts(&[TEXT, RIDING]), (97, Usage, 3, Usage));
        assert_eq!(counts(&[TEXT, TEXT, FINISH]), (100, Requested, 2, Chunks));
        let zeros = r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"#;
        assert_eq!(counts(&[TEXT, FINISH, zeros]), (100, Requested, 1, Chunks));
        assert_eq!(
            counts(&[FINISH, USAGE]),
            (97, Usage, 3, Usage),
            "even without content"
        );
    }

    #[test]
    fn usage_in_every_chunk_tells_the_first_chunks_tokens() {
        let chunk = |tokens: u32| {
            let json = r#"{"choices":[{"delta":{"content":"abc"}}],"usage":{"prompt_tokens":97,"completion_tokens":N}}"#;
            (u64::from(tokens), event(&json.replace('N', &tokens.to_string())))
        };
        let record = record(&[chunk(4), chunk(7), (8, event("[DONE]"))], 9);
        assert_eq!((record.first_chunk_tokens, record.output_tokens.count), (4, 7));
    }

    #[test]
    fn success_needs_a_finish_and_content_and_no_error() {
        assert_eq!(failed(&[TEXT]).0, RequestError::Truncated);
        assert_eq!(failed(&[]).0, RequestError::Truncated);
        assert_eq!(failed(&[ROLE, FINISH, "[DONE]"]).0, RequestError::Empty);
        assert_eq!(failed(&["[DONE]"]).0, RequestError::Empty);
        assert_eq!(
            failed(&[TEXT, ERROR]),
            (RequestError::InBand, "out of memory".into())
        );
        assert_eq!(failed(&[TEXT, FINISH, ERROR, "[DONE]"]).0, RequestError::InBand);
        assert_eq!(failed(&[TEXT, "{garbage"]).0, RequestError::Parse);
        for good in [
            &[TEXT, FINISH][..],
            &[TEXT, "[DONE]"],
            &[TEXT, "[DONE]", ERROR],
            &["", TEXT, FINISH],
        ] {
            let reads: Vec<_> = good.iter().map(|data| (1, event(data))).collect();
            assert_eq!(record(&reads, 9).outcome, RequestOutcome::Success, "{good:?}");
        }
    }

    #[test]
    fn the_end_of_the_stream_may_lack_its_blank_line() {
        let done = record(&[(1, event(TEXT)), (2, "data: [DONE]".to_owned())], 9);
        assert_eq!((done.outcome, done.ended_ns), (RequestOutcome::Success, 9));
        let half = record(
            &[(1, event(TEXT)), (2, "data: {\"choices\":[{\"fin".to_owned())],
            9,
        );
        let RequestOutcome::Failed { error, .. } = half.outcome else {
            panic!("{half:?}")
        };
        assert_eq!(error, RequestError::Truncated, "half an event is no garbage");
    }

    #[test]
    fn what_does_not_stream_is_quoted() {
        let answer = record(&[(1, "{\"object\":\"chat.completion\"}\n")], 2);
        let RequestOutcome::Failed { error, detail } = answer.outcome else {
            panic!("{answer:?}")
        };
        assert_eq!(error, RequestError::Parse);
        assert!(detail.ends_with("{\"object\":\"chat.completion\"}"), "{detail}");
    }

    #[test]
    fn details_are_short_and_on_one_line() {
        let failure = RequestFailure::new(RequestError::Parse, &"é\r\n ".repeat(1000));
        assert_eq!(failure.detail.chars().count(), 300);
        assert!(failure.detail.starts_with("é é"));
    }
}
