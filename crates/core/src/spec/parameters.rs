//! The search space: what varies, and within what limits.

mod read;

pub(super) use read::read;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::findings::Findings;
use super::group::Group;
use super::read::shorten;
use super::rules;
use crate::problem::Problem;
use crate::search::StrategyKind;
use crate::space::{Constraint, Domain, Parameter, ParameterName, Space, Target, Value};

/// Most conditions of a task: each is held against thousands of configurations.
const MOST_CONSTRAINTS: usize = 100;

/// Parameters in the order in which the user wrote them, which the grid keeps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters(pub Vec<(String, ParameterSpec)>);

/// One parameter: its values, and when it is set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParameterSpec {
    /// The values that it may take.
    pub values: ParameterValues,
    /// The condition under which it is set; always where there is none.
    pub when: Option<String>,
}

/// The values that one parameter may take.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParameterValues {
    /// One of these, in this order. `null` leaves the flag away.
    List(Vec<Json>),
    /// A range, or both positions of a switch.
    Range(Range),
}

/// Values described, not listed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Range {
    /// `low`, `low + step`, … up to `high`.
    Integer {
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Distance between neighbours; 1 when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
        /// Whether equal ratios are equally interesting.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        log: bool,
    },
    /// Any number from `low` to `high`.
    Continuous {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Whether equal ratios are equally interesting.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        log: bool,
    },
    /// `false` or `true`.
    Boolean,
}

impl Default for ParameterValues {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl From<ParameterValues> for ParameterSpec {
    /// A parameter that is always set.
    fn from(values: ParameterValues) -> Self {
        Self { values, when: None }
    }
}

impl Serialize for ParameterSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// A list in the form that has room for a condition.
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "choice")]
        struct Choice<'a> {
            values: &'a [Json],
            when: &'a str,
        }

        #[derive(Serialize)]
        struct Conditional<'a> {
            #[serde(flatten)]
            range: Range,
            when: &'a str,
        }

        match (&self.values, &self.when) {
            (values, None) => values.serialize(serializer),
            (ParameterValues::List(values), Some(when)) => Choice { values, when }.serialize(serializer),
            (ParameterValues::Range(range), Some(when)) => {
                let range = *range;
                Conditional { range, when }.serialize(serializer)
            }
        }
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, spec) in &self.0 {
            map.serialize_entry(name, spec)?;
        }
        map.end()
    }
}

impl JsonSchema for Parameters {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Parameters".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let when = json_schema!({ "type": "string", "minLength": 1,
            "description": "Set only where this is certainly true of the other parameters, as in \"{speculative} == true\"." });
        let scalar = json_schema!({ "type": ["null", "boolean", "number", "string"] });
        let values = json_schema!({
            "description": "One of these, in this order; null leaves the flag away.",
            "type": "array", "items": scalar, "minItems": 1
        });
        let choice = json_schema!({
            "description": "The same as a plain list.",
            "type": "object", "required": ["type"], "additionalProperties": false,
            "properties": { "type": { "enum": ["choice", "categorical"] }, "values": values, "choices": values,
                "when": when }
        });
        let log = json_schema!({ "type": "boolean", "default": false,
            "description": "Whether equal ratios, not equal differences, are equally interesting." });
        let integer = json_schema!({
            "description": "low, low + step, … up to high.",
            "type": "object", "required": ["type", "low", "high"], "additionalProperties": false,
            "properties": { "type": { "enum": ["integer", "int"] }, "low": { "type": "integer" },
                "high": { "type": "integer" }, "step": { "type": "integer", "minimum": 1, "default": 1 }, "log": log,
                "when": when }
        });
        let continuous = json_schema!({
            "description": "Any number from low to high; not for grid_search.",
            "type": "object", "required": ["type", "low", "high"], "additionalProperties": false,
            "properties": { "type": { "enum": ["continuous", "float"] },
                "low": { "type": "number" }, "high": { "type": "number" }, "log": log,
                "when": when }
        });
        let boolean = json_schema!({
            "description": "false or true.",
            "type": "object", "required": ["type"], "additionalProperties": false,
            "properties": { "type": { "enum": ["boolean", "bool"] }, "when": when }
        });
        json_schema!({
            "type": "object",
            "additionalProperties": { "anyOf": [values, choice, integer, continuous, boolean] }
        })
    }
}

/// The space of these parameters, groups and constraints, if it has no problem.
pub(super) fn resolve(
    parameters: &Parameters,
    constraints: &[String],
    strategy: StrategyKind,
    groups: Vec<Group>,
    findings: &Findings,
) -> Option<Space> {
    let mut domains = Vec::with_capacity(parameters.0.len());
    for (name, spec) in &parameters.0 {
        let path = format!("parameters.{}", shorten(name));
        let parameter = Parameter {
            name: ParameterName::new(name),
            domain: domain(&path, &spec.values, findings),
        };
        check_name(&path, &parameter.name, findings);
        check_for_grid(&path, &parameter.domain, strategy, findings);
        domains.push(parameter);
    }
    domains.extend(groups.iter().flat_map(|group| group.parameters.iter().cloned()));
    let (numbers, conditions) = conditions(constraints, findings);
    let conditional = conditional(parameters, findings);
    Space::new(domains, conditions)
        .and_then(|space| space.conditional(conditional))
        .map_err(|problems| {
            for problem in problems {
                findings.refuse(as_written(problem, parameters, &numbers));
            }
        })
        .ok()
        .map(|space| groups.into_iter().fold(space, Group::restrict))
}

/// When parameters are set, where that depends on others.
fn conditional(parameters: &Parameters, findings: &Findings) -> Vec<(ParameterName, Constraint)> {
    let condition = |(name, spec): &(String, ParameterSpec)| {
        let read = Constraint::parse(spec.when.as_deref()?).map_err(|error| {
            let path = format!("parameters.{}.when", shorten(name));
            findings.refuse(Problem::new(path, error.to_string()));
        });
        Some((ParameterName::new(name), read.ok()?))
    };
    parameters.0.iter().filter_map(condition).collect()
}

/// The conditions that can be read, and which number each has in the document.
fn conditions(constraints: &[String], findings: &Findings) -> (Vec<usize>, Vec<Constraint>) {
    if constraints.len() > MOST_CONSTRAINTS {
        let count = constraints.len();
        let message = format!("lists {count} conditions; at most {MOST_CONSTRAINTS} are possible");
        let hint = "leave out what the parameters' own values rule out, or join some with `and`";
        findings.refuse(Problem::new("constraints", message).with_hint(hint));
        return (Vec::new(), Vec::new());
    }
    let read = constraints.iter().enumerate().filter_map(|(index, source)| {
        let read = Constraint::parse(source).map_err(|error| {
            findings.refuse(Problem::new(format!("constraints[{index}]"), error.to_string()));
        });
        Some((index, read.ok()?))
    });
    read.unzip()
}

/// A space's problem with the path that the user knows: names with their dashes,
/// constraints with their numbers in the document.
fn as_written(mut problem: Problem, parameters: &Parameters, numbers: &[usize]) -> Problem {
    if let Some(name) = problem.path.strip_prefix("parameters.") {
        // The last of them: where a name is given twice, the second is to blame.
        let mut names = parameters.0.iter().rev().map(|(written, _)| written);
        let written = names.find(|written| ParameterName::new(written).as_str() == name);
        if let Some(written) = written {
            problem.path = format!("parameters.{}", shorten(written));
        }
    } else if let Some(number) = problem
        .path
        .strip_prefix("constraints[")
        .and_then(|rest| rest.strip_suffix(']'))
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| numbers.get(number))
    {
        problem.path = format!("constraints[{number}]");
    }
    problem
}

fn domain(path: &str, values: &ParameterValues, findings: &Findings) -> Domain {
    match values {
        ParameterValues::List(values) => Domain::Choice(distinct(path, values, findings)),
        ParameterValues::Range(Range::Boolean) => Domain::boolean(),
        ParameterValues::Range(Range::Integer { low, high, step, log }) => Domain::Integer {
            low: *low,
            high: *high,
            step: step.unwrap_or(1),
            log: *log,
        },
        ParameterValues::Range(Range::Continuous { low, high, log }) => Domain::Continuous {
            low: *low,
            high: *high,
            log: *log,
        },
    }
}

/// The values without repetitions, which would only measure the same thing twice.
pub(super) fn distinct(path: &str, values: &[Json], findings: &Findings) -> Vec<Value> {
    let mut distinct: Vec<Value> = Vec::with_capacity(values.len());
    let mut seen = std::collections::HashSet::new();
    for (index, json) in values.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match Value::from_json(json) {
            Ok(value) => {
                if let Value::Text(text) = &value {
                    rules::no_nul(&path, text, findings);
                }
                if seen.insert(Identity(&value).to_string()) {
                    distinct.push(value);
                } else {
                    let message = format!("{value} is listed before; it is tried once");
                    findings.warn(Problem::new(path, message));
                }
            }
            Err(message) => findings.refuse(Problem::new(path, message)),
        }
    }
    distinct
}

/// What tells values apart: their kind, where whole and real numbers are of one kind.
struct Identity<'a>(&'a Value);

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Value::Unset => "unset",
            Value::Bool(_) => "switch",
            Value::Int(_) | Value::Float(_) => "number",
            Value::Text(_) => "text",
        };
        write!(f, "{kind} {}", self.0)
    }
}

fn check_name(path: &str, name: &ParameterName, findings: &Findings) {
    match name.target() {
        Target::Environment(variable) => rules::variable_name(path, variable, findings),
        Target::Quantization(field) => refuse_field(path, "quant_config", field, findings),
        Target::Parallel(field) => refuse_field(path, "parallel_config", field, findings),
        Target::Flag(flag) => {
            if !ParameterName::is_flag(flag) {
                let message = format!("\"{}\" cannot be a flag of an engine", shorten(flag));
                let hint = "write the flag's name, for example max-num-seqs or env.NAME";
                findings.refuse(Problem::new(path, message).with_hint(hint));
            }
        }
    }
}

/// What a part of the document of its own sets is not set here.
fn refuse_field(path: &str, key: &str, field: &str, findings: &Findings) {
    let message = format!("is no flag of an engine: it belongs to {key}");
    let hint = format!("set {key}.{} instead", shorten(field));
    findings.refuse(Problem::new(path, message).with_hint(hint));
}

fn check_for_grid(path: &str, domain: &Domain, strategy: StrategyKind, findings: &Findings) {
    let is_endless = matches!(domain, Domain::Continuous { .. });
    if is_endless && strategy == StrategyKind::Grid && !findings.is_spoilt("optimization.strategy") {
        let message = "a continuous range has endlessly many values, so grid_search cannot list them";
        let hint = "list the values to try, or use the strategy random_search or bayesian";
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}
