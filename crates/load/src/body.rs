//! The JSON of a request.
//!
//! Which optional keys a server accepts is its [`Dialect`]; the user's own keys come last
//! and override all others, except that an answer is always streamed.

use autotuner_core::workload::Api;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Which keys beyond the common ones a server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// `ignore_eos`: answers are as long as asked for.
    pub(crate) takes_ignore_eos: bool,
    /// `stream_options`: the server counts the tokens.
    pub(crate) takes_stream_options: bool,
}

/// What is the same in every request of a measurement.
#[derive(Debug, Clone)]
pub(crate) struct BodyShape {
    pub(crate) api: Api,
    pub(crate) model: String,
    pub(crate) dialect: Dialect,
    pub(crate) additional_params: Map<String, Value>,
}

impl Dialect {
    /// Everything is asked for.
    pub(crate) const FULL: Self = Self {
        takes_ignore_eos: true,
        takes_stream_options: true,
    };

    /// From the fullest to the plainest.
    pub(crate) const ALL: [Self; 4] = [
        Self::FULL,
        Self {
            takes_ignore_eos: false,
            takes_stream_options: true,
        },
        Self {
            takes_ignore_eos: true,
            takes_stream_options: false,
        },
        Self {
            takes_ignore_eos: false,
            takes_stream_options: false,
        },
    ];
}

impl BodyShape {
    /// The body of one request.
    pub(crate) fn body(&self, prompt: &str, max_tokens: u32) -> Bytes {
        let mut body = Map::new();
        body.insert("model".into(), json!(self.model));
        match self.api {
            Api::Chat => body.insert("messages".into(), json!([{"role": "user", "content": prompt}])),
            Api::Completions => body.insert("prompt".into(), json!(prompt)),
        };
        body.insert("max_tokens".into(), json!(max_tokens));
        if self.dialect.takes_stream_options {
            body.insert("stream_options".into(), json!({"include_usage": true}));
        }
        if self.dialect.takes_ignore_eos {
            body.insert("ignore_eos".into(), json!(true));
        }
        for (key, value) in &self.additional_params {
            body.insert(key.clone(), value.clone());
        }
        body.insert("stream".into(), json!(true));
        Value::Object(body).to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(api: Api, dialect: Dialect, additional: Value, expected: Value) {
        let Value::Object(additional_params) = additional else {
            panic!("an object is needed")
        };
        let shape = BodyShape {
            api,
            model: "m".into(),
            dialect,
            additional_params,
        };
        let body: Value = serde_json::from_slice(&shape.body("one two", 5)).unwrap();
        assert_eq!(body, expected);
    }

    #[test]
    fn shapes() {
        let messages = json!([{"role": "user", "content": "one two"}]);
        check(
            Api::Chat,
            Dialect::FULL,
            json!({}),
            json!({"model": "m", "messages": messages, "max_tokens": 5, "stream": true,
                   "stream_options": {"include_usage": true}, "ignore_eos": true}),
        );
        check(
            Api::Completions,
            Dialect::ALL[3],
            json!({}),
            json!({"model": "m", "prompt": "one two", "max_tokens": 5, "stream": true}),
        );
    }

    #[test]
    fn the_users_keys_override_all_but_streaming() {
        let params = json!({"temperature": 0.5, "max_tokens": 9, "stream": false});
        check(
            Api::Completions,
            Dialect::ALL[1],
            params,
            json!({"model": "m", "prompt": "one two", "max_tokens": 9, "temperature": 0.5,
                   "stream": true, "stream_options": {"include_usage": true}}),
        );
    }
}
