//! `autotuner demo`

use std::process::ExitCode;

use super::session::{self, Telling};
use super::{Refusal, say};
use crate::config::Config;
use crate::demo::{self, TASK};

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
    let refuse = |problems| Refusal::Problems {
        of: of.clone(),
        problems,
    };
    let spec = demo::document().map_err(refuse)?;
    let task = spec.resolve().map_err(refuse)?;
    if !arguments.telling.quiet {
        say(&format!(
            "Tuning the simulated engine: {}. See the task with `autotuner demo --print`.",
            super::validate::summary(&task)
        ));
    }
    session::run(arguments.telling.session(of, &spec, task), config)
}
