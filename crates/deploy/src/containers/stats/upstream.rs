//! Listens to the daemon about one container, for everybody who looks at it.
//!
//! The idea: a stream that ends says nothing about the container, so the daemon is asked. Where
//! the container is still there the stream is opened again; where it is gone, or the daemon is,
//! everybody is told and it is over: who asks next begins anew.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::{InspectContainerOptions, StatsOptionsBuilder};
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, timeout};

use super::hub::{End, Watched};
use super::reading::Reading;
use super::usage::{Setting, usage};
use crate::containers::{ContainerError, ContainerId, Shared};
use crate::docker::Daemon;

/// How long the daemon may say nothing. It means to say something each second.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Pause before a stream that ended too early is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is needed to go on.
struct Upstream {
    shared: Weak<Shared>,
    container: ContainerId,
    watched: Arc<Watched>,
    daemon: Daemon,
    setting: Setting,
    /// GPUs of this machine are of interest only where the daemon is here too.
    is_here: bool,
    before: Option<Reading>,
}

/// Why a stream is not read any further.
enum Stop {
    /// It ended.
    Eof,
    /// Nobody looks any more.
    Unwanted,
    /// It cannot be read.
    Failed(ContainerError),
}

/// Listens until nobody looks any more, or there is nothing to be told.
pub(super) async fn follow(shared: Weak<Shared>, container: ContainerId, watched: Arc<Watched>) {
    let Some(strong) = shared.upgrade() else { return };
    let opened = open(&strong, &container).await;
    drop(strong);
    let end = match opened {
        Err(error) => Some(error_end(error)),
        Ok((daemon, setting)) => {
            let upstream = Upstream {
                shared: Weak::clone(&shared),
                container: container.clone(),
                watched: Arc::clone(&watched),
                is_here: daemon.address().starts_with("unix://"),
                daemon,
                setting,
                before: None,
            };
            upstream.run().await
        }
    };
    if let (Some(end), Some(shared)) = (end, shared.upgrade()) {
        shared.stats.end(&container, &watched, end);
    }
}

/// What stays as it is: asked once.
async fn open(shared: &Shared, container: &ContainerId) -> Result<(Daemon, Setting), ContainerError> {
    let daemon = shared.reach.daemon().await?;
    let asked = daemon
        .docker()
        .inspect_container(container.as_str(), None::<InspectContainerOptions>);
    let found = shared.reach.look(&daemon, container.as_str(), asked).await?;
    let info = shared
        .reach
        .look(&daemon, container.as_str(), daemon.docker().info())
        .await?;
    let setting = Setting {
        network: found.host_config.and_then(|host| host.network_mode).map(network),
        machine_memory: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()),
    };
    Ok((daemon, setting))
}

/// A container that was told of no network has the daemon's own.
fn network(mode: String) -> String {
    match mode.as_str() {
        "default" => "bridge".to_owned(),
        _ => mode,
    }
}

fn error_end(error: ContainerError) -> End {
    match error {
        ContainerError::NotFound { .. } => End::Removed,
        error => End::Failed(error),
    }
}

impl Upstream {
    /// How it ended; `None` where nobody wants to know.
    async fn run(mut self) -> Option<End> {
        loop {
            match self.read().await {
                Stop::Unwanted => return None,
                Stop::Failed(error) => return Some(error_end(error)),
                Stop::Eof => {}
            }
            if let Err(error) = self.look().await? {
                return Some(error_end(error));
            }
            sleep(PAUSE).await;
            if !self.is_wanted() {
                return None;
            }
        }
    }

    /// Reads one stream to its end.
    async fn read(&mut self) -> Stop {
        let options = StatsOptionsBuilder::default().stream(true).build();
        // The client's own limit on the first answer is for quick questions.
        let docker = self.daemon.docker().clone().with_timeout(LONGEST_SILENCE);
        let mut messages = Box::pin(docker.stats(self.container.as_str(), Some(options)));
        loop {
            let message = match timeout(LONGEST_SILENCE, messages.next()).await {
                Err(_) => Err(ClientError::RequestTimeoutError),
                Ok(None) => return Stop::Eof,
                Ok(Some(message)) => message,
            };
            match message {
                Ok(message) => self.take(&message).await,
                Err(error) => return self.broken(&error),
            }
            if !self.is_wanted() {
                return Stop::Unwanted;
            }
        }
    }

    fn is_wanted(&self) -> bool {
        let shared = self.shared.upgrade();
        shared.is_some_and(|shared| shared.stats.is_wanted(&self.container, &self.watched))
    }

    async fn take(&mut self, message: &ContainerStatsResponse) {
        let now = Reading::of(message);
        let usage = usage(self.before.as_ref(), &now, &self.setting, Instant::now());
        self.before = Some(now);
        let Some(mut usage) = usage else { return };
        if self.is_here
            && let Some(shared) = self.shared.upgrade()
        {
            usage.gpus = shared.stats.gpus.of(&self.container).await;
        }
        self.watched.take(usage);
    }

    /// What a broken stream means. A connection that was cut is the daemon's end or only its own,
    /// which shows when the daemon is asked.
    fn broken(&self, error: &ClientError) -> Stop {
        match ContainerError::of_client(self.container.as_str(), error, self.daemon.address()) {
            ContainerError::Unreachable { .. } if !matches!(error, ClientError::RequestTimeoutError) => {
                tracing::debug!(container = %self.container, %error, "the daemon broke off a container's figures");
                Stop::Eof
            }
            error => Stop::Failed(error),
        }
    }

    /// Whether the container is still there; `None` where nobody wants to know.
    async fn look(&self) -> Option<Result<(), ContainerError>> {
        let shared = self.shared.upgrade()?;
        let asked = self
            .daemon
            .docker()
            .inspect_container(self.container.as_str(), None::<InspectContainerOptions>);
        let looked = shared
            .reach
            .look(&self.daemon, self.container.as_str(), asked)
            .await;
        Some(looked.map(drop))
    }
}
