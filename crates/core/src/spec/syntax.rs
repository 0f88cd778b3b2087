//! From text to a tree of values, for YAML and JSON alike.
//!
//! Keys keep their order, a key given twice is a problem with a path, and YAML is read
//! by version 1.2: `no`, `off` and `0777` are text. No opinion on what the keys mean.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Format;
use super::findings::Findings;
use super::read::{join, shorten};
use crate::problem::Problem;

/// Largest document, in bytes.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// Most bytes of text once the aliases of a YAML document are filled in.
const MOST_EXPANDED_BYTES: usize = 4 * MOST_BYTES;

/// Deepest nesting of lists and objects.
const MOST_DEPTH: usize = 32;

/// Reads a document. `None` when there is no tree to go on with; the reason is reported.
pub(super) fn parse(text: &str, format: Format, findings: &Findings) -> Option<Value> {
    if text.len() > MOST_BYTES {
        let message = format!(
            "the document has {} bytes; at most {MOST_BYTES} are read",
            text.len()
        );
        findings.report(Problem::new("", message));
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        findings.report(Problem::new("", "the document is empty"));
        return None;
    }
    let tree = match format {
        Format::Json => parse_json(text, findings),
        Format::Yaml => parse_yaml(text, findings),
    };
    tree.map_err(|problem| findings.report(problem)).ok()
}

fn parse_json(text: &str, findings: &Findings) -> Result<Value, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let tree = Seed::root(findings)
        .deserialize(&mut deserializer)
        .and_then(|tree| deserializer.end().map(|()| tree));
    tree.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let whole = error.to_string();
        let position = format!(" at line {line} column {column}");
        let what = whole.strip_suffix(&position).unwrap_or(&whole);
        let problem = Problem::new(
            "",
            format!("not valid JSON at line {line}, column {column}: {what}"),
        );
        if text.trim_start().starts_with('{') {
            problem
        } else {
            problem.with_hint("a JSON document begins with {; name the file .yaml if it is YAML")
        }
    })
}

fn parse_yaml(text: &str, findings: &Findings) -> Result<Value, Problem> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_DEPTH * 2,
            max_total_scalar_bytes: MOST_EXPANDED_BYTES,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Seed::root(findings).deserialize(deserializer)
    });
    read.map_err(|error| yaml_problem(&error))
}

fn yaml_problem(error: &serde_saphyr::Error) -> Problem {
    use serde_saphyr::Error;
    let message = error.to_string();
    let mut cause = error.without_snippet();
    while let Error::AliasError { error, .. } = cause {
        cause = error.without_snippet();
    }
    let what = match cause {
        Error::MultipleDocuments { .. } => {
            return Problem::new("", "the file holds more than one document")
                .with_hint("a task document stands alone; raw Kubernetes manifests are no task documents");
        }
        Error::Budget { .. } => "too large or too deep, aliases filled in",
        Error::NullIntoString { .. } => "null cannot be a key",
        _ => without_position(&message),
    };
    match error.location().filter(|location| location.line() > 0) {
        Some(location) => {
            let (line, column) = (location.line(), location.column());
            let message = format!("not valid YAML at line {line}, column {column}: {what}");
            Problem::new("", message)
        }
        None => Problem::new("", format!("not valid YAML: {what}")),
    }
}

/// The parser's own words without the position, which is said once already.
fn without_position(message: &str) -> &str {
    message
        .split_once(" at line ")
        .map_or(message, |(what, _)| what.trim_end())
}

/// Builds one value of the tree and knows where it stands.
struct Seed<'a> {
    path: String,
    depth: usize,
    findings: &'a Findings,
}

impl<'a> Seed<'a> {
    fn root(findings: &'a Findings) -> Self {
        Self {
            path: String::new(),
            depth: 0,
            findings,
        }
    }

    fn below(&self, path: String) -> Self {
        Self {
            path,
            depth: self.depth + 1,
            findings: self.findings,
        }
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth < MOST_DEPTH {
            Ok(())
        } else {
            Err(E::custom(format!("nested deeper than {MOST_DEPTH} levels")))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Value, E> {
        Ok(Value::from(whole))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value, E> {
        Ok(Value::from(whole))
    }

    fn visit_i128<E>(self, whole: i128) -> Result<Value, E> {
        self.too_large(whole)
    }

    fn visit_u128<E>(self, whole: u128) -> Result<Value, E> {
        self.too_large(whole)
    }

    fn visit_f64<E>(self, real: f64) -> Result<Value, E> {
        Ok(Number::from_f64(real).map_or_else(
            || {
                let message = format!("{real} is not a number that can be used");
                self.findings.report(Problem::new(self.path, message));
                Value::Null
            },
            Value::Number,
        ))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut list = Vec::new();
        while let Some(value) =
            entries.next_element_seed(self.below(format!("{}[{}]", self.path, list.len())))?
        {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = join(&self.path, &shorten(&key));
            let value = entries.next_value_seed(self.below(path.clone()))?;
            if map.insert(key, value).is_some() {
                let problem = Problem::new(path, "is given twice");
                self.findings.report(problem.with_hint("leave one of them away"));
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_bytes<E: serde::de::Error>(self, _bytes: &[u8]) -> Result<Value, E> {
        Err(E::custom("binary data has no place in a task document"))
    }
}

impl Seed<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "stands in for the visitor's own answers")]
    fn too_large<E>(self, whole: impl fmt::Display) -> Result<Value, E> {
        let message = format!("{whole} is too large a number");
        self.findings.report(Problem::new(self.path, message));
        Ok(Value::Null)
    }
}
