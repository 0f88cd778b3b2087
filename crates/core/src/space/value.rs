//! One value of one parameter.

use std::fmt;

/// A value as a user wrote it in a task document.
///
/// `Unset` (JSON `null`) means: leave the flag away and let the engine decide.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The flag is left away.
    Unset,
    /// On or off; how an engine wants to be told is the engine's matter.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Anything else, passed on as it stands.
    Text(String),
}

impl Value {
    /// The value of a JSON scalar.
    ///
    /// # Errors
    /// A list or an object is no value; the message says so.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        match json {
            serde_json::Value::Null => Ok(Self::Unset),
            serde_json::Value::Bool(flag) => Ok(Self::Bool(*flag)),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Ok(Self::Int(whole)),
                None => match number.as_f64() {
                    Some(real) if real.is_finite() => Ok(Self::Float(real)),
                    _ => Err(format!("{number} is not a number that can be used")),
                },
            },
            serde_json::Value::String(text) => Ok(Self::Text(text.clone())),
            serde_json::Value::Array(_) => Err("a list cannot be a value".into()),
            serde_json::Value::Object(_) => Err("an object cannot be a value".into()),
        }
    }

    /// The value as JSON, the inverse of [`Value::from_json`].
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Unset => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Int(whole) => (*whole).into(),
            Self::Float(real) => (*real).into(),
            Self::Text(text) => text.clone().into(),
        }
    }

    /// The value as a number, where it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            // Exact up to 2^53, far beyond any flag.
            #[expect(clippy::cast_precision_loss, reason = "flags stay far below 2^53")]
            Self::Int(whole) => Some(*whole as f64),
            Self::Float(real) => Some(*real),
            Self::Unset | Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

/// As an engine's command line spells it; `Unset` is `null`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("null"),
            Self::Bool(flag) => flag.fmt(f),
            Self::Int(whole) => whole.fmt(f),
            Self::Float(real) => real.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Int(whole)
    }
}

impl From<f64> for Value {
    fn from(real: f64) -> Self {
        Self::Float(real)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
