//! `autotuner tasks`

mod change;
mod experiment;
mod insight;
mod list;
mod logs;
mod save;
mod wait;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

pub(super) use list::pages;
pub(super) use save::deliver;

use super::Refusal;
use super::client::{Client, Trouble, Where, encoded};
use crate::config::Config;

/// List, make, start, watch and remove the service's tasks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner tasks                                 the latest tasks
  autotuner tasks create task.yaml --start -w     make one, start it, watch it to its end
  autotuner tasks show first-task
  autotuner tasks logs first-task -f
  autotuner tasks results first-task --format csv -o results.csv
  autotuner tasks insight first-task              which parameters matter, what does not work
  autotuner tasks list --json | jq -r '.[] | select(.status == \"failed\") | .task_name'

TASK is an id or a name. The service is the one at --url or AUTOTUNER_URL, else the one of the data
directory; where none runs, the data directory itself is worked on.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List tasks, newest first
    #[command(after_help = "Example:\n  autotuner tasks list --status running --status pending")]
    List(list::ListArguments),
    /// Show a task and its experiments
    #[command(after_help = "Example:\n  autotuner tasks show first-task --json | jq .status")]
    Show(One),
    /// Make a task of a task file
    #[command(after_help = "\
Examples:
  autotuner tasks create task.yaml
  autotuner tune MODEL --print | autotuner tasks create - --start --wait")]
    Create(change::CreateArguments),
    /// Start pending tasks
    #[command(after_help = "Example:\n  autotuner tasks start first-task --wait")]
    Start(change::StartArguments),
    /// End running tasks; what was measured is kept
    #[command(after_help = "Example:\n  autotuner tasks cancel first-task --yes")]
    Cancel(change::ChangeArguments),
    /// Make ended tasks ready for another run; the results so far stay in `tasks runs`
    #[command(
        after_help = "Example:\n  autotuner tasks restart first-task && autotuner tasks start first-task -w"
    )]
    Restart(change::ChangeArguments),
    /// Print a task's log, or what an experiment's engine printed
    #[command(after_help = "\
Examples:
  autotuner tasks logs first-task --follow
  autotuner tasks logs first-task --experiment 3")]
    Logs(logs::Arguments),
    /// Remove tasks with all of their experiments
    #[command(after_help = "Example:\n  autotuner tasks rm first-task second-task --yes")]
    Rm(change::ChangeArguments),
    /// Print a task as a task file
    #[command(after_help = "Example:\n  autotuner tasks export first-task -o first-task.yaml")]
    Export(save::ExportArguments),
    /// List every run of a task
    #[command(after_help = "Example:\n  autotuner tasks runs first-task")]
    Runs(One),
    /// Show what was measured
    #[command(after_help = "\
Examples:
  autotuner tasks results first-task
  autotuner tasks results first-task --format csv -o results.csv")]
    Results(save::ResultsArguments),
    /// Show an experiment: what was tried, why, and what came of it
    #[command(after_help = "\
Examples:
  autotuner tasks experiment first-task 3
  autotuner tasks experiment first-task 3 --json | jq -r .reason")]
    Experiment(experiment::Arguments),
    /// Show which parameters matter, alone and together, and what explains failures
    ///
    /// Shares are of the variance of the objective's logarithm, from a model of the run's
    /// experiments; "to be among the best" is PED-ANOVA's importance, SLOs included. What does not
    /// stand out may be chance.
    #[command(after_help = "\
Examples:
  autotuner tasks insight first-task
  autotuner tasks insight first-task --run 1
  autotuner tasks insight first-task --json | jq '.feasibility.rules[].text'")]
    Insight(insight::Arguments),
}

/// A task.
#[derive(Debug, clap::Args)]
struct One {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
}

/// Where what is printed goes instead.
#[derive(Debug, clap::Args)]
struct Output {
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a task is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DocumentFormat {
    /// YAML
    Yaml,
    /// JSON
    Json,
}

pub(super) fn run(arguments: Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let Arguments { action, place, json } = arguments;
    let client = Client::reach(&place, config)?;
    match action.unwrap_or(Action::List(list::ListArguments::default())) {
        Action::List(arguments) => list::list(&client, &arguments, json),
        Action::Show(One { task }) => list::show(&client, &task, json),
        Action::Runs(One { task }) => list::runs(&client, &task, json),
        Action::Create(arguments) => change::create(client, &arguments, json),
        Action::Start(arguments) => change::start(client, &arguments, json),
        Action::Cancel(arguments) => change::cancel(&client, &arguments, json),
        Action::Restart(arguments) => change::restart(&client, &arguments, json),
        Action::Rm(arguments) => change::remove(&client, &arguments, json),
        Action::Logs(arguments) => logs::run(client, &arguments, json),
        Action::Export(arguments) => save::export(&client, &arguments, json),
        Action::Results(arguments) => save::results(&client, &arguments, json),
        Action::Experiment(arguments) => experiment::show(&client, &arguments, json),
        Action::Insight(arguments) => insight::run(&client, &arguments, json),
    }
}

/// The task of this id or name. A number is an id first, and a name where there is no such task.
pub(super) fn find(client: &Client, word: &str) -> Result<Value, Trouble> {
    let named = || client.get(&format!("/api/tasks/name/{}", encoded(word)));
    let found = match word.parse::<i64>() {
        Ok(id) => client
            .get(&format!("/api/tasks/{id}"))
            .or_else(|unknown| match unknown.is_not_found() {
                true => named().map_err(|trouble| if trouble.is_not_found() { unknown } else { trouble }),
                false => Err(unknown),
            }),
        Err(_) => named(),
    };
    found?.json()
}

/// The id of a task.
pub(super) fn id_of(task: &Value) -> i64 {
    task["id"].as_i64().unwrap_or_default()
}
