//! What was measured: one request's stamps, and what they add up to.
//!
//! All stamps are nanoseconds of one monotonic clock whose zero is the caller's.

/// What happened to one request. Every request that was started has one, also those that
/// failed or were still open at the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestRecord {
    /// When the schedule wanted the request to start.
    pub intended_ns: u64,
    /// Right before the first byte of the request was written.
    pub sent_ns: u64,
    /// Arrival of each chunk that carried non-empty content, reasoning or tool-call text:
    /// the read that completed its event, before any parsing. A chunk with only a role,
    /// only usage or empty text is not content.
    pub content_ns: Vec<u64>,
    /// Arrival of the first of them that was not reasoning; `None` where all were.
    pub first_visible_ns: Option<u64>,
    /// Tokens in each of them, where the server counts in every chunk; empty where it does not.
    pub chunk_tokens: Vec<u32>,
    /// Tokens in the first content chunk, 1 unless the server says otherwise.
    pub first_chunk_tokens: u32,
    /// `[DONE]`, close, failure or cut-off, whichever ended the request.
    pub ended_ns: u64,
    /// Prompt tokens.
    pub input_tokens: TokenCount,
    /// Answer tokens.
    pub output_tokens: TokenCount,
    /// Which conversation of its level it belongs to, from 0; a request on its own is one.
    /// The request's `x-request-id` ends in this and its turn: `at-m-LEVEL-JOB-TURN`.
    pub job: u32,
    /// Which turn of its conversation it was, from 0.
    pub turn: u32,
    /// How it ended.
    pub outcome: RequestOutcome,
}

/// A number of tokens and who counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCount {
    /// How many.
    pub count: u32,
    /// Who says so.
    pub source: TokenSource,
}

/// Who counted tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum TokenSource {
    /// The server's `usage`.
    Usage,
    /// Content chunks were counted, one token each: the server sent no usage.
    Chunks,
    /// What was asked for: the request gives no better knowledge.
    #[default]
    Requested,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    #[default]
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LevelRecords {
    /// The scenario, as the user writes it: `D(100,128)`.
    pub scenario: String,
    /// Requests in flight at once: asked for in a closed loop, the most there were in an open one.
    pub concurrency: u32,
    /// What the schedule asked for, where requests start by a clock; `None` in a closed loop.
    pub schedule: Option<Schedule>,
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
    /// Requests of the warm-up that were under way when the window opened, whose load the window
    /// had to bear. What they brought inside of it, and that they ended in it, counts for its
    /// rates, and for nothing else.
    pub lead_in: Vec<RequestRecord>,
    /// How the load generator itself fared meanwhile; `None` where nobody looked.
    pub client: Option<ClientHealth>,
    /// What the engine's own metrics say of the same time; `None` where it publishes none.
    pub engine: Option<EngineFigures>,
}

impl LevelRecords {
    /// Every request whose load the window bore: its own, and those that it found under way.
    pub fn borne(&self) -> impl Iterator<Item = &RequestRecord> + Clone {
        self.requests.iter().chain(&self.lead_in)
    }
}

/// What a schedule of starts asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// For people: `poisson at 10/s`.
    pub label: String,
    /// Requests that it would have started in each second of the window, on average.
    pub rate: f64,
    /// Starts that the window had no connection for in time: more were in flight than allowed.
    pub held_back: u32,
}

/// How the load generator itself fared in a level's window: what keeps its figures honest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClientHealth {
    /// Threads that drove the load.
    pub threads: u32,
    /// Share of the busiest load thread's time in which it had a processor, 0 to 1.
    pub cpu_share: f64,
    /// Median of how much later than it should a load thread woke, nanoseconds.
    pub lag_p50_ns: u64,
    /// 99th percentile of the same.
    pub lag_p99_ns: u64,
    /// The longest.
    pub lag_max_ns: u64,
    /// Reads from sockets.
    pub reads: u64,
    /// Reads that brought more than one chunk of content: their stamps are those of the last.
    pub reads_of_several: u64,
    /// Most requests in flight at once.
    pub peak_in_flight: u32,
}

/// What an engine's own metrics say of a level: differences between two readings. Each is
/// `None` where the engine does not publish it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EngineFigures {
    /// Requests that it finished.
    pub requests: Option<f64>,
    /// Prompt tokens that it processed.
    pub input_tokens: Option<f64>,
    /// Answer tokens that it made.
    pub output_tokens: Option<f64>,
    /// Its mean time to first token, seconds.
    pub ttft: Option<f64>,
    /// Its mean time per further token, seconds.
    pub tpot: Option<f64>,
    /// Its mean end-to-end latency, seconds.
    pub latency: Option<f64>,
    /// Its mean time in the queue, seconds.
    pub queue: Option<f64>,
    /// Requests that it pushed out of its cache.
    pub preemptions: Option<f64>,
    /// Share of prompt tokens that its prefix cache knew, 0 to 1.
    pub prefix_hits: Option<f64>,
}
