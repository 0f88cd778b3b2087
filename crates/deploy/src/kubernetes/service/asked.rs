//! Whether a pod runs what was asked for.
//!
//! The one idea: a configuration that was not run must not be scored. An operator stands between
//! what is asked and what runs: it merges a runtime in, fills in templates, or leaves parts out. So
//! what its pods say of themselves is held against the order, and only what comes before our own
//! arguments may be the operator's: the last one of its name counts.

use k8s_openapi::api::core::v1::{Container, EnvVar, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use super::super::access::amount;
use super::manifest::STORAGE_URI;

/// What the engine's container must be like.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    name: &'static str,
    container: Container,
}

impl Asked {
    /// What a manifest asks of the container of this name; `None` where it holds none.
    pub(super) fn of(manifest: &Value, name: &'static str) -> Option<Self> {
        let spec = &manifest["spec"];
        let places = [
            &spec["engine"]["runner"],
            &spec["predictor"]["model"],
            &spec["predictor"]["containers"][0],
        ];
        let found = places.into_iter().find(|place| place.is_object())?;
        let mut found = found.clone();
        found["name"] = name.into();
        let container = serde_json::from_value(found).ok()?;
        Some(Self { name, container })
    }

    /// What of it is not in the pod; `None` where all is there.
    pub(super) fn missing_in(&self, pod: &Pod) -> Option<String> {
        let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice());
        let containers = containers.unwrap_or_default();
        let Some(found) = containers.iter().find(|found| found.name == self.name) else {
            let names: Vec<&str> = containers.iter().map(|found| found.name.as_str()).collect();
            return Some(format!(
                "it has no container {}, and has {}",
                self.name,
                names.join(", ")
            ));
        };
        let asked = &self.container;
        image(asked, found)
            .or_else(|| command(asked, found))
            .or_else(|| arguments(asked, found))
            .or_else(|| variables(asked, found))
            .or_else(|| amounts(asked, found))
    }
}

/// An image may have been pinned to what its name meant, and the registry's name written out.
fn image(asked: &Container, found: &Container) -> Option<String> {
    let asked = asked.image.as_deref()?;
    let found = found.image.as_deref().unwrap_or_default();
    let is_pinned = |(repository, _): (&str, &str)| {
        let tag_at = asked.rfind(':').filter(|at| !asked[*at..].contains('/'));
        repository.ends_with(&asked[..tag_at.unwrap_or(asked.len())])
    };
    let is_it = found == asked || found.split_once('@').is_some_and(is_pinned);
    (!is_it).then(|| format!("its image is {found} and not {asked}"))
}

fn command(asked: &Container, found: &Container) -> Option<String> {
    let (asked, found) = (asked.command.as_deref(), found.command.as_deref());
    let (asked, found) = (asked.unwrap_or_default(), found.unwrap_or_default());
    let shown = |command: &[String]| match command {
        [] => "that of its image".to_owned(),
        command => format!("{command:?}"),
    };
    (asked != found).then(|| format!("its command is {} and not {}", shown(found), shown(asked)))
}

fn arguments(asked: &Container, found: &Container) -> Option<String> {
    let (asked, found) = (asked.args.as_deref(), found.args.as_deref());
    let (asked, found) = (asked.unwrap_or_default(), found.unwrap_or_default());
    if found.ends_with(asked) {
        return None;
    }
    let lacking: Vec<&str> = asked
        .iter()
        .filter(|argument| !found.contains(argument))
        .map(String::as_str)
        .collect();
    Some(match lacking.as_slice() {
        [] => format!("its arguments do not end with {asked:?}, they are {found:?}"),
        lacking => format!("its arguments lack {}, they are {found:?}", lacking.join(" ")),
    })
}

/// Which variable is not as it was asked for. What it is may be secret.
fn variables(asked: &Container, found: &Container) -> Option<String> {
    let found = found.env.as_deref().unwrap_or_default();
    let is_there = |asked: &EnvVar| {
        // The last one of a name counts.
        let found = found.iter().rfind(|found| found.name == asked.name);
        found.is_some_and(|found| {
            let values = [asked, found].map(|variable| variable.value.as_deref().unwrap_or_default());
            values[0] == values[1] && asked.value_from == found.value_from
        })
    };
    let mut asked = asked.env.iter().flatten();
    let lacking = asked.find(|variable| variable.name != STORAGE_URI && !is_there(variable))?;
    Some(format!(
        "its variable {} is not as it was asked for",
        lacking.name
    ))
}

fn amounts(asked: &Container, found: &Container) -> Option<String> {
    let limits = |container: &Container| {
        let resources = container.resources.clone().unwrap_or_default();
        resources.limits.unwrap_or_default()
    };
    let found = limits(found);
    let number = |quantity: Option<&Quantity>| quantity.and_then(amount);
    limits(asked).iter().find_map(|(name, wanted)| {
        let has = found.get(name);
        (number(Some(wanted)) != number(has)).then(|| {
            let has = has.map_or("nothing", |has| has.0.as_str());
            format!("its limit of {name} is {has} and not {}", wanted.0)
        })
    })
}

#[cfg(test)]
#[path = "tests/asked.rs"]
mod tests;
