//! The simulated engine, `autotuner sim-engine`: the product's own program.
//!
//! Whoever runs the product puts its own path into `engine.program`, so that the engine is
//! of the same build. Its image is built by `scripts/sim-image.sh` and has the product as its entrypoint.

use std::time::Duration;

use super::advice::Advice;
use super::assemble::{Recipe, assemble};
use super::dialect::{DashedValues, Dialect, FlagInfo, FlagKind, Spelling, flag};
use super::files::Placed;
use super::{Arg, Engine, EngineKind, LaunchPlan, PlanRequest};
use crate::problem::Problem;

/// The engine; it has no state.
#[derive(Debug)]
pub(crate) struct Sim;

static RECIPE: Recipe = Recipe {
    kind: EngineKind::Sim,
    dialect: &DIALECT,
    program: "autotuner",
    first_arguments: &["sim-engine"],
    image: |_| Some("inference-autotuner/sim-engine:latest"),
    entrypoint: None,
    ready_paths: &["/health"],
    start_timeout: Duration::from_secs(60),
    has_hub: false,
    gpus: |_| Ok(0),
};

static DIALECT: Dialect = Dialect {
    catalogue: CATALOGUE,
    aliases: &[
        ("tp", "tensor-parallel-size"),
        ("tp-size", "tensor-parallel-size"),
    ],
    reserved: &[
        "host",
        "port",
        "model",
        "served-model-name",
        "api-key",
        "help",
        "version",
    ],
    reserved_variables: &[],
    spelling: Spelling::Dashes,
    dashed_values: DashedValues::Joined,
    abbreviates: false,
};

const CATALOGUE: &[FlagInfo] = &[
    flag(
        "max-num-seqs",
        FlagKind::Integer,
        "4",
        "most requests in one step",
    ),
    flag(
        "max-num-batched-tokens",
        FlagKind::Integer,
        "512",
        "most tokens in one step",
    ),
    flag(
        "gpu-memory-utilization",
        FlagKind::Number,
        "0.9",
        "share of the simulated memory that may be planned with",
    ),
    flag(
        "block-size",
        FlagKind::Integer,
        "16",
        "tokens in one block of the key/value cache",
    ),
    flag(
        "kv-cache-dtype",
        FlagKind::Choice(&["auto", "fp8"]),
        "auto",
        "type of the key/value cache",
    ),
    flag(
        "quantization",
        FlagKind::Choice(&["none", "fp8", "int8"]),
        "none",
        "type of the weights",
    ),
    flag(
        "enable-prefix-caching",
        FlagKind::DefaultOn,
        "on",
        "reuse the computed beginning of prompts",
    ),
    flag(
        "enable-chunked-prefill",
        FlagKind::DefaultOn,
        "on",
        "mix parts of long prompts with decoding",
    ),
    flag(
        "tensor-parallel-size",
        FlagKind::Integer,
        "1",
        "simulated devices that share the model",
    ),
    flag(
        "max-model-len",
        FlagKind::Integer,
        "4096",
        "longest prompt and answer together, in tokens",
    ),
    flag(
        "enforce-eager",
        FlagKind::Switch,
        "off",
        "start sooner, compute slower",
    ),
    flag(
        "noise",
        FlagKind::Number,
        "0.02",
        "how much a step's time varies, relative to its mean",
    ),
    flag(
        "time-scale",
        FlagKind::Number,
        "1",
        "multiplier of all simulated times",
    ),
    flag("seed", FlagKind::Integer, "0", "seed of words and noise"),
    flag("fault", FlagKind::Text, "", "what goes wrong on purpose"),
];

static ADVICE: Advice = Advice {
    device_memory: "lower gpu-memory-utilization or max-num-seqs",
    cache_memory: "raise gpu-memory-utilization, or lower max-num-batched-tokens, max-num-seqs or max-model-len",
    free_memory: "lower gpu-memory-utilization",
    host_memory: "raise resources.memory",
    precision: "use kv-cache-dtype auto and quantization none",
    parallel: "use tensor-parallel-size 1",
};

impl Engine for Sim {
    fn kind(&self) -> EngineKind {
        EngineKind::Sim
    }

    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>> {
        let model = request.model;
        let base = vec![
            "--host".into(),
            Arg::Host,
            "--port".into(),
            Arg::Port,
            "--model".into(),
            model.id_or_path.as_str().into(),
            "--served-model-name".into(),
            model.served_name.as_str().into(),
        ];
        let placed = Placed::by_name(&model.id_or_path);
        assemble(&RECIPE, request, placed, base, model.served_name.clone())
    }

    fn version_args(&self) -> &'static [&'static str] {
        &["--version"]
    }

    fn help_args(&self) -> Option<&'static [&'static str]> {
        Some(&["sim-engine", "--help"])
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn advice(&self) -> &'static Advice {
        &ADVICE
    }
}
