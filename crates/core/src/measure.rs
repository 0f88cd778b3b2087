//! What was measured: one request's stamps, and what they add up to.
//!
//! All stamps are nanoseconds of one monotonic clock whose zero is the caller's.

/// What happened to one request. Every request that was started has one, also those that
/// failed or were still open at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    /// When the schedule wanted the request to start.
    pub intended_ns: u64,
    /// Right before the first byte of the request was written.
    pub sent_ns: u64,
    /// Arrival of each chunk that carried non-empty content, reasoning or tool-call text:
    /// the read that completed its event, before any parsing. A chunk with only a role,
    /// only usage or empty text is not content.
    pub content_ns: Vec<u64>,
    /// Tokens in the first content chunk, 1 unless the server says otherwise.
    pub first_chunk_tokens: u32,
    /// `[DONE]`, close, failure or cut-off, whichever ended the request.
    pub ended_ns: u64,
    /// Prompt tokens.
    pub input_tokens: TokenCount,
    /// Answer tokens.
    pub output_tokens: TokenCount,
    /// How it ended.
    pub outcome: RequestOutcome,
}

/// A number of tokens and who counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCount {
    /// How many.
    pub count: u32,
    /// Who says so.
    pub source: TokenSource,
}

/// Who counted tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenSource {
    /// The server's `usage`.
    Usage,
    /// Content chunks were counted, one token each: the server sent no usage.
    Chunks,
    /// What was asked for: the request gives no better knowledge.
    Requested,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestOutcome {
    /// 2xx, a finish reason or `[DONE]`, no error inside the stream, and content.
    Success,
    /// Anything that a user would call an error.
    Failed {
        /// The class, for counting.
        error: RequestError,
        /// What exactly, for reading; at most a few hundred characters.
        detail: String,
    },
    /// Still open when the drain deadline passed or the benchmark was stopped.
    CutOff,
}

/// Classes of request errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestError {
    /// No connection, or it broke before an answer began.
    Connect,
    /// An HTTP status other than 2xx.
    Status(u16),
    /// Silence for longer than the request time-out.
    Timeout,
    /// The stream ended without a finish reason or `[DONE]`.
    Truncated,
    /// The stream itself carried an error object.
    InBand,
    /// A complete answer without any content.
    Empty,
    /// Bytes that are no event stream or no JSON.
    Parse,
}

/// Everything recorded at one level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelRecords {
    /// The scenario, as the user writes it: `D(100,128)`.
    pub scenario: String,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// When the measuring window opened.
    pub window_start_ns: u64,
    /// When it closed; no request was started after it. A level that ran out of time closes
    /// at its time limit, and what its last requests still received after that lies outside.
    /// A level that ran out of requests closes when the last of them ends, but no later than
    /// its time limit. The tail of the second kind, in which fewer requests are in flight,
    /// lies in the window, and counts for requests; rates of tokens leave it out.
    pub window_end_ns: u64,
    /// Every request started in the window, in order of start.
    pub requests: Vec<RequestRecord>,
}
