//! Why an engine could not be started, asked or stopped.
//!
//! One enum for every target. A variant says what was being done; the cause beneath it is
//! its `source`. It does not say what to make of a failure: that is the worker's judgement.

use std::path::{Path, PathBuf};

/// Why an engine could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The program is not there.
    #[error("program {program} not found{searched}")]
    ProgramMissing {
        /// What was asked for.
        program: String,
        /// Where it was looked for, as text to follow, or empty.
        searched: String,
    },
    /// The program is there and may not be run.
    #[error("{} is not a program that may be run: check its permissions", path.display())]
    NotExecutable {
        /// Which file.
        path: PathBuf,
    },
    /// The plan is for another kind of target.
    #[error("a plan for {wanted} cannot be started by the {target} deployer")]
    WrongTarget {
        /// What the plan needs.
        wanted: &'static str,
        /// What this deployer is.
        target: &'static str,
    },
    /// The program could not be started.
    #[error("could not start {program}")]
    Start {
        /// What was started.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No free port was found.
    #[error("could not reserve a port")]
    ReservePort(#[source] std::io::Error),
    /// A file of ours could not be read or written.
    #[error("could not {action} {}", path.display())]
    File {
        /// What was being done: `write`, `read`.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The list of processes could not be read.
    #[error("could not read the list of processes")]
    ListProcesses(#[source] std::io::Error),
    /// The name does not do as a name of an instance.
    #[error("{name:?} cannot name an instance: use 1 to 64 letters, digits, '-' or '_'")]
    InstanceName {
        /// Which name.
        name: String,
    },
    /// Another living process of ours goes by this name.
    #[error("instance {name} is already running")]
    InstanceTaken {
        /// Which name.
        name: String,
    },
    /// A dead process of ours went by this name and left engines on record.
    #[error("instance {name} has engines on record from before: sweep them first")]
    InstanceUnswept {
        /// Which name.
        name: String,
    },
    /// The engine is still there after all we may do.
    #[error("engine {id} could not be stopped")]
    StillRunning {
        /// Which one.
        id: String,
    },
    /// The deployer is shutting down and starts nothing more.
    #[error("the deployer is shutting down")]
    ShuttingDown,
    /// It was given up because somebody asked for that.
    #[error("cancelled")]
    Cancelled,
    /// The image is neither here nor where it is fetched from.
    #[error("image {image} is not here and could not be found: {message}")]
    ImageMissing {
        /// Which one.
        image: String,
        /// What the target said.
        message: String,
    },
    /// The image is there and could not be fetched: no network, no rights, no space.
    #[error("image {image} could not be fetched: {message}")]
    Fetch {
        /// Which one.
        image: String,
        /// What the target said.
        message: String,
    },
    /// The target does not answer: a daemon that is not running, or may not be asked.
    #[error("{target} does not answer: {message}")]
    TargetGone {
        /// Which one, with its address: `the Docker daemon at unix:///var/run/docker.sock`.
        target: String,
        /// Why, and what to do.
        message: String,
    },
    /// The target was interrupted while the engine ran, so what was measured is disturbed.
    #[error("{target} was interrupted: {message}")]
    Interrupted {
        /// Which one.
        target: String,
        /// What was seen.
        message: String,
    },
    /// The target answered, and would not do it.
    #[error("could not {action}: {message}")]
    Refused {
        /// What was being done.
        action: &'static str,
        /// What the target said.
        message: String,
    },
    /// A limit is wanted that the target cannot set.
    #[error("{option} cannot be kept here: {message}")]
    Limit {
        /// Which option of a task it is: `resources.cpus`.
        option: &'static str,
        /// Why not.
        message: String,
    },
    /// GPUs are wanted, and the target has no way to hand them to an engine.
    #[error("engines cannot be given GPUs here: {message}")]
    GpuRuntimeMissing {
        /// What the target said.
        message: String,
    },
    /// A port of this machine that the engine was to answer on is taken.
    #[error("the engine's port is taken: {message}")]
    PortTaken {
        /// What the target said.
        message: String,
    },
    /// The operator's policy does not allow what the plan asks of this machine.
    #[error("{what} is not allowed here: {rule}")]
    NotAllowed {
        /// What was asked for.
        what: String,
        /// Which rule forbids it.
        rule: String,
    },
}

/// An error with all its causes, in one line, for where only text is left to carry it.
pub(crate) fn whole_story(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl DeployError {
    /// A closure for `map_err`: the file error with what was being done to which path.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
