//! Experiments. Metrics have the keys of results files, which are the original system's with ours
//! beside them; what was taken over from another program shows through the same fields.

use std::collections::BTreeMap;

use autotuner_core::experiment::{Experiment, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::gpu::GpuDevice;
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::metrics::ExperimentMetrics;
use autotuner_core::score::{Score, Violation};
use autotuner_core::search::Role;
use autotuner_store::{ContainerRecord, ExperimentRecord, ForeignResult};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::elapsed;
use super::engine_container::EngineContainer;
use super::launched::Launched;
use crate::clock::rfc3339;
use crate::report::{metrics, results};

/// One attempt to deploy and measure one configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExperimentView {
    /// Its global id.
    id: i64,
    /// Its task.
    task_id: i64,
    /// What its task is called now.
    task_name: String,
    /// The run of the task.
    run: u32,
    /// Its number inside the run, from 1.
    experiment_id: u32,
    /// `baseline`, `search` or `replicate`.
    role: &'static str,
    /// Whether it measures the engine's own defaults.
    is_baseline: bool,
    /// Which attempt at this configuration it is, from 1.
    attempt: u32,
    /// Why it was tried, for people.
    reason: String,
    /// The configuration; empty for the engine's defaults.
    parameters: Map<String, Value>,
    /// `pending`, `deploying`, `benchmarking`, `success` or `failed`.
    status: &'static str,
    /// Why it failed, with advice where there is any.
    error_message: Option<String>,
    /// What kind of failure it was: `out_of_memory`, `engine_crashed`, …
    failure_kind: Option<&'static str>,
    /// What to do about the failure.
    advice: Option<String>,
    /// What was measured; in brief without `raw_results`.
    #[schema(value_type = Option<Value>)]
    metrics: Option<MetricsView>,
    /// What it is worth; lower is better, whatever the objective.
    objective_score: Option<f64>,
    /// What the objective looks at, in its own unit: seconds, or tokens per second and GPU.
    objective_value: Option<f64>,
    /// `minimize` or `maximize`: which way `objective_value` is better.
    direction: Option<&'static str>,
    /// Whether it may be chosen at all: every SLO is met.
    feasible: Option<bool>,
    /// Every bound that was missed.
    violations: Vec<ViolationView>,
    /// Sum of the exponential SLO mode's penalties.
    penalty: Option<f64>,
    /// Whether a percentile that counts rests on few requests.
    low_n: Option<bool>,
    /// What a reader should know before trusting it, for people.
    remarks: Vec<String>,
    /// What the engine's container is called; it is gone when the experiment has ended.
    service_name: Option<String>,
    /// Where the engine answers, on the server's machine; null before it is started and when the
    /// experiment has ended.
    service_url: Option<String>,
    /// The engine's container, by Docker's id. Its log stays when it is gone.
    container_id: Option<String>,
    /// What that container is called.
    container_name: Option<String>,
    /// The GPUs in brief.
    gpu_info: Option<GpuInfo>,
    /// The GPUs that were held for it, one by one.
    gpus: Vec<Value>,
    /// What they did meanwhile. Not in brief.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    gpu_monitoring: Option<Option<Value>>,
    /// The argument vector that the engine was really started with. Not in brief.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_arguments: Option<Vec<String>>,
    /// Variables that were set for it; secrets are shown as `***`. Not in brief.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<BTreeMap<String, String>>,
    /// The image that was asked for.
    image: Option<String>,
    /// The image's own id.
    image_id: Option<String>,
    /// Under which digest its registry has it.
    image_digest: Option<String>,
    /// What the engine says its version is.
    engine_version: Option<String>,
    /// The distinct fingerprints that its answers carried.
    engine_fingerprints: Vec<String>,
    /// Seconds from start to ready.
    ready_after: Option<f64>,
    /// When it was put on record.
    created_at: String,
    /// When it began.
    started_at: Option<String>,
    /// When it ended.
    completed_at: Option<String>,
    /// How long it took, seconds.
    elapsed_time: Option<f64>,
    /// Every container that its engine was started in, the latest first. Only where one experiment
    /// is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    containers: Option<Vec<EngineContainer>>,
    /// The last lines of a failed engine's output, oldest first. Only where one experiment is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_tail: Option<Vec<String>>,
}

/// Metrics that are written down only when they are sent.
#[derive(Debug)]
enum MetricsView {
    /// What we measured.
    Ours(Box<ExperimentMetrics>),
    /// The same without its levels.
    OursInBrief(Box<ExperimentMetrics>),
    /// What another program says it measured, in its own words.
    Foreign(Value),
}

impl MetricsView {
    /// The same without what was measured at each level.
    fn in_brief(self) -> Self {
        match self {
            Self::Ours(measured) | Self::OursInBrief(measured) => Self::OursInBrief(measured),
            Self::Foreign(mut value) => {
                if let Value::Object(keys) = &mut value {
                    keys.shift_remove("raw_results");
                }
                Self::Foreign(value)
            }
        }
    }
}

impl Serialize for MetricsView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ours(measured) => metrics::Told(measured).serialize(serializer),
            Self::OursInBrief(measured) => metrics::InBrief(measured).serialize(serializer),
            Self::Foreign(value) => value.serialize(serializer),
        }
    }
}

/// A bound that was missed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ViolationView {
    /// What was bounded.
    metric: String,
    /// The bound, seconds.
    threshold: f64,
    /// What was measured, seconds.
    actual: f64,
    /// (actual − threshold) / threshold.
    violation_ratio: f64,
}

/// GPUs in brief, with the original system's keys.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct GpuInfo {
    /// What they are called.
    model: String,
    /// How many.
    count: usize,
    /// Their numbers on the machine.
    device_ids: Vec<String>,
    /// Over how many the engine was spread.
    world_size: usize,
}

/// Whether an experiment is told of among others, in brief or not, or on its own, with all that is
/// known of it.
#[derive(Debug)]
pub(crate) enum Told {
    InBrief,
    Listed,
    Alone(Vec<ContainerRecord>),
}

impl Told {
    /// Among others, in brief where that is asked for.
    pub(crate) fn listed(is_brief: bool) -> Self {
        match is_brief {
            true => Self::InBrief,
            false => Self::Listed,
        }
    }
}

impl ExperimentView {
    /// The view of an experiment.
    pub(crate) fn of(record: ExperimentRecord, told: Told) -> Self {
        let ExperimentRecord {
            id: ExperimentId(id),
            task: TaskId(task_id),
            task_name,
            run,
            experiment,
            foreign,
        } = record;
        let foreign = foreign.unwrap_or(ForeignResult {
            metrics: None,
            objective_score: None,
            error_message: None,
            elapsed_seconds: None,
        });
        let score = experiment.score().cloned();
        let failure = experiment.failure().cloned();
        let Experiment {
            number: ExperimentNumber(number),
            role,
            candidate,
            reason,
            attempt,
            status,
            launch,
            result,
            started_at_ms,
            ended_at_ms,
        } = experiment;
        let Launched {
            effective_arguments,
            environment,
            engine_version,
            ready_after,
            image,
            gpus,
            base_url,
            container,
        } = Launched::of(launch.unwrap_or_default());
        let is_brief = matches!(told, Told::InBrief);
        let Known {
            metrics,
            remarks,
            gpu_monitoring,
            engine_fingerprints,
        } = match result {
            Some(result) => Known::of(result, matches!(told, Told::Alone(_))),
            None => Known::default(),
        };
        let (container_id, container_name) =
            container.map(|container| (container.id, container.name)).unzip();
        let log_tail = || failure.as_ref().map(|failure| failure.log_tail.clone());
        let metrics = metrics.or(foreign.metrics.map(MetricsView::Foreign));
        Self {
            id,
            task_id,
            task_name,
            run,
            experiment_id: number,
            role: role.as_str(),
            is_baseline: role == Role::Baseline,
            attempt,
            reason,
            parameters: candidate.to_json(),
            status: status.as_str(),
            error_message: failure
                .as_ref()
                .map(results::error_message)
                .or(foreign.error_message),
            failure_kind: failure.as_ref().map(|failure| failure.kind.as_str()),
            advice: failure.as_ref().and_then(|failure| failure.advice.clone()),
            metrics: match is_brief {
                true => metrics.map(MetricsView::in_brief),
                false => metrics,
            },
            objective_score: score
                .as_ref()
                .map(Score::lower_is_better)
                .or(foreign.objective_score),
            objective_value: score.as_ref().map(Score::objective_value),
            direction: score.as_ref().map(results::direction),
            feasible: score.as_ref().map(Score::is_feasible),
            violations: score.iter().flat_map(violations).collect(),
            penalty: score.as_ref().map(Score::penalty),
            low_n: score.as_ref().map(Score::is_low_n),
            service_name: container_name.clone(),
            service_url: base_url.filter(|_| !status.is_ended()),
            container_id,
            container_name,
            gpu_info: gpu_info(&gpus),
            gpus: gpus.iter().map(results::gpu).collect(),
            gpu_monitoring: (!is_brief).then_some(gpu_monitoring),
            remarks,
            engine_fingerprints,
            effective_arguments: (!is_brief).then_some(effective_arguments),
            environment: (!is_brief).then_some(environment),
            image: image.as_ref().map(|image| image.reference.clone()),
            image_id: image.as_ref().map(|image| image.id.clone()),
            image_digest: image.and_then(|image| image.digest),
            engine_version,
            ready_after,
            created_at: rfc3339(started_at_ms),
            started_at: Some(rfc3339(started_at_ms)),
            completed_at: ended_at_ms.map(rfc3339),
            elapsed_time: foreign
                .elapsed_seconds
                .or_else(|| elapsed(Some(started_at_ms), ended_at_ms)),
            log_tail: matches!(told, Told::Alone(_)).then(|| log_tail().unwrap_or_default()),
            containers: match told {
                Told::InBrief | Told::Listed => None,
                Told::Alone(containers) => Some(containers.into_iter().map(EngineContainer::of).collect()),
            },
        }
    }
}

/// What was measured, as it is told.
#[derive(Default)]
struct Known {
    metrics: Option<MetricsView>,
    remarks: Vec<String>,
    gpu_monitoring: Option<Value>,
    engine_fingerprints: Vec<String>,
}

impl Known {
    /// The first levels of what was given up are told of itself only: in a list they would stand
    /// beside figures of all levels.
    fn of(result: Result<Measured, Failure>, is_alone: bool) -> Self {
        let Measured {
            metrics,
            score: _,
            remarks,
            gpu_use,
            fingerprints,
        } = match result {
            Ok(measured) => measured,
            Err(failure) => {
                let partial = failure.partial.filter(|_| is_alone);
                return Self {
                    metrics: partial.map(MetricsView::Ours),
                    ..Self::default()
                };
            }
        };
        Self {
            metrics: Some(MetricsView::Ours(Box::new(metrics))),
            remarks,
            gpu_monitoring: Some(results::gpu_monitoring(&gpu_use)).filter(|value| !value.is_null()),
            engine_fingerprints: fingerprints,
        }
    }
}

fn violations(score: &Score) -> Vec<ViolationView> {
    let view = |violation: &Violation| {
        let Violation {
            metric,
            threshold,
            actual,
            ratio,
        } = violation;
        ViolationView {
            metric: metric.to_string(),
            threshold: *threshold,
            actual: *actual,
            violation_ratio: *ratio,
        }
    };
    score.violations().iter().map(view).collect()
}

fn gpu_info(gpus: &[GpuDevice]) -> Option<GpuInfo> {
    Some(GpuInfo {
        model: gpus.first()?.name.clone(),
        count: gpus.len(),
        device_ids: gpus.iter().map(|gpu| gpu.index.to_string()).collect(),
        world_size: gpus.len(),
    })
}
