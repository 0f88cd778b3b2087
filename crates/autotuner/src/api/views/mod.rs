//! What records look like on the wire.
//!
//! Hand-written types, apart from core's and from the database's: what is here is a promise.
//! Records are taken apart in full, so that a new field cannot be forgotten. Times are RFC 3339
//! in UTC, durations seconds, and nothing secret passes.

mod engine_container;
pub(super) mod experiment;
pub(super) mod hidden;
mod launched;
pub(super) mod run;
pub(super) mod task;
pub(super) mod task_row;

use axum::Json;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::report::results::seconds;

/// How many rows there are in all, where an answer is a part of them.
pub(super) const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// A part of a list, with the number of all rows in a header.
pub(super) struct Part<T> {
    pub(super) rows: Vec<T>,
    pub(super) total: u64,
}

impl<T: Serialize> IntoResponse for Part<T> {
    fn into_response(self) -> Response {
        let total = [(TOTAL, HeaderValue::from(self.total))];
        (total, Json(self.rows)).into_response()
    }
}

/// Seconds between two times, once both are known.
fn elapsed(started_at_ms: Option<i64>, ended_at_ms: Option<i64>) -> Option<f64> {
    Some(seconds(started_at_ms?, ended_at_ms?))
}
