//! Why something about a container could not be told or done.
//!
//! The idea: who is asked decides whose fault it is. What the caller got wrong, what the state of
//! a container does not allow, and what the daemon could not do are told apart here, once, by the
//! daemon's status and its words; whoever answers people only has to give each its code.

use bollard::errors::Error as ClientError;

use crate::DeployError;
use crate::docker::{Failed, Refusal};

/// Why something about a container could not be told or done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// There was no answer.
    #[error("Unable to connect to Docker daemon: {reason}")]
    Unreachable {
        /// Why, and what to do about it.
        reason: String,
    },
    /// There is no such container, or no longer.
    #[error("Container {name} not found")]
    NotFound {
        /// As it was asked for.
        name: String,
    },
    /// There is no such image.
    #[error("Image {reference} not found")]
    NoImage {
        /// As it was asked for.
        reference: String,
    },
    /// No container can be called so.
    #[error("{name:?} cannot be the id or name of a container")]
    Name {
        /// As it was asked for.
        name: String,
    },
    /// The beginning of an id fits several containers.
    #[error("{name} is the beginning of the ids of several containers: give more of it")]
    Ambiguous {
        /// As it was asked for.
        name: String,
    },
    /// The container's or image's state does not allow it.
    #[error("{message}")]
    Conflict {
        /// What the daemon said of it.
        message: String,
    },
    /// It was asked wrongly.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
    },
    /// The daemon could not do it.
    #[error("Docker API error: {message}")]
    Refused {
        /// The status that it answered with.
        status: u16,
        /// Its own words.
        message: String,
    },
}

impl ContainerError {
    /// Reads what the client makes of a failed call that concerned this container or image.
    pub(super) fn of_client(name: &str, error: &ClientError, address: &str) -> Self {
        if let ClientError::DockerResponseServerError { status_code, message } = error {
            return Self::of_answer(name, *status_code, message);
        }
        match Failed::of(address, error) {
            Failed::Gone(error) | Failed::Ours(error) => Self::gone(&error),
            Failed::Refused(Refusal { message, .. }) => Self::Refused { status: 500, message },
        }
    }

    /// Reads the daemon's refusal of something that concerned this container or image.
    pub(super) fn of_answer(name: &str, status: u16, message: &str) -> Self {
        let message = message.trim().to_owned();
        let says = |words: &str| message.contains(words);
        match status {
            404 if says("No such image") || says("no such image") => Self::NoImage {
                reference: name.to_owned(),
            },
            404 if message.is_empty() || says("ontainer") => Self::NotFound {
                name: name.to_owned(),
            },
            // Of something else that it needs: its network, for instance.
            404 => Self::Conflict { message },
            _ if says("Multiple IDs found") || says("multiple IDs found") => Self::Ambiguous {
                name: name.to_owned(),
            },
            409 | 304 => Self::Conflict { message },
            // A container that is not paused cannot be unpaused: a matter of state, whatever the
            // code says.
            500 if says("is not paused") || says("is not running") || says("already paused") => {
                Self::Conflict { message }
            }
            400 => Self::Invalid { message },
            _ => Self::Refused { status, message },
        }
    }

    /// The daemon does not answer.
    pub(super) fn gone(error: &DeployError) -> Self {
        let reason = match error {
            DeployError::TargetGone { target, message } => format!("{target} does not answer: {message}"),
            other => crate::error::whole_story(other),
        };
        Self::Unreachable { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_fault_it_is_is_told_by_code_and_words() {
        let check = |status: u16, message: &str, expected: fn(&ContainerError) -> bool| {
            let error = ContainerError::of_answer("x", status, message);
            assert!(expected(&error), "{status} {message}: {error:?}");
        };
        use ContainerError as E;
        check(404, "No such container: x", |e| matches!(e, E::NotFound { .. }));
        check(404, "No such image: x", |e| matches!(e, E::NoImage { .. }));
        check(500, "Multiple IDs found with provided prefix: x", |e| {
            matches!(e, E::Ambiguous { .. })
        });
        check(409, "cannot start a paused container, try unpause instead", |e| {
            matches!(e, E::Conflict { .. })
        });
        check(500, "Container x is not paused", |e| {
            matches!(e, E::Conflict { .. })
        });
        check(400, "Invalid signal: X", |e| matches!(e, E::Invalid { .. }));
        check(500, "driver failed: port is already allocated", |e| {
            matches!(e, E::Refused { status: 500, .. })
        });
        check(501, "configured logging driver does not support reading", |e| {
            matches!(e, E::Refused { status: 501, .. })
        });
    }
}
