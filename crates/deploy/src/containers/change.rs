//! What happened to a container, or to the daemon: read from the daemon's events.
//!
//! The idea: an event says that something happened, not how things are now; that may have changed
//! again by the time it is read. What only looks into a container, or runs a program in it, is no
//! change of it and is left out: a health check alone makes three such events each time.

use bollard::models::{EventMessage, EventMessageTypeEnum};

use super::{Container, ContainerId, Ownership};
use crate::docker::Owner;

/// Something that happened. After a break in listening a change may be told twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// To a container.
    Container(ContainerChange),
    /// The daemon does not answer.
    Away {
        /// Why, and what to do about it.
        reason: String,
    },
    /// It answers again. What happened meanwhile follows as far as it can be seen.
    Back,
}

/// What happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerChange {
    /// The container.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// Docker's word for what happened: `create`, `start`, `die`, `destroy`, `oom`, `pause`,
    /// `health_status`.
    pub action: String,
    /// How it ended, with `die`.
    pub exit_code: Option<i64>,
    /// What its health check says, with `health_status`.
    pub health: Option<String>,
    /// Docker's word for its state when it was looked at after it; `None` for one that is gone, or
    /// that could not be looked at.
    pub state: Option<String>,
    /// Whose it is; `None` for one that this product has not made.
    pub ownership: Option<Ownership>,
}

/// What is no change of a container.
const LOOKS: [&str; 10] = [
    "archive-path",
    "attach",
    "commit",
    "copy",
    "detach",
    "export",
    "exec",
    "extract-to-dir",
    "resize",
    "top",
];

impl ContainerChange {
    /// Reads an event; `None` where it tells of no change of a container.
    pub(super) fn of_event(event: EventMessage, owner: Option<&Owner>) -> Option<Self> {
        if event.typ != Some(EventMessageTypeEnum::CONTAINER) {
            return None;
        }
        let action = event.action?;
        let (word, rest) = match action.split_once(':') {
            Some((word, rest)) => (word, rest.trim()),
            None => (action.as_str(), ""),
        };
        if LOOKS.contains(&word) || word.starts_with("exec_") {
            return None;
        }
        let actor = event.actor?;
        let attributes = actor.attributes.unwrap_or_default();
        let exit_code = attributes.get("exitCode").and_then(|code| code.parse().ok());
        Some(Self {
            id: ContainerId::read(actor.id.as_deref()?)?,
            name: attributes.get("name").cloned().unwrap_or_default(),
            exit_code: exit_code.filter(|_| word == "die"),
            health: (word == "health_status" && !rest.is_empty()).then(|| rest.to_owned()),
            action: word.to_owned(),
            state: None,
            // Its labels are among the attributes.
            ownership: Ownership::of_labels(&attributes, owner),
        })
    }

    /// What must have happened to a container between two looks, in Docker's words; `None` where
    /// nothing shows.
    pub(super) fn between(before: Option<&Container>, now: Option<&Container>) -> Option<Self> {
        let action = match (before, now) {
            (None, Some(_)) => "create",
            (Some(_), None) => "destroy",
            (Some(before), Some(now)) => happened(before, now)?,
            (None, None) => return None,
        };
        let of = now.or(before)?;
        Some(Self {
            id: of.id.clone(),
            name: of.name.clone(),
            action: action.to_owned(),
            exit_code: of.exit_code.filter(|_| action == "die"),
            health: of.health.clone().filter(|_| action == "health_status"),
            state: now.map(|now| now.state.clone()),
            ownership: of.ownership.clone(),
        })
    }
}

fn happened(before: &Container, now: &Container) -> Option<&'static str> {
    let is_other_life = before.started_at != now.started_at;
    match (before.state.as_str(), now.state.as_str()) {
        (_, "exited" | "dead") if before.state != now.state || is_other_life => Some("die"),
        ("paused", "running") if !is_other_life => Some("unpause"),
        (_, "paused") if before.state != "paused" => Some("pause"),
        _ if is_other_life || before.state != now.state => Some("start"),
        _ if before.name != now.name => Some("rename"),
        _ if before.health != now.health => Some("health_status"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::containers::testing::container;

    fn event(kind: &str, action: &str, attributes: Value) -> Option<ContainerChange> {
        let event = json!({
            "Type": kind, "Action": action, "scope": "local", "timeNano": 1,
            "Actor": {"ID": "ab".repeat(32), "Attributes": attributes},
        });
        ContainerChange::of_event(serde_json::from_value(event).unwrap(), None)
    }

    #[test]
    fn events_are_read_and_those_that_change_nothing_left_out() {
        let died = event("container", "die", json!({"name": "n", "exitCode": "137"})).unwrap();
        assert_eq!((died.action.as_str(), died.exit_code), ("die", Some(137)));
        assert_eq!((died.name.as_str(), died.ownership), ("n", None));
        let health = event("container", "health_status: unhealthy", json!({})).unwrap();
        assert_eq!(health.action, "health_status");
        assert_eq!(health.health.as_deref(), Some("unhealthy"));
        for action in ["start", "destroy", "oom", "rename", "something new"] {
            assert!(event("container", action, json!({})).is_some(), "{action}");
        }
        for action in [
            "exec_create: /bin/true",
            "exec_start: x",
            "exec_die",
            "top",
            "resize",
        ] {
            assert_eq!(event("container", action, json!({})), None, "{action}");
        }
        assert_eq!(event("image", "pull", json!({})), None);
    }

    #[test]
    fn whose_it_is_is_read_from_the_labels_among_the_attributes() {
        let attributes = json!({
            "name": "n", "inference-autotuner.instance": "i", "inference-autotuner.instances-dir": "/d",
            "inference-autotuner.host": "h", "inference-autotuner.task": "t",
            "inference-autotuner.experiment": "3", "inference-autotuner.attempt": "1",
        });
        let ownership = event("container", "start", attributes)
            .unwrap()
            .ownership
            .unwrap();
        assert_eq!((ownership.task.as_str(), ownership.experiment), ("t", 3));
        assert!(!ownership.is_ours, "it is another folder's");
    }

    #[test]
    fn what_nobody_heard_shows_between_two_looks() {
        let at = |state: &str, started_at: &str| {
            let mut container = container(1, state);
            container.started_at = Some(started_at.to_owned());
            container
        };
        let check = |before: Option<&Container>, now: Option<&Container>, expected: Option<&str>| {
            let change = ContainerChange::between(before, now);
            assert_eq!(change.map(|change| change.action).as_deref(), expected);
        };
        let (running, again, exited) = (at("running", "1"), at("running", "2"), at("exited", "1"));
        check(None, Some(&running), Some("create"));
        check(Some(&running), None, Some("destroy"));
        check(Some(&running), Some(&running), None);
        check(Some(&running), Some(&again), Some("start"));
        check(Some(&running), Some(&exited), Some("die"));
        check(Some(&exited), Some(&again), Some("start"));
        check(Some(&exited), Some(&at("exited", "2")), Some("die"));
        check(Some(&running), Some(&at("paused", "1")), Some("pause"));
        check(Some(&at("paused", "1")), Some(&running), Some("unpause"));
        check(None, None, None);
    }
}
