//! What a model is made of: its sizes, its number format and its seed.
//!
//! A [`Recipe`] says everything about a model; two equal recipes make equal files. The vocabulary
//! is the same for all of them and therefore no part of it.

use crate::quantize::BLOCK;
use crate::tensors;

/// The most parameters that a model may have; more than this is a slip and not a small model.
const MOST_PARAMETERS: u64 = 1_000_000_000;

/// The number format of a model's matrices, named as in the ggml project.
///
/// The same recipe in another format has the same weights but for rounding. Vectors (the norms)
/// are single precision in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightType {
    /// Half precision: two bytes a weight.
    F16,
    /// Eight bits a weight and one scale for every 32 weights: 34 bytes for 32.
    Q8_0,
    /// Four bits a weight and one scale for every 32 weights: 18 bytes for 32.
    Q4_0,
}

/// The sizes of a llama-architecture model, its number format and its seed.
///
/// Start from a preset and change what matters:
///
/// ```
/// use autotuner_tiny_model::{Recipe, WeightType};
///
/// let recipe = Recipe {
///     weights: WeightType::F16,
///     ..Recipe::tiny()
/// };
/// assert!(recipe.parameters() < 5_000_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// Length of the vector that stands for one token between layers, in numbers.
    pub width: u32,
    /// How many transformer layers there are.
    pub layers: u32,
    /// Attention heads in a layer; they share out the width evenly.
    pub heads: u32,
    /// Key and value heads in a layer; each serves the same number of attention heads.
    pub key_value_heads: u32,
    /// Length of the hidden vector of a layer's feed-forward part, in numbers.
    pub feed_forward: u32,
    /// The longest text that the model claims to take, in tokens.
    pub context: u32,
    /// The number format of the matrices.
    pub weights: WeightType,
    /// Where the random weights start: another seed, another word salad.
    pub seed: u64,
}

impl Recipe {
    /// About two million parameters: a token takes a fraction of a millisecond on one CPU core.
    ///
    /// For tests that care how an engine is started, asked and stopped, and not how long it takes.
    #[must_use]
    pub fn tiny() -> Self {
        Self {
            width: 128,
            layers: 4,
            heads: 4,
            key_value_heads: 2,
            feed_forward: 384,
            context: 8192,
            weights: WeightType::Q8_0,
            seed: 1,
        }
    }

    /// About thirty million parameters: enough arithmetic that an engine's settings make a
    /// difference on a CPU, small enough to start in well under a second.
    #[must_use]
    pub fn small() -> Self {
        Self {
            width: 512,
            layers: 8,
            heads: 8,
            key_value_heads: 4,
            feed_forward: 1536,
            context: 8192,
            weights: WeightType::Q8_0,
            seed: 1,
        }
    }

    /// How many weights the model has, in every tensor together.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        tensors::plan(self)
            .iter()
            .map(tensors::Tensor::elements)
            .sum()
    }

    /// Length of the vector that one attention head works on, in numbers.
    pub(crate) fn head_width(&self) -> u32 {
        self.width / self.heads
    }

    /// Says what is wrong with the recipe, if anything.
    ///
    /// # Errors
    ///
    /// The first rule that the recipe breaks, in the order of [`RecipeProblem`]'s variants.
    pub fn check(&self) -> Result<(), RecipeProblem> {
        let block = u32::try_from(BLOCK).expect("a block is 32 weights");
        for (size, value) in [
            ("width", self.width),
            ("layers", self.layers),
            ("heads", self.heads),
            ("key_value_heads", self.key_value_heads),
            ("feed_forward", self.feed_forward),
            ("context", self.context),
        ] {
            if value == 0 {
                return Err(RecipeProblem::Zero { size });
            }
        }
        for (part, whole) in [("width", self.width), ("feed_forward", self.feed_forward)] {
            if !whole.is_multiple_of(block) {
                return Err(RecipeProblem::NotInBlocks {
                    size: part,
                    value: whole,
                });
            }
        }
        if !self.width.is_multiple_of(self.heads) || !self.head_width().is_multiple_of(block) {
            return Err(RecipeProblem::HeadWidth {
                width: self.width,
                heads: self.heads,
            });
        }
        if !self.heads.is_multiple_of(self.key_value_heads) {
            return Err(RecipeProblem::UnevenKeyValueHeads {
                heads: self.heads,
                key_value_heads: self.key_value_heads,
            });
        }
        self.check_total()
    }

    /// Refuses a model that is far too large, without adding up a list of a billion layers.
    fn check_total(&self) -> Result<(), RecipeProblem> {
        let (width, layers) = (u64::from(self.width), u64::from(self.layers));
        let least = layers
            .saturating_mul(width)
            .saturating_mul(width.max(u64::from(self.feed_forward)));
        if least > MOST_PARAMETERS || self.parameters() > MOST_PARAMETERS {
            return Err(RecipeProblem::TooLarge);
        }
        Ok(())
    }
}

/// Why no model can be made after a recipe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeProblem {
    /// A size is zero.
    #[error("{size} is 0; it must be at least 1")]
    Zero {
        /// The field of [`Recipe`].
        size: &'static str,
    },
    /// A row of a matrix would not fill whole blocks of 32 weights, as the formats require.
    #[error("{size} is {value}; it must be a multiple of 32")]
    NotInBlocks {
        /// The field of [`Recipe`].
        size: &'static str,
        /// Its value.
        value: u32,
    },
    /// The heads do not share the width evenly, or one head's part is not in blocks of 32 (which
    /// engines ask for when they keep keys and values in eight bits).
    #[error("{width} numbers for {heads} heads: each head must get the same multiple of 32")]
    HeadWidth {
        /// The width of the recipe.
        width: u32,
        /// Its heads.
        heads: u32,
    },
    /// The key and value heads do not serve equally many attention heads.
    #[error("{heads} heads cannot share {key_value_heads} key and value heads evenly")]
    UnevenKeyValueHeads {
        /// The attention heads of the recipe.
        heads: u32,
        /// Its key and value heads.
        key_value_heads: u32,
    },
    /// The model would have more than a billion parameters.
    #[error("the model would have more than a billion parameters, and is no small model")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_the_sizes_they_promise() {
        for (recipe, least, most) in [
            (Recipe::tiny(), 1_000_000, 5_000_000),
            (Recipe::small(), 25_000_000, 35_000_000),
        ] {
            assert_eq!(recipe.check(), Ok(()));
            let parameters = recipe.parameters();
            assert!((least..=most).contains(&parameters), "{parameters}");
        }
    }

    #[test]
    fn each_rule_is_told_apart() {
        fn check(change: impl FnOnce(&mut Recipe), expected: &str) {
            let mut recipe = Recipe::tiny();
            change(&mut recipe);
            let problem = recipe.check().expect_err("the recipe is wrong");
            assert_eq!(problem.to_string(), expected);
        }
        check(|r| r.layers = 0, "layers is 0; it must be at least 1");
        check(|r| r.heads = 0, "heads is 0; it must be at least 1");
        check(
            |r| r.width = 100,
            "width is 100; it must be a multiple of 32",
        );
        check(
            |r| r.feed_forward = 33,
            "feed_forward is 33; it must be a multiple of 32",
        );
        check(
            |r| r.heads = 8,
            "128 numbers for 8 heads: each head must get the same multiple of 32",
        );
        check(
            |r| r.heads = 3,
            "128 numbers for 3 heads: each head must get the same multiple of 32",
        );
        check(
            |r| r.key_value_heads = 3,
            "4 heads cannot share 3 key and value heads evenly",
        );
        let too_large =
            "the model would have more than a billion parameters, and is no small model";
        check(|r| r.layers = u32::MAX, too_large);
        check(|r| r.feed_forward = u32::MAX - 31, too_large);
        check(
            |r| (r.width, r.heads, r.key_value_heads) = (1 << 19, 1, 1),
            too_large,
        );
    }
}
