//! A container as people see it.
//!
//! Texts and times are the daemon's own; what is not there is `None`, never a zero that looks like
//! a fact. Whether it is ours is told by its labels.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bollard::models::{ContainerInspectResponse, PortBinding};

use super::ContainerId;
use crate::docker::{Labels, Owner};

/// A container at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its whole id.
    pub id: ContainerId,
    /// Its name, without the slash that Docker puts before it.
    pub name: String,
    /// The image as it was named when it was created.
    pub image: String,
    /// The image's id: `sha256:…`.
    pub image_id: Option<String>,
    /// Docker's word for its state: `running`, `exited`, `created`, `paused`, `restarting`,
    /// `removing`, `dead`.
    pub state: String,
    /// When it was created, in RFC 3339, as Docker writes it.
    pub created_at: Option<String>,
    /// When it was last started; `None` for one that never was.
    pub started_at: Option<String>,
    /// When it last ended; `None` for one that never has.
    pub finished_at: Option<String>,
    /// How it last ended; `None` for one that never has.
    pub exit_code: Option<i64>,
    /// Whether it last ended for want of memory.
    pub out_of_memory: bool,
    /// What kept it from starting, in the daemon's words.
    pub error: Option<String>,
    /// How often the daemon has restarted it by itself.
    pub restarts: i64,
    /// What its health check says, where it has one: `healthy`, `unhealthy`, `starting`.
    pub health: Option<String>,
    /// Whether it has a terminal: then its two streams are one.
    pub has_terminal: bool,
    /// Where its output goes: `json-file`, `local`, `none`.
    pub log_driver: Option<String>,
    /// Its network: `bridge`, `host`, `none`, or a name.
    pub network: Option<String>,
    /// Ports of the container and, where they are published, of the daemon's machine:
    /// `8080/tcp` → `8001`.
    pub ports: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What was given to its entrypoint, joined by blanks.
    pub command: String,
    /// The process id of its first process on the daemon's machine, while it runs.
    pub pid: Option<i64>,
    /// Whose it is; `None` for one that this product has not made.
    pub ownership: Option<Ownership>,
}

/// What the labels of a container of this product say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// Whether it is of this data directory on this machine. Others are strangers' containers.
    pub is_ours: bool,
    /// The process that started it.
    pub instance: String,
    /// The task's name; empty for one that was asked a question only.
    pub task: String,
    /// The experiment's number inside the task.
    pub experiment: u32,
    /// How often the experiment had been tried then, from 1.
    pub attempt: u32,
    /// Where its output is kept.
    pub log_file: PathBuf,
}

impl Container {
    /// Whether it is of this data directory on this machine.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.ownership.as_ref().is_some_and(|ownership| ownership.is_ours)
    }

    /// Whether its processes are there.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused")
    }

    /// The same with every text that a task or a person has chosen passed through this.
    pub(super) fn redacted(mut self, redact: impl Fn(&str) -> String) -> Self {
        self.command = redact(&self.command);
        self.error = self.error.as_deref().map(&redact);
        for label in self.labels.values_mut() {
            *label = redact(label);
        }
        self
    }

    pub(super) fn of_inspect(found: ContainerInspectResponse, owner: Option<&Owner>) -> Option<Self> {
        let state = found.state.unwrap_or_default();
        let config = found.config.unwrap_or_default();
        let host = found.host_config.unwrap_or_default();
        let labels = config.labels.unwrap_or_default();
        let ports = found.network_settings.and_then(|settings| settings.ports);
        let finished_at = time(state.finished_at);
        let word = |word: Option<String>| word.filter(|word| !word.is_empty());
        Some(Self {
            id: ContainerId::read(found.id.as_deref()?)?,
            name: found.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            image: config.image.unwrap_or_default(),
            image_id: word(found.image),
            state: state.status.map(|status| status.to_string()).unwrap_or_default(),
            created_at: found.created.and_then(|created| time(Some(created))),
            started_at: time(state.started_at),
            exit_code: state.exit_code.filter(|_| finished_at.is_some()),
            finished_at,
            out_of_memory: state.oom_killed == Some(true),
            error: word(state.error),
            restarts: found.restart_count.unwrap_or_default(),
            health: state
                .health
                .and_then(|health| health.status)
                .map(|status| status.to_string())
                .filter(|status| !status.is_empty() && status != "none"),
            has_terminal: config.tty == Some(true),
            log_driver: host.log_config.and_then(|log| word(log.typ)),
            network: word(host.network_mode),
            ports: published(ports.unwrap_or_default()),
            command: config.cmd.unwrap_or_default().join(" "),
            pid: state.pid.filter(|pid| *pid > 0),
            ownership: Ownership::of_labels(&labels, owner),
            labels: labels.into_iter().collect(),
        })
    }
}

impl Ownership {
    /// What a container's labels say of who made it.
    pub(super) fn of_labels(labels: &HashMap<String, String>, owner: Option<&Owner>) -> Option<Self> {
        Labels::read(labels).map(|labels| Self {
            is_ours: owner.is_some_and(|owner| owner.is_beside(&labels.owner)),
            instance: labels.owner.instance,
            task: labels.task,
            experiment: labels.experiment,
            attempt: labels.attempt,
            log_file: labels.log_file,
        })
    }
}

/// A time as Docker writes it; its year 1 means never.
fn time(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty() && !text.starts_with("0001-"))
}

fn published(ports: HashMap<String, Option<Vec<PortBinding>>>) -> BTreeMap<String, String> {
    let first = |bindings: Vec<PortBinding>| bindings.into_iter().find_map(|binding| binding.host_port);
    ports
        .into_iter()
        .filter_map(|(port, bindings)| Some((port, first(bindings?)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_never_happened_is_not_told_as_a_time() {
        let found = serde_json::from_value(json!({
            "Id": "ab".repeat(32), "Name": "/n", "Created": "2026-01-01T00:00:00.5Z",
            "State": {"Status": "created", "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z",
                      "FinishedAt": "0001-01-01T00:00:00Z", "Pid": 0},
            "Config": {"Image": "i:1", "Cmd": ["serve", "--port", "1"], "Labels": {"a": "b"}},
            "NetworkSettings": {"Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49154"}], "9/udp": null}},
            "HostConfig": {"NetworkMode": "host", "LogConfig": {"Type": "json-file"}},
        }));
        let container = Container::of_inspect(found.unwrap(), None).unwrap();
        assert_eq!(
            (container.name.as_str(), container.command.as_str()),
            ("n", "serve --port 1")
        );
        assert_eq!(
            (container.started_at.clone(), container.finished_at.clone()),
            (None, None)
        );
        assert_eq!((container.exit_code, container.pid), (None, None));
        assert_eq!(
            container.ports,
            BTreeMap::from([("8000/tcp".to_owned(), "49154".to_owned())])
        );
        assert_eq!(container.network.as_deref(), Some("host"));
        assert!(!container.is_ours() && !container.is_alive());
    }

    #[test]
    fn an_id_that_is_none_makes_no_container() {
        let found = serde_json::from_value(json!({"Id": "short"})).unwrap();
        assert_eq!(Container::of_inspect(found, None), None);
    }
}
