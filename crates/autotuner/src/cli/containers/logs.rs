//! What a container has printed, and what it goes on to print.
//!
//! A log is followed by events with names, since they say what no line can: that the container
//! has ended, and where lines may be missing.

use std::process::ExitCode;

use serde_json::Value;

use crate::cli::client::follow::{self, Reader, tell};
use crate::cli::client::interrupt::unless_stopped;
use crate::cli::client::paper::{harmless, text};
use crate::cli::client::sse::Event;
use crate::cli::client::{Client, encoded};
use crate::cli::{CANCELLED, Refusal, print, say};

/// Which log, and how much of it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The container's name, its id or the beginning of one
    #[arg(value_name = "CONTAINER")]
    container: String,
    #[command(flatten)]
    part: Part,
}

/// How much of a log, and how it is shown.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Part {
    /// Go on with what it prints, until it ends or Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// So many of the last lines, 100000 at most [default: 1000, and 500 before what follows]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    tail: Option<u32>,
    /// Only what was printed at this time or later: RFC 3339, or seconds since the Unix epoch
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "REGEX", conflicts_with = "follow")]
    search: Option<String>,
    /// Begin each line with its time
    #[arg(long, short)]
    timestamps: bool,
}

pub(super) fn run(client: Client, arguments: &Arguments, is_json: bool) -> Result<ExitCode, Refusal> {
    let log = format!("/api/docker/containers/{}/logs", encoded(&arguments.container));
    show(client, &log, &arguments.part, is_json)
}

/// Prints a part of the log that is there, and follows it.
pub(in crate::cli) fn show(
    client: Client,
    log: &str,
    arguments: &Part,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let path = path(log, arguments);
    if arguments.follow {
        return follow(client, path, is_json, arguments.timestamps);
    }
    let answer = client.get(&path)?.json()?;
    if answer["is_preserved"] == true {
        say("the container is gone: this is what was kept of its output");
    }
    if is_json {
        print(&format!("{answer:#}"));
    } else {
        let log = text(&answer, "logs");
        if !log.is_empty() {
            tell(log.strip_suffix('\n').unwrap_or(log));
        }
    }
    if answer["is_cut"] == true && arguments.tail.is_none() {
        say("older lines are left out; --tail N prints more");
    }
    if let Some(complaint) = answer["complaint"].as_str() {
        say(&format!("warning: lines are missing: {}", harmless(complaint)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The question, with what was said and nothing else.
fn path(log: &str, arguments: &Part) -> String {
    let mut asked = Vec::new();
    if let Some(tail) = arguments.tail {
        asked.push(format!("tail={tail}"));
    }
    for (name, value) in [("since", &arguments.since), ("search", &arguments.search)] {
        if let Some(value) = value {
            asked.push(format!("{name}={}", encoded(value)));
        }
    }
    if arguments.follow {
        asked.push("follow=true&batch=true".to_owned());
    } else if arguments.timestamps {
        asked.push("timestamps=true".to_owned());
    }
    format!("{log}?{}", asked.join("&"))
}

fn follow(client: Client, path: String, is_json: bool, is_stamped: bool) -> Result<ExitCode, Refusal> {
    if !client.is_live() {
        return Err(Refusal::message(
            "no service runs, and only one that runs follows such a log; start it with: autotuner serve",
        ));
    }
    let followed = unless_stopped(move || {
        let mut client = client;
        follow::follow(&mut client, &path, &mut Lines { is_json, is_stamped })
    })?;
    match followed {
        Some(result) => result.map(|()| ExitCode::SUCCESS).map_err(Refusal::from),
        None => Ok(ExitCode::from(CANCELLED)),
    }
}

/// A log as it comes.
struct Lines {
    is_json: bool,
    is_stamped: bool,
}

impl Lines {
    fn show_line(&self, line: &Value) {
        match (self.is_json, self.is_stamped) {
            (true, _) => print(&line.to_string()),
            (false, true) => tell(&format!("{} {}", text(line, "t"), text(line, "l"))),
            (false, false) => tell(text(line, "l")),
        }
    }
}

impl Reader for Lines {
    fn show(&mut self, event: &Event) -> bool {
        let data = event.data.as_deref().unwrap_or_default();
        let data: Value = serde_json::from_str(data).unwrap_or_default();
        match event.name.as_deref() {
            Some("log") => {
                let lines = data.as_array().into_iter().flatten();
                lines.for_each(|line| self.show_line(line));
                false
            }
            Some("gap") => {
                let reason = harmless(text(&data, "reason"));
                say(&format!("warning: lines may be missing: {reason}"));
                false
            }
            Some("life") => match text(&data, "life") {
                "stopped" | "removed" => true,
                "daemon_away" => {
                    say("the Docker daemon does not answer; waiting for it");
                    false
                }
                _ => false,
            },
            Some("end") => true,
            _ => false,
        }
    }

    /// The service says it.
    fn is_over(&self, _: &Client) -> bool {
        false
    }
}
