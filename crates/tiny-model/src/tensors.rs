//! The tensors of a llama model: their names, their shapes and what fills them.
//!
//! All matrices are random but for one arrangement. Every token's embedding has the same large
//! number in channel 0, and no layer ever adds anything to that channel. So when the last layer is
//! done, channel 0 still holds a positive number whatever the text was, and column 0 of the output
//! matrix is added to the scores as a constant: a bias. It is 0 for the words that the model may
//! say, and so far below zero for everything else (single bytes, pieces of words, the
//! end-of-text token) that these are never drawn, at any usual temperature.

use crate::quantize;
use crate::random::Random;
use crate::recipe::{Recipe, WeightType};
use crate::vocabulary::{TokenKind, Vocabulary, vocabulary};

/// What channel 0 of every embedding holds; the other channels have a standard deviation of 1.
const CONSTANT: f32 = 4.0;

/// Column 0 of the output matrix for tokens that must not be said. Scores of the others spread by
/// about [`SCORE_SPREAD`], and the constant channel multiplies this by one or more.
const FORBIDDEN: f32 = -40.0;

/// Standard deviation of the scores among the words that may be said: enough that the text varies
/// and that the likeliest word does not always win.
const SCORE_SPREAD: f32 = 1.5;

/// How much smaller a layer's last matrices are, so that layers add to the text's vector without
/// drowning its constant channel.
const LAYER_OUTPUT: f32 = 0.5;

/// What a tensor is filled with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Filling {
    /// A vector of ones, in single precision.
    Ones,
    /// Random numbers, scaled so that a row's product with an ordinary vector spreads by `gain`.
    Random {
        /// The spread of the product.
        gain: f32,
    },
    /// The same, but row 0 is zero, so that channel 0 of what it makes is too.
    RandomButFirstRow {
        /// The spread of the product, in the other rows.
        gain: f32,
    },
    /// Random numbers of standard deviation 1, and [`CONSTANT`] in channel 0.
    Embedding,
    /// Random numbers, and the bias in channel 0.
    Output,
}

/// One tensor: `rows` rows of `row_length` numbers. A vector is one row.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) row_length: u32,
    pub(crate) rows: u32,
    pub(crate) filling: Filling,
}

impl Tensor {
    /// How many numbers it holds.
    pub(crate) fn elements(&self) -> u64 {
        u64::from(self.row_length) * u64::from(self.rows)
    }

    /// Whether it is a vector in single precision, whatever the matrices are.
    pub(crate) fn is_vector(&self) -> bool {
        self.filling == Filling::Ones
    }

    /// Its size in the file, in bytes, padding not counted.
    pub(crate) fn size_in_bytes(&self, weights: WeightType) -> u64 {
        if self.is_vector() {
            self.elements() * 4
        } else {
            quantize::size_in_bytes(self.elements(), weights)
        }
    }
}

/// Every tensor of a model, in the order of the file.
pub(crate) fn plan(recipe: &Recipe) -> Vec<Tensor> {
    let Recipe {
        width,
        layers,
        feed_forward,
        key_value_heads,
        ..
    } = *recipe;
    let vocabulary_size = u32::try_from(vocabulary().tokens.len()).expect("a short list");
    let key_value_width = key_value_heads.saturating_mul(recipe.head_width());
    let tensor = |name: String, row_length, rows, filling| Tensor {
        name,
        row_length,
        rows,
        filling,
    };
    let even = Filling::Random { gain: 1.0 };
    let closing = Filling::RandomButFirstRow { gain: LAYER_OUTPUT };

    let mut plan = vec![tensor(
        "token_embd.weight".to_owned(),
        width,
        vocabulary_size,
        Filling::Embedding,
    )];
    for layer in 0..layers {
        plan.extend(
            [
                ("attn_norm", width, 1, Filling::Ones),
                ("attn_q", width, width, even),
                ("attn_k", width, key_value_width, even),
                ("attn_v", width, key_value_width, even),
                ("attn_output", width, width, closing),
                ("ffn_norm", width, 1, Filling::Ones),
                ("ffn_gate", width, feed_forward, even),
                ("ffn_up", width, feed_forward, even),
                ("ffn_down", feed_forward, width, closing),
            ]
            .map(|(part, row_length, rows, filling)| {
                tensor(
                    format!("blk.{layer}.{part}.weight"),
                    row_length,
                    rows,
                    filling,
                )
            }),
        );
    }
    plan.push(tensor(
        "output_norm.weight".to_owned(),
        width,
        1,
        Filling::Ones,
    ));
    plan.push(tensor(
        "output.weight".to_owned(),
        width,
        vocabulary_size,
        Filling::Output,
    ));
    plan
}

/// Fills `row`, the `number`-th of `tensor`, drawing on the tensor's own stream of numbers.
pub(crate) fn fill_row(tensor: &Tensor, number: usize, random: &mut Random, row: &mut [f32]) {
    let per_input = 1.0 / (tensor.row_length as f32).sqrt();
    match tensor.filling {
        Filling::Ones => row.fill(1.0),
        Filling::Random { gain } => random.fill(row, gain * per_input),
        Filling::RandomButFirstRow { gain } => {
            random.fill(row, gain * per_input);
            if number == 0 {
                row.fill(0.0);
            }
        }
        Filling::Embedding => {
            random.fill(row, 1.0);
            row[0] = CONSTANT;
        }
        Filling::Output => {
            random.fill(row, SCORE_SPREAD * per_input);
            row[0] = bias(vocabulary(), number);
        }
    }
}

/// What is added to the score of a token, before the constant channel multiplies it.
fn bias(vocabulary: &Vocabulary, token: usize) -> f32 {
    match vocabulary.tokens[token].1 {
        TokenKind::SpacedWord => 0.0,
        TokenKind::Piece | TokenKind::Special => FORBIDDEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tensor: &str, number: usize) -> Vec<f32> {
        let plan = plan(&Recipe::tiny());
        let tensor = plan.iter().find(|t| t.name == tensor).expect("in the plan");
        let mut row = vec![9.0; tensor.row_length as usize];
        fill_row(tensor, number, &mut Random::new(1, 0), &mut row);
        row
    }

    #[test]
    fn nothing_writes_to_the_constant_channel() {
        for token in [0, 300, vocabulary().tokens.len() - 1] {
            assert_eq!(row("token_embd.weight", token)[0], CONSTANT);
        }
        for closing in ["blk.0.attn_output.weight", "blk.3.ffn_down.weight"] {
            assert!(row(closing, 0).iter().all(|&x| x == 0.0), "{closing}");
            assert!(row(closing, 1).iter().any(|&x| x != 0.0), "{closing}");
        }
    }

    #[test]
    fn only_words_after_a_space_may_be_said() {
        let allowed: Vec<&str> = vocabulary()
            .tokens
            .iter()
            .enumerate()
            .filter(|&(token, _)| bias(vocabulary(), token) == 0.0)
            .map(|(_, (name, _))| name.as_str())
            .collect();
        let expected: Vec<String> = crate::words().map(|word| format!("Ġ{word}")).collect();
        assert_eq!(allowed, expected);
        let end_of_text = vocabulary().special("<|endoftext|>") as usize;
        assert_eq!(row("output.weight", end_of_text)[0], FORBIDDEN);
    }
}
