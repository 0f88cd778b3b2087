//! The worker of the service: claims tasks, runs them, sweeps.

/// What the worker does at the moment, for status pages. Never used to decide anything.
#[derive(Debug, Default)]
pub(crate) struct Board {}
