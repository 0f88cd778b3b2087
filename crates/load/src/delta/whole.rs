//! Answers that come whole and not as a stream: `/v1/embeddings` and `/v1/rerank`.
//!
//! All that is asked of one is whether there is anything in it, and how many tokens were
//! counted. The numbers themselves are passed over.

use autotuner_core::workload::Api;
use serde::Deserialize;
use serde_json::Value;

use super::text::{Count, Filled};
use super::{Fault, Origin, Usage, origin, readable};

/// What a whole answer carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Whole {
    /// Whether there is any vector, or any rank.
    pub(crate) has_content: bool,
    /// The server's own count. There is no answer in tokens; 0 stands for that.
    pub(crate) usage: Usage,
    /// Who answered.
    pub(crate) origin: Origin,
}

/// Reads a whole body.
///
/// # Errors
/// When it cannot be read, or says that the server failed.
pub(crate) fn parse(api: Api, body: &[u8]) -> Result<Whole, Fault> {
    // Some servers answer with the bare list of ranks.
    if api == Api::Rerank && body.trim_ascii_start().starts_with(b"[") {
        let Filled(has_content) = serde_json::from_slice(body)?;
        return Ok(Whole {
            has_content,
            ..Whole::default()
        });
    }
    let Answer {
        data,
        results,
        usage,
        error,
        object,
        message,
    } = serde_json::from_slice(body)?;
    if let Some(error) = error {
        return Err(Fault::InBand(readable(&error)));
    }
    if object.as_ref().and_then(Value::as_str) == Some("error") {
        return Err(Fault::InBand(readable(&message.unwrap_or_default())));
    }
    let has_content = match api {
        Api::Rerank => results.or(data).is_some_and(|list| list.is_filled(|_| true)),
        _ => data.is_some_and(|list| list.is_filled(|item| item.embedding.0)),
    };
    let usage = usage.unwrap_or_default();
    Ok(Whole {
        has_content,
        usage: Usage {
            prompt_tokens: usage.prompt_tokens.0.or(usage.total_tokens.0),
            completion_tokens: Some(0),
        },
        origin: origin(body),
    })
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Option<Items>,
    #[serde(default)]
    results: Option<Items>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    object: Option<Value>,
    #[serde(default)]
    message: Option<Value>,
}

#[derive(Deserialize)]
struct Items(Vec<Item>);

impl Items {
    fn is_filled(&self, is_good: impl Fn(&Item) -> bool) -> bool {
        !self.0.is_empty() && self.0.iter().all(is_good)
    }
}

#[derive(Deserialize)]
struct Item {
    /// A list of numbers, or their base64.
    #[serde(default)]
    embedding: Filled,
}

#[derive(Deserialize, Default)]
struct Counts {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    total_tokens: Count,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(api: Api, json: &str, has_content: bool, prompt_tokens: Option<u32>) {
        match parse(api, json.as_bytes()) {
            Ok(whole) => {
                let found = (whole.has_content, whole.usage.prompt_tokens);
                assert_eq!(found, (has_content, prompt_tokens), "{json}");
            }
            Err(fault) => panic!("{fault:?}: {json}"),
        }
    }

    #[test]
    fn embeddings() {
        let check = |json, has_content, tokens| check(Api::Embeddings, json, has_content, tokens);
        check(
            r#"{"object":"list","data":[{"object":"embedding","embedding":[0.1,-2e-3],"index":0}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}"#,
            true,
            Some(7),
        );
        check(
            r#"{"data":[{"embedding":"AAAA"}],"usage":{"total_tokens":7}}"#,
            true,
            Some(7),
        );
        check(r#"{"data":[{"embedding":[1]}]}"#, true, None);
        check(r#"{"data":[{"embedding":[]}]}"#, false, None);
        check(r#"{"data":[{"embedding":[1]},{"embedding":[]}]}"#, false, None);
        check(r#"{"data":[{"embedding":null}]}"#, false, None);
        check(r#"{"data":[]}"#, false, None);
        check(r#"{"usage":null}"#, false, None);
    }

    #[test]
    fn ranks() {
        let check = |json, has_content, tokens| check(Api::Rerank, json, has_content, tokens);
        check(
            r#"{"id":"r","model":"m","usage":{"total_tokens":56},"results":[{"index":0,"document":{"text":"a"},"relevance_score":0.9}]}"#,
            true,
            Some(56),
        );
        check(r#" [{"score":0.9,"index":0}]"#, true, None);
        check("[]", false, None);
        check(r#"{"results":[]}"#, false, None);
    }

    #[test]
    fn who_answered() {
        let whole = parse(Api::Embeddings, br#"{"model":"m","data":[]}"#).unwrap();
        assert_eq!(whole.origin.model.as_deref(), Some("m"));
    }

    #[test]
    fn errors() {
        for (json, expected) in [
            (r#"{"error":{"message":"too long"}}"#, "too long"),
            (
                r#"{"object":"error","message":"too long","code":400}"#,
                "too long",
            ),
        ] {
            let fault = parse(Api::Embeddings, json.as_bytes());
            assert!(matches!(fault, Err(Fault::InBand(text)) if text == expected));
        }
        for json in ["", "data: {}", "[1]", r#"{"data":3}"#] {
            let fault = parse(Api::Embeddings, json.as_bytes());
            assert!(matches!(fault, Err(Fault::Unreadable(_))), "{json}");
        }
    }
}
