//! How long a step lasts.
//!
//! A step pays a fixed overhead, a share of host work for each sequence, the longer of
//! reading memory (all weights once, the cache of every decoding sequence) and decoding
//! arithmetic, the arithmetic of its prompt tokens, and, with several devices, the exchange
//! between them. This is the roofline view of a transformer step (Williams et al., 2009, as
//! applied to batched decoding by Pope et al., 2022), with prompt work added on top instead of
//! hidden under the memory traffic.

use super::memory::{cache_bytes_per_token, weight_bytes};
use super::{HIDDEN_SIZE, LAYERS, PARAMETERS, bytes_per_parameter, whole_to_real};
use crate::options::{KvCacheType, Options, Quantization};

const BANDWIDTH: f64 = 4.8e12;
const OPERATIONS_PER_SECOND: f64 = 400.0e12;
const FP8_SPEED: f64 = 1.7;
const INT8_SPEED: f64 = 0.85;
const GRAPH_OVERHEAD_SECONDS: f64 = 0.6e-3;
const EAGER_OVERHEAD_SECONDS: f64 = 3.5e-3;
const PARALLEL_OVERHEAD_SECONDS: f64 = 0.3e-3;
const HOST_SECONDS_PER_SEQUENCE: f64 = 0.32e-3;
const DEQUANTIZE_SECONDS_PER_SEQUENCE: f64 = 0.01e-3;
const EXCHANGES_PER_LAYER: f64 = 2.0;
const EXCHANGE_SECONDS: f64 = 6.0e-6;
const EXCHANGE_SECONDS_PER_DOUBLING: f64 = 2.0e-6;
const LINK_BANDWIDTH: f64 = 200.0e9;

/// What one step computes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Prompt tokens computed.
    pub(crate) prefill_tokens: u32,
    /// Over those tokens, the sum of how many tokens stand before each.
    pub(crate) prefill_context: u64,
    /// Sequences that decode one token.
    pub(crate) decode_sequences: u32,
    /// Tokens in the cache of those sequences.
    pub(crate) decode_context: u64,
    /// Sequences that hold cache, whether they take part or not.
    pub(crate) running_sequences: u32,
}

/// Knows how long a step lasts under one set of flags.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepTimer {
    fixed: f64,
    per_sequence: f64,
    weights_read: f64,
    cache_read_per_token: f64,
    compute_per_token: f64,
    attention_per_context: f64,
    exchange_per_token: f64,
}

impl StepTimer {
    /// Works out the parts that do not change from step to step.
    pub(crate) fn new(options: &Options) -> Self {
        let devices = f64::from(options.tensor_parallel_size);
        let is_parallel = options.tensor_parallel_size > 1;
        let doublings = devices.log2();
        let exchanges = EXCHANGES_PER_LAYER * LAYERS;
        let latency = exchanges * (EXCHANGE_SECONDS + EXCHANGE_SECONDS_PER_DOUBLING * doublings);
        let overhead = if options.enforce_eager {
            EAGER_OVERHEAD_SECONDS
        } else {
            GRAPH_OVERHEAD_SECONDS
        };
        let dequantize = match options.kv_cache_dtype {
            KvCacheType::Auto => 0.0,
            KvCacheType::Fp8 => DEQUANTIZE_SECONDS_PER_SEQUENCE,
        };
        let block = f64::from(options.block_size);
        let speed = match options.quantization {
            Quantization::None => 1.0,
            Quantization::Fp8 => FP8_SPEED,
            Quantization::Int8 => INT8_SPEED,
        };
        Self {
            fixed: overhead
                + if is_parallel {
                    PARALLEL_OVERHEAD_SECONDS + latency
                } else {
                    0.0
                },
            per_sequence: HOST_SECONDS_PER_SEQUENCE + dequantize,
            weights_read: weight_bytes(options) / BANDWIDTH,
            // Small blocks are read in small pieces: two tokens' worth of time is lost on each.
            cache_read_per_token: cache_bytes_per_token(options) / BANDWIDTH * (block + 2.0) / block,
            compute_per_token: 2.0 * PARAMETERS / devices / (OPERATIONS_PER_SECOND * speed),
            attention_per_context: 4.0 * HIDDEN_SIZE * LAYERS / devices / OPERATIONS_PER_SECOND,
            exchange_per_token: exchanges * HIDDEN_SIZE * 2.0 * (devices - 1.0) / devices / LINK_BANDWIDTH,
        }
    }

    /// How long this step lasts, in seconds, without noise.
    pub(crate) fn seconds(&self, work: &Work) -> f64 {
        let sequences = f64::from(work.decode_sequences);
        let prompt_tokens = f64::from(work.prefill_tokens);
        let memory = self.weights_read + whole_to_real(work.decode_context) * self.cache_read_per_token;
        let decode = sequences * self.compute_per_token;
        let prefill = prompt_tokens * self.compute_per_token
            + whole_to_real(work.prefill_context) * self.attention_per_context;
        self.fixed
            + f64::from(work.running_sequences) * self.per_sequence
            + memory.max(decode)
            + prefill
            + (sequences + prompt_tokens) * self.exchange_per_token
    }
}

/// How long each part of loading takes, in seconds, in their order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LoadTimes {
    /// Until all devices have found each other; more devices take longer.
    pub(crate) joining: f64,
    /// Reading the weights, of which there are fewer bytes when quantized.
    pub(crate) weights: f64,
    /// Capturing graphs, one for each batch size up to the limit; none when eager.
    pub(crate) graphs: f64,
    /// A first step.
    pub(crate) warm_up: f64,
}

impl LoadTimes {
    /// What these flags make of `--startup-seconds`.
    pub(crate) fn new(options: &Options) -> Self {
        let unit = options.startup_seconds * options.time_scale;
        let captures = if options.enforce_eager {
            0.0
        } else {
            0.4 + 0.02 * f64::from(options.max_num_seqs).log2()
        };
        let share = bytes_per_parameter(options.quantization) / bytes_per_parameter(Quantization::None);
        Self {
            joining: unit * 0.1 * f64::from(options.tensor_parallel_size).log2(),
            weights: unit * 0.4 * share,
            graphs: unit * captures,
            warm_up: unit * 0.1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(sequences: u32, context: u64) -> Work {
        Work {
            decode_sequences: sequences,
            decode_context: u64::from(sequences) * context,
            running_sequences: sequences,
            ..Work::default()
        }
    }

    fn prefill(tokens: u32) -> Work {
        let context = u64::from(tokens) * u64::from(tokens) / 2;
        Work {
            prefill_tokens: tokens,
            prefill_context: context,
            running_sequences: 1,
            ..Work::default()
        }
    }

    fn milliseconds(work: Work, change: impl FnOnce(&mut Options)) -> f64 {
        let mut options = Options::default();
        change(&mut options);
        StepTimer::new(&options).seconds(&work) * 1e3
    }

    fn check_between(low: f64, high: f64, work: Work) {
        let took = milliseconds(work, |_| ());
        assert!(low <= took && took <= high, "{took} ms for {work:?}");
    }

    #[test]
    fn steps_last_as_long_as_on_a_real_card() {
        check_between(3.0, 5.0, decode(1, 256));
        check_between(5.0, 7.0, decode(8, 256));
        check_between(12.0, 16.0, decode(32, 256));
        check_between(6.0, 10.0, prefill(128));
        check_between(60.0, 90.0, prefill(2048));
    }

    #[test]
    fn each_flag_pulls_its_way() {
        let base = milliseconds(decode(16, 1024), |_| ());
        assert!(milliseconds(decode(16, 1024), |o| o.enforce_eager = true) > base + 2.0);
        assert!(milliseconds(decode(16, 1024), |o| o.kv_cache_dtype = KvCacheType::Fp8) < base);
        assert!(
            milliseconds(decode(16, 1), |o| o.kv_cache_dtype = KvCacheType::Fp8)
                > milliseconds(decode(16, 1), |_| ())
        );
        assert!(milliseconds(decode(16, 1024), |o| o.block_size = 64) < base);
        assert!(milliseconds(decode(16, 1024), |o| o.tensor_parallel_size = 2) < base);
    }

    #[test]
    fn quantized_weights_are_read_faster_and_only_fp8_computes_faster() {
        let base = milliseconds(decode(1, 256), |_| ());
        let long = milliseconds(prefill(2048), |_| ());
        let fp8 = |o: &mut Options| o.quantization = Quantization::Fp8;
        let int8 = |o: &mut Options| o.quantization = Quantization::Int8;
        assert!(milliseconds(decode(1, 256), fp8) < base - 1.0);
        assert!(milliseconds(decode(1, 256), int8) < base - 1.0);
        assert!(milliseconds(prefill(2048), fp8) < 0.75 * long);
        assert!(milliseconds(prefill(2048), int8) > long);
    }

    #[test]
    fn more_devices_are_faster_by_less_and_less() {
        let step = |work, size| milliseconds(work, |o| o.tensor_parallel_size = size);
        for work in [decode(16, 2048), prefill(2048)] {
            let times = [1, 2, 4].map(|size| step(work, size));
            assert!(times.is_sorted_by(|more, fewer| more > fewer), "{times:?}");
            assert!(
                times[1] > times[0] / 2.0 && times[2] > times[1] / 2.0,
                "{times:?}"
            );
        }
        let gain = step(decode(1, 16), 4) / step(decode(1, 16), 8);
        assert!(
            gain < 1.2,
            "a small step spends its time waiting for the others: {gain}"
        );
    }

    #[test]
    fn each_part_of_loading_depends_on_its_flags() {
        let times = |change: fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            LoadTimes::new(&options)
        };
        let base = times(|_| ());
        assert_eq!(base.joining, 0.0);
        assert!(times(|o| o.tensor_parallel_size = 4).joining > 0.0);
        assert!(times(|o| o.quantization = Quantization::Int8).weights < base.weights);
        assert!(times(|o| o.max_num_seqs = 256).graphs > base.graphs);
        assert_eq!(times(|o| o.enforce_eager = true).graphs, 0.0);
        assert!(times(|o| o.time_scale = 0.1).warm_up < base.warm_up);
    }

    proptest! {
        #[test]
        fn more_work_never_takes_less_time(
            prefill_tokens in 0_u32..8192, decode_sequences in 0_u32..256, context in 0_u64..1_000_000, more in 1_u32..64,
        ) {
            let timer = StepTimer::new(&Options::default());
            let work = Work {
                prefill_tokens,
                prefill_context: context,
                decode_sequences,
                decode_context: context,
                running_sequences: decode_sequences,
            };
            let base = timer.seconds(&work);
            prop_assert!(base > 0.0 && base.is_finite());
            for grown in [
                Work { prefill_tokens: prefill_tokens + more, ..work },
                Work { prefill_context: context + u64::from(more), ..work },
                Work { decode_sequences: decode_sequences + more, ..work },
                Work { decode_context: context + u64::from(more), ..work },
                Work { running_sequences: decode_sequences + more, ..work },
            ] {
                prop_assert!(timer.seconds(&grown) >= base);
            }
        }

        #[test]
        fn a_larger_batch_costs_more_a_step_and_less_a_token(batch in 1_u32..256, context in 1_u64..2048) {
            let step = |batch| milliseconds(decode(batch, context), |_| ());
            prop_assert!(step(batch + 1) > step(batch));
            prop_assert!(step(batch + 1) / f64::from(batch + 1) < step(batch) / f64::from(batch));
        }
    }
}
