//! Chunks of `/completion`, llama.cpp's own call.
//!
//! Each has its text beside the number of tokens so far; the last says `stop` and how long
//! things took. There is no `[DONE]`.

use serde::Deserialize;
use serde_json::Value;

use super::text::{Count, Text};
use super::{Chunk, Content, Fault, Timings, Usage, readable};

/// Reads one chunk.
pub(super) fn parse(data: &[u8]) -> Result<Chunk<'_>, Fault> {
    let Answer {
        content,
        stop,
        tokens_predicted,
        tokens_evaluated,
        timings,
        error,
    } = serde_json::from_slice(data)?;
    if let Some(error) = error {
        return Err(Fault::InBand(readable(&error)));
    }
    let mut chunk = Chunk::default();
    chunk.hear(Content::Visible, content);
    chunk.delta.is_finished = stop.unwrap_or(false);
    let counted = Usage {
        prompt_tokens: tokens_evaluated.0,
        completion_tokens: tokens_predicted.0,
    };
    let timed = timings.map(|timings| timings.usage()).unwrap_or_default();
    chunk.delta.usage = counted.or(timed);
    Ok(chunk)
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    content: Option<Text<'a>>,
    #[serde(default)]
    stop: Option<bool>,
    #[serde(default)]
    tokens_predicted: Count,
    #[serde(default)]
    tokens_evaluated: Count,
    #[serde(default)]
    timings: Option<Timings>,
    #[serde(default)]
    error: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::super::Delta;
    use super::*;

    #[track_caller]
    fn check(json: &str, content: Content, is_finished: bool, prompt: Option<u32>, answer: Option<u32>) {
        let expected = Delta {
            content,
            is_finished,
            usage: Usage {
                prompt_tokens: prompt,
                completion_tokens: answer,
            },
        };
        match parse(json.as_bytes()) {
            Ok(chunk) => assert_eq!(chunk.delta, expected, "{json}"),
            Err(fault) => panic!("{fault:?}: {json}"),
        }
    }

    #[test]
    fn chunks() {
        use Content::{Nothing, Visible};
        check(r#"{"content":" a","stop":false}"#, Visible, false, None, None);
        check(
            r#"{"index":0,"content":" a","tokens":[301],"stop":false,"id_slot":-1,"tokens_predicted":2,"tokens_evaluated":9}"#,
            Visible,
            false,
            Some(9),
            Some(2),
        );
        check(r#"{"content":"","stop":false}"#, Nothing, false, None, None);
        check(
            r#"{"index":0,"content":"","tokens":[],"id_slot":0,"stop":true,"model":"m","tokens_predicted":8,"tokens_evaluated":9,"generation_settings":{"stop":["x"]},"stop_type":"limit","timings":{"prompt_n":1,"predicted_n":8,"predicted_ms":10.5}}"#,
            Nothing,
            true,
            Some(9),
            Some(8),
        );
        check(
            r#"{"content":"","stop":true,"timings":{"cache_n":8,"prompt_n":1,"predicted_n":8}}"#,
            Nothing,
            true,
            Some(9),
            Some(8),
        );
    }

    #[test]
    fn errors() {
        let fault = parse(br#"{"error":{"code":500,"message":"no slot","type":"server_error"}}"#);
        assert!(matches!(fault, Err(Fault::InBand(text)) if text == "no slot"));
        for json in ["", "3", r#"{"content":3}"#, r#"{"stop":"true"}"#] {
            assert!(
                matches!(parse(json.as_bytes()), Err(Fault::Unreadable(_))),
                "{json}"
            );
        }
    }
}
