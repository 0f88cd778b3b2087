//! The vocabulary: which pieces of text are one token.
//!
//! It is a byte-level byte-pair encoding as GPT-2 has it: every byte is a token, and a list of
//! merges, in order of rank, says which two neighbouring tokens become one. The merges are learned
//! here, from a short list of plain English words, until each word is a single token, both at the
//! start of a text and after a space. Encoding replays the merges in the order in which they were
//! learned, so what was one token when learning stopped is one token for the engine too.
//!
//! Any other text works as well; it merely takes more tokens.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The words, separated by white space.
const WORDS: &str = include_str!("words.txt");

/// Names of the tokens that stand for no text: start of text, end of text, and who speaks.
pub(crate) const SPECIAL: [&str; 4] = [
    "<|startoftext|>",
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
];

/// How a space is spelt in a token's name.
const SPACE: char = 'Ġ';

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A byte, or a piece of a word, or a word at the start of a text.
    Piece,
    /// A space and a whole word: the only kind that a model may say.
    SpacedWord,
    /// One of [`SPECIAL`].
    Special,
}

/// Every token and every merge; a token's number is its place in the list.
pub(crate) struct Vocabulary {
    /// Name and kind of each token.
    pub(crate) tokens: Vec<(String, TokenKind)>,
    /// The two names of each merge with a space between, lowest rank first.
    pub(crate) merges: Vec<String>,
}

impl Vocabulary {
    /// The number of a special token.
    pub(crate) fn special(&self, name: &str) -> u32 {
        let place = self.tokens.iter().rposition(|(token, _)| token == name);
        u32::try_from(place.expect("the special tokens are in the list")).expect("a short list")
    }
}

/// The words that are one token each, both at the start of a text and after a space.
///
/// A prompt made of them has exactly as many tokens as words, plus the start-of-text token and
/// those of the chat template. They are lower-case and in alphabetical order.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.split_ascii_whitespace()
}

/// The one vocabulary of all models, learned when it is first asked for.
pub(crate) fn vocabulary() -> &'static Vocabulary {
    static LEARNED: OnceLock<Vocabulary> = OnceLock::new();
    LEARNED.get_or_init(|| {
        let mut learned = learn(words());
        for word in words() {
            learned.merges.push(format!("{SPACE} {word}"));
            learned
                .tokens
                .push((format!("{SPACE}{word}"), TokenKind::SpacedWord));
        }
        for name in SPECIAL {
            learned.tokens.push((name.to_owned(), TokenKind::Special));
        }
        learned
    })
}

/// Merges the commonest pair of neighbours, again and again, until every word is one token.
///
/// Of pairs that are equally common the first in order of token numbers wins, so that the outcome
/// does not depend on chance.
fn learn<'a>(words: impl Iterator<Item = &'a str>) -> Vocabulary {
    let mut tokens: Vec<(String, TokenKind)> = (0..=u8::MAX)
        .map(|byte| (byte_name(byte).to_string(), TokenKind::Piece))
        .collect();
    let mut merges = Vec::new();
    let mut spellings: Vec<Vec<usize>> = words
        .map(|word| word.bytes().map(usize::from).collect())
        .collect();
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    spellings
        .iter()
        .for_each(|spelling| count(spelling, &mut counts));
    while let Some((&pair, _)) = counts
        .iter()
        .max_by(|(a, m), (b, n)| m.cmp(n).then(b.cmp(a)))
    {
        let (left, right) = (&tokens[pair.0].0, &tokens[pair.1].0);
        let joined = tokens.len();
        merges.push(format!("{left} {right}"));
        tokens.push((format!("{left}{right}"), TokenKind::Piece));
        for spelling in &mut spellings {
            if spelling.windows(2).any(|two| (two[0], two[1]) == pair) {
                discount(spelling, &mut counts);
                *spelling = merge(spelling, pair, joined);
                count(spelling, &mut counts);
            }
        }
    }
    Vocabulary { tokens, merges }
}

/// Adds a spelling's pairs of neighbours to the counts.
fn count(spelling: &[usize], counts: &mut BTreeMap<(usize, usize), usize>) {
    for two in spelling.windows(2) {
        *counts.entry((two[0], two[1])).or_default() += 1;
    }
}

/// Takes a spelling's pairs of neighbours off the counts; pairs that are gone leave the map.
fn discount(spelling: &[usize], counts: &mut BTreeMap<(usize, usize), usize>) {
    for two in spelling.windows(2) {
        let pair = (two[0], two[1]);
        let left = counts.get_mut(&pair).expect("it was counted before");
        *left -= 1;
        if *left == 0 {
            counts.remove(&pair);
        }
    }
}

/// Replaces `pair` by `joined` wherever it stands, from left to right.
fn merge(spelling: &[usize], pair: (usize, usize), joined: usize) -> Vec<usize> {
    let mut merged = Vec::with_capacity(spelling.len());
    for &token in spelling {
        if token == pair.1 && merged.last() == Some(&pair.0) {
            merged.pop();
            merged.push(joined);
        } else {
            merged.push(token);
        }
    }
    merged
}

/// How GPT-2's vocabulary spells a byte: as itself if it is a visible character of Latin-1, else as
/// the next unused character from U+0100 on.
fn byte_name(byte: u8) -> char {
    let is_visible = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if is_visible(byte) {
        return char::from(byte);
    }
    let hidden_before = (0..byte).filter(|&other| !is_visible(other)).count();
    let offset = u32::try_from(hidden_before).expect("fewer than 256 bytes");
    char::from_u32(0x100 + offset).expect("the block of Latin Extended-A has no gap")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashMap};

    /// Splits one piece of text (a word with the space before it) as an engine does: of all pairs
    /// of neighbours that may merge, the one of the lowest rank goes first.
    fn encode(text: &str, ranks: &HashMap<&str, usize>) -> Vec<String> {
        let mut parts: Vec<String> = text.bytes().map(|b| byte_name(b).to_string()).collect();
        loop {
            let rank = |two: &[String]| {
                ranks
                    .get(format!("{} {}", two[0], two[1]).as_str())
                    .copied()
            };
            let best = (0..parts.len().saturating_sub(1))
                .filter_map(|at| rank(&parts[at..at + 2]).map(|rank| (rank, at)))
                .min();
            let Some((_, at)) = best else { return parts };
            let right = parts.remove(at + 1);
            parts[at].push_str(&right);
        }
    }

    #[test]
    fn every_word_is_one_token_with_and_without_a_space() {
        let merges = &vocabulary().merges;
        let ranks: HashMap<_, _> = merges
            .iter()
            .enumerate()
            .map(|(r, m)| (m.as_str(), r))
            .collect();
        for word in words() {
            assert_eq!(encode(word, &ranks), [word]);
            assert_eq!(
                encode(&format!(" {word}"), &ranks),
                [format!("{SPACE}{word}")]
            );
        }
        assert!(encode(" unheard-of", &ranks).len() > 1);
        assert_eq!(encode(" the", &ranks).concat(), "Ġthe");
    }

    #[test]
    fn the_word_list_is_tidy() {
        let all: Vec<_> = words().collect();
        let tidy: Vec<_> = all
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        assert_eq!(all, tidy, "sorted, each word once");
        assert!(
            all.iter()
                .all(|word| word.bytes().all(|b| b.is_ascii_lowercase()))
        );
        assert!(all.len() > 1000);
    }

    #[test]
    fn tokens_are_distinct_and_merges_lead_to_tokens() {
        let Vocabulary { tokens, merges } = vocabulary();
        let names: BTreeSet<_> = tokens.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), tokens.len());
        for merge in merges {
            let (left, right) = merge.split_once(' ').expect("two names");
            for name in [left, right, &format!("{left}{right}")] {
                assert!(names.contains(name), "{name:?} of {merge:?}");
            }
        }
        assert_eq!(tokens.len(), 256 + merges.len() + SPECIAL.len());
        assert_eq!(
            vocabulary().special("<|startoftext|>") as usize,
            tokens.len() - 4
        );
    }

    #[test]
    fn bytes_are_spelt_as_in_gpt_2() {
        for (byte, name) in [
            (b' ', 'Ġ'),
            (b'\n', 'Ċ'),
            (b'\t', 'ĉ'),
            (b'!', '!'),
            (b'z', 'z'),
            (0x00, 'Ā'),
            (0x7f, 'ġ'),
            (0xa0, 'ł'),
            (0xad, 'Ń'),
            (0xff, 'ÿ'),
        ] {
            assert_eq!(byte_name(byte), name, "{byte:#x}");
        }
    }
}
