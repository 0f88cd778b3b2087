//! `autotuner schema`

use std::process::ExitCode;

use super::{Refusal, print};

/// Print the JSON Schema of task files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  autotuner schema > task.schema.json      # then point your editor's YAML support at it")]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: &Arguments) -> Result<ExitCode, Refusal> {
    print(&format!("{:#}", autotuner_core::spec::schema()));
    Ok(ExitCode::SUCCESS)
}
