//! Reads one chunk of an answer, in any of the styles in which servers write them.
//!
//! The one idea: all that is asked of a text is whether it is empty, so no text is ever
//! copied. Whatever the style, a chunk says the same few things, a [`Delta`]; `usage` is taken
//! wherever it rides. It knows nothing of stamps and of how a whole answer is judged.

mod llamacpp;
mod openai;
mod pattern;
mod text;
mod tgi;
mod whole;

use autotuner_core::workload::Api;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use pattern::Pattern;
pub(crate) use whole::{Whole, parse as parse_whole};

use text::{Count, Text};

/// What one chunk of an answer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Delta {
    /// The best of the texts that are not empty.
    pub(crate) content: Content,
    /// Whether it says that the answer is finished.
    pub(crate) is_finished: bool,
    /// The server's own count, as far as the chunk has one.
    pub(crate) usage: Usage,
}

/// What kind of text a chunk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Content {
    /// None.
    #[default]
    Nothing,
    /// The model's reasoning, which a user need not see.
    Reasoning,
    /// The answer itself, a refusal or a tool call.
    Visible,
}

/// Tokens as the server counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// Prompt tokens.
    pub(crate) prompt_tokens: Option<u32>,
    /// Answer tokens.
    pub(crate) completion_tokens: Option<u32>,
}

impl Usage {
    /// These counts; where one is missing, that of `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.or(other.prompt_tokens),
            completion_tokens: self.completion_tokens.or(other.completion_tokens),
        }
    }
}

/// Why a chunk says nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is no JSON, or a known key has a type that it cannot have.
    Unreadable(serde_json::Error),
    /// It carries an error of the server's; this is its text.
    InBand(String),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// A chunk that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Chunk<'a> {
    /// What it carries.
    pub(crate) delta: Delta,
    /// One of the texts that make it content, where it stands in the data as it is.
    text: Option<&'a str>,
}

impl<'a> Chunk<'a> {
    /// Takes a text into account.
    fn hear(&mut self, content: Content, text: Option<Text<'a>>) {
        match text {
            None | Some(Text::Empty) => return,
            Some(Text::Plain(text)) => self.text = Some(text),
            Some(Text::Escaped) => (),
        }
        self.delta.content = self.delta.content.max(content);
    }
}

/// Reads the data of one event.
///
/// # Errors
/// When it cannot be read, or says that the server failed.
pub(crate) fn parse(api: Api, data: &[u8]) -> Result<Chunk<'_>, Fault> {
    match api {
        Api::LlamaCpp => llamacpp::parse(data),
        Api::Tgi => tgi::parse(data),
        // Embeddings and Rerank are not streamed; what comes as a stream nevertheless is an
        // error, and those all look alike.
        Api::Chat | Api::Completions | Api::Embeddings | Api::Rerank => openai::parse(data),
    }
}

/// Who answered, as far as a chunk says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// `system_fingerprint`: which engine, or which build of it.
    pub(crate) fingerprint: Option<String>,
    /// `model`: under which name.
    pub(crate) model: Option<String>,
}

/// Most characters of a name that are kept: a server may send anything.
const NAME_CHARACTERS: usize = 128;

/// Reads who sent the data of an event; whatever cannot be read says nothing. It is a second
/// look at the same bytes, for one chunk of an answer, so that [`parse`] need not look in all.
pub(crate) fn origin(data: &[u8]) -> Origin {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        system_fingerprint: Value,
        #[serde(default)]
        model: Value,
    }
    let name = |value: Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.chars().take(NAME_CHARACTERS).collect()),
        _ => None,
    };
    match serde_json::from_slice(data) {
        Ok(Named {
            system_fingerprint,
            model,
        }) => Origin {
            fingerprint: name(system_fingerprint),
            model: name(model),
        },
        Err(_) => Origin::default(),
    }
}

/// What llama.cpp says of its work, in the last chunk of an answer of any style.
#[derive(Deserialize)]
struct Timings {
    /// Prompt tokens that it computed.
    #[serde(default)]
    prompt_n: Count,
    /// Prompt tokens that it knew already.
    #[serde(default)]
    cache_n: Count,
    /// Answer tokens.
    #[serde(default)]
    predicted_n: Count,
}

impl Timings {
    fn usage(&self) -> Usage {
        let Self {
            prompt_n: Count(prompt),
            cache_n: Count(cached),
            predicted_n: Count(predicted),
        } = *self;
        Usage {
            prompt_tokens: prompt.map(|prompt| prompt.saturating_add(cached.unwrap_or(0))),
            completion_tokens: predicted,
        }
    }
}

/// The message of an error object, or the whole of it.
fn readable(error: &Value) -> String {
    match error {
        Value::String(text) => text.clone(),
        other => match other.get("message").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answered() {
        let check = |json: &str, fingerprint: Option<&str>, model: Option<&str>| {
            let expected = Origin {
                fingerprint: fingerprint.map(str::to_owned),
                model: model.map(str::to_owned),
            };
            assert_eq!(origin(json.as_bytes()), expected, "{json}");
        };
        check(
            r#"{"model":"m","system_fingerprint":"b6000-abc","choices":[]}"#,
            Some("b6000-abc"),
            Some("m"),
        );
        check(r#"{"model":"m","system_fingerprint":null}"#, None, Some("m"));
        check(r#"{"choices":[{"text":"a"}]}"#, None, None);
        check(r#"{"system_fingerprint":"","model":3}"#, None, None);
        check("garbage", None, None);
        let long = format!(r#"{{"model":"{}"}}"#, "é".repeat(1000));
        check(&long, None, Some(&"é".repeat(128)));
    }
}
