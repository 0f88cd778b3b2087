//! What a pod looks like on the wire.

use std::collections::HashMap;

use autotuner_core::ids::ExperimentNumber;
use autotuner_core::ids::TaskId;
use autotuner_deploy::kubernetes::pods::{Pod, PodCondition, PodContainer, PodDetail, PodEvent};
use autotuner_store::{Role, StoreError};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::containers::view::{KnownTask, task_named};
use crate::api::error::ApiError;
use crate::service::Service;
use crate::service::access::Caller;

/// A pod of one of this service's experiments.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PodInfo {
    /// Its name.
    #[schema(example = "at-first-task-3f9a61c20b-e3-x7k2p")]
    name: String,
    /// What no other pod has.
    uid: String,
    /// The namespace that it is in.
    namespace: String,
    /// Its node, once it has one.
    node: Option<String>,
    /// The cluster's word: `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    #[schema(example = "Running")]
    phase: String,
    /// What it is at: `waiting` for a node, `preparing` images and containers, `stuck` at something
    /// that will not come without help, `running`, `ending` (it is being deleted), `done`, `failed`.
    #[schema(example = "running")]
    state: &'static str,
    /// What it waits for, or how it ended, in the cluster's words.
    why: Option<String>,
    /// The Job that made it.
    job: Option<String>,
    /// The image of its engine.
    image: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created: Option<String>,
    /// When its engine's container was started.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When that ended.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// How that ended.
    exit_code: Option<i32>,
    /// Whether that ended for want of memory.
    out_of_memory: bool,
    /// How often its containers were restarted.
    restart_count: u32,
    /// GPUs that it asks for.
    gpus: u32,
    /// Processors that it asks for; nothing where it asks for none.
    cpus: Option<f64>,
    /// Memory that it asks for; nothing where it asks for none.
    memory_bytes: Option<u64>,
    /// The task's name.
    task_name: String,
    /// That task's id, where it is one of this service.
    task_id: Option<i64>,
    /// The experiment's number inside the task.
    experiment_id: u32,
    /// How often the experiment had been tried then, from 1.
    attempt: u32,
    /// Whether an experiment that goes on needs it.
    is_needed: bool,
    /// Whether the caller may delete it.
    manageable: bool,
}

/// A pod with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PodWhole {
    #[serde(flatten)]
    pod: PodInfo,
    /// Its containers, in the order in which they run.
    containers: Vec<PodContainerInfo>,
    /// What holds of it.
    conditions: Vec<PodConditionInfo>,
    /// What the cluster has noted of it, oldest first. It forgets after an hour or so.
    events: Vec<PodEventInfo>,
    /// Why there are no events, where the service may not see them.
    without_events: Option<String>,
}

/// A container of a pod.
#[derive(Debug, Serialize, ToSchema)]
struct PodContainerInfo {
    /// Its name in the pod: `agent` puts our program there, `engine` is where that runs.
    #[schema(example = "engine")]
    name: String,
    /// Its image.
    image: String,
    /// Whether it has to end before the others begin.
    is_init: bool,
    /// `waiting`, `running` or `terminated`.
    #[schema(example = "running")]
    state: &'static str,
    /// The cluster's reason and message for that.
    why: Option<String>,
    /// How it ended.
    exit_code: Option<i32>,
    /// How often it was restarted.
    restart_count: u32,
    /// When it was started.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// Something that holds of a pod, or does not.
#[derive(Debug, Serialize, ToSchema)]
struct PodConditionInfo {
    /// What.
    #[schema(example = "PodScheduled")]
    r#type: String,
    /// `True`, `False` or `Unknown`.
    #[schema(example = "True")]
    status: String,
    /// The cluster's reason and message.
    why: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    since: Option<String>,
}

/// Something that the cluster has noted of a pod.
#[derive(Debug, Serialize, ToSchema)]
struct PodEventInfo {
    /// When it was noted last.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Whether it is a warning.
    is_warning: bool,
    /// In one word.
    #[schema(example = "FailedScheduling")]
    reason: String,
    /// In full.
    message: String,
    /// Who has noted it.
    #[schema(example = "kubelet")]
    source: Option<String>,
    /// How often.
    count: u32,
}

/// What this service's database knows of a pod's experiment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The task.
    pub(super) task: Option<KnownTask>,
    /// Whether an experiment that goes on needs the pod.
    pub(super) is_needed: bool,
}

/// How the instances of runs from a command line are called.
const OF_A_RUN: &str = "run-";

/// What pods' experiments are at, asked once for each task.
#[derive(Default)]
pub(super) struct Lookup {
    tasks: HashMap<String, Option<KnownTask>>,
}

impl Lookup {
    /// What is known of this pod's.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn known(&mut self, service: &Service, pod: &Pod) -> Result<Known, ApiError> {
        let lives = pod.owner_lives && !pod.state.is_over();
        if pod.instance.starts_with(OF_A_RUN) {
            // Its task is nobody's but its own, whatever task of the database has the same name.
            return Ok(Known {
                task: None,
                is_needed: lives,
            });
        }
        let task = match self.tasks.get(&pod.task) {
            Some(known) => *known,
            None => {
                let known = task_named(service, &pod.task).await?;
                self.tasks.insert(pod.task.clone(), known);
                known
            }
        };
        // One whose task nobody knows of is needed for as long as its owner lives.
        let is_wanted = match task {
            Some(task) => task.is_running && goes_on(service, task.id, pod.experiment).await?,
            None => true,
        };
        Ok(Known {
            task,
            is_needed: lives && is_wanted,
        })
    }
}

/// Whether an experiment has not come to its end.
async fn goes_on(service: &Service, task: i64, experiment: u32) -> Result<bool, ApiError> {
    let number = ExperimentNumber(experiment);
    match service.database.experiment_numbered(TaskId(task), number).await {
        Ok(record) => Ok(!record.experiment.status.is_ended()),
        // Of an earlier run of the task, or of a task that was deleted a moment ago.
        Err(StoreError::NoSuchExperiment { .. } | StoreError::NoSuchTask { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl PodInfo {
    pub(super) fn of(pod: Pod, known: Known, caller: &Caller) -> Self {
        let Pod {
            name,
            uid,
            namespace,
            node,
            phase,
            state,
            why,
            job,
            instance: _,
            owner_lives: _,
            task,
            experiment,
            attempt,
            container: _,
            image,
            created_at,
            started_at,
            finished_at,
            exit_code,
            out_of_memory,
            restarts,
            asked,
        } = pod;
        Self {
            name,
            uid,
            namespace,
            node,
            phase,
            state: state.as_str(),
            why,
            job: job.map(|job| job.name),
            image,
            created: created_at.map(text),
            started_at: started_at.map(text),
            finished_at: finished_at.map(text),
            exit_code,
            out_of_memory,
            restart_count: restarts,
            gpus: asked.gpus,
            cpus: asked.cpus,
            memory_bytes: asked.memory_bytes,
            task_name: task,
            task_id: known.task.map(|task| task.id),
            experiment_id: experiment,
            attempt,
            is_needed: known.is_needed,
            manageable: caller.role >= Role::Operator,
        }
    }
}

impl PodWhole {
    pub(super) fn of(detail: PodDetail, known: Known, caller: &Caller) -> Self {
        let PodDetail {
            pod,
            containers,
            conditions,
            events,
            without_events,
        } = detail;
        Self {
            pod: PodInfo::of(pod, known, caller),
            containers: containers.into_iter().map(container).collect(),
            conditions: conditions.into_iter().map(condition).collect(),
            events: events.into_iter().map(event).collect(),
            without_events,
        }
    }
}

fn container(container: PodContainer) -> PodContainerInfo {
    let PodContainer {
        name,
        image,
        is_first,
        state,
        why,
        exit_code,
        restarts,
        started_at,
        finished_at,
    } = container;
    PodContainerInfo {
        name,
        image,
        is_init: is_first,
        state,
        why,
        exit_code,
        restart_count: restarts,
        started_at: started_at.map(text),
        finished_at: finished_at.map(text),
    }
}

fn condition(condition: PodCondition) -> PodConditionInfo {
    let PodCondition {
        kind,
        status,
        why,
        since,
    } = condition;
    PodConditionInfo {
        r#type: kind,
        status,
        why,
        since: since.map(text),
    }
}

fn event(event: PodEvent) -> PodEventInfo {
    let PodEvent {
        at,
        is_warning,
        reason,
        message,
        source,
        count,
    } = event;
    PodEventInfo {
        at: at.map(text),
        is_warning,
        reason,
        message,
        source,
        count,
    }
}

fn text(at: Timestamp) -> String {
    at.to_string()
}
