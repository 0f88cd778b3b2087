//! Reads what the original system kept: its tasks, its experiments and its presets.
//!
//! The one idea: the file is only read, and what it says is handed on in plain structs, without
//! judging it by this product's rules. Columns came and went between the original's versions: one
//! that is missing says nothing. What is there and makes no sense is told by table and row.

mod take_over;
mod values;

use std::path::Path;

use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use serde_json::Value;
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};

use crate::database::engine::sqlite;
use values::Fields;

/// Everything that is read of an original system's database.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyContents {
    /// Its tasks, oldest first.
    pub tasks: Vec<LegacyTask>,
    /// Its presets, oldest first.
    pub presets: Vec<LegacyPreset>,
}

/// A task of the original system. The parts of its document have the names of the REST API.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyTask {
    /// Its id there.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Where it was.
    pub status: TaskStatus,
    /// The engine's word.
    pub base_runtime: String,
    /// Tag of the engine's image.
    pub runtime_image_tag: Option<String>,
    /// Where engines ran: `docker`, `ome`, `local`.
    pub deployment_mode: Option<String>,
    /// The document's `model`.
    pub model: Value,
    /// The document's `parameters`.
    pub parameters: Value,
    /// The document's `optimization`.
    pub optimization: Value,
    /// The document's `benchmark`.
    pub benchmark: Value,
    /// The document's `slo`.
    pub slo: Option<Value>,
    /// The document's `quant_config`.
    pub quant_config: Option<Value>,
    /// The document's `parallel_config`.
    pub parallel_config: Option<Value>,
    /// Anything else that was kept with it.
    pub metadata: Option<Value>,
    /// Experiments, as it counted them.
    pub total_experiments: Option<i64>,
    /// Successes, as it counted them.
    pub successful_experiments: Option<i64>,
    /// The best experiment, by its id there.
    pub best_experiment: Option<i64>,
    /// When it was made.
    pub created_at_ms: Option<i64>,
    /// When it was started.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// How long it took, seconds.
    pub elapsed_seconds: Option<f64>,
    /// Its experiments, in the order of their numbers.
    pub experiments: Vec<LegacyExperiment>,
}

/// An experiment of the original system.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyExperiment {
    /// Its global id there.
    pub id: i64,
    /// Its number inside the task. Not always unique there.
    pub number: i64,
    /// What was tried.
    pub parameters: Value,
    /// Where it was.
    pub status: ExperimentStatus,
    /// Why it failed.
    pub error_message: Option<String>,
    /// What was measured, under the original's keys.
    pub metrics: Option<Value>,
    /// Its score; lower is better.
    pub objective_score: Option<f64>,
    /// Which GPUs it had.
    pub gpu_info: Option<Value>,
    /// When it was put on record.
    pub created_at_ms: Option<i64>,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// How long it took, seconds.
    pub elapsed_seconds: Option<f64>,
}

/// A preset of the original system.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyPreset {
    /// Its id there.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// A word to sort by.
    pub category: Option<String>,
    /// The engine's word; any engine when `None`.
    pub runtime: Option<String>,
    /// Whether it came with the original system.
    pub is_system: bool,
    /// Parameter name → list of values.
    pub parameters: Value,
    /// Author, tags and the like.
    pub metadata: Option<Value>,
    /// When it was made.
    pub created_at_ms: Option<i64>,
    /// When it was last changed.
    pub updated_at_ms: Option<i64>,
}

/// Why an original system's database could not be read. It is never changed.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    /// It cannot be opened.
    #[error("cannot open {path} as a database of the original system")]
    Open {
        /// Which file.
        path: String,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// It has no tasks of the original system.
    #[error("{path} is no database of the original system: it has no table named {table} of its shape")]
    NotTheOriginals {
        /// Which file.
        path: String,
        /// What was looked for.
        table: &'static str,
    },
    /// A table cannot be read.
    #[error("cannot read the table {table} of {path}")]
    Read {
        /// Which file.
        path: String,
        /// Which table.
        table: &'static str,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what makes no sense.
    #[error("{column} of row {row} of the table {table} cannot be read: {reason}")]
    Strange {
        /// Which table.
        table: &'static str,
        /// The row's id; 0 where it has none.
        row: i64,
        /// Which column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads an original system's database. The file is opened for reading only.
///
/// # Errors
/// [`LegacyError`].
pub async fn read(path: &Path) -> Result<LegacyContents, LegacyError> {
    let opened = sqlite::looking_at(path).connect().await;
    let mut connection = opened.map_err(|source| LegacyError::Open {
        path: path.display().to_string(),
        source,
    })?;
    let contents = contents(&mut connection, path).await;
    // Whatever was read is read; a file that is only looked at has nothing to lose in closing.
    let _ = connection.close().await;
    contents
}

async fn contents(connection: &mut SqliteConnection, path: &Path) -> Result<LegacyContents, LegacyError> {
    let mut table = Table { connection, path };
    let tables = table.names().await?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if !has("tasks") {
        return Err(LegacyError::NotTheOriginals {
            path: path.display().to_string(),
            table: "tasks",
        });
    }
    let experiments = if has("experiments") {
        table
            .rows(
                "experiments",
                "SELECT * FROM experiments ORDER BY task_id, experiment_id, id",
            )
            .await?
    } else {
        Vec::new()
    };
    let mut experiments = experiments
        .iter()
        .map(experiment)
        .collect::<Result<Vec<_>, _>>()?;
    let mut tasks = Vec::new();
    for row in table.rows("tasks", "SELECT * FROM tasks ORDER BY id").await? {
        let mut task = task(&row)?;
        let of_it = experiments.extract_if(.., |(owner, _)| *owner == task.id);
        task.experiments = of_it.map(|(_, experiment)| experiment).collect();
        tasks.push(task);
    }
    let presets = if has("parameter_presets") {
        table
            .rows("parameter_presets", "SELECT * FROM parameter_presets ORDER BY id")
            .await?
    } else {
        Vec::new()
    };
    Ok(LegacyContents {
        tasks,
        presets: presets.iter().map(preset).collect::<Result<_, _>>()?,
    })
}

struct Table<'a> {
    connection: &'a mut SqliteConnection,
    path: &'a Path,
}

impl Table<'_> {
    async fn names(&mut self) -> Result<Vec<String>, LegacyError> {
        let names = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'");
        let names = names.fetch_all(&mut *self.connection).await;
        names.map_err(|source| LegacyError::Open {
            path: self.path.display().to_string(),
            source,
        })
    }

    async fn rows(&mut self, table: &'static str, sql: &'static str) -> Result<Vec<Fields>, LegacyError> {
        let rows = sqlx::query(sql).fetch_all(&mut *self.connection).await;
        let rows = rows.map_err(|source| LegacyError::Read {
            path: self.path.display().to_string(),
            table,
            source,
        })?;
        Ok(rows.into_iter().map(|row| Fields::new(table, row)).collect())
    }
}

fn task(row: &Fields) -> Result<LegacyTask, LegacyError> {
    Ok(LegacyTask {
        id: row.id(),
        name: row.needed_text("task_name")?,
        description: row.text("description")?,
        status: row
            .word("status", TaskStatus::from_word)?
            .unwrap_or(TaskStatus::Pending),
        base_runtime: row.needed_text("base_runtime")?,
        runtime_image_tag: row.text("runtime_image_tag")?,
        deployment_mode: row.text("deployment_mode")?,
        model: row.needed_json("model_config")?,
        parameters: row.needed_json("parameters")?,
        optimization: row.needed_json("optimization_config")?,
        benchmark: row.needed_json("benchmark_config")?,
        slo: row.json("slo_config")?,
        quant_config: row.json("quant_config")?,
        parallel_config: row.json("parallel_config")?,
        metadata: row.json("metadata")?,
        total_experiments: row.whole("total_experiments")?,
        successful_experiments: row.whole("successful_experiments")?,
        best_experiment: row.whole("best_experiment_id")?,
        created_at_ms: row.time("created_at")?,
        started_at_ms: row.time("started_at")?,
        completed_at_ms: row.time("completed_at")?,
        elapsed_seconds: row.real("elapsed_time")?,
        experiments: Vec::new(),
    })
}

/// An experiment and the id of its task.
fn experiment(row: &Fields) -> Result<(i64, LegacyExperiment), LegacyError> {
    let experiment = LegacyExperiment {
        id: row.id(),
        number: row.whole("experiment_id")?.unwrap_or(0),
        parameters: row.needed_json("parameters")?,
        status: row
            .word("status", ExperimentStatus::from_word)?
            .unwrap_or(ExperimentStatus::Pending),
        error_message: row.text("error_message")?,
        metrics: row.json("metrics")?,
        objective_score: row.real("objective_score")?,
        gpu_info: row.json("gpu_info")?,
        created_at_ms: row.time("created_at")?,
        started_at_ms: row.time("started_at")?,
        completed_at_ms: row.time("completed_at")?,
        elapsed_seconds: row.real("elapsed_time")?,
    };
    Ok((row.whole("task_id")?.unwrap_or(0), experiment))
}

fn preset(row: &Fields) -> Result<LegacyPreset, LegacyError> {
    Ok(LegacyPreset {
        id: row.id(),
        name: row.needed_text("name")?,
        description: row.text("description")?,
        category: row.text("category")?,
        runtime: row.text("runtime")?,
        is_system: row.whole("is_system")?.is_some_and(|flag| flag != 0),
        parameters: row.needed_json("parameters")?,
        metadata: row.json("metadata")?,
        created_at_ms: row.time("created_at")?,
        updated_at_ms: row.time("updated_at")?,
    })
}

#[cfg(test)]
mod tests;
