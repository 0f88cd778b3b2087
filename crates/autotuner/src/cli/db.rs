//! `autotuner db`

use std::path::PathBuf;
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

Both work beside a service that runs. To go back to a copy: end the service, put the copy in the place of
autotuner.db in the data directory, and remove autotuner.db-wal and autotuner.db-shm beside it.")]
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
    /// Look whether the database is sound; exits with 1 where it is not
    #[command(after_help = "Example:\n  autotuner db check --json | jq .problems")]
    Check,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    runtime()?.block_on(async {
        let Some(database) = look_at(config).await? else {
            return Err(Refusal::message(format!(
                "there is no database in {}; autotuner serve makes one",
                config.data_dir.display()
            )));
        };
        match &arguments.action {
            Action::Backup { file } => {
                database.back_up(file).await.map_err(|error| {
                    let text = format!("cannot copy the database to {}", file.display());
                    Refusal::Error(anyhow::Error::new(error).context(text))
                })?;
                match arguments.json {
                    true => print(&format!("{:#}", json!({ "backup": file }))),
                    false => say(&format!("copied to {}", file.display())),
                }
                Ok(ExitCode::SUCCESS)
            }
            Action::Check => check(&database, arguments.json).await,
        }
    })
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
