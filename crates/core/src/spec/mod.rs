//! The task document: what a user writes, from file to form to database to worker.
//!
//! One document type, [`TaskSpec`], with the same keys in YAML and JSON. Reading collects
//! every problem at once, each with its path and, where we know, what to do: a text becomes
//! a tree of values, hand-written readers turn the tree into the typed document without
//! stopping at a wrong type, and rules then judge the document as a whole. What passes
//! becomes a [`Task`]. Nothing here looks at the machine: whether a path exists or a
//! program may run is somebody else's question.

mod arrival;
mod benchmark;
mod content;
mod document;
mod engine;
mod findings;
mod flags;
mod group;
mod kubernetes;
mod load;
mod optimization;
mod parallel;
mod parameters;
mod precision;
mod quant;
mod read;
mod resolve;
mod resources;
mod room;
mod rules;
mod schema;
mod service;
mod slo;
mod syntax;
#[cfg(test)]
mod tests;
mod traffic;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

pub use arrival::{ArrivalSpec, ArrivalWord, FirstWaveWord, RateSpec, StageSpec};
pub use benchmark::BenchmarkSpec;
pub(crate) use benchmark::{MOST_WARMUP, USUAL_DRAIN_SECONDS};
pub use content::{ConversationSpec, SharingSpec};
pub use document::{DeploymentWord, ModelSpec, TaskSpec};
pub use engine::EngineSpec;
pub use kubernetes::{KubernetesSpec, SecretKeySpec, StorageSpec, StorageWord, TolerationSpec};
pub use load::{LoadSpec, Resolved};
pub use optimization::{ObjectiveWord, OptimizationSpec, StrategyWord};
pub use parallel::ParallelSpec;
pub use parameters::{ParameterSpec, ParameterValues, Parameters, Range};
pub use quant::QuantSpec;
pub use resources::{ResourcesSpec, memory_bytes};
pub use schema::schema;
pub use service::{ClusterResourceSpec, ServiceSpec, ServiceWord};
pub use slo::{Bound, PercentileBounds, SloModeWord, SloSpec, TokenTimeBounds};
pub use traffic::{EndpointWord, TrafficWord};

use crate::problem::Problem;
use crate::task::Task;
use findings::Findings;

/// How a document is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
}

/// A document without problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The document.
    pub spec: TaskSpec,
    /// What was accepted but is worth saying.
    pub warnings: Vec<Problem>,
}

impl Format {
    /// The format of a file of this name: YAML for `.yaml` and `.yml`, JSON for anything else.
    pub fn from_file_name(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if name.ends_with(".yaml") || name.ends_with(".yml") {
            Self::Yaml
        } else {
            Self::Json
        }
    }
}

impl TaskSpec {
    /// Reads a document and holds every rule.
    ///
    /// # Errors
    /// Every problem, in the order of the document's parts.
    pub fn parse(text: &str, format: Format) -> Result<Parsed, Vec<Problem>> {
        let findings = Findings::default();
        match syntax::parse(text, format, &findings) {
            Some(value) => finish(&value, findings),
            None => Err(findings.into_parts().0),
        }
    }

    /// Reads a YAML document and holds every rule.
    ///
    /// # Errors
    /// Every problem, in the order of the document's parts.
    pub fn from_yaml(text: &str) -> Result<Parsed, Vec<Problem>> {
        Self::parse(text, Format::Yaml)
    }

    /// Reads a JSON document and holds every rule.
    ///
    /// # Errors
    /// Every problem, in the order of the document's parts.
    pub fn from_json(text: &str) -> Result<Parsed, Vec<Problem>> {
        Self::parse(text, Format::Json)
    }

    /// Reads a tree of values and holds every rule. A key that was given twice can no
    /// longer be told here; prefer the text where there is one.
    ///
    /// # Errors
    /// Every problem, in the order of the document's parts.
    pub fn from_value(value: &Value) -> Result<Parsed, Vec<Problem>> {
        finish(value, Findings::default())
    }

    /// Every problem of a document that was put together by a program; none for one that
    /// was parsed.
    pub fn check(&self) -> Vec<Problem> {
        let findings = Findings::default();
        resolve::resolve(self, &findings);
        findings.into_parts().0
    }

    /// The task that the document describes, with every default filled in.
    ///
    /// # Errors
    /// Every problem that [`TaskSpec::check`] would list.
    pub fn resolve(&self) -> Result<Task, Vec<Problem>> {
        let findings = Findings::default();
        resolve::resolve(self, &findings).ok_or_else(|| findings.into_parts().0)
    }

    /// The document as YAML, with canonical names and only the keys that are set.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).expect("every part of the document has a YAML form")
    }

    /// The document as indented JSON, with canonical names and only the keys that are set.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every key of the document is text")
    }

    /// The document as a tree of values.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("every key of the document is text")
    }
}

/// Reads shapes and types only, so that a stored document stays readable when rules change.
impl<'de> Deserialize<'de> for TaskSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let findings = Findings::default();
        let spec = document::read(&value, &findings);
        let (problems, _) = findings.into_parts();
        match spec {
            Some(spec) if problems.is_empty() => Ok(spec),
            _ => {
                let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Err(de::Error::custom(texts.join("\n")))
            }
        }
    }
}

/// A text as a tree of values, and what is wrong in single places of it: a key that is given
/// twice, a number that cannot be used. For texts that hold documents among other things.
///
/// # Errors
/// Why the text is no tree at all.
pub fn tree(text: &str, format: Format) -> Result<(Value, Vec<Problem>), Vec<Problem>> {
    let findings = Findings::default();
    let tree = syntax::parse(text, format, &findings);
    let (problems, _) = findings.into_parts();
    match tree {
        Some(tree) => Ok((tree, problems)),
        None => Err(problems),
    }
}

fn finish(value: &Value, findings: Findings) -> Result<Parsed, Vec<Problem>> {
    let spec = document::read(value, &findings);
    findings.reading_is_done();
    if let Some(spec) = &spec {
        resolve::resolve(spec, &findings);
    }
    let (problems, warnings) = findings.into_parts();
    match spec {
        Some(spec) if problems.is_empty() => Ok(Parsed { spec, warnings }),
        _ => Err(problems),
    }
}
