//! The simulated engine, `autotuner sim-engine`: the product's own program.
//!
//! Whoever runs the product puts its own path into `engine.program`, so that the engine is
//! of the same build. Its image is built by `scripts/sim-image.sh` and has the product as its entrypoint.

use std::time::Duration;

use super::advice::Advice;
use super::assemble::{Recipe, assemble};
use super::catalogue;
use super::dialect::{DashedValues, Dialect, Spelling};
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
    catalogue: catalogue::SIM,
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
