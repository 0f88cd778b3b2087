//! Why something about a pod could not be told or done.

use crate::DeployError;
use crate::error::whole_story;

/// Longest name that a cluster gives.
const LONGEST_NAME: usize = 253;

/// Why something about a pod could not be told or done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PodError {
    /// Nothing says where a cluster is.
    #[error("No Kubernetes cluster is configured: there is no kubeconfig, and this is no pod of a cluster")]
    NotConfigured,
    /// There was no answer.
    #[error("Unable to reach the Kubernetes cluster: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// No pod of ours is called so.
    #[error("Pod {name} not found")]
    NotFound {
        /// As it was asked for.
        name: String,
    },
    /// No pod can be called so.
    #[error("{name:?} cannot be the name of a pod")]
    Name {
        /// As it was asked for.
        name: String,
    },
    /// It was asked wrongly.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
    },
    /// The cluster would not.
    #[error("Kubernetes API error: could not {action}: {message}")]
    Refused {
        /// What was asked of it.
        action: &'static str,
        /// Its own words.
        message: String,
    },
}

impl From<DeployError> for PodError {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Refused { action, message } => Self::Refused { action, message },
            DeployError::TargetGone { target, message } => Self::Unreachable {
                reason: format!("{target} does not answer: {message}"),
            },
            other => Self::Unreachable {
                reason: whole_story(&other),
            },
        }
    }
}

/// Sees to it that a text can be a pod's name before it becomes part of an address.
pub(super) fn checked(name: &str) -> Result<(), PodError> {
    let is_fit =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.');
    let is_inner = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let is_name = name.len() <= LONGEST_NAME
        && name.chars().all(is_fit)
        && is_inner(name.chars().next())
        && is_inner(name.chars().next_back());
    match is_name {
        true => Ok(()),
        false => Err(PodError::Name {
            name: name.chars().take(80).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_cluster_gives_are_asked_for() {
        let check = |name: &str, is_one: bool| assert_eq!(checked(name).is_ok(), is_one, "{name}");
        check("at-chat-0123456789-e2-x7k2p", true);
        check("a.b-c", true);
        check("", false);
        check("..", false);
        check("-a", false);
        check("a/../secrets/b", false);
        check("A", false);
        check("a?watch=1", false);
        check(&"a".repeat(254), false);
    }
}
