//! `autotuner demo`

use std::process::ExitCode;

use autotuner_core::spec::{Format, TaskSpec};

use super::session::{self, Telling};
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
    /// Print the task file and do nothing else
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    telling: Telling,
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
    if !arguments.telling.quiet {
        say(&format!(
            "Tuning the simulated engine: {}. See the task with `autotuner demo --print`.",
            super::validate::summary(&task)
        ));
    }
    session::run(arguments.telling.session(of, task), config)
}
