//! `autotuner bench compare`

use std::path::PathBuf;
use std::process::ExitCode;

use comfy_table::Cell;
use serde_json::Value;

use super::table::titled;
use crate::cli::{Refusal, print, say};
use crate::report::bench::compare::{Comparison, Figure, Line, Summary, compare, json, read};
use crate::report::words;

/// Compare the summaries of two or more benchmarks, level by level
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A difference is called better or worse where the intervals of both summaries lie apart, and within
noise where they overlap. Without intervals it cannot be told.

Examples:
  autotuner bench --url URL --model NAME --seed 1 --output before.json
  autotuner bench --url URL --model NAME --seed 1 --output after.json
  autotuner bench compare before.json after.json
  autotuner bench compare before.json after.json --json | jq '.comparisons[0].levels[].metrics'")]
pub(super) struct Arguments {
    /// The summary to compare with
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The summaries that are compared with it, one after the other
    #[arg(value_name = "AFTER", required = true)]
    after: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    let before = open(&arguments.before)?;
    let after: Vec<Summary> = arguments.after.iter().map(open).collect::<Result<_, _>>()?;
    let comparisons: Vec<Comparison> = after.iter().map(|after| compare(&before, after)).collect();
    if arguments.json {
        let comparisons: Vec<Value> = comparisons.iter().map(json).collect();
        print(&format!("{:#}", serde_json::json!({"comparisons": comparisons})));
        return Ok(ExitCode::SUCCESS);
    }
    for (index, comparison) in comparisons.iter().enumerate() {
        if index > 0 {
            print("");
        }
        tell(comparison);
    }
    Ok(ExitCode::SUCCESS)
}

fn open(path: &PathBuf) -> Result<Summary, Refusal> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let text = format!("cannot read the summary {name}");
        Refusal::Error(anyhow::Error::new(error).context(text))
    })?;
    read(&name, &text).map_err(|why| Refusal::message(format!("cannot compare {name}: {why}")))
}

fn tell(comparison: &Comparison) {
    print(&format!("{} against {}", comparison.after, comparison.before));
    for warning in &comparison.warnings {
        say(&format!("warning: {warning}"));
    }
    for unmatched in &comparison.unmatched {
        say(&format!("note: {unmatched}"));
    }
    if comparison.levels.is_empty() {
        say("note: they have no level in common");
        return;
    }
    for level in &comparison.levels {
        let mut table = titled(&[
            &format!("{} at {}", level.scenario, level.load),
            "before",
            "after",
            "change",
            "",
        ]);
        for line in &level.lines {
            table.add_row([
                Cell::new(line.metric),
                Cell::new(figure(line, line.before)),
                Cell::new(figure(line, line.after)),
                Cell::new(line.change().map_or(String::new(), words::percent)),
                Cell::new(line.word.as_str()),
            ]);
        }
        print(&table.to_string());
    }
}

/// A figure, with its interval where there is one: `12.3 ms (12.0 ms – 12.6 ms)`.
fn figure(line: &Line, figure: Option<Figure>) -> String {
    let told = |value: f64| match line.is_time {
        true => words::duration(value),
        false => words::three_digits(value),
    };
    match figure {
        None => "none".into(),
        Some(Figure {
            value,
            interval: None,
        }) => told(value),
        Some(Figure {
            value,
            interval: Some((low, high)),
        }) => format!("{} ({} – {})", told(value), told(low), told(high)),
    }
}
