//! The command line: one file a command.
//!
//! Data goes to standard output, talk to standard error. Exit codes are a contract:
//! 0 it worked, 1 it ran and nothing came of it, 2 the question was wrong, 130 cancelled.

mod agent;
mod audit;
mod bench;
mod best;
mod client;
mod completions;
mod config;
mod containers;
mod db;
mod demo;
mod doctor;
mod engine_exec;
mod engines;
mod flags;
mod import_legacy;
mod output;
mod pods;
mod presets;
mod progress;
mod run;
mod schema;
mod serve;
mod session;
mod sim_engine;
mod targets;
mod tasks;
mod token;
mod truth_server;
mod tune;
mod validate;
mod worker;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;

use autotuner_core::problem::Problem;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Flags};
use crate::report::words::counted;

/// It ran, and nothing came of it.
const NOTHING: u8 = 1;

/// The question was wrong: a bad flag, a bad document, a missing file.
const WRONG: u8 = 2;

/// A person stopped it.
const CANCELLED: u8 = 130;

/// Finds the serving configuration of an LLM inference engine that best meets a goal.
///
/// For each configuration it starts the engine, waits until it is ready, load-tests it over
/// its OpenAI-compatible API, scores the result and decides what to try next.
#[derive(Debug, Parser)]
#[command(
    name = "autotuner",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  autotuner demo                                 tune the bundled simulated engine
  autotuner tune MODEL --workload chat           tune a model, without a task file
  autotuner validate examples/*.yaml             check task files
  autotuner run examples/llamacpp-local.yaml     tune a real engine
  autotuner doctor                               look at this machine

Exit codes: 0 it worked, 1 nothing came of it, 2 bad input, 130 cancelled"
)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Tune(Box<tune::Arguments>),
    Serve(serve::Arguments),
    Worker(worker::Arguments),
    Bench(Box<bench::Arguments>),
    Validate(validate::Arguments),
    Engines(engines::Arguments),
    Presets(presets::Arguments),
    Tasks(tasks::Arguments),
    Best(best::Arguments),
    Containers(containers::Arguments),
    Pods(pods::Arguments),
    Token(token::Arguments),
    Audit(audit::Arguments),
    Db(db::Arguments),
    ImportLegacy(import_legacy::Arguments),
    Doctor(doctor::Arguments),
    Demo(demo::Arguments),
    Schema(schema::Arguments),
    Config(config::Arguments),
    SimEngine(sim_engine::Arguments),
    TruthServer(truth_server::Arguments),
    Completions(completions::Arguments),
    #[command(hide = true)]
    EngineExec(engine_exec::Arguments),
    #[command(hide = true)]
    Agent(agent::Arguments),
}

/// Parses the command line and runs what it asks for.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    // What stands between us and becoming the engine must be as little as possible.
    if let Command::EngineExec(arguments) = &cli.command {
        return engine_exec::run(arguments);
    }
    let result = Config::load(&cli.flags)
        .map_err(|error| Refusal::from(anyhow::Error::from(error)))
        .and_then(|config| dispatch(cli.command, &config));
    let code = match result {
        Ok(code) => code,
        Err(refusal) => {
            refusal.tell();
            ExitCode::from(refusal.code())
        }
    };
    match UNPRINTED.get() {
        None => code,
        Some(error) => {
            say(&format!("error: cannot write to standard output: {error}"));
            ExitCode::from(NOTHING)
        }
    }
}

fn dispatch(command: Command, config: &Config) -> Result<ExitCode, Refusal> {
    log_to_terminal(config)?;
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    match command {
        Command::Run(arguments) => run::run(&arguments, config),
        Command::Tune(arguments) => tune::run(&arguments, config),
        Command::Serve(arguments) => serve::run(&arguments, config),
        Command::Worker(arguments) => worker::run(&arguments, config),
        Command::Bench(arguments) => bench::run(&arguments, config),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Engines(arguments) => engines::run(&arguments, config),
        Command::Presets(arguments) => presets::run(&arguments),
        Command::Tasks(arguments) => tasks::run(arguments, config),
        Command::Best(arguments) => best::run(&arguments, config),
        Command::Containers(arguments) => containers::run(&arguments, config),
        Command::Pods(arguments) => pods::run(&arguments, config),
        Command::Token(arguments) => token::run(&arguments, config),
        Command::Audit(arguments) => audit::run(&arguments, config),
        Command::Db(arguments) => db::run(&arguments, config),
        Command::ImportLegacy(arguments) => import_legacy::run(&arguments, config),
        Command::Doctor(arguments) => doctor::run(&arguments, config),
        Command::Demo(arguments) => demo::run(&arguments, config),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Config(arguments) => config::run(&arguments, config),
        Command::SimEngine(arguments) => sim_engine::run(arguments),
        Command::TruthServer(arguments) => truth_server::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::EngineExec(arguments) => Ok(engine_exec::run(&arguments)),
        Command::Agent(arguments) => agent::run(&arguments, config),
    }
}

fn log_to_terminal(config: &Config) -> Result<(), Refusal> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Refusal::message(format!("option log cannot be {}: {error}", config.log)))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // It would be told on the very stream that cannot be written, and panic.
        .log_internal_errors(false)
        .with_ansi(!config.no_color && io::IsTerminal::is_terminal(&io::stderr()))
        .init();
    Ok(())
}

/// Why a command did not even begin.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Something went wrong.
    Error(anyhow::Error),
    /// A document has these problems.
    Problems {
        /// Whose problems they are, for example a file name.
        of: String,
        /// All of them.
        problems: Vec<Problem>,
    },
    /// The service refuses, or does not answer.
    Service(client::Trouble),
    /// Somebody asked for the end before there was anything to end.
    Cancelled,
}

impl Refusal {
    fn message(text: impl Into<String>) -> Self {
        Self::Error(anyhow::Error::msg(text.into()))
    }

    fn code(&self) -> u8 {
        match self {
            Self::Error(_) | Self::Problems { .. } => WRONG,
            Self::Service(trouble) => trouble.code(),
            Self::Cancelled => CANCELLED,
        }
    }

    fn tell(&self) {
        match self {
            Self::Service(trouble) => trouble.tell(),
            Self::Cancelled => say("cancelled before the first experiment"),
            Self::Error(error) => say(&format!("error: {error:#}")),
            Self::Problems { of, problems } => {
                let count = counted(problems.len() as u128, "problem");
                say(&format!("error: {of} has {count}"));
                for problem in problems {
                    say(&format!("  {problem}"));
                }
            }
        }
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Error(error)
    }
}

impl From<client::Trouble> for Refusal {
    fn from(trouble: client::Trouble) -> Self {
        Self::Service(trouble)
    }
}

/// A line of talk, on standard error. That nobody listens must not end a run.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// The first failure to write data, told when the command has ended.
static UNPRINTED: OnceLock<io::Error> = OnceLock::new();

/// A line of data, on standard output. A reader who has gone away is no error; a full disk is,
/// and the command goes on to its end before it says so.
pub(crate) fn print(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(UNPRINTED.set(error)),
        _ => {}
    }
}

/// The runtime that commands which wait run on.
fn runtime() -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::Error(anyhow::Error::new(error).context("cannot start the runtime")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
