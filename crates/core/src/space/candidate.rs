//! One point of a space.

use std::fmt;

use super::{ParameterName, Value};

/// One configuration: a value for each parameter it sets.
///
/// The empty candidate is the engine's own default configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    assignments: Vec<(ParameterName, Value)>,
}

/// What makes two candidates the same configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidateKey(pub String);

impl Candidate {
    /// A candidate with these values, kept in this order.
    pub fn new(assignments: impl IntoIterator<Item = (ParameterName, Value)>) -> Self {
        Self {
            assignments: assignments.into_iter().collect(),
        }
    }

    /// The engine's own default configuration: nothing is set.
    pub fn engine_default() -> Self {
        Self::default()
    }

    /// The value of the parameter with this name, `-` and `_` held to be the same.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let wanted = ParameterName::new(name).canonical();
        self.assignments
            .iter()
            .find(|(name, _)| name.canonical() == wanted)
            .map(|(_, value)| value)
    }

    /// Names and values in the order of the space.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ParameterName, &Value)> {
        self.assignments.iter().map(|(name, value)| (name, value))
    }

    /// Whether nothing is set.
    pub fn is_engine_default(&self) -> bool {
        self.assignments.is_empty()
    }

    /// The candidate as a JSON object from name to value.
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        self.iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_json()))
            .collect()
    }

    /// The key of what was asked for: names canonical and sorted, values with their type.
    ///
    /// Two candidates that an engine would start alike may still differ here; folding those
    /// is the planner's matter, which knows the engine's arguments.
    pub fn key(&self) -> CandidateKey {
        let mut parts: Vec<String> = self
            .iter()
            .map(|(name, value)| format!("{}={}", name.canonical(), value.to_json()))
            .collect();
        parts.sort();
        CandidateKey(parts.join("\u{1f}"))
    }
}

/// `name=value name=value`, or `engine defaults`.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_engine_default() {
            return f.write_str("engine defaults");
        }
        for (index, (name, value)) in self.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{name}={value}")?;
        }
        Ok(())
    }
}
