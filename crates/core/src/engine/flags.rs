//! A candidate's values as command-line flags.
//!
//! The one idea: every value becomes whole arguments of its own, and no value can become a
//! flag. Flags come out sorted by name, so that equal configurations are equal argument
//! vectors however they were written. Which names mean the same flag is the
//! [`Dialect`]'s matter.

use super::catalogue::FlagKind;
use super::dialect::{DashedValues, Dialect, Resolved};
use super::text::{has_control, is_flag};
use super::{parallel, quantize};
use crate::problem::{Problem, closest};
use crate::space::{Candidate, ParameterName, Target, Value};

/// One flag as it will be passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// The flag's one name, whatever it was called.
    pub(crate) name: String,
    /// Its arguments; empty where the value is said by leaving the flag away.
    pub(crate) arguments: Vec<String>,
    /// Where in a task document it is set.
    pub(crate) path: String,
    /// Its value as text: `on` and `off` for a switch, `None` where the engine decides.
    pub(crate) value: Option<String>,
}

/// The candidate's flags, sorted by name.
///
/// # Errors
/// Every parameter that cannot be passed, and why.
pub(crate) fn compile(dialect: &Dialect, candidate: &Candidate) -> Result<Vec<Flag>, Vec<Problem>> {
    let mut flags: Vec<(Flag, &ParameterName)> = Vec::new();
    let mut problems = Vec::new();
    for (parameter, value) in candidate.iter() {
        let Target::Flag(spelt) = parameter.target() else {
            continue;
        };
        match compile_one(dialect, parameter, spelt, value) {
            Err((message, hint)) => problems.push(Problem {
                path: path_of(parameter),
                message,
                hint,
            }),
            Ok(flag) => match flags.iter().find(|(known, _)| known.name == flag.name) {
                Some((_, first)) => problems.push(
                    Problem::new(flag.path, format!("{parameter} and {first} are the same flag"))
                        .with_hint("keep one of them"),
                ),
                None => flags.push((flag, parameter)),
            },
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut flags: Vec<Flag> = flags.into_iter().map(|(flag, _)| flag).collect();
    flags.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(flags)
}

/// Where in a task document the parameter stands.
pub(crate) fn path_of(parameter: &ParameterName) -> String {
    match parameter.target() {
        Target::Quantization(field) => format!("{}.{field}", quantize::KEY),
        Target::Parallel(field) => format!("{}.{field}", parallel::KEY),
        Target::Flag(_) | Target::Environment(_) => format!("parameters.{parameter}"),
    }
}

type Complaint = (String, Option<String>);

fn compile_one(
    dialect: &Dialect,
    parameter: &ParameterName,
    spelt: &str,
    value: &Value,
) -> Result<Flag, Complaint> {
    if !ParameterName::is_flag(spelt) {
        return Err((
            format!("{spelt:?} is not the name of a flag"),
            Some("a name is letters, digits, '-', '_' and '.', and begins with a letter".into()),
        ));
    }
    let Resolved { name, is_negated } = dialect.resolve(spelt);
    if let Some(reserved) = dialect.reserved(&name) {
        return Err(reserved_complaint(reserved));
    }
    let spelling = dialect.spell(&name, spelt);
    let kind = dialect.find(&name).map(|flag| flag.kind);
    let (arguments, value) = match (kind, value) {
        (_, Value::Unset) => (Vec::new(), None),
        (Some(kind), value) if kind.is_switch() => {
            let is_on = switch_state(&spelling, value)? != is_negated;
            (
                switch(dialect, kind, &name, &spelling, is_on),
                Some(state_word(is_on)),
            )
        }
        (Some(FlagKind::OnOff), Value::Bool(is_on)) => valued(dialect, spelling, state_word(*is_on))?,
        (Some(FlagKind::OneZero), Value::Bool(is_on)) => {
            valued(dialect, spelling, u8::from(*is_on).to_string())?
        }
        (Some(FlagKind::List), Value::Text(text)) => several(spelling, text)?,
        (Some(_), Value::Bool(given)) => {
            return Err((
                format!("{spelling} takes a value, and {given} is none"),
                Some("give the value itself, or null to let the engine decide".into()),
            ));
        }
        (None, Value::Bool(true)) => (vec![spelling], Some(state_word(true))),
        (None, Value::Bool(false)) => (Vec::new(), Some(state_word(false))),
        (_, value) => valued(dialect, spelling, value.to_string())?,
    };
    Ok(Flag {
        name,
        arguments,
        path: path_of(parameter),
        value,
    })
}

/// The complaint about a flag that is not for users to set.
pub(crate) fn reserved_complaint(reserved: &str) -> Complaint {
    let hint = match reserved {
        "host" | "port" => "the product chooses the address; leave the flag out",
        "api-key" => "the benchmark sends no key; leave the flag out",
        "help" | "version" | "cache-list" | "completion-bash" | "list-devices" => {
            "the engine would print it and end; leave the flag out"
        }
        name if name.starts_with("ssl") => "the product speaks plain HTTP to engines; leave the flag out",
        _ => "it follows from `model` and from the benchmark's `model_name`; set it there",
    };
    (
        format!("--{reserved} is set by the product and cannot be set here"),
        Some(hint.to_owned()),
    )
}

fn switch(dialect: &Dialect, kind: FlagKind, name: &str, spelling: &str, is_on: bool) -> Vec<String> {
    match (kind, is_on) {
        (FlagKind::Switch | FlagKind::Toggle | FlagKind::DefaultOff, true) => vec![spelling.to_owned()],
        (FlagKind::Toggle | FlagKind::DefaultOn, false) => {
            let negation = format!("no-{name}");
            vec![dialect.spell(&negation, &negation)]
        }
        _ => Vec::new(),
    }
}

fn switch_state(spelling: &str, value: &Value) -> Result<bool, Complaint> {
    match value {
        Value::Bool(is_on) => Ok(*is_on),
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        other => {
            let meant = closest(&other.to_string(), ["true", "false"]).unwrap_or("true or false");
            Err((
                format!("{spelling} is on or off, and {other} is neither"),
                Some(format!("write {meant}, or null to let the engine decide")),
            ))
        }
    }
}

fn state_word(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

fn valued(
    dialect: &Dialect,
    spelling: String,
    value: String,
) -> Result<(Vec<String>, Option<String>), Complaint> {
    if has_control(&value) {
        return Err((
            format!("the value of {spelling} holds a line break or another control character"),
            Some("put such text into a file, where the engine has a flag for that".into()),
        ));
    }
    let arguments = match dialect.dashed_values {
        _ if !value.starts_with('-') => vec![spelling, value.clone()],
        DashedValues::Joined => vec![format!("{spelling}={value}")],
        DashedValues::NumbersOnly if is_negative_number(&value) => vec![spelling, value.clone()],
        DashedValues::NumbersOnly => {
            return Err((
                format!(
                    "the value {value:?} of {spelling} begins with a dash; the engine would take it for a flag"
                ),
                Some("give each flag as a parameter of its own".into()),
            ));
        }
    };
    Ok((arguments, Some(value)))
}

fn several(spelling: String, text: &str) -> Result<(Vec<String>, Option<String>), Complaint> {
    let values: Vec<&str> = text.split_whitespace().collect();
    if values.is_empty()
        || values
            .iter()
            .any(|value| is_flag(value) || value.starts_with("--"))
    {
        return Err((
            format!("{spelling} takes one or more values, and {text:?} is not that"),
            Some("write the values with blanks between them".into()),
        ));
    }
    if values.iter().any(|value| has_control(value)) {
        return Err((format!("the value of {spelling} holds a control character"), None));
    }
    let value = values.join(" ");
    let arguments = std::iter::once(spelling)
        .chain(values.into_iter().map(str::to_owned))
        .collect();
    Ok((arguments, Some(value)))
}

fn is_negative_number(value: &str) -> bool {
    value
        .strip_prefix('-')
        .is_some_and(|digits| digits.starts_with(|first: char| first.is_ascii_digit() || first == '.'))
        && value.parse::<f64>().is_ok()
}
