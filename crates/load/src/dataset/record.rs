//! Entries that are JSON objects: ShareGPT's conversations, messages of a chat, or a prompt.

use std::fmt;

use autotuner_core::workload::{Entry, Turn};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use super::{Kept, Trouble, lines};

/// What an object may say. What else it has is nobody's business.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(alias = "conversation")]
    conversations: Option<Vec<Said>>,
    messages: Option<Vec<Said>>,
    system: Option<String>,
    prompt: Option<String>,
    question: Option<String>,
    text: Option<String>,
    input: Option<String>,
    #[serde(alias = "answer", alias = "response", alias = "completion")]
    output: Option<String>,
    #[serde(alias = "output_tokens", alias = "output_length", alias = "max_new_tokens")]
    max_tokens: Option<u32>,
}

/// One thing that was said.
#[derive(Debug, Deserialize)]
struct Said {
    #[serde(alias = "role", alias = "user")]
    from: String,
    #[serde(alias = "content", alias = "text", default)]
    value: Words,
}

/// Words, as one text or in parts of which some may be no text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    Whole(String),
    Parts(Vec<Part>),
    Nothing(()),
}

#[derive(Debug, Deserialize)]
struct Part {
    text: Option<String>,
}

impl Default for Words {
    fn default() -> Self {
        Self::Nothing(())
    }
}

impl Words {
    fn into_text(self) -> String {
        match self {
            Self::Whole(text) => text,
            Self::Parts(parts) => {
                let texts: Vec<String> = parts.into_iter().filter_map(|part| part.text).collect();
                texts.join("\n")
            }
            Self::Nothing(()) => String::new(),
        }
    }
}

/// A JSON list of objects.
pub(super) fn read_list(bytes: &[u8], kept: &mut Kept) -> Result<(), Trouble> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = deserializer
        .deserialize_seq(Each(kept))
        .and_then(|()| deserializer.end());
    read.map_err(trouble)
}

/// One JSON object a line.
pub(super) fn read_lines(bytes: &[u8], kept: &mut Kept) -> Result<(), Trouble> {
    for (number, line) in lines(bytes) {
        let record = serde_json::from_slice::<Record>(line);
        let record = record.map_err(|error| (Some(number), words_of(&error)))?;
        let entry = record.into_entry().map_err(|what| (Some(number), what))?;
        kept.add(entry).map_err(|what| (Some(number), what))?;
    }
    Ok(())
}

/// Takes entries one by one, so that the list is never in memory twice.
struct Each<'a>(&'a mut Kept);

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Record>()? {
            let entry = record.into_entry().map_err(A::Error::custom)?;
            self.0.add(entry).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

pub(super) fn trouble(error: serde_json::Error) -> Trouble {
    let line = u64::try_from(error.line()).ok().filter(|line| *line > 0);
    (line, words_of(&error))
}

/// The parser's own words without the place, which is said once already.
pub(super) fn words_of(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    whole.strip_suffix(&place).unwrap_or(&whole).to_owned()
}

impl Record {
    fn into_entry(self) -> Result<Entry, String> {
        let mut entry = Entry {
            system: self.system,
            turns: Vec::new(),
        };
        if let Some(said) = self.conversations.or(self.messages) {
            for said in said {
                hear(&mut entry, &said.from, said.value.into_text());
            }
        } else if let Some(question) = self.prompt.or(self.question).or(self.text).or(self.input) {
            entry.turns.push(Turn {
                question,
                answer: self.output,
                output: None,
            });
        } else {
            return Err(
                "has none of the keys prompt, question, text, input, messages and conversations".into(),
            );
        }
        if let Some(last) = entry.turns.last_mut() {
            last.output = self.max_tokens.filter(|tokens| *tokens > 0);
        }
        Ok(entry)
    }
}

/// Adds what one side said. What an assistant says before it was asked is left out, and what one
/// side says twice in a row is one thing.
fn hear(entry: &mut Entry, from: &str, text: String) {
    match from.to_ascii_lowercase().as_str() {
        "human" | "user" => match entry.turns.last_mut() {
            Some(turn) if turn.answer.is_none() => {
                turn.question.push('\n');
                turn.question.push_str(&text);
            }
            _ => entry.turns.push(Turn {
                question: text,
                ..Turn::default()
            }),
        },
        "system" => entry.system = Some(text),
        _ => {
            if let Some(turn) = entry.turns.last_mut() {
                match &mut turn.answer {
                    Some(answer) => {
                        answer.push('\n');
                        answer.push_str(&text);
                    }
                    None => turn.answer = Some(text),
                }
            }
        }
    }
}
