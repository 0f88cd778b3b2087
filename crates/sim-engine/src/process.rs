//! What an engine does to the process it is, on demand: children that run away, memory that is
//! really taken, deaths by signal.
//!
//! The one idea: these are the manners that only a real process can have, so an engine inside
//! another process (a test) never gets here. Everything is bounded, so that a check which
//! fails to clean up leaves nothing for long.

use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, raise};
use nix::unistd::{Pid, getpgid, setsid};

use crate::SimError;
use crate::journal::Journal;

/// How long a runaway child lives if nobody ends it.
const RUNAWAY: Duration = Duration::from_secs(600);
/// How long starting a runaway child may take.
const MOST_START: Duration = Duration::from_secs(10);
/// Memory that is taken in one go, between which others get their turn.
const BITE: usize = 16 * 1024 * 1024;
/// What is written to that memory, again and again.
static MORSEL: [u8; 64 * 1024] = [1; 64 * 1024];
const MEBIBYTE: u64 = 1024 * 1024;

/// Starts this very program once more as a runaway child, and waits until it has left our
/// group and session.
pub(crate) async fn start_runaway(journal: Journal) -> Result<(), SimError> {
    let failed = |source| SimError::StartChild { source };
    let mut arguments = std::env::args_os();
    arguments.next();
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(arguments)
        .args(["--fault", "runaway-child"])
        .stdin(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let left = tokio::time::timeout(MOST_START, async {
        while getpgid(Some(pid)).is_ok_and(|group| group != pid) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    if left.await.is_err() {
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "it did not leave our group");
        return Err(failed(late));
    }
    if let Some(status) = child.try_wait().map_err(failed)? {
        return Err(failed(std::io::Error::other(format!(
            "it ended at once: {status}"
        ))));
    }
    journal.info(format_args!("started a worker process: {pid}"));
    Ok(())
}

/// Is the runaway child. Whoever runs an engine as a process listens to SIGTERM already, so
/// not looking at what was heard is all it takes.
pub(crate) async fn run_away() {
    // It fails only for the leader of a group, which a child of ours is not.
    let _ = setsid();
    tokio::time::sleep(RUNAWAY).await;
}

/// Memory of this machine that was really taken; dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Ballast {
    _bites: Vec<Vec<u8>>,
}

/// Takes so many MiB of this machine's memory and writes to every page of it.
pub(crate) async fn eat_memory(mebibytes: u64, journal: Journal) -> Result<Ballast, SimError> {
    journal.info(format_args!("taking {mebibytes} MiB of host memory"));
    let mut left = mebibytes.saturating_mul(MEBIBYTE);
    let mut bites = Vec::new();
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(BITE);
        let mut bite: Vec<u8> = Vec::new();
        bite.try_reserve_exact(size)
            .map_err(|source| SimError::HostMemory { mebibytes, source })?;
        // Not zeros, which some allocators give without touching a page.
        while bite.len() < size {
            bite.extend_from_slice(&MORSEL[..MORSEL.len().min(size - bite.len())]);
        }
        bites.push(bite);
        left -= size as u64;
        tokio::task::yield_now().await;
    }
    Ok(Ballast { _bites: bites })
}

/// Dies by this signal, without a core file.
pub(crate) fn die_by(signal: Signal) -> ! {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    // The first SIGSEGV only makes the standard library's own handler step aside.
    for _ in 0..2 {
        let _ = raise(signal);
    }
    std::process::abort()
}
