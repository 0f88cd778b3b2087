//! `autotuner containers`: the Docker daemon's containers, as the service shows and steers them.

pub(super) mod logs;

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::client::paper::{cell, figure, harmless, moment, table, text};
use super::client::{Client, Where};
use super::{NOTHING, Refusal, print, say};
use crate::config::Config;

/// Containers in one question: as many as the service acts on at once.
const AT_ONCE: usize = 8;

/// List, read, start, stop, restart and remove the Docker daemon's containers
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner containers                        those that run, and those that have ended
  autotuner containers list --running --ours
  autotuner containers logs autotuner-first-task-1f2e3d4c-exp3-a1 -f
  autotuner containers stop autotuner-first-task-1f2e3d4c-exp3-a1 --timeout 30
  autotuner containers rm 9f86d081884c --force

CONTAINER is a name, an id or the beginning of one. Containers that the service has not made are for its
administrators, and only where it runs with --manage-all-containers.")]
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
    /// List containers, newest first
    #[command(after_help = "Example:\n  autotuner containers list --ours --json | jq -r '.[].name'")]
    List(ListArguments),
    /// Print what a container has printed, and follow it
    #[command(after_help = "\
Examples:
  autotuner containers logs web --tail 50 --timestamps
  autotuner containers logs web --since 2026-11-23T10:33:51Z --search 'ERROR|WARN'
  autotuner containers logs web -f --json | jq -r .l

Of an engine whose container is gone, what was kept with its experiment is printed.")]
    Logs(logs::Arguments),
    /// Start containers
    #[command(after_help = "Example:\n  autotuner containers start web")]
    Start(Which),
    /// Stop containers
    #[command(after_help = "Example:\n  autotuner containers stop web --timeout 30")]
    Stop(Patient),
    /// Restart containers
    #[command(after_help = "Example:\n  autotuner containers restart web")]
    Restart(Patient),
    /// Remove containers with their output; their volumes stay
    #[command(after_help = "Example:\n  autotuner containers rm web db --force")]
    Rm(Removal),
}

/// Which containers are listed.
#[derive(Debug, Default, clap::Args)]
struct ListArguments {
    /// Only those that run
    #[arg(long)]
    running: bool,
    /// Only those that this service has made
    #[arg(long)]
    ours: bool,
}

/// Containers.
#[derive(Debug, clap::Args)]
struct Which {
    /// The container's name, its id or the beginning of one
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

/// Containers, and how long they are given.
#[derive(Debug, clap::Args)]
struct Patient {
    #[command(flatten)]
    of: Which,
    /// Seconds that each is given to end before it is killed
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=600))]
    timeout: u32,
}

/// Containers to be removed.
#[derive(Debug, clap::Args)]
struct Removal {
    #[command(flatten)]
    of: Which,
    /// Also those that run: they are killed
    #[arg(long, short)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let Arguments { action, place, json } = arguments;
    let client = Client::reach(place, config)?;
    let act = |action: &str, of: &Which, key: &str, value: Value| {
        let mut request = Map::from_iter([("action".to_owned(), action.into())]);
        if !key.is_empty() {
            request.insert(key.to_owned(), value);
        }
        act(&client, &of.containers, request, *json)
    };
    match action {
        None => list(&client, &ListArguments::default(), *json),
        Some(Action::List(arguments)) => list(&client, arguments, *json),
        Some(Action::Logs(arguments)) => logs::run(client, arguments, *json),
        Some(Action::Start(of)) => act("start", of, "", Value::Null),
        Some(Action::Stop(Patient { of, timeout })) => act("stop", of, "timeout", json!(timeout)),
        Some(Action::Restart(Patient { of, timeout })) => act("restart", of, "timeout", json!(timeout)),
        Some(Action::Rm(Removal { of, force })) => act("remove", of, "force", json!(force)),
    }
}

fn list(client: &Client, arguments: &ListArguments, is_json: bool) -> Result<ExitCode, Refusal> {
    let path = format!("/api/docker/containers?all={}", !arguments.running);
    let mut rows = client.get(&path)?.list()?;
    if arguments.ours {
        rows.retain(|container| container["is_ours"] == true);
    }
    if is_json {
        print(&format!("{:#}", Value::Array(rows)));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        say("there are no such containers");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = rows.iter().map(|container| {
        vec![
            cell(text(container, "short_id")),
            cell(text(container, "name")),
            cell(text(container, "image")),
            cell(&state(container)),
            cell(&ports(container)),
            cell(text(container, "task_name")),
            figure(match container["experiment_id"].as_i64() {
                Some(number) => number.to_string(),
                None => String::new(),
            }),
            cell(&moment(container, "created")),
        ]
    });
    let header = ["id", "name", "image", "state", "ports", "task", "#", "created"];
    print(&table(&header, rows.collect()));
    Ok(ExitCode::SUCCESS)
}

/// `running, healthy`, `exited with 137 for want of memory`.
fn state(container: &Value) -> String {
    let state = text(container, "state");
    let is_over = matches!(state, "exited" | "dead");
    match (text(container, "health"), container["exit_code"].as_i64()) {
        (_, Some(code)) if is_over && container["out_of_memory"] == true => {
            format!("{state} with {code} for want of memory")
        }
        (_, Some(code)) if is_over => format!("{state} with {code}"),
        ("", _) => state.to_owned(),
        (health, _) => format!("{state}, {health}"),
    }
}

/// `8001→8080/tcp`.
fn ports(container: &Value) -> String {
    let ports = container["ports"].as_object().into_iter().flatten();
    let ports: Vec<String> = ports
        .map(|(inside, outside)| format!("{}→{inside}", outside.as_str().unwrap_or_default()))
        .collect();
    ports.join(", ")
}

/// Does the same with each container, and tells of each.
fn act(
    client: &Client,
    names: &[String],
    request: Map<String, Value>,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let mut results = Vec::new();
    for names in names.chunks(AT_ONCE) {
        let mut request = request.clone();
        request.insert("ids".to_owned(), json!(names));
        // What is done when they have ended takes its time, too.
        let seconds = request.get("timeout").and_then(Value::as_u64).unwrap_or_default() + 120;
        let patience = Duration::from_secs(seconds);
        let request = Value::Object(request);
        let answer = client.post_json_patiently("/api/docker/containers/bulk", &request, patience)?;
        let answer = answer.json()?;
        results.extend(answer["results"].as_array().cloned().unwrap_or_default());
    }
    let mut code = ExitCode::SUCCESS;
    for result in &results {
        let error = &result["error"];
        if result["ok"] == true {
            say(&harmless(text(result, "message")));
        } else {
            say(&format!("error: {}", harmless(text(error, "detail"))));
            code = ExitCode::from(NOTHING);
        }
        for (place, word) in [(&result["warning"], "warning"), (&error["hint"], "hint")] {
            if let Some(said) = place.as_str() {
                say(&format!("{word}: {}", harmless(said)));
            }
        }
    }
    if is_json {
        print(&format!("{:#}", Value::Array(results)));
    }
    Ok(code)
}
