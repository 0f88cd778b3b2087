//! Values in short: `8,16,32`, `true,false`, `8..64`.
//!
//! The one idea: a value means what it would mean in a task document, so that what is printed
//! is what was typed. A range is told by its dots.

use serde_json::Value as Json;

use crate::spec::{ParameterSpec, ParameterValues, Range};

/// What is accepted, for hints.
pub(super) const FORMS: &str =
    "write NAME=8,16,32 for a list, or NAME=8..64, NAME=8..64:8 (by a step) or NAME=8..64:log for a range";

/// The values that a text describes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parameter(text: &str) -> Result<ParameterSpec, String> {
    match range(text) {
        Some(range) => range.map(|range| ParameterValues::Range(range).into()),
        None => {
            let values: Vec<Json> = text.split(',').map(|value| scalar(value.trim())).collect();
            if values.iter().any(|value| value.as_str() == Some("")) {
                return Err(format!("{text:?} holds an empty value"));
            }
            Ok(ParameterValues::List(values).into())
        }
    }
}

/// One value: a number, true, false, null, or else a text.
pub(super) fn scalar(text: &str) -> Json {
    let is_numeric = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    match text {
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        "null" => Json::Null,
        _ if is_numeric => {
            let real = || {
                text.parse::<f64>()
                    .ok()
                    .filter(|real| real.is_finite())
                    .map(Json::from)
            };
            let whole = text.parse::<i64>().ok().map(Json::from);
            whole.or_else(real).unwrap_or_else(|| text.into())
        }
        _ => text.into(),
    }
}

/// The range that a text describes; `None` where it describes none.
fn range(text: &str) -> Option<Result<Range, String>> {
    let (low, rest) = text.split_once("..")?;
    let low = number(low.trim())?;
    let (high, manner) = match rest.split_once(':') {
        Some((high, manner)) => (high.trim(), Some(manner.trim())),
        None => (rest.trim(), None),
    };
    let Some(high) = number(high) else {
        return Some(Err(format!("{high:?} in {text:?} is not a number")));
    };
    Some(match (low, high) {
        (Number::Whole(low), Number::Whole(high)) => integer(text, low, high, manner),
        (low, high) => continuous(text, low.real(), high.real(), manner),
    })
}

fn integer(text: &str, low: i64, high: i64, manner: Option<&str>) -> Result<Range, String> {
    let (step, log) = match manner {
        None => (None, false),
        Some("log") => (None, true),
        Some(step) => match step.parse::<u64>() {
            Ok(step) if step > 0 => (Some(step), false),
            _ => return Err(format!("{step:?} in {text:?} is neither a step nor \"log\"")),
        },
    };
    Ok(Range::Integer { low, high, step, log })
}

fn continuous(text: &str, low: f64, high: f64, manner: Option<&str>) -> Result<Range, String> {
    let log = match manner {
        None => false,
        Some("log") => true,
        Some(other) => {
            return Err(format!(
                "{other:?} in {text:?} is not \"log\", and such a range has no steps"
            ));
        }
    };
    Ok(Range::Continuous { low, high, log })
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    fn real(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "flags stay far below 2^53")]
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

fn number(text: &str) -> Option<Number> {
    match scalar(text) {
        Json::Number(number) => Some(match number.as_i64() {
            Some(whole) => Number::Whole(whole),
            None => Number::Real(number.as_f64()?),
        }),
        _ => None,
    }
}
