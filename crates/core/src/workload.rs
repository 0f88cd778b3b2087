//! What a benchmark sends: scenarios, concurrency levels, limits and warm-up.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{Rng, RngExt};

use crate::problem::closest;

/// Everything the load generator must know about the load, engine apart.
///
/// One *level* is one scenario at one concurrency; levels are run in the order
/// scenario by scenario, each from the first to the last concurrency.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Which API is asked.
    pub api: Api,
    /// Prompt and answer lengths, at least one.
    pub scenarios: Vec<Scenario>,
    /// Numbers of requests in flight at once (closed loop), at least one, each at least 1.
    pub concurrency: Vec<u32>,
    /// Longest measuring time of one level. Requests in flight at its end may finish.
    pub max_time_per_level: Duration,
    /// Most requests started in the measuring window of one level.
    pub max_requests_per_level: u32,
    /// How long requests that are in flight at the end of a level may still take before
    /// they are recorded as cut off.
    pub drain: Duration,
    /// Requests sent at full concurrency before a level's window opens; they are not measured.
    pub warmup_requests: u32,
    /// Longest time that a warm-up may take.
    pub max_warmup: Duration,
    /// Longest silence inside one request (no byte received) before it counts as timed out.
    pub request_timeout: Duration,
    /// Seed of prompts and lengths: equal seeds ask equal questions.
    pub seed: u64,
    /// Further keys of each request body, such as `temperature`.
    pub additional_params: serde_json::Map<String, serde_json::Value>,
}

/// Which OpenAI-compatible API is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
}

/// Prompt and answer lengths of one kind of traffic, in tokens.
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
}

/// How long one request's prompt is and how long its answer is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Prompt tokens, at least 1.
    pub input: u32,
    /// Answer tokens, at least 1.
    pub output: u32,
}

/// Why a scenario string cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(String);

impl Workload {
    /// How many levels there are.
    pub fn level_count(&self) -> usize {
        self.scenarios.len() * self.concurrency.len()
    }
}

impl Scenario {
    /// The longest answer, in tokens; `None` where chance alone limits it.
    pub fn most_output(&self) -> Option<u32> {
        match self {
            Self::Fixed { output, .. } => Some(*output),
            Self::Uniform { output, .. } => Some(output.1),
            Self::Normal { .. } => None,
        }
    }

    /// Draws the lengths of one request.
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
        }
    }
}

/// One normal variate by Box and Muller, cut off at 1 below and at four deviations above.
fn draw_normal((mean, deviation): (f64, f64), rng: &mut dyn Rng) -> u32 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    let unit = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    let tokens = (mean + deviation * unit.min(4.0))
        .round()
        .clamp(1.0, f64::from(u32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped into the range just above"
    )]
    let tokens = tokens as u32;
    tokens
}

/// As the user writes it, for example `D(100,128)`.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { input, output } => write!(f, "D({input},{output})"),
            Self::Normal { input, output } => {
                write!(f, "N({},{})/({},{})", input.0, input.1, output.0, output.1)
            }
            Self::Uniform { input, output } => {
                write!(f, "U({},{})/({},{})", input.0, input.1, output.0, output.1)
            }
        }
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let fail = |why: &str| ScenarioError(format!("scenario \"{text}\" {why}"));
        let Some((kind, rest)) = compact.split_once('(') else {
            return Err(fail(
                "is not one of D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max)",
            ));
        };
        let groups = rest
            .strip_suffix(')')
            .ok_or_else(|| fail("does not end with a closing parenthesis"))?
            .split(")/(")
            .map(|group| group.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>();
        match kind {
            "D" => parse_fixed(&groups).map_err(|why| fail(&why)),
            "N" => parse_normal(&groups).map_err(|why| fail(&why)),
            "U" => parse_uniform(&groups).map_err(|why| fail(&why)),
            "E" | "R" | "I" | "A" | "P" | "F" => Err(fail(&format!(
                "is of kind {kind}, which this load generator does not send; use D, N or U"
            ))),
            other => Err(fail(&match closest(other, ["D", "N", "U"]) {
                Some(known) if !other.is_empty() => {
                    format!("has the unknown kind \"{other}\"; did you mean \"{known}\"?")
                }
                _ => format!("has the unknown kind \"{other}\"; use D, N or U"),
            })),
        }
    }
}

fn parse_fixed(groups: &[Vec<String>]) -> Result<Scenario, String> {
    match groups {
        [pair] => match pair.as_slice() {
            [input, output] => Ok(Scenario::Fixed {
                input: tokens(input)?,
                output: tokens(output)?,
            }),
            _ => Err("needs two lengths: D(in,out)".into()),
        },
        _ => Err("needs one pair of lengths: D(in,out)".into()),
    }
}

fn parse_normal(groups: &[Vec<String>]) -> Result<Scenario, String> {
    let pair = |group: &[String]| match group {
        [mean, deviation] => Ok((f64::from(tokens(mean)?), spread(deviation)?)),
        _ => Err("needs N(mean,sd)/(mean,sd)".to_owned()),
    };
    match groups {
        [input, output] => Ok(Scenario::Normal {
            input: pair(input)?,
            output: pair(output)?,
        }),
        _ => Err("needs N(mean,sd)/(mean,sd)".into()),
    }
}

fn parse_uniform(groups: &[Vec<String>]) -> Result<Scenario, String> {
    let pair = |group: &[String]| match group {
        [least, most] => {
            let (least, most) = (tokens(least)?, tokens(most)?);
            if least > most {
                return Err(format!(
                    "has a range that ends before it begins: {least} to {most}"
                ));
            }
            Ok((least, most))
        }
        _ => Err("needs U(min,max)/(min,max) or U(max,max)".to_owned()),
    };
    match groups {
        [maxima] => match maxima.as_slice() {
            [input, output] => Ok(Scenario::Uniform {
                input: (1, tokens(input)?),
                output: (1, tokens(output)?),
            }),
            _ => Err("needs U(min,max)/(min,max) or U(max,max)".into()),
        },
        [input, output] => Ok(Scenario::Uniform {
            input: pair(input)?,
            output: pair(output)?,
        }),
        _ => Err("needs U(min,max)/(min,max) or U(max,max)".into()),
    }
}

/// Longest prompt or answer that a scenario may ask for, in tokens.
const MOST_TOKENS: u32 = 10_000_000;

fn tokens(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(0) => Err("has a length of 0; lengths are at least 1 token".into()),
        Ok(count) if count > MOST_TOKENS => {
            Err(format!("has a length of {count}; at most {MOST_TOKENS} tokens"))
        }
        Ok(count) => Ok(count),
        Err(_) => Err(format!("has the length \"{text}\", which is not a whole number")),
    }
}

fn spread(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(deviation) if deviation.is_finite() && deviation >= 0.0 => Ok(deviation),
        _ => Err(format!(
            "has the deviation \"{text}\", which is not a number of at least 0"
        )),
    }
}
