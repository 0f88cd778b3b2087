//! A preset on the wire, and everything that may be wrong with one.

use autotuner_core::engine::EngineKind;
use autotuner_core::preset::{Preset, VERSION, ValueLists, import};
use autotuner_core::problem::Problem;
use autotuner_store::{NewPreset, PresetRecord, StoreError};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::error::{ApiError, ErrorBody};
use crate::clock::rfc3339;

/// A preset, as it is made or changed.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes what is read by hand, to tell every problem at once"
)]
pub(super) struct PresetBody {
    /// Unique name.
    #[schema(example = "Small batches")]
    name: String,
    /// For people.
    description: Option<String>,
    /// A word to list by.
    #[schema(example = "latency")]
    category: Option<String>,
    /// The engine whose parameters it sets; any where it is left out.
    #[schema(example = "vllm")]
    runtime: Option<String>,
    /// The values to try of each parameter.
    #[schema(example = json!({"max-num-seqs": [8, 16], "enable-prefix-caching": [true, false]}))]
    #[schema(value_type = std::collections::HashMap<String, Vec<Value>>)]
    parameters: Map<String, Value>,
    /// What else its author says of it: `author`, `tags`, `recommended_for`.
    metadata: Option<Map<String, Value>>,
}

/// What to change of a preset: what is left out stays, `null` empties it.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes what is read by hand, to tell every problem at once"
)]
pub(super) struct PresetChange {
    /// Unique name.
    #[schema(example = "Small batches")]
    name: Option<String>,
    /// For people.
    description: Option<String>,
    /// A word to list by.
    category: Option<String>,
    /// The engine whose parameters it sets.
    runtime: Option<String>,
    /// The values to try of each parameter; all of them.
    #[schema(value_type = Option<std::collections::HashMap<String, Vec<Value>>>)]
    parameters: Option<Value>,
    /// What else its author says of it.
    metadata: Option<Map<String, Value>>,
}

/// A preset that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresetView {
    /// Its id.
    id: i64,
    /// Unique name.
    name: String,
    /// For people.
    description: Option<String>,
    /// A word to list by.
    category: Option<String>,
    /// The engine whose parameters it sets; any where it is `null`.
    runtime: Option<String>,
    /// Whether it came with the product, and is not to be changed.
    is_system: bool,
    /// The values to try of each parameter.
    #[schema(value_type = std::collections::HashMap<String, Vec<Value>>)]
    parameters: Value,
    /// What else its author says of it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// How many configurations its values make; `null` where there are more than can be counted.
    combinations: Option<u64>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<PresetRecord> for PresetView {
    fn from(record: PresetRecord) -> Self {
        let PresetRecord {
            id,
            preset,
            created_at_ms,
            updated_at_ms,
        } = record;
        let NewPreset {
            name,
            description,
            category,
            runtime,
            is_system,
            parameters,
            metadata,
        } = preset;
        let lists = parameters.as_object().into_iter().flatten();
        let mut lengths = lists.map(|(_, list)| list.as_array().map_or(1, Vec::len) as u64);
        Self {
            id,
            name,
            description,
            category,
            runtime,
            is_system,
            combinations: lengths.try_fold(1_u64, u64::checked_mul),
            parameters,
            metadata,
            created_at: rfc3339(created_at_ms),
            updated_at: rfc3339(updated_at_ms),
        }
    }
}

/// Why a preset was not kept.
#[derive(Debug)]
pub(super) enum PresetError {
    /// Its document is wrong.
    Invalid {
        /// Every problem.
        problems: Vec<Problem>,
        /// Those of them that old clients know, in their words.
        known: Vec<String>,
    },
    /// Anything else.
    Other(Box<ApiError>),
}

/// What is wrong with a preset, on the wire.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresetErrorBody {
    #[serde(flatten)]
    error: ErrorBody,
    /// The problems with parameters, in the words that older clients show.
    #[schema(example = json!(["Parameter 'tp-size' must be a list"]))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    validation_errors: Vec<String>,
}

impl From<ApiError> for PresetError {
    fn from(error: ApiError) -> Self {
        Self::Other(Box::new(error))
    }
}

impl From<StoreError> for PresetError {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for PresetError {
    fn into_response(self) -> Response {
        let (problems, validation_errors) = match self {
            Self::Other(error) => return error.into_response(),
            Self::Invalid { problems, known } => (problems, known),
        };
        let count = problems.len();
        let text = match count {
            1 => "The preset has a problem".to_owned(),
            _ => format!("The preset has {count} problems"),
        };
        let ApiError { status, body, .. } = ApiError::problems(text, problems);
        let body = PresetErrorBody {
            error: body,
            validation_errors,
        };
        (status, Json(body)).into_response()
    }
}

/// The preset in a request's body, once it has passed the check.
pub(super) fn read(body: &Value) -> Result<Preset, PresetError> {
    // As the inside of a file; where the whole body is no object, that is what is told.
    if !body.is_object() {
        let problem = Problem::new("", "the body is no object");
        return Err(invalid(
            vec![problem.with_hint("send { \"name\": …, \"parameters\": { … } }")],
            body,
        ));
    }
    let file = json!({ "version": VERSION, "preset": body });
    let preset = import(&file).map_err(|problems| invalid(outside(problems), body))?;
    checked(preset, body)
}

/// The kept preset with the keys of a request's body in place of its own.
pub(super) fn patched(kept: &NewPreset, body: &Value) -> Result<Preset, PresetError> {
    let Value::Object(changes) = body else {
        return read(body);
    };
    let mut document = json!({
        "name": kept.name,
        "description": kept.description,
        "category": kept.category,
        "runtime": kept.runtime,
        "parameters": kept.parameters,
        "metadata": kept.metadata,
    });
    for (key, value) in changes {
        document[key] = value.clone();
    }
    read(&document)
}

/// The preset, if there is nothing wrong with it.
pub(super) fn checked(preset: Preset, body: &Value) -> Result<Preset, PresetError> {
    let problems = preset.check().problems;
    if problems.is_empty() {
        Ok(preset)
    } else {
        Err(invalid(problems, body))
    }
}

/// Problems with paths as in the body, where a file's begin one level further out.
fn outside(problems: Vec<Problem>) -> Vec<Problem> {
    let stripped = |mut problem: Problem| {
        if let Some(path) = problem.path.strip_prefix("preset.") {
            problem.path = path.to_owned();
        }
        problem
    };
    problems.into_iter().map(stripped).collect()
}

pub(super) fn invalid(problems: Vec<Problem>, body: &Value) -> PresetError {
    PresetError::Invalid {
        problems,
        known: validation_errors(&body["parameters"]),
    }
}

/// What older clients know to be wrong with parameters.
fn validation_errors(parameters: &Value) -> Vec<String> {
    let Value::Object(map) = parameters else {
        return Vec::new();
    };
    if map.is_empty() {
        return vec!["Parameters cannot be empty".to_owned()];
    }
    let wrong = |(name, list): (&String, &Value)| match list {
        Value::Array(values) if values.is_empty() => Some(format!("Parameter '{name}' cannot be empty")),
        Value::Array(_) => None,
        _ => Some(format!("Parameter '{name}' must be a list")),
    };
    map.iter().filter_map(wrong).collect()
}

/// The engine's own word for this one.
pub(super) fn engine_word(word: &str) -> Result<&'static str, ApiError> {
    EngineKind::from_word(word)
        .map(EngineKind::as_str)
        .ok_or_else(|| {
            let known = EngineKind::ALL.map(EngineKind::as_str).join(", ");
            let text = format!("runtime \"{word}\" is no engine that we know");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_query", text)
                .with_hint(format!("known are {known}"))
        })
}

/// The preset as it is kept.
pub(super) fn new_preset(preset: Preset) -> NewPreset {
    let Preset {
        name,
        description,
        category,
        engine,
        parameters,
        is_system,
        metadata,
    } = preset;
    NewPreset {
        name,
        description,
        category,
        runtime: engine.map(|kind| kind.as_str().to_owned()),
        is_system,
        parameters: parameters.to_json(),
        metadata: metadata.map(Value::Object),
    }
}

/// A kept preset as the brain knows it.
pub(super) fn preset_of(record: PresetRecord) -> Result<Preset, ApiError> {
    let NewPreset {
        name,
        description,
        category,
        runtime,
        is_system,
        parameters,
        metadata,
    } = record.preset;
    let parameters = ValueLists::from_json(&parameters, "parameters").map_err(|problems| {
        let reasons: Vec<String> = problems.iter().map(ToString::to_string).collect();
        StoreError::Unreadable {
            what: format!("preset {}", record.id),
            reason: reasons.join("; "),
        }
    })?;
    let metadata = match metadata {
        Some(Value::Object(map)) => Some(map),
        _ => None,
    };
    Ok(Preset {
        name,
        description,
        category,
        engine: runtime.as_deref().and_then(EngineKind::from_word),
        parameters,
        is_system,
        metadata,
    })
}
