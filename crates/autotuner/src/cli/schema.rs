//! `autotuner schema`

use std::process::ExitCode;

use super::{Refusal, print};

/// Print the JSON Schema of task files, or the OpenAPI document of the REST API
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner schema > task.schema.json      # then point your editor's YAML support at it
  autotuner schema --api > openapi.json")]
pub(super) struct Arguments {
    /// The OpenAPI document of the REST API
    #[arg(long)]
    api: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    let schema = match arguments.api {
        true => crate::api::openapi::document(),
        false => autotuner_core::spec::schema(),
    };
    print(&format!("{schema:#}"));
    Ok(ExitCode::SUCCESS)
}
