//! Parameter presets: kept, changed, removed; handed around as files; merged into one.
//!
//! The one idea: a preset is judged by the brain's own check, and whatever is kept has passed it.
//! Those that came with the product are there for everybody and are never changed; a copy can
//! be. Whoever asks for several gets them in the order in which they were asked for.

mod document;
mod files;
mod merging;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use autotuner_core::preset::{Preset, seeded};
use autotuner_store::{NewPreset, PresetRecord};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::extract::{self, Operator, Path, Query, Viewer};
use crate::service::Service;
use document::{
    PresetBody, PresetChange, PresetError, PresetErrorBody, PresetView, engine_word, new_preset, patched,
    read,
};

/// The header with the length of the whole list.
const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list_presets, create_preset))
        .routes(routes!(get_preset, update_preset, delete_preset))
        .merge(files::routes())
        .merge(merging::routes())
}

/// The presets that come with the product, to be kept where they are missing.
pub(crate) fn seeds() -> Vec<NewPreset> {
    seeded().into_iter().map(new_preset).collect()
}

/// Which presets are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only those of this category
    category: Option<String>,
    /// Only those that this engine can use: its own, and those for any engine
    #[param(example = "vllm")]
    runtime: Option<String>,
    /// How many to leave out first
    #[serde(default)]
    #[param(default = 0, minimum = 0)]
    skip: u64,
    /// How many to give at most
    #[serde(default = "most")]
    #[param(default = 1000, minimum = 1, maximum = 1000)]
    limit: u64,
}

/// The longest page, and all that old clients know.
fn most() -> u64 {
    1_000
}

/// Presets, by name
#[utoipa::path(get, path = "/api/presets", operation_id = "list", tag = "presets", params(Wanted), responses((status = 200, body = [PresetView])))]
async fn list_presets(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Query(wanted): Query<Wanted>,
) -> Result<([(HeaderName, String); 1], Json<Vec<PresetView>>), ApiError> {
    if !(1..=most()).contains(&wanted.limit) {
        let text = format!("limit is {}; it is 1 to {}", wanted.limit, most());
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_query", text));
    }
    let runtime = wanted.runtime.as_deref().map(engine_word).transpose()?;
    let records = service.database.presets(wanted.category.as_deref()).await?;
    let fits = |record: &PresetRecord| match (runtime, &record.preset.runtime) {
        (Some(wanted), Some(own)) => wanted == own,
        _ => true,
    };
    let records: Vec<PresetRecord> = records.into_iter().filter(fits).collect();
    let total = [(TOTAL, records.len().to_string())];
    let page = records
        .into_iter()
        .skip(usize::try_from(wanted.skip).unwrap_or(usize::MAX))
        .take(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
    Ok((total, Json(page.map(PresetView::from).collect())))
}

/// One preset
#[utoipa::path(get, path = "/api/presets/{id}", operation_id = "one", tag = "presets", params(("id" = i64, Path)),
    responses((status = 200, body = PresetView), (status = 404, description = "There is no such preset")))]
async fn get_preset(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
) -> Result<Json<PresetView>, ApiError> {
    Ok(Json(service.database.preset(id).await?.into()))
}

/// Keep a new preset
#[utoipa::path(post, path = "/api/presets", operation_id = "create", tag = "presets", request_body = PresetBody, responses(
    (status = 201, body = PresetView),
    (status = 409, description = "Another preset has this name"),
    (status = 422, description = "Everything that is wrong with it", body = PresetErrorBody),
))]
async fn create_preset(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    extract::Json(body): extract::Json<Value>,
) -> Result<(StatusCode, Json<PresetView>), PresetError> {
    let preset = read(&body)?;
    let act = caller.act(service.clock.now_ms());
    let record = service.database.create_preset(&act, new_preset(preset)).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// Change a preset
///
/// What is left out stays as it is; `null` empties it. Presets that came with the product are
/// not changed: make a copy under another name.
#[utoipa::path(put, path = "/api/presets/{id}", operation_id = "update", tag = "presets", params(("id" = i64, Path)), request_body = PresetChange, responses(
    (status = 200, body = PresetView),
    (status = 404, description = "There is no such preset"),
    (status = 409, description = "Another preset has this name, or this one came with the product"),
    (status = 422, description = "Everything that is wrong with it", body = PresetErrorBody),
))]
async fn update_preset(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
    extract::Json(body): extract::Json<Value>,
) -> Result<Json<PresetView>, PresetError> {
    let kept = own(&service, id).await?;
    let preset = patched(&kept.preset, &body)?;
    let act = caller.act(service.clock.now_ms());
    let record = service
        .database
        .update_preset(&act, id, new_preset(preset))
        .await?;
    Ok(Json(record.into()))
}

/// Remove a preset
#[utoipa::path(delete, path = "/api/presets/{id}", operation_id = "delete", tag = "presets", params(("id" = i64, Path)), responses(
    (status = 204),
    (status = 404, description = "There is no such preset"),
    (status = 409, description = "It came with the product"),
))]
async fn delete_preset(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    own(&service, id).await?;
    let act = caller.act(service.clock.now_ms());
    service.database.delete_preset(&act, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A preset that did not come with the product.
async fn own(service: &Service, id: i64) -> Result<PresetRecord, ApiError> {
    let record = service.database.preset(id).await?;
    if record.preset.is_system {
        let text = format!(
            "Preset '{}' came with the product and cannot be changed",
            record.preset.name
        );
        let error = ApiError::new(StatusCode::CONFLICT, "system_preset", text);
        return Err(error.with_hint(format!(
            "make a copy: GET /api/presets/{id}, change the name, POST it to /api/presets"
        )));
    }
    Ok(record)
}

/// Keeps what a caller made, once it has passed the check.
async fn keep(service: &Service, caller: &Operator, preset: Preset) -> Result<PresetRecord, ApiError> {
    let act = caller.0.act(service.clock.now_ms());
    Ok(service.database.create_preset(&act, new_preset(preset)).await?)
}
