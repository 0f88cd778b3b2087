//! The service's routes in this process, where no service runs.
//!
//! The data directory is ours for as long as the command takes: whoever wants to serve it
//! meanwhile waits. Nothing runs tasks here.

use std::sync::Arc;

use anyhow::Context as _;
use autotuner_store::Database;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use super::trouble::Trouble;
use crate::api;
use crate::cli::{Refusal, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::service::Service;
use crate::service::access::{Access, Caller};
use crate::service::data_dir::{DataDir, DataDirError};
use crate::service::database;
use crate::shutdown::Shutdown;

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
        if config.database.is_none() && !ours.database().exists() {
            say(&format!(
                "note: a new database is made in {}",
                config.data_dir.display()
            ));
        }
        let clock = SystemClock;
        let opening = database::open(config, &ours, clock.now_ms());
        let database = runtime.block_on(opening).map_err(anyhow::Error::from)?;
        let id = ours.id().map_err(anyhow::Error::from)?;
        let clock = Arc::new(clock);
        let (access, shutdown) = (Access::default(), Shutdown::default());
        let service = Service::new(config.clone(), id, database.clone(), clock, access, shutdown);
        let service = Arc::new(service.context("cannot empty the folder of fetched logs")?);
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
