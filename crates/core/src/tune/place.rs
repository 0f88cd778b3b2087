//! Where the engine will run, and what it will find there.

use super::{Hardware, Request};
use crate::engine::EngineKind;
use crate::gpu::{GpuDevice, GpuVendor};
use crate::problem::Problem;
use crate::spec::{ResourcesSpec, TaskSpec, memory_bytes};
use crate::task::DeploymentMode;

const GIB: u64 = 1 << 30;

/// Memory assumed where it is not known: a small machine's, a small GPU's.
const UNKNOWN_MEMORY: u64 = 8 * GIB;
const UNKNOWN_GPU_MEMORY: u64 = 16 * GIB;

/// The program of llama.cpp in its usual image.
const LLAMA_SERVER: &str = "/app/llama-server";

/// Parts of the names of GPUs that compute with eight-bit floating-point numbers: NVIDIA's
/// from compute capability 8.9 on, AMD's from MI300 on.
const FP8_NAMES: [&str; 19] = [
    "H100",
    "H200",
    "H800",
    "H20",
    "GH200",
    "B100",
    "B200",
    "B300",
    "GB10",
    "GB200",
    "GB300",
    "L40",
    "L4",
    "L20",
    "RTX 40",
    "RTX 50",
    "ADA",
    "BLACKWELL",
    "MI3",
];

/// What there is to compute with, as the choice of space and load needs it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Machine {
    /// GPUs that a configuration may use; 0 for the CPU alone.
    pub(super) gpus: u32,
    /// Memory of the smallest of them, in bytes.
    pub(super) gpu_memory_bytes: u64,
    /// Whether all of them are known to compute with eight-bit floating-point numbers.
    pub(super) has_fp8: bool,
    /// Whether one of them is AMD's.
    pub(super) has_amd: bool,
    /// Logical processors, at least 1.
    pub(super) cpus: u32,
    /// Memory in bytes.
    pub(super) memory_bytes: u64,
    /// Whether speed is only simulated, so that the hardware does not matter.
    pub(super) is_simulated: bool,
}

/// Whether the engine is meant for GPUs, so that having none must be said.
pub(super) fn wants_gpu(engine: EngineKind) -> bool {
    matches!(
        engine,
        EngineKind::Vllm | EngineKind::Sglang | EngineKind::TensorRtLlm
    )
}

/// Where engines run.
///
/// # Errors
/// What was asked for does not go together.
pub(super) fn deployment(
    request: &Request,
    engine: EngineKind,
    notes: &mut Vec<String>,
) -> Result<DeploymentMode, Problem> {
    if request.deployment == Some(DeploymentMode::Kubernetes) {
        return in_a_cluster(request, engine, notes);
    }
    let conflict = match (request.deployment, &request.image, &request.program) {
        (_, Some(_), Some(_)) => Some(("image", "an image is for docker and a program for local")),
        (Some(DeploymentMode::Local), Some(_), None) => {
            Some(("image", "the local mode starts a program, not an image"))
        }
        (Some(DeploymentMode::Docker), None, Some(_)) => {
            Some(("program", "only the local mode starts a program of this machine"))
        }
        _ => None,
    };
    if let Some((path, message)) = conflict {
        return Err(Problem::new(path, message).with_hint("leave one of them out"));
    }
    if let Some(mode) = request.deployment {
        return Ok(mode);
    }
    let (mode, why) = if request.program.is_some() {
        (DeploymentMode::Local, "a program was named")
    } else if request.image.is_some() {
        (DeploymentMode::Docker, "an image was named")
    } else if engine == EngineKind::Sim {
        (
            DeploymentMode::Local,
            "the simulated engine is part of this program",
        )
    } else if engine == EngineKind::LlamaCpp && request.programs_here.contains(&engine) {
        (DeploymentMode::Local, "its program is on PATH")
    } else if engine == EngineKind::LlamaCpp {
        (DeploymentMode::Docker, "its program is not on PATH")
    } else {
        (
            DeploymentMode::Docker,
            "that is how this engine is usually installed",
        )
    };
    notes.push(format!("{} mode, because {why}", mode.as_str()));
    Ok(mode)
}

/// In a cluster: the pod's command is an agent that starts the engine as its child, so the
/// engine's program must be known.
fn in_a_cluster(
    request: &Request,
    engine: EngineKind,
    notes: &mut Vec<String>,
) -> Result<DeploymentMode, Problem> {
    let is_open = engine == EngineKind::LlamaCpp && request.program.is_none();
    match (is_open, &request.image) {
        (true, Some(_)) => {
            let message = "in a cluster the engine's program inside of its image must be known";
            return Err(Problem::new("program", message)
                .with_hint("name what the image's entrypoint starts, such as /app/llama-server"));
        }
        (true, None) => notes.push(format!("the program {LLAMA_SERVER}, as in the usual image")),
        (false, _) => {}
    }
    Ok(DeploymentMode::Kubernetes)
}

/// The program that the document names.
pub(super) fn program(request: &Request, deployment: DeploymentMode, engine: EngineKind) -> Option<String> {
    let usual = deployment == DeploymentMode::Kubernetes && engine == EngineKind::LlamaCpp;
    request
        .program
        .clone()
        .or_else(|| usual.then(|| LLAMA_SERVER.to_owned()))
}

/// What the task is for: the hardware given, or what was asked for. Of a cluster only that is
/// known: this machine is none of its nodes.
///
/// # Errors
/// The engine needs a GPU, and there is none.
pub(super) fn machine(
    request: &Request,
    deployment: DeploymentMode,
    engine: EngineKind,
    notes: &mut Vec<String>,
) -> Result<Machine, Problem> {
    let is_here = deployment != DeploymentMode::Kubernetes;
    let hardware = match is_here {
        true => request.hardware.clone(),
        false => Hardware::default(),
    };
    let given = request.memory.as_deref().and_then(memory_bytes);
    let Hardware { gpus, .. } = &hardware;
    let memory_bytes = given.unwrap_or(hardware.memory_bytes);
    let cpus = request.cpus.map_or(hardware.cpus, whole_processors);
    let found = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
    let count = request.gpus.unwrap_or(found);
    let word = engine.as_str();
    if count == 0 && engine == EngineKind::TensorRtLlm {
        return Err(Problem::new("gpus", format!("{word} runs on GPUs alone"))
            .with_hint("say how many the task is for"));
    }
    if count == 0 && request.gpus.is_none() && wants_gpu(engine) {
        return Err(Problem::new(
            "gpus",
            match is_here {
                true => format!("{word} wants a GPU, and none was found on this machine"),
                false => format!("{word} wants a GPU, and what the cluster has is not looked at"),
            },
        )
        .with_hint(
            "say how many GPUs the task is for, or 0 for a build of the engine that runs on the CPU",
        ));
    }
    let used = &gpus[..gpus.len().min(usize::try_from(count).unwrap_or(usize::MAX))];
    let is_known = request.gpus.is_none_or(|asked| asked <= found) && !used.is_empty();
    let least_memory = used
        .iter()
        .map(|gpu| gpu.memory_bytes)
        .filter(|bytes| *bytes > 0)
        .min();
    let machine = Machine {
        gpus: count,
        gpu_memory_bytes: least_memory.unwrap_or(UNKNOWN_GPU_MEMORY),
        has_fp8: is_known && used.iter().all(has_fp8),
        has_amd: used.iter().any(|gpu| gpu.vendor == GpuVendor::Amd),
        cpus: cpus.max(1),
        memory_bytes: if memory_bytes == 0 {
            UNKNOWN_MEMORY
        } else {
            memory_bytes
        },
        is_simulated: engine == EngineKind::Sim,
    };
    notes.extend(describe(&machine, used, is_known));
    Ok(machine)
}

/// What is odd about a task on this machine: an image that needs a GPU where there is none,
/// and parallel sizes beyond the GPUs that the task is for.
///
/// # Errors
/// Every configuration needs more GPUs than that.
pub(super) fn doubts(
    spec: &TaskSpec,
    engine: EngineKind,
    machine: &Machine,
) -> Result<Vec<String>, Vec<Problem>> {
    let mut doubts = Vec::new();
    let has_usual_image = engine != EngineKind::Sim && spec.uses_usual_image();
    let word = engine.as_str();
    if has_usual_image && machine.gpus == 0 && wants_gpu(engine) {
        doubts.push(format!(
            "the usual image of {word} needs a GPU; name one that is built for CPUs with --image"
        ));
    }
    if has_usual_image && machine.has_amd {
        doubts.push(format!(
            "the usual image of {word} is for NVIDIA's GPUs; name one that is built for AMD's with --image"
        ));
    }
    if machine.gpus > 0 {
        // The same document with a limit tells what does not fit.
        let limited = TaskSpec {
            resources: Some(ResourcesSpec {
                gpus: Some(machine.gpus),
                ..ResourcesSpec::default()
            }),
            ..spec.clone()
        };
        let parsed = TaskSpec::from_value(&limited.to_value()).map_err(|problems| {
            let about_gpus = |problem: Problem| match problem.path.as_str() {
                "resources.gpus" => Problem {
                    path: "gpus".to_owned(),
                    hint: Some("tune for more, or lower the parallel sizes".to_owned()),
                    ..problem
                },
                _ => problem,
            };
            problems.into_iter().map(about_gpus).collect::<Vec<_>>()
        })?;
        let too_large = parsed
            .warnings
            .into_iter()
            .filter(|warning| warning.path == "resources.gpus");
        doubts.extend(too_large.map(|_| {
            format!(
                "some parallel sizes need more than {} GPUs; they fail where there are no more",
                machine.gpus
            )
        }));
    }
    Ok(doubts)
}

/// Whole processors of an amount of them.
fn whole_processors(cpus: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an amount of processors; what is none is refused with the document"
    )]
    let whole = cpus.floor().max(1.0) as u32;
    whole
}

fn has_fp8(gpu: &GpuDevice) -> bool {
    let name = gpu.name.to_uppercase();
    // Older ones, numbered like newer ones: Quadro RTX 4000.
    !name.contains("QUADRO") && FP8_NAMES.iter().any(|part| name.contains(part))
}

fn describe(machine: &Machine, used: &[GpuDevice], is_known: bool) -> Option<String> {
    if machine.is_simulated {
        return None;
    }
    let plural = |count: u32| if count == 1 { "" } else { "s" };
    Some(match (machine.gpus, used.first()) {
        (0, _) => format!("for {} CPU{} and no GPU", machine.cpus, plural(machine.cpus)),
        (count, Some(gpu)) if is_known => format!("for {count} GPU{}: {}", plural(count), gpu.name),
        (count, _) => format!("for {count} GPU{}, of whatever kind", plural(count)),
    })
}
