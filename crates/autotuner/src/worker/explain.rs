//! Why an engine failed, from how it ended and from what it wrote.

use std::time::Duration;

use autotuner_core::engine::diagnose_exit;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_deploy::{DeployError, Exit};

use super::site::Running;
use super::{Worker, chain};

/// Lines of the engine's output that a failure keeps.
const TAIL: usize = 100;

/// How long they may still take to be had when the end has been asked for.
const TAIL_PATIENCE: Duration = Duration::from_secs(1);

/// The failure of an engine that ended by itself.
pub(crate) fn exited(exit: &Exit, when: &str) -> Failure {
    let how = match (exit.code, exit.signal) {
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "for a reason that nobody told".into(),
    };
    let (kind, extra) = match diagnose_exit(exit.code, exit.signal) {
        _ if exit.out_of_memory => (
            FailureKind::OutOfMemory,
            ": its container ran out of the memory that it may have".to_owned(),
        ),
        Some((kind, text)) => (kind, format!(": {text}")),
        None => (FailureKind::EngineCrashed, String::new()),
    };
    Failure::new(kind, format!("the engine ended {when} {how}{extra}"))
}

/// The failure of an engine that was never started.
pub(crate) fn not_deployed(error: &DeployError) -> Failure {
    let kind = match error {
        DeployError::Cancelled => FailureKind::Cancelled,
        _ => FailureKind::Infrastructure,
    };
    let mut failure = Failure::new(kind, chain(error));
    let advice = match error {
        DeployError::TargetGone { .. } => Some("the experiment is tried again once it answers"),
        DeployError::Fetch { .. } => Some("fetch it by hand, with docker pull, and run the task again"),
        _ => remedy(error),
    };
    failure.advice = advice.map(str::to_owned);
    failure
}

/// What to do when an engine cannot be started, where it is known.
pub(crate) fn remedy(error: &DeployError) -> Option<&'static str> {
    Some(match error {
        DeployError::ProgramMissing { .. } | DeployError::NotExecutable { .. } => {
            "install the engine, or name its program in engine.program or its image in engine.image"
        }
        // These messages say what to do about the target itself.
        DeployError::ImageMissing { .. } => "check engine.image and runtime_image_tag",
        DeployError::Fetch { .. } => "or fetch it by hand: docker pull",
        DeployError::TargetGone { .. } => "or run the engine as a local process: deployment_mode: local",
        DeployError::Interrupted { .. } => "nothing to do: the experiment is tried again",
        DeployError::GpuRuntimeMissing { .. } => {
            "install the NVIDIA container toolkit (or the vendor's own), or set resources.gpus to 0"
        }
        DeployError::Limit { .. } => "leave it out, or ask for what this machine has",
        DeployError::PortTaken { .. } => "nothing to do: another port is chosen for the next attempt",
        DeployError::NotAllowed { .. } => "ask the operator to allow it in the configuration",
        DeployError::File { .. } => "check the disk's free space and the rights on that path",
        _ => return None,
    })
}

/// Adds the end of the engine's output to a failure, and what it says about the cause.
pub(super) async fn explain(worker: &Worker, running: &Running, mut failure: Failure) -> Failure {
    if matches!(failure.kind, FailureKind::Cancelled | FailureKind::EarlyAborted) {
        return failure;
    }
    // The engine knows nothing of who asked it too slowly.
    if failure.kind == FailureKind::ClientLimited {
        failure.advice = worker.engine.remedy(failure.kind).map(str::to_owned);
        return failure;
    }
    let tail = tokio::select! {
        tail = running.tail(TAIL) => tail,
        () = worker.given_up(TAIL_PATIENCE) => Ok(Vec::new()),
    };
    failure.log_tail = tail.unwrap_or_else(|error| vec![chain(&error)]);
    if let Some(diagnosis) = worker.engine.diagnose(&failure.log_tail) {
        // What the engine said outranks how it looked from outside, but a failure of the
        // world stays one: it says nothing of the candidate. So does what a container's
        // daemon knows of memory.
        if !matches!(
            failure.kind,
            FailureKind::Infrastructure | FailureKind::OutOfMemory
        ) {
            failure.kind = diagnosis.kind;
        }
        failure.message = format!("{}: {}", failure.message, diagnosis.evidence);
        failure.advice = diagnosis.advice.or(failure.advice);
    }
    if failure.advice.is_none() {
        failure.advice = worker.engine.remedy(failure.kind).map(str::to_owned);
    }
    failure
}
