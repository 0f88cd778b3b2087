//! What an `InferenceService` says of itself: whether it is ready, where, and what it waits for.
//!
//! A pure reading of its status. The one idea: a status counts only if the operator has seen what
//! was asked for last; and what its conditions and its last failure say is handed on in their own
//! words.

use serde_json::Value;

use super::super::fate::told;

/// How a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServiceState {
    /// It is being made, and what it says of that.
    Waiting(String),
    /// The operator will not make it.
    Invalid(String),
    /// It answers at this address.
    Ready(String),
}

/// What a service says of itself.
pub(super) fn read(service: &Value) -> ServiceState {
    let status = &service["status"];
    let generation = service["metadata"]["generation"].as_i64();
    let observed = status["observedGeneration"].as_i64();
    if observed.is_some_and(|observed| generation.is_some_and(|generation| observed < generation)) {
        return ServiceState::Waiting("the operator has not seen it as it is now".into());
    }
    let story = story(status);
    if status["modelStatus"]["transitionStatus"] == "InvalidSpec" {
        return ServiceState::Invalid(story.unwrap_or_else(|| "its operator calls it invalid".into()));
    }
    let is_ready =
        conditions(status).any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    match (is_ready, address(status)) {
        (true, Some(address)) => ServiceState::Ready(address),
        (true, None) => ServiceState::Waiting("it is ready, and has no address yet".into()),
        (false, _) => ServiceState::Waiting(
            story.unwrap_or_else(|| "its operator has said nothing of it yet; does it run?".into()),
        ),
    }
}

fn conditions(status: &Value) -> impl Iterator<Item = &Value> {
    status["conditions"].as_array().into_iter().flatten()
}

/// What keeps it from being ready, in its own words.
fn story(status: &Value) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut messages: Vec<&str> = Vec::new();
    // The conditions that others are made of say more than the one that is made of them.
    let (whole, single): (Vec<&Value>, Vec<&Value>) = conditions(status)
        .filter(|condition| condition["status"] != "True")
        .partition(|condition| condition["type"] == "Ready");
    for condition in single.into_iter().chain(whole) {
        let message = condition["message"].as_str().unwrap_or_default();
        if !message.is_empty() && messages.contains(&message) {
            continue;
        }
        messages.push(message);
        let kind = condition["type"].as_str().unwrap_or_default();
        if let Some(why) = told(condition["reason"].as_str(), Some(message)) {
            parts.push(format!("{kind}: {why}"));
        }
    }
    let failure = &status["modelStatus"]["lastFailureInfo"];
    if let Some(why) = told(failure["reason"].as_str(), failure["message"].as_str()) {
        parts.push(format!("last failure: {why}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Where it answers: inside of the cluster if it says so, else from outside.
fn address(status: &Value) -> Option<String> {
    let inside = status["address"]["url"].as_str();
    let address = inside.or(status["url"].as_str())?.trim_end_matches('/');
    // Some say the path of a protocol that is not the one we speak.
    let tail = ["/v1/models/", "/v2/models/"]
        .iter()
        .find_map(|path| address.find(path));
    let address = tail.map_or(address, |at| &address[..at]);
    (!address.is_empty()).then(|| address.to_owned())
}

#[cfg(test)]
#[path = "tests/conditions.rs"]
mod tests;
