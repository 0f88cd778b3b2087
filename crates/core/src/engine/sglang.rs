//! SGLang: `python3 -m sglang.launch_server`.
//!
//! Its switches have no negation: what is on by default is turned off by a flag of its own,
//! `--disable-x`. In local mode the program is a Python interpreter.

use std::time::Duration;

use super::advice::Advice;
use super::assemble::{Recipe, assemble};
use super::dialect::{DashedValues, Dialect, FlagInfo, FlagKind, Spelling, flag};
use super::world::Settled;
use super::{Arg, Engine, EngineKind, LaunchPlan, PlanRequest, files};
use crate::problem::Problem;

/// The engine; it has no state.
#[derive(Debug)]
pub(crate) struct Sglang;

// Its model list answers before the warm-up is done, so only `/health` tells readiness.
static RECIPE: Recipe = Recipe {
    kind: EngineKind::Sglang,
    dialect: &DIALECT,
    program: "python3",
    first_arguments: &["-m", "sglang.launch_server"],
    image: |_| Some("lmsysorg/sglang:v0.5.2-cu126"),
    entrypoint: Some(&["python3", "-m", "sglang.launch_server"]),
    ready_paths: &["/health"],
    start_timeout: Duration::from_secs(1800),
    has_hub: true,
    gpus,
};

static DIALECT: Dialect = Dialect {
    catalogue: CATALOGUE,
    aliases: &[
        ("tensor-parallel", "tp-size"),
        ("pipeline-parallel", "pp-size"),
        ("data-parallel", "dp-size"),
        ("tp", "tp-size"),
        ("tensor-parallel-size", "tp-size"),
        ("pp", "pp-size"),
        ("pipeline-parallel-size", "pp-size"),
        ("dp", "dp-size"),
        ("data-parallel-size", "dp-size"),
        ("ep", "ep-size"),
        ("expert-parallel-size", "ep-size"),
    ],
    reserved: &[
        "host",
        "port",
        "model-path",
        "model",
        "served-model-name",
        "api-key",
        "admin-api-key",
        "ssl-keyfile",
        "ssl-certfile",
        "help",
        "version",
    ],
    reserved_variables: &[],
    spelling: Spelling::Dashes,
    dashed_values: DashedValues::Joined,
    abbreviates: true,
};

const CATALOGUE: &[FlagInfo] = &[
    flag("tp-size", FlagKind::Integer, "1", "GPUs that share every layer"),
    flag(
        "pp-size",
        FlagKind::Integer,
        "1",
        "groups of GPUs that share the layers in turn",
    ),
    flag(
        "dp-size",
        FlagKind::Integer,
        "1",
        "copies of the model, each with its own GPUs",
    ),
    flag(
        "ep-size",
        FlagKind::Integer,
        "1",
        "GPUs over which a mixture's experts are spread",
    ),
    flag(
        "mem-fraction-static",
        FlagKind::Number,
        "",
        "share of GPU memory for weights and key/value cache",
    ),
    flag(
        "context-length",
        FlagKind::Integer,
        "the model's own",
        "longest prompt and answer together, in tokens",
    ),
    flag(
        "max-running-requests",
        FlagKind::Integer,
        "",
        "most requests computed at once",
    ),
    flag(
        "max-prefill-tokens",
        FlagKind::Integer,
        "16384",
        "most prompt tokens computed in one step",
    ),
    flag(
        "chunked-prefill-size",
        FlagKind::Integer,
        "",
        "most tokens of a prompt computed at once; -1 for all",
    ),
    flag(
        "schedule-conservativeness",
        FlagKind::Number,
        "1.0",
        "how carefully new requests are let in",
    ),
    flag(
        "schedule-policy",
        FlagKind::Choice(&["lpm", "random", "fcfs", "dfs-weight"]),
        "fcfs",
        "which waiting request goes next",
    ),
    flag(
        "page-size",
        FlagKind::Integer,
        "1",
        "tokens in one page of the key/value cache",
    ),
    flag(
        "cuda-graph-max-bs",
        FlagKind::Integer,
        "",
        "largest batch for which a CUDA graph is captured",
    ),
    flag(
        "cuda-graph-bs",
        FlagKind::List,
        "",
        "batch sizes for which CUDA graphs are captured",
    ),
    flag(
        "kv-cache-dtype",
        FlagKind::Choice(&["auto", "fp8_e5m2", "fp8_e4m3"]),
        "auto",
        "type of the key/value cache",
    ),
    flag(
        "attention-backend",
        FlagKind::Text,
        "",
        "which attention kernels are used",
    ),
    flag(
        "disable-radix-cache",
        FlagKind::Switch,
        "off",
        "do not reuse the computed beginning of prompts",
    ),
    flag(
        "disable-cuda-graph",
        FlagKind::Switch,
        "off",
        "compute without captured CUDA graphs",
    ),
    flag(
        "disable-overlap-schedule",
        FlagKind::Switch,
        "off",
        "do not plan while the GPU computes",
    ),
    flag(
        "disable-custom-all-reduce",
        FlagKind::Switch,
        "off",
        "sum across GPUs with NCCL alone",
    ),
    flag(
        "enable-mixed-chunk",
        FlagKind::Switch,
        "off",
        "mix parts of long prompts with decoding",
    ),
    flag(
        "enable-dp-attention",
        FlagKind::Switch,
        "off",
        "split attention by requests, all else as tp-size says",
    ),
    flag(
        "enable-torch-compile",
        FlagKind::Switch,
        "off",
        "compile the model; starts much later",
    ),
    flag(
        "trust-remote-code",
        FlagKind::Switch,
        "off",
        "run code that comes with the model",
    ),
];

static ADVICE: Advice = Advice {
    device_memory: "lower mem-fraction-static, cuda-graph-max-bs or chunked-prefill-size, or raise tp-size",
    cache_memory: "raise mem-fraction-static or tp-size: weights left no room for the key/value cache",
    free_memory: "free the GPUs of other processes, so that all have about the same memory free",
    host_memory: "raise resources.memory, or lower cpu-offload-gb and hicache-size",
    precision: "choose a dtype, quantization and kv-cache-dtype that this GPU and model support",
    parallel: "check the GPUs' connection, or try enable-p2p-check, disable-custom-all-reduce or a smaller tp-size",
};

/// With data-parallel attention the copies lie inside tensor parallelism, as experts always do.
fn gpus(settled: &Settled) -> Result<u32, Problem> {
    if settled.get("device") == Some("cpu") {
        return Ok(0);
    }
    settled.check_inside(&["ep-size"], &["tp-size"])?;
    if settled.is_on("enable-dp-attention") {
        settled.check_inside(&["dp-size"], &["tp-size"])?;
        return settled.product(&["tp-size", "pp-size"]);
    }
    settled.product(&["tp-size", "pp-size", "dp-size"])
}

impl Engine for Sglang {
    fn kind(&self) -> EngineKind {
        EngineKind::Sglang
    }

    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>> {
        let (model, placed) = (request.model, files::place(request));
        let base = vec![
            "--model-path".into(),
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
        &["-c", "import sglang; print(sglang.__version__)"]
    }

    fn help_args(&self) -> Option<&'static [&'static str]> {
        Some(&["-m", "sglang.launch_server", "--help"])
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn advice(&self) -> &'static Advice {
        &ADVICE
    }
}
