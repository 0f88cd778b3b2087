//! `autotuner import_legacy`
use super::Refusal;
use crate::config::Config;
use std::process::ExitCode;
/// x
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}
pub(super) fn run(_arguments: &Arguments, _config: &Config) -> Result<ExitCode, Refusal> {
    Ok(ExitCode::SUCCESS)
}
