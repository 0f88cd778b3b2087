//! `autotuner engine-exec`: ties its life to its parent's and becomes the engine.

use std::ffi::OsString;
use std::process::ExitCode;

/// Become an engine whose life is tied to its parent's
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Process id of the parent, program, its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    autotuner_deploy::run_launcher(&arguments.command)
}
