//! `autotuner pods`: this service's pods in its cluster, as it shows and deletes them.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::client::paper::{cell, figure, harmless, moment, table, text, whole};
use super::client::{Client, Where, encoded};
use super::containers::logs;
use super::{NOTHING, Refusal, print, say};
use crate::config::Config;

/// List, read and delete this service's pods in a Kubernetes cluster
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner pods                                   those of this service, newest first
  autotuner pods show at-chat-3f9a61c20b-e3-x7k2p  with its containers and events
  autotuner pods logs at-chat-3f9a61c20b-e3-x7k2p -f
  autotuner pods rm at-chat-3f9a61c20b-e3-x7k2p --force

Pods of others are not shown and cannot be deleted. A pod is there for as long as its experiment; what its
engine printed is in the experiment's log then: autotuner tasks logs.")]
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
    /// List pods, newest first
    #[command(after_help = "Example:\n  autotuner pods list --json | jq -r '.[].name'")]
    List,
    /// Show a pod with its containers and what the cluster has noted of it
    #[command(after_help = "Example:\n  autotuner pods show at-chat-3f9a61c20b-e3-x7k2p")]
    Show(Which),
    /// Print what a pod's engine has printed, and follow it
    #[command(after_help = "\
Examples:
  autotuner pods logs at-chat-3f9a61c20b-e3-x7k2p --tail 50 --timestamps
  autotuner pods logs at-chat-3f9a61c20b-e3-x7k2p --search 'ERROR|WARN'
  autotuner pods logs at-chat-3f9a61c20b-e3-x7k2p -f --json | jq -r .l")]
    Logs(LogArguments),
    /// Delete pods; one that nobody needs goes with its Job
    #[command(after_help = "Example:\n  autotuner pods rm at-chat-3f9a61c20b-e3-x7k2p --force")]
    Rm(Removal),
}

/// A pod.
#[derive(Debug, clap::Args)]
struct Which {
    /// The pod's name
    #[arg(value_name = "POD")]
    pod: String,
}

/// Which log, and how much of it.
#[derive(Debug, clap::Args)]
struct LogArguments {
    #[command(flatten)]
    of: Which,
    #[command(flatten)]
    part: logs::Part,
}

/// Pods to be deleted.
#[derive(Debug, clap::Args)]
struct Removal {
    /// The pods' names
    #[arg(value_name = "POD", required = true)]
    pods: Vec<String>,
    /// Also those that an experiment needs: their attempts are lost and made again
    #[arg(long, short)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let Arguments { action, place, json } = arguments;
    let client = Client::reach(place, config)?;
    match action {
        None | Some(Action::List) => list(&client, *json),
        Some(Action::Show(Which { pod })) => show(&client, pod, *json),
        Some(Action::Logs(LogArguments { of, part })) => {
            let log = format!("{}/logs", path(&of.pod));
            logs::show(client, &log, part, *json)
        }
        Some(Action::Rm(removal)) => remove(&client, removal, *json),
    }
}

fn path(pod: &str) -> String {
    format!("/api/kubernetes/pods/{}", encoded(pod))
}

fn list(client: &Client, is_json: bool) -> Result<ExitCode, Refusal> {
    let rows = client.get("/api/kubernetes/pods")?.list()?;
    if is_json {
        print(&format!("{:#}", Value::Array(rows)));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        say("there are no pods of this service in the cluster");
        return Ok(ExitCode::SUCCESS);
    }
    let lines = rows.iter().map(|pod| {
        vec![
            cell(text(pod, "name")),
            cell(text(pod, "state")),
            cell(text(pod, "node")),
            cell(&asked(pod)),
            cell(text(pod, "task_name")),
            figure(whole(pod, "experiment_id").to_string()),
            figure(whole(pod, "attempt").to_string()),
            cell(if pod["is_needed"] == true { "yes" } else { "" }),
            cell(&moment(pod, "created")),
        ]
    });
    let header = [
        "name", "state", "node", "asks for", "task", "#", "attempt", "needed", "created",
    ];
    print(&table(&header, lines.collect()));
    // In the table they would leave no room for names that are to be copied.
    for pod in rows.iter().filter(|pod| state(pod) != text(pod, "state")) {
        say(&format!("{}: {}", text(pod, "name"), harmless(&state(pod))));
    }
    Ok(ExitCode::SUCCESS)
}

/// `running`, `stuck: container engine with image x: ErrImagePull`.
fn state(pod: &Value) -> String {
    let state = text(pod, "state");
    match (text(pod, "why"), state) {
        ("", _) | (_, "preparing") => state.to_owned(),
        (why, _) => format!("{state}: {why}"),
    }
}

/// `2 GPUs, 7.5 CPUs, 32 GiB`.
fn asked(pod: &Value) -> String {
    const MIB: u64 = 1 << 20;
    let mut parts = Vec::new();
    match whole(pod, "gpus") {
        0 => {}
        1 => parts.push("1 GPU".to_owned()),
        gpus => parts.push(format!("{gpus} GPUs")),
    }
    if let Some(cpus) = pod["cpus"].as_f64() {
        parts.push(format!("{cpus} CPUs"));
    }
    if let Some(bytes) = pod["memory_bytes"].as_u64() {
        let mebibytes = bytes / MIB;
        parts.push(match mebibytes % 1024 {
            0 if mebibytes > 0 => format!("{} GiB", mebibytes / 1024),
            _ => format!("{mebibytes} MiB"),
        });
    }
    parts.join(", ")
}

fn show(client: &Client, name: &str, is_json: bool) -> Result<ExitCode, Refusal> {
    let pod = client.get(&path(name))?.json()?;
    if is_json {
        print(&format!("{pod:#}"));
        return Ok(ExitCode::SUCCESS);
    }
    let experiment = format!(
        "{}, experiment {}, attempt {}",
        text(&pod, "task_name"),
        whole(&pod, "experiment_id"),
        whole(&pod, "attempt")
    );
    let facts = [
        ("state", state(&pod)),
        ("of", experiment),
        ("node", text(&pod, "node").to_owned()),
        ("image", text(&pod, "image").to_owned()),
        ("asks for", asked(&pod)),
        ("created", moment(&pod, "created")),
        ("started", moment(&pod, "started_at")),
        ("ended", moment(&pod, "finished_at")),
    ];
    for (what, found) in facts.iter().filter(|(_, found)| !found.is_empty()) {
        print(&format!("{what:<9} {}", harmless(found)));
    }
    let rows = |key: &str| pod[key].as_array().cloned().unwrap_or_default();
    let containers = rows("containers");
    let containers = containers.iter().map(|container| {
        let code = container["exit_code"].as_i64();
        vec![
            cell(text(container, "name")),
            cell(text(container, "state")),
            figure(code.map_or_else(String::new, |code| code.to_string())),
            cell(text(container, "image")),
            cell(text(container, "why")),
        ]
    });
    print("");
    print(&table(
        &["container", "state", "exit", "image", "why"],
        containers.collect(),
    ));
    let events = rows("events");
    if !events.is_empty() {
        let events = events.iter().map(|event| {
            vec![
                cell(&moment(event, "at")),
                cell(if event["is_warning"] == true {
                    "warning"
                } else {
                    ""
                }),
                cell(text(event, "reason")),
                cell(text(event, "message")),
            ]
        });
        print("");
        print(&table(&["event", "", "reason", "message"], events.collect()));
    }
    if let Some(why) = pod["without_events"].as_str() {
        say(&format!("events may not be seen: {}", harmless(why)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Deletes each, and tells of each.
fn remove(client: &Client, removal: &Removal, is_json: bool) -> Result<ExitCode, Refusal> {
    let mut results = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for pod in &removal.pods {
        match client.delete(&format!("{}?force={}", path(pod), removal.force)) {
            Ok(answer) => {
                let done = answer.json()?;
                say(&harmless(text(&done, "message")));
                if let Some(warning) = done["warning"].as_str() {
                    say(&format!("warning: {}", harmless(warning)));
                }
                results.push(done);
            }
            // One that refuses stops no other.
            Err(trouble) => {
                trouble.tell();
                code = ExitCode::from(NOTHING);
            }
        }
    }
    if is_json {
        print(&format!("{:#}", Value::Array(results)));
    }
    Ok(code)
}
