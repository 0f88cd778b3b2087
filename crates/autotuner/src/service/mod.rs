//! What stays up: everything that the API, the worker and the streams share.
//!
//! The API reads the database and rings the bell; it never reaches into the worker. What the
//! worker does shows in the database, and as hints in the event hub.

pub(crate) mod access;
pub(crate) mod data_dir;
pub(crate) mod database;
pub(crate) mod docker_watch;
pub(crate) mod events;
pub(crate) mod log_files;
pub(crate) mod metrics;
pub(crate) mod permits;
pub(crate) mod relay;
pub(crate) mod shared_logs;
pub(crate) mod supervisor;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod wishes;
pub(crate) mod workers;

use std::io;
use std::path::Path;
use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_deploy::containers::Containers;
use autotuner_deploy::gpu::GpuPool;
use autotuner_deploy::kubernetes::pods::Pods;
use autotuner_store::{Database, StoreError};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::config::Config;
use crate::host::{ThisHost, hostname};
use crate::shutdown::Shutdown;
use crate::targets::{gpu_pool, pod_surroundings, surroundings};
use access::Access;
use events::Hub;
use log_files::LogFiles;
use metrics::Metrics;
use shared_logs::Fetched;
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
    /// Who we are, in claims.
    pub(crate) owner: String,
    /// What tells our data directory from others' on the same database.
    pub(crate) origin: String,
    /// Where logs are read, and who may empty them.
    pub(crate) logs: LogFiles,
    /// Where runs write theirs: the same folder, unless others share the database.
    pub(crate) own_logs: LogFiles,
    /// How far the logs of a shared database were fetched; `None` where nobody shares it.
    pub(crate) fetched: Option<Fetched>,
    /// Who may do what.
    pub(crate) access: Access,
    /// The machine's GPUs, shared by every run.
    pub(crate) gpus: GpuPool,
    /// The Docker daemon's containers, ours and others'.
    pub(crate) containers: Containers,
    /// Our pods in a cluster.
    pub(crate) pods: Pods,
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

impl Service {
    /// A service on this database, with nothing happening yet.
    ///
    /// # Errors
    /// The folder of logs that others have written cannot be emptied.
    pub(crate) fn new(
        config: Config,
        origin: String,
        database: Database,
        clock: Arc<dyn Clock>,
        access: Access,
        shutdown: Shutdown,
    ) -> io::Result<Self> {
        let logs_dir = config.logs_dir();
        let (logs, own_logs, fetched) = match database.is_shared() {
            true => {
                // Another database has other tasks under the same numbers.
                let folder = logs_dir.join(shared_logs::folder_of(&database));
                let (logs, own_logs) = (folder.join("fetched"), folder.join("own"));
                let fetched = Fetched::new(database.clone(), &logs)?;
                (logs, own_logs, Some(fetched))
            }
            false => (logs_dir.clone(), logs_dir, None),
        };
        Ok(Self {
            database,
            events: Hub::default(),
            owner: format!(
                "{}{}-{}-{}",
                database::owners(&origin),
                hostname(),
                std::process::id(),
                clock.now_ms()
            ),
            origin,
            logs: LogFiles::new(&logs),
            own_logs: LogFiles::new(&own_logs),
            fetched,
            access,
            gpus: gpu_pool(&config),
            containers: Containers::new(surroundings(&config)),
            pods: Pods::new(pod_surroundings(&config)),
            config,
            bell: Notify::new(),
            wishes: Wishes::default(),
            host: ThisHost::default(),
            board: Board::default(),
            metrics: Metrics::default(),
            shutdown,
            started_at_ms: clock.now_ms(),
            clock,
        })
    }

    /// Sees to it that a log of a task is as new as whoever writes it has let others know.
    pub(crate) async fn fetch_log(&self, task: TaskId, path: &Path) {
        if let Some(fetched) = &self.fetched {
            fetched.fetch(task, path).await;
        }
    }

    /// Removes every file of a task's logs that is here.
    ///
    /// # Errors
    /// A file cannot be removed; the others are gone by then.
    pub(crate) async fn remove_logs(&self, task: TaskId) -> io::Result<()> {
        let own = self.own_logs.remove(task).await;
        match self.fetched {
            Some(_) => own.and(self.logs.remove(task).await),
            None => own,
        }
    }

    /// Forgets what others have written of a task's logs, those whose names begin so.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn forget_logs(&self, task: TaskId, beginning: &str) -> Result<(), StoreError> {
        if let Some(fetched) = &self.fetched {
            self.database.forget_logs(task, beginning).await?;
            fetched.doubt(beginning).await;
        }
        Ok(())
    }
}
