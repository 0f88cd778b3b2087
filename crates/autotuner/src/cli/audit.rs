//! `autotuner audit`

use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::paper::{cell, figure, moment, table, text, whole};
use super::client::{Client, Where};
use super::db::{audit_problem, look_at};
use super::tasks::pages;
use super::{NOTHING, Refusal, print, runtime, say};
use crate::config::Config;

/// Show who changed what, latest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner audit --limit 20
  autotuner audit --verify
  autotuner audit --json | jq '.[] | select(.action == \"task.delete\")'")]
pub(super) struct Arguments {
    /// How many rows at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Check instead that no row was changed, taken out or put in; exits with 1 if one was
    #[arg(long)]
    verify: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if arguments.verify {
        return verify(arguments, config);
    }
    let client = Client::reach(&arguments.place, config)?;
    let (rows, total) = pages(&client, "/api/audit", "", 0, arguments.limit)?;
    if arguments.json {
        print(&format!("{:#}", Value::Array(rows)));
        return Ok(ExitCode::SUCCESS);
    }
    let shown = rows.len() as u64;
    let rows = rows.iter().map(|row| {
        let detail = match &row["detail"] {
            Value::Null => String::new(),
            detail => detail.to_string(),
        };
        vec![
            figure(whole(row, "id").to_string()),
            cell(&moment(row, "at")),
            cell(text(row, "actor")),
            cell(text(row, "address")),
            cell(text(row, "action")),
            cell(text(row, "target")),
            cell(&detail),
        ]
    });
    let header = ["#", "when", "who", "from", "what", "to", "more"];
    print(&table(&header, rows.collect()));
    if total > shown {
        say(&format!("{} more; --limit shows them", total - shown));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the database itself: a service that had changed its log would not say so.
fn verify(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if arguments.place.is_elsewhere(config) {
        return Err(Refusal::message(
            "the log is verified in the database itself: run this where the service's data directory is, \
             without --url and AUTOTUNER_URL",
        ));
    }
    let problem = runtime()?.block_on(async {
        match look_at(config).await? {
            Some(database) => audit_problem(&database).await,
            None => Err(Refusal::message(format!(
                "there is no database in {}",
                config.data_dir.display()
            ))),
        }
    })?;
    if arguments.json {
        print(&format!(
            "{:#}",
            json!({ "sound": problem.is_none(), "problem": problem })
        ));
    } else {
        print(
            problem
                .as_deref()
                .unwrap_or("sound: no row was changed, taken out or put in"),
        );
    }
    match problem {
        None => Ok(ExitCode::SUCCESS),
        Some(_) => Ok(ExitCode::from(NOTHING)),
    }
}
