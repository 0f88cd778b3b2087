//! TensorRT-LLM: `trtllm-serve`.
//!
//! Its flags are written with underscores. Most versions cannot be told the name to serve a
//! model under: they take the last part of a directory's path, or the hub id as it is.

use std::time::Duration;

use super::advice::Advice;
use super::assemble::{Recipe, assemble};
use super::catalogue;
use super::dialect::{DashedValues, Dialect, Spelling};
use super::world::Settled;
use super::{Arg, Engine, EngineKind, LaunchPlan, PlanRequest, files};
use crate::problem::Problem;

/// The engine; it has no state.
#[derive(Debug)]
pub(crate) struct TensorRtLlm;

static RECIPE: Recipe = Recipe {
    kind: EngineKind::TensorRtLlm,
    dialect: &DIALECT,
    program: "trtllm-serve",
    first_arguments: &[],
    image: |_| Some("nvcr.io/nvidia/tensorrt-llm/release:1.0.0"),
    entrypoint: Some(&["trtllm-serve"]),
    ready_paths: &["/health", "/v1/models"],
    start_timeout: Duration::from_secs(1800),
    has_hub: true,
    gpus,
};

// Where a flag has two names, the older one: newer versions know both.
static DIALECT: Dialect = Dialect {
    catalogue: catalogue::TRTLLM,
    aliases: &[
        ("tp", "tp-size"),
        ("tensor-parallel-size", "tp-size"),
        ("pp", "pp-size"),
        ("pipeline-parallel-size", "pp-size"),
        ("cp", "cp-size"),
        ("context-parallel-size", "cp-size"),
        ("ep", "ep-size"),
        ("moe-expert-parallel-size", "ep-size"),
        ("moe-cluster-parallel-size", "cluster-size"),
        ("free-gpu-memory-fraction", "kv-cache-free-gpu-memory-fraction"),
        ("config", "extra-llm-api-options"),
    ],
    reserved: &[
        "host",
        "port",
        "model",
        "served-model-name",
        "api-key",
        "grpc",
        "help",
        "version",
    ],
    reserved_variables: &[],
    spelling: Spelling::Underscores,
    dashed_values: DashedValues::Joined,
    abbreviates: false,
};

static ADVICE: Advice = Advice {
    device_memory: "lower kv_cache_free_gpu_memory_fraction, max_batch_size or max_num_tokens, or raise tp_size",
    cache_memory: "lower max_seq_len, max_batch_size or max_num_tokens, or raise tp_size",
    free_memory: "free the GPU of other processes",
    host_memory: "raise resources.memory",
    precision: "choose a model and quantization that this GPU supports",
    parallel: "check the GPUs' connection, or try a smaller tp_size",
};

/// Experts are spread over the GPUs that share layers and context, and take none of their own.
fn gpus(settled: &Settled) -> Result<u32, Problem> {
    settled.check_inside(&["ep-size", "cluster-size"], &["tp-size", "cp-size"])?;
    settled.product(&["tp-size", "pp-size", "cp-size"])
}

/// The name under which versions without `--served_model_name` serve the model.
fn served_name(id_or_path: &str) -> String {
    let is_path = id_or_path.starts_with(['/', '.', '~']);
    let trimmed = id_or_path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        Some((_, last)) if is_path => last.to_owned(),
        _ => trimmed.to_owned(),
    }
}

impl Engine for TensorRtLlm {
    fn kind(&self) -> EngineKind {
        EngineKind::TensorRtLlm
    }

    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>> {
        let placed = files::place(request);
        let base = vec![
            placed.name.as_str().into(),
            "--host".into(),
            Arg::Host,
            "--port".into(),
            Arg::Port,
        ];
        let name = served_name(&placed.name);
        assemble(&RECIPE, request, placed, base, name)
    }

    /// It knows no `--version`, but tells its version whenever it is started.
    fn version_args(&self) -> &'static [&'static str] {
        &["serve", "--help"]
    }

    fn help_args(&self) -> Option<&'static [&'static str]> {
        Some(&["serve", "--help"])
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn advice(&self) -> &'static Advice {
        &ADVICE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_served_name_is_the_engines_own_choice() {
        let check = |model: &str, expected: &str| assert_eq!(served_name(model), expected, "{model}");
        check("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct");
        check("/models/qwen", "qwen");
        check("/models/qwen/", "qwen");
        check("./qwen", "qwen");
        check("qwen", "qwen");
    }
}
