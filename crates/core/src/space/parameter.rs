//! One thing that may vary, and within what limits.

use std::fmt;

use super::Value;

/// A parameter's name as the user spelt it, without leading dashes.
///
/// `-` and `_` are kept as written (engines differ in what they accept), but two names
/// that differ only in them are the same parameter; [`ParameterName::canonical`] compares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterName(String);

/// What a parameter sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A flag of the engine's command line, named without dashes.
    Flag(&'a str),
    /// An environment variable of the engine's process.
    Environment(&'a str),
    /// A field of `quant_config`: a number type, in words that fit every engine.
    Quantization(&'a str),
    /// A field of `parallel_config`: a parallel size, in words that fit every engine.
    Parallel(&'a str),
}

impl ParameterName {
    /// The prefix that makes a parameter an environment variable.
    pub const ENVIRONMENT_PREFIX: &'static str = "env.";
    /// The prefix of what `quant_config` sets.
    pub const QUANTIZATION_PREFIX: &'static str = "quant.";
    /// The prefix of what `parallel_config` sets.
    pub const PARALLEL_PREFIX: &'static str = "parallel.";

    /// Takes a name with or without its leading dashes.
    pub fn new(spelt: &str) -> Self {
        Self(spelt.trim_start_matches('-').to_owned())
    }

    /// The name as the user spelt it, without leading dashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with `_` as `-` for a flag; any other as it stands, where both differ.
    pub fn canonical(&self) -> String {
        match self.target() {
            Target::Flag(name) => name.replace('_', "-"),
            Target::Environment(_) | Target::Quantization(_) | Target::Parallel(_) => self.0.clone(),
        }
    }

    /// Whether a text can be the name of a flag, given without its leading dashes: letters,
    /// digits, `-`, `_` and `.`, a letter first.
    pub fn is_flag(spelt: &str) -> bool {
        let is_inside = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        spelt.starts_with(|first: char| first.is_ascii_alphabetic()) && spelt.chars().all(is_inside)
    }

    /// Whether a text can be the name of an environment variable: letters, digits and `_`, no
    /// digit first.
    pub fn is_variable(name: &str) -> bool {
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
    }

    /// What this parameter sets.
    pub fn target(&self) -> Target<'_> {
        let after = |prefix: &str| self.0.strip_prefix(prefix);
        if let Some(variable) = after(Self::ENVIRONMENT_PREFIX) {
            Target::Environment(variable)
        } else if let Some(field) = after(Self::QUANTIZATION_PREFIX) {
            Target::Quantization(field)
        } else if let Some(field) = after(Self::PARALLEL_PREFIX) {
            Target::Parallel(field)
        } else {
            Target::Flag(&self.0)
        }
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The values that a parameter may take.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// One of a list; the order is the user's and carries meaning for ordered values.
    Choice(Vec<Value>),
    /// `low`, `low + step`, … up to `high`, both ends allowed.
    Integer {
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Distance between neighbours, at least 1.
        step: u64,
        /// Whether equal ratios, not equal differences, are equally interesting.
        log: bool,
    },
    /// Any real number from `low` to `high`.
    Continuous {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Whether equal ratios, not equal differences, are equally interesting.
        log: bool,
    },
}

/// A named domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// What varies.
    pub name: ParameterName,
    /// Within what limits.
    pub domain: Domain,
}

impl Domain {
    /// On or off, off first.
    pub fn boolean() -> Self {
        Self::Choice(vec![Value::Bool(false), Value::Bool(true)])
    }

    /// Whether "left to the engine" is one of the values.
    pub fn can_be_unset(&self) -> bool {
        matches!(self, Self::Choice(values) if values.contains(&Value::Unset))
    }

    /// How many values there are; `None` for a continuous domain.
    pub fn size(&self) -> Option<u128> {
        match self {
            Self::Choice(values) => Some(values.len() as u128),
            Self::Integer { low, high, step, .. } => {
                let span = i128::from(*high) - i128::from(*low);
                u128::try_from(span).map_or(Some(0), |span| Some(span / u128::from(*step) + 1))
            }
            Self::Continuous { .. } => None,
        }
    }

    /// The value at `index` in the domain's own order; `None` past the end or for a continuous domain.
    pub fn nth(&self, index: u128) -> Option<Value> {
        match self {
            Self::Choice(values) => values.get(usize::try_from(index).ok()?).cloned(),
            Self::Integer { low, step, .. } => {
                if index >= self.size()? {
                    return None;
                }
                let offset = i128::try_from(index).ok()? * i128::from(*step);
                i64::try_from(i128::from(*low) + offset).ok().map(Value::Int)
            }
            Self::Continuous { .. } => None,
        }
    }

    /// The value at `fraction` (0 to 1) of the domain, on its own scale: for a list the
    /// entry that far down, for a logarithmic range the point that far along in ratios.
    pub fn at(&self, fraction: f64) -> Value {
        let fraction = fraction.clamp(0.0, 1.0);
        match self {
            Self::Choice(values) => {
                let index = scaled_index(fraction, values.len());
                values.get(index).cloned().unwrap_or(Value::Unset)
            }
            Self::Integer { low, high, step, log } => {
                Value::Int(integer_at(fraction, *low, *high, *step, *log))
            }
            Self::Continuous { low, high, log } => {
                let real = interpolate(fraction, *low, *high, *log);
                let finest = if *log { real.abs() } else { high - low };
                Value::Float(rounded(real, finest).clamp(*low, *high))
            }
        }
    }
}

fn scaled_index(fraction: f64, count: usize) -> usize {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a list's length is small and the product is not negative"
    )]
    let index = (fraction * count as f64) as usize;
    index.min(count.saturating_sub(1))
}

fn integer_at(fraction: f64, low: i64, high: i64, step: u64, log: bool) -> i64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "flags stay far below 2^53"
    )]
    {
        let step = step.max(1);
        let last = u64::try_from(i128::from(high) - i128::from(low)).unwrap_or(0) / step;
        // The highest value that there is; `high` itself may lie between two steps.
        let top = low as f64 + last as f64 * step as f64;
        // Half a step beyond both ends, so that the end values are as likely as the others.
        let margin = if step == 1 { 0.5 } else { step as f64 / 2.0 };
        let real = interpolate(
            fraction,
            (low as f64 - margin).max(if log { low as f64 * 0.5 } else { f64::MIN }),
            top + margin,
            log,
        );
        let steps = ((real - low as f64) / step as f64).round().max(0.0) as u64;
        let offset = i128::from(steps.min(last)) * i128::from(step);
        i64::try_from(i128::from(low) + offset).unwrap_or(high)
    }
}

/// `real` to four significant digits of `size`: finer differences are no experiment, and
/// nobody wants to type them.
fn rounded(real: f64, size: f64) -> f64 {
    if size <= 0.0 || !size.is_finite() {
        return real;
    }
    let digits = 3.0 - size.log10().floor();
    // Through text, so that the result is the double that its decimals spell.
    let decimals = digits.clamp(0.0, 15.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped into the range just above"
    )]
    let decimals = decimals as usize;
    format!("{real:.decimals$}").parse().unwrap_or(real)
}

fn interpolate(fraction: f64, low: f64, high: f64, log: bool) -> f64 {
    if log && low > 0.0 {
        (low.ln() + fraction * (high.ln() - low.ln())).exp()
    } else {
        low + fraction * (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_flags_and_variables() {
        let check = |name: &str, is_flag: bool, is_variable: bool| {
            let found = (ParameterName::is_flag(name), ParameterName::is_variable(name));
            assert_eq!(found, (is_flag, is_variable), "{name:?}");
        };
        check("tp", true, true);
        check("max-num_seqs", true, false);
        check("kv-cache.dtype", true, false);
        check("VLLM_USE_V1", true, true);
        check("_x", false, true);
        check("x3", true, true);
        for neither in ["", "3x", "-x", ".x", "a b", "a=b", "ä", "a\n", "a;b"] {
            check(neither, false, false);
        }
    }

    #[test]
    fn every_step_of_a_range_has_an_equal_share_of_it() {
        let check = |low: i64, high: i64, step: u64, expected: &[i64]| {
            let domain = Domain::Integer {
                low,
                high,
                step,
                log: false,
            };
            let parts = expected.len() * 10;
            let drawn: Vec<Value> = (0..parts)
                .map(|part| {
                    domain.at((f64::from(u32::try_from(part).expect("small")) + 0.5)
                        / expected.len() as f64
                        / 10.0)
                })
                .collect();
            let wanted: Vec<Value> = expected
                .iter()
                .flat_map(|value| std::iter::repeat_n(Value::Int(*value), 10))
                .collect();
            assert_eq!(drawn, wanted, "{low} to {high} by {step}");
        };
        check(1, 4, 1, &[1, 2, 3, 4]);
        check(0, 8, 4, &[0, 4, 8]);
        // The range ends between two steps.
        check(0, 11, 4, &[0, 4, 8]);
        check(1, 6, 5, &[1, 6]);
        check(1, 10, 5, &[1, 6]);
    }

    #[test]
    fn continuous_values_are_as_fine_as_anyone_would_type() {
        let check = |low: f64, high: f64, log: bool, fraction: f64, expected: &str| {
            let value = Domain::Continuous { low, high, log }.at(fraction);
            assert_eq!(value.to_string(), expected, "{low} to {high} at {fraction}");
        };
        check(0.5, 0.95, false, 0.333_333, "0.65");
        check(0.5, 0.95, false, 0.123_456, "0.5556");
        check(0.0, 3.0, false, 0.271_828, "0.815");
        check(0.001, 10.0, true, 0.123_456, "0.003118");
        check(0.3, 0.3, false, 0.7, "0.3");
        check(1e6, 3e6, false, 0.123_456_7, "1246913");
    }
}
