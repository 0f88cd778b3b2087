//! The last step before an engine runs: tie its life to ours.
//!
//! Only a process can ask the kernel to be killed when its parent dies, and only for itself.
//! So the engine is not started directly: our own program is, with a hidden subcommand that
//! ends here. It asks for the tie, makes itself the leader of a session of its own, and then
//! *becomes* the engine, under the same process id. It also asks to be the parent of whatever
//! its descendants orphan, and this outlives the becoming, too: a daemon that has shed its
//! session, its parent and its environment is still a child of the engine.
//!
//! The signal is SIGKILL. We are dead when it is sent, nobody is left to insist, and an
//! engine that takes its time over SIGTERM, or ignores it, would keep its GPU. The kernel
//! sends it to the engine's first process alone; what others it leaves behind are for
//! [`crate::sweep`].

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use nix::errno::Errno;
use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::Signal;
use nix::unistd::{getpgrp, getpid, getppid, setsid};

/// What the hidden subcommand does with its arguments: the process id of the parent, the
/// program, the program's own arguments. Returns only when the program could not be run,
/// with the exit code a shell would give: 127 when it is not there, else 126.
pub fn run_launcher(arguments: &[OsString]) -> ExitCode {
    let [parent, program, arguments @ ..] = arguments else {
        return complain(OsStr::new("the launcher"), &invalid("too few arguments"));
    };
    let Some(parent) = parent.to_str().and_then(|parent| parent.parse().ok()) else {
        return complain(program, &invalid("the first argument must be a process id"));
    };
    let error = guard_and_exec(parent, program, arguments);
    complain(program, &error)
}

/// Ties this process's life to its parent's and becomes `program`. Returns only on failure,
/// which has then been told to the deployer, too, if it is listening on our standard input.
pub fn guard_and_exec(parent_pid: i32, program: &OsStr, arguments: &[OsString]) -> io::Error {
    let report = duplicate_report_pipe();
    let error = match tie_to(parent_pid) {
        Ok(()) => Command::new(program).args(arguments).stdin(Stdio::null()).exec(),
        Err(error) => error,
    };
    if let Some(mut report) = report {
        // Nobody to tell is nobody to tell.
        let _ = write!(report, "{}", error.raw_os_error().unwrap_or(Errno::ESRCH as i32));
    }
    error
}

/// What the launcher had to say, from the other end of its standard input. Ends when the
/// launcher has become the program, which closes the pipe, or has failed.
pub(crate) fn read_report(mut pipe: impl Read) -> io::Result<()> {
    let mut text = String::new();
    pipe.read_to_string(&mut text)?;
    match text.parse() {
        Ok(code) => Err(io::Error::from_raw_os_error(code)),
        Err(_) if text.is_empty() => Ok(()),
        Err(_) => Err(invalid("the launcher said something that is no error code")),
    }
}

fn tie_to(parent_pid: i32) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // Only now can the answer no longer change unnoticed.
    if getppid().as_raw() != parent_pid {
        return Err(io::Error::from(Errno::ESRCH));
    }
    set_child_subreaper(true)?;
    match setsid() {
        Err(Errno::EPERM) if getpgrp() == getpid() => Ok(()),
        other => other.map(drop).map_err(io::Error::from),
    }
}

/// A second handle on standard input that closes by itself when this process becomes another
/// program. The pipe comes in that way because it is the one way in that needs no number to
/// be agreed upon.
fn duplicate_report_pipe() -> Option<File> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let is_pipe = file.metadata().ok()?.file_type().is_fifo();
    is_pipe.then_some(file)
}

fn complain(program: &OsStr, error: &io::Error) -> ExitCode {
    // Into the engine's log, where whoever misses the engine will look.
    let _ = writeln!(io::stderr(), "could not run {}: {error}", program.display());
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound {
        127
    } else {
        126
    })
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
