//! What a container looks like on the wire.
//!
//! The contract's keys come first, then what is told beyond. A container's environment is not
//! among them: engines are told secrets there.

use std::collections::{BTreeMap, HashMap};

use autotuner_core::lifecycle::TaskStatus;
use autotuner_deploy::containers::Container;
use autotuner_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::may_manage;
use crate::api::error::ApiError;
use crate::service::Service;
use crate::service::access::Caller;

/// A container of the Docker daemon.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContainerInfo {
    /// Its whole id.
    id: String,
    /// The first twelve digits of it.
    short_id: String,
    /// Its name.
    name: String,
    /// The image as it was named when it was created.
    image: String,
    /// Docker's word for what it is at: `created`, `running`, `paused`, `restarting`, `removing`,
    /// `exited`, `dead`.
    #[schema(example = "running")]
    status: String,
    /// The same.
    #[schema(example = "running")]
    state: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created: Option<String>,
    /// When it was last started; nothing for one that never was.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it last ended; nothing for one that never has.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// Its ports and, where they are published, those of the daemon's machine.
    #[schema(example = json!({"8080/tcp": "8001"}))]
    ports: BTreeMap<String, String>,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// What was given to its entrypoint, joined by blanks.
    command: String,
    /// How it last ended; nothing for one that never has.
    exit_code: Option<i64>,
    /// Whether it last ended for want of memory.
    out_of_memory: bool,
    /// What kept it from starting, in the daemon's words.
    error: Option<String>,
    /// How often the daemon has restarted it by itself.
    restart_count: i64,
    /// What its health check says, where it has one.
    #[schema(example = "healthy")]
    health: Option<String>,
    /// Its network: `bridge`, `host`, `none`, or a name.
    network: Option<String>,
    /// Where its output goes.
    #[schema(example = "json-file")]
    log_driver: Option<String>,
    /// Whether it has a terminal: then its two streams are one.
    has_terminal: bool,
    /// Whether this service's data directory is its own.
    is_ours: bool,
    /// Whether the caller may start, stop and remove it.
    manageable: bool,
    /// The task whose engine it is, of whichever data directory.
    task_name: Option<String>,
    /// That task's id, where it is one of this service.
    task_id: Option<i64>,
    /// The experiment's number inside the task.
    experiment_id: Option<u32>,
    /// How often the experiment had been tried then, from 1.
    attempt: Option<u32>,
}

/// A task as containers know it.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct KnownTask {
    pub(in crate::api) id: i64,
    pub(in crate::api) is_running: bool,
}

/// The views of containers, for this caller, with the tasks that they belong to.
pub(super) async fn views(
    service: &Service,
    caller: &Caller,
    containers: Vec<Container>,
) -> Result<Vec<ContainerInfo>, ApiError> {
    let mut tasks: HashMap<String, Option<i64>> = HashMap::new();
    let mut views = Vec::with_capacity(containers.len());
    for container in containers {
        let task_id = match own_task(&container) {
            None => None,
            Some(name) => match tasks.get(name) {
                Some(id) => *id,
                None => {
                    let id = task_named(service, name).await?.map(|task| task.id);
                    tasks.insert(name.to_owned(), id);
                    id
                }
            },
        };
        let is_manageable = may_manage(service, caller, &container).is_ok();
        views.push(ContainerInfo::of(container, is_manageable, task_id));
    }
    Ok(views)
}

/// The name of this service's task whose engine a container is.
pub(super) fn own_task(container: &Container) -> Option<&str> {
    let ownership = container.ownership.as_ref()?;
    let is_known = ownership.is_ours && !ownership.task.is_empty();
    is_known.then_some(ownership.task.as_str())
}

/// The task of this name, if there still is one.
pub(in crate::api) async fn task_named(service: &Service, name: &str) -> Result<Option<KnownTask>, ApiError> {
    match service.database.task_named(name).await {
        Ok(task) => Ok(Some(KnownTask {
            id: task.summary.id.0,
            is_running: task.summary.status == TaskStatus::Running,
        })),
        Err(StoreError::NoTaskNamed { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl ContainerInfo {
    fn of(container: Container, is_manageable: bool, task_id: Option<i64>) -> Self {
        let is_ours = container.is_ours();
        let short_id = container.id.short().to_owned();
        let Container {
            id,
            name,
            image,
            image_id: _,
            state,
            created_at,
            started_at,
            finished_at,
            exit_code,
            out_of_memory,
            error,
            restarts,
            health,
            has_terminal,
            log_driver,
            network,
            ports,
            labels,
            command,
            pid: _,
            ownership,
        } = container;
        // One that was only asked a question belongs to no task.
        let of_task = ownership.filter(|ownership| !ownership.task.is_empty());
        Self {
            id: id.to_string(),
            short_id,
            name,
            image,
            status: state.clone(),
            state,
            created: created_at,
            started_at,
            finished_at,
            ports,
            labels,
            command,
            exit_code,
            out_of_memory,
            error,
            restart_count: restarts,
            health,
            network,
            log_driver,
            has_terminal,
            is_ours,
            manageable: is_manageable,
            experiment_id: of_task.as_ref().map(|of| of.experiment),
            attempt: of_task.as_ref().map(|of| of.attempt),
            task_name: of_task.map(|of| of.task),
            task_id,
        }
    }
}
