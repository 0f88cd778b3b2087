//! Where flags that the engine accepts end it later: too little memory for a step, and kernels
//! that are broken.
//!
//! The one idea: a hazard is a function of the flags and of one step's work, so a search that
//! meets it once meets it always, and a forecast knows it. The broken kernels are two, like
//! those that real engines had: small blocks with an fp8 cache die at warm-up, and captured
//! graphs over the largest blocks die in the first step in which more than
//! [`MOST_DECODING_IN_GRAPH`] sequences decode.

use super::memory::shortage_under_load;
use super::{MemoryPlan, Work};
use crate::SimError;
use crate::options::{KvCacheType, Options};

/// Blocks below this many tokens are broken with an fp8 cache.
const LEAST_FP8_BLOCK: u32 = 16;
/// Blocks of this many tokens are broken in captured graphs of many sequences.
const LARGEST_BLOCK: u32 = 128;
/// The most sequences that may decode in a captured graph over the largest blocks.
const MOST_DECODING_IN_GRAPH: u32 = 64;

/// Fails where the first step of all, at warm-up, would.
pub(crate) fn check_warm_up(options: &Options) -> Result<(), SimError> {
    if options.kv_cache_dtype == KvCacheType::Fp8 && options.block_size < LEAST_FP8_BLOCK {
        return Err(SimError::BrokenKernel {
            place: "in the attention over an fp8 cache in small blocks",
            hint: "use --block-size 16 or more, or --kv-cache-dtype auto",
        });
    }
    Ok(())
}

/// What may end the engine in a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hazards {
    memory: MemoryPlan,
    most_decoding: u32,
}

impl Hazards {
    /// What flags, and the memory they leave, make dangerous.
    pub(crate) fn new(options: &Options, memory: MemoryPlan) -> Self {
        let is_broken = options.block_size == LARGEST_BLOCK && !options.enforce_eager;
        Self {
            memory,
            most_decoding: if is_broken {
                MOST_DECODING_IN_GRAPH
            } else {
                u32::MAX
            },
        }
    }

    /// Fails where this step would.
    pub(crate) fn check(&self, work: &Work) -> Result<(), SimError> {
        if work.decode_sequences > self.most_decoding {
            return Err(SimError::BrokenKernel {
                place: "in a captured graph of more than 64 sequences over blocks of 128 tokens",
                hint: "use --enforce-eager, a smaller --block-size or --max-num-seqs 64",
            });
        }
        shortage_under_load(&self.memory, work).map_or(Ok(()), Err)
    }

    /// What the fault `oom-under-load` says: a gibibyte more than there is.
    pub(crate) fn out_of_memory(&self) -> SimError {
        SimError::OutOfMemoryUnderLoad {
            needed: self.memory.outside + (1 << 30),
            available: self.memory.outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan_memory;

    fn check(change: impl FnOnce(&mut Options), decode_sequences: u32, is_fine: bool) {
        let mut options = Options {
            max_num_seqs: 128,
            ..Options::default()
        };
        change(&mut options);
        let hazards = Hazards::new(&options, plan_memory(&options).unwrap());
        let work = Work {
            decode_sequences,
            running_sequences: decode_sequences,
            ..Work::default()
        };
        let result = check_warm_up(&options).and_then(|()| hazards.check(&work));
        assert_eq!(result.is_ok(), is_fine, "{decode_sequences}: {options:?}");
        if let Err(error) = result {
            assert!(matches!(error, SimError::BrokenKernel { .. }), "{error:?}");
        }
    }

    #[test]
    fn kernels_are_broken_where_the_documentation_says() {
        check(|_| (), 128, true);
        check(|o| o.block_size = 8, 128, true);
        check(
            |o| (o.block_size, o.kv_cache_dtype) = (8, KvCacheType::Fp8),
            1,
            false,
        );
        check(
            |o| (o.block_size, o.kv_cache_dtype) = (16, KvCacheType::Fp8),
            128,
            true,
        );
        check(|o| o.block_size = 128, 64, true);
        check(|o| o.block_size = 128, 65, false);
        check(|o| (o.block_size, o.enforce_eager) = (128, true), 128, true);
    }
}
