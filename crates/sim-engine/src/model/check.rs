//! Which flags make sense together: the engine's own rules, before any memory is planned.
//!
//! The rules are those that real engines have, so that a search meets the same walls.

use crate::SimError;
use crate::options::Options;

/// Refuses flags that the engine cannot run with.
pub(crate) fn check(options: &Options) -> Result<(), SimError> {
    check_alone(options)?;
    check_together(options)
}

fn check_alone(options: &Options) -> Result<(), SimError> {
    let utilization = options.gpu_memory_utilization;
    let rules = [
        (
            "--max-num-seqs",
            options.max_num_seqs >= 1,
            "it must be 1 or more",
        ),
        (
            "--max-num-batched-tokens",
            options.max_num_batched_tokens >= 1,
            "it must be 1 or more",
        ),
        (
            "--max-model-len",
            options.max_model_len >= 2,
            "it must be 2 or more",
        ),
        (
            "--gpu-memory-utilization",
            utilization > 0.0 && utilization <= 1.0,
            "it must be above 0 and at most 1",
        ),
        (
            "--block-size",
            [1, 8, 16, 32, 64, 128].contains(&options.block_size),
            "it must be 1, 8, 16, 32, 64 or 128",
        ),
        (
            "--tensor-parallel-size",
            options.tensor_parallel_size <= 8,
            "it must be 1, 2, 4 or 8: the machine has 8 devices",
        ),
        (
            "--tensor-parallel-size",
            [1, 2, 4, 8].contains(&options.tensor_parallel_size),
            "it must be 1, 2, 4 or 8: the model's 32 attention heads must be divisible by it",
        ),
        (
            "--noise",
            (0.0..=1.0).contains(&options.noise),
            "it must be between 0 and 1",
        ),
        (
            "--startup-seconds",
            is_span(options.startup_seconds),
            "it must be between 0 and 86400",
        ),
        (
            "--time-scale",
            is_span(options.time_scale),
            "it must be between 0 and 86400",
        ),
        (
            "--device-memory-gib",
            options.device_memory_gib > 0.0 && options.device_memory_gib <= 4096.0,
            "it must be above 0 and at most 4096",
        ),
    ];
    match rules.into_iter().find(|(_, holds, _)| !holds) {
        Some((flag, _, reason)) => Err(SimError::InvalidConfiguration {
            flag,
            reason: reason.to_owned(),
        }),
        None => Ok(()),
    }
}

fn is_span(seconds: f64) -> bool {
    (0.0..=86_400.0).contains(&seconds)
}

fn check_together(options: &Options) -> Result<(), SimError> {
    let budget = options.max_num_batched_tokens;
    if budget < options.max_num_seqs {
        let reason = format!(
            "{budget} is smaller than --max-num-seqs ({}); a step must hold one token of each sequence",
            options.max_num_seqs
        );
        return Err(SimError::InvalidConfiguration {
            flag: "--max-num-batched-tokens",
            reason,
        });
    }
    if !options.has_chunked_prefill() && budget < options.max_model_len {
        let reason = format!(
            "{budget} is smaller than --max-model-len ({}); without chunked prefill a step must hold the longest prompt",
            options.max_model_len
        );
        return Err(SimError::InvalidConfiguration {
            flag: "--max-num-batched-tokens",
            reason,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(change: impl FnOnce(&mut Options), expected: &str) {
        let mut options = Options::default();
        change(&mut options);
        let message = check(&options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn the_default_runs() {
        check(&Options::default()).unwrap();
    }

    #[test]
    fn values_out_of_range_are_named() {
        check_refused(|o| o.max_num_seqs = 0, "--max-num-seqs");
        check_refused(|o| o.max_num_batched_tokens = 0, "--max-num-batched-tokens");
        check_refused(|o| o.max_model_len = 1, "--max-model-len");
        check_refused(|o| o.gpu_memory_utilization = 1.2, "--gpu-memory-utilization");
        check_refused(|o| o.gpu_memory_utilization = 0.0, "--gpu-memory-utilization");
        check_refused(|o| o.block_size = 17, "--block-size");
        for size in [0, 3, 5, 6, 7] {
            check_refused(|o| o.tensor_parallel_size = size, "must be divisible by it");
        }
        check_refused(|o| o.tensor_parallel_size = 16, "the machine has 8 devices");
        check_refused(|o| o.noise = -0.1, "--noise");
        check_refused(|o| o.noise = f64::NAN, "--noise");
        check_refused(|o| o.startup_seconds = f64::INFINITY, "--startup-seconds");
        check_refused(|o| o.time_scale = -1.0, "--time-scale");
        check_refused(|o| o.device_memory_gib = 0.0, "--device-memory-gib");
    }

    #[test]
    fn flags_that_contradict_each_other_are_named() {
        check_refused(
            |o| o.max_num_seqs = 1024,
            "512 is smaller than --max-num-seqs (1024)",
        );
        check_refused(
            |o| o.no_enable_chunked_prefill = true,
            "512 is smaller than --max-model-len (4096)",
        );
    }
}
