//! SGLang: `python3 -m sglang.launch_server`.
//!
//! Its switches have no negation: what is on by default is turned off by a flag of its own,
//! `--disable-x`. In local mode the program is a Python interpreter.

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
    catalogue: catalogue::SGLANG,
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
        ("speculative-draft-model", "speculative-draft-model-path"),
        ("nccl-init-addr", "dist-init-addr"),
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
