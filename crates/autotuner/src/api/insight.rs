//! What a run says of its parameters and of its failures, as `autotuner_core::insight` sees it.
//!
//! Made anew each time from the scores of the run: nothing is kept, so nothing can be old.

mod feasibility;
mod variance;

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::insight::{FailureGroup, Group, Importance, Insight, Point, Slice};
use autotuner_core::insight::{insight, seen_parameters};
use autotuner_core::score::Score;
use autotuner_core::space::Parameter;
use autotuner_core::spec::TaskSpec;
use autotuner_store::StoreError;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::feasibility::FeasibilityView;
use self::variance::VarianceView;
use super::error::{ApiError, ErrorBody};
use super::extract::{Path, Query, Viewer};
use crate::report::results::direction;
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(get_insight))
}

/// Of which run.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// A run of the task, from 1; the current one where nothing is said.
    #[param(minimum = 1)]
    run: Option<u32>,
}

/// What a run says of its parameters and of its failures.
#[derive(Debug, Serialize, ToSchema)]
struct InsightView {
    /// The task.
    task_id: i64,
    /// The run of it.
    run: u32,
    /// What is to be improved; nothing before the first score.
    objective: Option<&'static str>,
    /// `minimize` or `maximize`: which way scores here are better.
    direction: Option<&'static str>,
    /// Experiments with a score and with parameters; the engine's defaults set none.
    experiments_used: usize,
    /// Which parameters matter for being among the best, most first. None while too little is
    /// known.
    parameters: Vec<ImportanceView>,
    /// Which parameters move the objective, alone and in pairs.
    variance: VarianceView,
    /// The scores over each parameter, in the order of the space.
    slices: Vec<SliceView>,
    /// What failed, the most frequent kind first.
    failures: Vec<FailureGroupView>,
    /// Where configurations work, and where not.
    feasibility: FeasibilityView,
    /// What a reader should know of it, for people.
    note: Option<String>,
}

/// How much a parameter matters.
#[derive(Debug, Serialize, ToSchema)]
struct ImportanceView {
    /// The parameter.
    name: String,
    /// Its share of what all parameters do, 0 to 1; the shares add up to 1.
    importance: f64,
    /// Lower end of its interval: 95 of 100 draws from these experiments lie inside.
    low: f64,
    /// Upper end of it.
    high: f64,
}

/// The scores over one parameter.
#[derive(Debug, Serialize, ToSchema)]
struct SliceView {
    /// The parameter.
    name: String,
    /// `categorical`, `integer`, `continuous` or `boolean`.
    kind: &'static str,
    /// Every scored experiment that sets it, by number.
    points: Vec<PointView>,
    /// The same by value, in the order of the list, for a parameter that is given as a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupView>>,
}

/// A scored experiment.
#[derive(Debug, Serialize, ToSchema)]
struct PointView {
    /// The parameter's value; null where the engine decides.
    value: Value,
    /// The experiment's `objective_value`.
    score: f64,
    /// Its number inside the run.
    experiment_id: u32,
    /// Whether it may be chosen at all: every SLO is met.
    feasible: bool,
}

/// The scored experiments of one value.
#[derive(Debug, Serialize, ToSchema)]
struct GroupView {
    /// The value; null where the engine decides.
    value: Value,
    /// How many.
    n: usize,
    /// The median of their `objective_value`.
    median: f64,
    /// The `objective_value` of the best of them; one that misses an SLO only where all do.
    best: f64,
}

/// The failures of one kind.
#[derive(Debug, Serialize, ToSchema)]
struct FailureGroupView {
    /// `out_of_memory`, `engine_crashed`, …
    kind: &'static str,
    /// How many.
    n: usize,
    /// The experiments, by their numbers inside the run.
    experiment_ids: Vec<u32>,
    /// What to do about them, as most of them say it.
    advice: Option<String>,
}

/// What a run says of its parameters and of its failures
///
/// `parameters` has PED-ANOVA's importance (Watanabe, Bansal, Hutter 2023) for being among the best,
/// SLOs included, less what chance alone would show. `variance` is functional ANOVA on an additive
/// model of the objective, SLOs left aside.
#[utoipa::path(get, path = "/api/tasks/{id}/insight", tag = "tasks", params(("id" = i64, Path), Wanted), responses(
    (status = 200, body = InsightView),
    (status = 404, body = ErrorBody, description = "There is no such task, or it has no such run"),
))]
async fn get_insight(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<InsightView>, ApiError> {
    let task = TaskId(id);
    let runs = service.database.runs(task).await?;
    let record = match wanted.run {
        None => runs.into_iter().next(),
        Some(run) => runs.into_iter().find(|record| record.run == run),
    };
    let record = record.ok_or(StoreError::NoSuchRun {
        task,
        run: wanted.run.unwrap_or(0),
    })?;
    let run = record.run;
    let findings = service.database.findings(task, Some(run)).await?;
    let told = tokio::task::spawn_blocking(move || {
        let parameters = space(&record.document).unwrap_or_else(|| seen_parameters(&findings));
        let score = findings.iter().find_map(|finding| finding.outcome.as_ref().ok());
        InsightView::of(task, run, score, insight(&parameters, &findings))
    });
    // It ends in no other way than with an answer, unless it has panicked.
    told.await.map(Json).map_err(|error| ApiError::internal(&error))
}

/// What varies by this document; `None` where it cannot be used any more.
fn space(document: &Value) -> Option<Vec<Parameter>> {
    let task = TaskSpec::from_value(document).ok()?.spec.resolve().ok()?;
    Some(task.space.parameters().to_vec())
}

impl InsightView {
    /// The view of an insight into a run of a task; of its scores any one says what they are.
    fn of(task: TaskId, run: u32, score: Option<&Score>, insight: Insight) -> Self {
        let Insight {
            used,
            parameters,
            variance,
            slices,
            failures,
            feasibility,
            note,
        } = insight;
        Self {
            task_id: task.0,
            run,
            objective: score.map(|score| score.objective().as_str()),
            direction: score.map(direction),
            experiments_used: used,
            parameters: parameters.into_iter().map(ImportanceView::of).collect(),
            variance: VarianceView::of(variance),
            slices: slices.into_iter().map(SliceView::of).collect(),
            failures: failures.into_iter().map(FailureGroupView::of).collect(),
            feasibility: FeasibilityView::of(feasibility),
            note,
        }
    }
}

impl ImportanceView {
    fn of(importance: Importance) -> Self {
        let Importance {
            name,
            importance,
            low,
            high,
        } = importance;
        Self {
            name: name.to_string(),
            importance,
            low,
            high,
        }
    }
}

impl SliceView {
    fn of(slice: Slice) -> Self {
        let Slice {
            name,
            kind,
            points,
            groups,
        } = slice;
        let point = |point: Point| PointView {
            value: point.value.to_json(),
            score: point.objective_value,
            experiment_id: point.number.0,
            feasible: point.is_feasible,
        };
        let group = |group: Group| GroupView {
            value: group.value.to_json(),
            n: group.count,
            median: group.median,
            best: group.best,
        };
        Self {
            name: name.to_string(),
            kind: kind.as_str(),
            points: points.into_iter().map(point).collect(),
            groups: groups.map(|groups| groups.into_iter().map(group).collect()),
        }
    }
}

impl FailureGroupView {
    fn of(group: FailureGroup) -> Self {
        let FailureGroup {
            kind,
            experiments,
            advice,
        } = group;
        Self {
            kind: kind.as_str(),
            n: experiments.len(),
            experiment_ids: experiments.into_iter().map(|number| number.0).collect(),
            advice,
        }
    }
}
