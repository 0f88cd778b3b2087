//! `autotuner db`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotuner_store::Database;
use clap::Subcommand;
use serde_json::json;

use super::{NOTHING, Refusal, print, runtime, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::service::data_dir::{DataDir, DataDirError, database_path};
use crate::service::database;

/// Copy and check the database
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner db backup /backups/autotuner-monday.db
  autotuner db check
  autotuner db copy postgres://tuner@db.example/tuner

`backup` and `check` work beside a service that runs. To go back to a copy: end the service, put the copy in
the place of autotuner.db in the data directory, and remove autotuner.db-wal and autotuner.db-shm beside it.
A database on a server (--database) has its own tools for copies: pg_dump and pg_restore.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a whole copy to a file that is not there yet
    #[command(after_help = "Example:\n  autotuner db backup /backups/autotuner-monday.db")]
    Backup {
        /// Where the copy goes
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Copy everything into an empty database on a PostgreSQL server, or from there into a file
    #[command(after_help = "\
Examples:
  autotuner db copy postgres://tuner@db.example/tuner
  autotuner --database postgres://tuner@db.example/tuner db copy /srv/autotuner/autotuner.db

Tasks, runs, experiments, presets, tokens and the audit log go, with their ids; logs stay where they are.
No service may run on either side meanwhile; what was copied stays as it is.")]
    Copy {
        /// Where everything goes: an empty database's URL, or a file that is not there yet
        #[arg(value_name = "TARGET")]
        target: String,
    },
    /// Look whether the database is sound; exits with 1 where it is not
    #[command(after_help = "Example:\n  autotuner db check --json | jq .problems")]
    Check,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    runtime()?.block_on(async {
        match &arguments.action {
            Action::Backup { file } => back_up(&existing(config).await?, file, arguments.json).await,
            Action::Copy { target } => copy(target, arguments.json, config).await,
            Action::Check => check(&existing(config).await?, arguments.json).await,
        }
    })
}

/// The database as it is, beside whoever serves it.
async fn existing(config: &Config) -> Result<Database, Refusal> {
    look_at(config).await?.ok_or_else(|| no_database(config))
}

async fn back_up(database: &Database, file: &Path, is_json: bool) -> Result<ExitCode, Refusal> {
    database.back_up(file).await.map_err(|error| {
        let text = format!("cannot copy the database to {}", file.display());
        Refusal::Error(anyhow::Error::new(error).context(text))
    })?;
    match is_json {
        true => print(&format!("{:#}", json!({ "backup": file }))),
        false => say(&format!("copied to {}", file.display())),
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies everything of the database into another one.
async fn copy(target: &str, is_json: bool, config: &Config) -> Result<ExitCode, Refusal> {
    if config.database.is_none() && !database_path(&config.data_dir).exists() {
        return Err(no_database(config));
    }
    let now_ms = SystemClock.now_ms();
    // Ours until it is over: nobody serves a file meanwhile.
    let (_ours, from) = work_on(config).await?;
    let to = match target.split_once("://") {
        Some(_) => Database::connect(target).await,
        None if Path::new(target).exists() => {
            return Err(Refusal::message(format!(
                "{target} is already there; name a file that is not"
            )));
        }
        None => Database::open(Path::new(target), now_ms).await,
    };
    let to = to.map_err(anyhow::Error::from)?;
    let (source, place) = (from.place(), to.place());
    if source == place {
        return Err(Refusal::message(format!(
            "{place} is the database itself; to copy the file of a data directory, leave --database and \
             AUTOTUNER_DATABASE out"
        )));
    }
    let copied = from.copy_to(&to).await;
    from.close().await;
    to.close().await;
    let rows = copied.map_err(anyhow::Error::from)?;
    match is_json {
        true => print(&format!(
            "{:#}",
            json!({ "rows": rows, "source": source, "target": place })
        )),
        false => say(&format!("copied {rows} rows from {source} to {place}")),
    }
    Ok(ExitCode::SUCCESS)
}

fn no_database(config: &Config) -> Refusal {
    Refusal::message(format!(
        "there is no database in {}; autotuner serve makes one",
        config.data_dir.display()
    ))
}

async fn check(database: &Database, is_json: bool) -> Result<ExitCode, Refusal> {
    let mut problems = database.check().await.map_err(anyhow::Error::from)?;
    problems.extend(audit_problem(database).await?);
    if is_json {
        print(&format!(
            "{:#}",
            json!({ "sound": problems.is_empty(), "problems": problems })
        ));
    } else if problems.is_empty() {
        print("sound: the file, what its rows refer to, and the audit log");
    } else {
        for problem in &problems {
            print(problem);
        }
    }
    match problems.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(NOTHING)),
    }
}

/// What is wrong with the audit log.
pub(super) async fn audit_problem(database: &Database) -> Result<Option<String>, Refusal> {
    let first = database.verify_audit().await.map_err(anyhow::Error::from)?;
    Ok(first.map(|row| {
        format!("the audit log is not as it was written: row {row} is the first that was changed, taken out or put in")
    }))
}

/// The database of the data directory as it is, for reading beside whoever serves it. `None`
/// where there is none yet.
pub(super) async fn look_at(config: &Config) -> Result<Option<Database>, Refusal> {
    if let Some(url) = &config.database {
        let opened = Database::look_at_server(url.reveal()).await;
        return opened
            .map(Some)
            .map_err(|error| anyhow::Error::from(error).into());
    }
    let path = database_path(&config.data_dir);
    if !path.exists() {
        return Ok(None);
    }
    let opened = Database::look_at(&path).await;
    opened
        .map(Some)
        .map_err(|error| anyhow::Error::from(error).into())
}

/// The database of a data directory that nobody serves, and what keeps it so.
pub(super) async fn work_on(config: &Config) -> Result<(DataDir, Database), Refusal> {
    let ours = DataDir::open(&config.data_dir).map_err(|error| match error {
        DataDirError::Taken { .. } => Refusal::message(format!(
            "a service runs on the data directory {}; end it first",
            config.data_dir.display()
        )),
        error => anyhow::Error::from(error).into(),
    })?;
    let database = database::open(config, &ours, SystemClock.now_ms()).await;
    Ok((ours, database.map_err(anyhow::Error::from)?))
}
