//! What a run says of its parameters and of what does not work, on a terminal.

use std::process::ExitCode;

use serde_json::Value;

use super::{find, id_of};
use crate::cli::client::Client;
use crate::cli::client::paper::{cell, figure, harmless, table, text, whole};
use crate::cli::{Refusal, print};
use crate::report::words::counted;

/// Of what.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
    /// A run of it, from 1 [default: the current one]
    #[arg(long, value_name = "N")]
    run: Option<u32>,
}

pub(super) fn run(client: &Client, arguments: &Arguments, is_json: bool) -> Result<ExitCode, Refusal> {
    let id = id_of(&find(client, &arguments.task)?);
    let query = arguments.run.map_or(String::new(), |run| format!("?run={run}"));
    let told = client.get(&format!("/api/tasks/{id}/insight{query}"))?.json()?;
    if is_json {
        print(&format!("{told:#}"));
        return Ok(ExitCode::SUCCESS);
    }
    effects(&told);
    interactions(&told["variance"]);
    feasibility(&told["feasibility"]);
    Ok(ExitCode::SUCCESS)
}

fn rows<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().map_or(&[], Vec::as_slice)
}

/// `62 % (41 to 78)`; empty where there is no share.
fn share(of: &Value, key: &str) -> String {
    let per_cent = |key: &str| of[key].as_f64().map(|share| format!("{:.0}", share * 100.0));
    match (per_cent(key), per_cent("low"), per_cent("high")) {
        (Some(share), Some(low), Some(high)) => format!("{share} % ({low} to {high})"),
        _ => String::new(),
    }
}

/// How much each parameter matters, in both ways.
fn effects(told: &Value) {
    let variance = &told["variance"];
    let best = rows(told, "parameters");
    let effects = rows(variance, "effects");
    if !(best.is_empty() && effects.is_empty()) {
        let objective = text(told, "objective").split('_').nth(1).unwrap_or("objective");
        let used = whole(variance, "experiments_used").unsigned_abs();
        print(&format!(
            "How much parameters matter: shares of what varies in {}, from {}, with 95 % intervals",
            harmless(objective),
            counted(used.into(), "experiment")
        ));
        let ranked = |name: &str| best.iter().find(|one| text(one, "name") == name);
        let named = effects.iter().map(|effect| (text(effect, "name"), effect));
        let alone = best.iter().map(|one| text(one, "name"));
        let alone = alone.filter(|name| effects.iter().all(|effect| text(effect, "name") != *name));
        let rows = named
            .chain(alone.map(|name| (name, &Value::Null)))
            .map(|(name, effect)| {
                vec![
                    cell(name),
                    figure(share(&effect["main"], "share")),
                    figure(share(&effect["total"], "share")),
                    figure(ranked(name).map_or(String::new(), |one| share(one, "importance"))),
                    cell(match effect["stands_out"].as_bool() {
                        Some(true) => "yes",
                        _ => "",
                    }),
                ]
            });
        let header = [
            "parameter",
            "alone",
            "with others",
            "to be among the best",
            "stands out",
        ];
        print(&table(&header, rows.collect()));
        print(&format!(
            "not explained: {}",
            share(&variance["unexplained"], "share")
        ));
    }
    for note in [&told["note"], &variance["note"]] {
        if let Some(note) = note.as_str() {
            print(&harmless(note));
        }
    }
}

/// Which of them matter together.
fn interactions(variance: &Value) {
    let pairs = rows(variance, "interactions");
    let standing_out = pairs.iter().filter(|pair| pair["stands_out"] == true);
    let lines: Vec<String> = standing_out
        .map(|pair| {
            let (first, second) = (text(pair, "first"), text(pair, "second"));
            harmless(&format!("  {first} with {second}: {}", share(pair, "share")))
        })
        .collect();
    match (pairs.is_empty(), lines.is_empty()) {
        (true, _) => {}
        (false, true) => print("No two parameters are seen to matter together beyond what each does alone."),
        (false, false) => {
            print("What two parameters do together, beyond what each does alone:");
            for line in lines {
                print(&line);
            }
        }
    }
}

/// What works, by value, and what explains what does not.
fn feasibility(told: &Value) {
    let all = &told["all"];
    if whole(all, "n") == 0 {
        return;
    }
    print("");
    print(&format!("Where configurations work: {}", ends(all)));
    let values = rows(told, "parameters").iter().flat_map(|parameter| {
        rows(parameter, "values")
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let counts = &value["counts"];
                vec![
                    cell(if index == 0 { text(parameter, "name") } else { "" }),
                    cell(&span(value)),
                    figure(whole(counts, "n").to_string()),
                    figure(whole(counts, "good").to_string()),
                    figure(whole(counts, "missed_slo").to_string()),
                    cell(&kinds(counts)),
                ]
            })
    });
    let header = [
        "parameter",
        "value",
        "experiments",
        "good",
        "missed an SLO",
        "failed",
    ];
    let values: Vec<_> = values.collect();
    if !values.is_empty() && whole(all, "good") < whole(all, "n") {
        print(&table(&header, values));
    }
    let rules = rows(told, "rules");
    if rules.is_empty() {
        if whole(all, "good") < whole(all, "n") {
            print("No rule of one or two values explains it better than chance does.");
        }
        return;
    }
    print("What explains it:");
    for rule in rules {
        let same = match whole(rule, "alternatives").unsigned_abs() {
            0 => String::new(),
            count => format!(" ({} just as well)", counted(count.into(), "other rule")),
        };
        print(&harmless(&format!("  {}{same}", text(rule, "text"))));
    }
}

/// `25 experiments, 18 good, 2 missed an SLO, 5 out of memory`
fn ends(counts: &Value) -> String {
    let all = counted(whole(counts, "n").unsigned_abs().into(), "experiment");
    let mut parts = vec![all, format!("{} good", whole(counts, "good"))];
    let missed = whole(counts, "missed_slo");
    if missed > 0 {
        parts.push(format!("{missed} missed an SLO"));
    }
    let failed = kinds(counts);
    if !failed.is_empty() {
        parts.push(failed);
    }
    parts.join(", ")
}

/// `3 out of memory, 1 engine crashed`
fn kinds(counts: &Value) -> String {
    let failed = rows(counts, "failed").iter();
    let failed = failed.map(|kind| format!("{} {}", whole(kind, "n"), text(kind, "kind").replace('_', " ")));
    failed.collect::<Vec<_>>().join(", ")
}

/// `8`, `8 to 32`, `not set`
fn span(value: &Value) -> String {
    let word = |value: &Value| match value {
        Value::Null => "engine's own".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value["from"] == value["to"] {
        true => word(&value["from"]),
        false => format!("{} to {}", word(&value["from"]), word(&value["to"])),
    }
}
