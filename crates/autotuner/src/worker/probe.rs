//! What a local engine program says of itself: version and flags.

use std::process::Stdio;
use std::time::Duration;

use autotuner_core::engine::{Engine, LaunchPlan, Program};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// Longest time that a program may take to tell its version or its flags. Python engines
/// import for many seconds first.
const LONGEST_PROBE: Duration = Duration::from_secs(90);

/// What an engine program says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct EngineFacts {
    /// Its version, as it words it.
    pub(crate) version: Option<String>,
    /// The text of its `--help`.
    pub(crate) help: Option<String>,
}

/// Asks the plan's program. Whatever it does not tell stays unknown.
pub(crate) async fn probe(engine: &dyn Engine, plan: &LaunchPlan, cancel: &CancellationToken) -> EngineFacts {
    let Program::Local(program) = &plan.program else {
        return EngineFacts::default();
    };
    let version = match engine.version_args() {
        // Started without arguments, a program of the user's own might begin to serve.
        [] => None,
        args => output(program, plan, args, cancel).await,
    };
    let help = match engine.help_args() {
        Some(args) => output(program, plan, args, cancel).await,
        None => None,
    };
    EngineFacts {
        version: version.and_then(|text| engine.parse_version(&text)),
        help,
    }
}

/// Everything that the program prints when run with these arguments, both streams together.
async fn output(
    program: &str,
    plan: &LaunchPlan,
    args: &[&str],
    cancel: &CancellationToken,
) -> Option<String> {
    let running = Command::new(program)
        .args(args)
        .envs(&plan.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = tokio::select! {
        () = cancel.cancelled() => return None,
        output = tokio::time::timeout(LONGEST_PROBE, running) => output.ok()?.ok()?,
    };
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}
