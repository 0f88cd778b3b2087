//! Tasks, runs and experiments as tables.

use std::process::ExitCode;

use serde_json::Value;

use super::{find, id_of};
use crate::cli::client::paper::{cell, figure, harmless, moment, span, table, text, whole};
use crate::cli::client::{Client, Trouble};
use crate::cli::{Refusal, print, say};
use crate::report::words;

/// Most rows that the service gives at once.
const PAGE: u64 = 1000;

/// Which tasks.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ListArguments {
    /// Only tasks of this status: pending, running, completed, failed, cancelled
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// How many at most [default: 100]
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// How many of the newest to leave out
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: u64,
}

pub(super) fn list(client: &Client, arguments: &ListArguments, is_json: bool) -> Result<ExitCode, Refusal> {
    let limit = arguments.limit.unwrap_or(100);
    let filter = match &arguments.status {
        Some(status) => format!("&status_filter={}", crate::cli::client::encoded(status)),
        None => String::new(),
    };
    let (rows, total) = pages(client, "/api/tasks", &filter, arguments.skip, limit)?;
    if is_json {
        print(&format!("{:#}", Value::Array(rows)));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        say(match (&arguments.status, total) {
            (None, 0) => "there are no tasks yet; autotuner tasks create FILE makes one",
            _ => "there are no such tasks",
        });
        return Ok(ExitCode::SUCCESS);
    }
    let shown = rows.len() as u64;
    let header = ["id", "task", "status", "engine", "experiments", "created", "took"];
    let rows = rows.iter().map(|task| {
        vec![
            figure(id_of(task).to_string()),
            cell(text(task, "task_name")),
            cell(text(task, "status")),
            cell(text(task, "base_runtime")),
            figure(experiments(task)),
            cell(&moment(task, "created_at")),
            figure(took(task)),
        ]
    });
    print(&table(&header, rows.collect()));
    let more = total.saturating_sub(arguments.skip + shown);
    if more > 0 {
        say(&format!("{more} more; --limit and --skip show them"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Rows of a list, in as many questions as it takes, and how many there are in all.
pub(in crate::cli) fn pages(
    client: &Client,
    path: &str,
    filter: &str,
    skip: u64,
    limit: u64,
) -> Result<(Vec<Value>, u64), Trouble> {
    let mut rows = Vec::new();
    let mut total = 0;
    while (rows.len() as u64) < limit {
        let wanted = (limit - rows.len() as u64).min(PAGE);
        let from = skip + rows.len() as u64;
        let answer = client.get(&format!("{path}?skip={from}&limit={wanted}{filter}"))?;
        let page = answer.list()?;
        let count = page.len() as u64;
        rows.extend(page);
        total = answer.total().unwrap_or(from + count);
        if count < wanted {
            break;
        }
    }
    Ok((rows, total))
}

/// Every experiment of a task's current run, oldest first.
pub(super) fn experiments_of(client: &Client, id: i64) -> Result<Vec<Value>, Trouble> {
    let path = format!("/api/experiments/task/{id}");
    let (mut rows, _) = pages(client, &path, "", 0, u64::MAX)?;
    rows.sort_by_key(|experiment| whole(experiment, "experiment_id"));
    Ok(rows)
}

/// `12, 11 with a score`, shortened for a table.
fn experiments(task: &Value) -> String {
    let total = whole(task, "total_experiments");
    let scored = whole(task, "successful_experiments");
    match total - scored {
        0 => total.to_string(),
        unscored => format!("{total} ({unscored} without score)"),
    }
}

pub(super) fn took(record: &Value) -> String {
    record["elapsed_time"].as_f64().map(span).unwrap_or_default()
}

pub(super) fn show(client: &Client, word: &str, is_json: bool) -> Result<ExitCode, Refusal> {
    let task = find(client, word)?;
    if is_json {
        print(&format!("{task:#}"));
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in facts(&task) {
        if !value.is_empty() {
            print(&format!("{name:<12} {}", harmless(&value)));
        }
    }
    let experiments = experiments_of(client, id_of(&task))?;
    found_out(&task, &experiments);
    Ok(ExitCode::SUCCESS)
}

/// What a run has found out: every experiment, and what may be claimed of the best.
pub(super) fn found_out(task: &Value, experiments: &[Value]) {
    if experiments.is_empty() {
        return;
    }
    print(&experiments_table(task, experiments));
    let sentence = text(&task["verdict"], "sentence");
    if !sentence.is_empty() {
        print(&harmless(sentence));
    }
}

fn facts(task: &Value) -> Vec<(&'static str, String)> {
    let optimization = &task["optimization"];
    let ended = match text(task, "ended_because") {
        "" => String::new(),
        because => format!(", because {because}"),
    };
    let scored = whole(task, "successful_experiments");
    vec![
        (
            "task",
            format!("{} (id {})", text(task, "task_name"), id_of(task)),
        ),
        ("description", text(task, "description").to_owned()),
        ("status", format!("{}{ended}", text(task, "status"))),
        ("waits for", text(task, "waiting_for").to_owned()),
        (
            "engine",
            format!(
                "{}, {}",
                text(task, "base_runtime"),
                text(task, "deployment_mode")
            ),
        ),
        ("model", text(&task["model"], "id_or_path").to_owned()),
        (
            "search",
            [text(optimization, "objective"), text(optimization, "strategy")]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "experiments",
            format!("{}, {scored} with a score", whole(task, "total_experiments")),
        ),
        ("created", moment(task, "created_at")),
        ("started", moment(task, "started_at")),
        ("ended", moment(task, "completed_at")),
        ("took", took(task)),
    ]
}

/// Every experiment in order; the best is marked.
pub(super) fn experiments_table(task: &Value, experiments: &[Value]) -> String {
    let best = task["best_experiment_id"].as_i64();
    let rows = experiments.iter().map(|experiment| {
        let number = whole(experiment, "experiment_id");
        let mark = match experiment["id"].as_i64() {
            Some(id) if Some(id) == best => " best",
            _ => "",
        };
        vec![
            cell(&format!("{number}{mark}")),
            cell(&parameters(experiment)),
            cell(&status(experiment)),
            figure(value(experiment)),
            figure(took(experiment)),
            cell(note(experiment)),
        ]
    });
    let header = ["#", "configuration", "status", "objective", "took", "note"];
    table(&header, rows.collect())
}

/// `max-num-seqs=8 enforce-eager=true`, or `defaults`.
pub(super) fn parameters(experiment: &Value) -> String {
    let Some(parameters) = experiment["parameters"].as_object().filter(|map| !map.is_empty()) else {
        return "defaults".into();
    };
    let parts: Vec<String> = parameters
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        })
        .collect();
    parts.join(" ")
}

pub(super) fn status(experiment: &Value) -> String {
    match text(experiment, "failure_kind") {
        "" => text(experiment, "status").to_owned(),
        kind => kind.replace('_', " "),
    }
}

/// What the objective looks at, with its unit; empty where nothing was measured.
pub(super) fn value(experiment: &Value) -> String {
    match experiment["objective_value"].as_f64() {
        Some(value) if text(experiment, "direction") == "maximize" => {
            format!("{} tok/s", words::three_digits(value))
        }
        Some(value) => words::duration(value),
        // What another program measured has a score and nothing that is known to be an objective.
        None => experiment["objective_score"]
            .as_f64()
            .map(words::three_digits)
            .unwrap_or_default(),
    }
}

/// What went wrong, or else why it was tried.
fn note(experiment: &Value) -> &str {
    let error = text(experiment, "error_message").lines().next();
    error.unwrap_or(text(experiment, "reason"))
}

pub(super) fn runs(client: &Client, word: &str, is_json: bool) -> Result<ExitCode, Refusal> {
    let task = find(client, word)?;
    let runs = client.get(&format!("/api/tasks/{}/runs", id_of(&task)))?.list()?;
    if is_json {
        print(&format!("{:#}", Value::Array(runs)));
        return Ok(ExitCode::SUCCESS);
    }
    let rows = runs.iter().map(|run| {
        vec![
            figure(whole(run, "run").to_string()),
            cell(text(run, "status")),
            figure(experiments(run)),
            cell(&moment(run, "started_at")),
            figure(took(run)),
            cell(text(run, "ended_because")),
        ]
    });
    let header = ["run", "status", "experiments", "started", "took", "ended because"];
    print(&table(&header, rows.collect()));
    Ok(ExitCode::SUCCESS)
}
