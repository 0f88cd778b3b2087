//! Engines: what each serving program wants to be told, and what its output means.
//!
//! An [`Engine`] is pure: it turns model and candidate into a [`LaunchPlan`] and reads log
//! lines. It never starts anything.

mod launch;

pub use launch::{Arg, Endpoint, LaunchPlan, Program};

use crate::failure::FailureKind;
use crate::problem::Problem;
use crate::space::Candidate;
use crate::task::{DeploymentMode, EngineSettings, Model, Resources};

/// The serving programs we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EngineKind {
    /// vLLM, `vllm serve`.
    Vllm,
    /// SGLang, `python3 -m sglang.launch_server`.
    Sglang,
    /// TensorRT-LLM, `trtllm-serve`.
    TensorRtLlm,
    /// llama.cpp, `llama-server`.
    LlamaCpp,
    /// The simulated engine that ships with the product.
    Sim,
    /// Whatever the task document describes.
    Custom,
}

/// One serving program.
pub trait Engine: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> EngineKind;

    /// Everything a deployer needs to start the engine for this candidate.
    ///
    /// # Errors
    /// Every reason why the engine would refuse the candidate, with the parameter's path.
    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>>;

    /// What to run to learn the engine's version: the program's arguments, for example `--version`.
    fn version_args(&self) -> &'static [&'static str];

    /// What to run to learn which flags the local program knows, for example `--help`;
    /// `None` where asking costs too much or tells nothing.
    fn help_args(&self) -> Option<&'static [&'static str]>;

    /// What the last lines of the engine's output say about why it failed.
    fn diagnose(&self, log_tail: &[String]) -> Option<Diagnosis>;
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanRequest<'a> {
    /// What to serve.
    pub model: &'a Model,
    /// What is fixed for the task.
    pub settings: &'a EngineSettings,
    /// What one experiment may use.
    pub resources: &'a Resources,
    /// The configuration; empty for the engine's own defaults.
    pub candidate: &'a Candidate,
    /// Where it will run, which decides between program and image.
    pub deployment: DeploymentMode,
}

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// The line that says so, shortened.
    pub evidence: String,
    /// What to do about it, where we know.
    pub advice: Option<String>,
}

impl EngineKind {
    /// Every kind, in the order in which they are listed to users.
    pub const ALL: [Self; 6] = [
        Self::Vllm,
        Self::Sglang,
        Self::TensorRtLlm,
        Self::LlamaCpp,
        Self::Sim,
        Self::Custom,
    ];

    /// The word in task documents (`base_runtime`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::TensorRtLlm => "tensorrt-llm",
            Self::LlamaCpp => "llamacpp",
            Self::Sim => "sim",
            Self::Custom => "custom",
        }
    }
}
