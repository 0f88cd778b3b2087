//! Hand two: it starts and stops engines.
//!
//! A [`Deployer`] is one target: child processes in [`process`], containers in [`docker`].
//! A cluster, in [`kubernetes`], is none: it runs whole experiments, in which an agent of ours is
//! the deployer of processes.
//! Waiting for readiness is one function for all of them. Nothing in here knows what a
//! candidate is worth or what a benchmark sends.

mod ask;
mod engine;
mod error;
mod guard;
mod http;
mod instance;
mod kin;
mod ledger;
mod listener;
mod logs;
mod port;
mod procfs;
mod program;
mod spawner;
mod sweep;

pub mod conformance;
pub mod containers;
pub mod docker;
pub mod gpu;
pub mod kubernetes;
pub mod process;
pub mod ready;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::ImageFacts;
use autotuner_core::gpu::GpuDevice;
use tokio_util::sync::CancellationToken;

pub use ask::{Question, ask};
pub use error::DeployError;
pub use guard::{guard_and_exec, run_launcher};
pub use instance::{Instance, OwnerState, owner_state};
pub use logs::tail;
pub use program::find_program;
pub use sweep::{SweepReport, Swept, sweep};

/// A target that starts engines.
#[async_trait]
pub trait Deployer: Send + Sync {
    /// Sees to it that the plan's program or image is there, fetching an image that is not.
    /// Called before a task's first experiment, so that what is missing fails the task and not
    /// each experiment, and again before each launch, when it is quick.
    ///
    /// # Errors
    /// [`DeployError::ProgramMissing`] and its like, naming what is missing;
    /// [`DeployError::Cancelled`].
    async fn prepare(
        &self,
        plan: &LaunchPlan,
        watcher: &dyn Watcher,
        cancel: &CancellationToken,
    ) -> Result<(), DeployError>;

    /// Runs the plan's program with these arguments in place of its own, without GPUs, and
    /// answers with what it printed, standard output and standard error together. `None` where
    /// nothing was printed, it took longer than `patience`, or it could not be run.
    async fn ask(
        &self,
        plan: &LaunchPlan,
        arguments: &[&str],
        patience: Duration,
        cancel: &CancellationToken,
    ) -> Option<String>;

    /// Starts the engine and returns at once, not when it is ready. Its output goes to
    /// `label.log_file` from the first byte. What was started is on record, as ours, before
    /// it can do anything. A call that is dropped midway leaves nothing behind either.
    ///
    /// # Errors
    /// Whatever kept it from starting; nothing is left behind then.
    async fn launch(
        &self,
        plan: &LaunchPlan,
        placement: &Placement,
        label: &Label,
    ) -> Result<Deployment, DeployError>;

    /// How the engine is.
    ///
    /// # Errors
    /// When the target itself cannot be asked.
    async fn status(&self, deployment: &Deployment) -> Result<DeploymentStatus, DeployError>;

    /// Whether anything that the target knows of has held the engine up since it was started,
    /// though it runs again. To be asked when it was measured.
    ///
    /// # Errors
    /// [`DeployError::Interrupted`] with what it was; when the target itself cannot be asked.
    async fn undisturbed(&self, deployment: &Deployment) -> Result<(), DeployError> {
        let _ = deployment;
        Ok(())
    }

    /// Whose socket it is that answers at the deployment's address. A target that cannot tell
    /// leaves this as it is.
    ///
    /// # Errors
    /// When the target itself cannot be asked.
    async fn listener(&self, deployment: &Deployment) -> Result<Listener, DeployError> {
        let _ = deployment;
        Ok(Listener::Unknown)
    }

    /// The last lines of the engine's output, oldest first, decoded with replacement.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn logs(&self, deployment: &Deployment, lines: usize) -> Result<Vec<String>, DeployError>;

    /// Ends the engine and all it started: asks, waits for `grace`, then forces. An engine
    /// that is already gone is no error. Returns only when it is gone and its log file holds
    /// all of its output.
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

/// Told of what takes long before an engine can be started. Must be quick.
pub trait Watcher: Send + Sync {
    /// An image is being fetched.
    fn fetching(&self, progress: &FetchProgress);
}

/// How far the fetching of an image is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchProgress {
    /// Which image.
    pub image: String,
    /// Layers that are here, fetched or known before.
    pub layers_done: usize,
    /// Layers known so far.
    pub layers: usize,
    /// Bytes fetched of the layers whose size is known.
    pub bytes_done: u64,
    /// Bytes of the layers whose size is known.
    pub bytes: u64,
}

/// Nobody who watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn fetching(&self, _progress: &FetchProgress) {}
}

/// What of the machine was set aside for one engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// The GPUs that it may use, and no others. An engine for which none are held gets none.
    pub gpus: Vec<GpuDevice>,
    /// Whether it may use all there are, whatever is held: somebody else has set them aside for
    /// the container that we are in. Only processes can be placed so.
    pub has_all_gpus: bool,
    /// The id of the very image to start from, whatever the plan's name for it means by now:
    /// what is compared must run the same. `None` takes what the name means.
    pub image: Option<String>,
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
    /// The target's own name for it, never given to another: a container id, or a process id
    /// with a number behind it.
    pub id: String,
    /// Where it will answer: `http://127.0.0.1:8123`.
    pub base_url: String,
    /// The argument vector it was really started with, program first.
    pub command: Vec<String>,
    /// Where its output goes.
    pub log_file: PathBuf,
    /// The image it was started from, where it was one.
    pub image: Option<ImageFacts>,
    /// What its container is called, where it runs in one; [`Deployment::id`] is the container's
    /// own id then.
    pub container_name: Option<String>,
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

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}")?,
            (None, Some(signal)) => write!(f, "signal {signal}")?,
            (None, None) => f.write_str("unknown exit")?,
        }
        if self.out_of_memory {
            f.write_str(" (out of memory)")?;
        }
        Ok(())
    }
}

/// Whose the socket is that answers where an engine should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The engine's.
    Ours,
    /// Another program's, wholly or in part.
    Foreign,
    /// Nobody listens.
    Nobody,
    /// The target cannot tell.
    Unknown,
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

/// Does what may block on a thread that may, and hands a panic on to the caller.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeployError> + Send + 'static,
) -> Result<T, DeployError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(DeployError::ShuttingDown),
        },
    }
}
