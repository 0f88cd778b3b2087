//! What was heard so far in the chunks of one answer.
//!
//! The one idea: a chunk leaves a stamp and some counts, and is forgotten. It does not say
//! whether the answer is good.

use autotuner_core::measure::{RequestError, RequestRecord, TokenCount, TokenSource};
use autotuner_core::workload::{Api, Lengths};

use super::{RequestFailure, faulty};
use crate::delta::{self, Content, Delta, Fault, Origin, Pattern, Usage, Whole};
use crate::sse::Event;

/// Most chunks of content of one answer: no answer has a million tokens, but a server that
/// never ends may send as many.
pub(super) const MOST_CHUNKS: usize = 1 << 20;

/// A server need not send what it was asked for, so room is made beforehand for no more than
/// this many chunks.
const MOST_RESERVED: u32 = 4096;

/// What was heard in the chunks of an answer.
#[derive(Debug)]
pub(super) struct Heard {
    api: Api,
    /// The last chunk that was read with care.
    pattern: Pattern,
    content_ns: Vec<u64>,
    first_visible_ns: Option<u64>,
    /// Tokens in each chunk of content, while the server counts in each.
    chunk_tokens: Vec<u32>,
    /// Whether every chunk of content so far had a count, and none less than the one before.
    counts_every_chunk: bool,
    /// The server's count at the last chunk of content.
    last_count: u32,
    first_chunk_tokens: u32,
    /// Who sent the first chunk with content, once there was one.
    origin: Option<Origin>,
    usage: Usage,
    is_finished: bool,
    /// When `[DONE]` arrived; nothing that follows it counts.
    done_ns: Option<u64>,
}

impl Heard {
    /// Nothing; `chunks` are expected.
    pub(super) fn new(api: Api, chunks: u32) -> Self {
        Self {
            api,
            pattern: Pattern::default(),
            content_ns: Vec::with_capacity(chunks.min(MOST_RESERVED) as usize),
            first_visible_ns: None,
            chunk_tokens: Vec::new(),
            counts_every_chunk: true,
            last_count: 0,
            first_chunk_tokens: 1,
            origin: None,
            usage: Usage::default(),
            is_finished: false,
            done_ns: None,
        }
    }

    /// The style of the answer.
    pub(super) fn api(&self) -> Api {
        self.api
    }

    /// How many chunks of content there were.
    pub(super) fn chunks(&self) -> u32 {
        u32::try_from(self.content_ns.len()).unwrap_or(u32::MAX)
    }

    /// When `[DONE]` arrived.
    pub(super) fn done_ns(&self) -> Option<u64> {
        self.done_ns
    }

    /// Whether the server said that the answer is at its end.
    pub(super) fn is_over(&self) -> bool {
        self.is_finished || self.done_ns.is_some()
    }

    /// How many prompt tokens the server has counted.
    pub(super) fn counted_prompt_tokens(&self) -> Option<u32> {
        self.usage.prompt_tokens.filter(|count| *count > 0)
    }

    /// Who answered; none before any content.
    pub(super) fn take_origin(&mut self) -> Option<Origin> {
        self.origin.take()
    }

    /// Takes one event, completed at `stamp`.
    pub(super) fn take(&mut self, event: Event<'_>, stamp: u64) -> Result<(), RequestFailure> {
        if self.done_ns.is_some() {
            return Ok(());
        }
        let data = event.data.trim_ascii();
        if event.is_error {
            return Err(in_band(self.api, data));
        }
        if let Some(delta) = self.pattern.read(data) {
            return self.add(delta, data, stamp);
        }
        match data {
            b"" => return Ok(()),
            b"[DONE]" => {
                self.done_ns = Some(stamp);
                return Ok(());
            }
            _ => (),
        }
        let chunk = delta::parse(self.api, data).map_err(|fault| faulty(fault, data))?;
        self.pattern.learn(data, &chunk);
        self.add(chunk.delta, data, stamp)
    }

    fn add(&mut self, delta: Delta, data: &[u8], stamp: u64) -> Result<(), RequestFailure> {
        if delta.content != Content::Nothing {
            if self.content_ns.is_empty() {
                self.first_chunk_tokens = delta.usage.completion_tokens.unwrap_or(1).max(1);
                self.origin = Some(delta::origin(data));
            }
            if self.content_ns.len() == MOST_CHUNKS {
                let text = format!("an answer of more than {MOST_CHUNKS} chunks");
                return Err(RequestFailure::new(RequestError::Parse, &text));
            }
            self.content_ns.push(stamp);
            if delta.content == Content::Visible {
                self.first_visible_ns.get_or_insert(stamp);
            }
            self.count(delta.usage.completion_tokens);
        }
        self.usage = delta.usage.or(self.usage);
        self.is_finished |= delta.is_finished;
        Ok(())
    }

    /// Notes how many tokens a chunk of content has brought. Tokens without a text of their own
    /// are counted with the next chunk that has one.
    fn count(&mut self, count: Option<u32>) {
        if !self.counts_every_chunk {
            return;
        }
        match count.and_then(|count| count.checked_sub(self.last_count)) {
            Some(tokens) => {
                self.chunk_tokens.push(tokens);
                self.last_count += tokens;
            }
            None => {
                self.counts_every_chunk = false;
                self.chunk_tokens = Vec::new();
            }
        }
    }

    /// Takes an answer that came whole, and was whole at `stamp`.
    pub(super) fn take_whole(&mut self, whole: Whole, stamp: u64) {
        let Whole {
            has_content,
            usage,
            origin,
        } = whole;
        if has_content {
            self.content_ns.push(stamp);
            self.first_visible_ns = Some(stamp);
            self.origin = Some(origin);
        }
        self.usage = usage;
        self.is_finished = true;
    }

    /// What a record has of it; how the request went is another matter.
    pub(super) fn into_record(self, lengths: Lengths) -> RequestRecord {
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
        let output_tokens = self.output_tokens();
        // A count that never rises counts nothing.
        let counts_chunks = self.counts_every_chunk && self.last_count > 0;
        RequestRecord {
            content_ns: self.content_ns,
            first_visible_ns: self.first_visible_ns,
            chunk_tokens: if counts_chunks {
                self.chunk_tokens
            } else {
                Vec::new()
            },
            first_chunk_tokens: self.first_chunk_tokens,
            input_tokens,
            output_tokens,
            ..RequestRecord::default()
        }
    }

    fn output_tokens(&self) -> TokenCount {
        let chunks = self.chunks();
        match self.usage.completion_tokens {
            // What comes whole has no tokens of an answer.
            Some(count) if matches!(self.api, Api::Embeddings | Api::Rerank) => TokenCount {
                count,
                source: TokenSource::Usage,
            },
            // A server that counts nothing although it said something does not count.
            Some(count) if count > 0 || chunks == 0 => TokenCount {
                count,
                source: TokenSource::Usage,
            },
            _ => TokenCount {
                count: chunks,
                source: TokenSource::Chunks,
            },
        }
    }

    /// Bytes of memory that it holds.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        8 * self.content_ns.capacity() + 4 * self.chunk_tokens.capacity() + self.pattern.held_bytes()
    }
}

/// The failure that an event is which the stream itself calls an error.
fn in_band(api: Api, data: &[u8]) -> RequestFailure {
    match delta::parse(api, data) {
        Err(Fault::InBand(text)) => RequestFailure::new(RequestError::InBand, &text),
        _ => RequestFailure::new(RequestError::InBand, &String::from_utf8_lossy(data)),
    }
}
