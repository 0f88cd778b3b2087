//! What stays up: everything that the API, the worker and the streams share.
//!
//! The API reads the database and rings the bell; it never reaches into the worker. What the
//! worker does shows in the database, and as hints in the event hub.

pub(crate) mod access;
pub(crate) mod data_dir;
pub(crate) mod docker_watch;
pub(crate) mod events;
pub(crate) mod log_files;
pub(crate) mod metrics;
pub(crate) mod permits;
pub(crate) mod supervisor;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod wishes;

use std::sync::Arc;

use autotuner_deploy::containers::Containers;
use autotuner_deploy::gpu::GpuPool;
use autotuner_store::Database;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::config::Config;
use crate::host::ThisHost;
use crate::shutdown::Shutdown;
use access::Access;
use events::Hub;
use log_files::LogFiles;
use metrics::Metrics;
use supervisor::Board;
use wishes::Wishes;

/// What every handler and the worker share.
pub(crate) struct Service {
    /// What is remembered.
    pub(crate) database: Database,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// The effective configuration.
    pub(crate) config: Config,
    /// Who is told of what happens.
    pub(crate) events: Hub,
    /// Where logs are, and who may empty them.
    pub(crate) logs: LogFiles,
    /// Who may do what.
    pub(crate) access: Access,
    /// The machine's GPUs, shared by every run.
    pub(crate) gpus: GpuPool,
    /// The Docker daemon's containers, ours and others'.
    pub(crate) containers: Containers,
    /// Rung when there may be something for the worker to do: a task was started or cancelled.
    pub(crate) bell: Notify,
    /// Cancels that the database could not be told of.
    pub(crate) wishes: Wishes,
    /// This machine, for results.
    pub(crate) host: ThisHost,
    /// What the worker does at the moment, for status pages.
    pub(crate) board: Board,
    /// What is counted for `/metrics`.
    pub(crate) metrics: Metrics,
    /// Streams and long waits end when this does.
    pub(crate) shutdown: Shutdown,
    /// When the service was started.
    pub(crate) started_at_ms: i64,
}
