//! Chunks of `/v1/chat/completions` and `/v1/completions`, as vLLM, SGLang, llama.cpp and
//! others stream them.
//!
//! Both calls share one shape. Choices are folded into one as they are read: no list is made.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;

use super::text::{Count, Text, is_some_text};
use super::{Chunk, Content, Fault, Timings, Usage, readable};

/// Reads one chunk.
pub(super) fn parse(data: &[u8]) -> Result<Chunk<'_>, Fault> {
    let Answer {
        choices,
        usage,
        timings,
        error,
        object,
        message,
    } = serde_json::from_slice(data)?;
    if let Some(error) = error {
        return Err(Fault::InBand(readable(&error)));
    }
    if object == Some(Object { is_error: true }) {
        return Err(Fault::InBand(readable(&message.unwrap_or_default())));
    }
    let Choices(mut chunk) = choices.unwrap_or_default();
    let timed = timings.map(|timings| timings.usage()).unwrap_or_default();
    chunk.delta.usage = usage.map(|counts| counts.usage()).unwrap_or_default().or(timed);
    Ok(chunk)
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    choices: Option<Choices<'a>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    timings: Option<Timings>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    object: Option<Object>,
    #[serde(default)]
    message: Option<Value>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
}

impl Counts {
    fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens.0,
            completion_tokens: self.completion_tokens.0,
        }
    }
}

/// All choices of a chunk, as if they were one.
#[derive(Default)]
struct Choices<'a>(Chunk<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ChoicesVisitor)
    }
}

struct ChoicesVisitor;

impl<'de> Visitor<'de> for ChoicesVisitor {
    type Value = Choices<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of choices")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Choices<'de>, A::Error> {
        let mut chunk = Chunk::default();
        while let Some(choice) = list.next_element::<Choice<'de>>()? {
            choice.add_to(&mut chunk);
        }
        Ok(Choices(chunk))
    }
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    delta: Option<Message<'a>>,
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    content: Option<Text<'a>>,
    #[serde(default, borrow)]
    refusal: Option<Text<'a>>,
    #[serde(default, borrow)]
    reasoning: Option<Text<'a>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Text<'a>>,
    #[serde(default, borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(default, borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    arguments: Option<Text<'a>>,
}

impl<'a> Choice<'a> {
    fn add_to(self, chunk: &mut Chunk<'a>) {
        chunk.delta.is_finished |= is_some_text(self.finish_reason);
        chunk.hear(Content::Visible, self.text);
        let Some(message) = self.delta else { return };
        chunk.hear(Content::Visible, message.content);
        chunk.hear(Content::Visible, message.refusal);
        chunk.hear(Content::Reasoning, message.reasoning);
        chunk.hear(Content::Reasoning, message.reasoning_content);
        for call in message.tool_calls.into_iter().flatten() {
            let Some(function) = call.function else { continue };
            chunk.hear(Content::Visible, function.name);
            chunk.hear(Content::Visible, function.arguments);
        }
    }
}

/// What kind of thing a chunk calls itself.
#[derive(PartialEq, Eq)]
struct Object {
    is_error: bool,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl Visitor<'_> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a kind of object")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Object, E> {
        Ok(Object {
            is_error: name == "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Delta;
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Delta) {
        match parse(json.as_bytes()) {
            Ok(chunk) => assert_eq!(chunk.delta, expected, "{json}"),
            Err(fault) => panic!("{fault:?}: {json}"),
        }
    }

    fn of(content: Content) -> Delta {
        Delta {
            content,
            ..Delta::default()
        }
    }

    fn counted(prompt_tokens: Option<u32>, completion_tokens: Option<u32>) -> Delta {
        Delta {
            usage: Usage {
                prompt_tokens,
                completion_tokens,
            },
            ..Delta::default()
        }
    }

    #[test]
    fn visible_content() {
        for json in [
            // vLLM
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null,"token_ids":null}]}"#,
            // SGLang
            r#"{"choices":[{"index":0,"delta":{"role":null,"content":"a","reasoning_content":null,"tool_calls":null},"logprobs":null,"finish_reason":null,"matched_stop":null}],"usage":null}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":"\n"}}]}"#,
            r#"{"choices":[{"delta":{"content":"\u00e9\u6f22"}}]}"#,
            r#"{"choices":[{"delta":{"refusal":"I will not"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"hm","content":"and"}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#,
            r#"{"choices":[{"delta":{"content":""}},{"delta":{"content":"b"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"a"}},{"delta":{"content":"b"}}]}"#,
            r#"{"choices":[{"text":" b","index":0,"logprobs":null,"finish_reason":null}]}"#,
        ] {
            check(json, of(Content::Visible));
        }
    }

    #[test]
    fn reasoning() {
        for json in [
            r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"\n"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"hm","content":null}}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"hm","content":"","tool_calls":[]}}]}"#,
        ] {
            check(json, of(Content::Reasoning));
        }
    }

    #[test]
    fn no_content() {
        for json in [
            r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{}}]}"#,
            r#"{"choices":[{"delta":{"refusal":null,"tool_calls":[]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"","arguments":""}}]}}]}"#,
            r#"{"choices":[{"text":"","finish_reason":""}]}"#,
            r#"{"choices":[]}"#,
            r#"{"choices":null}"#,
            r#"{"object":"chat.completion.chunk"}"#,
            r#"{"error":null,"choices":[]}"#,
            r#"{"usage":null,"timings":null}"#,
            r#"{"deep":[[[{"a":[[]]}]]],"huge":1e999999,"long":123456789012345678901234567890}"#,
        ] {
            check(json, Delta::default());
        }
    }

    #[test]
    fn finish_and_usage() {
        let finished = Delta {
            is_finished: true,
            ..Delta::default()
        };
        check(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, finished);
        check(
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":1}}}"#,
            counted(Some(7), Some(3)),
        );
        check(
            r#"{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            Delta {
                is_finished: true,
                ..counted(Some(7), Some(3))
            },
        );
        check(
            r#"{"choices":[],"timings":{"prompt_n":7,"prompt_ms":1.5,"predicted_n":3,"cache_n":2}}"#,
            counted(Some(9), Some(3)),
        );
        check(
            r#"{"usage":{"prompt_tokens":8},"timings":{"prompt_n":7,"predicted_n":3}}"#,
            counted(Some(8), Some(3)),
        );
        check(
            r#"{"usage":{"prompt_tokens":-1,"completion_tokens":99999999999}}"#,
            counted(None, None),
        );
        check(
            r#"{"usage":{"prompt_tokens":1e308,"completion_tokens":null}}"#,
            counted(None, None),
        );
    }

    #[test]
    fn errors_inside_the_stream() {
        for (json, expected) in [
            (r#"{"error":{"message":"no memory","code":500}}"#, "no memory"),
            (r#"{"error":"no memory"}"#, "no memory"),
            (r#"{"error":{"code":500}}"#, r#"{"code":500}"#),
            (
                r#"{"object":"error","message":"no memory","code":40001}"#,
                "no memory",
            ),
        ] {
            match parse(json.as_bytes()) {
                Err(Fault::InBand(text)) => assert_eq!(text, expected, "{json}"),
                other => panic!("{other:?}: {json}"),
            }
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
            "{} {}",
            r#"{"choices":{}}"#,
            r#"{"choices":[{"text":3}]}"#,
            r#"{"usage":{"completion_tokens":"3"}}"#,
            "{\"choices\":[{\"text\":\"a\nb\"}]}",
        ] {
            assert!(
                matches!(parse(json.as_bytes()), Err(Fault::Unreadable(_))),
                "{json}"
            );
        }
        assert!(parse(b"{\"choices\":[{\"text\":\"\xff\"}]}").is_err(), "no UTF-8");
    }
}
