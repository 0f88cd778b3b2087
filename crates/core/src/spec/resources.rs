//! What one experiment may use.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::{Node, shorten};
use super::rules;
use crate::problem::Problem;
use crate::task::Resources;

/// Units of memory and their bytes; the longer unit first where one ends in another.
const UNITS: [(&str, u64); 17] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("B", 1),
];

/// What one experiment may use. Everything is optional.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ResourcesSpec {
    /// GPUs; follows from the parallel sizes among the parameters when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// CPUs, possibly a fraction; no limit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Host memory with its unit, for example `8GiB`, or a number of bytes; no limit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["string", "integer", "null"]))]
    pub memory: Option<String>,
}

/// Reads the `resources` object.
pub(super) fn read(node: &Node<'_>) -> Option<ResourcesSpec> {
    node.object(|fields| ResourcesSpec {
        gpus: fields.take("gpus", Node::whole),
        cpus: fields.take("cpus", Node::real),
        memory: fields.take("memory", |node| match node.value {
            serde_json::Value::Number(_) => node.whole::<u64>().map(|bytes| format!("{bytes}B")),
            _ => node.text(),
        }),
    })
}

impl ResourcesSpec {
    /// The checked limits.
    pub(super) fn resolve(&self, findings: &Findings) -> Resources {
        Resources {
            gpus: self.gpus,
            cpus: self
                .cpus
                .map(|cpus| rules::positive("resources.cpus", cpus, findings)),
            memory_bytes: self.memory.as_deref().and_then(|text| {
                let bytes = memory_bytes(text);
                if bytes.is_none() {
                    let message = format!("\"{}\" is not an amount of memory", shorten(text));
                    let hint = "write a number above 0 and its unit, for example 8GiB or 500MB";
                    findings.refuse(Problem::new("resources.memory", message).with_hint(hint));
                }
                bytes
            }),
        }
    }
}

/// The bytes of an amount of memory such as `1.5GiB`; `None` where it is none, or is 0.
pub fn memory_bytes(text: &str) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = text.trim();
    let (number, factor) = UNITS
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap_or((text, 1));
    let number = number.trim();
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).filter(|bytes| *bytes > 0);
    }
    let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    #[expect(
        clippy::cast_precision_loss,
        reason = "units are powers of 2 or 10 far below 2^53"
    )]
    let bytes = number.parse::<f64>().ok().filter(|_| is_plain)? * factor as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 2^53, just checked"
    )]
    (1.0..=EXACT).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::memory_bytes;

    #[test]
    fn memory_is_a_number_with_a_unit() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(memory_bytes(text), expected, "{text}");
        check("8GiB", Some(8 << 30));
        check("8Gi", Some(8 << 30));
        check("8 GB", Some(8_000_000_000));
        check("1.5GiB", Some(3 << 29));
        check("512MiB", Some(512 << 20));
        check("1024", Some(1_024));
        check("1024B", Some(1_024));
        check("0", None);
        check("-1GiB", None);
        check("GiB", None);
        check("8 gigs", None);
        check("8g", None);
        check("1e3GB", None);
        check("18446744073709551615TiB", None);
        check("infGB", None);
        check("", None);
    }
}
