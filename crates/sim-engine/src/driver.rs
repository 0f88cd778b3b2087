//! Plays the scheduler's decisions out against the clock.
//!
//! The one idea: a step ends at an absolute time, the end of the one before plus its length,
//! so a timer that wakes late makes one token late and not all that follow. Only a delay that
//! no engine would make good (a paused process) is forgiven. Between steps it takes new
//! requests in and lets go of those whose client went away.
//!
//! It decides nothing about batching and knows nothing of HTTP.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, LogNormal};
use tokio::sync::{mpsc, watch};

use crate::SimError;
use crate::clock::{Clock, Nanoseconds};
use crate::model::{MemoryPlan, StepTimer, shortage_under_load};
use crate::scheduler::{Occupancy, Scheduler, SequenceId, Step};
use crate::text::Prompt;
use crate::truth::Record;

/// A lateness beyond this is forgiven instead of made good by a burst of steps.
const MOST_LATENESS: Nanoseconds = 50_000_000;

/// A request on its way to the scheduler.
#[derive(Debug)]
pub(crate) struct Submission {
    /// Its prompt.
    pub(crate) prompt: Prompt,
    /// The length of its answer, at least 1.
    pub(crate) max_tokens: u32,
    /// Where its tokens go. It must hold the whole answer: the engine does not wait for a
    /// slow reader. When the other end is closed, the request is given up.
    pub(crate) tokens: mpsc::Sender<Token>,
    /// Its record.
    pub(crate) record: Arc<Record>,
}

/// One token of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its place in the answer, from 0.
    pub(crate) position: u32,
    /// Whether the answer is complete with it.
    pub(crate) is_last: bool,
}

/// Figures for `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) occupancy: Occupancy,
    pub(crate) prompt_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) generation_tokens: u64,
    pub(crate) preemptions: u64,
    pub(crate) finished: u64,
    pub(crate) steps: u64,
}

/// Draws how much longer or shorter than its mean a step is.
#[derive(Debug)]
pub(crate) struct Noise {
    generator: ChaCha8Rng,
    factor: LogNormal<f64>,
}

impl Noise {
    /// Factors with mean 1 and this standard deviation, which is 0 to 1.
    pub(crate) fn new(generator: ChaCha8Rng, deviation: f64) -> Self {
        let factor = LogNormal::from_mean_cv(1.0, deviation)
            .expect("the deviation was checked to be 0 to 1");
        Self { generator, factor }
    }

    fn draw(&mut self) -> f64 {
        self.factor.sample(&mut self.generator)
    }
}

/// All that a running engine consists of.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) scheduler: Scheduler,
    pub(crate) memory: MemoryPlan,
    pub(crate) timer: StepTimer,
    pub(crate) time_scale: f64,
    pub(crate) noise: Noise,
    pub(crate) clock: Clock,
    pub(crate) statistics: watch::Sender<Statistics>,
    /// End with an error once so many requests have ended.
    pub(crate) exit_after: Option<NonZeroU64>,
}

/// Steps until memory runs out, a fault ends the engine, or nobody can submit any more.
/// It may be dropped at any await; every answer under way is then cut.
pub(crate) async fn drive(
    mut driver: Driver,
    mut submissions: mpsc::Receiver<Submission>,
) -> Result<(), SimError> {
    let mut clients = Clients::default();
    let mut due = driver.clock.now();
    loop {
        while let Ok(submission) = submissions.try_recv() {
            clients.take_in(submission, &mut driver.scheduler);
        }
        clients.let_go(&mut driver.scheduler);
        let Some(step) = driver.scheduler.step() else {
            driver.publish();
            let Some(submission) = submissions.recv().await else {
                return Ok(());
            };
            clients.take_in(submission, &mut driver.scheduler);
            due = driver.clock.now();
            continue;
        };
        if let Some(error) = shortage_under_load(&driver.memory, &step.work) {
            return Err(error);
        }
        clients.note(&step, driver.clock.now());
        driver.count(&step);
        due = driver.wait(due, &step).await;
        clients.hand_out(&step);
        driver.check_exit()?;
    }
}

impl Driver {
    /// Waits until the step is over that began when the one before ended; returns that time.
    async fn wait(&mut self, began: Nanoseconds, step: &Step) -> Nanoseconds {
        let seconds = self.timer.seconds(&step.work) * self.time_scale * self.noise.draw();
        let began = began.max(self.clock.now().saturating_sub(MOST_LATENESS));
        let due = began.saturating_add((seconds * 1e9) as Nanoseconds);
        if due > self.clock.now() {
            tokio::time::sleep_until(self.clock.instant(due)).await;
        } else {
            // Nothing to wait for must not mean that nobody else gets a turn.
            tokio::task::yield_now().await;
        }
        due
    }

    fn count(&self, step: &Step) {
        let occupancy = self.scheduler.occupancy();
        self.statistics.send_modify(|statistics| {
            statistics.occupancy = occupancy;
            statistics.steps += 1;
            statistics.prompt_tokens += u64::from(step.work.prefill_tokens);
            statistics.cached_tokens += step
                .admitted
                .iter()
                .map(|admission| u64::from(admission.cached_tokens))
                .sum::<u64>();
            statistics.generation_tokens += step.emitted.len() as u64;
            statistics.preemptions += step.preempted.len() as u64;
            statistics.finished += step
                .emitted
                .iter()
                .filter(|emission| emission.is_last)
                .count() as u64;
        });
    }

    fn publish(&self) {
        let occupancy = self.scheduler.occupancy();
        self.statistics
            .send_modify(|statistics| statistics.occupancy = occupancy);
    }

    fn check_exit(&self) -> Result<(), SimError> {
        let finished = self.statistics.borrow().finished;
        match self.exit_after {
            Some(limit) if finished >= limit.get() => {
                Err(SimError::ExitAfterRequests { requests: finished })
            }
            _ => Ok(()),
        }
    }
}

/// Those who wait for tokens.
#[derive(Debug, Default)]
struct Clients {
    open: HashMap<SequenceId, Client>,
    next: u64,
}

#[derive(Debug)]
struct Client {
    tokens: mpsc::Sender<Token>,
    record: Arc<Record>,
}

impl Clients {
    fn take_in(&mut self, submission: Submission, scheduler: &mut Scheduler) {
        let Submission {
            prompt,
            max_tokens,
            tokens,
            record,
        } = submission;
        let id = SequenceId(self.next);
        self.next += 1;
        scheduler.enqueue(id, prompt, max_tokens);
        self.open.insert(id, Client { tokens, record });
    }

    fn let_go(&mut self, scheduler: &mut Scheduler) {
        self.open.retain(|id, client| {
            let is_gone = client.tokens.is_closed();
            if is_gone {
                scheduler.cancel(*id);
            }
            !is_gone
        });
    }

    fn note(&self, step: &Step, now: Nanoseconds) {
        for admission in &step.admitted {
            if let Some(client) = self.open.get(&admission.id) {
                client.record.update(|truth| {
                    if truth.admitted_ns.is_none() {
                        truth.admitted_ns = Some(now);
                        truth.cached_tokens = admission.cached_tokens;
                    }
                });
            }
        }
        for id in &step.preempted {
            if let Some(client) = self.open.get(id) {
                client.record.update(|truth| truth.preemptions += 1);
            }
        }
    }

    fn hand_out(&mut self, step: &Step) {
        for emission in &step.emitted {
            let token = Token {
                position: emission.position,
                is_last: emission.is_last,
            };
            if let Some(client) = self.open.get(&emission.id) {
                // A client that went away is let go of before the next step; a full channel
                // cannot be, since it holds the whole answer.
                let _ = client.tokens.try_send(token);
            }
            if emission.is_last {
                self.open.remove(&emission.id);
            }
        }
    }
}
