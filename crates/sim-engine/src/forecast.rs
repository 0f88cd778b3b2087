//! What the engine will do under a load, worked out without running it.
//!
//! The same scheduler and the same model as the server's, stepped in virtual time without
//! noise. It says what a search should find, and it keeps the physics honest in tests. It
//! knows only a closed loop of equal requests, whose prompts may share their beginning, and no
//! time on the wire.

use std::collections::{HashMap, HashSet};

use crate::SimError;
use crate::model::{Hazards, StepTimer, check, check_warm_up, plan_memory};
use crate::options::Options;
use crate::scheduler::{Admission, Emission, Limits, Scheduler, SequenceId};
use crate::text::Prompt;

/// A load: clients that each ask again as soon as they are answered, all starting at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedLoop {
    /// Clients at once.
    pub clients: u32,
    /// Requests in all.
    pub requests: u32,
    /// Tokens in each prompt.
    pub prompt_tokens: u32,
    /// Tokens in each answer.
    pub output_tokens: u32,
    /// Tokens at the beginning of each prompt that all prompts share; at most the prompt's.
    pub shared_prefix_tokens: u32,
}

impl ClosedLoop {
    /// The prompt of one of its requests, which are told apart by a number.
    pub(crate) fn prompt(self, number: u64, block_size: u32) -> Prompt {
        if self.shared_prefix_tokens == 0 {
            // Nothing of it will ever be found again, so its blocks need no names.
            return Prompt {
                tokens: self.prompt_tokens.max(1),
                prefixes: Vec::new(),
                fingerprint: number,
            };
        }
        let words = (0..self.prompt_tokens).map(|position| match position < self.shared_prefix_tokens {
            true => (0, position),
            false => (number + 1, position),
        });
        Prompt::read(words, block_size)
    }
}

/// What a load will see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// From the first request to the last token, in seconds.
    pub seconds: f64,
    /// Answer tokens of all requests a second.
    pub output_tokens_per_second: f64,
    /// Mean time to the first token, in seconds.
    pub mean_time_to_first_token: f64,
    /// Mean time for each token after the first, in seconds; 0 for answers of one token.
    pub mean_time_per_output_token: f64,
    /// The longest time between two tokens of one answer, in seconds.
    pub longest_stall: f64,
    /// How often a sequence was pushed out of the cache.
    pub preemptions: u32,
    /// Prompt tokens that were known and not computed, of all requests when first admitted.
    pub cached_tokens: u64,
}

/// Works out what a load will see of an engine with these flags.
///
/// # Errors
/// Those that the engine itself would end with: flags that contradict each other, memory that
/// runs out at load or under this load, or a broken kernel that this load meets. Faults are
/// not looked at.
pub fn forecast(options: &Options, load: ClosedLoop) -> Result<Forecast, SimError> {
    check(options)?;
    let memory = plan_memory(options)?;
    check_warm_up(options)?;
    let hazards = Hazards::new(options, memory);
    if load.prompt_tokens.saturating_add(load.output_tokens) > options.max_model_len {
        return Err(SimError::InvalidConfiguration {
            flag: "--max-model-len",
            reason: format!(
                "a request of {} + {} tokens is longer",
                load.prompt_tokens, load.output_tokens
            ),
        });
    }
    let timer = StepTimer::new(options);
    let mut scheduler = Scheduler::new(Limits::new(options, &memory));
    let mut watch = Watch {
        block_size: options.block_size,
        ..Watch::default()
    };
    for _ in 0..load.clients.min(load.requests) {
        watch.ask(&mut scheduler, load);
    }
    while let Some(step) = scheduler.step() {
        hazards.check(&step.work)?;
        watch.admit(&step.admitted);
        watch.now += timer.seconds(&step.work) * options.time_scale;
        watch.preemptions += u32::try_from(step.preempted.len()).expect("no more than the batch limit");
        for emission in step.emitted {
            watch.receive(emission);
            if emission.is_last && watch.asked < u64::from(load.requests) {
                watch.ask(&mut scheduler, load);
            }
        }
    }
    Ok(watch.sum_up(load))
}

/// What the clients have seen so far.
#[derive(Debug, Default)]
struct Watch {
    block_size: u32,
    now: f64,
    asked: u64,
    /// For each request under way: when it was sent, when its first and its latest token came.
    open: HashMap<SequenceId, (f64, f64, f64)>,
    /// Requests that were admitted before; those again are so after they were pushed out.
    admitted: HashSet<SequenceId>,
    first_token_seconds: f64,
    later_token_seconds: f64,
    longest_stall: f64,
    preemptions: u32,
    cached_tokens: u64,
}

impl Watch {
    fn ask(&mut self, scheduler: &mut Scheduler, load: ClosedLoop) {
        let id = SequenceId(self.asked);
        self.asked += 1;
        let prompt = load.prompt(id.0, self.block_size);
        scheduler.enqueue(id, prompt, load.output_tokens.max(1));
        self.open.insert(id, (self.now, self.now, self.now));
    }

    fn admit(&mut self, admissions: &[Admission]) {
        for admission in admissions {
            if self.admitted.insert(admission.id) {
                self.cached_tokens += u64::from(admission.cached_tokens);
            }
        }
    }

    fn receive(&mut self, emission: Emission) {
        let (sent, first, latest) = self
            .open
            .get_mut(&emission.id)
            .expect("tokens come for requests under way");
        if emission.position == 0 {
            *first = self.now;
            self.first_token_seconds += self.now - *sent;
        } else {
            self.longest_stall = self.longest_stall.max(self.now - *latest);
        }
        *latest = self.now;
        if emission.is_last {
            self.later_token_seconds += self.now - *first;
            self.open.remove(&emission.id);
        }
    }

    fn sum_up(&self, load: ClosedLoop) -> Forecast {
        let requests = f64::from(load.requests.max(1));
        let later_tokens = requests * f64::from(load.output_tokens.max(1) - 1);
        Forecast {
            seconds: self.now,
            output_tokens_per_second: requests * f64::from(load.output_tokens)
                / self.now.max(f64::MIN_POSITIVE),
            mean_time_to_first_token: self.first_token_seconds / requests,
            mean_time_per_output_token: self.later_token_seconds / later_tokens.max(1.0),
            longest_stall: self.longest_stall,
            preemptions: self.preemptions,
            cached_tokens: self.cached_tokens,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::KvCacheType;

    fn load(clients: u32) -> ClosedLoop {
        ClosedLoop {
            clients,
            requests: clients * 6,
            prompt_tokens: 256,
            output_tokens: 128,
            shared_prefix_tokens: 0,
        }
    }

    fn predict(load: ClosedLoop, change: impl FnOnce(&mut Options)) -> Forecast {
        let mut options = Options::default();
        change(&mut options);
        forecast(&options, load).unwrap()
    }

    /// The best throughput over a grid on one device.
    fn best(load: ClosedLoop) -> (f64, Options) {
        let mut best = (0.0, Options::default());
        for max_num_seqs in [4, 8, 16, 32, 64, 128] {
            for max_num_batched_tokens in [128, 256, 512, 1024, 2048, 8192] {
                for (kv_cache_dtype, block_size) in [
                    (KvCacheType::Auto, 16),
                    (KvCacheType::Fp8, 16),
                    (KvCacheType::Fp8, 32),
                ] {
                    let options = Options {
                        max_num_seqs,
                        max_num_batched_tokens,
                        kv_cache_dtype,
                        block_size,
                        ..Options::default()
                    };
                    if let Ok(seen) = forecast(&options, load)
                        && seen.output_tokens_per_second > best.0
                    {
                        best = (seen.output_tokens_per_second, options);
                    }
                }
            }
        }
        best
    }

    fn check_gain(clients: u32, low: f64, high: f64) {
        let (found, options) = best(load(clients));
        let gain = found / predict(load(clients), |_| ()).output_tokens_per_second;
        assert!(
            low <= gain && gain <= high,
            "{gain} at {clients} clients with {options:?}"
        );
    }

    #[test]
    fn tuning_pays_but_not_absurdly() {
        check_gain(8, 1.3, 1.8);
        check_gain(16, 1.6, 2.3);
        check_gain(32, 1.8, 2.6);
    }

    #[test]
    fn a_small_batch_limit_queues_and_a_large_one_slows_each_token() {
        let seen = |limit| predict(load(32), |o| o.max_num_seqs = limit);
        let (small, large) = (seen(4), seen(32));
        assert!(small.mean_time_to_first_token > 2.0 * large.mean_time_to_first_token);
        assert!(large.mean_time_per_output_token > 1.5 * small.mean_time_per_output_token);
        assert!(large.output_tokens_per_second > 2.0 * small.output_tokens_per_second);
    }

    #[test]
    fn a_large_token_budget_stalls_answers_and_a_small_one_delays_them() {
        let long = ClosedLoop {
            clients: 16,
            requests: 64,
            prompt_tokens: 1500,
            output_tokens: 64,
            shared_prefix_tokens: 0,
        };
        let seen = |budget| {
            predict(long, |o| {
                (o.max_num_seqs, o.max_num_batched_tokens) = (16, budget);
            })
        };
        let (small, large) = (seen(128), seen(8192));
        assert!(large.longest_stall > 3.0 * small.longest_stall);
        assert!(small.mean_time_to_first_token > 1.2 * large.mean_time_to_first_token);
    }

    #[test]
    fn a_cache_too_small_for_the_batch_costs_throughput() {
        let long = ClosedLoop {
            clients: 32,
            requests: 96,
            prompt_tokens: 512,
            output_tokens: 256,
            shared_prefix_tokens: 0,
        };
        let seen = |kind| {
            predict(long, |o| {
                (o.max_num_seqs, o.max_num_batched_tokens, o.gpu_memory_utilization) = (32, 2048, 0.8);
                o.kv_cache_dtype = kind;
            })
        };
        let (whole, half) = (seen(KvCacheType::Auto), seen(KvCacheType::Fp8));
        assert!(
            whole.preemptions > 0 && half.preemptions == 0,
            "{whole:?} {half:?}"
        );
        assert!(half.output_tokens_per_second > 1.1 * whole.output_tokens_per_second);
    }

    #[test]
    fn memory_may_run_out_only_under_load() {
        let options = Options {
            gpu_memory_utilization: 0.98,
            max_num_seqs: 64,
            ..Options::default()
        };
        assert!(forecast(&options, load(8)).is_ok());
        assert!(matches!(
            forecast(&options, load(64)),
            Err(SimError::OutOfMemoryUnderLoad { .. })
        ));
    }

    #[test]
    fn a_broken_kernel_is_met_at_warm_up_or_under_load() {
        let broken = |clients, change: fn(&mut Options)| {
            let mut options = Options {
                max_num_seqs: 128,
                ..Options::default()
            };
            change(&mut options);
            matches!(
                forecast(&options, load(clients)),
                Err(SimError::BrokenKernel { .. })
            )
        };
        assert!(broken(1, |o| (o.block_size, o.kv_cache_dtype) = (8, KvCacheType::Fp8)));
        assert!(!broken(32, |o| o.block_size = 128));
        // The cache has no room for that many long ones; short ones meet it.
        let short = ClosedLoop {
            clients: 96,
            requests: 96,
            prompt_tokens: 16,
            output_tokens: 32,
            shared_prefix_tokens: 0,
        };
        let options = Options {
            max_num_seqs: 128,
            block_size: 128,
            ..Options::default()
        };
        assert!(matches!(
            forecast(&options, short),
            Err(SimError::BrokenKernel { .. })
        ));
    }

    #[test]
    fn a_shared_beginning_brings_the_first_token_forward_while_it_is_cached() {
        let shared = ClosedLoop {
            clients: 4,
            requests: 40,
            prompt_tokens: 1024,
            output_tokens: 16,
            shared_prefix_tokens: 1000,
        };
        let seen = |load, is_off, block_size| {
            predict(load, |o| {
                (o.no_enable_prefix_caching, o.block_size) = (is_off, block_size);
            })
        };
        let cached = seen(shared, false, 16);
        let whole = seen(shared, true, 16);
        let distinct = seen(
            ClosedLoop {
                shared_prefix_tokens: 0,
                ..shared
            },
            false,
            16,
        );
        assert!(cached.mean_time_to_first_token < 0.5 * whole.mean_time_to_first_token);
        assert_eq!((whole.cached_tokens, distinct.cached_tokens), (0, 0));
        assert_eq!(distinct.seconds, whole.seconds);
        // The first finds nothing; the others wait until it is computed, and find 62 whole blocks.
        assert_eq!(cached.cached_tokens, 39 * 62 * 16);
        let coarse = seen(shared, false, 128);
        assert_eq!(coarse.cached_tokens, 39 * 7 * 128, "only whole blocks are known");
    }

    #[test]
    fn a_cache_that_is_full_forgets_beginnings() {
        let shared = ClosedLoop {
            clients: 24,
            requests: 96,
            prompt_tokens: 640,
            output_tokens: 64,
            shared_prefix_tokens: 600,
        };
        let hits = |utilization| {
            predict(shared, |o| {
                (o.max_num_seqs, o.max_num_batched_tokens, o.gpu_memory_utilization) =
                    (24, 2048, utilization);
            })
            .cached_tokens
        };
        assert!(hits(0.9) > hits(0.7), "{} {}", hits(0.9), hits(0.7));
    }
}
