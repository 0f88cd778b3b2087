//! Where a device's memory goes, and when there is too little.
//!
//! Weights, activations (which grow with the token budget and the batch limit) and captured
//! graphs come off `utilization × device`; the rest is the key/value cache. What lies outside
//! the utilization must hold the driver's own context and, under load, the fragments that
//! running sequences leave: a very high utilization therefore starts and dies later.

use super::{
    CACHE_BYTES_PER_TOKEN, GIBIBYTE, Gibibytes, KIBIBYTE, MEBIBYTE, PARAMETERS, Work, bytes_per_parameter,
    real_to_whole, whole_to_real,
};
use crate::SimError;
use crate::options::{KvCacheType, Options};

const ACTIVATION_BYTES_PER_TOKEN: f64 = 160.0 * KIBIBYTE;
const LOGIT_BYTES_PER_SEQUENCE: f64 = 0.5 * MEBIBYTE;
const GRAPH_BYTES: f64 = 0.25 * GIBIBYTE;
const GRAPH_BYTES_PER_SEQUENCE: f64 = 3.0 * MEBIBYTE;
const COMMUNICATION_BYTES: f64 = 0.3 * GIBIBYTE;
const CONTEXT_BYTES: f64 = 0.25 * GIBIBYTE;
const FRAGMENT_BYTES_PER_SEQUENCE: f64 = 6.0 * MEBIBYTE;
const FRAGMENT_BYTES_PER_TOKEN: f64 = 24.0 * KIBIBYTE;

/// Where one device's memory goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryPlan {
    /// Bytes that weights, activations and graphs take.
    pub(crate) fixed: u64,
    /// Blocks in the key/value cache; at least one request of the longest length fits.
    pub(crate) cache_blocks: u32,
    /// Bytes outside the utilization that steps may use.
    pub(crate) outside: u64,
}

/// Too little memory at load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// The device itself cannot hold what is asked for.
    Device {
        /// Bytes asked for.
        needed: u64,
        /// Bytes that the device can give.
        available: u64,
    },
    /// Weights, activations and graphs leave nothing for the cache.
    NoCache {
        /// Bytes taken before the cache.
        needed: u64,
        /// Bytes that the utilization allows.
        available: u64,
    },
    /// The cache does not hold one request of the longest length.
    ShortCache {
        /// Bytes of cache that such a request takes.
        needed: u64,
        /// Bytes left for the cache.
        available: u64,
        /// The longest length that would fit, in tokens.
        fitting_length: u32,
        /// The length asked for, in tokens.
        length: u32,
    },
}

/// Divides a device's memory as the flags ask.
pub(crate) fn plan_memory(options: &Options) -> Result<MemoryPlan, Shortage> {
    let device = options.device_memory_gib * GIBIBYTE;
    let allowed = device * options.gpu_memory_utilization;
    let fixed = fixed_bytes(options);
    let outside = device - allowed - CONTEXT_BYTES;
    if outside < 0.0 || fixed > device - CONTEXT_BYTES {
        let needed = allowed.max(fixed) + CONTEXT_BYTES;
        return Err(Shortage::Device {
            needed: real_to_whole(needed),
            available: real_to_whole(device),
        });
    }
    let cache = allowed - fixed;
    if cache <= 0.0 {
        return Err(Shortage::NoCache {
            needed: real_to_whole(fixed),
            available: real_to_whole(allowed),
        });
    }
    let block_bytes = cache_bytes_per_token(options) * f64::from(options.block_size);
    let cache_blocks = u32::try_from(real_to_whole(cache / block_bytes)).unwrap_or(u32::MAX);
    let wanted_blocks = blocks_for(options.max_model_len, options.block_size);
    if cache_blocks < wanted_blocks {
        return Err(Shortage::ShortCache {
            needed: real_to_whole(f64::from(wanted_blocks) * block_bytes),
            available: real_to_whole(cache),
            fitting_length: cache_blocks.saturating_mul(options.block_size),
            length: options.max_model_len,
        });
    }
    Ok(MemoryPlan {
        fixed: real_to_whole(fixed),
        cache_blocks,
        outside: real_to_whole(outside),
    })
}

/// How much a step would take too much outside the utilization, if it does.
pub(super) fn shortage_under_load(plan: &MemoryPlan, work: &Work) -> Option<SimError> {
    let tokens = whole_to_real(u64::from(work.prefill_tokens) + u64::from(work.decode_sequences));
    let needed =
        f64::from(work.running_sequences) * FRAGMENT_BYTES_PER_SEQUENCE + tokens * FRAGMENT_BYTES_PER_TOKEN;
    let needed = real_to_whole(needed);
    (needed > plan.outside).then_some(SimError::OutOfMemoryUnderLoad {
        needed,
        available: plan.outside,
    })
}

/// The text that a real engine would leave on stderr when a step takes too much.
pub(crate) fn report_under_load(needed: u64, available: u64) -> String {
    format!(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {} GiB. GPU 0 has {} GiB free. \
         EngineCore encountered a fatal error while executing a step.",
        Gibibytes(needed),
        Gibibytes(available)
    )
}

/// Blocks that hold `tokens` tokens.
pub(crate) fn blocks_for(tokens: u32, block_size: u32) -> u32 {
    tokens.div_ceil(block_size)
}

/// Bytes that one token takes in one device's cache.
pub(super) fn cache_bytes_per_token(options: &Options) -> f64 {
    let width = match options.kv_cache_dtype {
        KvCacheType::Auto => 1.0,
        KvCacheType::Fp8 => 0.5,
    };
    CACHE_BYTES_PER_TOKEN * width / f64::from(options.tensor_parallel_size)
}

/// Bytes of weights on one device.
pub(crate) fn weight_bytes(options: &Options) -> f64 {
    PARAMETERS * bytes_per_parameter(options.quantization) / f64::from(options.tensor_parallel_size)
}

fn fixed_bytes(options: &Options) -> f64 {
    let devices = f64::from(options.tensor_parallel_size);
    let sequences = f64::from(options.max_num_seqs);
    let weights = weight_bytes(options);
    let activations = f64::from(options.max_num_batched_tokens) * ACTIVATION_BYTES_PER_TOKEN / devices
        + sequences * LOGIT_BYTES_PER_SEQUENCE;
    let graphs = if options.enforce_eager {
        0.0
    } else {
        GRAPH_BYTES + sequences * GRAPH_BYTES_PER_SEQUENCE
    };
    let communication = if options.tensor_parallel_size > 1 {
        COMMUNICATION_BYTES
    } else {
        0.0
    };
    weights + activations + graphs + communication
}

impl Shortage {
    /// The text that a real engine would leave on stderr.
    pub(crate) fn report(&self) -> String {
        match *self {
            Self::Device { needed, available } => format!(
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {} GiB. GPU 0 has a total capacity \
                 of {} GiB, of which 0.00 GiB is free.",
                Gibibytes(needed),
                Gibibytes(available)
            ),
            Self::NoCache { needed, available } => format!(
                "ValueError: No available memory for the cache blocks: {} GiB are taken by weights, activations and \
                 graphs, of {} GiB allowed. Try increasing `gpu_memory_utilization` when initializing the engine.",
                Gibibytes(needed),
                Gibibytes(available)
            ),
            Self::ShortCache {
                needed,
                available,
                fitting_length,
                length,
            } => format!(
                "ValueError: To serve at least one request with the model's max seq len ({length}), {} GiB KV cache \
                 is needed, which is larger than the available KV cache memory ({} GiB). The estimated maximum model \
                 length is {fitting_length}. Try increasing `gpu_memory_utilization` or decreasing `max_model_len`.",
                Gibibytes(needed),
                Gibibytes(available)
            ),
        }
    }
}

impl From<Shortage> for SimError {
    fn from(shortage: Shortage) -> Self {
        let (Shortage::Device { needed, available }
        | Shortage::NoCache { needed, available }
        | Shortage::ShortCache {
            needed, available, ..
        }) = shortage;
        Self::OutOfMemory { needed, available }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::options::Quantization;

    fn options(change: impl FnOnce(&mut Options)) -> Options {
        let mut options = Options::default();
        change(&mut options);
        options
    }

    #[derive(Debug, PartialEq)]
    enum Verdict {
        Fits,
        Device,
        NoCache,
        ShortCache,
    }

    fn check(expected: Verdict, change: impl FnOnce(&mut Options)) {
        let verdict = match plan_memory(&options(change)) {
            Ok(_) => Verdict::Fits,
            Err(Shortage::Device { .. }) => Verdict::Device,
            Err(Shortage::NoCache { .. }) => Verdict::NoCache,
            Err(Shortage::ShortCache { .. }) => Verdict::ShortCache,
        };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn memory_runs_out_where_it_should() {
        check(Verdict::Fits, |_| ());
        check(Verdict::Fits, |o| o.gpu_memory_utilization = 0.65);
        check(Verdict::ShortCache, |o| o.gpu_memory_utilization = 0.6);
        check(Verdict::Fits, |o| {
            (o.gpu_memory_utilization, o.max_model_len) = (0.6, 2048);
        });
        check(Verdict::Fits, |o| {
            (o.gpu_memory_utilization, o.kv_cache_dtype) = (0.6, KvCacheType::Fp8);
        });
        check(Verdict::NoCache, |o| o.gpu_memory_utilization = 0.5);
        check(Verdict::Fits, |o| {
            (o.gpu_memory_utilization, o.tensor_parallel_size) = (0.5, 2);
        });
        check(Verdict::Fits, |o| o.gpu_memory_utilization = 0.98);
        check(Verdict::Device, |o| o.gpu_memory_utilization = 0.995);
        check(Verdict::Device, |o| o.device_memory_gib = 8.0);
        check(Verdict::Fits, |o| {
            (o.device_memory_gib, o.tensor_parallel_size) = (8.0, 4);
        });
        check(Verdict::NoCache, |o| o.device_memory_gib = 14.0);
        for quantization in [Quantization::Fp8, Quantization::Int8] {
            check(Verdict::Fits, |o| {
                (o.device_memory_gib, o.quantization) = (14.0, quantization);
            });
        }
    }

    #[test]
    fn a_large_batch_with_a_large_budget_is_a_corner_without_room() {
        let corner = |utilization| {
            move |o: &mut Options| {
                (o.gpu_memory_utilization, o.max_num_seqs, o.max_num_batched_tokens) =
                    (utilization, 512, 16_384);
            }
        };
        check(Verdict::Fits, corner(0.9));
        check(Verdict::ShortCache, corner(0.75));
        check(Verdict::NoCache, corner(0.7));
    }

    #[test]
    fn reports_carry_the_words_that_real_engines_use() {
        let report = |utilization| {
            plan_memory(&options(|o| o.gpu_memory_utilization = utilization))
                .unwrap_err()
                .report()
        };
        assert!(report(0.999).contains("CUDA out of memory. Tried to allocate"));
        assert!(report(0.5).contains("No available memory for the cache blocks"));
        assert!(report(0.6).contains("max seq len (4096), 2.00 GiB KV cache is needed"));
    }

    #[test]
    fn steps_die_only_where_little_is_left_outside() {
        let dies = |utilization, running| {
            let plan = plan_memory(&options(|o| o.gpu_memory_utilization = utilization)).unwrap();
            let work = Work {
                decode_sequences: running,
                running_sequences: running,
                ..Work::default()
            };
            shortage_under_load(&plan, &work).is_some()
        };
        assert!(!dies(0.9, 128));
        assert!(!dies(0.95, 128));
        assert!(!dies(0.98, 16));
        assert!(dies(0.98, 48));
        assert!(dies(0.95, 192), "many sequences need more outside than few");
    }

    #[test]
    fn devices_share_weights_and_cache() {
        let plan = |tensor_parallel_size| {
            plan_memory(&options(|o| o.tensor_parallel_size = tensor_parallel_size)).unwrap()
        };
        let (one, two, eight) = (plan(1), plan(2), plan(8));
        assert!(two.fixed < one.fixed && eight.fixed < two.fixed);
        assert!(two.fixed > one.fixed / 2, "exchanging takes memory of its own");
        assert!(two.cache_blocks > 3 * one.cache_blocks, "{two:?} {one:?}");
        assert!(eight.cache_blocks > 4 * two.cache_blocks, "{eight:?} {two:?}");
    }

    proptest! {
        #[test]
        fn more_of_anything_never_leaves_more_cache(
            seqs in 1_u32..512, tokens in 512_u32..16_384, more in 0_u32..256, utilization in 0.5_f64..0.98,
        ) {
            let blocks = |seqs, tokens, utilization| {
                let plan = plan_memory(&options(|o| {
                    (o.max_num_seqs, o.max_num_batched_tokens, o.gpu_memory_utilization) = (seqs, tokens, utilization);
                }));
                plan.map_or(0, |plan| plan.cache_blocks)
            };
            let base = blocks(seqs, tokens, utilization);
            prop_assert!(blocks(seqs + more, tokens, utilization) <= base);
            prop_assert!(blocks(seqs, tokens + more, utilization) <= base);
            prop_assert!(blocks(seqs, tokens, utilization - 0.05) <= base);
        }

        #[test]
        fn the_cache_never_takes_more_than_is_allowed(utilization in 0.5_f64..0.98, tensor_parallel in 0_u32..4) {
            let options = options(|o| {
                (o.gpu_memory_utilization, o.tensor_parallel_size) = (utilization, 1 << tensor_parallel);
            });
            if let Ok(plan) = plan_memory(&options) {
                let cache = f64::from(plan.cache_blocks) * f64::from(options.block_size) * cache_bytes_per_token(&options);
                prop_assert!(whole_to_real(plan.fixed) + cache <= utilization * 24.0 * GIBIBYTE);
                prop_assert!(plan.cache_blocks >= blocks_for(options.max_model_len, options.block_size));
            }
        }

        #[test]
        fn blocks_hold_their_tokens_and_no_block_is_spare(tokens in 0_u32..100_000, block_size in 1_u32..200) {
            let held = blocks_for(tokens, block_size) * block_size;
            prop_assert!(held >= tokens && held - tokens < block_size);
        }
    }
}
