//! Reads a request's body whole, before any handler: no larger than allowed, and in time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::super::error::ApiError;

/// Largest body.
const LARGEST: usize = 1_024 * 1_024;

/// Larger where many tasks come at once.
const LARGEST_IMPORT: usize = 5 * LARGEST;

/// Smaller where nobody is known yet.
const LARGEST_LOGIN: usize = 4 * 1_024;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How large the body for this path may be, in bytes.
fn largest(path: &str) -> usize {
    match path {
        "/api/tasks/import" => LARGEST_IMPORT,
        "/api/auth/login" => LARGEST_LOGIN,
        _ => LARGEST,
    }
}

/// Reads the body and hands the request on with it.
pub(super) async fn read(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let limit = largest(request.uri().path());
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > limit as u64) {
        return too_large(limit).into_response();
    }
    let (parts, body) = request.into_parts();
    match timeout(PATIENCE, Limited::new(body, limit).collect()).await {
        Ok(Ok(read)) => {
            let request = Request::from_parts(parts, Body::from(read.to_bytes()));
            next.run(request).await
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(limit).into_response(),
        Ok(Err(_)) => {
            ApiError::bad_request("bad_body", "the body broke off or is not well-formed").into_response()
        }
        Err(_) => {
            let text = format!("the body did not arrive within {} s", PATIENCE.as_secs());
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", text).into_response()
        }
    }
}

fn too_large(limit: usize) -> ApiError {
    let text = format!("The body is larger than {limit} bytes, and that is how large it may be here");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
}
