//! What a container's or the daemon's refusal is answered with.

use autotuner_deploy::containers::ContainerError;
use axum::http::StatusCode;

use crate::api::error::ApiError;

impl From<ContainerError> for ApiError {
    fn from(error: ContainerError) -> Self {
        let text = error.to_string();
        match error {
            ContainerError::Unreachable { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "docker_unreachable", text).retry_after(5)
            }
            ContainerError::NotFound { .. } | ContainerError::NoImage { .. } => Self::not_found(text),
            ContainerError::Name { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_path", text),
            ContainerError::Ambiguous { .. } => Self::bad_request("ambiguous", text),
            ContainerError::Invalid { .. } => Self::bad_request("invalid", text),
            ContainerError::Conflict { message } => {
                let hint = remedy(&message);
                let error = Self::new(StatusCode::CONFLICT, "conflict", text);
                match hint {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                }
            }
            ContainerError::Refused { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "docker_error", text)
            }
        }
    }
}

/// What is answered where something was asked of a container: it is called as the request named it.
pub(super) fn of_container(error: ContainerError, name: &str) -> ApiError {
    match error {
        ContainerError::NotFound { .. } => ContainerError::NotFound {
            name: name.to_owned(),
        }
        .into(),
        other => other.into(),
    }
}

/// What to do about a state that is in the way.
fn remedy(message: &str) -> Option<&'static str> {
    let says = |words: &str| message.contains(words);
    if says("try unpause") || says("paused") {
        Some("unpause it first")
    } else if says("running container") || says("Stop the container") {
        Some("stop it first, or remove it with force=true")
    } else {
        None
    }
}
