//! One experiment: what was tried, why, and what came of it.

use std::process::ExitCode;

use serde_json::Value;

use super::list::{experiments_of, parameters, status, took, value};
use super::{find, id_of};
use crate::cli::client::Client;
use crate::cli::client::paper::{harmless, moment, text, whole};
use crate::cli::{Refusal, print};

/// Which one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
    /// Its number in the current run
    #[arg(value_name = "N")]
    number: u32,
}

pub(super) fn show(client: &Client, arguments: &Arguments, is_json: bool) -> Result<ExitCode, Refusal> {
    let task = find(client, &arguments.task)?;
    let of_run = experiments_of(client, id_of(&task))?;
    let number = i64::from(arguments.number);
    let listed = of_run.iter().find(|one| whole(one, "experiment_id") == number);
    let Some(listed) = listed else {
        return Err(Refusal::message(format!(
            "{} has no experiment {number} in its current run; it has {}",
            text(&task, "task_name"),
            of_run.len()
        )));
    };
    let path = format!("/api/experiments/{}", whole(listed, "id"));
    let experiment = client.get(&path)?.json()?;
    if is_json {
        print(&format!("{experiment:#}"));
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in facts(&task, &experiment) {
        if !value.is_empty() {
            print(&format!("{name:<14} {}", harmless(&value)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn facts(task: &Value, experiment: &Value) -> Vec<(&'static str, String)> {
    let attempt = match whole(experiment, "attempt") {
        0 | 1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let misses = experiment["violations"].as_array().map_or(0, Vec::len);
    let slos = match (experiment["feasible"].as_bool(), misses) {
        (None, _) => String::new(),
        (Some(true), 0) => "met".to_owned(),
        _ => format!("{misses} missed"),
    };
    vec![
        (
            "experiment",
            format!(
                "{} of {} (run {}, id {})",
                whole(experiment, "experiment_id"),
                text(task, "task_name"),
                whole(experiment, "run"),
                whole(experiment, "id")
            ),
        ),
        ("role", format!("{}{attempt}", text(experiment, "role"))),
        ("why", text(experiment, "reason").to_owned()),
        ("configuration", parameters(experiment)),
        ("status", status(experiment)),
        ("objective", value(experiment)),
        ("SLOs", slos),
        ("error", text(experiment, "error_message").to_owned()),
        ("started", moment(experiment, "started_at")),
        ("took", took(experiment)),
    ]
}
