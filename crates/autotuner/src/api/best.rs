//! The best configuration, ready to be used.
//!
//! The one idea: what was really started is the best guide. Where it was started in another way
//! than is asked for (a process where a container is wanted), the same configuration is planned
//! for that way, and the answer says that nobody has measured it so.

use std::sync::Arc;

use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::{Experiment, LaunchFacts};
use autotuner_core::ids::TaskId;
use autotuner_core::spec::TaskSpec;
use autotuner_core::task::{DeploymentMode, EngineSettings, Task};
use autotuner_store::TaskRecord;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::extract::{Path, Query, Viewer};
use crate::report::package::{Containers, Package};
use crate::report::{command, compose, manifest};
use crate::service::Service;
use crate::worker::plan_request;
use crate::worker::preflight::{Places, resolve_model};

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(get_best_configuration))
}

/// How the configuration is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `command` where nothing is said.
    #[param(inline)]
    format: Option<Shape>,
}

/// What a configuration can be told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Shape {
    /// The engine's own command line, for a shell.
    Command,
    /// A `docker run` line, for a shell.
    Docker,
    /// A compose file.
    Compose,
    /// A Kubernetes deployment and the service before it.
    Kubernetes,
}

/// The best configuration of a task's current run, ready to be used
#[utoipa::path(get, path = "/api/tasks/{id}/best", tag = "tasks", params(("id" = i64, Path), Wanted), responses(
    (status = 200, description = "A command line as text, or a file as YAML", content(
        (String = "text/plain"), (String = "application/yaml"),
    )),
    (status = 404, body = ErrorBody, description = "There is no such task, or it has no configuration that was measured, or none that can be told so"),
    (status = 422, body = ErrorBody, description = "There is no such format"),
))]
async fn get_best_configuration(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let record = service.database.task(TaskId(id)).await?;
    let Some(best) = record.summary.best_experiment else {
        let text =
            format!("Task {id} has no best configuration: no experiment of its current run has succeeded");
        return Err(ApiError::not_found(text).with_hint("start the task, or look at its experiments' errors"));
    };
    let experiment = service.database.experiment(best).await?;
    if experiment.foreign.is_some() {
        let text =
            format!("Task {id} was taken over from another program, which did not keep what it had started");
        return Err(ApiError::not_found(text).with_hint("restart the task to measure it again"));
    }
    let chosen = Chosen::of(&service, &record, experiment.experiment)?;
    match wanted.format.unwrap_or(Shape::Command) {
        Shape::Command => Ok(text(chosen.command()?)),
        Shape::Docker => Ok(text(command::docker(&chosen.package()?.0))),
        Shape::Compose => {
            let (package, remark) = chosen.package()?;
            Ok(yaml("compose.yaml", remark, compose::compose(&package)))
        }
        Shape::Kubernetes => {
            let (package, remark) = chosen.package()?;
            let manifest = manifest::manifest(&record.summary.name, &package);
            Ok(yaml("kubernetes.yaml", remark, manifest))
        }
    }
}

fn text(line: String) -> Response {
    format!("{line}\n").into_response()
}

fn yaml(name: &'static str, remark: Option<&'static str>, text: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    let disposition = HeaderValue::try_from(format!("inline; filename=\"{name}\""));
    headers.extend(disposition.map(|value| (header::CONTENT_DISPOSITION, value)));
    let remark = remark.map(|remark| format!("# {remark}\n")).unwrap_or_default();
    (headers, format!("{remark}{text}")).into_response()
}

/// The best experiment and all that it takes to start it again.
struct Chosen {
    task: Task,
    experiment: Experiment,
    launch: LaunchFacts,
    containers: Containers,
}

impl Chosen {
    fn of(service: &Service, record: &TaskRecord, experiment: Experiment) -> Result<Self, ApiError> {
        let unreadable = |problems: Vec<_>| {
            let text = format!(
                "The document of task {} cannot be used any more",
                record.summary.id
            );
            ApiError::problems(text, problems)
        };
        let parsed = TaskSpec::from_value(&record.document).map_err(unreadable)?;
        let mut task = parsed.spec.resolve().map_err(unreadable)?;
        // A model that has moved since keeps its name.
        if let Ok(places) = Places::of_server(&service.config)
            && let Ok(path) = resolve_model(&task, &places)
        {
            task.model.id_or_path = path;
        }
        Ok(Self {
            launch: experiment.launch.clone().unwrap_or_default(),
            task,
            experiment,
            containers: Containers {
                shm_bytes: service.config.container_shm,
                hub_cache: service.config.hub_cache.clone(),
            },
        })
    }

    /// The engine's own command line.
    fn command(&self) -> Result<String, ApiError> {
        if self.launch.image.is_none() && !self.launch.command.is_empty() {
            let plan = self.plan(DeploymentMode::Local)?;
            return Ok(command::line(&self.launch, &plan, &self.containers));
        }
        Ok(command::planned(
            &self.plan(DeploymentMode::Local)?,
            &self.containers,
        ))
    }

    /// The engine in a container, and what is to be said of it.
    fn package(&self) -> Result<(Package, Option<&'static str>), ApiError> {
        let plan = self.plan(DeploymentMode::Docker)?;
        // Where an operator has put the model is nowhere else.
        let is_served = self.task.settings.model_path.is_some();
        if let Some(image) = self.launch.image.as_ref().filter(|_| !is_served) {
            let package = Package::of_launch(&self.launch, image, &plan, &self.containers);
            return Ok((package, None));
        }
        let package = Package::of_plan(&plan, &self.launch.gpus, &self.containers);
        let package = package.ok_or_else(|| ApiError::not_found("This engine runs in no container"))?;
        Ok((
            package,
            Some(match is_served {
                true => {
                    "Measured as a service with a model of its operator: this container has the same configuration \
                     and was not measured"
                }
                false => {
                    "Measured as a local process: this container has the same configuration and was not measured"
                }
            }),
        ))
    }

    /// The best configuration's plan for this way of starting it.
    fn plan(&self, deployment: DeploymentMode) -> Result<LaunchPlan, ApiError> {
        let mut task = self.task.clone();
        if task.deployment != deployment {
            task.deployment = deployment;
            task.settings = EngineSettings {
                program: task
                    .settings
                    .program
                    .filter(|_| deployment == DeploymentMode::Local),
                model_path: None,
                ..task.settings
            };
        }
        let plan = task
            .engine
            .engine()
            .plan(&plan_request(&task, &self.experiment.candidate));
        plan.map_err(|problems| {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let text = format!("The best configuration cannot be told so: {}", texts.join("; "));
            ApiError::not_found(text)
        })
    }
}
