//! The service as others see it: asked in this process through every layer, and over a socket.

mod canaries;
mod forgery;
mod hostile;
mod hosts;
mod layers;
mod roles;
mod sessions;
mod sockets;

use std::num::NonZeroU32;

use autotuner_store::Role;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::request::Builder;
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::api::openapi;
use crate::service::access::Settings;
use crate::service::testing::TestService;

/// Largest answer that a test reads.
const LARGEST_ANSWER: usize = 64 * 1_024 * 1_024;

/// The host of requests that are meant for us.
const OUR_HOST: &str = "localhost:8000";

/// Access without the brake on changes, which tests make by the thousand.
fn unhurried() -> Settings {
    Settings {
        changes_per_second: NonZeroU32::new(1_000_000).unwrap(),
        ..Settings::default()
    }
}

/// A service that is asked in this process.
struct Asked {
    test: TestService,
    app: Router,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// Empty for a stream.
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("not text"))
    }
}

impl Asked {
    async fn new(settings: Settings) -> Self {
        let test = TestService::new(settings).await;
        let app = app(Arc::clone(&test.service));
        Self { test, app }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let is_stream = parts
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let text = if is_stream {
            String::new()
        } else {
            let bytes = to_bytes(body, LARGEST_ANSWER).await.unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    /// `Authorization` for a new token of this role.
    async fn bearer(&self, role: Role) -> String {
        let (secret, _) = self.test.token(role.as_str(), role, None).await;
        format!("Bearer {}", secret.reveal())
    }
}

/// A request that names our host.
fn request(method: &str, uri: &str) -> Builder {
    Request::builder().method(method).uri(uri).header(HOST, OUR_HOST)
}

fn empty(builder: Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
}

fn json(builder: Builder, body: impl Into<Body>) -> Request<Body> {
    builder
        .header(CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

/// An operation of the API's document.
#[derive(Debug, Clone)]
struct Operation {
    method: String,
    /// With names in braces.
    path: String,
    is_public: bool,
    /// Names, in the path and in the query, with the type that each has.
    path_parameters: Vec<(String, String)>,
    query_parameters: Vec<String>,
    has_body: bool,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn is_change(&self) -> bool {
        self.method != "GET" && self.method != "HEAD"
    }

    /// The path with values that are well-formed and name nothing that there is.
    fn sample(&self) -> String {
        let values = self.path_parameters.iter();
        values.fold(self.path.clone(), |path, (name, kind)| {
            let value = if kind == "integer" { "999999" } else { "nobody" };
            path.replace(&format!("{{{name}}}"), value)
        })
    }
}

/// Every operation of the document, so that a test covers those that are still to come.
fn operations() -> Vec<Operation> {
    let document = openapi::document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch"] {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let named = |place: &str| -> Vec<(String, String)> {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                parameters
                    .iter()
                    .filter(|parameter| parameter["in"] == place)
                    .map(|parameter| (text(&parameter["name"]), text(&parameter["schema"]["type"])))
                    .collect()
            };
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                is_public: operation["security"] == serde_json::json!([{}]),
                path_parameters: named("path"),
                query_parameters: named("query").into_iter().map(|(name, _)| name).collect(),
                has_body: operation.get("requestBody").is_some(),
            });
        }
    }
    assert!(!operations.is_empty());
    operations
}
