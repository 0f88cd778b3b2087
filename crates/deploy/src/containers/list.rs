//! All containers at once.
//!
//! The idea: the daemon's list says which there are and what each is at; the rest is known from
//! the last look at each, which is taken again only where something has happened since. Where
//! nobody listens to the daemon, each is looked at.

use std::cmp::Reverse;
use std::collections::HashSet;

use bollard::models::ContainerSummary;
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;

use super::{Container, ContainerError, ContainerId, Containers};
use crate::docker::{Daemon, LOOK};

/// Containers that are looked at together.
const TOGETHER: usize = 8;

impl Containers {
    /// Every container, newest first; only those that run where not `all` are wanted.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn list(&self, all: bool) -> Result<Vec<Container>, ContainerError> {
        let daemon = self.shared.reach.daemon().await?;
        self.list_of(&daemon, all).await
    }

    pub(super) async fn list_of(&self, daemon: &Daemon, all: bool) -> Result<Vec<Container>, ContainerError> {
        match timeout(LOOK, self.listed(daemon, all)).await {
            Ok(listed) => listed,
            Err(_) => Err(ContainerError::gone(&crate::docker::too_long(
                daemon.address(),
                LOOK,
            ))),
        }
    }

    async fn listed(&self, daemon: &Daemon, all: bool) -> Result<Vec<Container>, ContainerError> {
        let begun = self.shared.cache.now();
        let options = ListContainersOptionsBuilder::new().all(all).build();
        let asked = daemon.docker().list_containers(Some(options));
        let summaries = self.shared.reach.look(daemon, "", asked).await?;
        if all {
            let ids = summaries.iter().filter_map(id_of).collect::<HashSet<_>>();
            self.shared.cache.retain(begun, &ids);
        }
        let looks = summaries.into_iter().map(|summary| self.of_list(daemon, summary));
        let found: Vec<Option<Container>> = stream::iter(looks).buffered(TOGETHER).try_collect().await?;
        let mut found: Vec<Container> = found.into_iter().flatten().collect();
        found.sort_by_cached_key(|container| {
            let created = container.created_at.as_deref();
            let created = created.and_then(|time| time.parse::<jiff::Timestamp>().ok());
            (Reverse(created), container.id.clone())
        });
        Ok(found)
    }

    /// A container of the daemon's list; `None` for one that is gone by now.
    async fn of_list(
        &self,
        daemon: &Daemon,
        summary: ContainerSummary,
    ) -> Result<Option<Container>, ContainerError> {
        let Some(id) = id_of(&summary) else {
            return Ok(None);
        };
        if let Some(known) = self.shared.cache.get(&id)
            && is_as_listed(&known, &summary)
        {
            return Ok(Some(known));
        }
        match self.look_at(daemon, &id).await {
            Ok(container) => Ok(Some(container)),
            Err(ContainerError::NotFound { .. }) => Ok(None),
            // One that cannot be looked at hides no other.
            Err(ContainerError::Refused { .. }) => {
                Ok(Container::of_summary(summary, self.shared.owner.as_ref()))
            }
            Err(error) => Err(error),
        }
    }

    /// Looks at a container, and remembers it while that holds.
    pub(super) async fn look_at(
        &self,
        daemon: &Daemon,
        id: &ContainerId,
    ) -> Result<Container, ContainerError> {
        let begun = self.shared.cache.now();
        let asked = daemon
            .docker()
            .inspect_container(id.as_str(), None::<InspectContainerOptions>);
        let found = self.shared.reach.look(daemon, id.as_str(), asked).await?;
        let container = self.shared.described(found)?;
        self.shared.cache.keep(begun, &container);
        Ok(container)
    }
}

fn id_of(summary: &ContainerSummary) -> Option<ContainerId> {
    ContainerId::read(summary.id.as_deref()?)
}

/// Whether what was seen last fits what the list says now.
fn is_as_listed(known: &Container, summary: &ContainerSummary) -> bool {
    let state = summary.state.map(|state| state.to_string());
    let names = summary.names.iter().flatten();
    let is_called_so = names
        .into_iter()
        .any(|name| name.trim_start_matches('/') == known.name);
    state.as_deref() == Some(known.state.as_str()) && is_called_so
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::containers::testing::container;

    #[test]
    fn what_the_list_says_otherwise_is_looked_at_again() {
        let known = container(1, "running");
        let check = |name: &str, state: &str, expected: bool| {
            let summary = json!({"Id": known.id.as_str(), "Names": [name], "State": state});
            let summary = serde_json::from_value(summary).unwrap();
            assert_eq!(is_as_listed(&known, &summary), expected, "{name} {state}");
        };
        check("/container-1", "running", true);
        check("/container-1", "exited", false);
        check("/renamed", "running", false);
    }

    #[test]
    fn what_cannot_be_looked_at_is_told_as_the_list_has_it() {
        let summary = json!({
            "Id": "ab".repeat(32), "Names": ["/n"], "Image": "i:1", "ImageID": "sha256:1",
            "Command": "/engine serve", "Created": 1_767_225_600, "State": "dead",
            "Labels": {"a": "b"}, "HostConfig": {"NetworkMode": "bridge"},
        });
        let found = Container::of_summary(serde_json::from_value(summary).unwrap(), None).unwrap();
        assert_eq!((found.name.as_str(), found.state.as_str()), ("n", "dead"));
        assert_eq!(found.created_at.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!((found.started_at, found.exit_code), (None, None));
        assert_eq!(found.labels["a"], "b");
    }
}
