//! The environment of an engine: the task's variables and, over them, the candidate's.
//!
//! The one idea: a candidate may tune an engine by its environment, but not change which
//! code it runs or which devices it was given. Nor may a task, where GPUs are held for it: it
//! would be measured on others than those. Where none are held it may say itself what it sees.

use std::collections::BTreeMap;

use super::dialect::Dialect;
use super::flags::path_of;
use super::text::has_control;
use crate::problem::Problem;
use crate::space::{Candidate, ParameterName, Target, Value};
use crate::task::EngineSettings;

/// Decide which code is run, so they are nobody's to tune.
const CODE: [&str; 8] = [
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "IFS",
];
/// Say which devices a process sees; they follow from the GPUs it was given.
const DEVICES: [&str; 6] = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "GPU_DEVICE_ORDINAL",
    "NVIDIA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
];

/// The task's variables with the candidate's over them.
///
/// # Errors
/// Every variable that cannot be set, and why.
pub(crate) fn compile(
    dialect: &Dialect,
    settings: &EngineSettings,
    candidate: &Candidate,
) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut variables = BTreeMap::new();
    for (name, value) in &settings.env {
        match check(dialect, name, value, Source::Task) {
            Ok(()) => {
                variables.insert(name.clone(), value.clone());
            }
            Err(problem) => problems.push(Problem {
                path: format!("engine.env.{name}"),
                ..problem
            }),
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for (parameter, value) in candidate.iter() {
        let Target::Environment(name) = parameter.target() else {
            continue;
        };
        let text = value.to_string();
        match check(dialect, name, &text, Source::Candidate) {
            Err(problem) => problems.push(Problem {
                path: path_of(parameter),
                ..problem
            }),
            Ok(()) if seen.contains(&name) => {
                problems.push(Problem::new(path_of(parameter), format!("{name} is set twice")));
            }
            Ok(()) if *value == Value::Unset => {
                variables.remove(name);
            }
            Ok(()) => {
                variables.insert(name.to_owned(), text);
            }
        }
        seen.push(name);
    }
    if problems.is_empty() {
        Ok(variables)
    } else {
        Err(problems)
    }
}

/// That a parameter may set this variable to this.
///
/// # Errors
/// Why not; the path is the caller's to fill in.
pub(crate) fn check_parameter(dialect: &Dialect, name: &str, value: &Value) -> Result<(), Problem> {
    check(dialect, name, &value.to_string(), Source::Candidate)
}

/// That the task does not say which GPUs its engine sees, where it is given some.
///
/// # Errors
/// It does.
pub(crate) fn check_devices(settings: &EngineSettings, gpus: u32) -> Result<(), Problem> {
    let said = DEVICES.iter().find(|name| settings.env.contains_key(**name));
    match said {
        Some(name) if gpus > 0 => Err(Problem::new(
            format!("engine.env.{name}"),
            format!("{name} follows from the GPUs that the experiment is given"),
        )
        .with_hint("leave it out; to keep to some GPUs, set CUDA_VISIBLE_DEVICES for the product itself")),
        _ => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Task,
    Candidate,
}

/// What is wrong with one variable; the path is the caller's to fill in.
fn check(dialect: &Dialect, name: &str, value: &str, source: Source) -> Result<(), Problem> {
    let refuse = |message: String, hint: &str| Err(Problem::new("", message).with_hint(hint));
    if !ParameterName::is_variable(name) {
        return refuse(
            format!("{name:?} is not the name of an environment variable"),
            "a name is letters, digits and '_', and does not begin with a digit",
        );
    }
    if has_control(value) {
        return refuse(
            format!("the value of {name} holds a line break or another control character"),
            "give it in one line",
        );
    }
    let is_loader = name.starts_with("LD_") || name.starts_with("DYLD_");
    let is_allowed_loader = name == "LD_LIBRARY_PATH" && source == Source::Task;
    let is_code = CODE.contains(&name) && source == Source::Candidate;
    if is_code || (is_loader && !is_allowed_loader) {
        return refuse(
            format!("{name} decides which code the engine runs and cannot be set here"),
            "LD_LIBRARY_PATH may be set in engine.env; for another program use engine.program",
        );
    }
    if DEVICES.contains(&name) && source == Source::Candidate {
        return refuse(
            format!("{name} follows from the GPUs that the experiment is given"),
            "use resources.gpus or the parallel sizes",
        );
    }
    if dialect.reserved_variables.contains(&name) {
        return refuse(
            format!("{name} is set by the product and cannot be set here"),
            "address, model and key are the product's; leave the variable out",
        );
    }
    Ok(())
}
