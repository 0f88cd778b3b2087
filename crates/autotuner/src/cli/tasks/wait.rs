//! Watching tasks to their end.
//!
//! The service is asked again and again rather than listened to: what it says of a task is the
//! truth, and a connection that breaks for a moment costs nothing.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::list::{experiments_of, found_out, parameters, value};
use super::{find, id_of};
use crate::cli::client::interrupt::unless_stopped;
use crate::cli::client::paper::{harmless, text, whole};
use crate::cli::client::{Client, Trouble};
use crate::cli::{CANCELLED, NOTHING, Refusal, print, say};

/// Pause before the second question; each one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(125);

/// Longest pause between two questions.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest time without an answer before it is given up: a service that is started anew with
/// many tasks is there well before.
const PATIENCE: Duration = Duration::from_secs(120);

/// Watches tasks until each has ended, and gives the exit code that `run` would.
///
/// # Errors
/// The service refuses, or is away for too long.
pub(super) fn watch(client: Client, tasks: Vec<Value>, is_json: bool) -> Result<ExitCode, Refusal> {
    let ids: Vec<String> = tasks.iter().map(|task| id_of(task).to_string()).collect();
    let watched = unless_stopped(move || {
        let mut client = client;
        let mut worst = 0;
        let mut ended = Vec::new();
        for task in tasks {
            let task = to_the_end(&mut client, &task)?;
            worst = worst.max(code(&task));
            if !is_json {
                tell(&client, &task)?;
            }
            ended.push(task);
        }
        super::change::told(ended, is_json);
        Ok::<_, Trouble>(ExitCode::from(worst))
    })?;
    match watched {
        Some(code) => Ok(code?),
        None => {
            let ids = ids.join(" ");
            say(&format!(
                "no longer watching; it goes on, and autotuner tasks cancel {ids} ends it"
            ));
            Ok(ExitCode::from(CANCELLED))
        }
    }
}

fn code(task: &Value) -> u8 {
    match text(task, "status") {
        "completed" => 0,
        "cancelled" => CANCELLED,
        _ => NOTHING,
    }
}

/// The task, once it has ended. Experiments are told as they end.
fn to_the_end(client: &mut Client, task: &Value) -> Result<Value, Trouble> {
    let word = id_of(task).to_string();
    let mut told = HashSet::new();
    let mut counts = None;
    let mut waits_for = String::new();
    let mut pause = FIRST_PAUSE;
    loop {
        let task = patiently(client, |client| find(client, &word))?;
        let reason = text(&task, "waiting_for");
        if reason != waits_for && !reason.is_empty() {
            say(&format!("waiting for {}", harmless(reason)));
        }
        reason.clone_into(&mut waits_for);
        let now = (
            whole(&task, "total_experiments"),
            whole(&task, "successful_experiments"),
            text(&task, "status").to_owned(),
        );
        let has_ended = !matches!(now.2.as_str(), "running" | "pending");
        if counts.as_ref() != Some(&now) {
            let experiments = patiently(client, |client| experiments_of(client, id_of(&task)))?;
            tell_ended(&experiments, &mut told);
            counts = Some(now);
        }
        // A task that somebody made ready for another run is nobody's to wait for.
        if has_ended || text(&task, "status") == "pending" {
            return Ok(task);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

/// Asks until there is an answer.
fn patiently<T>(
    client: &mut Client,
    mut ask: impl FnMut(&Client) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        match ask(client) {
            Err(trouble) if trouble.is_passing() && begun.elapsed() < PATIENCE => {
                if !is_told {
                    say(&format!("{trouble}; trying again"));
                    is_told = true;
                }
                std::thread::sleep(PAUSE);
                client.look_again();
            }
            answer => return answer,
        }
    }
}

fn tell_ended(experiments: &[Value], told: &mut HashSet<i64>) {
    for experiment in experiments {
        let number = whole(experiment, "experiment_id");
        let line = match text(experiment, "status") {
            "success" => value(experiment),
            "failed" => {
                let kind = text(experiment, "failure_kind").replace('_', " ");
                let why = text(experiment, "error_message")
                    .lines()
                    .next()
                    .unwrap_or_default();
                format!("{kind}: {why}")
            }
            _ => continue,
        };
        if told.insert(number) {
            let line = format!("[{number}] {}: {line}", parameters(experiment));
            say(&harmless(&line));
        }
    }
}

/// What came of it, as after a run.
fn tell(client: &Client, task: &Value) -> Result<(), Trouble> {
    let id = id_of(task);
    found_out(task, &experiments_of(client, id)?);
    if task["best_experiment_id"].is_i64() {
        match client.get(&format!("/api/tasks/{id}/best?format=command")) {
            Ok(answer) => print(&format!(
                "Best command: {}",
                String::from_utf8_lossy(answer.bytes()).trim_end()
            )),
            Err(trouble) => trouble.tell(),
        }
    }
    let because = match text(task, "ended_because") {
        "" => String::new(),
        because => format!(" because {}", harmless(because)),
    };
    say(&format!("task {id} ended {}{because}", text(task, "status")));
    Ok(())
}
