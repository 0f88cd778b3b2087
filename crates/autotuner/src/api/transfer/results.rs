//! Results as a file: the shape that `autotuner run` writes, or one row an experiment.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::spec::TaskSpec;
use autotuner_store::{ExperimentRecord, ForeignResult, Page, TaskRecord};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{attachment, csv, text_of};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Path, Query, Viewer};
use crate::host::Host;
use crate::report::results::{RunFacts, TaskFacts, document};
use crate::service::Service;

/// Experiments that are read at once.
const AT_ONCE: u64 = 1000;

/// How results are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `json` where nothing is said.
    #[param(inline)]
    format: Option<Shape>,
}

/// What results can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Json,
    Csv,
}

/// The results of a task's current run as a file
#[utoipa::path(get, path = "/api/tasks/{id}/results", tag = "tasks", params(("id" = i64, Path), Wanted), responses(
    (status = 200, description = "The results, to be saved", content(
        (Value = "application/json"), (String = "text/csv"),
    )),
    (status = 404, body = ErrorBody, description = "There is no such task"),
    (status = 422, body = ErrorBody, description = "There is no such format"),
))]
pub(super) async fn get_results(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let record = service.database.task(TaskId(id)).await?;
    let experiments = all(&service, &record).await?;
    let name = format!("{}_results", record.summary.name);
    Ok(match wanted.format.unwrap_or(Shape::Json) {
        Shape::Json => {
            let host = host(&service, &experiments).await;
            let results = told(&service, &record, experiments, host);
            let mut text = serde_json::to_string_pretty(&results).expect("a tree of values is JSON");
            text.push('\n');
            attachment(&name, "json", "application/json", text)
        }
        Shape::Csv => {
            let text = csv::table(experiments, record.summary.best_experiment);
            attachment(&name, "csv", "text/csv; charset=utf-8", text)
        }
    })
}

/// Every experiment of the current run, oldest first.
async fn all(service: &Service, record: &TaskRecord) -> Result<Vec<ExperimentRecord>, ApiError> {
    let mut experiments = Vec::new();
    loop {
        let page = Page {
            skip: experiments.len() as u64,
            limit: AT_ONCE,
        };
        let run = Some(record.summary.run);
        let part = service
            .database
            .experiments_of(record.summary.id, run, page)
            .await?;
        let is_last = (part.rows.len() as u64) < AT_ONCE;
        experiments.extend(part.rows);
        if is_last {
            return Ok(experiments);
        }
    }
}

/// The machine that it ran on: this one, unless it never ran, or another program measured it, which
/// did not say where.
async fn host<'a>(service: &'a Service, records: &[ExperimentRecord]) -> Option<&'a Host> {
    if records.is_empty() || records.iter().any(|record| record.foreign.is_some()) {
        return None;
    }
    service.host.get(&service.config.gpus).await
}

fn told(
    service: &Service,
    record: &TaskRecord,
    records: Vec<ExperimentRecord>,
    host: Option<&Host>,
) -> Value {
    let summary = &record.summary;
    let log_file = |number: ExperimentNumber| {
        let path = service.logs.experiment(summary.id, summary.run, number);
        path.file_name().map(PathBuf::from).unwrap_or_default()
    };
    let foreign: Vec<Option<ForeignResult>> = records.iter().map(|record| record.foreign.clone()).collect();
    let best = records
        .iter()
        .position(|record| Some(record.id) == summary.best_experiment);
    let experiments: Vec<Experiment> = records.into_iter().map(|record| record.experiment).collect();
    let version = experiments
        .iter()
        .find_map(|experiment| experiment.launch.as_ref()?.engine_version.as_deref());
    let now = service.clock.now_ms();
    let facts = RunFacts {
        task: facts(record),
        status: summary.status,
        ended_because: summary.ended_because.clone(),
        host,
        engine_version: version,
        logs: FilePath::new("logs"),
        log_file: &log_file,
        started_at_ms: summary.started_at_ms.unwrap_or(summary.created_at_ms),
        ended_at_ms: summary.completed_at_ms.unwrap_or(now),
    };
    let mut told = document(&facts, &experiments);
    if foreign.iter().any(Option::is_some) {
        add_foreign(&mut told, &foreign, best);
    }
    if summary.started_at_ms.is_none() {
        told["started_at"] = Value::Null;
        told["elapsed_time"] = Value::Null;
    }
    if summary.completed_at_ms.is_none() {
        told["completed_at"] = Value::Null;
    }
    told
}

/// What another program measured, in its own words; it is not ours to judge.
fn add_foreign(told: &mut Value, foreign: &[Option<ForeignResult>], best: Option<usize>) {
    for (index, result) in foreign.iter().enumerate() {
        let Some(ForeignResult {
            metrics,
            objective_score,
            error_message,
            elapsed_seconds,
        }) = result
        else {
            continue;
        };
        let experiment = &mut told["all_results"][index];
        experiment["metrics"] = json!(metrics);
        experiment["objective_score"] = json!(objective_score);
        experiment["error_message"] = json!(error_message);
        if elapsed_seconds.is_some() {
            experiment["elapsed_time"] = json!(elapsed_seconds);
        }
    }
    told["verdict"] = Value::Null;
    told["best_result"] = best
        .map(|best| told["all_results"][best].clone())
        .unwrap_or_default();
    let succeeded = foreign
        .iter()
        .flatten()
        .filter(|result| result.objective_score.is_some());
    told["successful_experiments"] = json!(succeeded.count());
}

/// What is said of the task itself: by its document as it is read now, or, where that is of an
/// older kind, by its words.
fn facts(record: &TaskRecord) -> TaskFacts {
    let parsed = TaskSpec::from_value(&record.document).and_then(|parsed| parsed.spec.resolve());
    let name = record.summary.name.clone();
    match parsed {
        Ok(task) => TaskFacts {
            name,
            ..TaskFacts::from(&task)
        },
        Err(_) => TaskFacts {
            name,
            strategy: text_of(&record.document, "/optimization/strategy"),
            objective: text_of(&record.document, "/optimization/objective"),
            objectives: Vec::new(),
            seed: record
                .document
                .pointer("/optimization/seed")
                .and_then(Value::as_u64),
            base_runtime: record.summary.base_runtime.clone(),
            deployment_mode: record.deployment_mode.clone(),
            model: text_of(&record.document, "/model/id_or_path"),
        },
    }
}
