//! Questions that a data set holds.
//!
//! The one idea: every entry is asked once before any is asked again, and one that is asked again
//! is opened by words that are new. Entries come in an order that follows from the seed, and each
//! level goes on where the one before it could have ended.

use autotuner_core::workload::{DataSet, Entry, Lengths, Texts};
use rand::{Rng, RngExt};

use super::{Asked, Questions, documents_asked, whole};
use crate::body::{Answer, Question};
use crate::prompts::{self, NUMBER_WORDS, Purpose};

/// Characters that are taken for one token where a text was not made of our own words.
const CHARACTERS_PER_TOKEN: f64 = 4.0;

/// Longest answer to an entry of a data set that names no length.
pub(super) const UNASKED_ANSWER: u32 = 1024;

/// An entry of a data set, and whether it was asked before: then it needs words of its own to
/// be new.
pub(super) struct Chosen<'a> {
    pub(super) entry: &'a Entry,
    is_repeated: bool,
}

impl Questions {
    /// An entry of a data set, as it is.
    pub(super) fn recorded(&self, chosen: &Chosen<'_>, job: u32, turn: u32) -> Asked {
        let mut system = chosen.entry.system.clone();
        let mut turns: Vec<String> = Vec::new();
        let mut answer = Answer::AtMost(UNASKED_ANSWER);
        for (index, said) in (0..=turn).zip(&chosen.entry.turns) {
            let guessed = || said.answer.as_deref().map(|text| whole(tokens_of(text)));
            let known = said.output.or_else(guessed);
            turns.push(said.question.clone());
            if index < turn {
                turns.push(said.answer.clone().unwrap_or_else(|| {
                    let words = self.matter.scale.plain_words(f64::from(known.unwrap_or(1)));
                    let mut rng = prompts::generator(self.matter.seed, self.place(job, index));
                    prompts::plain(words, &mut rng)
                }));
            }
            answer = known.map_or(Answer::AtMost(UNASKED_ANSWER), Answer::Exactly);
        }
        if let Some(text) = system.as_mut().or(turns.first_mut()) {
            self.renew(text, chosen, job);
        }
        let said: f64 = system.iter().chain(&turns).map(|text| tokens_of(text)).sum();
        let (Answer::Exactly(output) | Answer::AtMost(output)) = answer;
        Asked {
            lengths: Lengths {
                input: whole(said),
                output,
            },
            question: Question::Talk { system, turns },
            answer,
        }
    }

    /// Opens a text that was asked before with words that were not.
    fn renew(&self, text: &mut String, chosen: &Chosen<'_>, index: u32) {
        if chosen.is_repeated || self.matter.content.salt.is_some() {
            let place = self.place(index, 0);
            let mut rng = prompts::generator(self.matter.seed, place);
            let opening = prompts::numbered(self.number_seed(), place, NUMBER_WORDS, &mut rng);
            *text = format!("{opening}\n{text}");
        }
    }

    pub(super) fn embed_recorded(&self, job: u32) -> Asked {
        let batch = self.batch();
        let indexes = (0..batch).map(|which| job.wrapping_mul(batch).wrapping_add(which));
        let documents: Vec<String> = indexes
            .filter_map(|index| {
                let chosen = self.chosen(index)?;
                let mut text = chosen.entry.turns.first()?.question.clone();
                self.renew(&mut text, &chosen, index);
                Some(text)
            })
            .collect();
        let input = whole(documents.iter().map(|text| tokens_of(text)).sum());
        documents_asked(input, Question::Documents(documents))
    }

    /// The entry that this question is about.
    pub(super) fn chosen(&self, index: u32) -> Option<Chosen<'_>> {
        let Texts::Read(set) = &self.matter.content.texts else {
            return None;
        };
        let count = self.order.len();
        let index = index as usize;
        let (at, is_repeated) = match self.purpose {
            Purpose::Window => {
                let per_level = self.matter.jobs_per_level as usize * self.batch() as usize;
                let at = self.level.saturating_mul(per_level).saturating_add(index);
                (at.checked_rem(count)?, at >= count)
            }
            // From the other end, and always with words of their own.
            _ => (count - 1 - index.checked_rem(count)?, true),
        };
        let entry = set.entries.get(*self.order.get(at)? as usize)?;
        Some(Chosen { entry, is_repeated })
    }
}

/// Adds words of the data set, from somewhere in it, until they have so many tokens.
pub(super) fn excerpt(set: &DataSet, tokens: f64, rng: &mut dyn Rng, text: &mut String) {
    if set.entries.is_empty() {
        return;
    }
    let mut at = rng.random_range(0..set.entries.len());
    let mut found = 0.0;
    let mut barren = 0;
    // A whole round without a word ends it.
    while found < tokens && barren < set.entries.len() {
        let before = found;
        let turns = set.entries[at].turns.iter();
        for word in turns.flat_map(|turn| turn.question.split_whitespace()) {
            if found >= tokens {
                break;
            }
            text.push(' ');
            text.push_str(word);
            found += tokens_of(word) + 1.0 / CHARACTERS_PER_TOKEN;
        }
        barren = if found > before { 0 } else { barren + 1 };
        at = (at + 1) % set.entries.len();
    }
}

/// About how many tokens a text has that was not made of our own words.
fn tokens_of(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 characters")]
    let characters = text.chars().count() as f64;
    characters / CHARACTERS_PER_TOKEN
}
