//! Reads one chunk of a streamed answer.
//!
//! The one idea: all that is asked of a text is whether it is empty, so no text is ever
//! copied. Chat and completions chunks share one shape; `usage` is taken wherever it rides.
//! It knows nothing of stamps and of how a whole answer is judged.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// What one chunk of an answer carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Delta {
    /// Whether there is content, reasoning or tool-call text that is not empty.
    pub(crate) has_content: bool,
    /// Whether a choice says that it is finished.
    pub(crate) is_finished: bool,
    /// The server's own count, if the chunk has one.
    pub(crate) usage: Option<Usage>,
    /// The error object inside the stream, as text.
    pub(crate) error: Option<String>,
}

/// Tokens as the server counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct Usage {
    /// Prompt tokens.
    #[serde(default)]
    pub(crate) prompt_tokens: Option<u32>,
    /// Answer tokens.
    #[serde(default)]
    pub(crate) completion_tokens: Option<u32>,
}

/// Reads the data of one event.
///
/// # Errors
/// When it is no JSON, or a known key has a type that it cannot have.
pub(crate) fn parse(data: &[u8]) -> Result<Delta, serde_json::Error> {
    let chunk: Chunk = serde_json::from_slice(data)?;
    let Chunk {
        choices,
        usage,
        error,
        object,
        message,
    } = chunk;
    let mut delta = Delta {
        usage,
        ..Delta::default()
    };
    for choice in choices.unwrap_or_default() {
        delta.has_content |= choice.has_content();
        delta.is_finished |= is_some_text(choice.finish_reason);
    }
    delta.error = match (error, object.as_deref()) {
        (Some(error), _) => Some(readable(&error)),
        (None, Some("error")) => Some(readable(&message.unwrap_or_default())),
        (None, _) => None,
    };
    Ok(delta)
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
        system_fingerprint: serde_json::Value,
        #[serde(default)]
        model: serde_json::Value,
    }
    let name = |value: serde_json::Value| match value {
        serde_json::Value::String(text) if !text.is_empty() => {
            Some(text.chars().take(NAME_CHARACTERS).collect())
        }
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

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<serde_json::Value>,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    message: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Message>,
    #[serde(default)]
    text: Option<NonEmpty>,
    #[serde(default)]
    finish_reason: Option<NonEmpty>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<NonEmpty>,
    #[serde(default)]
    reasoning: Option<NonEmpty>,
    #[serde(default)]
    reasoning_content: Option<NonEmpty>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    #[serde(default)]
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    #[serde(default)]
    name: Option<NonEmpty>,
    #[serde(default)]
    arguments: Option<NonEmpty>,
}

impl Choice {
    fn has_content(&self) -> bool {
        let message = self.delta.as_ref().is_some_and(|message| {
            is_some_text(message.content)
                || is_some_text(message.reasoning)
                || is_some_text(message.reasoning_content)
                || message.tool_calls.iter().flatten().any(ToolCall::has_text)
        });
        message || is_some_text(self.text)
    }
}

impl ToolCall {
    fn has_text(&self) -> bool {
        self.function
            .as_ref()
            .is_some_and(|function| is_some_text(function.name) || is_some_text(function.arguments))
    }
}

/// Whether a JSON string has any character in it; the string itself is not kept.
#[derive(Clone, Copy)]
struct NonEmpty(bool);

fn is_some_text(text: Option<NonEmpty>) -> bool {
    text.is_some_and(|NonEmpty(is_text)| is_text)
}

impl<'de> Deserialize<'de> for NonEmpty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = NonEmpty;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<NonEmpty, E> {
        Ok(NonEmpty(!text.is_empty()))
    }
}

/// The message of an error object, or the whole of it.
fn readable(error: &serde_json::Value) -> String {
    match error {
        serde_json::Value::String(text) => text.clone(),
        other => match other.get("message").and_then(serde_json::Value::as_str) {
            Some(message) => message.to_owned(),
            None => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &Delta) {
        assert_eq!(&parse(json.as_bytes()).unwrap(), expected, "{json}");
    }

    #[test]
    fn content() {
        let content = Delta {
            has_content: true,
            ..Delta::default()
        };
        for json in [
            r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":"\n"}}]}"#,
            r#"{"choices":[{"delta":{"content":"\u00e9\u6f22"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"hm","content":null}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#,
            r#"{"choices":[{"delta":{"content":""}},{"delta":{"content":"b"}}]}"#,
            r#"{"choices":[{"text":" b","index":0,"logprobs":null,"finish_reason":null}]}"#,
        ] {
            check(json, &content);
        }
    }

    #[test]
    fn no_content() {
        for json in [
            r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"","arguments":""}}]}}]}"#,
            r#"{"choices":[{"text":"","finish_reason":""}]}"#,
            r#"{"choices":[]}"#,
            r#"{"choices":null}"#,
            r#"{"object":"chat.completion.chunk"}"#,
            r#"{"error":null,"choices":[]}"#,
        ] {
            check(json, &Delta::default());
        }
    }

    #[test]
    fn finish_and_usage() {
        let usage = Some(Usage {
            prompt_tokens: Some(7),
            completion_tokens: Some(3),
        });
        check(
            r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
            &Delta {
                is_finished: true,
                ..Delta::default()
            },
        );
        check(
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":1}}}"#,
            &Delta {
                usage,
                ..Delta::default()
            },
        );
        check(
            r#"{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            &Delta {
                usage,
                is_finished: true,
                ..Delta::default()
            },
        );
    }

    #[test]
    fn errors_inside_the_stream() {
        for (json, text) in [
            (r#"{"error":{"message":"no memory","code":500}}"#, "no memory"),
            (r#"{"error":"no memory"}"#, "no memory"),
            (r#"{"error":{"code":500}}"#, r#"{"code":500}"#),
            (
                r#"{"object":"error","message":"no memory","code":40001}"#,
                "no memory",
            ),
        ] {
            check(
                json,
                &Delta {
                    error: Some(text.into()),
                    ..Delta::default()
                },
            );
        }
    }

    #[test]
    fn what_is_refused() {
        for json in [
            "",
            "garbage",
            "[1]",
            "3",
            "{",
            r#"{"choices":{}}"#,
            r#"{"choices":[{"text":3}]}"#,
        ] {
            assert!(parse(json.as_bytes()).is_err(), "{json}");
        }
        assert!(parse(b"{\"choices\":[{\"text\":\"\xff\"}]}").is_err(), "no UTF-8");
    }

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
