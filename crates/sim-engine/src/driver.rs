//! Plays the scheduler's decisions out against the clock.
//!
//! The one idea: a step ends at an absolute time, the end of the one before plus its length,
//! so a timer that wakes late makes one token late and not all that follow. Only a delay that
//! no engine would make good (a paused process) is forgiven. Between steps it takes new
//! requests in and lets go of those whose client went away.
//!
//! It decides nothing about batching and knows nothing of HTTP.

use std::collections::HashMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, LogNormal};
use tokio::sync::{mpsc, watch};

use crate::SimError;
use crate::clock::{Clock, Nanoseconds};
use crate::fault::{Fault, LoadFault, load_fault};
use crate::model::{Hazards, StepTimer};
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
        let factor = LogNormal::from_mean_cv(1.0, deviation).expect("the deviation was checked to be 0 to 1");
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
    pub(crate) hazards: Hazards,
    pub(crate) timer: StepTimer,
    pub(crate) time_scale: f64,
    pub(crate) noise: Noise,
    pub(crate) clock: Clock,
    pub(crate) statistics: watch::Sender<Statistics>,
    /// Those of load, and of requests that have ended; others are not looked at.
    pub(crate) faults: Vec<Fault>,
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
        driver.check_load(clients.open.len())?;
        let Some(step) = driver.scheduler.step() else {
            driver.publish();
            let Some(submission) = submissions.recv().await else {
                return Ok(());
            };
            clients.take_in(submission, &mut driver.scheduler);
            due = driver.clock.now();
            continue;
        };
        driver.hazards.check(&step.work)?;
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
            statistics.finished += step.emitted.iter().filter(|emission| emission.is_last).count() as u64;
        });
    }

    fn publish(&self) {
        let occupancy = self.scheduler.occupancy();
        self.statistics
            .send_modify(|statistics| statistics.occupancy = occupancy);
    }

    fn check_load(&self, in_flight: usize) -> Result<(), SimError> {
        match load_fault(&self.faults, in_flight) {
            None => Ok(()),
            Some(LoadFault::OutOfMemory) => Err(self.hazards.out_of_memory()),
            Some(LoadFault::Segfault) => Err(SimError::SegmentationFault),
            Some(LoadFault::Abort) => Err(SimError::Abort),
        }
    }

    fn check_exit(&self) -> Result<(), SimError> {
        let requests = self.statistics.borrow().finished;
        let is_over = self
            .faults
            .iter()
            .any(|fault| matches!(fault, Fault::ExitAfterRequests(limit) if requests >= limit.get()));
        match is_over {
            true => Err(SimError::ExitAfterRequests { requests }),
            false => Ok(()),
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;
    use crate::forecast::{ClosedLoop, forecast};
    use crate::model::plan_memory;
    use crate::options::{Options, Quantization};
    use crate::scheduler::Limits;
    use crate::truth::{Arrival, RequestTruth, TruthRing};

    const LOAD: ClosedLoop = ClosedLoop {
        clients: 24,
        requests: 24,
        prompt_tokens: 300,
        output_tokens: 60,
        shared_prefix_tokens: 0,
    };

    fn driver(options: &Options) -> Driver {
        let memory = plan_memory(options).unwrap();
        Driver {
            scheduler: Scheduler::new(Limits::new(options, &memory)),
            hazards: Hazards::new(options, memory),
            timer: StepTimer::new(options),
            time_scale: options.time_scale,
            noise: Noise::new(ChaCha8Rng::seed_from_u64(options.seed), options.noise),
            clock: Clock::start(),
            statistics: watch::channel(Statistics::default()).0,
            faults: Vec::new(),
        }
    }

    /// Plays the load, all of it at once, in paused time; returns how long it took and the truth.
    async fn play_load(options: &Options, load: ClosedLoop) -> (f64, Vec<RequestTruth>) {
        let driver = driver(options);
        let clock = driver.clock;
        let truth = TruthRing::default();
        let (sender, submissions) = mpsc::channel(64);
        let mut answers = Vec::new();
        for ordinal in 1..=u64::from(load.requests) {
            let record = truth.open(Arrival {
                request_id: ordinal.to_string(),
                ordinal,
                received_ns: clock.now(),
                prompt_tokens: load.prompt_tokens,
            });
            let (tokens, answer) = mpsc::channel(64);
            let prompt = load.prompt(ordinal, options.block_size);
            sender
                .send(Submission {
                    prompt,
                    max_tokens: load.output_tokens,
                    tokens,
                    record,
                })
                .await
                .unwrap();
            answers.push(answer);
        }
        drop(sender);
        drive(driver, submissions).await.unwrap();
        for mut answer in answers {
            for position in 0..load.output_tokens {
                let is_last = position + 1 == load.output_tokens;
                assert_eq!(answer.recv().await, Some(Token { position, is_last }));
            }
            assert_eq!(answer.recv().await, None);
        }
        (clock.now() as f64 / 1e9, truth.all())
    }

    async fn play(options: &Options) -> (f64, Vec<RequestTruth>) {
        play_load(options, LOAD).await
    }

    #[tokio::test(start_paused = true)]
    async fn timers_that_wake_late_do_not_add_up() {
        // Tokio's timers wake up to a millisecond late; over some hundred steps that would show.
        let options = Options {
            noise: 0.0,
            max_num_seqs: 4,
            ..Options::default()
        };
        let (seconds, truth) = play(&options).await;
        let expected = forecast(&options, LOAD).unwrap().seconds;
        assert!(
            (seconds - expected).abs() < 0.002,
            "{seconds} s instead of {expected} s"
        );
        assert!(truth.iter().all(|truth| truth.admitted_ns.is_some()));
        assert!(
            truth[23].admitted_ns > truth[0].admitted_ns,
            "the last one had to wait"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn noise_is_replayed_by_seed_and_leaves_the_mean() {
        let noisy = |seed| Options {
            noise: 0.1,
            seed,
            ..Options::default()
        };
        let (one, _) = play(&noisy(1)).await;
        let (again, _) = play(&noisy(1)).await;
        let (other, _) = play(&noisy(2)).await;
        let expected = forecast(&noisy(1), LOAD).unwrap().seconds;
        assert!((one - again).abs() < 1e-9, "{one} {again}");
        assert!((one - other).abs() > 1e-6, "{one} {other}");
        assert!((one / expected - 1.0).abs() < 0.05, "{one} {expected}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_scale_scales() {
        let scaled = |time_scale| Options {
            noise: 0.0,
            time_scale,
            ..Options::default()
        };
        let (full, _) = play(&scaled(1.0)).await;
        let (half, _) = play(&scaled(0.5)).await;
        assert!((full / half - 2.0).abs() < 0.01, "{full} {half}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_beginning_is_found_as_forecast() {
        let load = ClosedLoop {
            shared_prefix_tokens: 250,
            ..LOAD
        };
        for (block_size, utilization) in [(16, 0.9), (64, 0.9), (16, 0.66)] {
            let options = Options {
                noise: 0.0,
                max_num_seqs: 16,
                block_size,
                gpu_memory_utilization: utilization,
                ..Options::default()
            };
            let (seconds, truth) = play_load(&options, load).await;
            let expected = forecast(&options, load).unwrap();
            let cached: u64 = truth.iter().map(|truth| u64::from(truth.cached_tokens)).sum();
            assert!(cached > 0);
            assert_eq!(cached, expected.cached_tokens, "blocks of {block_size}");
            assert!(
                (seconds - expected.seconds).abs() < 0.002,
                "{seconds} s instead of {} s",
                expected.seconds
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn quantized_and_shared_among_devices_it_is_as_fast_as_forecast() {
        for (quantization, tensor_parallel_size) in [(Quantization::Fp8, 1), (Quantization::Int8, 4)] {
            let options = Options {
                noise: 0.0,
                quantization,
                tensor_parallel_size,
                ..Options::default()
            };
            let (seconds, _) = play(&options).await;
            let expected = forecast(&options, LOAD).unwrap().seconds;
            assert!(
                (seconds - expected).abs() < 0.002,
                "{seconds} s instead of {expected} s"
            );
        }
    }
}
