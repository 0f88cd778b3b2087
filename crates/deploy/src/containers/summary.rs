//! A container as the daemon's list has it: less than a look tells, for one that cannot be looked
//! at.

use bollard::models::ContainerSummary;

use super::{Container, ContainerId, Ownership};
use crate::docker::Owner;

impl Container {
    pub(super) fn of_summary(summary: ContainerSummary, owner: Option<&Owner>) -> Option<Self> {
        let labels = summary.labels.unwrap_or_default();
        let name = summary.names.unwrap_or_default().into_iter().next();
        let created = summary
            .created
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        Some(Self {
            id: ContainerId::read(summary.id.as_deref()?)?,
            name: name.unwrap_or_default().trim_start_matches('/').to_owned(),
            image: summary.image.unwrap_or_default(),
            image_id: summary.image_id.filter(|id| !id.is_empty()),
            state: summary.state.map(|state| state.to_string()).unwrap_or_default(),
            created_at: created.map(|created| created.to_string()),
            started_at: None,
            finished_at: None,
            exit_code: None,
            out_of_memory: false,
            error: None,
            restarts: 0,
            health: None,
            has_terminal: false,
            log_driver: None,
            network: summary
                .host_config
                .and_then(|host| host.network_mode)
                .filter(|mode| !mode.is_empty()),
            ports: Default::default(),
            command: summary.command.unwrap_or_default(),
            pid: None,
            ownership: Ownership::of_labels(&labels, owner),
            labels: labels.into_iter().collect(),
        })
    }
}
