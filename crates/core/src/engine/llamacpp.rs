//! llama.cpp: `llama-server`.
//!
//! Most of its flags have a short form of one to five letters and no `=`: a value is always
//! the next argument. It runs on the CPU unless layers are put on GPUs.

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
pub(crate) struct LlamaCpp;

// In some builds the model list answers while the model is still loading, so only `/health`
// tells readiness.
// The image's program is not on the search path, so its own entrypoint stays.
static RECIPE: Recipe = Recipe {
    kind: EngineKind::LlamaCpp,
    dialect: &DIALECT,
    program: "llama-server",
    first_arguments: &[],
    image: |gpus| {
        Some(if gpus == 0 {
            "ghcr.io/ggml-org/llama.cpp:server"
        } else {
            "ghcr.io/ggml-org/llama.cpp:server-cuda"
        })
    },
    entrypoint: None,
    ready_paths: &["/health"],
    start_timeout: Duration::from_secs(600),
    has_hub: true,
    gpus,
};

static DIALECT: Dialect = Dialect {
    catalogue: catalogue::LLAMACPP,
    aliases: ALIASES,
    reserved: &[
        "host",
        "port",
        "model",
        "model-url",
        "hf-repo",
        "docker-repo",
        "alias",
        "api-key",
        "api-key-file",
        "api-prefix",
        "ssl-key-file",
        "ssl-cert-file",
        "help",
        "version",
        "cache-list",
        "completion-bash",
        "list-devices",
        "models-dir",
        "models-preset",
        "embd-gemma-default",
        "fim-qwen-1.5b-default",
        "fim-qwen-3b-default",
        "fim-qwen-7b-default",
        "fim-qwen-7b-spec",
        "fim-qwen-14b-spec",
        "fim-qwen-30b-default",
        "gpt-oss-20b-default",
        "gpt-oss-120b-default",
        "vision-gemma-4b-default",
        "vision-gemma-12b-default",
    ],
    reserved_variables: &[
        "LLAMA_API_KEY",
        "LLAMA_ARG_API_PREFIX",
        "LLAMA_ARG_HOST",
        "LLAMA_ARG_PORT",
        "LLAMA_ARG_MODEL",
        "LLAMA_ARG_ALIAS",
    ],
    spelling: Spelling::Dashes,
    dashed_values: DashedValues::NumbersOnly,
    abbreviates: false,
};

const ALIASES: &[(&str, &str)] = &[
    ("a", "alias"),
    ("bs", "backend-sampling"),
    ("b", "batch-size"),
    ("cl", "cache-list"),
    ("cram", "cache-ram"),
    ("ctk", "cache-type-k"),
    ("ctkd", "cache-type-k-draft"),
    ("spec-draft-type-k", "cache-type-k-draft"),
    ("ctv", "cache-type-v"),
    ("ctvd", "cache-type-v-draft"),
    ("spec-draft-type-v", "cache-type-v-draft"),
    ("cms", "checkpoint-min-step"),
    ("cb", "cont-batching"),
    ("nocb", "no-cont-batching"),
    ("C", "cpu-mask"),
    ("Cb", "cpu-mask-batch"),
    ("Cbd", "cpu-mask-batch-draft"),
    ("spec-draft-cpu-mask-batch", "cpu-mask-batch-draft"),
    ("Cd", "cpu-mask-draft"),
    ("spec-draft-cpu-mask", "cpu-mask-draft"),
    ("cmoe", "cpu-moe"),
    ("cmoed", "cpu-moe-draft"),
    ("spec-draft-cpu-moe", "cpu-moe-draft"),
    ("Cr", "cpu-range"),
    ("Crb", "cpu-range-batch"),
    ("Crd", "cpu-range-draft"),
    ("spec-draft-cpu-range", "cpu-range-draft"),
    ("spec-draft-cpu-strict-batch", "cpu-strict-batch-draft"),
    ("spec-draft-cpu-strict", "cpu-strict-draft"),
    ("ctxcp", "ctx-checkpoints"),
    ("swa-checkpoints", "ctx-checkpoints"),
    ("c", "ctx-size"),
    ("dt", "defrag-thold"),
    ("dev", "device"),
    ("devd", "device-draft"),
    ("spec-draft-device", "device-draft"),
    ("dr", "docker-repo"),
    ("draft", "draft-max"),
    ("draft-n", "draft-max"),
    ("draft-n-min", "draft-min"),
    ("spec-draft-p-min", "draft-p-min"),
    ("spec-draft-p-split", "draft-p-split"),
    ("embeddings", "embedding"),
    ("e", "escape"),
    ("fitc", "fit-ctx"),
    ("fitt", "fit-target"),
    ("fa", "flash-attn"),
    ("h", "help"),
    ("usage", "help"),
    ("hff", "hf-file"),
    ("hf", "hf-repo"),
    ("hfr", "hf-repo"),
    ("hfd", "hf-repo-draft"),
    ("hfrd", "hf-repo-draft"),
    ("spec-draft-hf", "hf-repo-draft"),
    ("hft", "hf-token"),
    ("j", "json-schema"),
    ("jf", "json-schema-file"),
    ("kvo", "kv-offload"),
    ("nkvo", "no-kv-offload"),
    ("kvu", "kv-unified"),
    ("no-kvu", "no-kv-unified"),
    ("lzm", "lazy-mode"),
    ("lm", "load-mode"),
    ("l", "logit-bias"),
    ("lcd", "lookup-cache-dynamic"),
    ("lcs", "lookup-cache-static"),
    ("mg", "main-gpu"),
    ("mm", "mmproj"),
    ("no-mmproj", "no-mmproj-auto"),
    ("mmdev", "mmproj-device"),
    ("mmu", "mmproj-url"),
    ("m", "model"),
    ("md", "model-draft"),
    ("spec-draft-model", "model-draft"),
    ("mu", "model-url"),
    ("ncffn", "n-cpu-ffn"),
    ("ncmoe", "n-cpu-moe"),
    ("ncmoed", "n-cpu-moe-draft"),
    ("spec-draft-n-cpu-moe", "n-cpu-moe-draft"),
    ("spec-draft-ncmoe", "n-cpu-moe-draft"),
    ("gpu-layers", "n-gpu-layers"),
    ("ngl", "n-gpu-layers"),
    ("gpu-layers-draft", "n-gpu-layers-draft"),
    ("ngld", "n-gpu-layers-draft"),
    ("spec-draft-ngl", "n-gpu-layers-draft"),
    ("n", "n-predict"),
    ("predict", "n-predict"),
    ("ot", "override-tensor"),
    ("otd", "override-tensor-draft"),
    ("spec-draft-override-tensor", "override-tensor-draft"),
    ("np", "parallel"),
    ("spec-draft-poll-batch", "poll-batch-draft"),
    ("spec-draft-poll", "poll-draft"),
    ("spec-draft-prio-batch", "prio-batch-draft"),
    ("spec-draft-prio", "prio-draft"),
    ("rea", "reasoning"),
    ("nr", "no-repack"),
    ("reranking", "rerank"),
    ("r", "reverse-prompt"),
    ("sampling-seq", "sampler-seq"),
    ("s", "seed"),
    ("sps", "slot-prompt-similarity"),
    ("sp", "special"),
    ("sm", "split-mode"),
    ("temp", "temperature"),
    ("ts", "tensor-split"),
    ("t", "threads"),
    ("tb", "threads-batch"),
    ("spec-draft-threads-batch", "threads-batch-draft"),
    ("tbd", "threads-batch-draft"),
    ("spec-draft-threads", "threads-draft"),
    ("td", "threads-draft"),
    ("to", "timeout"),
    ("top-nsigma", "top-n-sigma"),
    ("typical", "typical-p"),
    ("ub", "ubatch-size"),
    ("webui-config", "ui-config"),
    ("webui-config-file", "ui-config-file"),
    ("log-verbose", "verbose"),
    ("v", "verbose"),
    ("log-verbosity", "verbosity"),
    ("lv", "verbosity"),
    ("ui", "webui"),
];

static ADVICE: Advice = Advice {
    device_memory: "lower n-gpu-layers, ctx-size, parallel or ubatch-size, or use a smaller cache-type-k and cache-type-v",
    cache_memory: "lower ctx-size or parallel, or use a smaller cache-type-k and cache-type-v",
    free_memory: "lower n-gpu-layers, or free the GPU of other processes",
    host_memory: "raise resources.memory, lower ctx-size, parallel or batch-size, or use a smaller model",
    precision: "a quantized cache-type-v needs flash-attn on; else choose types that this build supports",
    parallel: "try split-mode layer, or fewer GPUs",
};

/// None without layers on GPUs. Then those that get a share, else those named, else one.
fn gpus(settled: &Settled) -> Result<u32, Problem> {
    let has_no_layers = settled.get("n-gpu-layers").is_none_or(|layers| layers == "0");
    if has_no_layers || settled.get("device") == Some("none") {
        return Ok(0);
    }
    if settled.get("split-mode") == Some("none") {
        return Ok(1);
    }
    let shares = |list: &str| {
        list.split([',', '/'])
            .filter(|share| share.trim().parse() != Ok(0.0))
            .count()
    };
    let count = match (settled.get("tensor-split"), settled.get("device")) {
        (Some(split), _) => shares(split),
        (None, Some(devices)) => devices.split(',').count(),
        (None, None) => 1,
    };
    Ok(u32::try_from(count).unwrap_or(u32::MAX).max(1))
}

/// A file, or a hub's repository: `owner/name`, with a quantization after a colon if wanted.
fn model_argument(id_or_path: &str) -> &'static str {
    let is_path = id_or_path.starts_with(['/', '.', '~']) || id_or_path.ends_with(".gguf");
    if !is_path && id_or_path.matches('/').count() == 1 {
        "--hf-repo"
    } else {
        "--model"
    }
}

impl Engine for LlamaCpp {
    fn kind(&self) -> EngineKind {
        EngineKind::LlamaCpp
    }

    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>> {
        let (model, placed) = (request.model, files::place(request));
        let base = vec![
            model_argument(&placed.name).into(),
            placed.name.as_str().into(),
            "--host".into(),
            Arg::Host,
            "--port".into(),
            Arg::Port,
            "--alias".into(),
            model.served_name.as_str().into(),
        ];
        assemble(&RECIPE, request, placed, base, model.served_name.clone())
    }

    fn version_args(&self) -> &'static [&'static str] {
        &["--version"]
    }

    fn help_args(&self) -> Option<&'static [&'static str]> {
        Some(&["--help"])
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn advice(&self) -> &'static Advice {
        &ADVICE
    }
}
