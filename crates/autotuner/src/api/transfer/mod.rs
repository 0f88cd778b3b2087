//! Tasks and results in and out: import, export, results, duplicate.

mod csv;
mod import;
mod results;

use std::sync::Arc;

use autotuner_core::ids::TaskId;
use autotuner_core::spec::{Format, TaskSpec};
use autotuner_store::StoreError;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::documents::{Author, draft, refused};
use super::error::{ApiError, ErrorBody};
use super::extract::{Operator, Path, Query, Viewer};
use super::tasks::{publish, view};
use super::views::task::{TaskView, current, document};
use crate::service::Service;
use crate::service::events::Kind;
use crate::service::permits::Permits;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(import::import_tasks))
        .routes(routes!(duplicate_task))
        .routes(routes!(export_task))
        .routes(routes!(results::get_results))
}

/// How a document is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `yaml` where nothing is said.
    #[param(inline)]
    format: Option<Shape>,
}

/// What a document can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Yaml,
    Json,
}

impl From<Shape> for Format {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Yaml => Self::Yaml,
            Shape::Json => Self::Json,
        }
    }
}

/// A task's document as a file, which `import` and `autotuner run` take
///
/// Secrets are written as `***`.
#[utoipa::path(get, path = "/api/tasks/{id}/export", tag = "tasks", params(("id" = i64, Path), Wanted), responses(
    (status = 200, description = "The document, to be saved", content(
        (String = "application/yaml"), (Value = "application/json"),
    )),
    (status = 404, body = ErrorBody, description = "There is no such task"),
    (status = 422, body = ErrorBody, description = "There is no such format"),
))]
async fn export_task(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let record = service.database.task(TaskId(id)).await?;
    let document = document(&record);
    let name = &record.summary.name;
    Ok(match wanted.format.unwrap_or(Shape::Yaml) {
        Shape::Json => attachment(name, "json", "application/json", format!("{document:#}\n")),
        Shape::Yaml => {
            // In the document's own YAML form, where it still is one.
            let text = match serde_json::from_value::<TaskSpec>(document.clone()) {
                Ok(spec) => spec.to_yaml(),
                Err(_) => crate::report::yaml(&document),
            };
            attachment(name, "yaml", "application/yaml", text)
        }
    })
}

/// A file to be saved, named after a task.
fn attachment(task_name: &str, ending: &str, media_type: &'static str, text: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let name = file_name(task_name);
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}.{ending}\""));
    headers.extend(disposition.map(|value| (header::CONTENT_DISPOSITION, value)));
    (headers, text).into_response()
}

/// A name that every system takes for a file's.
fn file_name(task_name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = task_name
        .chars()
        .take(100)
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    match name.trim_matches('.') {
        "" => "task".to_owned(),
        name => name.to_owned(),
    }
}

/// Copies of one task that are looked for a free name for.
const MOST_COPIES: u32 = 1000;

/// Longest name of a task, in characters.
const LONGEST_NAME: usize = 200;

/// Make a copy of a task, secrets included, under a name of its own
#[utoipa::path(post, path = "/api/tasks/{id}/duplicate", tag = "tasks", params(("id" = i64, Path)), responses(
    (status = 201, body = TaskView, description = "The copy; it is pending"),
    (status = 400, body = ErrorBody, description = "There are too many copies"),
    (status = 404, body = ErrorBody, description = "There is no such task"),
    (status = 422, body = ErrorBody, description = "The task asks for what who asks may not ask for"),
))]
async fn duplicate_task(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(id): Path<i64>,
) -> Result<(StatusCode, Json<TaskView>), ApiError> {
    let record = service.database.task(TaskId(id)).await?;
    let permits = Permits::of(&service.config);
    let author = Author {
        role: caller.role,
        permits: &permits,
    };
    let document = current(&record);
    let draft = draft(&document, Vec::new(), Some(&document), &author).map_err(refused)?;
    let act = caller.act(service.clock.now_ms());
    for number in 1..=MOST_COPIES {
        let mut copy = draft.record();
        copy.name = copy_name(&record.summary.name, number);
        copy.document["task_name"] = copy.name.clone().into();
        match service.database.create_task(&act, copy).await {
            Ok(record) => {
                publish(&service, Kind::TaskCreated, record.summary.id);
                return Ok((StatusCode::CREATED, Json(view(&service, record).await?)));
            }
            Err(StoreError::NameTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = format!("Task {id} has {MOST_COPIES} copies already");
    Err(ApiError::bad_request("name_taken", text).with_hint("rename or remove some of them"))
}

/// `<name> copy`, `<name> copy 2`, …; a long name is cut to make room.
fn copy_name(name: &str, number: u32) -> String {
    let ending = match number {
        1 => " copy".to_owned(),
        number => format!(" copy {number}"),
    };
    let room = LONGEST_NAME - ending.chars().count();
    let start: String = name.chars().take(room).collect();
    format!("{}{ending}", start.trim_end())
}

/// The value under a key, as text.
fn text_of(document: &Value, pointer: &str) -> Option<String> {
    Some(document.pointer(pointer)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_files_have_names_that_fit() {
        assert_eq!(copy_name("chat", 1), "chat copy");
        assert_eq!(copy_name("chat", 12), "chat copy 12");
        let long = copy_name(&"ü".repeat(200), 2);
        assert_eq!(long.chars().count(), LONGEST_NAME);
        assert!(long.ends_with("ü copy 2"));
        let check = |name: &str, expected: &str| assert_eq!(file_name(name), expected, "{name}");
        check("Qwen: chat \"p99\"\r\nX-Evil: 1", "Qwen__chat__p99___X-Evil__1");
        check("..", "task");
        check("größe", "gr__e");
    }
}
