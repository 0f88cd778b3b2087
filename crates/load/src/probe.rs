//! What must be known of a server before the first level: which keys it takes, and how it
//! counts a prompt.
//!
//! The one idea: a handful of short requests answer both, and they are the same for every
//! configuration of a task, so all of them are asked the same questions afterwards. For the
//! same reason a count that was missed is asked for again, and one that cannot be had ends
//! the benchmark: guessing would size this configuration's prompts unlike all others'.

use std::sync::Arc;

use autotuner_core::engine::Endpoint;
use autotuner_core::measure::{RequestError, RequestOutcome};
use autotuner_core::workload::{Lengths, Scenario, Workload};
use tokio::time::Instant;

use crate::BenchError;
use crate::body::{BodyShape, Dialect};
use crate::exchange::{Exchanged, Prepared, Ticket};
use crate::phase::after;
use crate::prompts::{self, Counted, PromptScale};
use crate::requests::Recipe;
use crate::shared::{REFUSALS, Shared, describe, gone, pause};
use crate::slot::Slot;

/// Words of a whole probe, at least and at most. Four of the longest have every word once,
/// so the mean that they give is exact.
const WORDS: (usize, usize) = (16, 64);

/// Whole probes, at most.
const WHOLE_PROBES: usize = 4;

/// Answer tokens that a probe asks for.
const ANSWER: u32 = 4;

/// Times that a probe is sent before it counts as failed.
const ATTEMPTS: u32 = 4;

/// Asks the server and returns how to make requests for it, with notes for people.
///
/// # Errors
/// [`BenchError::EndpointGone`] when no connection can be made;
/// [`BenchError::NothingSucceeded`] when the server stays silent or refuses every shape;
/// [`BenchError::PromptsNotSized`] when probes keep failing after that.
pub(crate) async fn learn(
    shared: &Arc<Shared>,
    endpoint: &Endpoint,
    workload: &Workload,
) -> Result<(Recipe, Vec<String>), BenchError> {
    let every_word = prompts::every_word(workload.seed);
    let wholes: Vec<&[&str]> = every_word
        .chunks_exact(probe_words(workload))
        .take(WHOLE_PROBES)
        .collect();
    let mut probe = Probe {
        shared,
        slot: Slot::default(),
        wholes,
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
    let first = probe.find_dialect(&mut notes).await?;
    let scale = match probe.scale(&first).await? {
        Ok(scale) => {
            let PromptScale {
                tokens_per_word,
                overhead,
            } = scale;
            notes.push(format!(
                "prompts are sized by the server's own count: {tokens_per_word:.3} tokens a word and {overhead:.1} around each prompt"
            ));
            scale
        }
        Err(why) => {
            notes.push(format!(
                "prompts are sized by words, one for each token, because {why}"
            ));
            PromptScale::IDENTITY
        }
    };
    let recipe = Recipe {
        seed: workload.seed,
        scale,
        shape: probe.shape,
        content: workload.content.clone(),
        requests_per_level: workload.max_requests_per_level,
    };
    Ok((recipe, notes))
}

struct Probe<'a> {
    shared: &'a Arc<Shared>,
    slot: Slot,
    /// Words of the whole probes, no word in two of them.
    wholes: Vec<&'a [&'static str]>,
    shape: BodyShape,
    cut_at: Instant,
}

impl<'a> Probe<'a> {
    async fn connect(&mut self) -> Result<(), BenchError> {
        let mut refusals = 0;
        loop {
            let reason = match self.slot.connection(self.shared).await {
                Ok(_) => return Ok(()),
                Err(reason) => reason,
            };
            refusals += 1;
            if refusals >= REFUSALS || Instant::now() >= self.cut_at {
                return Err(gone(&self.shared.target, &reason));
            }
            tokio::time::sleep(pause(refusals)).await;
        }
    }

    async fn ask_once(&mut self, words: &[&str]) -> Exchanged {
        let prepared = Prepared {
            lengths: Lengths {
                input: count(words),
                output: ANSWER,
            },
            body: self.shape.body(&words.join(" "), ANSWER),
        };
        let ticket = Ticket {
            intended_ns: self.shared.clock.now(),
            id: "at-p".to_owned(),
        };
        self.slot.ask(self.shared, &prepared, &ticket, self.cut_at).await
    }

    /// Asks, and asks again where what went wrong may pass.
    async fn ask(&mut self, words: &[&str]) -> Exchanged {
        let mut attempts = 1;
        loop {
            let asked = self.ask_once(words).await;
            if attempts >= ATTEMPTS || !may_pass(&asked) || Instant::now() >= self.cut_at {
                return asked;
            }
            tokio::time::sleep(pause(attempts)).await;
            attempts += 1;
        }
    }

    /// How many tokens a prompt of these words has; `None` if the server does not count.
    ///
    /// # Errors
    /// [`BenchError::PromptsNotSized`] when the prompt cannot be asked.
    async fn tokens(&mut self, words: &[&str]) -> Result<Option<Counted>, BenchError> {
        let asked = self.ask(words).await;
        counted(&asked, words)
    }

    /// The two parts of the first whole probe.
    fn parts(&self) -> [&'a [&'static str]; 2] {
        let whole = self.wholes.first().copied().unwrap_or_default();
        let (first, second) = whole.split_at(whole.len() / 2);
        [first, second]
    }

    /// Tries the dialects until one is not refused, with the first part as prompt.
    async fn find_dialect(&mut self, notes: &mut Vec<String>) -> Result<Exchanged, BenchError> {
        let mut first_refusal = None;
        for dialect in Dialect::ALL {
            self.shape.dialect = dialect;
            let asked = self.ask(self.parts()[0]).await;
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
                RequestOutcome::Failed { error, detail }
                    if asked.prompt_tokens.is_none() && *error != RequestError::Empty =>
                {
                    return Err(BenchError::NothingSucceeded {
                        first_error: describe(*error, detail),
                    });
                }
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

    /// Learns the scale, given what came of the first part; or says why the server's counts
    /// teach none.
    ///
    /// # Errors
    /// [`BenchError::PromptsNotSized`] when a probe cannot be asked.
    async fn scale(&mut self, first: &Exchanged) -> Result<Result<PromptScale, String>, BenchError> {
        let not_counted = || Ok(Err("the server does not report usage".to_owned()));
        let [first_part, second_part] = self.parts();
        let Some(first) = counted(first, first_part)? else {
            return not_counted();
        };
        let Some(second) = self.tokens(second_part).await? else {
            return not_counted();
        };
        let mut wholes = Vec::with_capacity(self.wholes.len());
        for words in self.wholes.clone() {
            let Some(whole) = self.tokens(words).await? else {
                return not_counted();
            };
            wholes.push(whole);
        }
        let parts = [first, second];
        let learnt = wholes
            .split_first()
            .and_then(|(whole, further)| PromptScale::learn(parts, *whole, further));
        Ok(learnt.ok_or_else(|| format!("the server's counts make no sense: {parts:?}, then {wholes:?}")))
    }
}

/// Whether a probe failed without a count, in a way that need not last.
fn may_pass(asked: &Exchanged) -> bool {
    let RequestOutcome::Failed { error, .. } = &asked.record.outcome else {
        return false;
    };
    let is_lasting = matches!(error, RequestError::Status(400 | 422) | RequestError::Timeout);
    asked.prompt_tokens.is_none() && !is_lasting
}

/// What the server counted, also of an answer that is no good: a few tokens of an answer may
/// well have no text.
fn counted(asked: &Exchanged, words: &[&str]) -> Result<Option<Counted>, BenchError> {
    if let Some(tokens) = asked.prompt_tokens {
        return Ok(Some(Counted {
            words: count(words),
            tokens,
        }));
    }
    match &asked.record.outcome {
        RequestOutcome::Success
        | RequestOutcome::Failed {
            error: RequestError::Empty,
            ..
        } => Ok(None),
        RequestOutcome::Failed { error, detail } => Err(BenchError::PromptsNotSized {
            reason: describe(*error, detail),
        }),
        RequestOutcome::CutOff => Err(BenchError::PromptsNotSized {
            reason: "a request did not end in time".into(),
        }),
    }
}

fn count(words: &[&str]) -> u32 {
    u32::try_from(words.len()).unwrap_or(u32::MAX)
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

/// How many words a whole probe has: few enough that a server which takes the workload's
/// longest prompts takes the probes, even where a word is more than one token.
fn probe_words(workload: &Workload) -> usize {
    let longest = workload.scenarios.iter().map(Scenario::usual_input);
    let (least, most) = WORDS;
    PromptScale {
        tokens_per_word: 5.0 / 3.0,
        overhead: 0.0,
    }
    .words(as_tokens(longest.fold(1.0, f64::max)))
    .clamp(least, most)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion of floats stops at the limits of u32, and lengths are far from them"
)]
fn as_tokens(length: f64) -> u32 {
    length as u32
}
