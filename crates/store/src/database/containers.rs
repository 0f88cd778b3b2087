//! Containers that engines were started in, found again when they are gone.
//!
//! The one idea: a container's id leads to its experiment and an experiment to its containers,
//! whatever Docker still knows of them. Rows come with [`crate::Store::record_launch`], end with
//! [`crate::Store::record_stop`], and go with their experiment.

use autotuner_core::experiment::{ContainerFacts, LaunchFacts};
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};

use super::Database;
use super::engine::{Connection, query, query_as};
use super::experiments::run_of;
use super::rows::{Strange, small};
use super::trouble::Doing;
use crate::StoreError;
use crate::records::ContainerRecord;

const READING: &str = "reading a container's record";

/// How long the beginning of an id must be to stand for it: as long as Docker shows it.
const SHORT_ID: usize = 12;

/// What [`ContainerRow`] is read from: `c` the containers, `e` the experiments.
macro_rules! container_columns {
    () => {
        "c.id, c.name, c.experiment, c.image, c.started_at_ms, c.ended_at_ms, e.task, e.run, e.number, \
         e.attempt FROM containers c JOIN experiments e ON e.id = c.experiment "
    };
}

#[derive(Debug, sqlx::FromRow)]
struct ContainerRow {
    id: String,
    name: String,
    experiment: i64,
    image: Option<String>,
    started_at_ms: i64,
    ended_at_ms: Option<i64>,
    task: i64,
    run: i64,
    number: i64,
    attempt: i64,
}

impl Database {
    /// The container of this id, or of this name, or whose id begins so; `None` where no engine
    /// of ours was started in such a one. Of several that were called the same one after the
    /// other, it is the latest; the beginning of an id counts from twelve digits on, and only
    /// where it fits one container.
    ///
    /// # Errors
    /// The database fails.
    pub async fn container(&self, name: &str) -> Result<Option<ContainerRecord>, StoreError> {
        let mut transaction = self.read(READING).await?;
        let row: Option<ContainerRow> = query_as(concat!(
            "SELECT ",
            container_columns!(),
            "WHERE c.id = $1 OR c.name = $1 \
             ORDER BY CASE WHEN c.id = $1 THEN 0 ELSE 1 END, c.started_at_ms DESC, c.id LIMIT 1"
        ))
        .bind(name)
        .fetch_optional(&mut *transaction)
        .await
        .doing(READING)?;
        if let Some(row) = row {
            return row.record().map(Some);
        }
        let is_beginning = name.len() >= SHORT_ID && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_beginning {
            return Ok(None);
        }
        let mut rows: Vec<ContainerRow> = query_as(concat!(
            "SELECT ",
            container_columns!(),
            // No digit comes after f.
            "WHERE c.id >= $1 AND c.id < $2 LIMIT 2"
        ))
        .bind(name)
        .bind(format!("{name}g"))
        .fetch_all(&mut *transaction)
        .await
        .doing(READING)?;
        match rows.pop() {
            Some(row) if rows.is_empty() => row.record().map(Some),
            _ => Ok(None),
        }
    }

    /// The containers that an experiment's engine was started in, the latest first; of the task's
    /// current run when `run` is `None`. None for an experiment that ran without one.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::NoSuchRun`].
    pub async fn containers_of(
        &self,
        task: TaskId,
        run: Option<u32>,
        experiment: ExperimentNumber,
    ) -> Result<Vec<ContainerRecord>, StoreError> {
        let mut transaction = self.read(READING).await?;
        let (run, _) = run_of(&mut transaction, task, run).await?;
        let rows: Vec<ContainerRow> = query_as(concat!(
            "SELECT ",
            container_columns!(),
            "WHERE e.task = $1 AND e.run = $2 AND e.number = $3 ORDER BY c.started_at_ms DESC, c.id"
        ))
        .bind(task.0)
        .bind(run)
        .bind(i64::from(experiment.0))
        .fetch_all(&mut *transaction)
        .await
        .doing(READING)?;
        rows.into_iter().map(ContainerRow::record).collect()
    }
}

impl ContainerRow {
    fn record(self) -> Result<ContainerRecord, StoreError> {
        let Self {
            id,
            name,
            experiment,
            image,
            started_at_ms,
            ended_at_ms,
            task,
            run,
            number,
            attempt,
        } = self;
        let told = |strange: Strange| strange.of(format!("experiment {experiment}"));
        Ok(ContainerRecord {
            id,
            name,
            experiment: ExperimentId(experiment),
            task: TaskId(task),
            run: small(run, "number of a run").map_err(told)?,
            number: ExperimentNumber(small(number, "number of an experiment").map_err(told)?),
            attempt: small(attempt, "number of an attempt").map_err(told)?,
            image,
            started_at_ms,
            ended_at_ms,
        })
    }
}

/// Keeps the container of a launch, where it was one. What is already kept of it stays.
pub(super) async fn keep(
    connection: &mut Connection,
    experiment: i64,
    facts: &LaunchFacts,
) -> Result<(), StoreError> {
    let Some(ContainerFacts {
        id,
        name,
        started_at_ms,
    }) = &facts.container
    else {
        return Ok(());
    };
    query(
        "INSERT INTO containers (id, name, experiment, image, started_at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(id)
    .bind(name)
    .bind(experiment)
    .bind(facts.image.as_ref().map(|image| &image.reference))
    .bind(started_at_ms)
    .execute(connection)
    .await
    .doing("recording a container")?;
    Ok(())
}

/// Says that whatever container an experiment still had is gone.
pub(super) async fn end(connection: &mut Connection, experiment: i64, now_ms: i64) -> Result<(), StoreError> {
    query("UPDATE containers SET ended_at_ms = $1 WHERE experiment = $2 AND ended_at_ms IS NULL")
        .bind(now_ms)
        .bind(experiment)
        .execute(connection)
        .await
        .doing("recording a container's end")?;
    Ok(())
}
