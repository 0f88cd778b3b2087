//! The simulated engine's flags, as its own program declares them.

use super::FlagKind::*;
use super::{FlagInfo, catalogue};

pub(in crate::engine) const CATALOGUE: &[FlagInfo] = catalogue! {
    Memory {
        "gpu-memory-utilization", Number, "0.9", "share of the simulated memory that may be planned with", above(0.0), to(1.0), common(), numbers(&[0.8, 0.9, 0.95]);
        "max-model-len", Integer, "4096", "longest prompt and answer together, in tokens", from(1.0), integers(&[2048, 4096]);
        "device-memory-gib", Number, "24", "memory of one simulated device, in GiB", above(0.0);
    }
    Batching {
        "max-num-seqs", Integer, "4", "most requests in one step", from(1.0), common(), integers(&[4, 8, 16, 32, 64]);
        "max-num-batched-tokens", Integer, "512", "most tokens in one step", from(1.0), common(), integers(&[256, 512, 1024, 2048]);
        "enable-chunked-prefill", DefaultOn, "on", "mix parts of long prompts with decoding", common(), both();
    }
    Parallel {
        "tensor-parallel-size", Choice(&["1", "2", "4", "8"]), "1", "simulated devices that share the model", common(), integers(&[1, 2, 4]);
    }
    Cache {
        "enable-prefix-caching", DefaultOn, "on", "reuse the computed beginning of prompts", common(), both();
        "block-size", Integer, "16", "tokens in one block of the key/value cache", from(1.0), common(), integers(&[8, 16, 32]);
        "kv-cache-dtype", Choice(&["auto", "fp8"]), "auto", "type of the key/value cache", common(), texts(&["auto", "fp8"]);
    }
    Kernels {
        "enforce-eager", Switch, "off", "start sooner, compute slower", both();
    }
    Quantization {
        "quantization", Choice(&["none", "fp8", "int8"]), "none", "type of the weights", common(), texts(&["none", "fp8", "int8"]);
    }
    Loading {
        "startup-seconds", Number, "0.3", "how long loading takes, in seconds", from(0.0);
    }
    Serving {
        "noise", Number, "0.02", "how much a step's time varies, relative to its mean", from(0.0);
        "time-scale", Number, "1", "multiplier of all simulated times", above(0.0);
        "seed", Integer, "0", "seed of words and noise", from(0.0);
        "fault", Text, "", "what goes wrong on purpose";
        "log-level", Choice(&["off", "error", "info", "debug"]), "info", "how much is told on standard error";
    }
};
