//! What a catalogue says of a parameter's name and values.
//!
//! The one idea: what the engine would certainly refuse is impossible and a problem; what is
//! merely unknown to us is remarked and passed on, because engines change faster than tables.
//! An engine without a catalogue is never judged.

use std::collections::HashMap;

use super::{FlagInfo, FlagKind};
use crate::engine::EngineKind;
use crate::engine::dialect::{Dialect, Resolved};
use crate::engine::flags::reserved_complaint;
use crate::problem::{Problem, closest};
use crate::space::{ParameterName, Target, Value};

/// Shortest name that is held to be a misspelling of another: short ones are near everything.
const SHORTEST_MISSPELT: usize = 5;

/// Something to say of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Whether the engine would refuse it, or it is only unlikely to be meant.
    pub is_impossible: bool,
    /// What there is to say.
    pub message: String,
    /// What to do about it, where we know.
    pub hint: Option<String>,
}

impl Remark {
    fn impossible(message: String, hint: impl Into<String>) -> Self {
        Self {
            is_impossible: true,
            message,
            hint: Some(hint.into()),
        }
    }

    fn doubt(message: String, hint: impl Into<String>) -> Self {
        Self {
            is_impossible: false,
            message,
            hint: Some(hint.into()),
        }
    }

    /// The remark on a place in a document.
    pub fn at(self, path: &str) -> Problem {
        Problem {
            path: path.to_owned(),
            message: self.message,
            hint: self.hint,
        }
    }
}

/// What there is to say of a parameter's name, given without dashes before it: that it is
/// not for users to set, or that it is near a known one and may be misspelt.
pub fn name_remark(kind: EngineKind, spelt: &str) -> Option<Remark> {
    let dialect = dialect_with_catalogue(kind)?;
    // What follows a dot is a key of the value.
    let head = spelt.split('.').next().unwrap_or(spelt);
    let Resolved { name, .. } = dialect.resolve(head);
    // Beginnings of such names are left to the plan: another release may have the whole flag.
    if let Some(reserved) = dialect.reserved.iter().find(|reserved| **reserved == name) {
        let (message, hint) = reserved_complaint(reserved);
        return Some(Remark {
            is_impossible: true,
            message,
            hint,
        });
    }
    if dialect.find(&name).is_some() || name.len() < SHORTEST_MISSPELT {
        return None;
    }
    let flags = dialect.catalogue.iter().map(|flag| flag.name);
    let aliases = dialect.aliases.iter().map(|(alias, _)| *alias);
    let long = flags
        .chain(aliases)
        .filter(|known| known.len() >= SHORTEST_MISSPELT);
    let meant = closest(&name, long)?;
    let message = format!("\"{head}\" is no flag of {} that we know", kind.as_str());
    let hint = format!(
        "did you mean {meant}? it is passed on as written; versions differ, and `autotuner engines {}` lists what we know",
        kind.as_str()
    );
    Some(Remark::doubt(message, hint))
}

/// What a parameter sets, whatever alias or spelling it is called by: the one name of a flag,
/// which a negation has too, or a variable.
pub(crate) fn identity(kind: Option<EngineKind>, name: &ParameterName) -> String {
    match (kind, name.target()) {
        (Some(kind), Target::Flag(spelt)) => kind.engine().dialect().resolve(spelt).name,
        _ => name.canonical(),
    }
}

/// Whether a parameter is a switch's negation, `no-x`: its values mean the opposite.
pub(crate) fn is_negation(kind: Option<EngineKind>, name: &ParameterName) -> bool {
    match (kind, name.target()) {
        (Some(kind), Target::Flag(spelt)) => kind.engine().dialect().resolve(spelt).is_negated,
        _ => false,
    }
}

/// For each name the index of an earlier one that sets the same, of which one must go.
pub(crate) fn rivals<'a>(
    kind: Option<EngineKind>,
    names: impl IntoIterator<Item = &'a ParameterName>,
) -> Vec<Option<usize>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let names = names.into_iter().enumerate();
    names
        .map(|(index, name)| {
            let first = *seen.entry(identity(kind, name)).or_insert(index);
            (first != index).then_some(first)
        })
        .collect()
}

/// What there is to say of one value of a parameter.
pub fn value_remark(kind: EngineKind, spelt: &str, value: &Value) -> Option<Remark> {
    let flag = known(kind, spelt)?;
    match (flag.kind, value) {
        (_, Value::Unset) => None,
        (kind, value) if kind.is_switch() => not_a_state(flag, value),
        (FlagKind::OnOff | FlagKind::OneZero, Value::Bool(_)) => None,
        (_, Value::Bool(given)) => Some(Remark::impossible(
            format!("{} cannot be {given}: it takes a value", flag.name),
            "give the value itself, or null to let the engine decide",
        )),
        (FlagKind::Integer | FlagKind::Number, value) => number_remark(flag, value),
        (FlagKind::Choice(_) | FlagKind::OnOff | FlagKind::OneZero, value) => choice_remark(flag, value),
        _ => None,
    }
}

/// What there is to say of a range of numbers for a parameter as a whole; its ends are values
/// and have their own remarks.
pub fn range_remark(kind: EngineKind, spelt: &str, is_continuous: bool) -> Option<Remark> {
    let flag = known(kind, spelt)?;
    let what = match flag.kind {
        kind if kind.is_switch() => "is on or off",
        FlagKind::OnOff => "is on, off or auto",
        FlagKind::OneZero if is_continuous => "is 1 or 0",
        FlagKind::Choice(words) if !words.iter().any(|word| word.parse::<f64>().is_ok()) => {
            "is one of some words"
        }
        FlagKind::Choice(_) if is_continuous => "is one of some numbers",
        FlagKind::Integer if is_continuous => {
            let message = format!(
                "{} takes whole numbers, and a continuous range has others between",
                flag.name
            );
            return Some(Remark::impossible(message, "use the type integer"));
        }
        _ => return None,
    };
    let range = if is_continuous {
        "continuous range"
    } else {
        "range of numbers"
    };
    let message = format!("{} {what}, and a {range} is not that", flag.name);
    Some(Remark::impossible(message, "list the values to try"))
}

fn dialect_with_catalogue(kind: EngineKind) -> Option<&'static Dialect> {
    let dialect = kind.engine().dialect();
    (!dialect.catalogue.is_empty()).then_some(dialect)
}

/// What we know of the flag that a parameter sets, given without dashes before it: by its name,
/// an alias of it, or its negation.
pub fn known(kind: EngineKind, spelt: &str) -> Option<&'static FlagInfo> {
    let dialect = dialect_with_catalogue(kind)?;
    dialect.find(&dialect.resolve(spelt).name)
}

fn not_a_state(flag: &FlagInfo, value: &Value) -> Option<Remark> {
    let is_state = match value {
        Value::Bool(_) => true,
        Value::Text(text) => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
        _ => false,
    };
    (!is_state).then(|| {
        Remark::impossible(
            cannot_be(flag, value),
            "it is on or off: write true or false, or null to let the engine decide",
        )
    })
}

fn number_remark(flag: &FlagInfo, value: &Value) -> Option<Remark> {
    let number = match value {
        Value::Text(text) if flag.words.contains(&text.as_str()) => return None,
        Value::Text(text) if flag.is_suffixed && is_suffixed_number(text) => return None,
        Value::Text(text) => text.trim().parse().ok(),
        other => other.as_number(),
    };
    let is_possible = |number: &f64| {
        let is_of_kind = flag.kind != FlagKind::Integer || number.fract() == 0.0;
        number.is_finite() && is_of_kind && flag.range.contains(*number)
    };
    let Some(number) = number.filter(is_possible) else {
        return Some(Remark::impossible(cannot_be(flag, value), allowed(flag)));
    };
    (!flag.usual.contains(number)).then(|| {
        Remark::doubt(
            format!("{value} is unusual for {}", flag.name),
            format!("{} is usual; check that it is meant", flag.usual),
        )
    })
}

fn cannot_be(flag: &FlagInfo, value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{} cannot be \"{text}\"", flag.name),
        other => format!("{} cannot be {other}", flag.name),
    }
}

/// What a numeric flag takes, as advice.
fn allowed(flag: &FlagInfo) -> String {
    let kind = match flag.kind {
        FlagKind::Integer => "a whole number",
        _ => "a number",
    };
    let range = flag.range.to_string();
    let range = match range.as_str() {
        "" => range,
        range if range.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            format!(" from {range}")
        }
        range => format!(", {range}"),
    };
    let words = match flag.words {
        [] => String::new(),
        words => format!(", or {}", words.join(" or ")),
    };
    format!("it takes {kind}{range}{words}")
}

fn choice_remark(flag: &FlagInfo, value: &Value) -> Option<Remark> {
    let words = flag.choices();
    let given = value.to_string();
    if words.contains(&given.as_str()) {
        return None;
    }
    let meant = closest(&given, words.iter().copied());
    let advice = meant.map(|meant| format!("did you mean \"{meant}\"? "));
    let hint = format!("{}known are {}", advice.unwrap_or_default(), words.join(", "));
    let is_number = |word: &str| word.parse::<f64>().is_ok();
    if words.iter().all(|word| is_number(word)) && !is_number(&given) {
        return Some(Remark::impossible(cannot_be(flag, value), hint));
    }
    let message = format!("\"{given}\" is no value of {} that we know", flag.name);
    Some(Remark::doubt(message, format!("{hint}; versions differ")))
}

/// `8k`, `1.5M`: digits and one letter that multiplies.
fn is_suffixed_number(text: &str) -> bool {
    let digits = text.strip_suffix(|last: char| "kKmMgGtT".contains(last));
    digits.is_some_and(|digits| {
        digits.starts_with(|first: char| first.is_ascii_digit()) && digits.parse::<f64>().is_ok()
    })
}
