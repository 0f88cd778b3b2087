//! The worker of the service: claims tasks, runs them, sweeps.

/// What the worker does at the moment, for status pages. Never used to decide anything.
#[derive(Debug, Default)]
pub(crate) struct Board {}

impl Board {
    /// When the worker gave its last sign of life; nothing before the first.
    pub(crate) fn last_tick_ms(&self) -> Option<i64> {
        None
    }
}
