//! The OpenAPI document, from the handlers.
//!
//! The one idea: a handler says what only it can answer with; what the layers around all of them
//! can, and what an error looks like, is added here to every operation at once. The document of
//! a task is described by its own schema, the one that `autotuner schema` prints.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Viewer;
use crate::service::Service;

/// Every group of operations, in the order in which they are listed.
const TAGS: [(&str, &str); 11] = [
    (
        "tasks",
        "Tuning jobs: made, checked, started, cancelled, looked at",
    ),
    (
        "experiments",
        "One attempt each to start an engine in one configuration and to measure it",
    ),
    ("logs", "What tasks and engines printed, whole and live"),
    ("events", "Hints of what happens, as they happen"),
    ("containers", "Containers and images of this machine"),
    ("kubernetes", "Pods of this service's experiments in a cluster"),
    ("presets", "Named lists of values to try"),
    ("engines", "The parameters of each engine"),
    ("dashboard", "Figures of the whole installation"),
    ("access", "Who may do what, and who did what"),
    ("system", "Health, information, metrics"),
];

/// Methods that a path can have, as the document spells them.
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// What the layers around every handler can answer with. Name, status, what it means, and
/// whether it says when to try again.
const LAYERS: [(&str, &str, &str, bool); 8] = [
    (
        "Unauthenticated",
        "401",
        "Nobody is logged in: no token was shown, or none that is good",
        false,
    ),
    (
        "Forbidden",
        "403",
        "The caller's role may not do this, or another site's page asked for it",
        false,
    ),
    ("TooLarge", "413", "The body is larger than is read", false),
    (
        "NotJson",
        "415",
        "The body is not of a media type that is read here",
        false,
    ),
    (
        "WrongHost",
        "421",
        "The request was meant for a host name that is not this service's",
        false,
    ),
    (
        "Invalid",
        "422",
        "A path, a query or a body that cannot be understood, with every reason",
        false,
    ),
    ("TooMany", "429", "Too many requests, or too many streams", true),
    ("Busy", "503", "The database is busy or cannot be written", true),
];

/// The document of a task, in the bodies of requests: `request_body = TaskDocument`.
pub(crate) struct TaskDocument;

impl utoipa::PartialSchema for TaskDocument {
    fn schema() -> RefOr<Schema> {
        // Its own schema takes this one's place in the finished document.
        RefOr::T(Schema::default())
    }
}

impl utoipa::ToSchema for TaskDocument {}

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(openapi_document))
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "system", responses(
    (status = 200, description = "An OpenAPI 3.1 document", body = Value),
))]
async fn openapi_document(State(_service): State<Arc<Service>>, _caller: Viewer) -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, TEXT.as_str()).into_response()
}

/// The whole document.
pub(crate) fn document() -> Value {
    let described = super::routes().into_openapi();
    let mut document = serde_json::to_value(described).expect("the document is made of plain texts");
    document["info"] = json!({
        "title": "Inference Autotuner",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Finds the serving configuration of an LLM inference engine that best meets a goal. \
            Times are RFC 3339 in UTC. Lists are plain arrays, paged by `skip` and `limit`, with the \
            total in `X-Total-Count`. A trailing slash is optional everywhere.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["tags"] = tags(&document);
    document["security"] = json!([{ "bearer": [] }, { "cookie": [] }]);
    add_components(&mut document["components"]);
    let Some(paths) = document["paths"].as_object_mut() else {
        return document;
    };
    for item in paths.values_mut() {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                complete(operation);
            }
        }
    }
    document
}

/// The groups that have operations.
fn tags(document: &Value) -> Value {
    let operations = document["paths"].as_object().into_iter().flatten();
    let used: Vec<&str> = operations
        .flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(*method)))
        .filter_map(|operation| operation["tags"][0].as_str())
        .collect();
    let known = TAGS.iter().filter(|(name, _)| used.contains(name));
    known
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect()
}

/// What operations refer to: the task document, errors, and how callers show who they are.
fn add_components(components: &mut Value) {
    components["securitySchemes"] = json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token, as `autotuner token create` or `POST /api/auth/tokens` gives it out",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "autotuner_session",
            "description": "A browser's session, begun by `POST /api/auth/login`",
        },
    });
    let mut responses = Map::new();
    for (name, _, description, is_temporary) in LAYERS {
        let mut response = json!({ "description": description, "content": error_content() });
        if is_temporary {
            response["headers"] = retry_after();
        }
        responses.insert(name.to_owned(), response);
    }
    components["responses"] = Value::Object(responses);
    for (name, schema) in task_schemas() {
        components["schemas"][name] = schema;
    }
}

fn error_content() -> Value {
    json!({ "application/json": { "schema": { "$ref": "#/components/schemas/ErrorBody" } } })
}

fn retry_after() -> Value {
    json!({ "Retry-After": {
        "description": "Seconds after which a further attempt may succeed",
        "schema": { "type": "integer", "minimum": 1 },
    } })
}

/// Adds to an operation what its handler does not say.
fn complete(operation: &mut Value) {
    // Groups name their handlers without regard for each other: `list`, `create`.
    let id = [&operation["tags"][0], &operation["operationId"]].map(|part| part.as_str().unwrap_or_default());
    operation["operationId"] = id.join("_").into();
    // A handler that answers everybody says so with an empty requirement.
    let is_public = operation["security"] == json!([{}]);
    let has_body = operation.get("requestBody").is_some();
    let has_parameters = operation["parameters"]
        .as_array()
        .is_some_and(|all| !all.is_empty());
    let is_paged = ["skip", "limit"].iter().all(|name| has_query(operation, name));
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        if response["description"] == "" || response["description"].is_null() {
            response["description"] = reason(status).into();
        }
        let is_error = status.starts_with('4') || status.starts_with('5');
        if is_error && response.get("content").is_none() && response.get("$ref").is_none() {
            response["content"] = error_content();
        }
        if status == "503" || status == "429" {
            response["headers"] = retry_after();
        }
        describe_yaml(response);
        if is_paged && status == "200" {
            response["headers"]["X-Total-Count"] = json!({
                "description": "How many rows there are in all",
                "schema": { "type": "integer", "minimum": 0 },
            });
        }
    }
    for (name, status, _, _) in LAYERS {
        let applies = match status {
            "401" | "403" | "503" => !is_public,
            "413" | "415" => has_body,
            "422" => has_body || has_parameters,
            _ => true,
        };
        if applies && !responses.contains_key(status) {
            let reference = format!("#/components/responses/{name}");
            responses.insert(status.to_owned(), json!({ "$ref": reference }));
        }
    }
    responses.sort_keys();
}

/// What a YAML text says is any value; its schema would be one of that, and not of the text.
fn describe_yaml(response: &mut Value) {
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else {
        return;
    };
    for (media_type, content) in content.iter_mut() {
        if media_type.contains("yaml") && content["schema"]["type"] == "string" {
            content["schema"] = json!({});
        }
    }
}

/// The words that every client knows for a status.
fn reason(status: &str) -> &'static str {
    let status = status
        .parse()
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok());
    let reason = status.and_then(|status| status.canonical_reason());
    reason.unwrap_or("As asked")
}

fn has_query(operation: &Value, name: &str) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .filter(|parameter| parameter["in"] == "query")
        .any(|parameter| parameter["name"] == name)
}

/// The schema of task documents as components: `TaskDocument`, and its parts after it.
fn task_schemas() -> Vec<(String, Value)> {
    let mut schema = autotuner_core::spec::schema();
    let parts = schema
        .as_object_mut()
        .and_then(|root| {
            root.shift_remove("$schema");
            root.shift_remove("$defs")
        })
        .unwrap_or_default();
    let parts = parts.as_object().cloned().unwrap_or_default();
    let mut schemas = vec![("TaskDocument".to_owned(), schema)];
    schemas.extend(
        parts
            .into_iter()
            .map(|(name, part)| (format!("TaskDocument{name}"), part)),
    );
    for (_, schema) in &mut schemas {
        rewrite_references(schema);
    }
    schemas
}

/// Points references into the schema's own definitions to the components.
fn rewrite_references(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => {
                        *text = text.replace("#/$defs/", "#/components/schemas/TaskDocument");
                    }
                    other => rewrite_references(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_references),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        let named = |path: &str, item: &'static str| format!("{} {path}", item.to_uppercase());
        paths
            .iter()
            .flat_map(|(path, item)| {
                METHODS
                    .iter()
                    .filter_map(move |method| Some((named(path, method), item.get(*method)?)))
            })
            .collect()
    }

    #[test]
    fn every_operation_says_what_it_is() {
        let document = document();
        let mut ids = BTreeSet::new();
        for (name, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{name}: another operation is called {id}");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty(), "{name} has no summary");
            assert!(!summary.ends_with('.'), "{name}: a summary is a title");
            let tags = operation["tags"].as_array().unwrap();
            let is_known = |tag: &Value| TAGS.iter().any(|(known, _)| tag == known);
            assert!(tags.len() == 1 && is_known(&tags[0]), "{name}: {tags:?}");
            let responses = operation["responses"].as_object().unwrap();
            let succeeds = |status: &String| status.starts_with('2') || status == "101";
            assert!(responses.keys().any(succeeds), "{name} never succeeds");
            // What the Docker daemon or a cluster cannot do is its failure, and told as such.
            let may_fail = name.contains(" /api/docker/") || name.contains(" /api/kubernetes/");
            assert!(may_fail || !responses.contains_key("500"), "{name} plans to fail");
        }
    }

    #[test]
    fn only_probes_and_the_login_ask_for_nobody() {
        let document = document();
        let public: BTreeSet<String> = operations(&document)
            .into_iter()
            .filter(|(_, operation)| operation["security"] == json!([{}]))
            .map(|(name, _)| name)
            .collect();
        let allowed = [
            "GET /health",
            "GET /healthz",
            "GET /readyz",
            "POST /api/auth/login",
        ];
        for name in &public {
            assert!(allowed.contains(&name.as_str()), "{name} asks for nobody");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(value: &Value, document: &Value) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(reference)) = map.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    map.values().for_each(|value| check(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| check(value, document)),
                _ => {}
            }
        }
        let document = document();
        check(&document, &document);
    }

    #[test]
    fn the_document_in_the_repository_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let is_current = kept.trim_end() == format!("{:#}", document());
        assert!(
            is_current,
            "docs/openapi.json is not what the handlers say; write it anew: \
             cargo run -p autotuner -- schema --api > docs/openapi.json"
        );
    }
}
