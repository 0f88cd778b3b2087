//! Follows the Docker daemon, and tells what happens there as events of the service.
//!
//! It decides nothing: events name the container and what happened to it, and whoever shows
//! containers asks for them again. A daemon that is not there is told once.

use std::sync::Arc;

use autotuner_deploy::containers::{Change, ContainerChange};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Service;
use super::events::{Event, Kind};

/// Follows the daemon until the service is to end.
pub(crate) async fn watch(service: Arc<Service>) {
    let changes = service.containers.changes();
    let end = service.shutdown.soft.clone();
    tokio::select! {
        () = service.containers.watch(end) => {}
        () = publish(&service, changes) => {}
    }
}

async fn publish(service: &Service, mut changes: Receiver<Change>) {
    loop {
        let event = match changes.recv().await {
            Ok(change) => event(change),
            // What was missed shows in the next list.
            Err(RecvError::Lagged(_)) => docker_changed("missed", Value::Null),
            Err(RecvError::Closed) => return,
        };
        service.events.publish(event);
    }
}

fn event(change: Change) -> Event {
    match change {
        Change::Container(change) => container_changed(change),
        Change::Away { reason } => docker_changed("away", reason.into()),
        Change::Back => docker_changed("back", Value::Null),
    }
}

fn container_changed(change: ContainerChange) -> Event {
    let ContainerChange {
        id,
        name,
        action,
        exit_code,
        health,
        state,
        ownership,
    } = change;
    let mut data = json!({ "container_id": id.as_str(), "name": name, "action": action });
    let mut add = |key: &str, value: Value| {
        if !value.is_null() {
            data[key] = value;
        }
    };
    add("state", state.into());
    add("exit_code", exit_code.into());
    add("health", health.into());
    if let Some(ownership) = ownership.filter(|ownership| !ownership.task.is_empty()) {
        add("task", ownership.task.into());
        add("experiment", ownership.experiment.into());
    }
    of(Kind::ContainerChanged, data)
}

/// The daemon is `away` or `back`, or changes were `missed`.
fn docker_changed(state: &str, reason: Value) -> Event {
    let mut data = json!({ "state": state });
    if !reason.is_null() {
        data["reason"] = reason;
    }
    of(Kind::DockerChanged, data)
}

fn of(kind: Kind, data: Value) -> Event {
    Event {
        kind,
        task: None,
        experiment: None,
        message: None,
        data,
    }
}

#[cfg(test)]
mod tests {
    use autotuner_deploy::containers::{ContainerId, Ownership};

    use super::*;

    #[test]
    fn an_event_has_what_is_known_and_nothing_else() {
        let id = "ab".repeat(32);
        let mut change = ContainerChange {
            id: ContainerId::read(&id).unwrap(),
            name: "n".into(),
            action: "die".into(),
            exit_code: Some(137),
            health: None,
            state: None,
            ownership: None,
        };
        let data = |change: &ContainerChange| event(Change::Container(change.clone())).data;
        let expected = json!({"container_id": id, "name": "n", "action": "die", "exit_code": 137});
        assert_eq!(data(&change), expected);
        change.state = Some("exited".into());
        change.ownership = Some(Ownership {
            is_ours: true,
            instance: "i".into(),
            task: "t".into(),
            experiment: 3,
            attempt: 1,
            log_file: "/l".into(),
        });
        assert_eq!(data(&change)["state"], "exited");
        assert_eq!(
            (&data(&change)["task"], &data(&change)["experiment"]),
            (&json!("t"), &json!(3))
        );
        let away = event(Change::Away { reason: "r".into() });
        assert_eq!(
            (away.kind, away.data),
            (Kind::DockerChanged, json!({"state": "away", "reason": "r"}))
        );
    }
}
