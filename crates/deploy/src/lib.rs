//! Hand two: it starts and stops engines.
//!
//! A [`Deployer`] is one target (a child process here; containers and clusters are others).
//! Waiting for readiness is one function for all of them. Nothing in here knows what a
//! candidate is worth or what a benchmark sends.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::LaunchPlan;

/// A target that starts engines.
#[async_trait]
pub trait Deployer: Send + Sync {
    /// Whether the plan's program or image is there at all. Called once before a task's first
    /// experiment, so that a missing program fails the task and not each experiment.
    ///
    /// # Errors
    /// [`DeployError::ProgramMissing`] and its like, naming what is missing.
    async fn check(&self, plan: &LaunchPlan) -> Result<(), DeployError>;

    /// Starts the engine and returns at once, not when it is ready. Its output goes to
    /// `label.log_file` from the first byte. What was started is on record, as ours, before
    /// it can do anything.
    ///
    /// # Errors
    /// Whatever kept it from starting; nothing is left behind then.
    async fn launch(&self, plan: &LaunchPlan, label: &Label) -> Result<Deployment, DeployError>;

    /// How the engine is.
    ///
    /// # Errors
    /// When the target itself cannot be asked.
    async fn status(&self, deployment: &Deployment) -> Result<DeploymentStatus, DeployError>;

    /// The last lines of the engine's output, oldest first, decoded with replacement.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn logs(&self, deployment: &Deployment, lines: usize) -> Result<Vec<String>, DeployError>;

    /// Ends the engine and all it started: asks, waits for `grace`, then forces. An engine
    /// that is already gone is no error. Returns only when it is gone.
    ///
    /// # Errors
    /// When it could not be ended.
    async fn stop(&self, deployment: &Deployment, grace: Duration) -> Result<(), DeployError>;

    /// Everything of ours that is still on record at this target, whoever of us started it.
    ///
    /// # Errors
    /// When the target cannot be asked.
    async fn list_ours(&self) -> Result<Vec<Owned>, DeployError>;
}

/// Whose a deployment is, and where its output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Task name.
    pub task: String,
    /// Number inside the task.
    pub experiment: u32,
    /// How often this experiment has been tried, from 1.
    pub attempt: u32,
    /// Where the engine's output goes; created or appended to.
    pub log_file: PathBuf,
}

/// One started engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The target's own name for it: a process id, a container id.
    pub id: String,
    /// Where it will answer: `http://127.0.0.1:8123`.
    pub base_url: String,
    /// The argument vector it was really started with, program first.
    pub command: Vec<String>,
    /// Where its output goes.
    pub log_file: PathBuf,
}

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// It lives.
    Running,
    /// It ended by itself.
    Exited(Exit),
    /// The target no longer knows it.
    Gone,
}

/// How an engine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit code, when it exited.
    pub code: Option<i32>,
    /// Signal, when one ended it.
    pub signal: Option<i32>,
    /// Whether the target says that it ran out of memory.
    pub out_of_memory: bool,
}

/// Something of ours that a target still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The target's own name for it.
    pub id: String,
    /// Task name it was started for.
    pub task: String,
    /// Experiment it was started for.
    pub experiment: u32,
    /// Whether the process of ours that started it still lives.
    pub owner_alive: bool,
    /// Whether the engine itself still lives.
    pub alive: bool,
}

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
    /// The engine is still there after all we may do.
    #[error("engine {id} could not be stopped")]
    StillRunning {
        /// Which one.
        id: String,
    },
}
