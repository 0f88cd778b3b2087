//! What a user changes in the space: other values, fixed values, nothing at all.
//!
//! The one idea: a change names a flag, and a flag is the same however it is spelt; so a
//! change finds its parameter by the engine's one name for it. Constraints follow: a fixed
//! value takes its parameter's place in them, and one that names a parameter that is gone
//! goes with it.

use serde_json::Value as Json;

use super::Request;
use super::draft::{Draft, arguments};
use super::values;
use crate::engine::catalogue::name_remark;
use crate::problem::{Problem, closest};
use crate::space::{Constraint, ParameterName, Target};
use crate::spec::{ParameterSpec, ParameterValues, Range};

/// All changes of a request, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changes {
    set: Vec<(String, ParameterSpec)>,
    fix: Vec<(String, Json)>,
    unset: Vec<String>,
}

impl Changes {
    /// Reads the changes.
    ///
    /// # Errors
    /// Every one that cannot be read.
    pub(super) fn parse(request: &Request) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut changes = Self {
            set: Vec::new(),
            fix: Vec::new(),
            unset: request.unset.iter().map(|name| plain(name)).collect(),
        };
        for text in &request.set {
            match set(text) {
                Ok(entry) => changes.set.push(entry),
                Err(message) => problems.push(Problem::new("set", message).with_hint(values::FORMS)),
            }
        }
        for text in &request.fix {
            match fix(text) {
                Some(entry) => changes.fix.push(entry),
                None => {
                    let problem = Problem::new("fix", format!("{text:?} names no flag with a value"));
                    problems.push(problem.with_hint("write FLAG=VALUE, or FLAG alone for a switch"));
                }
            }
        }
        if problems.is_empty() {
            Ok(changes)
        } else {
            Err(problems)
        }
    }

    /// The whole number that this flag, which has no other names, is fixed at.
    pub(super) fn fixed_whole(&self, flag: &str) -> Option<i64> {
        let fixed = self.fix.iter().find(|(name, _)| name.replace('_', "-") == flag);
        fixed.and_then(|(_, value)| value.as_i64())
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// Every flag that is changed twice, that the engine would refuse, or that was not there
    /// to be left out.
    pub(super) fn apply(&self, draft: &mut Draft, notes: &mut Vec<String>) -> Result<(), Vec<Problem>> {
        let mut problems = self.given_twice(draft);
        for name in &self.unset {
            if let Some(index) = draft.position(name) {
                let (name, _) = draft.parameters.remove(index);
                drop_constraints(draft, &name);
            } else {
                problems.push(not_there(draft, name));
            }
        }
        for (name, value) in &self.fix {
            let complaints = refusals(draft, name, [value]);
            problems.extend(complaints.into_iter().map(|message| Problem::new("fix", message)));
            notes.extend(strange(draft, name));
            if let Some(index) = draft.position(name) {
                let (replaced, _) = draft.parameters.remove(index);
                let meant = match value {
                    Json::Bool(is_on) if draft.is_negation(name) => Json::Bool(!is_on),
                    other => other.clone(),
                };
                put_into_constraints(draft, &replaced, &meant);
            }
            forget_fixed(draft, name);
            draft.fixed.push((name.clone(), value.clone()));
        }
        for (name, spec) in &self.set {
            let complaints = refusals(draft, name, &samples(spec));
            problems.extend(complaints.into_iter().map(|message| Problem::new("set", message)));
            notes.extend(strange(draft, name));
            forget_fixed(draft, name);
            match draft.position(name) {
                // Its values are the other way round, so that conditions on it mean nothing.
                Some(index) if draft.is_negation(name) => {
                    let (replaced, _) =
                        std::mem::replace(&mut draft.parameters[index], (name.clone(), spec.clone()));
                    drop_constraints(draft, &replaced);
                }
                Some(index) => draft.parameters[index].1 = spec.clone(),
                None => draft.parameters.push((name.clone(), spec.clone())),
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn given_twice(&self, draft: &Draft) -> Vec<Problem> {
        let set = self.set.iter().map(|(name, _)| ("set", name));
        let fix = self.fix.iter().map(|(name, _)| ("fix", name));
        let unset = self.unset.iter().map(|name| ("unset", name));
        let mut seen: Vec<String> = Vec::new();
        let mut problems = Vec::new();
        for (part, name) in set.chain(fix).chain(unset) {
            let one_name = draft.one_name(name);
            if seen.contains(&one_name) {
                let message = format!("{name} is changed a second time");
                problems.push(Problem::new(part, message).with_hint("set, fix or unset a flag once"));
            }
            seen.push(one_name);
        }
        problems
    }
}

fn plain(name: &str) -> String {
    ParameterName::new(name.trim()).as_str().to_owned()
}

fn fix(text: &str) -> Option<(String, Json)> {
    let (name, value) = match text.split_once('=') {
        // A variable is text, to the last zero.
        Some((name, value)) if name.trim().starts_with(ParameterName::ENVIRONMENT_PREFIX) => {
            return Some((plain(name), value.into()));
        }
        Some((name, value)) => (name, values::scalar(value.trim())),
        None => (text, Json::Bool(true)),
    };
    let is_whole = !plain(name).is_empty() && value.as_str() != Some("");
    is_whole.then(|| (plain(name), value))
}

fn set(text: &str) -> Result<(String, ParameterSpec), String> {
    let Some((name, described)) = text.split_once('=') else {
        return Err(format!("{text:?} gives no values"));
    };
    let name = plain(name);
    if name.is_empty() {
        return Err(format!("{text:?} names no parameter"));
    }
    Ok((name, values::parameter(described.trim())?))
}

/// Values that stand for all: those of a list, the ends of a range.
fn samples(spec: &ParameterSpec) -> Vec<Json> {
    match &spec.values {
        ParameterValues::List(values) => values.clone(),
        ParameterValues::Range(Range::Integer { low, high, .. }) => vec![(*low).into(), (*high).into()],
        ParameterValues::Range(Range::Continuous { low, high, .. }) => vec![(*low).into(), (*high).into()],
        ParameterValues::Range(Range::Boolean) => vec![Json::Bool(false), Json::Bool(true)],
    }
}

fn refusals<'a>(draft: &Draft, name: &str, values: impl IntoIterator<Item = &'a Json>) -> Vec<String> {
    let name = ParameterName::new(name);
    let mut messages: Vec<String> = Vec::new();
    for value in values {
        for message in arguments(draft.engine, &name, value).err().into_iter().flatten() {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
    }
    messages
}

/// A remark on a flag that we do not know and that looks like one that we do.
fn strange(draft: &Draft, name: &str) -> Option<String> {
    let parameter = ParameterName::new(name);
    let Target::Flag(spelt) = parameter.target() else {
        return None;
    };
    let is_drafted = draft.position(name).is_some();
    // What is impossible is refused with its reason elsewhere.
    let remark = name_remark(draft.engine, spelt).filter(|remark| !remark.is_impossible && !is_drafted)?;
    Some(match remark.hint {
        Some(hint) => format!("{}; {hint}", remark.message),
        None => remark.message,
    })
}

fn not_there(draft: &Draft, name: &str) -> Problem {
    let names: Vec<&str> = draft.parameters.iter().map(|(name, _)| name.as_str()).collect();
    let hint = match closest(name, names.iter().copied()) {
        Some(similar) => format!("did you mean \"{similar}\"?"),
        None => format!("the parameters are {}", names.join(", ")),
    };
    Problem::new("unset", format!("{name:?} is not among the parameters")).with_hint(hint)
}

fn forget_fixed(draft: &mut Draft, name: &str) {
    let one_name = draft.one_name(name);
    let others: Vec<(String, Json)> = draft
        .fixed
        .iter()
        .filter(|(known, _)| draft.one_name(known) != one_name)
        .cloned()
        .collect();
    draft.fixed = others;
}

fn names(constraint: &str, name: &str) -> bool {
    constraint.contains(&format!("{{{name}}}"))
}

fn drop_constraints(draft: &mut Draft, name: &str) {
    draft.constraints.retain(|constraint| !names(constraint, name));
}

/// Puts a value in the place of a parameter. A condition in which nothing varies any more, or
/// which the value makes unreadable, is dropped: the engine will say what it thinks of it.
fn put_into_constraints(draft: &mut Draft, name: &str, value: &Json) {
    let literal = match value {
        Json::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let replaced = draft.constraints.iter().filter_map(|constraint| {
        if !names(constraint, name) {
            return Some(constraint.clone());
        }
        let constraint = constraint.replace(&format!("{{{name}}}"), &literal);
        let varies = Constraint::parse(&constraint).is_ok_and(|parsed| !parsed.parameters().is_empty());
        varies.then_some(constraint)
    });
    draft.constraints = replaced.collect();
}
