//! `autotuner best`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use super::Refusal;
use super::client::{Client, Where};
use super::tasks::{deliver, find, id_of};
use crate::config::Config;

/// Print a task's best configuration, ready to be used
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner best first-task
  autotuner best first-task --format compose -o compose.yaml
  autotuner best first-task --json | jq .parameters")]
pub(super) struct Arguments {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
    /// As what
    #[arg(long, value_enum, default_value_t = Format::Command)]
    format: Format,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the experiment as JSON
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    place: Where,
}

/// As what the best configuration is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for a shell
    Command,
    /// A `docker run` line
    Docker,
    /// A compose file
    Compose,
    /// A Kubernetes manifest
    Kubernetes,
}

impl Format {
    fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Docker => "docker",
            Self::Compose => "compose",
            Self::Kubernetes => "kubernetes",
        }
    }
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let client = Client::reach(&arguments.place, config)?;
    let task = find(&client, &arguments.task)?;
    let path = match (arguments.json, task["best_experiment_id"].as_i64()) {
        (true, Some(best)) => format!("/api/experiments/{best}"),
        // The service says why there is none.
        _ => format!(
            "/api/tasks/{}/best?format={}",
            id_of(&task),
            arguments.format.as_str()
        ),
    };
    let answer = client.get(&path)?;
    deliver(&answer, arguments.output.as_deref())
}
