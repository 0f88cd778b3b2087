//! Words in and words out.
//!
//! The rule of the simulated tokenizer: **one word between white space is one token**, and
//! a prompt without a word still counts as one. So a client can make a prompt of an exact
//! length, and reading an answer's words gives its length.

use std::hash::{DefaultHasher, Hash, Hasher};

const WORDS: [&str; 64] = [
    "amber", "anchor", "apple", "arrow", "autumn", "basket", "beacon", "birch", "border", "bridge",
    "bronze", "candle", "canyon", "carbon", "cedar", "circle", "cloud", "copper", "coral",
    "cotton", "desert", "dolphin", "ember", "falcon", "feather", "field", "forest", "garden",
    "glacier", "granite", "harbor", "hollow", "island", "ivory", "jasper", "kettle", "lantern",
    "lemon", "maple", "marble", "meadow", "mirror", "mountain", "needle", "ocean", "orchid",
    "paper", "pebble", "pepper", "planet", "prairie", "quartz", "ribbon", "river", "saddle",
    "shadow", "silver", "spruce", "summer", "thunder", "timber", "valley", "velvet", "willow",
];

/// A prompt as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// Its length in tokens, at least 1.
    pub(crate) tokens: u32,
    /// One number for each whole block of tokens, which stands for all tokens up to its end.
    pub(crate) prefixes: Vec<u64>,
    /// One number that stands for all of it.
    pub(crate) fingerprint: u64,
}

impl Prompt {
    /// Counts and hashes the words of a prompt, in blocks of `block_size` tokens.
    pub(crate) fn read<Word: Hash>(words: impl IntoIterator<Item = Word>, block_size: u32) -> Self {
        let mut hasher = DefaultHasher::new();
        let mut prefixes = Vec::new();
        let mut tokens = 0_u32;
        for word in words {
            word.hash(&mut hasher);
            tokens = tokens.saturating_add(1);
            if tokens.is_multiple_of(block_size) {
                prefixes.push(hasher.finish());
            }
        }
        Self {
            tokens: tokens.max(1),
            prefixes,
            fingerprint: hasher.finish(),
        }
    }
}

/// The word that stands at `position` of the answer to a prompt; the same for the same seed.
pub(crate) fn word(seed: u64, fingerprint: u64, position: u32) -> &'static str {
    let mut hasher = DefaultHasher::new();
    (seed, fingerprint, position).hash(&mut hasher);
    let index = hasher.finish() % WORDS.len() as u64;
    WORDS[usize::try_from(index).expect("an index into a list of 64")]
}

/// The text of one token of an answer: its word, with a space before it unless it is the first.
pub(crate) fn token(seed: u64, fingerprint: u64, position: u32) -> String {
    let space = if position == 0 { "" } else { " " };
    format!("{space}{}", word(seed, fingerprint, position))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_count(text: &str, expected: u32) {
        assert_eq!(
            Prompt::read(text.split_whitespace(), 4).tokens,
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn a_word_is_a_token() {
        check_count("one", 1);
        check_count("  one two\nthree\tfour ", 4);
        check_count("it's one-word, two", 3);
        check_count("", 1);
    }

    #[test]
    fn prefixes_agree_as_far_as_the_words_do() {
        let prefixes = |text: &str| Prompt::read(text.split_whitespace(), 2).prefixes;
        let one = prefixes("a b c d e");
        let other = prefixes("a b c x e");
        assert_eq!((one.len(), other.len()), (2, 2));
        assert_eq!(one[0], other[0]);
        assert_ne!(one[1], other[1]);
    }

    #[test]
    fn answers_are_replayed_by_seed() {
        let answer = |seed| {
            (0..20)
                .map(|position| token(seed, 7, position))
                .collect::<String>()
        };
        assert_eq!(answer(1), answer(1));
        assert_ne!(answer(1), answer(2));
        assert_eq!(answer(1).split_whitespace().count(), 20);
    }
}
