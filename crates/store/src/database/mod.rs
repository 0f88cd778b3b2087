//! The database: everything that the service remembers.
//!
//! On SQLite one connection writes and a few read; on PostgreSQL several write, too. A reader never
//! waits for a writer. Each verb that changes something is one transaction: the change, its row of
//! the audit log, the counts. What a verb may do is asked of `autotuner_core::lifecycle`; nothing
//! is decided here.

mod alike;
mod audit;
mod claims;
mod connect;
mod containers;
mod copy_to;
pub(crate) mod engine;
mod experiments;
mod find_experiments;
mod find_tasks;
mod findings;
mod import;
mod log_pieces;
mod notices;
mod open;
mod presets;
mod rows;
mod run_store;
mod runs;
mod standings;
mod statistics;
mod tasks;
mod text;
mod tokens;
mod trouble;
mod wishes;
mod workers;

pub use log_pieces::{LogPiece, Written};
pub use notices::{Heard, LONGEST_NOTICE, Listener};
pub use wishes::Wish;
pub use workers::WorkerRecord;

use std::path::Path;
use std::sync::Arc;

use autotuner_core::ids::{ExperimentNumber, TaskId};
use serde_json::Value;

use crate::records::Page;

/// A database that is open. Clones share it.
#[derive(Debug, Clone)]
pub struct Database {
    writer: engine::Pool,
    readers: engine::Pool,
    place: Place,
}

/// Where a database is.
#[derive(Debug, Clone)]
enum Place {
    File(Arc<Path>),
    /// Its address, without the password.
    Server(Arc<str>),
}

/// Why a database could not be opened. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a later version.
    #[error("{path} was written by a later version (schema {found}, this one knows {known})")]
    Newer {
        /// Which file, or the address of which server and database, without the password.
        path: String,
        /// Its schema.
        found: i64,
        /// The latest that we know.
        known: i64,
    },
    /// It could not be opened, copied or brought up to date.
    #[error("cannot open the database {path}: {doing}")]
    Failed {
        /// Which file, or the address of which server and database, without the password.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A worker's hold on a task, until it expires.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: String,
    /// Its current run.
    pub run: u32,
    /// The fence: every write of this claim names it, and none has an effect once another
    /// claim was made.
    pub epoch: i64,
    /// The task's document.
    pub document: Value,
    /// Whether its end was asked for before it was claimed.
    pub is_cancel_requested: bool,
    /// Experiments that a dead worker had left open and that are now on record as lost.
    pub lost: Vec<ExperimentNumber>,
}

/// What a worker learns when it renews its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Whether somebody has asked for the end of the run.
    pub is_cancel_requested: bool,
}

/// What running a claimed task remembers.
#[derive(Debug, Clone)]
pub struct RunStore {
    database: Arc<Database>,
    claim: Claim,
}

impl Page {
    /// How many rows to leave out, as the engine wants it.
    fn skip(self) -> i64 {
        i64::try_from(self.skip).unwrap_or(i64::MAX)
    }

    /// How many rows to give at most, as the engine wants it.
    fn limit(self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }
}
