//! What one kind of traffic asks for: lengths of prompts and answers, as a rule.
//!
//! It knows lengths and not texts: which words a prompt has is the load generator's business.
//! How scenarios are written is in `notation`.

use rand::{Rng, RngExt};

use super::Api;

/// Tokens of the text beside an image: a short question.
const IMAGE_QUESTION: u32 = 32;

/// Tokens of an answer to an image where the scenario does not say.
pub(super) const IMAGE_ANSWER: u32 = 128;

/// One kind of traffic. Lengths are in tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Scenario {
    /// `D(in,out)`: always the same lengths.
    Fixed {
        /// Prompt tokens.
        input: u32,
        /// Answer tokens.
        output: u32,
    },
    /// `N(mean,sd)/(mean,sd)`: normally distributed, at least 1.
    Normal {
        /// Mean and standard deviation of prompt tokens.
        input: (f64, f64),
        /// Mean and standard deviation of answer tokens.
        output: (f64, f64),
    },
    /// `U(min,max)/(min,max)` or `U(max,max)`, which starts both at 1: uniform, ends included.
    Uniform {
        /// Least and most prompt tokens.
        input: (u32, u32),
        /// Least and most answer tokens.
        output: (u32, u32),
    },
    /// `P(prefix,suffix)/out`: prompts that share their beginning and end each in its own way.
    Prefix {
        /// Prompt tokens that are the same in all prompts.
        prefix: u32,
        /// Prompt tokens after them.
        suffix: u32,
        /// Answer tokens.
        output: u32,
    },
    /// `E(tokens)`: texts to embed.
    Embed {
        /// Tokens of each text.
        document: u32,
    },
    /// `R(document,query)`: documents to put in order.
    Rerank {
        /// Tokens of each document.
        document: u32,
        /// Tokens of the query.
        query: u32,
    },
    /// `I(width,height)`, `I(width,height,count)`, each also with `/out` behind it: images and a
    /// short question about them.
    Images {
        /// Width of each image, in pixels.
        width: u32,
        /// Height of each image, in pixels.
        height: u32,
        /// Images of one request.
        count: u32,
        /// Answer tokens.
        output: u32,
    },
    /// `dataset`: entries of a data set as they are.
    DataSet,
}

/// How long one request's prompt is and how long its answer is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Prompt tokens, at least 1.
    pub input: u32,
    /// Answer tokens, at least 1; 0 where the answer is no text.
    pub output: u32,
}

impl Scenario {
    /// The longest answer, in tokens; `None` where chance or a data set limits it.
    pub fn most_output(&self) -> Option<u32> {
        match self {
            Self::Fixed { output, .. } | Self::Prefix { output, .. } | Self::Images { output, .. } => {
                Some(*output)
            }
            Self::Uniform { output, .. } => Some(output.1),
            Self::Embed { .. } | Self::Rerank { .. } => Some(0),
            Self::Normal { .. } | Self::DataSet => None,
        }
    }

    /// The API that alone can be asked so; `None` where any that answers with text can.
    pub fn api(&self) -> Option<Api> {
        match self {
            Self::Embed { .. } => Some(Api::Embeddings),
            Self::Rerank { .. } => Some(Api::Rerank),
            Self::Images { .. } => Some(Api::Chat),
            Self::Fixed { .. }
            | Self::Normal { .. }
            | Self::Uniform { .. }
            | Self::Prefix { .. }
            | Self::DataSet => None,
        }
    }

    /// Whether this API can be asked so.
    pub fn suits(&self, api: Api) -> bool {
        match self.api() {
            Some(only) => api == only,
            None => api.answers_with_text() || (*self == Self::DataSet && api == Api::Embeddings),
        }
    }

    /// Prompt tokens of an ordinary request: the mean, or the most where there is no telling; of
    /// one document where there are several. Unknown for a data set: 0.
    pub fn usual_input(&self) -> f64 {
        match self {
            Self::Normal { input, .. } => input.0,
            _ => f64::from(self.longest().0),
        }
    }

    /// Longest prompt and longest answer, in tokens; where they are normally distributed, four
    /// deviations above the mean. Unknown for a data set: 0.
    pub fn longest(&self) -> (u32, u32) {
        match self {
            Self::Fixed { input, output } => (*input, *output),
            Self::Normal { input, output } => (four_deviations(*input), four_deviations(*output)),
            Self::Uniform { input, output } => (input.1, output.1),
            Self::Prefix {
                prefix,
                suffix,
                output,
            } => (prefix.saturating_add(*suffix), *output),
            Self::Embed { document } => (*document, 0),
            Self::Rerank { document, query } => (document.saturating_add(*query), 0),
            Self::Images { output, .. } => (IMAGE_QUESTION, *output),
            Self::DataSet => (0, 0),
        }
    }

    /// Draws the lengths of one request. Of documents, one is counted; of a data set, nothing is
    /// known here.
    pub fn draw(&self, rng: &mut dyn Rng) -> Lengths {
        match self {
            Self::Fixed { input, output } => Lengths {
                input: (*input).max(1),
                output: (*output).max(1),
            },
            Self::Normal { input, output } => Lengths {
                input: draw_normal(*input, rng),
                output: draw_normal(*output, rng),
            },
            Self::Uniform { input, output } => Lengths {
                input: rng.random_range(input.0.max(1)..=input.1.max(1)),
                output: rng.random_range(output.0.max(1)..=output.1.max(1)),
            },
            Self::Prefix { .. } | Self::Embed { .. } | Self::Rerank { .. } | Self::Images { .. } => {
                let (input, output) = self.longest();
                Lengths { input, output }
            }
            Self::DataSet => Lengths { input: 1, output: 1 },
        }
    }
}

/// A normal distribution is cut off there when it is drawn.
fn four_deviations((mean, deviation): (f64, f64)) -> u32 {
    whole((mean + 4.0 * deviation).ceil())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes the nearest whole number that there is"
)]
fn whole(tokens: f64) -> u32 {
    tokens as u32
}

/// One normal variate by Box and Muller, cut off at 1 below and at four deviations above.
fn draw_normal((mean, deviation): (f64, f64), rng: &mut dyn Rng) -> u32 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    let unit = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    whole((mean + deviation * unit.min(4.0)).round().max(1.0))
}
