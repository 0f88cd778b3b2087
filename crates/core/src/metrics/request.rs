//! One request's figures from its stamps, each by its definition. What several requests add up
//! to is told elsewhere.

use super::distribution::{count, seconds};
use crate::measure::{RequestOutcome, RequestRecord};

/// From which moment a user waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// The request was sent.
    Sent,
    /// The schedule wanted it: a load generator that sends late then hides nothing.
    Intended,
}

impl Since {
    pub(super) fn of(self, request: &RequestRecord) -> u64 {
        match self {
            Self::Sent => request.sent_ns,
            Self::Intended => request.intended_ns,
        }
    }
}

/// Whether it ended well.
pub(super) fn is_good(request: &RequestRecord) -> bool {
    request.outcome == RequestOutcome::Success
}

/// Time to its first content, seconds.
pub(super) fn ttft(request: &RequestRecord, since: Since) -> Option<f64> {
    until(request.content_ns.first(), request, since)
}

/// Time to its last content, seconds.
pub(super) fn latency(request: &RequestRecord, since: Since) -> Option<f64> {
    until(request.content_ns.last(), request, since)
}

/// Time to its first content that was not reasoning, seconds.
pub(super) fn first_visible(request: &RequestRecord, since: Since) -> Option<f64> {
    until(request.first_visible_ns.as_ref(), request, since)
}

fn until(moment: Option<&u64>, request: &RequestRecord, since: Since) -> Option<f64> {
    Some(seconds(moment?.saturating_sub(since.of(request))))
}

/// Time per token after those of the first chunk, seconds.
pub(super) fn tpot(request: &RequestRecord) -> Option<f64> {
    let (first, last) = (request.content_ns.first()?, request.content_ns.last()?);
    let later_tokens = later_tokens(request)?;
    // A single chunk says nothing about the pace of tokens, however many it carries.
    if later_tokens == 0 || request.content_ns.len() < 2 {
        return None;
    }
    Some(seconds(last.saturating_sub(*first)) / f64::from(later_tokens))
}

fn later_tokens(request: &RequestRecord) -> Option<u32> {
    let tokens = request.output_tokens.count;
    tokens.checked_sub(request.first_chunk_tokens)
}

/// Time from sending to its last content by all its tokens, seconds.
pub(super) fn ntpot(request: &RequestRecord) -> Option<f64> {
    let tokens = request.output_tokens.count;
    (tokens > 0).then_some(latency(request, Since::Sent)? / f64::from(tokens))
}

/// How much later than intended it was sent, seconds.
pub(super) fn schedule_lag(request: &RequestRecord) -> f64 {
    seconds(request.sent_ns.saturating_sub(request.intended_ns))
}

/// Its gaps between chunks, nanoseconds.
pub(super) fn gaps(request: &RequestRecord) -> impl Iterator<Item = u64> + '_ {
    let stamps = request.content_ns.windows(2);
    stamps.map(|pair| pair[1].saturating_sub(pair[0]))
}

/// Its longest gap, seconds.
pub(super) fn longest_gap(request: &RequestRecord) -> Option<f64> {
    gaps(request).max().map(seconds)
}

/// The tokens of each of its chunks, where the server counts them.
pub(super) fn counted_chunks(request: &RequestRecord) -> Option<&[u32]> {
    let chunks = &request.chunk_tokens;
    (!chunks.is_empty() && chunks.len() == request.content_ns.len()).then_some(chunks)
}

/// Its gaps between tokens, nanoseconds, each with how often it occurs: a chunk of several
/// tokens is one gap and as many zeros as it has further tokens. None where chunks are not
/// counted.
pub(super) fn token_gaps(request: &RequestRecord) -> impl Iterator<Item = (u64, u64)> + '_ {
    let chunks = counted_chunks(request).unwrap_or_default();
    let zeros = |tokens: &u32| (0, u64::from(tokens.saturating_sub(1)));
    let gaps = chunks.first().into_iter().flat_map(|_| gaps(request));
    chunks
        .iter()
        .map(zeros)
        .filter(|(_, times)| *times > 0)
        .chain(gaps.map(|gap| (gap, 1)))
}

/// When its tokens arrived: each chunk's stamp with its tokens. Where the server does not count in
/// each chunk, those after the first are spread evenly over the chunks that brought them.
pub(super) fn arrivals(request: &RequestRecord) -> impl Iterator<Item = (u64, f64)> + '_ {
    let tokens = request.output_tokens.count;
    let counted = counted_chunks(request)
        .filter(|chunks| chunks.iter().map(|tokens| u64::from(*tokens)).sum::<u64>() == u64::from(tokens));
    let later_chunks = request.content_ns.len().saturating_sub(1);
    let first_tokens = match later_chunks {
        0 => tokens,
        _ => request.first_chunk_tokens.min(tokens),
    };
    let per_chunk = f64::from(tokens - first_tokens) / count(later_chunks.max(1));
    let stamps = request.content_ns.iter().enumerate();
    stamps.map(move |(index, at)| {
        let brought = match (counted, index) {
            (Some(chunks), _) => f64::from(chunks[index]),
            (None, 0) => f64::from(first_tokens),
            (None, _) => per_chunk,
        };
        (*at, brought)
    })
}

/// Whether what it received served anybody: what a failed request delivered did not, what a
/// cut-off one delivered did.
pub(super) fn has_served(request: &RequestRecord) -> bool {
    !matches!(request.outcome, RequestOutcome::Failed { .. })
}

/// For how long of a span it was in flight, nanoseconds.
pub(super) fn in_flight_within(request: &RequestRecord, from_ns: u64, to_ns: u64) -> u64 {
    let from = request.sent_ns.max(from_ns);
    request.ended_ns.min(to_ns).saturating_sub(from)
}
