//! Reads a chunk that differs from an earlier one in nothing but its text.
//!
//! The one idea: in a stream the same JSON comes again and again with another word in it. Once
//! one was read with care, another that has the same bytes before and after its text, and a
//! text that is not empty between them, must say the same: in JSON one string may stand
//! for another. That is two comparisons, several times as quick as reading it anew.
//!
//! It never guesses. Whatever is not alike to the last byte, or has an odd escape in its text, is
//! left to [`parse`](super::parse); a property holds the two to the same verdict.

use super::{Chunk, Delta};

/// Longest chunk that is kept: those that are longer hold more than a word.
const LONGEST: usize = 2048;

/// A chunk that was read, with a gap where its text was.
#[derive(Debug, Default)]
pub(crate) struct Pattern {
    /// The whole chunk without its text; empty while none was learned.
    bytes: Vec<u8>,
    /// How many of these bytes come before the gap.
    before: usize,
    /// What such a chunk says.
    delta: Delta,
}

impl Pattern {
    /// What `data` says, if it is like the chunk that was learned last.
    pub(crate) fn read(&self, data: &[u8]) -> Option<Delta> {
        if self.bytes.is_empty() || data.len() <= self.bytes.len() {
            return None;
        }
        let (before, after) = self.bytes.split_at(self.before);
        let text = data.strip_prefix(before)?.strip_suffix(after)?;
        is_inside_of_string(text).then_some(self.delta)
    }

    /// Remembers a chunk for those that come after it.
    pub(crate) fn learn(&mut self, data: &[u8], chunk: &Chunk<'_>) {
        let Some(text) = chunk.text else { return };
        if data.len() > LONGEST {
            return;
        }
        // Where the text lies in the data that it is borrowed from.
        let Some(before) = text.as_ptr().addr().checked_sub(data.as_ptr().addr()) else {
            return;
        };
        let Some(after) = data.get(before + text.len()..) else {
            return;
        };
        self.bytes.clear();
        self.bytes.extend_from_slice(&data[..before]);
        self.bytes.extend_from_slice(after);
        self.before = before;
        self.delta = chunk.delta;
    }

    /// Bytes of memory that it holds.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Whether the bytes can stand between the quotation marks of a JSON string. Escapes of a code
/// point are not looked at: they may be wrong, and are rare.
fn is_inside_of_string(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0..0x20 | b'"' => return false,
            b'\\' => match bytes.next() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (),
                _ => return false,
            },
            _ => (),
        }
    }
    std::str::from_utf8(text).is_ok()
}

#[cfg(test)]
mod tests {
    use autotuner_core::workload::Api;
    use proptest::prelude::*;

    use super::super::parse;
    use super::*;

    const CHUNK: &str =
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}"#;

    fn learned(api: Api, data: &[u8]) -> Pattern {
        let mut pattern = Pattern::default();
        if let Ok(chunk) = parse(api, data) {
            pattern.learn(data, &chunk);
        }
        pattern
    }

    /// Whether `text` in the place of the learned text is read by the pattern.
    fn is_read(text: &str) -> bool {
        let pattern = learned(Api::Chat, CHUNK.as_bytes());
        pattern.read(CHUNK.replace("word", text).as_bytes()).is_some()
    }

    #[test]
    fn what_is_alike_is_read() {
        for text in [
            "a",
            " longer than before",
            "漢é",
            "{}",
            "'",
            "\\n",
            "\\\"",
            "a\\\\",
        ] {
            assert!(is_read(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_left_to_the_parser() {
        for text in [
            "",
            "\"",
            "a\",\"b\":\"",
            "\n",
            "\u{1}",
            "\\",
            "\\x",
            "\\u00e9",
            "\\\\\\",
        ] {
            assert!(!is_read(text), "{text}");
        }
        let pattern = learned(Api::Chat, CHUNK.as_bytes());
        for data in [&b""[..], b"{}", &CHUNK.as_bytes()[1..], &CHUNK.as_bytes()[..80]] {
            assert_eq!(pattern.read(data), None);
        }
        assert_eq!(pattern.read(CHUNK.replace("word", "\u{0}").as_bytes()), None);
        let mut broken = CHUNK.as_bytes().to_vec();
        broken[CHUNK.find("word").unwrap()] = 0xff;
        assert_eq!(pattern.read(&broken), None, "no UTF-8");
        assert_eq!(Pattern::default().read(b"{}"), None, "nothing learned");
    }

    #[test]
    fn what_cannot_be_learned_leaves_the_last_one() {
        let mut pattern = learned(Api::Chat, CHUNK.as_bytes());
        let escaped = CHUNK.replace("word", "\\n");
        pattern.learn(escaped.as_bytes(), &parse(Api::Chat, escaped.as_bytes()).unwrap());
        assert!(pattern.read(CHUNK.as_bytes()).is_some());
        let long = CHUNK.replace("word", &"x".repeat(LONGEST));
        pattern.learn(long.as_bytes(), &parse(Api::Chat, long.as_bytes()).unwrap());
        assert!(pattern.held_bytes() <= LONGEST);
    }

    /// Chunks of all styles, some of them odd.
    fn chunk() -> impl Strategy<Value = (Api, String)> {
        let shapes = prop::sample::select(vec![
            (Api::Chat, CHUNK),
            (
                Api::Chat,
                r#"{"choices":[{"delta":{"reasoning":"word","content":""}}],"usage":{"completion_tokens":3}}"#,
            ),
            (
                Api::Chat,
                r#"{"choices":[{"delta":{"content":"word"}},{"delta":{"content":"word"}}]}"#,
            ),
            (
                Api::Chat,
                r#"{"choices":[{"delta":{"content":"word","content":"word"}}]}"#,
            ),
            (
                Api::Chat,
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"word"}}]}}]}"#,
            ),
            (
                Api::Completions,
                r#"{"choices":[{"text":"word","finish_reason":"stop"}]} "#,
            ),
            (Api::LlamaCpp, r#"{"content":"word","stop":false}"#),
            (
                Api::Tgi,
                r#"{"token":{"text":"word","special":false},"generated_text":null}"#,
            ),
        ]);
        let text = prop_oneof![
            "[a-z]{0,4}",
            Just("\\n".to_owned()),
            Just("\\u00e9".to_owned()),
            Just("\",\"finish_reason\":\"x".to_owned()),
            Just("\"},{\"delta\":{\"content\":\"".to_owned()),
            ".{0,3}",
        ];
        (shapes, text).prop_map(|((api, shape), text)| (api, shape.replacen("word", &text, 1)))
    }

    proptest! {
        #[test]
        fn the_pattern_never_disagrees_with_the_parser(
            (api, first) in chunk(),
            (_, second) in chunk(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            text in prop_oneof!["[ a-z]{0,6}", ".{0,4}", r#"[\\"/bfnrtux0-9a]{0,6}"#],
            is_other: bool,
        ) {
            let pattern = learned(api, first.as_bytes());
            let mut data = match is_other {
                true => second.into_bytes(),
                // The same chunk with another text in the gap.
                false => {
                    let (before, after) = pattern.bytes.split_at(pattern.before);
                    [before, text.as_bytes(), after].concat()
                }
            };
            if !data.is_empty() {
                for (place, byte) in changes {
                    let place = place.index(data.len());
                    data[place] = byte;
                }
            }
            if let Some(delta) = pattern.read(&data) {
                let parsed = parse(api, &data);
                prop_assert!(parsed.is_ok(), "{:?}", String::from_utf8_lossy(&data));
                prop_assert_eq!(parsed.unwrap().delta, delta);
            }
        }
    }
}
