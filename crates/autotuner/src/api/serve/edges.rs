//! What every request and every answer has, whoever answers: a number, one form of path,
//! headers that keep browsers safe, and an answer even where a handler broke down.

use std::any::Any;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::super::error::ApiError;

/// Longest path with query that is looked at.
const LONGEST_URI: usize = 8 * 1_024;

/// Our pages load what is ours and nothing else, run no inline script and are in nobody's frame.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Set where nobody has said otherwise.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

tokio::task_local! {
    static REQUEST: String;
}

/// The number of the request that is being answered, where one is.
pub(crate) fn current_request() -> Option<String> {
    REQUEST.try_with(Clone::clone).ok()
}

/// Gives a request its number, and its answer what every answer has. What is logged of a request
/// is its path and never its query, which may hold a token.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let number = format!("{:016x}", getrandom::u64().unwrap_or_default());
    let span = tracing::error_span!(
        "request",
        request.id = %number,
        method = %request.method(),
        path = request.uri().path(),
    );
    let is_api = request.uri().path().starts_with("/api");
    let answering = async move {
        if request.uri().path_and_query().map_or(0, |uri| uri.as_str().len()) > LONGEST_URI {
            return too_long();
        }
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "a request was answered");
        response
    };
    let mut response = REQUEST.scope(number.clone(), answering.instrument(span)).await;
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if is_api {
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    if is_unauthorized {
        headers
            .entry(WWW_AUTHENTICATE)
            .or_insert(HeaderValue::from_static("Bearer"));
    }
    if let Ok(number) = HeaderValue::try_from(number) {
        headers.insert("x-request-id", number);
    }
    response
}

fn too_long() -> Response {
    let text = format!("the path and query are longer than {LONGEST_URI} bytes");
    ApiError::new(StatusCode::URI_TOO_LONG, "uri_too_long", text).into_response()
}

/// The answer of a handler that broke down. What broke is in the log by then; it is counted
/// where panics are.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands over what was thrown"
)]
pub(super) fn panicked(thrown: Box<dyn Any + Send>) -> Response {
    let text = thrown
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| thrown.downcast_ref::<&str>().copied());
    tracing::error!(panic = text, "a request broke down");
    ApiError::broken().into_response()
}

/// Takes a trailing slash off the path, so that both forms find the same route.
pub(super) async fn one_path_form(mut request: Request, next: Next) -> Response {
    if let Some(uri) = without_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

/// The same address without a slash at the path's end; nothing where there is none. One slash
/// is taken, and never the only one.
fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(text.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trailing_slash_is_no_matter() {
        let check = |text: &str, expected: Option<&str>| {
            let uri: Uri = text.parse().unwrap();
            assert_eq!(
                without_slash(&uri).map(|uri| uri.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check("/", None);
        check("/?a=b/", None);
        check("/api/tasks", None);
        check("/api/tasks/", Some("/api/tasks"));
        check("/api/tasks/?skip=1", Some("/api/tasks?skip=1"));
        check("/api/tasks//", Some("/api/tasks/"));
        check("//", Some("/"));
        check("/api/tasks/%2f", None);
        check("http://localhost:8000/api/", Some("http://localhost:8000/api"));
    }
}
