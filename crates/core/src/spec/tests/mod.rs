//! What documents mean, and what is said of those that are wrong.

mod benchmark;
mod load;
mod meaning;
mod portable;
mod problems;
mod properties;
mod schema;
mod text;

use serde_json::{Value, json};

use super::TaskSpec;
use crate::problem::Problem;

/// A document with nothing wrong in it and nothing more than it needs.
fn a_document() -> Value {
    json!({
        "task_name": "a-task",
        "base_runtime": "vllm",
        "model": { "id_or_path": "a-model" },
        "parameters": { "max-num-seqs": [8, 16] },
        "optimization": {},
        "benchmark": {}
    })
}

/// The document with the value at a dotted path replaced, objects made on the way.
fn with(path: &str, value: Value) -> Value {
    let mut document = a_document();
    set(&mut document, path, value);
    document
}

fn set(document: &mut Value, path: &str, value: Value) {
    let mut place = document;
    for key in path.split('/') {
        place = &mut place[key];
    }
    *place = value;
}

fn without(key: &str) -> Value {
    let mut document = a_document();
    document.as_object_mut().expect("an object").shift_remove(key);
    document
}

fn texts(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn problems_of(document: &Value) -> Vec<String> {
    TaskSpec::from_value(document).map_or_else(|problems| texts(&problems), |_| Vec::new())
}

fn warnings_of(document: &Value) -> Vec<String> {
    let parsed = TaskSpec::from_value(document).unwrap_or_else(|problems| panic!("{problems:#?}"));
    texts(&parsed.warnings)
}
