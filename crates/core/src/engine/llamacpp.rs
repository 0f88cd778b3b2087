//! llama.cpp: `llama-server`.
//!
//! Most of its flags have a short form of one to five letters and no `=`: a value is always
//! the next argument. It runs on the CPU unless layers are put on GPUs.

use std::time::Duration;

use super::advice::Advice;
use super::assemble::{Recipe, assemble};
use super::dialect::{DashedValues, Dialect, FlagInfo, FlagKind, Spelling, flag};
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
    catalogue: CATALOGUE,
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
    ("b", "batch-size"),
    ("c", "ctx-size"),
    ("cb", "cont-batching"),
    ("cmoe", "cpu-moe"),
    ("cms", "checkpoint-min-step"),
    ("cram", "cache-ram"),
    ("ctk", "cache-type-k"),
    ("ctv", "cache-type-v"),
    ("ctxcp", "ctx-checkpoints"),
    ("swa-checkpoints", "ctx-checkpoints"),
    ("dev", "device"),
    ("dr", "docker-repo"),
    ("fa", "flash-attn"),
    ("fitc", "fit-ctx"),
    ("fitt", "fit-target"),
    ("gpu-layers", "n-gpu-layers"),
    ("h", "help"),
    ("usage", "help"),
    ("hf", "hf-repo"),
    ("hfr", "hf-repo"),
    ("kvo", "kv-offload"),
    ("kvu", "kv-unified"),
    ("lm", "load-mode"),
    ("lzm", "lazy-mode"),
    ("m", "model"),
    ("md", "model-draft"),
    ("spec-draft-model", "model-draft"),
    ("mg", "main-gpu"),
    ("mu", "model-url"),
    ("n", "n-predict"),
    ("predict", "n-predict"),
    ("ncmoe", "n-cpu-moe"),
    ("ngl", "n-gpu-layers"),
    ("nkvo", "no-kv-offload"),
    ("no-kvu", "no-kv-unified"),
    ("nocb", "no-cont-batching"),
    ("np", "parallel"),
    ("nr", "no-repack"),
    ("ot", "override-tensor"),
    ("s", "seed"),
    ("sm", "split-mode"),
    ("sps", "slot-prompt-similarity"),
    ("t", "threads"),
    ("tb", "threads-batch"),
    ("to", "timeout"),
    ("ts", "tensor-split"),
    ("ub", "ubatch-size"),
    ("ui", "webui"),
];

const CACHE_TYPES: &[&str] = &[
    "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1",
];

const CATALOGUE: &[FlagInfo] = &[
    flag(
        "threads",
        FlagKind::Integer,
        "-1: all cores",
        "CPU threads for decoding",
    ),
    flag(
        "threads-batch",
        FlagKind::Integer,
        "as threads",
        "CPU threads for prompts",
    ),
    flag(
        "parallel",
        FlagKind::Integer,
        "-1: automatic",
        "requests computed at once; they share ctx-size",
    ),
    flag(
        "ctx-size",
        FlagKind::Integer,
        "0: the model's own",
        "tokens of context, divided among the slots",
    ),
    flag(
        "batch-size",
        FlagKind::Integer,
        "2048",
        "most tokens handed over in one step",
    ),
    flag(
        "ubatch-size",
        FlagKind::Integer,
        "512",
        "most tokens computed at once",
    ),
    flag(
        "flash-attn",
        FlagKind::OnOff,
        "auto",
        "attention without the large intermediate matrix",
    ),
    flag(
        "cache-type-k",
        FlagKind::Choice(CACHE_TYPES),
        "f16",
        "type of the cache's keys",
    ),
    flag(
        "cache-type-v",
        FlagKind::Choice(CACHE_TYPES),
        "f16",
        "type of the cache's values",
    ),
    flag(
        "n-gpu-layers",
        FlagKind::Text,
        "auto",
        "layers kept on GPUs: a number, auto or all",
    ),
    flag(
        "split-mode",
        FlagKind::Choice(&["none", "layer", "row", "tensor"]),
        "layer",
        "how several GPUs share the model",
    ),
    flag("tensor-split", FlagKind::Text, "", "shares of the GPUs, like 3,1"),
    flag(
        "cont-batching",
        FlagKind::DefaultOn,
        "on",
        "let requests join a running batch",
    ),
    flag(
        "cache-prompt",
        FlagKind::DefaultOn,
        "on",
        "reuse the computed beginning of prompts",
    ),
    flag(
        "cache-reuse",
        FlagKind::Integer,
        "0",
        "smallest piece of a prompt reused by shifting",
    ),
    flag(
        "kv-unified",
        FlagKind::Toggle,
        "",
        "one key/value buffer for all slots",
    ),
    flag(
        "kv-offload",
        FlagKind::DefaultOn,
        "on",
        "keep the key/value cache on the GPU",
    ),
    flag(
        "context-shift",
        FlagKind::Toggle,
        "",
        "drop old tokens when the context is full",
    ),
    flag(
        "repack",
        FlagKind::DefaultOn,
        "on",
        "rearrange weights for the CPU at load",
    ),
    flag(
        "warmup",
        FlagKind::DefaultOn,
        "on",
        "compute once before the first request",
    ),
    flag(
        "mmap",
        FlagKind::DefaultOn,
        "on",
        "map the model file; older builds only",
    ),
    flag(
        "load-mode",
        FlagKind::Choice(&["auto", "none", "mmap", "mlock", "mmap+mlock", "dio"]),
        "auto",
        "how the model file is read; newer builds only",
    ),
    flag(
        "mlock",
        FlagKind::Switch,
        "off",
        "keep the model in memory; older builds only",
    ),
    flag(
        "fit",
        FlagKind::OnOff,
        "on",
        "fit what is not set into device memory",
    ),
    flag("cpu-strict", FlagKind::OneZero, "0", "bind threads to CPUs"),
    flag(
        "poll",
        FlagKind::Integer,
        "50",
        "how eagerly threads wait for work, 0 to 100",
    ),
    flag("metrics", FlagKind::Switch, "off", "serve figures at /metrics"),
    flag("webui", FlagKind::DefaultOn, "on", "serve the web page"),
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
