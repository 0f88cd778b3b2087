//! Reads what a client asks: the two request bodies, reduced to what the engine needs.
//!
//! Only what changes the answer's length or shape is looked at. Sampling parameters,
//! `ignore_eos` and `stop` are accepted without effect: an answer always has exactly as many
//! tokens as were asked for.

use serde::Deserialize;

use super::refusal::Refusal;
use crate::text::Prompt;

/// Length of a text answer for which none is asked, as OpenAI has it.
const DEFAULT_TEXT_TOKENS: u32 = 16;
/// Length of a chat answer for which none is asked.
const DEFAULT_CHAT_TOKENS: u32 = 128;

/// What a client asks, whichever way it asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) prompt: Prompt,
    /// At least 1.
    pub(crate) max_tokens: u32,
    pub(crate) is_streaming: bool,
    pub(crate) includes_usage: bool,
}

/// Limits that an ask has to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskLimits {
    pub(crate) max_model_len: u32,
    pub(crate) block_size: u32,
}

#[derive(Debug, Deserialize)]
struct TextBody {
    prompt: TextPrompt,
    #[serde(flatten)]
    common: CommonBody,
}

#[derive(Debug, Deserialize)]
struct ChatBody {
    messages: Vec<Message>,
    max_completion_tokens: Option<u32>,
    #[serde(flatten)]
    common: CommonBody,
}

#[derive(Debug, Deserialize)]
struct CommonBody {
    model: String,
    max_tokens: Option<u32>,
    n: Option<u32>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TextPrompt {
    Text(String),
    Tokens(Vec<u32>),
    Texts(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    text: Option<String>,
}

/// Reads the body of `POST /v1/completions`.
pub(crate) fn read_text(body: &[u8], limits: AskLimits) -> Result<Ask, Refusal> {
    let TextBody { prompt, common } = parse(body)?;
    let prompt = match prompt {
        TextPrompt::Text(text) => Prompt::read(text.split_whitespace(), limits.block_size),
        TextPrompt::Tokens(tokens) => Prompt::read(tokens, limits.block_size),
        TextPrompt::Texts(texts) => match texts.as_slice() {
            [text] => Prompt::read(text.split_whitespace(), limits.block_size),
            _ => {
                return Err(Refusal::parameter(
                    "prompt",
                    "this engine answers exactly one prompt a request",
                ));
            }
        },
    };
    common.finish(prompt, None, DEFAULT_TEXT_TOKENS, limits)
}

/// Reads the body of `POST /v1/chat/completions`. Only the words of contents count as tokens.
pub(crate) fn read_chat(body: &[u8], limits: AskLimits) -> Result<Ask, Refusal> {
    let ChatBody {
        messages,
        max_completion_tokens,
        common,
    } = parse(body)?;
    if messages.is_empty() {
        return Err(Refusal::parameter(
            "messages",
            "at least one message is needed",
        ));
    }
    let texts = messages
        .iter()
        .filter_map(|message| message.content.as_ref())
        .flat_map(Content::texts);
    let prompt = Prompt::read(texts.flat_map(str::split_whitespace), limits.block_size);
    common.finish(prompt, max_completion_tokens, DEFAULT_CHAT_TOKENS, limits)
}

fn parse<'body, Body: Deserialize<'body>>(body: &'body [u8]) -> Result<Body, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::ParseBody(error.to_string()))
}

impl Content {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Parts(parts) => parts
                .iter()
                .filter_map(|part| part.text.as_deref())
                .collect(),
        }
    }
}

impl CommonBody {
    fn finish(
        self,
        prompt: Prompt,
        max_completion_tokens: Option<u32>,
        default_tokens: u32,
        limits: AskLimits,
    ) -> Result<Ask, Refusal> {
        let Self {
            model,
            max_tokens,
            n,
            stream,
            stream_options,
        } = self;
        if n.is_some_and(|n| n != 1) {
            return Err(Refusal::parameter(
                "n",
                "this engine gives exactly one answer a request",
            ));
        }
        let room = limits.max_model_len.saturating_sub(prompt.tokens);
        let asked = max_completion_tokens.or(max_tokens);
        let max_tokens = asked.unwrap_or(default_tokens.min(room));
        if asked == Some(0) {
            return Err(Refusal::parameter("max_tokens", "it must be at least 1"));
        }
        if max_tokens == 0 || max_tokens > room {
            let reason = format!(
                "this model's maximum context length is {} tokens; the request has {} tokens in the prompt and asks for {}",
                limits.max_model_len,
                prompt.tokens,
                max_tokens.max(1)
            );
            return Err(Refusal::parameter("max_tokens", reason));
        }
        Ok(Ask {
            model,
            prompt,
            max_tokens,
            is_streaming: stream.unwrap_or(false),
            includes_usage: stream_options
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AskLimits = AskLimits {
        max_model_len: 100,
        block_size: 4,
    };

    fn check_text(body: &str, prompt_tokens: u32, max_tokens: u32) {
        let ask = read_text(body.as_bytes(), LIMITS).unwrap();
        assert_eq!(
            (ask.prompt.tokens, ask.max_tokens),
            (prompt_tokens, max_tokens),
            "{body}"
        );
    }

    fn check_chat(body: &str, prompt_tokens: u32, max_tokens: u32) {
        let ask = read_chat(body.as_bytes(), LIMITS).unwrap();
        assert_eq!(
            (ask.prompt.tokens, ask.max_tokens),
            (prompt_tokens, max_tokens),
            "{body}"
        );
    }

    fn check_refused(result: Result<Ask, Refusal>, expected: &str) {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn text_prompts_come_in_three_shapes() {
        check_text(r#"{"model":"m","prompt":"one two three"}"#, 3, 16);
        check_text(r#"{"model":"m","prompt":["one two"],"max_tokens":5}"#, 2, 5);
        check_text(
            r#"{"model":"m","prompt":[4,5,6,7],"max_tokens":5,"ignore_eos":true,"temperature":0}"#,
            4,
            5,
        );
        check_text(r#"{"model":"m","prompt":""}"#, 1, 16);
    }

    #[test]
    fn chat_counts_the_words_of_all_messages() {
        check_chat(
            r#"{"model":"m","messages":[{"role":"user","content":"one two"}]}"#,
            2,
            98,
        );
        check_chat(
            r#"{"model":"m","max_completion_tokens":7,"max_tokens":9,"messages":[
                {"role":"system","content":"be brief"},
                {"role":"assistant","content":null},
                {"role":"user","content":[{"type":"text","text":"one two"},{"type":"image_url"}]}]}"#,
            4,
            7,
        );
    }

    #[test]
    fn streaming_and_usage_are_off_unless_asked_for() {
        let read = |rest: &str| {
            let ask = read_text(
                format!(r#"{{"model":"m","prompt":"a"{rest}}}"#).as_bytes(),
                LIMITS,
            )
            .unwrap();
            (ask.is_streaming, ask.includes_usage)
        };
        assert_eq!(read(""), (false, false));
        assert_eq!(read(r#","stream":true"#), (true, false));
        assert_eq!(
            read(r#","stream":true,"stream_options":null"#),
            (true, false)
        );
        assert_eq!(
            read(r#","stream":true,"stream_options":{"include_usage":true}"#),
            (true, true)
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let text = |body: &str| read_text(body.as_bytes(), LIMITS);
        check_refused(
            text(r#"{"model":"m","prompt":"a","max_tokens":100}"#),
            "maximum context length is 100",
        );
        check_refused(
            text(r#"{"model":"m","prompt":"a","max_tokens":0}"#),
            "at least 1",
        );
        check_refused(
            text(r#"{"model":"m","prompt":"a","n":2}"#),
            "exactly one answer",
        );
        check_refused(
            text(r#"{"model":"m","prompt":["a","b"]}"#),
            "exactly one prompt",
        );
        check_refused(text(r#"{"prompt":"a"}"#), "missing field `model`");
        check_refused(text("{"), "not valid JSON");
        check_refused(
            text(&format!(
                r#"{{"model":"m","prompt":"{}"}}"#,
                "a ".repeat(100)
            )),
            "maximum context length",
        );
        check_refused(
            read_chat(br#"{"model":"m","messages":[]}"#, LIMITS),
            "at least one message",
        );
    }
}
