//! The one binary: parses the command line, reads the configuration, runs a subcommand.

mod agent;
mod api;
mod cli;
mod clock;
mod config;
mod datasets;
mod demo;
#[cfg(test)]
mod fake;
mod fault;
mod host;
mod images;
mod report;
mod service;
mod shutdown;
mod targets;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
