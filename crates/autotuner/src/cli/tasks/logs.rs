//! A task's log, whole or as it grows.

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{find, id_of};
use crate::cli::client::interrupt::unless_stopped;
use crate::cli::client::paper::{harmless, text};
use crate::cli::client::sse::{Events, Sign};
use crate::cli::client::{Client, Trouble};
use crate::cli::session::context;
use crate::cli::{CANCELLED, Refusal, print, say};

/// Pause before the first further attempt; each one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Longest time without a connection before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);

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

/// A part of a log. A terminal gets text and nothing else; a file gets what was written.
fn tell(lines: &str) {
    match std::io::stdout().is_terminal() {
        true => print(&harmless(lines)),
        false => print(lines),
    }
}

fn follow(client: Client, id: i64, path: String, is_json: bool) -> Result<ExitCode, Refusal> {
    let followed = unless_stopped(move || {
        let mut client = client;
        Follower {
            id,
            path: format!("{path}?follow=true"),
            is_json,
            last: None,
        }
        .run(&mut client)
    })?;
    match followed {
        Some(result) => result.map(|()| ExitCode::SUCCESS).map_err(Refusal::from),
        None => Ok(ExitCode::from(CANCELLED)),
    }
}

/// Follows a log over as many connections as it takes.
struct Follower {
    id: i64,
    path: String,
    is_json: bool,
    /// The last event that was shown.
    last: Option<String>,
}

impl Follower {
    fn run(&mut self, client: &mut Client) -> Result<(), Trouble> {
        let mut was_connected = false;
        let mut pause = FIRST_PAUSE;
        let mut since = Instant::now();
        loop {
            match client.stream(&self.path, self.last.as_deref()) {
                Ok(None) => return Ok(()),
                Ok(Some(stream)) => {
                    was_connected = true;
                    let before = self.last.clone();
                    if self.read(Events::new(stream), client) {
                        return Ok(());
                    }
                    if self.last != before {
                        pause = FIRST_PAUSE;
                    }
                    since = Instant::now();
                }
                Err(trouble) if was_connected && trouble.is_passing() && since.elapsed() < PATIENCE => {
                    if pause == FIRST_PAUSE {
                        say(&format!("{trouble}; trying again"));
                    }
                }
                Err(trouble) => return Err(trouble),
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            client.look_again();
        }
    }

    /// Shows what comes. Whether nothing will come any more.
    ///
    /// The service goes on with a log for ever, since a task may be started again. It shows that
    /// it is alive once there was nothing to say for a while, and only then is it asked whether
    /// the task has ended: nothing that was written before its end is left out.
    fn read(&mut self, mut events: Events, client: &Client) -> bool {
        loop {
            match events.next() {
                Ok(Some(Sign::Event(event))) => {
                    if let (None, Some(line)) = (&event.name, &event.data) {
                        self.show(line);
                    }
                    if event.id.is_some() {
                        self.last = event.id;
                    }
                }
                Ok(Some(Sign::Alive) | None) if self.is_over(client) => return true,
                Ok(Some(Sign::Alive)) => {}
                Ok(None) | Err(_) => return false,
            }
        }
    }

    fn show(&self, line: &str) {
        match self.is_json {
            true => print(&serde_json::json!({ "line": line }).to_string()),
            false => tell(line),
        }
    }

    /// Whether nothing will be added any more. Who cannot say is asked again later.
    fn is_over(&self, client: &Client) -> bool {
        let task = find(client, &self.id.to_string());
        task.is_ok_and(|task| has_ended(&task))
    }
}
