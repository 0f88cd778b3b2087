//! What must be known of a server before the first level: which keys it takes, and how it
//! counts a prompt.
//!
//! The one idea: two short requests answer both, and they are the same for every
//! configuration of a task, so all of them are asked the same questions afterwards.

use std::sync::Arc;

use autotuner_core::engine::Endpoint;
use autotuner_core::measure::{RequestError, RequestOutcome};
use autotuner_core::workload::{Lengths, Scenario, Workload};
use tokio::time::Instant;

use crate::BenchError;
use crate::body::{BodyShape, Dialect};
use crate::exchange::{Exchanged, Prepared};
use crate::level::after;
use crate::phase::{self, REFUSALS, Shared, Slot, describe, pause};
use crate::prompts::{self, Place, PromptScale, Purpose};
use crate::requests::Recipe;

/// Words of the shorter probe.
const SHORT: usize = 8;

/// Words of the longer probe, at least and at most; between them it is as long as the
/// workload's longest prompts, which the server must take anyway.
const LONG: (usize, usize) = (64, 512);

/// Answer tokens that a probe asks for.
const ANSWER: u32 = 4;

/// Asks the server and returns how to make requests for it, with notes for people.
///
/// # Errors
/// [`BenchError::EndpointGone`] when no connection can be made;
/// [`BenchError::NothingSucceeded`] when the server stays silent or refuses every shape.
pub(crate) async fn learn(
    shared: &Arc<Shared>,
    endpoint: &Endpoint,
    workload: &Workload,
) -> Result<(Recipe, Vec<String>), BenchError> {
    let mut probe = Probe {
        shared,
        slot: Slot::default(),
        seed: workload.seed,
        shape: BodyShape {
            api: workload.api,
            model: endpoint.model.clone(),
            dialect: Dialect::FULL,
            additional_params: workload.additional_params.clone(),
        },
        cut_at: after(Instant::now(), workload.max_warmup.max(workload.request_timeout)),
    };
    probe.connect().await?;
    let mut notes = Vec::new();
    let short = probe.find_dialect(&mut notes).await?;
    let scale = match probe.counted(&short, &mut notes) {
        Some(tokens) => probe.scale(tokens, longest_prompt(workload), &mut notes).await,
        None => PromptScale::IDENTITY,
    };
    let recipe = Recipe {
        seed: workload.seed,
        scale,
        shape: probe.shape,
    };
    Ok((recipe, notes))
}

struct Probe<'a> {
    shared: &'a Arc<Shared>,
    slot: Slot,
    seed: u64,
    shape: BodyShape,
    cut_at: Instant,
}

impl Probe<'_> {
    async fn connect(&mut self) -> Result<(), BenchError> {
        let mut refusals = 0;
        loop {
            let reason = match self.slot.connection(self.shared).await {
                Ok(_) => return Ok(()),
                Err(reason) => reason,
            };
            refusals += 1;
            if refusals >= REFUSALS || Instant::now() >= self.cut_at {
                return Err(phase::gone(&self.shared.target, &reason));
            }
            tokio::time::sleep(pause(refusals)).await;
        }
    }

    async fn ask(&mut self, index: u32, words: usize) -> Exchanged {
        let place = Place {
            purpose: Purpose::Probe,
            level: 0,
            index,
        };
        let prompt = prompts::prompt_of_words(self.seed, place, words);
        let prepared = Prepared {
            lengths: Lengths {
                input: u32::try_from(words).unwrap_or(u32::MAX),
                output: ANSWER,
            },
            body: self.shape.body(&prompt, ANSWER),
        };
        let now = self.shared.clock.now();
        self.slot.ask(self.shared, prepared, now, self.cut_at).await
    }

    /// Tries the dialects until one is not refused.
    async fn find_dialect(&mut self, notes: &mut Vec<String>) -> Result<Exchanged, BenchError> {
        let mut first_refusal = None;
        for dialect in Dialect::ALL {
            self.shape.dialect = dialect;
            let asked = self.ask(0, SHORT).await;
            match &asked.record.outcome {
                RequestOutcome::Failed {
                    error: error @ RequestError::Status(400 | 422),
                    detail,
                } => {
                    first_refusal.get_or_insert_with(|| describe(*error, detail));
                }
                RequestOutcome::Failed {
                    error: error @ RequestError::Timeout,
                    detail,
                } => return Err(first_request_failed(&describe(*error, detail))),
                RequestOutcome::CutOff => return Err(first_request_failed("it did not end in time")),
                RequestOutcome::Failed { .. } | RequestOutcome::Success => {
                    note_dialect(dialect, notes);
                    return Ok(asked);
                }
            }
        }
        Err(BenchError::NothingSucceeded {
            first_error: first_refusal.unwrap_or_default(),
        })
    }

    /// How many tokens the first probe had, if the server counts them.
    fn counted(&self, short: &Exchanged, notes: &mut Vec<String>) -> Option<u32> {
        if let RequestOutcome::Failed { error, detail } = &short.record.outcome {
            let why = describe(*error, detail);
            notes.push(format!(
                "prompts are sized by words, one for each token, because the first request failed: {why}"
            ));
            return None;
        }
        if short.prompt_tokens.is_none() {
            notes.push(
                "prompts are sized by words, one for each token, because the server does not report usage"
                    .into(),
            );
        }
        short.prompt_tokens
    }

    /// Learns the scale from a second, longer probe.
    async fn scale(&mut self, short_tokens: u32, longest: usize, notes: &mut Vec<String>) -> PromptScale {
        let words = longest.clamp(LONG.0, LONG.1);
        let long = self.ask(1, words).await;
        let Some(long_tokens) = long.prompt_tokens else {
            notes.push(format!(
                "prompts are sized by words, one for each token, because a prompt of {words} words was not answered"
            ));
            return PromptScale::IDENTITY;
        };
        match PromptScale::through((SHORT, short_tokens), (words, long_tokens)) {
            Some(scale) => {
                let PromptScale {
                    tokens_per_word,
                    overhead,
                } = scale;
                notes.push(format!(
                    "prompts are sized by the server's own count: {tokens_per_word:.3} tokens a word and {overhead:.1} around each prompt"
                ));
                scale
            }
            None => {
                notes.push(format!(
                    "prompts are sized by words, one for each token, because the server's counts make no sense: {short_tokens} tokens for {SHORT} words, {long_tokens} for {words}"
                ));
                PromptScale::IDENTITY
            }
        }
    }
}

fn first_request_failed(why: &str) -> BenchError {
    BenchError::NothingSucceeded {
        first_error: format!("the first request: {why}"),
    }
}

fn note_dialect(dialect: Dialect, notes: &mut Vec<String>) {
    if !dialect.takes_ignore_eos {
        notes.push("the server refuses ignore_eos: answers may be shorter than asked for".into());
    }
    if !dialect.takes_stream_options {
        notes.push("the server refuses stream_options: answers are counted by their chunks".into());
    }
}

/// The longest prompt that the workload usually asks, in tokens.
fn longest_prompt(workload: &Workload) -> usize {
    let longest = workload.scenarios.iter().map(|scenario| match scenario {
        Scenario::Fixed { input, .. } => f64::from(*input),
        Scenario::Normal { input, .. } => input.0,
        Scenario::Uniform { input, .. } => f64::from(input.1),
    });
    PromptScale::IDENTITY.words(as_tokens(longest.fold(1.0, f64::max)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion of floats stops at the limits of u32, and lengths are far from them"
)]
fn as_tokens(length: f64) -> u32 {
    length as u32
}
