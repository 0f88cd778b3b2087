//! The web UI: its files, and which requests are a browser's for its page.
//!
//! The page and its files tell nothing and are there for everybody; whatever the page shows it
//! asks the API for, with the reader's own rights. Nothing here knows what the pages do.

mod files;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use super::conditional::{is_known, tag_of};
use super::error::ApiError;
use crate::service::Service;
use files::{File, HASHED};

/// Below these, programs ask: what is not there is told in JSON, whoever asks.
const FOR_PROGRAMS: [&str; 7] = [
    "/api", "/assets", "/docs", "/health", "/healthz", "/metrics", "/readyz",
];

/// For files that have a digest of their content in their names: another content has another name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// For all others: kept, and asked for again each time.
const ASK_AGAIN: &str = "no-cache";

/// The routes of this group. They are pages and no operations, so the document has none of them.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().route("/assets/{*path}", get(hashed_file))
}

/// Whether somebody wants to see a page: text for browsers is asked for, and before any JSON.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    let mut wanted = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    let first = wanted.find(|kind| ["text/html", "application/json"].contains(kind));
    first == Some("text/html")
}

/// Whether a request is answered with a page or a file of a page, whoever asks.
pub(super) fn is_for_everybody(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let is_file = path
        .strip_prefix('/')
        .is_some_and(|path| path.starts_with(HASHED));
    is_look(method) && (is_file || (wants_page(headers) && !is_for_programs(path)))
}

fn is_look(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

fn is_for_programs(path: &str) -> bool {
    FOR_PROGRAMS.iter().any(|parent| {
        path.strip_prefix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The page that starts all others.
pub(super) async fn page(method: &Method, headers: &HeaderMap) -> Response {
    answer(method, headers, files::page()).await
}

/// What no route is for: a file of the UI by its name; the page, where a browser looks for one;
/// else nothing that there is.
pub(super) async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if is_look(&method) {
        let path = uri.path();
        if let Some(file) = path.strip_prefix('/').and_then(files::find) {
            return answer(&method, &headers, file).await;
        }
        if is_for_everybody(&method, path, &headers) {
            return page(&method, &headers).await;
        }
    }
    ApiError::not_found("Not Found").into_response()
}

async fn hashed_file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().strip_prefix('/').and_then(files::find) {
        Some(file) => answer(&method, &headers, file).await,
        None => {
            let told =
                ApiError::not_found("Not Found").with_hint("load the page again: its files have changed");
            ([(CACHE_CONTROL, "no-store")], told).into_response()
        }
    }
}

/// A file, packed where that is accepted and worth it, or that whoever asks has it.
async fn answer(method: &Method, headers: &HeaderMap, file: File) -> Response {
    let packed = match file.is_packable && accepts_gzip(headers) {
        true => file.packed().await,
        false => None,
    };
    // Each form has a tag of its own: a cache must not take one for the other.
    let tag = tag_of(&file.digest, if packed.is_some() { "-gz" } else { "" });
    let is_hashed = file.path.starts_with(HASHED);
    let mut answered: Vec<(HeaderName, HeaderValue)> = vec![
        (
            CACHE_CONTROL,
            HeaderValue::from_static(if is_hashed { FOR_EVER } else { ASK_AGAIN }),
        ),
        (
            VARY,
            HeaderValue::from_static(if is_hashed {
                "accept-encoding"
            } else {
                "accept, accept-encoding"
            }),
        ),
    ];
    answered.extend(HeaderValue::try_from(&tag).map(|tag| (ETAG, tag)));
    let mut response = Response::new(Body::empty());
    if is_known(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().extend(answered);
        return response;
    }
    answered.push((CONTENT_TYPE, HeaderValue::from_static(file.content_type)));
    if packed.is_some() {
        answered.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    let content = packed.unwrap_or(file.content);
    answered.push((CONTENT_LENGTH, content.len().into()));
    response.headers_mut().extend(answered);
    if *method != Method::HEAD {
        *response.body_mut() = Body::from(content);
    }
    response
}

/// Whether gzip is accepted, by name or as anything, and not at the weight of nothing.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let weight = |range: &str, name: &str| {
        let (kind, rest) = range.split_once(';').unwrap_or((range, ""));
        let weight = rest
            .trim()
            .strip_prefix("q=")
            .map(|weight| weight.trim().parse::<f64>());
        kind.trim()
            .eq_ignore_ascii_case(name)
            .then(|| weight.is_none_or(|weight| weight.is_ok_and(|weight| weight > 0.0)))
    };
    let said = |name: &str| {
        let values = headers.get_all(ACCEPT_ENCODING).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|range| weight(range, name))
    };
    said("gzip").or_else(|| said("*")).unwrap_or(false)
}
