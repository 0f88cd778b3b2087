//! `autotuner demo`

use std::path::PathBuf;
use std::process::ExitCode;

use autotuner_core::spec::{Format, TaskSpec};

use super::session::{self, Session};
use super::{Refusal, say};
use crate::config::Config;

/// The task file of the demo, as it stands among the examples.
const TASK: &str = include_str!("../../../../examples/sim-local.yaml");

/// Tune the bundled simulated engine: real processes, real HTTP, about a minute
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  autotuner demo --output demo.json")]
pub(super) struct Arguments {
    /// Print the results as JSON on standard output instead of the table
    #[arg(long)]
    json: bool,
    /// Where to write the results [default: results/<task_name>_results.json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the task file and do nothing else
    #[arg(long)]
    print: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if arguments.print {
        super::print(TASK.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let of = "the demo's task".to_owned();
    let task = TaskSpec::parse(TASK, Format::Yaml)
        .and_then(|parsed| parsed.spec.resolve())
        .map_err(|problems| Refusal::Problems {
            of: of.clone(),
            problems,
        })?;
    say(&format!(
        "Tuning the simulated engine: {}. See the task with `autotuner demo --print`.",
        super::validate::summary(&task)
    ));
    let output = arguments
        .output
        .clone()
        .unwrap_or_else(|| super::output::results_path(&task.name));
    session::run(
        Session {
            of,
            task,
            output,
            is_json: arguments.json,
            is_quiet: false,
        },
        config,
    )
}
