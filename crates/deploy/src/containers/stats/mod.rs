//! What containers use: processor, memory, network, disks and GPUs, live and for the last minutes.
//!
//! The idea: the daemon is asked once for each container that somebody looks at, by one stream
//! that all share and that ends when nobody has looked for a while. Who asks gets what came last,
//! so that a hundred viewers cost as much as one, and none waits for a second look. A container
//! that nobody looks at costs nothing.

mod gpus;
mod hub;
mod reading;
#[cfg(test)]
mod tests;
mod upstream;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

pub(super) use self::hub::Stats;
use self::hub::{End, State};
pub use self::usage::{GpuShare, Rates, Usage};
use super::{ContainerError, ContainerId, Containers};

/// How long the first figures of a container may take. The second message that they need comes
/// up to two seconds after the question.
const FIRST_FIGURES: Duration = Duration::from_secs(20);

/// A look at one container that lasts, shared with everybody else's. While there is one, the
/// daemon is asked.
#[derive(Debug)]
pub struct UsageWatch {
    container: ContainerId,
    states: watch::Receiver<State>,
    /// How many figures there had been when the last ones were given.
    given: u64,
}

impl Containers {
    /// What a container uses. Who is the first to ask in a while waits for one or two
    /// seconds.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn usage(&self, container: &ContainerId) -> Result<Arc<Usage>, ContainerError> {
        let mut watch = self.watch_usage(container)?;
        match timeout(FIRST_FIGURES, watch.latest()).await {
            Ok(usage) => usage,
            Err(_) => Err(ContainerError::Unreachable {
                reason: format!(
                    "it told nothing of the container for {} s: see whether the daemon hangs (`docker stats`)",
                    FIRST_FIGURES.as_secs()
                ),
            }),
        }
    }

    /// What it has used during the last five minutes, oldest first, as far back as somebody has
    /// been looking. From now on somebody is.
    ///
    /// # Errors
    /// [`ContainerError::Conflict`]: too many are being looked at.
    pub fn usage_history(&self, container: &ContainerId) -> Result<Vec<Arc<Usage>>, ContainerError> {
        let (watched, _) = hub::join(&self.shared, container)?;
        Ok(watched.history())
    }

    /// Looks at what a container uses for as long as the watch is held.
    ///
    /// # Errors
    /// [`ContainerError::Conflict`]: too many are being looked at.
    pub fn watch_usage(&self, container: &ContainerId) -> Result<UsageWatch, ContainerError> {
        let (_, states) = hub::join(&self.shared, container)?;
        Ok(UsageWatch {
            container: container.clone(),
            states,
            given: 0,
        })
    }
}

impl UsageWatch {
    /// The next figures, at once where there are some that this watch has not given; about one a
    /// second. Who is slow misses some. `None` once the container is removed, after an error, and
    /// when the [`Containers`] are gone.
    ///
    /// # Errors
    /// [`ContainerError::Unreachable`], once: the daemon does not answer any more. A new watch
    /// may find it back.
    pub async fn next(&mut self) -> Option<Result<Arc<Usage>, ContainerError>> {
        let given = self.given;
        let is_news = |state: &State| state.count > given || state.end.is_some();
        let Ok(state) = self.states.wait_for(is_news).await else {
            return None;
        };
        if state.count > given {
            self.given = state.count;
            return state.latest.clone().map(Ok);
        }
        let end = state.end.clone();
        let was_told = self.given == u64::MAX;
        self.given = u64::MAX;
        match end {
            Some(End::Failed(error)) if !was_told => Some(Err(error)),
            _ => None,
        }
    }

    /// The latest figures, or the first ones.
    async fn latest(&mut self) -> Result<Arc<Usage>, ContainerError> {
        self.next().await.unwrap_or_else(|| {
            Err(ContainerError::NotFound {
                name: self.container.to_string(),
            })
        })
    }
}
