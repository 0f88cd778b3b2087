//! What a completion request asks for: the few keys that matter to a metronome.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::pace::MOST_TOKENS;
use super::reply::{Refusal, Status};
use super::voice::Style;

/// Tokens of an answer where neither the server's options nor the request say how many.
const USUAL_TOKENS: u32 = 16;

/// Longest name of a model, in bytes: it is in every event.
const LONGEST_MODEL: usize = 256;

/// What a completion request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask<'body> {
    /// The model, which is repeated in the answer.
    pub(super) model: Cow<'body, str>,
    /// Words of the prompt.
    pub(super) prompt_tokens: u32,
    /// Most tokens of the answer.
    pub(super) tokens: u32,
    pub(super) is_streamed: bool,
}

#[derive(Deserialize)]
struct Wire<'body> {
    #[serde(borrow, default)]
    model: Option<Cow<'body, str>>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    max_completion_tokens: Option<u32>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    prompt: Option<Words>,
    #[serde(default)]
    messages: Option<Words>,
}

/// Reads a request's body.
pub(super) fn read(style: Style, body: &[u8]) -> Result<Ask<'_>, Refusal> {
    let refuse = |message: String| Refusal::new(Status::BadRequest, message);
    let wire: Wire<'_> =
        serde_json::from_slice(body).map_err(|error| refuse(format!("the body is no request: {error}")))?;
    let (key, words) = match style {
        Style::Text => ("prompt", wire.prompt),
        Style::Chat => ("messages", wire.messages),
    };
    let Some(Words(prompt_tokens)) = words else {
        return Err(refuse(format!("`{key}` is missing")));
    };
    let tokens = wire
        .max_completion_tokens
        .or(wire.max_tokens)
        .unwrap_or(USUAL_TOKENS);
    if !(1..=MOST_TOKENS).contains(&tokens) {
        return Err(refuse(format!(
            "max_tokens cannot be {tokens}: give 1 to {MOST_TOKENS}"
        )));
    }
    let model = wire.model.unwrap_or_default();
    if model.len() > LONGEST_MODEL {
        return Err(refuse(format!(
            "a model's name has at most {LONGEST_MODEL} bytes"
        )));
    }
    Ok(Ask {
        model,
        prompt_tokens,
        tokens,
        is_streamed: wire.stream.unwrap_or(false),
    })
}

/// How many words a prompt has, whatever its shape: a text, a list of texts or of token numbers,
/// or messages whose `content` is any of these or a list of parts with a `text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Words(u32);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<From: Deserializer<'de>>(from: From) -> Result<Self, From::Error> {
        from.deserialize_any(Counter)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = Words;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a prompt or messages")
    }

    fn visit_str<Error>(self, text: &str) -> Result<Words, Error> {
        let count = text.split_ascii_whitespace().count();
        Ok(Words(u32::try_from(count).unwrap_or(u32::MAX)))
    }

    fn visit_u64<Error>(self, _: u64) -> Result<Words, Error> {
        Ok(Words(1))
    }

    fn visit_unit<Error>(self) -> Result<Words, Error> {
        Ok(Words(0))
    }

    fn visit_seq<Items: SeqAccess<'de>>(self, mut items: Items) -> Result<Words, Items::Error> {
        let mut sum = 0_u32;
        while let Some(Words(count)) = items.next_element()? {
            sum = sum.saturating_add(count);
        }
        Ok(Words(sum))
    }

    fn visit_map<Entries: MapAccess<'de>>(self, mut entries: Entries) -> Result<Words, Entries::Error> {
        let mut sum = 0_u32;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if matches!(&*key, "content" | "text") {
                let Words(count) = entries.next_value()?;
                sum = sum.saturating_add(count);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Words(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(style: Style, body: &str, model: &str, numbers: (u32, u32), is_streamed: bool) {
        let expected = Ask {
            model: model.into(),
            prompt_tokens: numbers.0,
            tokens: numbers.1,
            is_streamed,
        };
        assert_eq!(read(style, body.as_bytes()), Ok(expected), "{body}");
    }

    fn check_refused(style: Style, body: &str, named: &str) {
        let refusal = read(style, body.as_bytes()).unwrap_err();
        assert_eq!(refusal.status, Status::BadRequest, "{body}");
        assert!(refusal.message.contains(named), "{body}: {}", refusal.message);
    }

    #[test]
    fn prompts_of_every_shape_are_counted() {
        for (prompt, words) in [
            (r#"" a  b\n c ""#, 3),
            (r#"["a b", "c"]"#, 3),
            ("[1, 2, 3]", 3),
            ("[[1, 2], [3]]", 3),
            (r#""""#, 0),
        ] {
            let body = format!(r#"{{"prompt": {prompt}, "model": "m", "max_tokens": 5}}"#);
            check(Style::Text, &body, "m", (words, 5), false);
        }
        for (messages, words) in [
            (r#"[{"role": "user", "content": "a b"}]"#, 2),
            (
                r#"[{"content": [{"type": "text", "text": "a b c"}]}, {"content": null}]"#,
                3,
            ),
            ("[]", 0),
        ] {
            let body = format!(r#"{{"messages": {messages}, "stream": true, "temperature": 0.5}}"#);
            check(Style::Chat, &body, "", (words, 16), true);
        }
    }

    #[test]
    fn the_newer_key_for_the_length_wins() {
        let body = r#"{"prompt": "", "max_tokens": 5, "max_completion_tokens": 6, "stream": null}"#;
        check(Style::Text, body, "", (0, 6), false);
        let body = r#"{"prompt": "", "max_tokens": 5, "max_completion_tokens": null}"#;
        check(Style::Text, body, "", (0, 5), false);
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        check_refused(Style::Text, "", "no request");
        check_refused(Style::Text, "{", "no request");
        check_refused(Style::Text, "7", "no request");
        check_refused(Style::Text, r#"{"messages": []}"#, "`prompt`");
        check_refused(Style::Chat, r#"{"prompt": "a"}"#, "`messages`");
        check_refused(Style::Text, r#"{"prompt": true}"#, "no request");
        check_refused(Style::Text, r#"{"prompt": "a", "max_tokens": 0}"#, "max_tokens");
        check_refused(Style::Text, r#"{"prompt": "a", "max_tokens": -1}"#, "no request");
        check_refused(
            Style::Text,
            r#"{"prompt": "a", "max_tokens": 1000001}"#,
            "max_tokens",
        );
        let body = format!(r#"{{"prompt": "a", "model": "{}"}}"#, "m".repeat(257));
        check_refused(Style::Text, &body, "model");
    }
}
