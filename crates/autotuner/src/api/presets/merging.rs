//! Several presets as one.

use std::sync::Arc;

use autotuner_core::preset::{Conflict, MergeMode, Merged, Preset, Reason, merge};
use autotuner_core::space::Value as ParameterValue;
use autotuner_store::StoreError;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document::preset_of;
use crate::api::error::ApiError;
use crate::api::extract::{self, Viewer};
use crate::service::Service;

/// Most presets that are merged at once.
const MOST: usize = 100;

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(merge_presets))
}

/// Which presets to merge, and how.
#[derive(Debug, Deserialize, ToSchema)]
struct MergeRequest {
    /// Their ids, in the order in which to apply them.
    #[schema(min_items = 1, max_items = 100, example = json!([2, 1]))]
    preset_ids: Vec<i64>,
    /// How.
    #[serde(default)]
    merge_strategy: MergeStrategy,
}

/// How presets become one.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MergeStrategy {
    /// Every parameter of any, with the values of all.
    #[default]
    Union,
    /// The parameters of all, with the values that all have.
    Intersection,
    /// Every parameter of any, with the values of the last that has it.
    LastWins,
}

/// What became of some presets.
#[derive(Debug, Serialize, ToSchema)]
struct MergedView {
    /// The engine that they are for; any where it is `null`.
    runtime: Option<&'static str>,
    /// The values to try of each parameter.
    #[schema(value_type = std::collections::HashMap<String, Vec<Value>>)]
    parameters: Value,
    /// The names of the presets, in the order in which they were applied.
    applied_presets: Vec<String>,
    /// What could not be kept; `null` where everything was.
    conflicts: Option<Vec<ConflictView>>,
}

/// A parameter whose values could not all be kept.
#[derive(Debug, Serialize, ToSchema)]
struct ConflictView {
    /// Its name.
    parameter: String,
    /// Why it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// The preset that has other values.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden_by: Option<String>,
    /// The values until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_values: Option<Vec<Value>>,
    /// The values from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_values: Option<Vec<Value>>,
}

/// Several presets as one, applied in the order of the ids
///
/// Nothing is stored.
#[utoipa::path(post, path = "/api/presets/merge", operation_id = "merge", tag = "presets", request_body = MergeRequest, responses(
    (status = 200, body = MergedView),
    (status = 404, description = "Some of them are not there"),
    (status = 422, description = "They are none, too many, or for different engines"),
))]
async fn merge_presets(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    extract::Json(request): extract::Json<MergeRequest>,
) -> Result<Json<MergedView>, ApiError> {
    let count = request.preset_ids.len();
    if !(1..=MOST).contains(&count) {
        let text = format!("preset_ids has {count} entries; it has 1 to {MOST}");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text));
    }
    let mut presets = Vec::new();
    let mut missing = Vec::new();
    for id in request.preset_ids {
        match service.database.preset(id).await {
            Ok(record) => presets.push(preset_of(record)?),
            Err(StoreError::NoSuchPreset(_)) => missing.push(id.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    if !missing.is_empty() {
        return Err(ApiError::not_found(format!(
            "Presets not found: [{}]",
            missing.join(", ")
        )));
    }
    let all: Vec<&Preset> = presets.iter().collect();
    let merged = merge(&all, request.merge_strategy.into())
        .map_err(|problems| ApiError::problems("The presets do not go together", problems))?;
    Ok(Json(merged.into()))
}

impl From<MergeStrategy> for MergeMode {
    fn from(strategy: MergeStrategy) -> Self {
        match strategy {
            MergeStrategy::Union => Self::Union,
            MergeStrategy::Intersection => Self::Intersection,
            MergeStrategy::LastWins => Self::LastWins,
        }
    }
}

impl From<Merged> for MergedView {
    fn from(merged: Merged) -> Self {
        let Merged {
            engine,
            parameters,
            conflicts,
            applied,
        } = merged;
        let conflicts: Vec<ConflictView> = conflicts.into_iter().map(ConflictView::from).collect();
        Self {
            runtime: engine.map(|kind| kind.as_str()),
            parameters: parameters.to_json(),
            applied_presets: applied,
            conflicts: Some(conflicts).filter(|conflicts| !conflicts.is_empty()),
        }
    }
}

impl From<Conflict> for ConflictView {
    fn from(Conflict { parameter, reason }: Conflict) -> Self {
        let values = |values: Vec<ParameterValue>| values.iter().map(ParameterValue::to_json).collect();
        let mut view = Self {
            parameter,
            message: None,
            overridden_by: None,
            previous_values: None,
            new_values: None,
        };
        match reason {
            Reason::NoCommonValue => view.message = Some("No common values across all presets"),
            Reason::Overridden { by, previous, new } => {
                view.overridden_by = Some(by);
                view.previous_values = Some(values(previous));
                view.new_values = Some(values(new));
            }
        }
        view
    }
}
