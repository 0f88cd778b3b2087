//! Every answer that is none: status, text, code, hint, problems.
//!
//! `detail` is what old clients show; the texts that the REST contract quotes are kept to the
//! letter. `code` is stable. What went wrong on our side is logged with its causes and answered
//! without them.

use autotuner_core::problem::Problem;
use autotuner_store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::serve::current_request;
use crate::worker::chain;

/// An answer that is none.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) body: ErrorBody,
    /// Seconds after which a further attempt may succeed.
    pub(crate) retry_after: Option<u32>,
}

/// What an error looks like on the wire.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorBody {
    /// What happened, to what.
    pub(crate) detail: String,
    /// A stable word for programs.
    pub(crate) code: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Everything that is wrong with a document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<ProblemBody>,
}

/// One thing wrong with a document.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemBody {
    /// Where, as a dotted path; empty for the document as a whole.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl ApiError {
    /// An error with a text and nothing else.
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            body: ErrorBody {
                detail: detail.into(),
                code: code.into(),
                hint: None,
                problems: Vec::new(),
            },
            retry_after: None,
        }
    }

    /// 400: asked wrongly, in the words of the contract.
    pub(crate) fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 422: a document with problems.
    pub(crate) fn problems(detail: impl Into<String>, problems: Vec<Problem>) -> Self {
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        error.body.problems = problems.into_iter().map(ProblemBody::from).collect();
        error
    }

    /// The same error, with advice.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }

    /// The same error, worth another attempt after so many seconds.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Our own fault: its causes go to the log, not to the caller.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "a request failed by our own fault");
        Self::broken()
    }

    /// Our own fault, which is in the log by now.
    pub(crate) fn broken() -> Self {
        let error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side; the server's log says what",
        );
        match current_request() {
            Some(request) => error.with_hint(format!("look for the request {request} in the log")),
            None => error,
        }
    }
}

impl From<Problem> for ProblemBody {
    fn from(problem: Problem) -> Self {
        let Problem { path, message, hint } = problem;
        Self { path, message, hint }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match &error {
            StoreError::NameTaken { .. } => Self::bad_request("name_taken", text),
            StoreError::PresetNameTaken { .. } | StoreError::TokenNameTaken { .. } => {
                Self::new(StatusCode::CONFLICT, "name_taken", text)
            }
            StoreError::NoSuchTask(_)
            | StoreError::NoTaskNamed { .. }
            | StoreError::NoSuchExperiment { .. }
            | StoreError::NoExperimentWithId(_)
            | StoreError::NoSuchRun { .. }
            | StoreError::NoSuchPreset(_)
            | StoreError::NoSuchToken(_) => Self::not_found(text),
            // Handlers give it the contract's words for their own move.
            StoreError::Illegal(_) => Self::bad_request("illegal_move", text),
            StoreError::Busy { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text).retry_after(2)
            }
            StoreError::CannotWrite { .. } => {
                tracing::error!(error = %chain(&error), "the database cannot be written");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "cannot_write", text)
                    .with_hint(
                        "look whether the disk of the data directory is full, or read-only, or the database's \
                         server is gone, and ask again",
                    )
                    .retry_after(10)
            }
            StoreError::AlreadyThere { .. }
            | StoreError::NoFile
            | StoreError::Shared
            | StoreError::Occupied { .. }
            | StoreError::LeaseLost(_)
            | StoreError::Failed { .. }
            | StoreError::Unreadable { .. } => Self::internal(&error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
