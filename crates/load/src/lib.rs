//! Hand one: it speaks to the engine.
//!
//! [`Bench::measure`] drives a [`Workload`] against an [`Endpoint`] and hands back every
//! request's record, level by level. It knows nothing of deployments, scores or tasks.

use async_trait::async_trait;
use autotuner_core::engine::Endpoint;
use autotuner_core::measure::LevelRecords;
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
    ) -> Result<Vec<LevelRecords>, BenchError>;
}

/// Watches a benchmark, and may end it.
pub trait Observer: Send {
    /// Called a few times a second while a level runs, and when one ends.
    fn progress(&mut self, progress: &Progress);

    /// Called after each level; `Continue` runs the next.
    fn level_done(&mut self, records: &LevelRecords) -> Verdict;
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
}

/// Why a benchmark has no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// It was stopped from outside.
    #[error("benchmark cancelled")]
    Cancelled,
    /// No request of the warm-up or the first level was answered.
    #[error("no request succeeded: {first_error}")]
    NothingSucceeded {
        /// The first error's text.
        first_error: String,
    },
    /// The endpoint's address is unusable.
    #[error("the endpoint address {url} cannot be used: {reason}")]
    BadEndpoint {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
}
