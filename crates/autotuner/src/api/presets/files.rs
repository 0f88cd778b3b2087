//! Presets as files: brought in and taken out.
//!
//! Browsers send a form with a file in it, programs the file's content itself; both are read.

use std::sync::Arc;

use autotuner_core::preset::{export, import};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document::{PresetBody, PresetError, PresetErrorBody, PresetView, checked, invalid, preset_of};
use super::keep;
use crate::api::error::ApiError;
use crate::api::extract::{self, Operator, Path, Viewer};
use crate::service::Service;

/// The field of a form that the file is in.
const FIELD: &str = "file";

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(import_preset))
        .routes(routes!(export_preset))
}

/// A preset's file.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes what is read by hand, to tell every problem at once"
)]
struct PresetFile {
    /// Version of the shape.
    #[schema(example = "1.0")]
    version: String,
    /// The preset.
    preset: PresetBody,
}

/// A form with a preset's file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a form")]
struct PresetForm {
    /// The file; its name ends in `.json`.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Keep the preset in a file
///
/// As a form with the file in its field `file`, or with the file's content as the body.
#[utoipa::path(post, path = "/api/presets/import", operation_id = "import", tag = "presets",
    request_body(content(
        (PresetFile = "application/json"),
        (PresetForm = "multipart/form-data"),
    )),
    responses(
        (status = 201, body = PresetView),
        (status = 400, description = "It is no form, no JSON, or the file's name says that it is none"),
        (status = 409, description = "Another preset has this name"),
        (status = 422, description = "Everything that is wrong with it", body = PresetErrorBody),
    ))]
async fn import_preset(
    State(service): State<Arc<Service>>,
    caller: Operator,
    request: Request,
) -> Result<(StatusCode, Json<PresetView>), PresetError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_form = content_type.is_some_and(|value| value.as_bytes().starts_with(b"multipart/form-data"));
    let file = if is_form {
        let text = file_in(request).await?;
        serde_json::from_slice(&text).map_err(|error| {
            ApiError::bad_request("bad_file", "Invalid JSON file").with_hint(error.to_string())
        })?
    } else {
        let extract::Json(file) = extract::Json::<Value>::from_request(request, &()).await?;
        file
    };
    let preset = import(&file).map_err(|problems| match shape(&file) {
        Some(text) => ApiError::problems(text, problems).into(),
        None => invalid(problems, &file["preset"]),
    })?;
    let preset = checked(preset, &file["preset"])?;
    let record = keep(&service, &caller, preset).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// What to say of a file that has not even the keys of one.
fn shape(file: &Value) -> Option<&'static str> {
    let lacks = |value: &Value, keys: [&str; 2]| keys.iter().any(|key| value.get(key).is_none());
    if lacks(file, ["version", "preset"]) {
        Some("Invalid preset format. Must have 'version' and 'preset' fields")
    } else if lacks(&file["preset"], ["name", "parameters"]) {
        Some("Invalid preset format. Must have 'name' and 'parameters' fields")
    } else {
        None
    }
}

/// The content of the file in a form.
async fn file_in(request: Request) -> Result<Bytes, ApiError> {
    let bad_form = |status: StatusCode, text: String| ApiError::new(status, "bad_form", text);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| bad_form(rejection.status(), rejection.body_text()))?;
    loop {
        let field = form.next_field().await;
        let field = field.map_err(|error| bad_form(error.status(), error.body_text()))?;
        let Some(field) = field else {
            let error = bad_form(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("the form has no field '{FIELD}'"),
            );
            return Err(error.with_hint("send the preset's file in it, or its content as application/json"));
        };
        if field.name() != Some(FIELD) {
            continue;
        }
        let is_json = field.file_name().is_some_and(|name| name.ends_with(".json"));
        if !is_json {
            return Err(ApiError::bad_request("bad_file", "File must be a JSON file"));
        }
        let content = field.bytes().await;
        return content.map_err(|error| bad_form(error.status(), error.body_text()));
    }
}

/// A preset as a file
#[utoipa::path(get, path = "/api/presets/{id}/export", operation_id = "export", tag = "presets", params(("id" = i64, Path)), responses(
    (status = 200, description = "The file, as an attachment", body = PresetFile),
    (status = 404, description = "There is no such preset"),
))]
async fn export_preset(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
) -> Result<([(HeaderName, String); 1], Json<Value>), ApiError> {
    let preset = preset_of(service.database.preset(id).await?)?;
    let disposition = format!("attachment; filename=\"{}\"", file_name(&preset.name));
    Ok((
        [(header::CONTENT_DISPOSITION, disposition)],
        Json(export(&preset)),
    ))
}

/// For example `preset-vllm-performance-tuning.json`: letters and digits that every system has
/// in file names, and dashes for the rest.
fn file_name(preset: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
        '.' | '_' => c,
        _ => '-',
    };
    let name: String = preset.chars().map(safe).collect();
    format!("preset-{name}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_lower_case_and_dashed() {
        let check = |name: &str, expected: &str| assert_eq!(file_name(name), expected);
        check("vLLM Performance Tuning", "preset-vllm-performance-tuning.json");
        check("a\"b/c\u{e9}", "preset-a-b-c-.json");
    }
}
