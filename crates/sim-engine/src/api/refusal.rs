//! What the engine says when it will not do what it was asked: OpenAI's shape of an error.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use thiserror::Error;

/// Why a request is refused.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("the model is loading; ask again when /health answers 200")]
    Loading,
    #[error("the engine is stopping")]
    Stopping,
    #[error("the request's body cannot be read: {0}")]
    ReadBody(String),
    #[error("the request is not valid JSON for this endpoint: {0}")]
    ParseBody(String),
    #[error("`{parameter}`: {reason}")]
    Parameter { parameter: &'static str, reason: String },
    #[error("the model `{asked}` does not exist; this engine serves `{served}`")]
    UnknownModel { asked: String, served: String },
    #[error("the fault `http-500` is switched on")]
    Fault,
    #[error("the engine has as many requests in flight as the fault `503-at-high-load` allows: {0}")]
    Overloaded(u64),
}

impl Refusal {
    /// A parameter with a value that will not do.
    pub(crate) fn parameter(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::Parameter {
            parameter,
            reason: reason.into(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Loading | Self::Stopping | Self::Overloaded(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::ReadBody(_) | Self::ParseBody(_) | Self::Parameter { .. } => StatusCode::BAD_REQUEST,
            Self::UnknownModel { .. } => StatusCode::NOT_FOUND,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Loading | Self::Stopping | Self::Overloaded(_) => "ServiceUnavailableError",
            Self::ReadBody(_) | Self::ParseBody(_) | Self::Parameter { .. } => "BadRequestError",
            Self::UnknownModel { .. } => "NotFoundError",
            Self::Fault => "InternalServerError",
        }
    }

    fn parameter_name(&self) -> Option<&'static str> {
        match self {
            Self::Parameter { parameter, .. } => Some(parameter),
            Self::UnknownModel { .. } => Some("model"),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({
            "error": {
                "message": self.to_string(),
                "type": self.kind(),
                "param": self.parameter_name(),
                "code": status.as_u16(),
            },
        });
        (status, Json(body)).into_response()
    }
}
