//! Parameters held against what we know of the engine's flags.
//!
//! The one idea: what every experiment with a value would fail of is told when the document is
//! read, at the value's own place. Names that we do not know are passed on, so that a
//! misspelling is a warning and no problem. Nothing here decides how a flag is said.

use super::findings::Findings;
use super::parameters::{ParameterSpec, ParameterValues, Parameters, Range};
use super::read::shorten;
use crate::engine::catalogue::{Remark, name_remark, range_remark, rivals, value_remark};
use crate::engine::{EngineKind, environment};
use crate::problem::Problem;
use crate::space::{ParameterName, Target, Value};

/// Remarks on every parameter of an engine that has a catalogue.
pub(super) fn check(kind: Option<EngineKind>, parameters: &Parameters, findings: &Findings) {
    let Some(kind) = kind else {
        return;
    };
    check_one_name_each(kind, parameters, findings);
    for (written, spec) in &parameters.0 {
        let name = ParameterName::new(written);
        let path = format!("parameters.{}", shorten(written));
        if findings.is_spoilt(&path) {
            continue;
        }
        let spelt = match name.target() {
            Target::Flag(spelt) => spelt,
            Target::Environment(variable) => {
                check_variable(kind, variable, spec, &path, findings);
                continue;
            }
            Target::Quantization(_) | Target::Parallel(_) => continue,
        };
        tell(name_remark(kind, spelt), &path, findings);
        match &spec.values {
            ParameterValues::List(values) => {
                for (index, json) in values.iter().enumerate() {
                    // What is no value at all is the parameters' own problem.
                    if let Ok(value) = Value::from_json(json) {
                        let path = format!("{path}[{index}]");
                        tell(value_remark(kind, spelt, &value), &path, findings);
                    }
                }
            }
            ParameterValues::Range(range) => check_range(kind, spelt, *range, &path, findings),
        }
    }
}

/// Two names of one flag, such as `np` and `parallel`, cannot both have a value. Names that
/// differ in dashes alone are told of where the space is made.
fn check_one_name_each(kind: EngineKind, parameters: &Parameters, findings: &Findings) {
    let names: Vec<ParameterName> = parameters
        .0
        .iter()
        .map(|(name, _)| ParameterName::new(name))
        .collect();
    let rivals = rivals(Some(kind), &names).into_iter().enumerate();
    for (index, first) in rivals.filter_map(|(index, rival)| Some((index, rival?))) {
        if names[index].canonical() != names[first].canonical() {
            let path = format!("parameters.{}", shorten(&parameters.0[index].0));
            let message = format!("sets the same flag as {}", shorten(names[first].as_str()));
            findings.refuse(Problem::new(path, message).with_hint("keep one of them"));
        }
    }
}

/// A variable that no configuration may set, whatever its values, or one with a value that it
/// cannot have. What is no name of a variable is the parameters' own problem.
fn check_variable(kind: EngineKind, variable: &str, spec: &ParameterSpec, path: &str, findings: &Findings) {
    let dialect = kind.engine().dialect();
    let refuse = |problem: Problem, path: &str| {
        findings.refuse(Problem {
            path: path.to_owned(),
            ..problem
        });
    };
    if !ParameterName::is_variable(variable) {
        return;
    }
    if let Err(problem) = environment::check_parameter(dialect, variable, &Value::Unset) {
        return refuse(problem, path);
    }
    let ParameterValues::List(values) = &spec.values else {
        return;
    };
    for (index, json) in values.iter().enumerate() {
        let checked =
            Value::from_json(json).map(|value| environment::check_parameter(dialect, variable, &value));
        if let Ok(Err(problem)) = checked {
            refuse(problem, &format!("{path}[{index}]"));
        }
    }
}

fn check_range(kind: EngineKind, spelt: &str, range: Range, path: &str, findings: &Findings) {
    let (is_continuous, low, high) = match range {
        Range::Boolean => {
            tell(value_remark(kind, spelt, &Value::Bool(true)), path, findings);
            return;
        }
        Range::Integer { low, high, .. } => (false, Value::Int(low), Value::Int(high)),
        Range::Continuous { low, high, .. } => (true, Value::Float(low), Value::Float(high)),
    };
    if let Some(remark) = range_remark(kind, spelt, is_continuous) {
        tell(Some(remark), path, findings);
        return;
    }
    for (end, value) in [("low", low), ("high", high)] {
        tell(
            value_remark(kind, spelt, &value),
            &format!("{path}.{end}"),
            findings,
        );
    }
}

fn tell(remark: Option<Remark>, path: &str, findings: &Findings) {
    match remark {
        Some(remark) if remark.is_impossible => findings.refuse(remark.at(path)),
        Some(remark) => findings.warn(remark.at(path)),
        None => {}
    }
}
