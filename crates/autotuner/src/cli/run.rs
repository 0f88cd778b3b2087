//! `autotuner run`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use autotuner_core::task::DeploymentMode;

use super::session::{self, Telling};
use super::{Refusal, validate};
use crate::config::Config;

/// Tune an engine as a task file says
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner run task.yaml
  autotuner run task.yaml --mode local --output results/today.json
  autotuner run task.yaml --json | jq .verdict

Ctrl-C stops the load, tears the engine down and keeps what was measured; once more hurries.
Exit codes: 0 something was measured, 1 nothing was, 2 the task cannot be started, 130 cancelled")]
pub(super) struct Arguments {
    /// Task file, YAML (.yaml, .yml) or JSON; - for standard input
    #[arg(value_name = "TASK_FILE")]
    task_file: PathBuf,
    /// Where engines run, whatever the task file says
    #[arg(long)]
    mode: Option<Mode>,
    #[command(flatten)]
    telling: Telling,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// As a child process
    Local,
    /// In a Docker container
    Docker,
    /// In a Kubernetes cluster
    #[value(alias = "ome")]
    Kubernetes,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let validate::Loaded {
        mut task,
        spec,
        warnings,
    } = validate::load(&arguments.task_file)?;
    for warning in &warnings {
        super::say(&format!("warning: {warning}"));
    }
    if let Some(mode) = arguments.mode {
        task.deployment = match mode {
            Mode::Local => DeploymentMode::Local,
            Mode::Docker => DeploymentMode::Docker,
            Mode::Kubernetes => DeploymentMode::Kubernetes,
        };
    }
    session::run(
        arguments
            .telling
            .session(arguments.task_file.display().to_string(), &spec, task),
        config,
    )
}
