//! What is wrong with a preset, all of it at once, with paths as in its document.
//!
//! The one idea: the same judgement as a task document's, because a preset becomes part of one.

use super::values::is_same;
use super::{Preset, ValueLists};
use crate::engine::EngineKind;
use crate::engine::catalogue::{Remark, name_remark, rivals, value_remark};
use crate::problem::Problem;
use crate::space::{ParameterName, Target, Value};

/// Longest name, in characters.
const LONGEST_NAME: usize = 255;

/// Longest category, in characters.
const LONGEST_CATEGORY: usize = 100;

/// Most parameters, several times the flags that any engine has.
const MOST_PARAMETERS: usize = 1_000;

/// Most values of a parameter. Each is an engine's start, and is compared with those before it.
const MOST_VALUES: usize = 1_000;

/// What checking a preset found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Reasons not to keep it.
    pub problems: Vec<Problem>,
    /// What is accepted but worth saying.
    pub warnings: Vec<Problem>,
}

impl Preset {
    /// Every problem of the preset, and what else is worth saying. Whether its name is taken
    /// is for whoever stores presets to know.
    pub fn check(&self) -> Findings {
        let mut findings = Findings::default();
        let count = self.name.chars().count();
        if self.name.trim().is_empty() {
            findings.refuse("name", "is empty", Some("give the preset a name of its own"));
        } else if self.name.trim() != self.name || self.name.contains(char::is_control) {
            findings.refuse(
                "name",
                "begins or ends with a blank, or holds a control character",
                None,
            );
        } else if count > LONGEST_NAME {
            findings.refuse(
                "name",
                &format!("has {count} characters; at most {LONGEST_NAME}"),
                None,
            );
        }
        let category = self.category.as_deref().unwrap_or_default().chars().count();
        if category > LONGEST_CATEGORY {
            let message = format!("has {category} characters; at most {LONGEST_CATEGORY}");
            findings.refuse("category", &message, None);
        }
        self.parameters.check(self.engine, &mut findings);
        findings
    }
}

impl Findings {
    fn refuse(&mut self, path: &str, message: &str, hint: Option<&str>) {
        let problem = Problem::new(path, message);
        self.problems.push(match hint {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        });
    }

    fn remark(&mut self, remark: Option<Remark>, path: &str) {
        match remark {
            Some(remark) if remark.is_impossible => self.problems.push(remark.at(path)),
            Some(remark) => self.warnings.push(remark.at(path)),
            None => {}
        }
    }
}

impl ValueLists {
    fn check(&self, engine: Option<EngineKind>, findings: &mut Findings) {
        if self.0.is_empty() {
            findings.refuse(
                "parameters",
                "cannot be empty",
                Some("name at least one parameter"),
            );
        }
        if self.0.len() > MOST_PARAMETERS {
            let message = format!("names {} parameters; at most {MOST_PARAMETERS}", self.0.len());
            findings.refuse("parameters", &message, None);
            return;
        }
        let parameters: Vec<ParameterName> = self.iter().map(|(name, _)| ParameterName::new(name)).collect();
        let rivals = rivals(engine, &parameters);
        for (((name, values), parameter), rival) in self.iter().zip(&parameters).zip(rivals) {
            let path = format!("parameters.{name}");
            if !is_sound(parameter) {
                let message = format!("\"{name}\" is neither a flag nor an environment variable");
                let hint = "write the flag's name, for example max-num-seqs, or env.NAME";
                findings.refuse(&path, &message, Some(hint));
                continue;
            }
            if let Some(first) = rival {
                let message = format!("sets the same as parameters.{}", self.0[first].0);
                findings.refuse(&path, &message, Some("keep one of them"));
            }
            let flag = match parameter.target() {
                Target::Flag(flag) => engine.map(|engine| (engine, flag)),
                _ => None,
            };
            if let Some((engine, flag)) = flag {
                findings.remark(name_remark(engine, flag), &path);
            }
            check_values(&path, values, flag, findings);
        }
    }
}

fn check_values(path: &str, values: &[Value], flag: Option<(EngineKind, &str)>, findings: &mut Findings) {
    if values.is_empty() {
        let hint = "list the values to try, or [null] to let the engine decide";
        findings.refuse(path, "cannot be empty", Some(hint));
    }
    if values.len() > MOST_VALUES {
        let message = format!("lists {} values; at most {MOST_VALUES}", values.len());
        findings.refuse(path, &message, None);
        return;
    }
    for (index, value) in values.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if matches!(value, Value::Text(text) if text.contains(char::is_control)) {
            findings.refuse(&path, "holds a line break or another control character", None);
            continue;
        }
        if values[..index].iter().any(|before| is_same(before, value)) {
            let message = format!("{value} is listed before; it is tried once");
            findings.warnings.push(Problem::new(&path, message));
            continue;
        }
        if let Some((engine, flag)) = flag {
            findings.remark(value_remark(engine, flag, value), &path);
        }
    }
}

fn is_sound(name: &ParameterName) -> bool {
    match name.target() {
        Target::Flag(flag) => ParameterName::is_flag(flag),
        Target::Environment(variable) => ParameterName::is_variable(variable),
        // These are for quant_config and parallel_config to set.
        Target::Quantization(_) | Target::Parallel(_) => false,
    }
}
