//! What people may see of a daemon's containers, and do with them.
//!
//! The idea: this is Docker's own, and no part of [`crate::Deployer`]: it knows every container of
//! the daemon, whoever started it, and says of each whether it is ours. It runs nothing and decides
//! nothing about tasks. A daemon that is away is an answer like any other
//! ([`ContainerError::Unreachable`]), and everything works again once it is back.

mod action;
mod cache;
mod change;
mod daemon_info;
mod error;
mod images;
mod list;
pub(crate) mod logs;
mod model;
mod name;
mod reach;
mod stats;
mod summary;
#[cfg(test)]
mod testing;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::InspectContainerOptions;
use tokio::sync::broadcast;

use crate::docker::Owner;

pub use self::action::Action;
use self::cache::Cache;
pub use self::change::{Change, ContainerChange};
pub use self::daemon_info::DaemonInfo;
pub use self::error::ContainerError;
pub use self::images::{Image, ImagePull, ImageReference, ImageUser, PullNews};
use self::logs::Followed;
pub use self::logs::{
    Beginning, Chunk, FORMS, Found, Item, Life, Line, LogQuery, LogStream, NoPlace, Place, Viewer,
};
pub use self::model::{Container, Ownership};
pub use self::name::{ContainerId, ContainerName};
use self::reach::Reach;
use self::stats::Stats;
pub use self::stats::{GpuShare, Rates, Usage, UsageWatch};

/// Changes that a listener may be behind before it misses some: what a busy daemon tells in minutes.
const UNHEARD_CHANGES: usize = 1024;

/// What [`Containers`] needs to know of its surroundings.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// Where the daemon listens, as `DOCKER_HOST` has it; the usual socket when `None`. It may be
    /// on another machine.
    pub host: Option<String>,
    /// The folder of instances whose containers are ours.
    pub instances: PathBuf,
    /// Values that must appear in no message.
    pub secrets: Vec<String>,
}

/// The containers of one daemon. Clones share everything. Nothing is asked before it is needed.
#[derive(Clone)]
pub struct Containers {
    shared: Arc<Shared>,
}

struct Shared {
    reach: Reach,
    /// Whose containers are ours; `None` where this machine's name is unknown.
    owner: Option<Owner>,
    followed: Followed,
    stats: Stats,
    cache: Cache,
    changes: broadcast::Sender<Change>,
}

impl Containers {
    /// The containers of this daemon.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        let Surroundings {
            host,
            instances,
            secrets,
        } = surroundings;
        Self {
            shared: Arc::new(Shared {
                reach: Reach::new(host, secrets),
                owner: Owner::of_folder(&instances),
                followed: Followed::default(),
                stats: Stats::default(),
                cache: Cache::default(),
                changes: broadcast::Sender::new(UNHEARD_CHANGES),
            }),
        }
    }

    /// Looks up a container by its id, its name or the beginning of its id: the one moment at
    /// which a name means something. Whatever is done after goes by [`Container::id`].
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn resolve(&self, name: &ContainerName) -> Result<Container, ContainerError> {
        self.shared.inspect(name.as_str()).await
    }
}

impl Shared {
    /// How a container is; `None` when it is gone.
    async fn look(&self, id: &ContainerId) -> Result<Option<Container>, ContainerError> {
        match self.inspect(id.as_str()).await {
            Err(ContainerError::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    async fn inspect(&self, name: &str) -> Result<Container, ContainerError> {
        let daemon = self.reach.daemon().await?;
        let asked = daemon
            .docker()
            .inspect_container(name, None::<InspectContainerOptions>);
        let found = self.reach.look(&daemon, name, asked).await?;
        self.described(found)
    }

    fn described(&self, found: ContainerInspectResponse) -> Result<Container, ContainerError> {
        let described = Container::of_inspect(found, self.owner.as_ref());
        let described = described.map(|container| container.redacted(|text| self.reach.redact(text)));
        described.ok_or_else(|| ContainerError::Refused {
            status: 200,
            message: "the daemon describes a container without an id".to_owned(),
        })
    }
}
