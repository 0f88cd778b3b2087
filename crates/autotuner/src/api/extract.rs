//! What handlers ask for, with our own errors: body, query, path, and who asks.
//!
//! `Json<T>` reads a body that must be there; `Query<T>` and `Path<T>` refuse with 422 and every
//! reason. `Viewer`, `Operator` and `Admin` are a caller of at least that role; the
//! authentication layer has put the [`Caller`] into the request's extensions before.

use autotuner_core::problem::Problem;
use autotuner_core::spec::{Format, tree};
use autotuner_store::{Page, Role};
use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::ApiError;
use crate::service::access::Caller;

/// A caller that may look.
#[derive(Debug, Clone)]
pub(crate) struct Viewer(pub(crate) Caller);

/// A caller that may change tasks.
#[derive(Debug, Clone)]
pub(crate) struct Operator(pub(crate) Caller);

/// A caller that may do everything.
#[derive(Debug, Clone)]
pub(crate) struct Admin(pub(crate) Caller);

fn caller(parts: &Parts, least: Role) -> Result<Caller, ApiError> {
    let Some(caller) = parts.extensions.get::<Caller>() else {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not authenticated",
        ));
    };
    if caller.role < least {
        let text = format!(
            "This needs the role {}; yours is {}",
            least.as_str(),
            caller.role.as_str()
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", text));
    }
    Ok(caller.clone())
}

impl<S: Send + Sync> FromRequestParts<S> for Viewer {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        caller(parts, Role::Viewer).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        caller(parts, Role::Operator).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        caller(parts, Role::Admin).map(Self)
    }
}

/// A JSON body.
#[derive(Debug, Clone)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let written = Written::from_request(request, state).await?;
        if written.format != Format::Json {
            let text = "The body must be application/json";
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                text,
            ));
        }
        // Read as documents are: a key that is there twice is a mistake, not a choice of ours.
        let (tree, problems) = written.tree()?;
        if !problems.is_empty() {
            return Err(ApiError::problems("The body cannot be read", problems));
        }
        serde_json::from_value(tree).map(Self).map_err(|error| {
            let text = format!("The body is not what is read here: {error}");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_body", text)
        })
    }
}

/// A body as text, for documents whose every problem is to be told.
#[derive(Debug, Clone)]
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| ApiError::new(rejection.status(), "bad_body", rejection.body_text()))?;
        String::from_utf8(bytes.to_vec()).map(Self).map_err(|_| {
            ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad_body",
                "the body is not UTF-8 text",
            )
        })
    }
}

/// Query parameters.
#[derive(Debug, Clone)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection: QueryRejection| {
                ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "bad_query",
                    rejection.body_text(),
                )
            })
    }
}

/// Yes or no, in the words that clients use in queries.
pub(crate) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        other => Err(de::Error::custom(format!(
            "expected true or false, got '{other}'"
        ))),
    }
}

/// Parts of the path.
#[derive(Debug, Clone)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection: PathRejection| {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_path", in_words(rejection))
            })
    }
}

/// Why a path cannot be read, without the names of our types.
fn in_words(rejection: PathRejection) -> String {
    let rejection = match rejection {
        PathRejection::FailedToDeserializePathParams(rejection) => rejection,
        other => return other.body_text(),
    };
    let text = rejection.body_text();
    match rejection.into_kind() {
        ErrorKind::ParseError { value, .. }
        | ErrorKind::ParseErrorAtIndex { value, .. }
        | ErrorKind::ParseErrorAtKey { value, .. } => {
            format!("{value:?} in the path is none of the whole numbers that can stand there")
        }
        _ => text,
    }
}

/// A body as text, and how it is written down: YAML where the content type says so, else JSON.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) format: Format,
}

impl Written {
    /// Whether nothing was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The tree of values that was sent, and what is wrong in single places of it.
    ///
    /// # Errors
    /// 422: it is no tree at all.
    pub(crate) fn tree(&self) -> Result<(Value, Vec<Problem>), ApiError> {
        tree(&self.text, self.format)
            .map_err(|problems| ApiError::problems("The body cannot be read", problems))
    }
}

impl<S: Send + Sync> FromRequest<S> for Written {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let format = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map_or(Format::Json, format_of);
        let Text(text) = Text::from_request(request, state).await?;
        Ok(Self { text, format })
    }
}

/// The format that a content type names.
fn format_of(content_type: &str) -> Format {
    let media_type = content_type.split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" | "text/vnd.yaml" => {
            Format::Yaml
        }
        _ => Format::Json,
    }
}

/// Rows of a page where none is said.
const USUAL_ROWS: i64 = 100;

/// Rows of a page at most.
const MOST_ROWS: i64 = 1000;

/// The part of a list that `skip` and `limit` ask for.
///
/// # Errors
/// 422: out of range.
pub(crate) fn page(skip: Option<i64>, limit: Option<i64>) -> Result<Page, ApiError> {
    let mut problems = Vec::new();
    let skip = skip.unwrap_or(0);
    if skip < 0 {
        problems.push(Problem::new("skip", format!("is {skip}; at least 0")));
    }
    let limit = limit.unwrap_or(USUAL_ROWS);
    if !(1..=MOST_ROWS).contains(&limit) {
        problems.push(Problem::new("limit", format!("is {limit}; 1 to {MOST_ROWS}")));
    }
    if problems.is_empty() {
        Ok(Page {
            skip: skip.unsigned_abs(),
            limit: limit.unsigned_abs(),
        })
    } else {
        Err(ApiError::problems("There is no such page of the list", problems))
    }
}
