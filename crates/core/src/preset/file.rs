//! A preset as a file that people hand to each other.
//!
//! The one idea: `{"version": "1.0", "preset": {…}}`, the shape that such files have always
//! had, with the engine beside it as `runtime`, so that a preset comes back as it went. A file
//! makes no system preset, and keys that we do not know are let be.

use serde_json::{Map, Value as Json, json};

use super::{Preset, ValueLists};
use crate::engine::EngineKind;
use crate::problem::Problem;

/// Version of the shape, the only one there is.
pub const VERSION: &str = "1.0";

/// The preset as a file's content.
pub fn export(preset: &Preset) -> Json {
    let Preset {
        name,
        description,
        category,
        engine,
        parameters,
        is_system: _,
        metadata,
    } = preset;
    json!({
        "version": VERSION,
        "preset": {
            "name": name,
            "description": description,
            "category": category,
            "runtime": engine.map(EngineKind::as_str),
            "parameters": parameters.to_json(),
            "metadata": metadata,
        },
    })
}

/// The preset in a file's content, shapes and types only; [`Preset::check`] judges the rest.
///
/// # Errors
/// Every place that has not the shape.
pub fn import(json: &Json) -> Result<Preset, Vec<Problem>> {
    let mut problems = Vec::new();
    match json.get("version") {
        None => problems.push(Problem::new("version", "is missing").with_hint("write \"1.0\"")),
        Some(Json::String(version)) if version == VERSION => {}
        Some(other) => {
            problems.push(Problem::new(
                "version",
                format!("is {other}; only \"{VERSION}\" is known"),
            ));
        }
    }
    let Some(Json::Object(preset)) = json.get("preset") else {
        let message = match json.get("preset") {
            None => "is missing",
            Some(_) => "is no object",
        };
        let problem = Problem::new("preset", message);
        problems.push(problem.with_hint("write { \"name\": …, \"parameters\": { … } }"));
        return Err(problems);
    };
    let name = text(preset, "name", &mut problems);
    if name.is_none() && !problems.iter().any(|problem| problem.path == "preset.name") {
        problems.push(Problem::new("preset.name", "is missing"));
    }
    let parameters = match preset.get("parameters") {
        None => Err(vec![Problem::new("preset.parameters", "is missing")]),
        Some(json) => ValueLists::from_json(json, "preset.parameters"),
    };
    let parameters = parameters.unwrap_or_else(|found| {
        problems.extend(found);
        ValueLists::default()
    });
    let imported = Preset {
        name: name.unwrap_or_default(),
        description: text(preset, "description", &mut problems),
        category: text(preset, "category", &mut problems),
        engine: engine(preset, &mut problems),
        parameters,
        is_system: false,
        metadata: metadata(preset, &mut problems),
    };
    if problems.is_empty() {
        Ok(imported)
    } else {
        Err(problems)
    }
}

fn text(preset: &Map<String, Json>, key: &str, problems: &mut Vec<Problem>) -> Option<String> {
    match preset.get(key) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text.clone()),
        Some(other) => {
            problems.push(Problem::new(
                format!("preset.{key}"),
                format!("is {other}, and no text"),
            ));
            None
        }
    }
}

fn engine(preset: &Map<String, Json>, problems: &mut Vec<Problem>) -> Option<EngineKind> {
    let word = text(preset, "runtime", problems)?;
    let kind = EngineKind::from_word(&word);
    if kind.is_none() {
        let known = EngineKind::ALL.map(EngineKind::as_str).join(", ");
        let problem = Problem::new("preset.runtime", format!("unknown engine \"{word}\""));
        problems.push(problem.with_hint(format!("known are {known}; leave it out for any engine")));
    }
    kind
}

fn metadata(preset: &Map<String, Json>, problems: &mut Vec<Problem>) -> Option<Map<String, Json>> {
    match preset.get("metadata") {
        None | Some(Json::Null) => None,
        Some(Json::Object(map)) => Some(map.clone()),
        Some(_) => {
            problems.push(Problem::new("preset.metadata", "is no object"));
            None
        }
    }
}
