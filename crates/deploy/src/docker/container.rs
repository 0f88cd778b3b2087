//! What we ask the daemon about containers and tell it to do with them, each one call.
//!
//! Whatever is already so is a success here: a container that is to be stopped and has ended,
//! one that is to be removed and is gone. What to do when a call comes to nothing is for
//! others to decide.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, EventMessage};
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use super::connect::{ACT, Daemon, LOOK};
use super::create::port_key;
use super::error::{Failed, Reason};
use super::names::Labels;
use crate::Exit;

/// How much longer than its grace a stop may take.
const STOP_SLACK: Duration = Duration::from_secs(40);

/// A container at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) id: String,
    pub(crate) life: Life,
    /// Since when it has run, as the daemon writes it. Another time is another life.
    pub(crate) started_at: String,
    /// When it ended, as the daemon writes it.
    pub(crate) finished_at: String,
    pub(crate) restarts: i64,
    /// The port of this machine on which it answers, while it runs.
    pub(crate) port: Option<u16>,
    /// Its argument vector, program first.
    pub(crate) command: Vec<String>,
    /// Where it looks up programs, and where it begins.
    pub(crate) search_path: Option<String>,
    pub(crate) working_dir: String,
    /// The id of the image it was really made from.
    pub(crate) image: String,
    /// `None` for one that is not ours.
    pub(crate) labels: Option<Labels>,
}

/// Whether it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It was never started.
    Created,
    Running,
    Paused,
    Ended(Exit),
    /// It is being removed.
    Going,
}

/// One of our containers in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) is_running: bool,
    pub(crate) labels: Labels,
}

impl Life {
    /// Whether its processes are there.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    fn of(state: &ContainerState) -> Self {
        match state.status {
            Some(ContainerStateStatusEnum::CREATED) => Self::Created,
            Some(ContainerStateStatusEnum::PAUSED) => Self::Paused,
            Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD) => Self::Going,
            Some(ContainerStateStatusEnum::EXITED) => Self::Ended(exit_of(state)),
            _ if state.running == Some(false) => Self::Ended(exit_of(state)),
            _ => Self::Running,
        }
    }
}

/// How it ended. Docker follows the shells: 128 and the number of the signal.
fn exit_of(state: &ContainerState) -> Exit {
    let code = state.exit_code.and_then(|code| i32::try_from(code).ok());
    let signal = code.map(|code| code - 128).filter(|n| (1..=64).contains(n));
    Exit {
        code: code.filter(|_| signal.is_none()),
        signal,
        out_of_memory: state.oom_killed == Some(true),
    }
}

impl Look {
    pub(crate) fn of(inspected: ContainerInspectResponse) -> Self {
        let state = inspected.state.unwrap_or_default();
        let config = inspected.config.unwrap_or_default();
        let environment = config.env.unwrap_or_default();
        let bindings = inspected
            .network_settings
            .and_then(|settings| settings.ports)
            .and_then(|mut ports| ports.remove(&port_key()).flatten())
            .unwrap_or_default();
        let program = inspected.path.into_iter();
        Self {
            life: Life::of(&state),
            id: inspected.id.unwrap_or_default(),
            started_at: state.started_at.unwrap_or_default(),
            finished_at: state.finished_at.unwrap_or_default(),
            restarts: inspected.restart_count.unwrap_or_default(),
            port: bindings
                .iter()
                .find_map(|binding| binding.host_port.as_deref()?.parse().ok()),
            command: program.chain(inspected.args.unwrap_or_default()).collect(),
            image: inspected.image.unwrap_or_default(),
            search_path: environment
                .iter()
                .find_map(|entry| entry.strip_prefix("PATH=").map(str::to_owned)),
            working_dir: config.working_dir.unwrap_or_default(),
            labels: config.labels.as_ref().and_then(Labels::read),
        }
    }
}

impl Look {
    /// The first full second after its end, as the daemon wants to be told a time.
    fn just_after_the_end(&self) -> Option<String> {
        let finished = self.finished_at.parse::<jiff::Timestamp>().ok()?;
        Some((finished.as_second() + 1).to_string())
    }
}

impl Daemon {
    /// How a container is, by its id or name; `None` when there is none.
    pub(crate) async fn look(&self, id: &str) -> Result<Option<Look>, Failed> {
        let call = self
            .docker()
            .inspect_container(id, None::<InspectContainerOptions>);
        match self.call(LOOK, call).await {
            Ok(inspected) => Ok(Some(Look::of(inspected))),
            Err(failed) if failed.reason() == Some(Reason::NoContainer) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// Whether somebody had a container that has ended killed or stopped, and with which signal:
    /// `9`. The daemon remembers only its latest events, so `None` proves nothing.
    pub(crate) async fn killed_by_somebody(&self, look: &Look) -> Result<Option<String>, Failed> {
        let Some(until) = look.just_after_the_end() else {
            return Ok(None);
        };
        let event = self.first_event(&look.id, &["kill"], &until).await?;
        Ok(event.map(|event| {
            let attributes = event.actor.and_then(|actor| actor.attributes);
            let signal = attributes.and_then(|mut attributes| attributes.remove("signal"));
            signal.unwrap_or_else(|| "unknown".to_owned())
        }))
    }

    /// Whether a container that has ended had run out of memory. Its state says so only when
    /// the daemon hears of that before it hears of the end, which a busy one need not.
    pub(crate) async fn ran_out_of_memory(&self, look: &Look) -> Result<bool, Failed> {
        match look.just_after_the_end() {
            None => Ok(false),
            Some(until) => Ok(self.first_event(&look.id, &["oom"], &until).await?.is_some()),
        }
    }

    /// What somebody did to a container until now that holds an engine up, even where nothing
    /// of it can be seen any more: `pause`. As above, `None` proves nothing.
    pub(crate) async fn held_up_by_somebody(&self, id: &str) -> Result<Option<String>, Failed> {
        // Its own clock: to one ahead of it the answer would not end.
        let info = self.call(LOOK, self.docker().info()).await?;
        let Some(now) = info
            .system_time
            .and_then(|time| time.parse::<jiff::Timestamp>().ok())
        else {
            return Ok(None);
        };
        let until = format!("{}.{:09}", now.as_second(), now.subsec_nanosecond());
        let event = self
            .first_event(id, &["pause", "restart", "update"], &until)
            .await?;
        Ok(event.map(|event| event.action.unwrap_or_default()))
    }

    /// The first event of these kinds that the daemon remembers of a container.
    async fn first_event(
        &self,
        id: &str,
        kinds: &[&str],
        until: &str,
    ) -> Result<Option<EventMessage>, Failed> {
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        let filters = [("container", vec![id.to_owned()]), ("event", kinds)]
            .map(|(name, values)| (name.to_owned(), values));
        // All that is remembered up to then; with an end in the past the answer ends, too.
        let options = EventsOptionsBuilder::new()
            .since("1")
            .until(until)
            .filters(&HashMap::from(filters))
            .build();
        let docker = self.docker().clone();
        let first = async move { docker.events(Some(options)).next().await.transpose() };
        self.call(LOOK, first).await
    }

    /// Asks a container to end, and kills it after `grace`, which counts in whole seconds.
    pub(crate) async fn stop_container(&self, id: &str, grace: Duration) -> Result<(), Failed> {
        let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
        let options = StopContainerOptionsBuilder::new()
            .t(i32::try_from(seconds).unwrap_or(i32::MAX))
            .build();
        let deadline = grace + STOP_SLACK;
        let docker = self.docker().clone().with_timeout(deadline);
        let call = docker.stop_container(id, Some(options));
        already_so(self.call(deadline, call).await, &[Reason::NoContainer])
    }

    /// Kills and removes a container with the volumes that were made for it.
    pub(crate) async fn remove_container(&self, id: &str) -> Result<(), Failed> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let call = self.docker().remove_container(id, Some(options));
        already_so(
            self.call(ACT, call).await,
            &[Reason::NoContainer, Reason::InProgress],
        )
    }

    /// Our containers with all these labels, whatever they are at.
    pub(crate) async fn list(&self, labels: &[(&str, &str)]) -> Result<Vec<Found>, Failed> {
        let wanted = labels.iter().map(|(name, value)| match *value {
            "" => (*name).to_owned(),
            value => format!("{name}={value}"),
        });
        let filters = HashMap::from([("label".to_owned(), wanted.collect::<Vec<_>>())]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let listed = self
            .call(LOOK, self.docker().list_containers(Some(options)))
            .await?;
        let ours = listed.into_iter().filter_map(|summary| {
            Some(Found {
                id: summary.id?,
                is_running: summary
                    .state
                    .is_some_and(|state| matches!(state.to_string().as_str(), "running" | "paused")),
                labels: Labels::read(&summary.labels?)?,
            })
        });
        Ok(ours.collect())
    }
}

/// Takes these refusals for successes.
fn already_so(result: Result<(), Failed>, reasons: &[Reason]) -> Result<(), Failed> {
    match result {
        Err(failed) if failed.reason().is_some_and(|reason| reasons.contains(&reason)) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn how_a_container_is_comes_from_its_state() {
        let check = |state: Value, expected: Life| {
            let found = Life::of(&serde_json::from_value(state.clone()).unwrap());
            assert_eq!(found, expected, "{state}");
        };
        let ended = |code, signal, out_of_memory| {
            Life::Ended(Exit {
                code,
                signal,
                out_of_memory,
            })
        };
        check(json!({"Status": "running", "Running": true}), Life::Running);
        check(json!({"Status": "paused", "Running": true}), Life::Paused);
        check(json!({"Status": "created", "Running": false}), Life::Created);
        check(json!({"Status": "removing", "Running": false}), Life::Going);
        check(json!({"Status": "dead", "Running": false}), Life::Going);
        let exited = |code: i64, oom: bool| json!({"Status": "exited", "Running": false, "ExitCode": code, "OOMKilled": oom});
        check(exited(0, false), ended(Some(0), None, false));
        check(exited(127, false), ended(Some(127), None, false));
        check(exited(137, true), ended(None, Some(9), true));
        check(exited(143, false), ended(None, Some(15), false));
        check(exited(255, false), ended(Some(255), None, false));
        check(
            json!({"Running": false, "ExitCode": 3}),
            ended(Some(3), None, false),
        );
    }

    #[test]
    fn a_look_reads_port_command_and_owner() {
        let look = |inspected: Value| Look::of(serde_json::from_value(inspected).unwrap());
        let found = look(json!({
            "Id": "1e0f", "Path": "/engine", "Args": ["serve", "8000"], "Image": "sha256:ab",
            "RestartCount": 2,
            "State": {"Status": "running", "Running": true, "StartedAt": "2026-01-01T00:00:00.5Z"},
            "NetworkSettings": {"Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49154"}]}},
            "Config": {"Labels": {"some": "label"}},
        }));
        assert_eq!(found.port, Some(49154));
        assert_eq!(found.command, ["/engine", "serve", "8000"]);
        assert_eq!((found.restarts, found.labels), (2, None));
        let ended = look(json!({
            "State": {"Status": "exited", "ExitCode": 1}, "NetworkSettings": {"Ports": {}},
        }));
        assert_eq!(ended.port, None);
        let unpublished = look(json!({"NetworkSettings": {"Ports": {"8000/tcp": null}}}));
        assert_eq!(unpublished.port, None);
    }
}
