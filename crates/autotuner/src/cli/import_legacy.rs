//! `autotuner import-legacy`

mod convert;

use std::path::PathBuf;
use std::process::ExitCode;

use autotuner_core::preset::seeded;
use autotuner_store::legacy::{self, LegacyContents, LegacyPreset, LegacyTask};
use autotuner_store::{Act, Database, Role, StoreError};
use serde_json::{Value, json};

use super::client::paper::harmless;
use super::db::{look_at, work_on};
use super::{Refusal, print, runtime, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::report::words::counted;
use convert::{Converted, made_at_ms, names};

/// Take over tasks, experiments and presets of the original Python system
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner import-legacy ~/.local/share/autotuner/autotuner.db --dry-run
  autotuner import-legacy old/autotuner.db --minutes

FILE is the original's SQLite database; it is only read. What was imported once is not imported again.
End the service of this data directory first.")]
pub(super) struct Arguments {
    /// The original's database
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would be imported
    #[arg(long)]
    dry_run: bool,
    /// Take benchmark.max_time_per_iteration for minutes, which the original's load generator
    /// did, and not for the seconds that its pages named
    #[arg(long)]
    minutes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What becomes of one task or preset.
struct Outcome {
    what: &'static str,
    name: String,
    /// Under which name it is kept; not imported when `None`.
    imported_as: Option<String>,
    status: Option<&'static str>,
    experiments: usize,
    /// Why it is left out.
    skipped_because: Option<String>,
    is_startable: bool,
    has_time: bool,
    notes: Vec<String>,
}

impl Outcome {
    fn skipped(what: &'static str, name: &str, because: impl Into<String>) -> Self {
        Self {
            what,
            name: name.to_owned(),
            imported_as: None,
            status: None,
            experiments: 0,
            skipped_because: Some(because.into()),
            is_startable: false,
            has_time: false,
            notes: Vec::new(),
        }
    }

    fn json(&self) -> Value {
        let Self {
            what: _,
            name,
            imported_as,
            status,
            experiments,
            skipped_because,
            is_startable,
            has_time: _,
            notes,
        } = self;
        json!({
            "name": name,
            "imported_as": imported_as,
            "status": status,
            "experiments": experiments,
            "skipped_because": skipped_because,
            "can_be_started": is_startable,
            "notes": notes,
        })
    }
}

/// Where things go: a database, or nowhere, where only what would happen is told.
enum Target {
    Kept(Database),
    /// What would be there: the database as it is, if there is one.
    Tried(Option<Database>),
}

impl Target {
    fn database(&self) -> Option<&Database> {
        match self {
            Self::Kept(database) => Some(database),
            Self::Tried(database) => database.as_ref(),
        }
    }
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    runtime()?.block_on(async {
        let contents = legacy::read(&arguments.file).await.map_err(anyhow::Error::from)?;
        let outcomes = match arguments.dry_run {
            true => {
                let there = look_at(config).await?;
                take_over(&contents, &Target::Tried(there), arguments.minutes).await?
            }
            false => {
                let (_ours, database) = work_on(config).await?;
                let target = Target::Kept(database);
                let outcomes = take_over(&contents, &target, arguments.minutes).await;
                if let Some(database) = target.database() {
                    database.close().await;
                }
                outcomes?
            }
        };
        tell(&outcomes, arguments);
        Ok(ExitCode::SUCCESS)
    })
}

async fn take_over(
    contents: &LegacyContents,
    target: &Target,
    in_minutes: bool,
) -> Result<Vec<Outcome>, Refusal> {
    let LegacyContents { tasks, presets } = contents;
    let mut outcomes = Vec::new();
    let mut taken = Vec::new();
    for task in tasks {
        outcomes.push(take_task(task, target, in_minutes, &mut taken).await?);
    }
    for preset in presets {
        outcomes.push(take_preset(preset, target).await?);
    }
    Ok(outcomes)
}

async fn take_task(
    legacy: &LegacyTask,
    target: &Target,
    in_minutes: bool,
    taken: &mut Vec<String>,
) -> Result<Outcome, Refusal> {
    for name in names(&legacy.name) {
        let found = match target.database() {
            Some(database) => named(database, &name).await?,
            None => None,
        };
        match found {
            Some(created_at_ms) if created_at_ms == made_at_ms(legacy) && !taken.contains(&name) => {
                let because = match name == legacy.name {
                    true => "it is here already".to_owned(),
                    false => format!("it is here already, as {name}"),
                };
                return Ok(Outcome::skipped("task", &legacy.name, because));
            }
            Some(_) => {}
            None if taken.contains(&name) => {}
            None => {
                let Converted {
                    task,
                    notes,
                    is_startable,
                    has_time,
                } = convert::task(legacy, &name, in_minutes);
                taken.push(name.clone());
                let (status, experiments) = (task.status.as_str(), task.experiments.len());
                if let Target::Kept(database) = target {
                    database
                        .import_task(&act(), task)
                        .await
                        .map_err(anyhow::Error::from)?;
                }
                return Ok(Outcome {
                    what: "task",
                    name: legacy.name.clone(),
                    imported_as: Some(name),
                    status: Some(status),
                    experiments,
                    skipped_because: None,
                    is_startable,
                    has_time,
                    notes,
                });
            }
        }
    }
    unreachable!("there is always another name")
}

/// When the task of this name was made, where there is one.
async fn named(database: &Database, name: &str) -> Result<Option<i64>, Refusal> {
    match database.task_named(name).await {
        Ok(task) => Ok(Some(task.summary.created_at_ms)),
        Err(StoreError::NoTaskNamed { .. }) => Ok(None),
        Err(error) => Err(anyhow::Error::from(error).into()),
    }
}

async fn take_preset(legacy: &LegacyPreset, target: &Target) -> Result<Outcome, Refusal> {
    let skipped = |because: String| Ok(Outcome::skipped("preset", &legacy.name, because));
    if seeded().iter().any(|preset| preset.name == legacy.name) {
        return skipped("it comes with the product".into());
    }
    let there = match target.database() {
        Some(database) => database.presets(None).await.map_err(anyhow::Error::from)?,
        None => Vec::new(),
    };
    for name in names(&legacy.name) {
        let preset = match convert::preset(legacy, &name) {
            Ok(preset) => preset,
            Err(problems) => {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return skipped(format!("it cannot be read: {}", problems.join("; ")));
            }
        };
        match there.iter().find(|kept| kept.preset.name == name) {
            Some(kept) if kept.preset.parameters == preset.parameters => {
                return skipped("it is here already".into());
            }
            Some(_) => {}
            None => {
                if let Target::Kept(database) = target {
                    let kept = database.create_preset(&act(), preset).await;
                    kept.map_err(anyhow::Error::from)?;
                }
                return Ok(Outcome {
                    imported_as: Some(name),
                    skipped_because: None,
                    is_startable: true,
                    ..Outcome::skipped("preset", &legacy.name, "")
                });
            }
        }
    }
    unreachable!("there is always another name")
}

fn act() -> Act {
    Act {
        actor: "local".into(),
        role: Role::Admin,
        address: None,
        at_ms: SystemClock.now_ms(),
    }
}

fn tell(outcomes: &[Outcome], arguments: &Arguments) {
    let of = |what: &str| {
        outcomes
            .iter()
            .filter(move |outcome| outcome.what == what)
            .collect::<Vec<_>>()
    };
    let (tasks, presets) = (of("task"), of("preset"));
    if arguments.json {
        let list = |outcomes: &[&Outcome]| outcomes.iter().map(|outcome| outcome.json()).collect::<Value>();
        let value = json!({
            "dry_run": arguments.dry_run,
            "tasks": list(&tasks),
            "presets": list(&presets),
        });
        print(&format!("{value:#}"));
    } else {
        for outcome in outcomes {
            tell_one(outcome);
        }
    }
    if outcomes.iter().any(|outcome| outcome.has_time) && !arguments.minutes {
        say(
            "note: benchmark.max_time_per_iteration counts seconds here, as the original's pages said; its \
             load generator took it for minutes, and --minutes keeps that",
        );
    }
    let imported = |outcomes: &[&Outcome]| {
        outcomes
            .iter()
            .filter(|outcome| outcome.imported_as.is_some())
            .count()
    };
    let experiments: usize = tasks.iter().map(|task| task.experiments).sum();
    let skipped = outcomes
        .iter()
        .filter(|outcome| outcome.imported_as.is_none())
        .count();
    say(&format!(
        "{} {} with {} and {}, left out {skipped}",
        if arguments.dry_run {
            "would import"
        } else {
            "imported"
        },
        counted(imported(&tasks) as u128, "task"),
        counted(experiments as u128, "experiment"),
        counted(imported(&presets) as u128, "preset"),
    ));
}

fn tell_one(outcome: &Outcome) {
    let name = harmless(&outcome.name);
    let what = outcome.what;
    let Some(imported_as) = &outcome.imported_as else {
        let because = outcome.skipped_because.as_deref().unwrap_or_default();
        print(&format!("{what} {name}: left out, {}", harmless(because)));
        return;
    };
    let renamed = match *imported_as == outcome.name {
        true => String::new(),
        false => format!(" as {}", harmless(imported_as)),
    };
    let facts = match outcome.status {
        Some(status) => format!(
            ": {status}, {}",
            counted(outcome.experiments as u128, "experiment")
        ),
        None => String::new(),
    };
    print(&format!("{what} {name}{renamed}{facts}"));
    if !outcome.is_startable {
        print("  warning: it is kept as it was and cannot be started:");
    }
    for note in &outcome.notes {
        print(&format!("  {}", harmless(note)));
    }
}
