//! One attempt to deploy and measure one candidate, and what came of it.

use crate::failure::{Failure, Lesson};
use crate::gpu::{GpuDevice, GpuUse};
use crate::ids::ExperimentNumber;
use crate::lifecycle::ExperimentStatus;
use crate::metrics::ExperimentMetrics;
use crate::score::Score;
use crate::search::Role;
use crate::space::Candidate;

/// One experiment of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Its number inside the task.
    pub number: ExperimentNumber,
    /// What it is for.
    pub role: Role,
    /// What is tried.
    pub candidate: Candidate,
    /// Why it is tried, for people.
    pub reason: String,
    /// Which attempt at this candidate it is, from 1. A further attempt is made when one was
    /// lost through no fault of the candidate.
    pub attempt: u32,
    /// Where it is.
    pub status: ExperimentStatus,
    /// What was really started, once it was.
    pub launch: Option<LaunchFacts>,
    /// What came of it, once it has ended.
    pub result: Option<Result<Measured, Failure>>,
    /// When it began, milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// When it ended, milliseconds since the Unix epoch.
    pub ended_at_ms: Option<i64>,
}

/// What was really started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaunchFacts {
    /// The argument vector, program first, host and port filled in.
    pub command: Vec<String>,
    /// Environment variables that were set on top of the inherited ones.
    pub env: Vec<(String, String)>,
    /// What the engine says its version is.
    pub engine_version: Option<String>,
    /// Time from start to ready, milliseconds.
    pub ready_after_ms: Option<u64>,
    /// The image it was started from, where it was one.
    pub image: Option<ImageFacts>,
    /// The GPUs that were held for it.
    pub gpus: Vec<GpuDevice>,
    /// Where it answers while it runs: `http://127.0.0.1:8123`.
    pub base_url: Option<String>,
    /// The container that it runs in, where it is one.
    pub container: Option<ContainerFacts>,
}

/// Which container an engine was started in. It is gone when its experiment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerFacts {
    /// Docker's own id for it, 64 hexadecimal digits, never given to another.
    pub id: String,
    /// What it is called. A later container may be called the same.
    pub name: String,
    /// When it was started, milliseconds since the Unix epoch.
    pub started_at_ms: i64,
}

/// Which image an engine was started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts {
    /// What was asked for: `vllm/vllm-openai:v0.11.0`.
    pub reference: String,
    /// What it was: `sha256:…`, the image's own id, which names its content.
    pub id: String,
    /// Under which digest its registry has it: `vllm/vllm-openai@sha256:…`. An image that was
    /// built here and never pushed has none.
    pub digest: Option<String>,
}

/// A result that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What was measured.
    pub metrics: ExperimentMetrics,
    /// What it is worth.
    pub score: Score,
    /// What a reader should know before trusting it, for people.
    pub remarks: Vec<String>,
    /// What the GPUs that were held for it did meanwhile; none where none was held or seen.
    pub gpu_use: Vec<GpuUse>,
    /// The distinct fingerprints that the answers carried, in the order in which they were first
    /// seen; none from an engine that sends none, and five at most. More than one means that more
    /// than one engine has answered.
    pub fingerprints: Vec<String>,
}

impl Experiment {
    /// The verdict, where there is one.
    pub fn score(&self) -> Option<&Score> {
        self.measured().map(|measured| &measured.score)
    }

    /// Metrics and verdict, where there are any.
    pub fn measured(&self) -> Option<&Measured> {
        self.result.as_ref()?.as_ref().ok()
    }

    /// What was measured: all of it, or what was until it was given up.
    pub fn metrics(&self) -> Option<&ExperimentMetrics> {
        match self.result.as_ref()? {
            Ok(measured) => Some(&measured.metrics),
            Err(failure) => failure.partial.as_deref(),
        }
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        self.result.as_ref()?.as_ref().err()
    }

    /// Whether it ended without saying anything of its candidate.
    pub fn is_lost(&self) -> bool {
        self.failure()
            .is_some_and(|failure| failure.kind.lesson() == Lesson::Nothing)
    }
}
