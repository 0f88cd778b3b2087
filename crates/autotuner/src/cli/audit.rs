//! `autotuner audit`

use std::process::ExitCode;

use serde_json::Value;

use super::client::paper::{cell, figure, moment, table, text, whole};
use super::client::{Client, Where};
use super::tasks::pages;
use super::{Refusal, print, say};
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
    let client = Client::reach(&arguments.place, config)?;
    if arguments.verify {
        return verify(&client, arguments.json);
    }
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

fn verify(client: &Client, is_json: bool) -> Result<ExitCode, Refusal> {
    let verdict = client.get("/api/audit/verify")?.json()?;
    if is_json {
        print(&format!("{verdict:#}"));
    }
    Ok(ExitCode::SUCCESS)
}
