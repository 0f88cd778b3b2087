//! `autotuner validate`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotuner_core::problem::Problem;
use autotuner_core::space::Size;
use autotuner_core::spec::{Format, Parsed, TaskSpec};
use autotuner_core::task::Task;
use serde_json::{Value, json};

use super::{Refusal, WRONG, print};
use crate::report::words::counted;
use crate::worker::preflight::cannot_run_yet;

/// Check task files, telling every problem with its place
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner validate task.yaml
  autotuner tune MODEL --print | autotuner validate -
  autotuner validate --json examples/*.json | jq '.[] | select(.valid | not)'")]
pub(super) struct Arguments {
    /// Task files, YAML (.yaml, .yml) or JSON; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A task file that has been read.
pub(super) struct Loaded {
    /// The task.
    pub(super) task: Task,
    /// What it was read from.
    pub(super) spec: TaskSpec,
    /// What was accepted but is worth saying.
    pub(super) warnings: Vec<Problem>,
}

/// Reads and checks one task file.
///
/// # Errors
/// It cannot be read, or has problems.
pub(super) fn load(path: &Path) -> Result<Loaded, Refusal> {
    let is_piped = path == Path::new("-");
    let of = if is_piped {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let read = if is_piped {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    let text = read.map_err(|error| {
        let cause = match error.kind() {
            std::io::ErrorKind::InvalidData => anyhow::Error::msg("it is no text in UTF-8"),
            _ => anyhow::Error::new(error),
        };
        Refusal::Error(cause.context(format!("cannot read the task file {of}")))
    })?;
    let refuse = |problems| Refusal::Problems {
        of: of.clone(),
        problems,
    };
    let Parsed { spec, warnings } = TaskSpec::parse(&text, format(&of, is_piped, &text)).map_err(refuse)?;
    let task = spec
        .resolve()
        .map_err(|problems| Refusal::Problems { of, problems })?;
    Ok(Loaded { task, spec, warnings })
}

/// By the file's name, or by how the text begins where there is none.
fn format(name: &str, is_piped: bool, text: &str) -> Format {
    match is_piped {
        true if text.trim_start().starts_with('{') => Format::Json,
        true => Format::Yaml,
        false => Format::from_file_name(name),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    let results: Vec<(&Path, Result<Loaded, Refusal>)> = arguments
        .files
        .iter()
        .map(|path| (path.as_path(), load(path)))
        .collect();
    if arguments.json {
        let values: Vec<Value> = results.iter().map(|(path, result)| value(path, result)).collect();
        print(&format!("{:#}", Value::Array(values)));
    } else {
        for (path, result) in &results {
            tell(path, result);
        }
    }
    let is_sound = results.iter().all(|(_, result)| result.is_ok());
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(WRONG)
    })
}

fn tell(path: &Path, result: &Result<Loaded, Refusal>) {
    let path = path.display();
    match result {
        Ok(Loaded { task, warnings, .. }) => {
            print(&format!("{path}: ok, {}", summary(task)));
            for warning in warnings {
                print(&format!("  warning: {warning}"));
            }
            for problem in cannot_run_yet(task) {
                print(&format!("  cannot run yet: {problem}"));
            }
        }
        Err(Refusal::Problems { problems, .. }) => {
            print(&format!("{path}: {}", counted(problems.len() as u128, "problem")));
            for problem in problems {
                print(&format!("  {problem}"));
            }
        }
        Err(Refusal::Error(error)) => print(&format!("{path}: {error:#}")),
        // Neither comes of a file.
        Err(Refusal::Cancelled | Refusal::Service(_)) => print(&format!("{path}: cancelled")),
    }
}

/// For example `sim on local, 2 parameters, 6 configurations, grid_search of at most 6 experiments,
/// at most 3 repetitions of the best, 1 level each`.
pub(super) fn summary(task: &Task) -> String {
    let configurations = match task.space.size() {
        Size::Finite(size) => counted(size, "configuration"),
        Size::Infinite => "endlessly many configurations".into(),
    };
    let again = match task.most_replicates() {
        0 => String::new(),
        most => format!(
            "at most {} of the best, ",
            counted(u128::from(most), "repetition")
        ),
    };
    format!(
        "{} on {}, {}, {configurations}, {} of at most {}, {again}{} each",
        task.engine.as_str(),
        task.deployment.as_str(),
        counted(task.space.parameters().len() as u128, "parameter"),
        task.search.strategy.as_str(),
        counted(u128::from(task.search.max_iterations), "experiment"),
        counted(task.workload.level_count() as u128, "level"),
    )
}

fn value(path: &Path, result: &Result<Loaded, Refusal>) -> Value {
    let list = |problems: &[Problem]| -> Value {
        problems
            .iter()
            .map(|problem| json!({"path": problem.path, "message": problem.message, "hint": problem.hint}))
            .collect()
    };
    match result {
        Ok(Loaded { task, warnings, .. }) => json!({
            "file": path,
            "valid": true,
            "task_name": task.name,
            "space_size": match task.space.size() {
                Size::Finite(size) => json!(u64::try_from(size).ok()),
                Size::Infinite => Value::Null,
            },
            "warnings": list(warnings),
            "cannot_run_yet": list(&cannot_run_yet(task)),
            "problems": [],
        }),
        Err(Refusal::Problems { problems, .. }) => {
            json!({"file": path, "valid": false, "problems": list(problems)})
        }
        Err(refusal) => {
            let message = match refusal {
                Refusal::Error(error) => format!("{error:#}"),
                _ => "cancelled".to_owned(),
            };
            json!({
                "file": path,
                "valid": false,
                "problems": [{"path": "", "message": message, "hint": null}],
            })
        }
    }
}
