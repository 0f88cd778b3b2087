//! What is known of a pod beside itself: its containers, what holds of it, what was noted.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerState, Event, Pod as ClusterPod};

use super::super::fate::told;
use super::model::{moment, stamp, status_of};

/// One of a pod's containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodContainer {
    /// Its name in the pod.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether it has to end before the others begin.
    pub is_first: bool,
    /// `waiting`, `running` or `terminated`.
    pub state: &'static str,
    /// The cluster's reason and message for that.
    pub why: Option<String>,
    /// How it ended.
    pub exit_code: Option<i32>,
    /// How often it was restarted.
    pub restarts: u32,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Something that holds of a pod, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodCondition {
    /// What: `PodScheduled`, `Initialized`, `ContainersReady`, `Ready`, `DisruptionTarget`.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The cluster's reason and message.
    pub why: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Something that the cluster has noted of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodEvent {
    /// When it was noted last.
    pub at: Option<Timestamp>,
    /// Whether it is a warning.
    pub is_warning: bool,
    /// In one word: `Scheduled`, `Pulling`, `FailedScheduling`.
    pub reason: String,
    /// In full.
    pub message: String,
    /// Who has noted it.
    pub source: Option<String>,
    /// How often.
    pub count: u32,
}

/// A pod's containers, in the order in which they run.
pub(super) fn containers(pod: &ClusterPod) -> Vec<PodContainer> {
    let Some(spec) = &pod.spec else {
        return Vec::new();
    };
    let first = spec
        .init_containers
        .iter()
        .flatten()
        .map(|container| (container, true));
    let later = spec.containers.iter().map(|container| (container, false));
    let one = |(container, is_first): (&Container, bool)| {
        let status = status_of(pod, &container.name);
        let nothing = ContainerState::default();
        let state = status
            .and_then(|status| status.state.as_ref())
            .unwrap_or(&nothing);
        let (word, why) = match state {
            ContainerState {
                terminated: Some(end),
                ..
            } => ("terminated", told(end.reason.as_deref(), end.message.as_deref())),
            ContainerState { running: Some(_), .. } => ("running", None),
            ContainerState {
                waiting: Some(wait), ..
            } => ("waiting", told(wait.reason.as_deref(), wait.message.as_deref())),
            _ => ("waiting", None),
        };
        let ended = state.terminated.as_ref();
        let running = state.running.as_ref().and_then(|state| state.started_at.as_ref());
        PodContainer {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            is_first,
            state: word,
            why,
            exit_code: ended.map(|end| end.exit_code),
            restarts: status.map_or(0, |status| {
                u32::try_from(status.restart_count).unwrap_or_default()
            }),
            started_at: ended
                .and_then(|end| end.started_at.as_ref())
                .or(running)
                .map(stamp),
            finished_at: ended.and_then(|end| end.finished_at.as_ref()).map(stamp),
        }
    };
    first.chain(later).map(one).collect()
}

/// What holds of a pod.
pub(super) fn conditions(pod: &ClusterPod) -> Vec<PodCondition> {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .map(|condition| PodCondition {
            kind: condition.type_.clone(),
            status: condition.status.clone(),
            why: told(condition.reason.as_deref(), condition.message.as_deref()),
            since: condition.last_transition_time.as_ref().map(stamp),
        })
        .collect()
}

/// What the cluster has noted, oldest first.
pub(super) fn events(found: Vec<Event>) -> Vec<PodEvent> {
    let mut events: Vec<PodEvent> = found.into_iter().map(event).collect();
    events.sort_by_key(|event| event.at);
    events
}

fn event(event: Event) -> PodEvent {
    let noted = event.event_time.as_ref().map(|time| moment(time.0));
    let at = event
        .last_timestamp
        .as_ref()
        .or(event.first_timestamp.as_ref())
        .map(stamp);
    let source = event
        .source
        .and_then(|source| source.component)
        .or(event.reporting_component);
    PodEvent {
        at: at.or(noted),
        is_warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        source: source.filter(|source| !source.is_empty()),
        count: event
            .count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1),
    }
}
