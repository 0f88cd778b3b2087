//! The presets that come with the product.
//!
//! The one idea: good first grids for the two engines most used on GPUs, wide on purpose; a
//! person takes lines away. A lone `null` names a flag that is worth knowing and is left to the
//! engine: either its default is best, or not every release has it.

use serde_json::{Value as Json, json};

use super::{Preset, ValueLists};
use crate::engine::EngineKind;

/// The presets, in the order in which they are listed.
pub fn seeded() -> Vec<Preset> {
    vec![
        preset(
            "vLLM Performance Tuning",
            "A wide first grid for vLLM: parallelism, memory, batching and caching",
            EngineKind::Vllm,
            &vllm(),
        ),
        preset(
            "SGLang Performance Tuning",
            "A wide first grid for SGLang: parallelism, memory, scheduling and kernels",
            EngineKind::Sglang,
            &sglang(),
        ),
    ]
}

fn preset(name: &str, description: &str, engine: EngineKind, parameters: &Json) -> Preset {
    Preset {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        category: Some("performance".to_owned()),
        engine: Some(engine),
        parameters: ValueLists::from_json(parameters, "parameters").expect("an object of lists, as below"),
        is_system: true,
        metadata: None,
    }
}

fn vllm() -> Json {
    json!({
        "tensor-parallel-size": [1, 2, 4],
        "pipeline-parallel-size": [1],
        "data-parallel-size": [1],
        "gpu-memory-utilization": [0.85, 0.9, 0.95],
        // The other eight-bit type is refused with many models and kernels.
        "kv-cache-dtype": ["auto", "fp8"],
        "block-size": [16, 32],
        // Without effect in the V1 engine.
        "swap-space": [null],
        "cpu-offload-gb": [0],
        "max-num-batched-tokens": [2048, 4096, 8192],
        "max-num-seqs": [64, 128, 256],
        "enable-chunked-prefill": [true],
        "max-num-partial-prefills": [1],
        "scheduling-policy": ["fcfs"],
        "enable-prefix-caching": [true, false],
        "enforce-eager": [false],
        "disable-sliding-window": [false],
        "quantization": [null],
        "dtype": ["auto"],
    })
}

fn sglang() -> Json {
    json!({
        "tp-size": [1, 2, 4],
        "dp-size": [1],
        "ep-size": [1],
        "mem-fraction-static": [0.85, 0.88, 0.92],
        "max-prefill-tokens": [8192, 16384],
        "max-running-requests": [64, 128, 256],
        "cuda-graph-max-bs": [128, 256],
        "page-size": [1],
        "schedule-conservativeness": [0.8, 1.0],
        "schedule-policy": ["fcfs", "lpm"],
        "chunked-prefill-size": [2048, 4096, 8192],
        "disable-radix-cache": [false],
        // The usual image's release does not have it yet.
        "radix-eviction-policy": [null],
        "attention-backend": ["flashinfer", "triton"],
        "sampling-backend": ["flashinfer"],
        "disable-cuda-graph": [false],
        "enable-torch-compile": [false],
        "enable-mixed-chunk": [true, false],
        "enable-dp-attention": [false],
        "triton-attention-num-kv-splits": [8],
        "moe-runner-backend": ["auto"],
        "moe-a2a-backend": ["none"],
        "disable-shared-experts-fusion": [false],
        "num-continuous-decode-steps": [1, 2],
        "stream-interval": [1],
        "kv-cache-dtype": ["auto", "fp8_e5m2"],
        "quantization": [null],
        "enable-fp32-lm-head": [false],
    })
}
