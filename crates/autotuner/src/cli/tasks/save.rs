//! What leaves the service as a file: a task's document, its results.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;

use super::list::{experiments_of, experiments_table};
use super::{DocumentFormat, Output, find, id_of};
use crate::cli::client::{Answer, Client};
use crate::cli::{Refusal, print, say};

/// Which task, and how.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArguments {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
    /// How to write it [default: by the file's name, else YAML]
    #[arg(long, value_enum)]
    format: Option<DocumentFormat>,
    #[command(flatten)]
    output: Output,
}

/// Which results, and how.
#[derive(Debug, clap::Args)]
pub(super) struct ResultsArguments {
    /// The task's id or name
    #[arg(value_name = "TASK")]
    task: String,
    /// How to write them [default: by the file's name, else a table]
    #[arg(long, value_enum)]
    format: Option<ResultsFormat>,
    #[command(flatten)]
    output: Output,
}

/// How results are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ResultsFormat {
    /// For people
    Table,
    /// The results file, as `run` writes it
    Json,
    /// A line an experiment
    Csv,
}

pub(super) fn export(
    client: &Client,
    arguments: &ExportArguments,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let named = by_name(arguments.output.output.as_deref(), |end| match end {
        "json" => Some(DocumentFormat::Json),
        _ => None,
    });
    let format = arguments
        .format
        .or(is_json.then_some(DocumentFormat::Json))
        .or(named);
    let word = match format {
        Some(DocumentFormat::Json) => "json",
        Some(DocumentFormat::Yaml) | None => "yaml",
    };
    let id = id_of(&find(client, &arguments.task)?);
    let answer = client.get(&format!("/api/tasks/{id}/export?format={word}"))?;
    deliver(&answer, arguments.output.output.as_deref())
}

pub(super) fn results(
    client: &Client,
    arguments: &ResultsArguments,
    is_json: bool,
) -> Result<ExitCode, Refusal> {
    let output = arguments.output.output.as_deref();
    let named = by_name(output, |end| match end {
        "json" => Some(ResultsFormat::Json),
        "csv" => Some(ResultsFormat::Csv),
        _ => None,
    });
    let format = arguments
        .format
        .or(is_json.then_some(ResultsFormat::Json))
        .or(named);
    let task = find(client, &arguments.task)?;
    let id = id_of(&task);
    let word = match format.unwrap_or(ResultsFormat::Table) {
        ResultsFormat::Json => "json",
        ResultsFormat::Csv => "csv",
        ResultsFormat::Table => {
            let experiments = experiments_of(client, id)?;
            if experiments.is_empty() {
                say("nothing was measured yet");
                return Ok(ExitCode::SUCCESS);
            }
            let table = experiments_table(&task, &experiments);
            match output {
                Some(path) => write(path, format!("{table}\n").as_bytes())?,
                None => print(&table),
            }
            return Ok(ExitCode::SUCCESS);
        }
    };
    let answer = client.get(&format!("/api/tasks/{id}/results?format={word}"))?;
    deliver(&answer, output)
}

fn by_name<T>(output: Option<&Path>, format: impl Fn(&str) -> Option<T>) -> Option<T> {
    format(&output?.extension()?.to_str()?.to_lowercase())
}

/// Passes an answer on as it came.
pub(in crate::cli) fn deliver(answer: &Answer, output: Option<&Path>) -> Result<ExitCode, Refusal> {
    match output {
        Some(path) => write(path, answer.bytes())?,
        None => print(String::from_utf8_lossy(answer.bytes()).trim_end_matches('\n')),
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| {
        Refusal::Error(anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
    })?;
    say(&format!("written: {}", path.display()));
    Ok(())
}
