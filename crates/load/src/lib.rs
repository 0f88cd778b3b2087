//! Hand one: it speaks to the engine.
//!
//! [`Bench::measure`] drives a [`Workload`] against an [`Endpoint`] and hands back every
//! request's record, level by level. It knows nothing of deployments, scores or tasks.
//!
//! The real thing is [`generator::LoadGenerator`]. Bottom up: `sse` and `delta` read an
//! answer, `transcript` judges it, `connection` and `exchange` carry it, `prompts`, `png`,
//! `questions`, `body` and `requests` make what is asked, `slot` asks them one by one, `phase` many at a time, `level` and
//! `generator` put the phases in order after `probe` has had a look at the server.

mod alarm;
mod body;
mod clock;
mod closed;
mod connection;
mod crew;
pub mod dataset;
mod delta;
mod enough;
mod exchange;
pub mod generator;
mod health;
mod lag;
mod level;
mod live;
mod open;
mod origins;
mod phase;
mod png;
mod probe;
mod prompts;
mod questions;
mod requests;
mod scrape;
mod shared;
mod slot;
#[doc(hidden)]
pub mod speed;
mod sse;
mod stream;
mod target;
mod threads;
mod tls;
mod transcript;
mod vocabulary;
mod wire;

pub use origins::MOST_FINGERPRINTS;

use async_trait::async_trait;
use autotuner_core::engine::Endpoint;
use autotuner_core::measure::{LevelRecords, RequestError};
use autotuner_core::workload::Workload;
use tokio_util::sync::CancellationToken;

/// Measures an endpoint under a workload.
#[async_trait]
pub trait Bench: Send + Sync {
    /// Runs every level of the workload and returns what was recorded.
    ///
    /// # Errors
    /// [`BenchError`] when there is nothing worth scoring; whatever was recorded until then is lost.
    async fn measure(
        &self,
        endpoint: &Endpoint,
        workload: &Workload,
        cancel: CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<Recording, BenchError>;
}

/// What a benchmark has recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The levels that were run, in their order.
    pub levels: Vec<LevelRecords>,
    /// What a reader should know of how it was done, in sentences: keys that the server
    /// refused, how prompts were sized, that several engines answered.
    pub notes: Vec<String>,
    /// The distinct `system_fingerprint`s of all answers, in the order in which they were first
    /// seen, warm-up included. Engines that send none have none; several mean that more than
    /// one engine, or build of an engine, has answered. Five are kept at most: where there are
    /// five, there may be more.
    pub fingerprints: Vec<String>,
    /// What `CLOCK_MONOTONIC` of this machine showed at the zero of all stamps, nanoseconds.
    pub clock_zero_ns: u64,
}

/// Watches a benchmark, and may end it.
#[async_trait]
pub trait Observer: Send {
    /// Called a few times a second while a level runs, and when one ends.
    fn progress(&mut self, progress: &Progress);

    /// Called after each level, with nothing under load; `Continue` runs the next.
    async fn level_done(&mut self, records: &LevelRecords) -> Verdict;
}

/// What an observer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Run the next level.
    Continue,
    /// Enough is known: return what was recorded so far.
    Stop,
}

/// Where a benchmark is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Which level, counted from 0.
    pub level: usize,
    /// How many levels there are.
    pub levels: usize,
    /// The scenario and concurrency of the level, for people.
    pub label: String,
    /// Whether the level is still warming up.
    pub warming_up: bool,
    /// Requests that ended well in this level's window.
    pub completed: u32,
    /// Requests that failed in this level's window.
    pub failed: u32,
    /// Most requests the window will start.
    pub planned: u32,
    /// Requests that are in flight, warm-up and all.
    pub in_flight: u32,
    /// How many requests of this level's window failed, class by class.
    pub errors: Vec<(RequestError, u32)>,
    /// How the requests that ended well have fared so far; `None` before the first of them, and
    /// while warming up. For people who watch: results are made from records, with more care.
    pub live: Option<Live>,
}

/// How a level's requests have fared so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Live {
    /// Mean time to first token, seconds.
    pub ttft: f64,
    /// Its median, seconds, to a few per cent.
    pub ttft_p50: f64,
    /// Its 99th percentile, likewise.
    pub ttft_p99: f64,
    /// Mean time per further token of an answer, seconds, over the answers that have any.
    pub tpot: Option<f64>,
    /// Answer tokens of ended requests per second of the window so far.
    pub output_tokens_per_second: f64,
}

/// Why a benchmark has no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// It was stopped from outside.
    #[error("benchmark cancelled")]
    Cancelled,
    /// No request of the warm-up or the first level was answered well.
    #[error("no request succeeded: {first_error}")]
    NothingSucceeded {
        /// The first error's text.
        first_error: String,
    },
    /// The short requests that tell how the server counts a prompt's tokens kept failing.
    /// Without their answer this endpoint would be asked other prompts than its like.
    #[error("a request that was to tell how the server counts tokens failed: {reason}")]
    PromptsNotSized {
        /// What came of the last attempt.
        reason: String,
    },
    /// The endpoint's address is unusable.
    #[error("the endpoint address {url} cannot be used: {reason}")]
    BadEndpoint {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// Connections were refused several times in a row: there is nobody to ask any more.
    #[error("{url} takes no connections: {reason}; has the engine stopped?")]
    EndpointGone {
        /// The address.
        url: String,
        /// What the last attempt said.
        reason: String,
    },
    /// The workload asks for nothing that can be sent.
    #[error("the workload cannot be run: {reason}")]
    BadWorkload {
        /// Why.
        reason: String,
    },
}
