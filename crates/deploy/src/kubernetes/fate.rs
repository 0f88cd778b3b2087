//! What a pod's own words say of it: whether it waits, runs, has ended, and how.
//!
//! A pure reading. The one idea: what the cluster did (evicted, preempted, lost with its node, not
//! fetched, not placed) says nothing of the configuration, and its own reason and message are
//! handed on as they are; only memory that the engine itself used up is the engine's.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, PodStatus};

use super::manifest::ENGINE;

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PodState {
    /// No node takes it, and why.
    Unplaced(String),
    /// It has a node, and something is being made ready there.
    Preparing(String),
    /// What it waits for will not come without somebody's help.
    Stuck(String),
    /// The engine's container runs.
    Running,
    /// It is over.
    Ended(Ending),
}

/// How a pod ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The agent ended by itself: what it said last is what became of it.
    Done,
    /// The container used up its memory.
    OutOfMemory(String),
    /// The cluster has lost it, or never had it running.
    Lost(String),
}

/// Reasons of a waiting container that are over when they are over, but not by waiting.
const HELPLESS: [&str; 9] = [
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "ImageInspectError",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

/// What a Job's pod says of itself. `is_ours` tells whether we are the ones who delete it.
pub(crate) fn read(pod: &Pod, is_ours: bool) -> PodState {
    read_container(pod, ENGINE, is_ours)
}

/// The same of any pod, whose engine runs in this container.
pub(crate) fn read_container(pod: &Pod, container: &str, is_ours: bool) -> PodState {
    let nothing = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&nothing);
    let phase = status.phase.as_deref().unwrap_or("Pending");
    let engine = find(status.container_statuses.as_deref(), container);
    let is_over = matches!(phase, "Succeeded" | "Failed");
    if let Some(story) = disruption(status) {
        return PodState::Ended(Ending::Lost(story));
    }
    if is_over {
        return PodState::Ended(ending(status, engine));
    }
    if pod.metadata.deletion_timestamp.is_some() && !is_ours {
        let why = told(status.reason.as_deref(), status.message.as_deref());
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        return PodState::Ended(Ending::Lost(format!("its pod is being deleted{why}")));
    }
    match engine.and_then(|engine| engine.state.as_ref()) {
        // The pod's own end may take a moment longer to show.
        Some(ContainerState {
            terminated: Some(_), ..
        }) => PodState::Ended(ending(status, engine)),
        Some(ContainerState { running: Some(_), .. }) => PodState::Running,
        _ => waiting(status),
    }
}

fn waiting(status: &PodStatus) -> PodState {
    let condition = |kind: &str| {
        let conditions = status.conditions.iter().flatten();
        conditions.into_iter().find(|condition| condition.type_ == kind)
    };
    if let Some(placed) = condition("PodScheduled").filter(|placed| placed.status != "True") {
        let why = told(placed.reason.as_deref(), placed.message.as_deref());
        return PodState::Unplaced(why.unwrap_or_else(|| "no node has been found yet".into()));
    }
    let containers = || {
        let first = status.init_container_statuses.iter().flatten();
        first.chain(status.container_statuses.iter().flatten())
    };
    for container in containers() {
        let state = container.state.as_ref();
        if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
            let reason = waiting.reason.as_deref().unwrap_or_default();
            let why = told(Some(reason), waiting.message.as_deref()).unwrap_or_default();
            let why = format!(
                "container {} with image {}: {why}",
                container.name, container.image
            );
            if HELPLESS.contains(&reason) {
                return PodState::Stuck(why);
            }
            if !matches!(reason, "" | "PodInitializing" | "ContainerCreating") {
                return PodState::Preparing(why);
            }
        }
    }
    PodState::Preparing("images are fetched and containers created".into())
}

/// How a pod ended that is over.
fn ending(status: &PodStatus, engine: Option<&ContainerStatus>) -> Ending {
    if let Some(why) = told(status.reason.as_deref(), status.message.as_deref()) {
        return Ending::Lost(format!("its pod has failed: {why}"));
    }
    let end = engine
        .and_then(|engine| engine.state.as_ref())
        .and_then(|state| state.terminated.as_ref());
    if let Some(end) = end {
        let why = told(end.reason.as_deref(), end.message.as_deref()).unwrap_or_default();
        return match (end.reason.as_deref(), end.exit_code) {
            (Some("OOMKilled"), _) => {
                Ending::OutOfMemory("the container ran out of the memory that it may have".into())
            }
            (_, 0) => Ending::Done,
            // An agent that could still say why has said so in the log.
            (Some("Error"), 1) => Ending::Done,
            (_, code) => Ending::Lost(format!("its container ended with exit code {code}: {why}")),
        };
    }
    let first = find(status.init_container_statuses.as_deref(), "agent");
    let first = first
        .and_then(|first| first.state.as_ref())
        .and_then(|state| state.terminated.as_ref());
    match first {
        Some(end) => {
            let why = told(end.reason.as_deref(), end.message.as_deref()).unwrap_or_default();
            let code = end.exit_code;
            Ending::Lost(format!(
                "our program was not put into its pod, exit code {code}: {why}"
            ))
        }
        None => Ending::Lost("its pod ended and did not say why".into()),
    }
}

/// Why the cluster takes the pod away, where it says so.
pub(crate) fn disruption(status: &PodStatus) -> Option<String> {
    let conditions = status.conditions.iter().flatten();
    let target = conditions
        .into_iter()
        .find(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True")?;
    let why = told(target.reason.as_deref(), target.message.as_deref())?;
    Some(format!("the cluster takes its pod away: {why}"))
}

/// The image that a container was started from, once it was.
pub(crate) fn image_id(pod: &Pod, container: &str) -> Option<String> {
    let engine = find(pod.status.as_ref()?.container_statuses.as_deref(), container)?;
    let id = engine.image_id.as_str();
    let id = id.split_once("://").map_or(id, |(_, id)| id);
    (!id.is_empty()).then(|| id.to_owned())
}

/// The status of a container, among those of a pod.
pub(crate) fn find<'a>(statuses: Option<&'a [ContainerStatus]>, name: &str) -> Option<&'a ContainerStatus> {
    statuses?.iter().find(|status| status.name == name)
}

/// A reason and a message as one text.
pub(crate) fn told(reason: Option<&str>, message: Option<&str>) -> Option<String> {
    let parts = [reason, message].into_iter().flatten().map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

#[cfg(test)]
#[path = "tests/fate.rs"]
mod tests;
