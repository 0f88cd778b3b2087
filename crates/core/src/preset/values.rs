//! Parameters with the values to try, in the order in which they were written.
//!
//! The one idea: the same shape as a task's `parameters` where each is a plain list, as JSON
//! and as YAML. Whether names and values make sense is not judged here.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use crate::problem::Problem;
use crate::space::Value;

/// Names with their values, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValueLists(pub Vec<(String, Vec<Value>)>);

impl ValueLists {
    /// Each name with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.0
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The values of the parameter that is written just so.
    pub fn get(&self, name: &str) -> Option<&[Value]> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, values)| values)
    }

    /// Reads an object of lists; `path` is where it stands.
    ///
    /// # Errors
    /// Every place that is no object, no list, or no single value.
    pub fn from_json(json: &Json, path: &str) -> Result<Self, Vec<Problem>> {
        let Json::Object(map) = json else {
            let problem = Problem::new(path, "is no object of lists");
            return Err(vec![problem.with_hint("write { \"max-num-seqs\": [64, 128] }")]);
        };
        let mut problems = Vec::new();
        let mut lists = Vec::new();
        for (name, json) in map {
            let path = format!("{path}.{name}");
            let Json::Array(items) = json else {
                let problem = Problem::new(path, "must be a list of values");
                problems.push(problem.with_hint(format!("write [{json}] for one value")));
                continue;
            };
            let mut values = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                match Value::from_json(item) {
                    Ok(value) => values.push(value),
                    Err(message) => problems.push(Problem::new(format!("{path}[{index}]"), message)),
                }
            }
            lists.push((name.clone(), values));
        }
        if problems.is_empty() {
            Ok(Self(lists))
        } else {
            Err(problems)
        }
    }

    /// An object of lists, the inverse of [`ValueLists::from_json`].
    pub fn to_json(&self) -> Json {
        let list = |values: &[Value]| Json::Array(values.iter().map(Value::to_json).collect());
        let entries = self.iter().map(|(name, values)| (name.to_owned(), list(values)));
        Json::Object(entries.collect::<Map<_, _>>())
    }

    /// A task file's `parameters:` in YAML, one line a parameter.
    pub fn to_yaml(&self) -> String {
        if self.0.is_empty() {
            return "parameters: {}\n".to_owned();
        }
        let mut text = "parameters:\n".to_owned();
        for (name, values) in self.iter() {
            let values: Vec<String> = values.iter().map(|value| value.to_json().to_string()).collect();
            let name = key(name);
            let values = values.join(", ");
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  {name}: [{values}]");
        }
        text
    }
}

/// The name as a key in YAML: in quotes unless it is plainly text.
fn key(name: &str) -> String {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_plain = name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(is_inside)
        && !["true", "false", "null"].contains(&name.to_ascii_lowercase().as_str());
    if is_plain {
        name.to_owned()
    } else {
        Json::from(name).to_string()
    }
}

/// Whether two values are the same to an engine: whole and real numbers are of one kind.
pub(super) fn is_same(left: &Value, right: &Value) -> bool {
    match (left.as_number(), right.as_number()) {
        (Some(_), Some(_)) => left.to_string() == right.to_string(),
        (None, None) => left == right,
        _ => false,
    }
}
