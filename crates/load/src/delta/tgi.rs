//! Chunks of `/generate_stream`, of Text Generation Inference.
//!
//! Each is one token; the last has the whole text once more, and counts where `details` were
//! asked for. There is no `[DONE]`. A special token (an end of sequence) is no content: no
//! user sees it. `index` is no count of tokens: some versions number other things with it.

use serde::Deserialize;
use serde_json::Value;

use super::text::{Count, Text};
use super::{Chunk, Content, Fault, Usage, readable};

/// Reads one chunk.
pub(super) fn parse(data: &[u8]) -> Result<Chunk<'_>, Fault> {
    let Answer {
        token,
        generated_text,
        details,
        error,
    } = serde_json::from_slice(data)?;
    if let Some(error) = error {
        return Err(Fault::InBand(readable(&error)));
    }
    let mut chunk = Chunk::default();
    if let Some(token) = token
        && !token.special
    {
        chunk.hear(Content::Visible, token.text);
    }
    // The text may be empty where all tokens were special: that there is one ends the answer.
    chunk.delta.is_finished = generated_text.is_some();
    if let Some(details) = details {
        chunk.delta.usage = Usage {
            prompt_tokens: details.input_length.0,
            completion_tokens: details.generated_tokens.0,
        };
    }
    Ok(chunk)
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    token: Option<Token<'a>>,
    #[serde(default, borrow)]
    generated_text: Option<Text<'a>>,
    #[serde(default)]
    details: Option<Details>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Token<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    generated_tokens: Count,
    #[serde(default)]
    input_length: Count,
}

#[cfg(test)]
mod tests {
    use super::super::Delta;
    use super::*;

    #[track_caller]
    fn check(json: &str, content: Content, is_finished: bool, usage: Usage) {
        let expected = Delta {
            content,
            is_finished,
            usage,
        };
        match parse(json.as_bytes()) {
            Ok(chunk) => assert_eq!(chunk.delta, expected, "{json}"),
            Err(fault) => panic!("{fault:?}: {json}"),
        }
    }

    #[test]
    fn chunks() {
        use Content::{Nothing, Visible};
        let none = Usage::default();
        check(
            r#"{"index":1,"token":{"id":9,"text":" a","logprob":-0.3,"special":false},"generated_text":null,"details":null}"#,
            Visible,
            false,
            none,
        );
        check(
            r#"{"token":{"id":9,"text":"","logprob":-0.3,"special":false}}"#,
            Nothing,
            false,
            none,
        );
        check(
            r#"{"token":{"id":2,"text":"</s>","special":true},"generated_text":" a","details":null}"#,
            Nothing,
            true,
            none,
        );
        check(
            r#"{"token":{"id":9,"text":" b","special":false},"generated_text":" a b","details":{"finish_reason":"length","generated_tokens":2,"input_length":7,"seed":null}}"#,
            Visible,
            true,
            Usage {
                prompt_tokens: Some(7),
                completion_tokens: Some(2),
            },
        );
        check(
            r#"{"token":{"id":2,"text":"</s>","special":true},"generated_text":""}"#,
            Nothing,
            true,
            none,
        );
    }

    #[test]
    fn errors() {
        let fault = parse(br#"{"error":"Request failed during generation","error_type":"generation"}"#);
        assert!(matches!(fault, Err(Fault::InBand(text)) if text == "Request failed during generation"));
        for json in ["", "[1]", r#"{"token":{"text":3}}"#] {
            assert!(
                matches!(parse(json.as_bytes()), Err(Fault::Unreadable(_))),
                "{json}"
            );
        }
    }
}
