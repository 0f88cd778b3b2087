//! Readers of single values: each knows where it stands, reports what is wrong there, and
//! lets its caller go on.
//!
//! Only shapes and types are judged here. What a value may be is a rule, and rules look at
//! the typed document.

use serde_json::{Map, Value};

use super::findings::Findings;
use crate::problem::{Problem, closest};

/// Letters of a user's text that are repeated in a message.
const QUOTED_LETTERS: usize = 60;

/// Unknown keys longer than this are not compared with the known ones.
const LONGEST_KEY: usize = 80;

/// One value of the document and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) path: String,
    pub(super) value: &'a Value,
    pub(super) findings: &'a Findings,
}

/// The keys of one object, taken one by one; what nobody took is unknown.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
    findings: &'a Findings,
    offered: Vec<&'static str>,
    aliases: Vec<&'static str>,
}

/// A setting whose values are words.
pub(super) trait Words: Copy + 'static {
    /// What the words name, for messages: `strategy`.
    const WHAT: &'static str;
    /// The words that are offered.
    const WORDS: &'static [(&'static str, Self)];
    /// Further words that are understood.
    const ALIASES: &'static [(&'static str, Self)] = &[];
    /// Advice for words that are no misspelling but come up.
    const ADVICE: &'static [(&'static str, &'static str)] = &[];
}

impl<'a> Node<'a> {
    /// Reports a problem here.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path.clone(), message)
    }

    /// Reports that something else was expected here.
    pub(super) fn expected<T>(&self, what: &str, hint: Option<&str>) -> Option<T> {
        let problem = self.problem(format!("expected {what}, found {}", describe(self.value)));
        self.findings.report(match hint {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        });
        None
    }

    /// A text.
    pub(super) fn text(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => self.expected("text", Some("put it in quotes")),
            _ => self.expected("text", None),
        }
    }

    /// A text, also where a number or a switch was written without quotes.
    pub(super) fn text_of_scalar(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => self.expected("text", None),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(*flag),
            _ => self.expected("true or false", None),
        }
    }

    /// A number.
    pub(super) fn real(&self) -> Option<f64> {
        match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.parse::<f64>().is_ok() => {
                self.expected("a number", Some("leave the quotes away"))
            }
            _ => self.expected("a number", None),
        }
    }

    /// A whole number that fits the wanted type; `30.0` is one too.
    pub(super) fn whole<T: TryFrom<i128>>(&self) -> Option<T> {
        let what = "a whole number";
        let Value::Number(number) = self.value else {
            let quoted = self
                .value
                .as_str()
                .is_some_and(|text| text.parse::<i128>().is_ok());
            return self.expected(what, quoted.then_some("leave the quotes away"));
        };
        let whole = number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .or_else(|| number.as_f64().and_then(whole_of_real));
        let Some(whole) = whole else {
            return self.expected(what, None);
        };
        match T::try_from(whole) {
            Ok(value) => Some(value),
            Err(_) if whole < 0 => self.expected("a whole number of at least 0", None),
            Err(_) => self.expected("a smaller whole number", None),
        }
    }

    /// A list; an entry that cannot be read becomes the default, so that the others keep
    /// their places.
    pub(super) fn list<T: Default>(&self, each: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let Value::Array(entries) = self.value else {
            let hint = match self.value {
                Value::Object(_) => None,
                scalar => Some(format!("write [{}]", shorten(&scalar.to_string()))),
            };
            return self.expected("a list", hint.as_deref());
        };
        Some(
            entries
                .iter()
                .enumerate()
                .map(|(index, value)| each(&self.entry(index, value)).unwrap_or_default())
                .collect(),
        )
    }

    /// A list, or one entry in place of a list of one.
    pub(super) fn list_or_one<T: Default>(&self, each: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        match self.value {
            Value::Array(_) => self.list(each),
            _ => Some(vec![each(self)?]),
        }
    }

    /// An object whose keys are the reader's to take; keys it did not take are reported.
    pub(super) fn object<T>(&self, read: impl FnOnce(&mut Fields<'a>) -> T) -> Option<T> {
        let Value::Object(map) = self.value else {
            return self.expected("an object with keys", None);
        };
        let mut fields = Fields {
            path: self.path.clone(),
            map,
            findings: self.findings,
            offered: Vec::new(),
            aliases: Vec::new(),
        };
        let result = read(&mut fields);
        fields.report_unknown();
        Some(result)
    }

    /// An object whose keys are free.
    pub(super) fn free_object(&self) -> Option<&'a Map<String, Value>> {
        match self.value {
            Value::Object(map) => Some(map),
            _ => self.expected("an object with keys", None),
        }
    }

    /// A word of a known set.
    pub(super) fn word<W: Words>(&self) -> Option<W> {
        let Value::String(text) = self.value else {
            return self.expected(&format!("a {}", W::WHAT), Some(&offer(W::WORDS)));
        };
        let found = W::WORDS.iter().chain(W::ALIASES).find(|(word, _)| word == text);
        if let Some((_, value)) = found {
            return Some(*value);
        }
        let advice = W::ADVICE.iter().find(|(word, _)| word == text);
        let hint = match (closest(text, W::WORDS.iter().map(|(word, _)| *word)), advice) {
            (_, Some((_, advice))) => (*advice).to_owned(),
            (Some(known), None) => format!("did you mean \"{known}\"?"),
            (None, None) => offer(W::WORDS),
        };
        let message = format!("unknown {} \"{}\"", W::WHAT, shorten(text));
        self.findings.report(self.problem(message).with_hint(hint));
        None
    }

    fn entry(&self, index: usize, value: &'a Value) -> Node<'a> {
        Node {
            path: format!("{}[{index}]", self.path),
            value,
            findings: self.findings,
        }
    }
}

impl<'a> Fields<'a> {
    /// What a key holds, if it is there and not null.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node<'a>) -> Option<T>,
    ) -> Option<T> {
        self.offered.push(key);
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        read(&self.node(key, value))
    }

    /// What a key holds under its name or an older name for the same thing.
    pub(super) fn take_renamed<T>(
        &mut self,
        key: &'static str,
        older: &'static str,
        read: impl FnOnce(&Node<'a>) -> Option<T>,
    ) -> Option<T> {
        self.aliases.push(older);
        let old = self.map.get(older).filter(|value| !value.is_null());
        let new = self.map.get(key).filter(|value| !value.is_null());
        match old {
            Some(value) if new.is_none() => {
                self.offered.push(key);
                read(&self.node(older, value))
            }
            Some(value) if new != Some(value) => {
                let message = format!("means the same as \"{key}\", which is given too");
                let problem = Problem::new(self.path_of(older), message);
                self.findings.report(problem.with_hint("leave one of them away"));
                self.take(key, read)
            }
            _ => self.take(key, read),
        }
    }

    /// Reports that a key which must be there is missing; null counts as missing.
    pub(super) fn require(&self, keys: &[&str], hint: &str) {
        let is_given = |key: &&str| self.map.get(*key).is_some_and(|value| !value.is_null());
        if !keys.iter().any(is_given) {
            let problem = Problem::new(self.path_of(keys[0]), "is missing").with_hint(hint);
            self.findings.report(problem);
        }
    }

    /// Whether one of these keys is there.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.map.contains_key(*key))
    }

    /// The path of a key of this object.
    pub(super) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Where to report.
    pub(super) fn findings(&self) -> &'a Findings {
        self.findings
    }

    fn node(&self, key: &str, value: &'a Value) -> Node<'a> {
        Node {
            path: self.path_of(key),
            value,
            findings: self.findings,
        }
    }

    fn report_unknown(&self) {
        let is_known = |key: &str| self.offered.contains(&key) || self.aliases.contains(&key);
        for key in self.map.keys().filter(|key| !is_known(key)) {
            let near = (key.len() <= LONGEST_KEY)
                .then(|| closest(key, self.offered.iter().copied()))
                .flatten();
            let hint = match near {
                Some(known) => format!("did you mean \"{known}\"?"),
                None => format!("known keys here: {}", self.offered.join(", ")),
            };
            let message = format!("unknown key \"{}\"", shorten(key));
            let path = self.path_of(&shorten(key));
            self.findings.report(Problem::new(path, message).with_hint(hint));
        }
    }
}

/// The path of a key inside an object.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// At most as many letters as a message can carry.
pub(super) fn shorten(text: &str) -> String {
    if text.chars().count() <= QUOTED_LETTERS {
        return text.to_owned();
    }
    let head: String = text.chars().take(QUOTED_LETTERS).collect();
    format!("{head}…")
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the text \"{}\"", shorten(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

fn offer<W>(words: &[(&str, W)]) -> String {
    match words {
        [(word, _)] => format!("use {word}"),
        _ => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("use one of {}", words.join(", "))
        }
    }
}

fn whole_of_real(real: f64) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and at most 2^53 in size, both just checked"
    )]
    let whole = real as i128;
    (real.fract() == 0.0 && real.abs() <= EXACT).then_some(whole)
}
