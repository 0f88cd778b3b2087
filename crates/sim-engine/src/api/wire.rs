//! How answers look on the wire: chunks of a stream and whole answers, for both endpoints.
//!
//! A stream is: for chat, a first chunk with the role and empty content; one chunk a token;
//! a chunk with the finish reason and nothing else; if asked for, a chunk with `choices: []`
//! and the usage; and `[DONE]`. `created` is 0: a simulated engine has no calendar.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::identity::Identity;

/// Which of the two endpoints answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Text,
    Chat,
}

/// Renders one request's answer.
#[derive(Debug)]
pub(crate) struct Renderer {
    pub(crate) style: Style,
    pub(crate) request_id: String,
    pub(crate) model: String,
    /// Who answers: `system_fingerprint` on the wire.
    pub(crate) identity: Identity,
}

/// Tokens counted for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u32,
    pub(crate) cached_tokens: u32,
    pub(crate) completion_tokens: u32,
}

/// The end of every stream.
pub(crate) const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

impl Renderer {
    /// The chunk before the first token, if there is one.
    pub(crate) fn opening(&self) -> Option<Bytes> {
        match self.style {
            Style::Text => None,
            Style::Chat => Some(self.event(json!([{
                "index": 0, "delta": { "role": "assistant", "content": "" }, "logprobs": null, "finish_reason": null,
            }]))),
        }
    }

    /// The chunk of one token.
    pub(crate) fn content(&self, text: &str) -> Bytes {
        self.event(match self.style {
            Style::Text => json!([{ "index": 0, "text": text, "logprobs": null, "finish_reason": null }]),
            Style::Chat => {
                json!([{ "index": 0, "delta": { "content": text }, "logprobs": null, "finish_reason": null }])
            }
        })
    }

    /// The chunk that says why the answer ended.
    pub(crate) fn finish(&self) -> Bytes {
        self.event(match self.style {
            Style::Text => {
                json!([{ "index": 0, "text": "", "logprobs": null, "finish_reason": "length" }])
            }
            Style::Chat => {
                json!([{ "index": 0, "delta": {}, "logprobs": null, "finish_reason": "length" }])
            }
        })
    }

    /// The chunk with the usage.
    pub(crate) fn usage(&self, usage: Usage) -> Bytes {
        let mut chunk = self.chunk(json!([]));
        chunk["usage"] = usage.to_json();
        event(&chunk)
    }

    /// A whole answer, not streamed.
    pub(crate) fn whole(&self, text: &str, usage: Usage) -> Value {
        let choice = match self.style {
            Style::Text => {
                json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": "length" })
            }
            Style::Chat => json!({
                "index": 0,
                "message": { "role": "assistant", "content": text },
                "logprobs": null,
                "finish_reason": "length",
            }),
        };
        let object = match self.style {
            Style::Text => "text_completion",
            Style::Chat => "chat.completion",
        };
        json!({
            "id": self.id(), "object": object, "created": 0, "model": self.model,
            "system_fingerprint": self.identity.as_str(), "choices": [choice], "usage": usage.to_json(),
        })
    }

    fn event(&self, choices: Value) -> Bytes {
        event(&self.chunk(choices))
    }

    fn chunk(&self, choices: Value) -> Value {
        let object = match self.style {
            Style::Text => "text_completion",
            Style::Chat => "chat.completion.chunk",
        };
        json!({
            "id": self.id(), "object": object, "created": 0, "model": self.model,
            "system_fingerprint": self.identity.as_str(), "choices": choices,
        })
    }

    fn id(&self) -> String {
        let prefix = match self.style {
            Style::Text => "cmpl",
            Style::Chat => "chatcmpl",
        };
        format!("{prefix}-{}", self.request_id)
    }
}

impl Usage {
    fn to_json(self) -> Value {
        let Self {
            prompt_tokens,
            cached_tokens,
            completion_tokens,
        } = self;
        json!({
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": { "cached_tokens": cached_tokens },
        })
    }
}

fn event(chunk: &Value) -> Bytes {
    Bytes::from(format!("data: {chunk}\n\n"))
}
