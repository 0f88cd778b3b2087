//! The service's routes in this process, where no service runs.
//!
//! The data directory is ours for as long as the command takes: whoever wants to serve it
//! meanwhile waits. Nothing runs tasks here.

use std::sync::Arc;

use anyhow::Context as _;
use autotuner_deploy::containers::Containers;
use autotuner_store::Database;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tower::ServiceExt as _;

use super::trouble::Trouble;
use crate::api;
use crate::cli::{Refusal, say};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::host::ThisHost;
use crate::service::Service;
use crate::service::access::{Access, Caller};
use crate::service::data_dir::{DataDir, DataDirError};
use crate::service::events::Hub;
use crate::service::log_files::LogFiles;
use crate::service::metrics::Metrics;
use crate::service::supervisor::Board;
use crate::service::wishes::Wishes;
use crate::shutdown::Shutdown;
use crate::targets::{gpu_pool, surroundings};

/// The routes, and what they need.
pub(in crate::cli) struct Here {
    runtime: Runtime,
    router: Router,
    database: Database,
    _ours: DataDir,
}

impl Here {
    /// Takes the data directory. `None` where somebody else has it.
    ///
    /// # Errors
    /// It cannot be written, or its database cannot be opened.
    pub(super) fn open(config: &Config) -> Result<Option<Self>, Refusal> {
        let ours = match DataDir::open(&config.data_dir) {
            Ok(ours) => ours,
            Err(DataDirError::Taken { .. }) => return Ok(None),
            Err(error) => return Err(anyhow::Error::from(error).into()),
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        if !ours.database().exists() {
            say(&format!(
                "note: a new database is made in {}",
                config.data_dir.display()
            ));
        }
        let clock = SystemClock;
        let database = runtime.block_on(async {
            let database = Database::open(&ours.database(), clock.now_ms()).await?;
            // Whoever claimed a task is dead: the directory is ours alone.
            database.forget_claims().await?;
            anyhow::Ok(database)
        })?;
        let service = Arc::new(service(config, database.clone(), Arc::new(clock)));
        Ok(Some(Self {
            runtime,
            router: api::serve::app(service),
            database,
            _ours: ours,
        }))
    }

    /// Asks the routes as this machine's own administrator.
    pub(super) fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Trouble> {
        let mut request = request.map(Body::from);
        request.extensions_mut().insert(Caller::local(None));
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await;
            let (parts, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let body = to_bytes(body, usize::MAX)
                .await
                .map_err(|error| Trouble::Strange {
                    url: "this process".to_owned(),
                    what: error.to_string(),
                })?;
            Ok(Response::from_parts(parts, body.to_vec()))
        })
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.runtime.block_on(self.database.close());
    }
}

fn service(config: &Config, database: Database, clock: Arc<dyn Clock>) -> Service {
    let started_at_ms = clock.now_ms();
    Service {
        database,
        clock,
        config: config.clone(),
        events: Hub::default(),
        logs: LogFiles::new(&config.logs_dir()),
        access: Access::default(),
        gpus: gpu_pool(config),
        containers: Containers::new(surroundings(config)),
        bell: Notify::new(),
        wishes: Wishes::default(),
        host: ThisHost::default(),
        board: Board::default(),
        metrics: Metrics::default(),
        shutdown: Shutdown::default(),
        started_at_ms,
    }
}
