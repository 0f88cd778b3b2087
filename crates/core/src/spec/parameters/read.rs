//! The `parameters` object of a document, read.

use serde_json::Value as Json;

use super::{ParameterSpec, ParameterValues, Parameters, Range};
use crate::spec::read::{Fields, Node, Words, shorten};

/// The kinds of structured parameter that documents may name.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Choice,
    Integer,
    Continuous,
    Boolean,
}

impl Words for Kind {
    const WHAT: &'static str = "parameter type";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("choice", Self::Choice),
        ("integer", Self::Integer),
        ("continuous", Self::Continuous),
        ("boolean", Self::Boolean),
    ];
    const ALIASES: &'static [(&'static str, Self)] = &[
        ("categorical", Self::Choice),
        ("float", Self::Continuous),
        ("int", Self::Integer),
        ("bool", Self::Boolean),
    ];
}

/// Reads the `parameters` object.
pub(in crate::spec) fn read(node: &Node<'_>) -> Option<Parameters> {
    let map = node.free_object()?;
    let entries = map.iter().map(|(name, value)| {
        let entry = Node {
            path: format!("{}.{}", node.path, shorten(name)),
            value,
            findings: node.findings,
        };
        (name.clone(), read_spec(&entry).unwrap_or_default())
    });
    Some(Parameters(entries.collect()))
}

fn read_spec(node: &Node<'_>) -> Option<ParameterSpec> {
    match node.value {
        Json::Array(_) => Some(ParameterValues::List(node.list(read_scalar)?).into()),
        Json::Object(_) => node.object(read_structured)?,
        scalar => {
            let hint = format!("write [{}] for one value", shorten(&scalar.to_string()));
            node.expected(
                "a list of values, or an object with a type such as integer",
                Some(&hint),
            )
        }
    }
}

fn read_structured(fields: &mut Fields<'_>) -> Option<ParameterSpec> {
    fields.require(&["type"], "use choice, integer, continuous or boolean");
    let when = fields.take("when", Node::text);
    let kind = fields.take("type", Node::word::<Kind>);
    let Some(kind) = kind else {
        // Take what any kind knows, so that the type alone is to blame.
        for key in ["values", "choices", "low", "high", "step", "log"] {
            fields.take(key, |_| Some(()));
        }
        return None;
    };
    let values = read_values(kind, fields)?;
    Some(ParameterSpec { values, when })
}

fn read_values(kind: Kind, fields: &mut Fields<'_>) -> Option<ParameterValues> {
    match kind {
        Kind::Choice => {
            fields.require(&["values", "choices"], "list the values");
            let values = fields.take_renamed("values", "choices", |node| node.list(read_scalar));
            values.map(ParameterValues::List)
        }
        Kind::Integer => {
            require_ends(fields);
            let low = fields.take("low", Node::whole);
            let high = fields.take("high", Node::whole);
            let step = fields.take("step", Node::whole);
            let log = fields.take("log", Node::flag).unwrap_or(false);
            Some(ParameterValues::Range(Range::Integer {
                low: low?,
                high: high?,
                step,
                log,
            }))
        }
        Kind::Continuous => {
            require_ends(fields);
            let low = fields.take("low", Node::real);
            let high = fields.take("high", Node::real);
            let log = fields.take("log", Node::flag).unwrap_or(false);
            Some(ParameterValues::Range(Range::Continuous {
                low: low?,
                high: high?,
                log,
            }))
        }
        Kind::Boolean => Some(ParameterValues::Range(Range::Boolean)),
    }
}

fn require_ends(fields: &Fields<'_>) {
    fields.require(&["low"], "a range has a low and a high end");
    fields.require(&["high"], "a range has a low and a high end");
}

fn read_scalar(node: &Node<'_>) -> Option<Json> {
    match node.value {
        Json::Array(_) | Json::Object(_) => node.expected(
            "a single value",
            Some("values are text, numbers, true, false or null"),
        ),
        Json::Number(number) if number.is_u64() && number.as_i64().is_none() => {
            node.expected("a whole number below 2^63", None)
        }
        scalar => Some(scalar.clone()),
    }
}
