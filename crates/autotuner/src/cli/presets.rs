//! `autotuner presets`

use std::path::Path;
use std::process::ExitCode;

use autotuner_core::engine::EngineKind;
use autotuner_core::preset::{Conflict, MergeMode, Merged, Preset, Reason, export, import, merge, seeded};
use autotuner_core::problem::Problem;
use autotuner_core::space::Value;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value as Json, json};

use super::{Refusal, print, say};
use crate::report::words::counted;

/// List, show and merge presets: named values to try, ready for a task's parameters
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner presets
  autotuner presets show vllm                     the parameters, as a task file has them
  autotuner presets show vllm --json > mine.json  a file to edit and to hand on
  autotuner presets merge vllm mine.json --mode last-wins

A preset is named by its name, by the beginning of its name, or by a file (*.json).")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what presets hold
    Show {
        /// Presets by name, by the beginning of a name, or files
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Print JSON: the file of the preset, or a list of them
        #[arg(long)]
        json: bool,
    },
    /// Make one of several, in the order given, as a task's parameters
    Merge {
        /// Presets by name, by the beginning of a name, or files
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// How: the values of all, those common to all, or those of the last
        #[arg(long, value_enum, default_value_t = Mode::Union)]
        mode: Mode,
        /// Print JSON: parameters, applied presets and conflicts
        #[arg(long)]
        json: bool,
    },
}

/// How presets become one.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// Every parameter of any, with the values of all
    Union,
    /// The parameters of all, with the values that all have
    Intersection,
    /// Every parameter of any, with the values of the last that has it
    #[value(alias = "last_wins")]
    LastWins,
}

impl From<Mode> for MergeMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Union => Self::Union,
            Mode::Intersection => Self::Intersection,
            Mode::LastWins => Self::LastWins,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    match &arguments.action {
        None => list(arguments.json),
        Some(Action::Show { names, json }) => show(&found(names)?, *json || arguments.json),
        Some(Action::Merge { names, mode, json }) => {
            let presets = found(names)?;
            let all: Vec<&Preset> = presets.iter().collect();
            let merged = merge(&all, (*mode).into()).map_err(|problems| Refusal::Problems {
                of: "the merge".to_owned(),
                problems,
            })?;
            tell_merged(&merged, *json || arguments.json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(is_json: bool) {
    let presets = seeded();
    if is_json {
        let values = presets.iter().map(summary).collect();
        print(&format!("{:#}", Json::Array(values)));
        return;
    }
    for preset in &presets {
        print(&format!("{:<28} {}", preset.name, facts(preset)));
        if let Some(description) = &preset.description {
            print(&format!("  {description}"));
        }
    }
}

fn summary(preset: &Preset) -> Json {
    json!({
        "name": preset.name,
        "description": preset.description,
        "category": preset.category,
        "runtime": preset.engine.map(EngineKind::as_str),
        "is_system": preset.is_system,
        "parameters": preset.parameters.0.len(),
        "combinations": preset.combinations().and_then(|count| u64::try_from(count).ok()),
    })
}

/// For example `vllm, performance, 18 parameters, 648 combinations`.
fn facts(preset: &Preset) -> String {
    let engine = preset.engine.map_or("any engine", EngineKind::as_str);
    let category = preset.category.as_deref().map(|word| format!("{word}, "));
    let combinations = match preset.combinations() {
        Some(count) => counted(count, "combination"),
        None => "countless combinations".to_owned(),
    };
    format!(
        "{engine}, {}{}, {combinations}",
        category.unwrap_or_default(),
        counted(preset.parameters.0.len() as u128, "parameter")
    )
}

fn show(presets: &[Preset], is_json: bool) {
    if is_json {
        let value = match presets {
            [preset] => export(preset),
            several => several.iter().map(export).collect(),
        };
        print(&format!("{value:#}"));
        return;
    }
    for (index, preset) in presets.iter().enumerate() {
        if index > 0 {
            print("");
        }
        print(&format!("# {}: {}", preset.name, facts(preset)));
        if let Some(description) = &preset.description {
            print(&format!(
                "# {}",
                description.lines().collect::<Vec<_>>().join(" ")
            ));
        }
        print(preset.parameters.to_yaml().trim_end());
    }
}

fn tell_merged(merged: &Merged, is_json: bool) {
    if is_json {
        let conflicts: Vec<Json> = merged.conflicts.iter().map(conflict).collect();
        let value = json!({
            "runtime": merged.engine.map(EngineKind::as_str),
            "parameters": merged.parameters.to_json(),
            "applied_presets": merged.applied,
            "conflicts": conflicts,
        });
        print(&format!("{value:#}"));
        return;
    }
    for Conflict { parameter, reason } in &merged.conflicts {
        match reason {
            Reason::NoCommonValue => say(&format!(
                "conflict: {parameter}: no value is in all presets; it is left out"
            )),
            Reason::Overridden { by, previous, new } => say(&format!(
                "conflict: {parameter}: {} becomes {}, as \"{by}\" has it",
                list_of(previous),
                list_of(new)
            )),
        }
    }
    print(merged.parameters.to_yaml().trim_end());
}

fn conflict(conflict: &Conflict) -> Json {
    match &conflict.reason {
        Reason::NoCommonValue => json!({
            "parameter": conflict.parameter,
            "message": "No common values across all presets",
        }),
        Reason::Overridden { by, previous, new } => json!({
            "parameter": conflict.parameter,
            "overridden_by": by,
            "previous_values": values(previous),
            "new_values": values(new),
        }),
    }
}

fn values(values: &[Value]) -> Json {
    values.iter().map(Value::to_json).collect()
}

fn list_of(list: &[Value]) -> String {
    values(list).to_string()
}

/// The presets of these names, in this order.
fn found(names: &[String]) -> Result<Vec<Preset>, Refusal> {
    let known = seeded();
    names
        .iter()
        .map(|name| {
            let is_file = Path::new(name).extension().is_some_and(|end| end == "json");
            if is_file { read(name) } else { named(name, &known) }
        })
        .collect()
}

fn named(name: &str, known: &[Preset]) -> Result<Preset, Refusal> {
    let wanted = name.to_lowercase();
    if let Some(preset) = known.iter().find(|preset| preset.name.to_lowercase() == wanted) {
        return Ok(preset.clone());
    }
    let begins = |preset: &&Preset| preset.name.to_lowercase().starts_with(&wanted);
    let near: Vec<&Preset> = known.iter().filter(begins).collect();
    if let ([preset], false) = (near.as_slice(), wanted.is_empty()) {
        return Ok((*preset).clone());
    }
    let names: Vec<String> = known
        .iter()
        .map(|preset| format!("\"{}\"", preset.name))
        .collect();
    Err(Refusal::message(format!(
        "no preset is called \"{name}\"; known are {}, and a file's name ends in .json",
        names.join(", ")
    )))
}

/// The preset in a file, if there is nothing wrong with it; warnings are told.
fn read(name: &str) -> Result<Preset, Refusal> {
    let refuse = |problems: Vec<Problem>| Refusal::Problems {
        of: name.to_owned(),
        problems,
    };
    let text = std::fs::read_to_string(name).map_err(|error| {
        Refusal::Error(anyhow::Error::new(error).context(format!("cannot read the preset file {name}")))
    })?;
    let json: Json = serde_json::from_str(&text)
        .map_err(|error| refuse(vec![Problem::new("", format!("not valid JSON: {error}"))]))?;
    let preset = import(&json).map_err(refuse)?;
    let found = preset.check();
    for warning in &found.warnings {
        say(&format!("warning: {name}: {warning}"));
    }
    if found.problems.is_empty() {
        Ok(preset)
    } else {
        Err(refuse(found.problems))
    }
}
