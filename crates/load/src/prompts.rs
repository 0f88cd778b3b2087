//! Made-up words, and how many of them there are to be.
//!
//! The one idea: a text is a function of the seed and its place alone, so every run asks the
//! same questions in the same order, whichever connection carries them. Each text opens with
//! words that number it, shuffled by the seed, so that no two texts of an experiment are equal
//! and none begins like another: a server's prefix cache finds nothing to share.
//!
//! One common word is taken for one token. How far that is off for a model is a
//! [`PromptScale`], learnt elsewhere. What a request is made of is put together in `questions`.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::vocabulary::WORDS;

/// What a request is sent for; each kind has prompts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To learn how the server counts and what it accepts; its words are [`every_word`].
    Probe,
    /// To warm the server up.
    WarmUp,
    /// To be recorded.
    Window,
    /// To be the beginning that other prompts share.
    Prefix,
}

/// Which request of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// What it is sent for.
    pub(crate) purpose: Purpose,
    /// The level, counted from 0.
    pub(crate) level: usize,
    /// Which request of the level, counted from 0.
    pub(crate) index: u32,
}

/// How many tokens a prompt of so many words has: `overhead + words × tokens_per_word`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PromptScale {
    /// Tokens per word, more than 0.
    pub(crate) tokens_per_word: f64,
    /// Tokens that the chat template adds to every prompt.
    pub(crate) overhead: f64,
}

/// A prompt's length, in words and as the server counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) words: u32,
    pub(crate) tokens: u32,
}

/// Words that number a prompt: 5 words of 8 bits each tell 2^40 prompts apart.
pub(crate) const NUMBER_WORDS: usize = 5;

/// All words once, in an order that follows from the seed.
pub(crate) fn every_word(seed: u64) -> Vec<&'static str> {
    let place = Place {
        purpose: Purpose::Probe,
        level: 0,
        index: 0,
    };
    let mut words = WORDS.to_vec();
    words.shuffle(&mut generator(seed, place));
    words
}

impl PromptScale {
    /// One word, one token.
    pub(crate) const IDENTITY: Self = Self {
        tokens_per_word: 1.0,
        overhead: 0.0,
    };

    /// Learns the scale from prompts' (words, tokens): a first and a second part, both parts
    /// in one prompt, and further prompts of which no two share a word.
    ///
    /// The template is in the two parts twice and in the whole once, so the difference is the
    /// template, whatever the words are. What is left of all prompts is the words' own.
    pub(crate) fn learn(parts: [Counted; 2], whole: Counted, further: &[Counted]) -> Option<Self> {
        let [first, second] = parts;
        let overhead = f64::from(first.tokens) + f64::from(second.tokens) - f64::from(whole.tokens);
        let mut words = 0.0;
        let mut tokens = 0.0;
        for prompt in std::iter::once(&whole).chain(further) {
            words += f64::from(prompt.words);
            tokens += f64::from(prompt.tokens) - overhead;
        }
        let tokens_per_word = tokens / words;
        let is_sensible = (0.2..=20.0).contains(&tokens_per_word) && overhead > -2.0;
        is_sensible.then_some(Self {
            tokens_per_word,
            overhead,
        })
    }

    /// How many words a prompt of so many tokens has; at least 1.
    pub(crate) fn words(&self, tokens: u32) -> usize {
        self.plain_words(f64::from(tokens) - self.overhead)
    }

    /// How many words have so many tokens, nothing around them; at least 1.
    pub(crate) fn plain_words(&self, tokens: f64) -> usize {
        let words = (tokens / self.tokens_per_word)
            .round()
            .clamp(1.0, f64::from(u32::MAX));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped into the range of u32 just above"
        )]
        let words = words as usize;
        words
    }
}

/// A generator of its own for the words of every place.
pub(crate) fn generator(seed: u64, place: Place) -> ChaCha8Rng {
    keyed(seed, place, 0)
}

/// Another one, for choices that must not change the words.
pub(crate) fn chooser(seed: u64, place: Place) -> ChaCha8Rng {
    keyed(seed, place, 1)
}

fn keyed(seed: u64, place: Place, use_of_it: u8) -> ChaCha8Rng {
    let mut key = *b"autotuner request list: ........";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(place.level as u64).to_le_bytes());
    key[16..20].copy_from_slice(&place.index.to_le_bytes());
    key[20] = place.purpose as u8;
    // What words are drawn from keeps the byte that it has always had.
    key[21] ^= use_of_it;
    ChaCha8Rng::from_seed(key)
}

/// So many words. They open with the number of the place; a text of fewer than five words has
/// no room for all of it and may then be made twice.
pub(crate) fn numbered(seed: u64, place: Place, words: usize, rng: &mut dyn Rng) -> String {
    let mut choices = vec![0_u8; words];
    rng.fill_bytes(&mut choices);
    for (choice, byte) in choices.iter_mut().zip(number(seed, place)) {
        *choice = byte;
    }
    spell(&choices)
}

/// So many words without a number.
pub(crate) fn plain(words: usize, rng: &mut dyn Rng) -> String {
    let mut choices = vec![0_u8; words];
    rng.fill_bytes(&mut choices);
    spell(&choices)
}

fn spell(choices: &[u8]) -> String {
    let mut text = String::with_capacity(choices.len() * 7);
    for choice in choices {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(WORDS[usize::from(*choice)]);
    }
    text
}

/// The number of a place, shuffled by the seed: different places of one seed have different
/// numbers (up to 1024 levels of 2^28 requests), and the first byte already differs as often
/// as chance allows.
fn number(seed: u64, place: Place) -> [u8; NUMBER_WORDS] {
    const BITS: u32 = 40;
    const MASK: u64 = (1 << BITS) - 1;
    let mut keys = ChaCha8Rng::seed_from_u64(seed);
    let mut number = ((place.purpose as u64) << 38)
        | ((place.level as u64 & 0x3ff) << 28)
        | (u64::from(place.index) & 0x0fff_ffff);
    // Each step can be undone, so no two numbers meet: an odd factor is invertible modulo
    // 2^40, and so is folding the upper half into the lower.
    for _ in 0..3 {
        number = number
            .wrapping_mul(keys.next_u64() | 1)
            .wrapping_add(keys.next_u64())
            & MASK;
        number ^= number >> (BITS / 2);
    }
    let [.., a, b, c, d, e] = number.to_be_bytes();
    [a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_words_are_all_different() {
        assert_eq!(WORDS.iter().collect::<HashSet<_>>().len(), WORDS.len());
    }

    #[test]
    fn no_two_prompts_of_an_experiment_are_equal() {
        let mut beginnings = HashSet::new();
        for purpose in [Purpose::Probe, Purpose::WarmUp, Purpose::Window, Purpose::Prefix] {
            for level in [0, 1, 2, 900] {
                for index in 0..2000 {
                    let place = Place {
                        purpose,
                        level,
                        index,
                    };
                    assert!(beginnings.insert(number(11, place)), "{place:?}");
                }
            }
        }
    }

    #[test]
    fn prompts_hardly_ever_begin_alike() {
        let same_beginnings = (1..2000)
            .filter(|index| {
                let first = |index| {
                    number(
                        3,
                        Place {
                            purpose: Purpose::Window,
                            level: 0,
                            index,
                        },
                    )[..2]
                        .to_vec()
                };
                first(*index) == first(index - 1)
            })
            .count();
        assert_eq!(same_beginnings, 0, "neighbours differ within the first two words");
    }

    #[test]
    fn texts_have_exactly_the_words_asked_for() {
        for index in 0..200 {
            let place = Place {
                purpose: Purpose::Window,
                level: 0,
                index,
            };
            let mut rng = generator(1, place);
            let words = index as usize % 60 + 1;
            for text in [numbered(1, place, words, &mut rng), plain(words, &mut rng)] {
                let found: Vec<&str> = text.split(' ').collect();
                assert_eq!(found.len(), words);
                assert!(found.iter().all(|word| WORDS.contains(word)));
            }
        }
    }

    fn counted((words, tokens): (u32, u32)) -> Counted {
        Counted { words, tokens }
    }

    #[test]
    fn the_scale_is_learnt_exactly() {
        // A template of 32 tokens; words of 1 token in the first part, of 2 in the second,
        // of 3 in the further prompt.
        let parts = [(10, 42), (10, 52)].map(counted);
        let scale = PromptScale::learn(parts, counted((20, 62)), &[counted((20, 92))]).unwrap();
        assert_eq!((scale.overhead, scale.tokens_per_word), (32.0, 2.25));
    }

    #[test]
    fn counts_that_make_no_sense_teach_nothing() {
        for (parts, whole) in [
            ([(10, 5), (10, 5)], (20, 5)),
            ([(10, 5), (10, 5)], (20, 500)),
            ([(10, 0), (10, 0)], (20, 0)),
        ] {
            assert_eq!(
                PromptScale::learn(parts.map(counted), counted(whole), &[]),
                None,
                "{whole:?}"
            );
        }
    }

    #[test]
    fn the_scale_turns_tokens_into_words() {
        let scale = PromptScale {
            tokens_per_word: 1.25,
            overhead: 32.0,
        };
        assert_eq!(scale.words(157), 100);
        assert_eq!(scale.words(10), 1, "shorter than the template alone");
        assert_eq!(PromptScale::IDENTITY.words(100), 100);
    }

    #[test]
    fn every_word_comes_once() {
        let words = every_word(3);
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), 256);
        assert_eq!(words, every_word(3));
        assert_ne!(words, every_word(4));
    }
}
