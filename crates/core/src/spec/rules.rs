//! Small rules that several parts of the document share.

use std::time::Duration;

use super::findings::Findings;
use super::read::shorten;
use crate::problem::Problem;
use crate::space::ParameterName;

/// The longest time that a document can ask for: thirty days.
const MOST_SECONDS: f64 = 30.0 * 24.0 * 3600.0;

/// A number above 0.
pub(super) fn positive(path: &str, value: f64, findings: &Findings) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        findings.refuse(Problem::new(
            path,
            format!("is {value}; a number above 0 is needed"),
        ));
    }
    value
}

/// A number of at least 0.
pub(super) fn not_negative(path: &str, value: f64, findings: &Findings) -> f64 {
    if !(value.is_finite() && value >= 0.0) {
        let message = format!("is {value}; a number of at least 0 is needed");
        findings.refuse(Problem::new(path, message));
    }
    value
}

/// A whole number of at least 1.
pub(super) fn at_least_one(path: &str, value: u32, findings: &Findings) -> u32 {
    if value == 0 {
        findings.refuse(Problem::new(path, "is 0; at least 1 is needed"));
    }
    value
}

/// A time above 0, in seconds.
pub(super) fn seconds(path: &str, value: f64, findings: &Findings) -> Duration {
    positive(path, value, findings);
    duration(path, value, findings)
}

/// A time of at least 0, in seconds.
pub(super) fn seconds_or_none(path: &str, value: f64, findings: &Findings) -> Duration {
    not_negative(path, value, findings);
    duration(path, value, findings)
}

fn duration(path: &str, value: f64, findings: &Findings) -> Duration {
    if value > MOST_SECONDS {
        let message = format!("is {value} seconds; at most {MOST_SECONDS} (30 days) are possible");
        findings.refuse(Problem::new(path, message));
    }
    Duration::try_from_secs_f64(value.clamp(0.0, MOST_SECONDS)).unwrap_or_default()
}

/// A text that is not empty and that a program's arguments can carry.
pub(super) fn argument(path: &str, text: &str, findings: &Findings) {
    if text.is_empty() {
        findings.refuse(Problem::new(path, "is empty"));
    }
    no_nul(path, text, findings);
}

/// A text without the byte that ends texts for operating systems.
pub(super) fn no_nul(path: &str, text: &str, findings: &Findings) {
    if text.contains('\0') {
        findings.refuse(Problem::new(
            path,
            "holds a NUL byte, which no argument can carry",
        ));
    }
}

/// The name of an environment variable.
pub(super) fn variable_name(path: &str, name: &str, findings: &Findings) {
    if !ParameterName::is_variable(name) {
        let message = format!("\"{}\" is not the name of an environment variable", shorten(name));
        let hint = "names are letters, digits and _, and do not begin with a digit";
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}
