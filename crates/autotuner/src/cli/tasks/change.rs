//! Making, starting, ending and removing tasks.

use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotuner_core::spec::Format;
use serde_json::Value;

use super::{find, id_of, wait};
use crate::cli::client::paper::{harmless, text, whole};
use crate::cli::client::{Client, Trouble};
use crate::cli::{NOTHING, Refusal, print, say};
use crate::report::words::counted;

/// What a task is made of.
#[derive(Debug, clap::Args)]
pub(super) struct CreateArguments {
    /// Task file, YAML (.yaml, .yml) or JSON; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Start it at once
    #[arg(long)]
    start: bool,
    /// With --start: watch it to its end, and exit as `run` does
    #[arg(long, short, requires = "start")]
    wait: bool,
}

/// What to start.
#[derive(Debug, clap::Args)]
pub(super) struct StartArguments {
    /// The task's id or name
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<String>,
    /// Watch to the end, and exit as `run` does
    #[arg(long, short)]
    wait: bool,
}

/// What to change.
#[derive(Debug, clap::Args)]
pub(super) struct ChangeArguments {
    /// The task's id or name
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn create(
    client: Client,
    arguments: &CreateArguments,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    needs_a_service(&client, arguments.wait)?;
    let (text, format) = document(&arguments.file)?;
    let kind = match format {
        Format::Json => "application/json",
        Format::Yaml => "application/yaml",
    };
    let mut task = client.post_text("/api/tasks", kind, text)?.json()?;
    say(&format!("created {}", named(&task)));
    if arguments.start {
        task = started(&client, &task)?;
    }
    if arguments.wait {
        return wait::watch(client, vec![task], is_json);
    }
    if is_json {
        print(&format!("{task:#}"));
    } else {
        print(&id_of(&task).to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// A task file's text and how it is written.
fn document(file: &Path) -> Result<(String, Format), Refusal> {
    let is_piped = file == Path::new("-");
    let (of, read) = match is_piped {
        true => ("standard input".to_owned(), std::io::read_to_string(stdin())),
        false => (file.display().to_string(), std::fs::read_to_string(file)),
    };
    let text = read.map_err(|error| {
        Refusal::Error(anyhow::Error::new(error).context(format!("cannot read the task file {of}")))
    })?;
    let format = match is_piped {
        true if text.trim_start().starts_with('{') => Format::Json,
        true => Format::Yaml,
        false => Format::from_file_name(&of),
    };
    Ok((text, format))
}

pub(super) fn start(client: Client, arguments: &StartArguments, is_json: bool) -> Result<ExitCode, Refusal> {
    needs_a_service(&client, arguments.wait)?;
    let (tasks, code) = each(&client, &arguments.tasks, |task| {
        started(&client, task).map(Some).map_err(Refusal::from)
    });
    // What could be started is watched even where something else could not.
    if arguments.wait && !tasks.is_empty() {
        let watched = wait::watch(client, tasks, is_json)?;
        return Ok(if code == ExitCode::SUCCESS { watched } else { code });
    }
    told(tasks, is_json);
    Ok(code)
}

/// Without a service nothing ever ends.
fn needs_a_service(client: &Client, is_to_wait: bool) -> Result<(), Refusal> {
    match is_to_wait && !client.is_live() {
        true => Err(Refusal::message(
            "no service runs that could be waited for; start one with: autotuner serve",
        )),
        false => Ok(()),
    }
}

fn started(client: &Client, task: &Value) -> Result<Value, Trouble> {
    let task = acted(client, task, "start")?;
    match client.is_live() {
        true => say(&format!("started {}", named(&task))),
        false => say(&format!(
            "started {}: no service runs now, so it begins when autotuner serve does",
            named(&task)
        )),
    }
    Ok(task)
}

pub(super) fn cancel(
    client: &Client,
    arguments: &ChangeArguments,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let (tasks, code) = each(client, &arguments.tasks, |task| {
        let is_running = text(task, "status") == "running";
        if is_running && !arguments.yes && !agreed(&format!("Cancel {}?", named(task))) {
            return Ok(None);
        }
        let task = acted(client, task, "cancel")?;
        match text(&task, "status") {
            "running" => say(&format!("cancelling {}: its engine is torn down", named(&task))),
            _ => say(&format!("cancelled {}", named(&task))),
        }
        Ok(Some(task))
    });
    told(tasks, is_json);
    Ok(code)
}

pub(super) fn restart(
    client: &Client,
    arguments: &ChangeArguments,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let (tasks, code) = each(client, &arguments.tasks, |task| {
        let question = format!(
            "Make {} ready for another run? Its results move to the run history.",
            named(task)
        );
        if text(task, "status") == "completed" && !arguments.yes && !agreed(&question) {
            return Ok(None);
        }
        let task = acted(client, task, "restart")?;
        say(&format!(
            "{} is {} again; autotuner tasks start {} starts it",
            named(&task),
            text(&task, "status"),
            id_of(&task)
        ));
        Ok(Some(task))
    });
    told(tasks, is_json);
    Ok(code)
}

pub(super) fn remove(
    client: &Client,
    arguments: &ChangeArguments,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    if !arguments.yes && !can_ask() {
        return Err(Refusal::message(
            "removing a task removes its results; pass --yes where nobody can be asked",
        ));
    }
    let (tasks, code) = each(client, &arguments.tasks, |task| {
        let count = whole(task, "total_experiments").unsigned_abs();
        let question = format!(
            "Remove {} for good, with its log and {}?",
            named(task),
            counted(count.into(), "experiment")
        );
        if !arguments.yes && !agreed(&question) {
            return Ok(None);
        }
        client.delete(&format!("/api/tasks/{}", id_of(task)))?;
        say(&format!("removed {}", named(task)));
        Ok(Some(task.clone()))
    });
    if is_json {
        let ids: Vec<Value> = tasks.iter().map(|task| task["id"].clone()).collect();
        print(&format!("{:#}", serde_json::json!({ "removed": ids })));
    }
    Ok(code)
}

fn acted(client: &Client, task: &Value, verb: &str) -> Result<Value, Trouble> {
    client.post(&format!("/api/tasks/{}/{verb}", id_of(task)))?.json()
}

/// Does the same with each task and goes on where it is refused. What was done is given back,
/// with the exit code of the whole; `None` stands for what a person did not want.
fn each(
    client: &Client,
    words: &[String],
    mut act: impl FnMut(&Value) -> Result<Option<Value>, Refusal>,
) -> (Vec<Value>, ExitCode) {
    let mut done = Vec::new();
    let mut worst = 0;
    for word in words {
        let result = find(client, word)
            .map_err(Refusal::from)
            .and_then(|task| act(&task));
        match result {
            Ok(Some(task)) => done.push(task),
            Ok(None) => {
                say("left as it is");
                worst = worst.max(NOTHING);
            }
            Err(refusal) => {
                refusal.tell();
                worst = worst.max(refusal.code());
            }
        }
    }
    (done, ExitCode::from(worst))
}

/// The tasks as JSON: one alone, several as a list.
pub(super) fn told(tasks: Vec<Value>, is_json: bool) {
    if !is_json {
        return;
    }
    match <[Value; 1]>::try_from(tasks) {
        Ok([task]) => print(&format!("{task:#}")),
        Err(tasks) => print(&format!("{:#}", Value::Array(tasks))),
    }
}

/// A task for people: `task 3 "first-task"`.
fn named(task: &Value) -> String {
    format!("task {} \"{}\"", id_of(task), harmless(text(task, "task_name")))
}

/// Whether there is a person to ask.
fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks a person; where there is none, what the command line says is enough.
fn agreed(question: &str) -> bool {
    if !can_ask() {
        return true;
    }
    let mut talk = stderr();
    drop(write!(talk, "{question} [y/N] ").and_then(|()| talk.flush()));
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
