//! Engines: what each serving program wants to be told, and what its output means.
//!
//! An [`Engine`] is pure: it turns model and candidate into a [`LaunchPlan`] and reads log
//! lines. It never starts anything. What engines share is one idea a file (`flags` spells a
//! candidate, `fixed` merges the task's own arguments, `assemble` puts a plan together,
//! `diagnose` reads logs, …); what is peculiar to one engine is in the file of its name,
//! mostly as data.

mod advice;
mod assemble;
pub mod catalogue;
pub(crate) mod checkpoint;
mod custom;
mod diagnose;
mod dialect;
pub(crate) mod environment;
mod exit;
mod files;
pub(crate) mod fixed;
mod flags;
mod image;
mod kind;
mod launch;
mod llamacpp;
pub(crate) mod parallel;
pub(crate) mod portable;
mod preflight;
pub(crate) mod quantize;
mod rules;
mod sglang;
mod sim;
#[cfg(test)]
mod tests;
mod text;
mod trtllm;
mod version;
mod vllm;
mod world;

pub use exit::diagnose_exit;
pub use kind::EngineKind;
pub use launch::{Arg, Endpoint, LaunchPlan, Limits, Mount, Program};
pub use preflight::known_flags;

use advice::Advice;
use catalogue::FlagInfo;
use dialect::Dialect;

use crate::failure::FailureKind;
use crate::problem::Problem;
use crate::space::Candidate;
use crate::task::{DeploymentMode, EngineSettings, Model, Resources};

/// One serving program.
pub trait Engine: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> EngineKind;

    /// How it spells its flags, and which it knows.
    fn dialect(&self) -> &'static Dialect;

    /// What helps when it fails.
    fn advice(&self) -> &'static Advice;

    /// Everything a deployer needs to start the engine for this candidate.
    ///
    /// # Errors
    /// Every reason why the engine would refuse the candidate, with the parameter's path.
    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>>;

    /// The command-line arguments that the candidate's flags become; its environment
    /// variables become none.
    ///
    /// # Errors
    /// Every parameter that cannot be passed, and why.
    fn flags(&self, candidate: &Candidate) -> Result<Vec<String>, Vec<Problem>> {
        let flags = flags::compile(self.dialect(), candidate)?;
        Ok(flags.into_iter().flat_map(|flag| flag.arguments).collect())
    }

    /// What to run to learn the engine's version: the program's arguments, for example
    /// `--version`. Empty where asking is not safe.
    fn version_args(&self) -> &'static [&'static str];

    /// The version in what [`Engine::version_args`] printed, standard output and standard
    /// error together; `None` where there is none to be seen.
    fn parse_version(&self, output: &str) -> Option<String> {
        version::parse(output)
    }

    /// What to run to learn which flags the local program knows, for example `--help`;
    /// `None` where asking costs too much or tells nothing.
    fn help_args(&self) -> Option<&'static [&'static str]>;

    /// The flags of the plan that the program's own help, as printed for
    /// [`Engine::help_args`], does not mention. Says nothing where the help is too short to
    /// be trusted.
    fn preflight(&self, help: &str, plan: &LaunchPlan) -> Vec<Problem> {
        preflight::check(self.dialect(), help, plan)
    }

    /// The flags that we know, with their kinds, defaults and limits. Others are accepted too.
    fn catalogue(&self) -> &'static [FlagInfo] {
        self.dialect().catalogue
    }

    /// What usually helps against a failure of this kind of which nothing more is known.
    fn remedy(&self, kind: FailureKind) -> Option<&'static str> {
        self.advice().general(kind)
    }

    /// The one name of the flag that is meant by a spelling, however many dashes it begins with:
    /// aliases resolved, `-` for `_`, without dashes before it and without `no-`.
    fn flag_name(&self, spelt: &str) -> String {
        self.dialect().resolve(spelt.trim_start_matches('-')).name
    }

    /// Whether the program takes a flag's unambiguous beginning for the flag.
    fn takes_beginnings(&self) -> bool {
        self.dialect().abbreviates
    }

    /// The flags that the product sets itself, which no parameter can be.
    fn reserved(&self) -> &'static [&'static str] {
        self.dialect().reserved
    }

    /// What the last lines of the engine's output say about why it failed.
    fn diagnose(&self, log_tail: &[String]) -> Option<Diagnosis> {
        diagnose::diagnose(self.advice(), log_tail)
    }
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
