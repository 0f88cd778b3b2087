//! How answers look on the wire: events as vLLM sends them, of about 190 bytes each.
//!
//! The event of a token is rendered once for each model and endpoint; for each token only its
//! place and the request's number are put in, so that a write is copied together without
//! allocating. Every number has a fixed width, so all events of one kind are equally long.
//! `created` is 0: a metronome has no calendar.

use std::io::Write as _;
use std::rc::Rc;

use serde_json::{Value, json};

/// Digits of a request's number, in hexadecimal.
const ID_DIGITS: usize = 16;

/// Digits of a token's place.
const PLACE_DIGITS: usize = 6;

/// The number of no request, to be written over.
const NO_ID: &str = "0000000000000000";

/// The word of the first token, to be written over.
const FIRST_WORD: &str = " w000000";

/// Voices that are kept for requests to come.
const VOICES: usize = 64;

/// Before the chunks of a stream.
const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
    transfer-encoding: chunked\r\n\r\n";

/// The same where no other answer follows.
const LAST_STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
    transfer-encoding: chunked\r\nconnection: close\r\n\r\n";

/// Which of the two endpoints answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Text,
    Chat,
}

/// Tokens counted for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) prompt_tokens: u32,
    pub(super) completion_tokens: u32,
}

/// How one model's answers at one endpoint look.
#[derive(Debug)]
pub(super) struct Voice {
    style: Style,
    model: String,
    /// Where in every event the request's number is.
    id_at: usize,
    /// The event of a token.
    content: Vec<u8>,
    /// Where in it the token's place is.
    place_at: usize,
    role: Vec<u8>,
    finish: Vec<u8>,
}

impl Voice {
    fn new(style: Style, model: &str) -> Self {
        let event = |choice: Value| {
            let chunk = json!({
                "id": format!("{}{NO_ID}", prefix(style)),
                "object": match style {
                    Style::Text => "text_completion",
                    Style::Chat => "chat.completion.chunk",
                },
                "created": 0,
                "model": model,
                "choices": [choice],
            });
            format!("data: {chunk}\n\n").into_bytes()
        };
        let choice = |text: &str, finish: Option<&str>| match style {
            Style::Text => json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": finish }),
            Style::Chat => {
                let delta = if text.is_empty() {
                    json!({})
                } else {
                    json!({ "content": text })
                };
                json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish })
            }
        };
        let role = json!({ "role": "assistant", "content": "" });
        let content = event(choice(FIRST_WORD, None));
        // The last one is meant: a model's name may have anything in it, but stands before.
        let word_at = content
            .windows(FIRST_WORD.len())
            .rposition(|part| part == FIRST_WORD.as_bytes())
            .expect("the event was made with this word");
        Self {
            style,
            model: model.to_owned(),
            id_at: r#"data: {"id":""#.len() + prefix(style).len(),
            place_at: word_at + FIRST_WORD.len() - PLACE_DIGITS,
            content,
            role: event(match style {
                Style::Text => choice("", None),
                Style::Chat => json!({ "index": 0, "delta": role, "logprobs": null, "finish_reason": null }),
            }),
            finish: event(choice("", Some("length"))),
        }
    }

    /// Adds what comes before a stream's chunks.
    pub(super) fn head(closes: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if closes { LAST_STREAM } else { STREAM });
    }

    /// Adds the chunk with the role.
    pub(super) fn role(&self, id: u64, out: &mut Vec<u8>) {
        self.chunk(&self.role, id, out);
    }

    /// Adds a chunk with the events of `count` tokens, the first of which is the answer's
    /// `place`-th, from 0.
    pub(super) fn content(&self, id: u64, place: u32, count: u32, out: &mut Vec<u8>) {
        size(self.content.len() * count as usize, out);
        for place in place..place + count {
            let at = out.len();
            out.extend_from_slice(&self.content);
            put_id(&mut out[at + self.id_at..], id);
            put_place(&mut out[at + self.place_at..], place);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Adds the end of a stream: the finish reason, the usage, `[DONE]`, and the last chunk.
    pub(super) fn end(&self, id: u64, usage: Usage, out: &mut Vec<u8>) {
        self.chunk(&self.finish, id, out);
        let object = match self.style {
            Style::Text => "text_completion",
            Style::Chat => "chat.completion.chunk",
        };
        let chunk = json!({
            "id": format!("{}{NO_ID}", prefix(self.style)), "object": object, "created": 0,
            "model": self.model, "choices": [], "usage": usage.to_json(),
        });
        self.chunk(format!("data: {chunk}\n\n").as_bytes(), id, out);
        out.extend_from_slice(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    }

    /// A whole answer, not streamed.
    pub(super) fn whole(&self, id: u64, usage: Usage) -> Vec<u8> {
        let mut text = Vec::with_capacity(usage.completion_tokens as usize * FIRST_WORD.len());
        for place in 0..usage.completion_tokens {
            text.extend_from_slice(FIRST_WORD.as_bytes());
            let at = text.len() - PLACE_DIGITS;
            put_place(&mut text[at..], place);
        }
        let text = String::from_utf8_lossy(&text);
        let (object, choice) = match self.style {
            Style::Text => (
                "text_completion",
                json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": "length" }),
            ),
            Style::Chat => {
                let message = json!({ "role": "assistant", "content": text });
                let choice =
                    json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "length" });
                ("chat.completion", choice)
            }
        };
        let answer = json!({
            "id": format!("{}{id:016x}", prefix(self.style)), "object": object, "created": 0,
            "model": self.model, "choices": [choice], "usage": usage.to_json(),
        });
        answer.to_string().into_bytes()
    }

    fn chunk(&self, event: &[u8], id: u64, out: &mut Vec<u8>) {
        size(event.len(), out);
        let at = out.len();
        out.extend_from_slice(event);
        put_id(&mut out[at + self.id_at..], id);
        out.extend_from_slice(b"\r\n");
    }
}

impl Usage {
    fn to_json(self) -> Value {
        let Self {
            prompt_tokens,
            completion_tokens,
        } = self;
        json!({
            "prompt_tokens": prompt_tokens,
            "total_tokens": u64::from(prompt_tokens) + u64::from(completion_tokens),
            "completion_tokens": completion_tokens,
        })
    }
}

/// The voices of the models that were asked for.
#[derive(Debug, Default)]
pub(super) struct Voices(Vec<Rc<Voice>>);

impl Voices {
    /// The voice of a model at an endpoint.
    pub(super) fn of(&mut self, style: Style, model: &str) -> Rc<Voice> {
        let is_it = |voice: &&Rc<Voice>| voice.style == style && voice.model == model;
        if let Some(voice) = self.0.iter().find(is_it) {
            return Rc::clone(voice);
        }
        if self.0.len() == VOICES {
            self.0.clear();
        }
        let voice = Rc::new(Voice::new(style, model));
        self.0.push(Rc::clone(&voice));
        voice
    }
}

fn prefix(style: Style) -> &'static str {
    match style {
        Style::Text => "cmpl-",
        Style::Chat => "chatcmpl-",
    }
}

/// Adds the line before a chunk of so many bytes.
fn size(bytes: usize, out: &mut Vec<u8>) {
    write!(out, "{bytes:x}\r\n").expect("memory takes everything");
}

fn put_id(into: &mut [u8], mut id: u64) {
    for digit in into[..ID_DIGITS].iter_mut().rev() {
        *digit = b"0123456789abcdef"[(id & 15) as usize];
        id >>= 4;
    }
}

fn put_place(into: &mut [u8], mut place: u32) {
    for digit in into[..PLACE_DIGITS].iter_mut().rev() {
        *digit = b"0123456789"[(place % 10) as usize];
        place /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(render: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        render(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_chunk_has_its_events_and_their_size() {
        let voice = Voice::new(Style::Text, "m");
        let event = |place: &str| {
            format!(
                "data: {{\"id\":\"cmpl-00000000000000ab\",\"object\":\"text_completion\",\"created\":0,\
                 \"model\":\"m\",\"choices\":[{{\"index\":0,\"text\":\" w{place}\",\"logprobs\":null,\
                 \"finish_reason\":null}}]}}\n\n"
            )
        };
        let events = event("000009") + &event("000010");
        let expected = format!("{:x}\r\n{events}\r\n", events.len());
        assert_eq!(text(|out| voice.content(0xab, 9, 2, out)), expected);
    }

    #[test]
    fn a_model_may_have_any_name() {
        for model in ["", "a \"quoted\" w000000 name", "w000000", "\u{1F600}\n"] {
            let voice = Voice::new(Style::Chat, model);
            let chunk = text(|out| voice.content(u64::MAX, 999_999, 1, out));
            let event = chunk.lines().nth(1).unwrap().strip_prefix("data: ").unwrap();
            let event: Value = serde_json::from_str(event).unwrap();
            assert_eq!(event["model"], model);
            assert_eq!(event["id"], "chatcmpl-ffffffffffffffff");
            assert_eq!(event["choices"][0]["delta"]["content"], " w999999");
        }
    }

    #[test]
    fn an_event_is_about_as_long_as_a_real_one() {
        let voice = Voice::new(Style::Chat, "mock");
        assert!(
            (180..=200).contains(&voice.content.len()),
            "{}",
            voice.content.len()
        );
    }

    #[test]
    fn voices_are_kept_for_a_while() {
        let mut voices = Voices::default();
        let first = voices.of(Style::Chat, "m");
        assert!(Rc::ptr_eq(&first, &voices.of(Style::Chat, "m")));
        assert!(!Rc::ptr_eq(&first, &voices.of(Style::Text, "m")));
        for number in 0..VOICES {
            voices.of(Style::Chat, &number.to_string());
        }
        assert!(voices.0.len() <= VOICES);
        assert!(!Rc::ptr_eq(&first, &voices.of(Style::Chat, "m")));
    }
}
