//! The search space: what varies, and within what limits.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::findings::Findings;
use super::group::Group;
use super::read::{Fields, Node, Words, shorten};
use super::rules;
use crate::problem::Problem;
use crate::search::StrategyKind;
use crate::space::{Constraint, Domain, Parameter, ParameterName, Space, Target, Value};

/// Most conditions of a task: each is held against thousands of configurations.
const MOST_CONSTRAINTS: usize = 100;

/// Parameters in the order in which the user wrote them, which the grid keeps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters(pub Vec<(String, ParameterSpec)>);

/// The values that one parameter may take.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParameterSpec {
    /// One of these, in this order. `null` leaves the flag away.
    Values(Vec<Json>),
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

/// The kinds of structured parameter that documents may name.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Choice,
    Integer,
    Continuous,
    Boolean,
}

impl Words for Kind {
    const WHAT: &'static str = "parameter type";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("choice", Self::Choice),
        ("integer", Self::Integer),
        ("continuous", Self::Continuous),
        ("boolean", Self::Boolean),
    ];
    const ALIASES: &'static [(&'static str, Self)] = &[
        ("categorical", Self::Choice),
        ("float", Self::Continuous),
        ("int", Self::Integer),
        ("bool", Self::Boolean),
    ];
}

impl Default for ParameterSpec {
    fn default() -> Self {
        Self::Values(Vec::new())
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
        let scalar = json_schema!({ "type": ["null", "boolean", "number", "string"] });
        let values = json_schema!({
            "description": "One of these, in this order; null leaves the flag away.",
            "type": "array", "items": scalar, "minItems": 1
        });
        let choice = json_schema!({
            "description": "The same as a plain list.",
            "type": "object", "required": ["type"], "additionalProperties": false,
            "properties": { "type": { "enum": ["choice", "categorical"] }, "values": values, "choices": values }
        });
        let log = json_schema!({ "type": "boolean", "default": false,
            "description": "Whether equal ratios, not equal differences, are equally interesting." });
        let integer = json_schema!({
            "description": "low, low + step, … up to high.",
            "type": "object", "required": ["type", "low", "high"], "additionalProperties": false,
            "properties": { "type": { "enum": ["integer", "int"] }, "low": { "type": "integer" },
                "high": { "type": "integer" }, "step": { "type": "integer", "minimum": 1, "default": 1 }, "log": log }
        });
        let continuous = json_schema!({
            "description": "Any number from low to high; not for grid_search.",
            "type": "object", "required": ["type", "low", "high"], "additionalProperties": false,
            "properties": { "type": { "enum": ["continuous", "float"] },
                "low": { "type": "number" }, "high": { "type": "number" }, "log": log }
        });
        let boolean = json_schema!({
            "description": "false or true.",
            "type": "object", "required": ["type"], "additionalProperties": false,
            "properties": { "type": { "enum": ["boolean", "bool"] } }
        });
        json_schema!({
            "type": "object",
            "additionalProperties": { "anyOf": [values, choice, integer, continuous, boolean] }
        })
    }
}

/// Reads the `parameters` object.
pub(super) fn read(node: &Node<'_>) -> Option<Parameters> {
    let map = node.free_object()?;
    let entries = map.iter().map(|(name, value)| {
        let entry = Node {
            path: format!("{}.{}", node.path, shorten(name)),
            value,
            findings: node.findings,
        };
        (name.clone(), read_spec(&entry).unwrap_or_default())
    });
    Some(Parameters(entries.collect()))
}

fn read_spec(node: &Node<'_>) -> Option<ParameterSpec> {
    match node.value {
        Json::Array(_) => Some(ParameterSpec::Values(node.list(read_scalar)?)),
        Json::Object(_) => node.object(read_structured)?,
        scalar => {
            let hint = format!("write [{}] for one value", shorten(&scalar.to_string()));
            node.expected(
                "a list of values, or an object with a type such as integer",
                Some(&hint),
            )
        }
    }
}

fn read_structured(fields: &mut Fields<'_>) -> Option<ParameterSpec> {
    fields.require(&["type"], "use choice, integer, continuous or boolean");
    let kind = fields.take("type", Node::word::<Kind>);
    let Some(kind) = kind else {
        // Take what any kind knows, so that the type alone is to blame.
        for key in ["values", "choices", "low", "high", "step", "log"] {
            fields.take(key, |_| Some(()));
        }
        return None;
    };
    match kind {
        Kind::Choice => {
            fields.require(&["values", "choices"], "list the values");
            let values = fields.take_renamed("values", "choices", |node| node.list(read_scalar));
            values.map(ParameterSpec::Values)
        }
        Kind::Integer => {
            require_ends(fields);
            let low = fields.take("low", Node::whole);
            let high = fields.take("high", Node::whole);
            let step = fields.take("step", Node::whole);
            let log = fields.take("log", Node::flag).unwrap_or(false);
            Some(ParameterSpec::Range(Range::Integer {
                low: low?,
                high: high?,
                step,
                log,
            }))
        }
        Kind::Continuous => {
            require_ends(fields);
            let low = fields.take("low", Node::real);
            let high = fields.take("high", Node::real);
            let log = fields.take("log", Node::flag).unwrap_or(false);
            Some(ParameterSpec::Range(Range::Continuous {
                low: low?,
                high: high?,
                log,
            }))
        }
        Kind::Boolean => Some(ParameterSpec::Range(Range::Boolean)),
    }
}

fn require_ends(fields: &Fields<'_>) {
    fields.require(&["low"], "a range has a low and a high end");
    fields.require(&["high"], "a range has a low and a high end");
}

fn read_scalar(node: &Node<'_>) -> Option<Json> {
    match node.value {
        Json::Array(_) | Json::Object(_) => node.expected(
            "a single value",
            Some("values are text, numbers, true, false or null"),
        ),
        Json::Number(number) if number.is_u64() && number.as_i64().is_none() => {
            node.expected("a whole number below 2^63", None)
        }
        scalar => Some(scalar.clone()),
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
            domain: domain(&path, spec, findings),
        };
        check_name(&path, &parameter.name, findings);
        check_for_grid(&path, &parameter.domain, strategy, findings);
        domains.push(parameter);
    }
    domains.extend(groups.iter().flat_map(|group| group.parameters.iter().cloned()));
    let (numbers, conditions) = conditions(constraints, findings);
    Space::new(domains, conditions)
        .map_err(|problems| {
            for problem in problems {
                findings.refuse(as_written(problem, parameters, &numbers));
            }
        })
        .ok()
        .map(|space| groups.into_iter().fold(space, Group::restrict))
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

fn domain(path: &str, spec: &ParameterSpec, findings: &Findings) -> Domain {
    match spec {
        ParameterSpec::Values(values) => Domain::Choice(distinct(path, values, findings)),
        ParameterSpec::Range(Range::Boolean) => Domain::boolean(),
        ParameterSpec::Range(Range::Integer { low, high, step, log }) => Domain::Integer {
            low: *low,
            high: *high,
            step: step.unwrap_or(1),
            log: *log,
        },
        ParameterSpec::Range(Range::Continuous { low, high, log }) => Domain::Continuous {
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
