//! A task's log, whole or as it grows.

use std::io::{BufRead as _, BufReader};
use std::process::ExitCode;

use serde_json::Value;

use super::{find, id_of};
use crate::cli::client::Client;
use crate::cli::client::follow::{self, Reader, tell};
use crate::cli::client::interrupt::unless_stopped;
use crate::cli::client::paper::text;
use crate::cli::client::sse::Event;
use crate::cli::session::context;
use crate::cli::{CANCELLED, Refusal, print, say};

/// Which log, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
    /// Go on with what is added, until the task ends or Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// What the engine of this experiment of the current run printed
    #[arg(long, short, value_name = "N")]
    experiment: Option<u32>,
}

pub(super) fn run(client: Client, arguments: &Arguments, is_json: bool) -> Result<ExitCode, Refusal> {
    let task = find(&client, &arguments.task)?;
    let id = id_of(&task);
    let path = match arguments.experiment {
        Some(number) => format!("/api/tasks/{id}/experiments/{number}/logs"),
        None => format!("/api/tasks/{id}/logs"),
    };
    let is_over = has_ended(&task);
    if arguments.follow && client.is_live() && !is_over {
        return follow(client, id, path, is_json);
    }
    if is_json {
        print(&format!("{:#}", client.get(&path)?.json()?));
    } else {
        whole(&client, &path)?;
    }
    if arguments.follow {
        say(match is_over {
            true => "the task has ended: nothing is added",
            false => "no service runs: nothing is added",
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole log, however long it is.
fn whole(client: &Client, path: &str) -> Result<(), Refusal> {
    let log = match client.read(&format!("{path}/download")) {
        Ok(log) => log,
        // There is none, or there is no such thing; the text in its place tells which.
        Err(trouble) if trouble.is_not_found() => {
            let answer = client.get(path)?.json()?;
            say(text(&answer, "logs").trim_end());
            return Ok(());
        }
        Err(trouble) => return Err(trouble.into()),
    };
    let mut lines = BufReader::new(log);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        match read.map_err(context("the log was cut off"))? {
            0 => return Ok(()),
            _ => tell(String::from_utf8_lossy(&line).trim_end_matches('\n')),
        }
    }
}

/// Whether nothing is added to a task's log any more.
fn has_ended(task: &Value) -> bool {
    !matches!(text(task, "status"), "running" | "pending")
}

fn follow(client: Client, id: i64, path: String, is_json: bool) -> Result<ExitCode, Refusal> {
    let followed = unless_stopped(move || {
        let mut client = client;
        follow::follow(
            &mut client,
            &format!("{path}?follow=true"),
            &mut Lines { id, is_json },
        )
    })?;
    match followed {
        Some(result) => result.map(|()| ExitCode::SUCCESS).map_err(Refusal::from),
        None => Ok(ExitCode::from(CANCELLED)),
    }
}

/// A task's log as it comes.
struct Lines {
    id: i64,
    is_json: bool,
}

impl Reader for Lines {
    fn show(&mut self, event: &Event) -> bool {
        if let (None, Some(line)) = (&event.name, &event.data) {
            match self.is_json {
                true => print(&serde_json::json!({ "line": line }).to_string()),
                false => tell(line),
            }
        }
        false
    }

    /// The service goes on with a log for ever, since a task may be started again.
    fn is_over(&self, client: &Client) -> bool {
        let task = find(client, &self.id.to_string());
        task.is_ok_and(|task| has_ended(&task))
    }
}
