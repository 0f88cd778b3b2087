//! The JSON of a request.
//!
//! Which optional keys a server accepts is its [`Dialect`]; the user's own keys come last
//! and override all others, except that an answer that is text is always streamed. It does not
//! know where the texts come from.

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

/// What a request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// What was said until now, by user and assistant in turns; the user's is the first and the
    /// last.
    Talk {
        /// What goes before all else.
        system: Option<String>,
        turns: Vec<String>,
    },
    /// A question about images, each a `data:` URI.
    Images { text: String, images: Vec<String> },
    /// Texts to embed.
    Documents(Vec<String>),
    /// Texts to put in order.
    Rank { query: String, documents: Vec<String> },
}

/// How long an answer is asked to be, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As long, also where the model would end it sooner.
    Exactly(u32),
    /// As long as the model likes, up to this.
    AtMost(u32),
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
    /// The body of a request with this prompt and an answer of this length.
    pub(crate) fn body(&self, prompt: &str, max_tokens: u32) -> Bytes {
        let question = match self.api {
            Api::Chat | Api::Completions | Api::LlamaCpp | Api::Tgi => Question::Talk {
                system: None,
                turns: vec![prompt.to_owned()],
            },
            Api::Embeddings => Question::Documents(vec![prompt.to_owned()]),
            Api::Rerank => {
                let (query, document) = prompt.split_once(' ').unwrap_or((prompt, prompt));
                Question::Rank {
                    query: query.to_owned(),
                    documents: vec![document.to_owned()],
                }
            }
        };
        self.ask(&question, Answer::Exactly(max_tokens))
    }

    /// The body of a request.
    pub(crate) fn ask(&self, question: &Question, answer: Answer) -> Bytes {
        let mut body = Map::new();
        if !matches!(self.api, Api::LlamaCpp | Api::Tgi) {
            body.insert("model".into(), json!(self.model));
        }
        match self.api {
            Api::Chat => drop(body.insert("messages".into(), question.messages())),
            Api::Completions | Api::LlamaCpp => drop(body.insert("prompt".into(), json!(question.text()))),
            Api::Tgi => drop(body.insert("inputs".into(), json!(question.text()))),
            Api::Embeddings => drop(body.insert("input".into(), question.input())),
            Api::Rerank => question.rank(&mut body),
        }
        let (Answer::Exactly(tokens) | Answer::AtMost(tokens)) = answer;
        let ignores_eos = self.dialect.takes_ignore_eos && matches!(answer, Answer::Exactly(_));
        match self.api {
            Api::Chat | Api::Completions => {
                body.insert("max_tokens".into(), json!(tokens));
                if self.dialect.takes_stream_options {
                    body.insert("stream_options".into(), json!({"include_usage": true}));
                }
            }
            Api::LlamaCpp => {
                body.insert("n_predict".into(), json!(tokens));
                body.insert("cache_prompt".into(), json!(true));
            }
            // Its parameters stand apart, and it has no ignore_eos.
            Api::Tgi => {
                let mut parameters = Map::new();
                parameters.insert("max_new_tokens".into(), json!(tokens));
                parameters.insert("details".into(), json!(true));
                parameters.extend(self.additional_params.clone());
                body.insert("parameters".into(), Value::Object(parameters));
                return Value::Object(body).to_string().into();
            }
            Api::Embeddings | Api::Rerank => {}
        }
        if ignores_eos && self.api.answers_with_text() {
            body.insert("ignore_eos".into(), json!(true));
        }
        body.extend(self.additional_params.clone());
        if self.api.answers_with_text() {
            body.insert("stream".into(), json!(true));
        }
        Value::Object(body).to_string().into()
    }
}

impl Question {
    /// As messages of a chat: user and assistant take turns, and the user begins.
    fn messages(&self) -> Value {
        let message = |role: &str, content: Value| json!({"role": role, "content": content});
        match self {
            Self::Talk { system, turns } => {
                let system = system.iter().map(|text| message("system", json!(text)));
                let turns = turns.iter().zip(["user", "assistant"].into_iter().cycle());
                let turns = turns.map(|(text, role)| message(role, json!(text)));
                system.chain(turns).collect()
            }
            Self::Images { text, images } => {
                let images = images
                    .iter()
                    .map(|image| json!({"type": "image_url", "image_url": {"url": image}}));
                let text = std::iter::once(json!({"type": "text", "text": text}));
                json!([message("user", text.chain(images).collect())])
            }
            Self::Documents(_) | Self::Rank { .. } => json!([message("user", json!(self.text()))]),
        }
    }

    /// As one text.
    fn text(&self) -> String {
        match self {
            Self::Talk { system, turns } => {
                let parts: Vec<&str> = system.iter().chain(turns).map(String::as_str).collect();
                parts.join("\n")
            }
            Self::Images { text, .. } => text.clone(),
            Self::Documents(documents) => documents.join("\n"),
            Self::Rank { query, documents } => format!("{query}\n{}", documents.join("\n")),
        }
    }

    /// As what is to be embedded: one text, or a list of them.
    fn input(&self) -> Value {
        match self {
            Self::Documents(documents) if documents.len() != 1 => json!(documents),
            _ => json!(self.text()),
        }
    }

    /// As a query and documents to put in order.
    fn rank(&self, body: &mut Map<String, Value>) {
        let (query, documents) = match self {
            Self::Rank { query, documents } => (query.clone(), json!(documents)),
            _ => (self.text(), json!([self.text()])),
        };
        body.insert("query".into(), json!(query));
        body.insert("documents".into(), documents);
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

    #[track_caller]
    fn check_ask(api: Api, question: &Question, answer: Answer, expected: &Value) {
        let shape = BodyShape {
            api,
            model: "m".into(),
            dialect: Dialect::FULL,
            additional_params: Map::from_iter([("k".to_owned(), json!(1))]),
        };
        let body: Value = serde_json::from_slice(&shape.ask(question, answer)).unwrap();
        assert_eq!(body, *expected);
    }

    fn talk() -> Question {
        Question::Talk {
            system: Some("s".into()),
            turns: ["a", "b", "c"].map(str::to_owned).into(),
        }
    }

    #[test]
    fn conversations_in_every_api() {
        let usage = json!({"include_usage": true});
        let messages = json!([
            {"role": "system", "content": "s"}, {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}
        ]);
        check_ask(
            Api::Chat,
            &talk(),
            Answer::AtMost(7),
            &json!({"model": "m", "messages": messages, "max_tokens": 7, "stream_options": usage,
                    "k": 1, "stream": true}),
        );
        let text = "s\na\nb\nc";
        check_ask(
            Api::Completions,
            &talk(),
            Answer::Exactly(7),
            &json!({"model": "m", "prompt": text, "max_tokens": 7, "stream_options": usage,
                    "ignore_eos": true, "k": 1, "stream": true}),
        );
        check_ask(
            Api::LlamaCpp,
            &talk(),
            Answer::Exactly(7),
            &json!({"prompt": text, "n_predict": 7, "cache_prompt": true, "ignore_eos": true,
                    "k": 1, "stream": true}),
        );
        check_ask(
            Api::Tgi,
            &talk(),
            Answer::Exactly(7),
            &json!({"inputs": text, "parameters": {"max_new_tokens": 7, "details": true, "k": 1}}),
        );
    }

    #[test]
    fn images_documents_and_orders() {
        check_ask(
            Api::Chat,
            &Question::Images {
                text: "t".into(),
                images: vec!["data:1".into(), "data:2".into()],
            },
            Answer::Exactly(7),
            &json!({"model": "m", "messages": [{"role": "user", "content": [
                        {"type": "text", "text": "t"},
                        {"type": "image_url", "image_url": {"url": "data:1"}},
                        {"type": "image_url", "image_url": {"url": "data:2"}}]}],
                    "max_tokens": 7, "stream_options": {"include_usage": true}, "ignore_eos": true,
                    "k": 1, "stream": true}),
        );
        let documents =
            |texts: &[&str]| Question::Documents(texts.iter().map(|text| (*text).into()).collect());
        check_ask(
            Api::Embeddings,
            &documents(&["a"]),
            Answer::Exactly(0),
            &json!({"model": "m", "input": "a", "k": 1}),
        );
        check_ask(
            Api::Embeddings,
            &documents(&["a", "b"]),
            Answer::Exactly(0),
            &json!({"model": "m", "input": ["a", "b"], "k": 1}),
        );
        check_ask(
            Api::Rerank,
            &Question::Rank {
                query: "q".into(),
                documents: vec!["a".into(), "b".into()],
            },
            Answer::Exactly(0),
            &json!({"model": "m", "query": "q", "documents": ["a", "b"], "k": 1}),
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
