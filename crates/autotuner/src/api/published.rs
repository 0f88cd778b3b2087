//! Documents that come with the product: the schema of task documents, and the demo's task.

use std::sync::Arc;

use autotuner_store::StoreError;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditional;
use super::error::{ApiError, ErrorBody};
use super::extract::Viewer;
use super::openapi::TaskDocument;
use crate::demo;
use crate::service::Service;

/// Names that are tried for the demo's task.
const MOST_DEMOS: u32 = 1_000;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(task_schema))
        .routes(routes!(demo_task))
}

/// The JSON Schema of task documents
///
/// The one that `autotuner schema` prints. It has an `ETag`, and with `If-None-Match` is sent only where it is another one.
#[utoipa::path(get, path = "/api/schema/task", operation_id = "schema", tag = "tasks", responses(
    (status = 200, body = Value, content_type = "application/schema+json"),
    (status = 304, description = "It is the one that was named in `If-None-Match`"),
))]
async fn task_schema(_caller: Viewer, headers: HeaderMap) -> Response {
    let schema = format!("{:#}", autotuner_core::spec::schema());
    conditional::text(&headers, "application/schema+json", schema)
}

/// The demo's task document, under a name that no task has
///
/// What `autotuner demo` tunes: the simulated engine, which needs no GPU and no Docker, for about a minute. Nothing is kept: make a task of it with `POST /api/tasks`.
#[utoipa::path(get, path = "/api/demo-task", operation_id = "demo", tag = "tasks", responses(
    (status = 200, body = TaskDocument),
    (status = 400, body = ErrorBody, description = "Every name that is tried for it is taken"),
))]
async fn demo_task(State(service): State<Arc<Service>>, _caller: Viewer) -> Result<Json<Value>, ApiError> {
    let document = demo::document()
        .map_err(|problems| ApiError::problems("The demo's task cannot be read", problems))?;
    let mut document = document.to_value();
    for number in 1..=MOST_DEMOS {
        let name = match number {
            1 => "demo".to_owned(),
            number => format!("demo-{number}"),
        };
        match service.database.task_named(&name).await {
            Ok(_) => {}
            Err(StoreError::NoTaskNamed { .. }) => {
                document["task_name"] = name.into();
                return Ok(Json(document));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let text = format!("There are {MOST_DEMOS} demos already");
    Err(ApiError::bad_request("name_taken", text).with_hint("rename or remove some of them"))
}

#[cfg(test)]
mod tests {
    use autotuner_core::spec::{Format, TaskSpec};
    use autotuner_store::Role;
    use axum::body::Body;
    use axum::http::{Method, Request};

    use super::*;
    use crate::api::testing::TestService;

    #[tokio::test]
    async fn the_schema_is_the_one_that_is_printed_and_sent_once() {
        let test = TestService::start().await;
        let answer = test.get("/api/schema/task").await.is(200);
        assert_eq!(answer.headers["content-type"], "application/schema+json");
        assert_eq!(answer.json(), autotuner_core::spec::schema());
        let known = async |tag: &str, expected: u16| {
            let request = Request::get("/api/schema/task").header("if-none-match", tag);
            let request = request.body(Body::empty()).unwrap();
            test.send(Some(Role::Viewer), request).await.is(expected)
        };
        let tag = answer.headers["etag"].to_str().unwrap();
        let unchanged = known(tag, 304).await;
        assert_eq!(
            (unchanged.text.as_str(), &unchanged.headers["etag"]),
            ("", &answer.headers["etag"])
        );
        assert_eq!(unchanged.headers["cache-control"], "private, no-cache");
        assert_eq!(known("\"another\"", 200).await.json(), answer.json());
    }

    #[tokio::test]
    async fn the_demos_task_can_be_made_again_and_again() {
        let test = TestService::start().await;
        for name in ["demo", "demo-2", "demo-3"] {
            let document = test.get("/api/demo-task").await.is(200).json();
            assert_eq!(document["task_name"], name);
            let made = test.post("/api/tasks", document.clone()).await.is(201).json();
            assert_eq!(made["task_name"], name);
            assert_eq!(made["parameters"], document["parameters"]);
        }
        test.call(Role::Operator, Method::DELETE, "/api/tasks/2", None)
            .await
            .is(204);
        let again = test.get("/api/demo-task").await.is(200).json();
        assert_eq!(again["task_name"], "demo-2");
    }

    #[tokio::test]
    async fn the_demos_task_is_the_one_that_the_command_tunes() {
        let test = TestService::start().await;
        let offered = test.get("/api/demo-task").await.is(200).json();
        let mut tuned = TaskSpec::parse(demo::TASK, Format::Yaml).unwrap().spec.to_value();
        tuned["task_name"] = "demo".into();
        assert_eq!(offered, tuned);
    }
}
