//! A pod of ours as people see it.
//!
//! A pure reading of what the cluster says. What is not there is `None`, never a zero that looks
//! like a fact; what a pod waits for, and how it ended, are the words that experiments fail with.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod as ClusterPod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::super::access::amount;
use super::super::fate::{self, Ending};
use super::super::manifest::ENGINE;
use crate::docker::names::{ATTEMPT, EXPERIMENT, INSTANCE, TASK};

/// What a pod is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodState {
    /// No node has taken it yet.
    Waiting,
    /// On its node, images and containers are being made ready.
    Preparing,
    /// What it waits for will not come without somebody's help.
    Stuck,
    /// The engine's container runs.
    Running,
    /// It is being deleted.
    Ending,
    /// Its agent ended by itself.
    Done,
    /// It ended otherwise.
    Failed,
}

impl PodState {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing => "preparing",
            Self::Stuck => "stuck",
            Self::Running => "running",
            Self::Ending => "ending",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// What a pod asks of its node.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Asked {
    /// GPUs.
    pub gpus: u32,
    /// Processors.
    pub cpus: Option<f64>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
}

/// The Job that has made a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobName {
    /// What it is called.
    pub name: String,
    /// What no other Job has.
    pub uid: String,
}

/// A pod of ours at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// What no other pod has.
    pub uid: String,
    /// The namespace that it is in.
    pub namespace: String,
    /// Its node, once it has one.
    pub node: Option<String>,
    /// The cluster's word: `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: String,
    /// What it is at.
    pub state: PodState,
    /// What it waits for, or how it ended, in words.
    pub why: Option<String>,
    /// The Job that has made it.
    pub job: Option<JobName>,
    /// The process of ours that made that.
    pub instance: String,
    /// Whether that process lives.
    pub owner_lives: bool,
    /// The task's name.
    pub task: String,
    /// The experiment's number inside the task.
    pub experiment: u32,
    /// How often the experiment had been tried then, from 1.
    pub attempt: u32,
    /// The container that its log is of: the engine's.
    pub container: String,
    /// The engine's image.
    pub image: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When the engine's container was started.
    pub started_at: Option<Timestamp>,
    /// When that ended.
    pub finished_at: Option<Timestamp>,
    /// How that ended.
    pub exit_code: Option<i32>,
    /// Whether that ended for want of memory.
    pub out_of_memory: bool,
    /// How often its containers were restarted.
    pub restarts: u32,
    /// What it asks of its node.
    pub asked: Asked,
}

/// A pod of which it is not known yet whether its owner lives.
#[derive(Debug)]
pub(super) struct Described(Pod);

impl Described {
    /// Reads a pod.
    pub(super) fn of(pod: &ClusterPod, gpu_resource: &str) -> Self {
        let meta = &pod.metadata;
        let label = |name: &str| meta.labels.as_ref().and_then(|labels| labels.get(name)).cloned();
        let number = |name: &str| label(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        // A label has no room for every name.
        let whole = meta
            .annotations
            .as_ref()
            .and_then(|notes| notes.get(TASK))
            .cloned();
        let spec = pod.spec.as_ref();
        let engine = spec.and_then(main_container);
        let container = engine.map(|engine| engine.name.clone()).unwrap_or_default();
        let status = status_of(pod, &container);
        let state = status.and_then(|status| status.state.as_ref());
        let ended = state.and_then(|state| state.terminated.as_ref());
        let started = state
            .and_then(|state| state.running.as_ref())
            .and_then(|state| state.started_at.as_ref());
        let (word, why) = state_of(pod, status);
        let job = meta
            .owner_references
            .iter()
            .flatten()
            .find(|owner| owner.kind == "Job");
        let restarts = statuses(pod).map(|status| u32::try_from(status.restart_count).unwrap_or_default());
        Self(Pod {
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            node: spec.and_then(|spec| spec.node_name.clone()),
            phase: phase(pod),
            state: word,
            why,
            job: job.map(|job| JobName {
                name: job.name.clone(),
                uid: job.uid.clone(),
            }),
            instance: label(INSTANCE).unwrap_or_default(),
            owner_lives: false,
            task: whole.or_else(|| label(TASK)).unwrap_or_default(),
            experiment: number(EXPERIMENT),
            attempt: number(ATTEMPT),
            container,
            image: engine.and_then(|engine| engine.image.clone()).unwrap_or_default(),
            created_at: meta.creation_timestamp.as_ref().map(stamp),
            started_at: ended
                .and_then(|ended| ended.started_at.as_ref())
                .or(started)
                .map(stamp),
            finished_at: ended.and_then(|ended| ended.finished_at.as_ref()).map(stamp),
            exit_code: ended.map(|ended| ended.exit_code),
            out_of_memory: ended.is_some_and(|ended| ended.reason.as_deref() == Some("OOMKilled")),
            restarts: restarts.sum(),
            asked: engine
                .map(|engine| asked(engine, gpu_resource))
                .unwrap_or_default(),
        })
    }

    /// The process of ours that has made it.
    pub(super) fn instance(&self) -> &str {
        &self.0.instance
    }

    /// The pod.
    pub(super) fn whose_owner_lives(self, owner_lives: bool) -> Pod {
        Pod {
            owner_lives,
            ..self.0
        }
    }
}

fn phase(pod: &ClusterPod) -> String {
    let phase = pod.status.as_ref().and_then(|status| status.phase.clone());
    phase.unwrap_or_else(|| "Pending".to_owned())
}

fn state_of(pod: &ClusterPod, engine: Option<&ContainerStatus>) -> (PodState, Option<String>) {
    // Whoever deletes it, what becomes of it is the same.
    let (state, why) = match fate::read(pod, true) {
        fate::PodState::Unplaced(why) => (PodState::Waiting, Some(why)),
        // One that is not of a Job of ours has no container of that name.
        fate::PodState::Preparing(_) if runs(engine) => (PodState::Running, None),
        fate::PodState::Preparing(why) => (PodState::Preparing, Some(why)),
        fate::PodState::Stuck(why) => (PodState::Stuck, Some(why)),
        fate::PodState::Running => (PodState::Running, None),
        fate::PodState::Ended(Ending::Done) => (PodState::Done, None),
        fate::PodState::Ended(Ending::OutOfMemory(why) | Ending::Lost(why)) => (PodState::Failed, Some(why)),
    };
    if pod.metadata.deletion_timestamp.is_some() && !state.is_over() {
        return (PodState::Ending, why);
    }
    (state, why)
}

fn runs(engine: Option<&ContainerStatus>) -> bool {
    let state = engine.and_then(|engine| engine.state.as_ref());
    state.is_some_and(|state| state.running.is_some())
}

/// The container with the engine; a pod that another controller made of our words may call it
/// otherwise.
fn main_container(spec: &PodSpec) -> Option<&Container> {
    let named = spec.containers.iter().find(|container| container.name == ENGINE);
    named.or(spec.containers.first())
}

fn asked(engine: &Container, gpu_resource: &str) -> Asked {
    let requests = engine
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref());
    let of = |name: &str| requests.and_then(|requests| requests.get(name)).and_then(amount);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "amounts of a machine, which a cluster lets nobody ask for below zero"
    )]
    let whole = |amount: f64| amount.round() as u64;
    Asked {
        gpus: of(gpu_resource).map_or(0, |gpus| u32::try_from(whole(gpus)).unwrap_or(u32::MAX)),
        cpus: of("cpu"),
        memory_bytes: of("memory").map(whole),
    }
}

fn statuses(pod: &ClusterPod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let first = status.and_then(|status| status.init_container_statuses.as_ref());
    let later = status.and_then(|status| status.container_statuses.as_ref());
    first.into_iter().chain(later).flatten()
}

/// What the cluster says of a container.
pub(super) fn status_of<'a>(pod: &'a ClusterPod, name: &str) -> Option<&'a ContainerStatus> {
    statuses(pod).find(|status| status.name == name)
}

/// A time of the cluster's.
pub(super) fn stamp(time: &Time) -> Timestamp {
    moment(time.0)
}

/// The same moment to our own library of times.
pub(super) fn moment(at: k8s_openapi::jiff::Timestamp) -> Timestamp {
    Timestamp::new(at.as_second(), at.subsec_nanosecond()).unwrap_or_default()
}

#[cfg(test)]
#[path = "../tests/pods.rs"]
mod tests;
