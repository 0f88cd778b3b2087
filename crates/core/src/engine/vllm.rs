//! vLLM: `vllm serve`.
//!
//! Its flags are Python's argparse with `--x` and `--no-x` for every switch, so false can be
//! said. Its image has an entrypoint that changed between releases; the plan brings its own.

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
pub(crate) struct Vllm;

static RECIPE: Recipe = Recipe {
    kind: EngineKind::Vllm,
    dialect: &DIALECT,
    program: "vllm",
    first_arguments: &["serve"],
    // A release, so that a task means the same next month: later ones drop flags.
    image: |_| Some("vllm/vllm-openai:v0.11.0"),
    entrypoint: Some(&["vllm", "serve"]),
    ready_paths: &["/health", "/v1/models"],
    start_timeout: Duration::from_secs(1800),
    has_hub: true,
    gpus,
};

static DIALECT: Dialect = Dialect {
    catalogue: catalogue::VLLM,
    aliases: &[
        ("tensor-parallel", "tensor-parallel-size"),
        ("pipeline-parallel", "pipeline-parallel-size"),
        ("data-parallel", "data-parallel-size"),
        ("tp", "tensor-parallel-size"),
        ("tp-size", "tensor-parallel-size"),
        ("pp", "pipeline-parallel-size"),
        ("pp-size", "pipeline-parallel-size"),
        ("dp", "data-parallel-size"),
        ("dp-size", "data-parallel-size"),
        ("dpl", "data-parallel-size-local"),
        ("dpn", "data-parallel-rank"),
        ("dpr", "data-parallel-start-rank"),
        ("dpa", "data-parallel-address"),
        ("dpp", "data-parallel-rpc-port"),
        ("dpb", "data-parallel-backend"),
        ("dcp", "decode-context-parallel-size"),
        ("pcp", "prefill-context-parallel-size"),
        ("ep", "enable-expert-parallel"),
        ("q", "quantization"),
    ],
    reserved: &[
        "host",
        "port",
        "model",
        "model-tag",
        "served-model-name",
        "api-key",
        "uds",
        "ssl-keyfile",
        "ssl-certfile",
        "help",
        "version",
    ],
    reserved_variables: &["VLLM_API_KEY"],
    spelling: Spelling::Dashes,
    dashed_values: DashedValues::Joined,
    abbreviates: true,
};

static ADVICE: Advice = Advice {
    device_memory: "lower gpu-memory-utilization, max-num-seqs or max-num-batched-tokens, or raise tensor-parallel-size",
    cache_memory: "lower max-model-len, raise gpu-memory-utilization or tensor-parallel-size, or use kv-cache-dtype fp8",
    free_memory: "lower gpu-memory-utilization, or free the GPU of other processes",
    host_memory: "raise resources.memory, or lower cpu-offload-gb and swap-space",
    precision: "choose a dtype, quantization and kv-cache-dtype that this GPU and model support",
    parallel: "check the GPUs' connection, or try disable-custom-all-reduce or a smaller tensor-parallel-size",
};

/// Context parallelism while decoding lies inside tensor parallelism and takes no GPUs of its
/// own; while reading prompts, which newer versions have, it does. Experts are spread over the
/// GPUs that there are. With copies spread over machines, those of this machine count.
fn gpus(settled: &Settled) -> Result<u32, Problem> {
    if settled.get("device") == Some("cpu") {
        return Ok(0);
    }
    let copies = if settled.get("data-parallel-size-local").is_some() {
        "data-parallel-size-local"
    } else {
        "data-parallel-size"
    };
    settled.check_within("data-parallel-size-local", "data-parallel-size")?;
    let inside = ["tensor-parallel-size", "prefill-context-parallel-size"];
    settled.check_inside(&["decode-context-parallel-size"], &inside)?;
    let [tensor, prefill] = inside;
    settled.product(&[tensor, "pipeline-parallel-size", prefill, copies])
}

impl Engine for Vllm {
    fn kind(&self) -> EngineKind {
        EngineKind::Vllm
    }

    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>> {
        let (model, placed) = (request.model, files::place(request));
        let base = vec![
            placed.name.as_str().into(),
            "--host".into(),
            Arg::Host,
            "--port".into(),
            Arg::Port,
            "--served-model-name".into(),
            model.served_name.as_str().into(),
        ];
        assemble(&RECIPE, request, placed, base, model.served_name.clone())
    }

    fn version_args(&self) -> &'static [&'static str] {
        &["--version"]
    }

    fn help_args(&self) -> Option<&'static [&'static str]> {
        Some(&["serve", "--help=all"])
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn advice(&self) -> &'static Advice {
        &ADVICE
    }
}
