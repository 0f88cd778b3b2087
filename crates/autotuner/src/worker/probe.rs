//! What a local engine program says of itself: version and flags.

use std::process::Stdio;
use std::time::Duration;

use autotuner_core::engine::{Engine, LaunchPlan, Program};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

/// Longest time that a program may take to tell its version or its flags. Python engines
/// import for many seconds first.
const LONGEST_PROBE: Duration = Duration::from_secs(90);

/// Longest time from a program's last word, or from its being killed, to its end.
const LONGEST_END: Duration = Duration::from_secs(10);

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
/// Cut short, the program and what it has started are gone before this returns.
async fn output(
    program: &str,
    plan: &LaunchPlan,
    args: &[&str],
    cancel: &CancellationToken,
) -> Option<String> {
    let mut child = Command::new(program)
        .args(args)
        .envs(&plan.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    let streams = (child.stdout.take()?, child.stderr.take()?);
    let told = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        told = tokio::time::timeout(LONGEST_PROBE, read_both(streams)) => told.ok(),
    };
    if told.is_none()
        && let Some(group) = group
    {
        // Not yet waited for, so the number is still the group's. It may have ended by itself.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    // What closes its streams and lives on is killed when `child` is dropped.
    let ended = tokio::time::timeout(LONGEST_END, child.wait()).await;
    ended.ok()?.ok()?;
    told
}

/// Both streams to their ends; one that breaks counts as far as it got.
async fn read_both((mut stdout, mut stderr): (ChildStdout, ChildStderr)) -> String {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let _ = tokio::join!(stdout.read_to_end(&mut first), stderr.read_to_end(&mut second));
    String::from_utf8_lossy(&[first, second].concat()).into_owned()
}
