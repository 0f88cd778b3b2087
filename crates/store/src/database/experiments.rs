//! Reading experiments.
//!
//! The one idea: a page is found without stepping over the pages before it. Inside a run,
//! numbers have no gaps, so a page is a range of numbers. Over all tasks, ids have gaps where
//! tasks were removed, and a small table knows how many of each thousand are in use.

use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};

use super::Database;
use super::engine::{Connection, query_as};
use super::rows::{ExperimentRow, experiment_columns};
use super::trouble::Doing;
use crate::StoreError;
use crate::records::{ExperimentRecord, Listed, Page};

/// Ids in one block; the triggers of the schema say the same.
const BLOCK: i64 = 1024;

impl Database {
    /// Experiments of all tasks, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn experiments(&self, page: Page) -> Result<Listed<ExperimentRecord>, StoreError> {
        let doing = "listing experiments";
        let mut transaction = self.read(doing).await?;
        let blocks: Vec<(i64, i64)> =
            query_as("SELECT block, amount FROM experiment_blocks WHERE amount > 0 ORDER BY block DESC")
                .fetch_all(&mut *transaction)
                .await
                .doing(doing)?;
        let (total, start) = locate(&blocks, page.skip());
        let rows: Vec<ExperimentRow> = match start {
            None => Vec::new(),
            Some((before, skip)) => query_as(concat!(
                "SELECT ",
                experiment_columns!(),
                " FROM (SELECT id FROM experiments WHERE id < $1 ORDER BY id DESC LIMIT $2 OFFSET $3) p \
                 JOIN experiments e ON e.id = p.id JOIN tasks t ON t.id = e.task LEFT JOIN results r ON r.experiment = e.id \
                 ORDER BY e.id DESC"
            ))
            .bind(before)
            .bind(page.limit())
            .bind(skip)
            .fetch_all(&mut *transaction)
            .await
            .doing(doing)?,
        };
        listed(rows, total)
    }

    /// One experiment, by its global id.
    ///
    /// # Errors
    /// [`StoreError::NoExperimentWithId`].
    pub async fn experiment(&self, id: ExperimentId) -> Result<ExperimentRecord, StoreError> {
        let row: Option<ExperimentRow> = query_as(concat!(
            "SELECT ",
            experiment_columns!(),
            " FROM experiments e JOIN tasks t ON t.id = e.task \
             LEFT JOIN results r ON r.experiment = e.id WHERE e.id = $1"
        ))
        .bind(id.0)
        .fetch_optional(&self.readers)
        .await
        .doing(READING)?;
        row.ok_or(StoreError::NoExperimentWithId(id))?.record()
    }

    /// Experiments of one run of a task, oldest first; of the current one when `run` is `None`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::NoSuchRun`].
    pub async fn experiments_of(
        &self,
        task: TaskId,
        run: Option<u32>,
        page: Page,
    ) -> Result<Listed<ExperimentRecord>, StoreError> {
        let doing = "listing the experiments of a task";
        let mut transaction = self.read(doing).await?;
        let (run, total) = run_of(&mut transaction, task, run).await?;
        let skip = page.skip();
        let rows = numbered(
            &mut transaction,
            task,
            run,
            skip,
            skip.saturating_add(page.limit()),
        )
        .await?;
        listed(rows, total)
    }

    /// One experiment of a task's current run.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::NoSuchExperiment`].
    pub async fn experiment_numbered(
        &self,
        task: TaskId,
        number: ExperimentNumber,
    ) -> Result<ExperimentRecord, StoreError> {
        let mut transaction = self.read(READING).await?;
        let (run, _) = run_of(&mut transaction, task, None).await?;
        let number_before = i64::from(number.0) - 1;
        let mut rows = numbered(&mut transaction, task, run, number_before, number_before + 1).await?;
        rows.pop()
            .ok_or(StoreError::NoSuchExperiment { task, number })?
            .record()
    }
}

const READING: &str = "reading an experiment";

pub(super) fn listed(rows: Vec<ExperimentRow>, total: i64) -> Result<Listed<ExperimentRecord>, StoreError> {
    let rows = rows.into_iter().map(ExperimentRow::record);
    Ok(Listed {
        rows: rows.collect::<Result<_, _>>()?,
        total: u64::try_from(total).unwrap_or(0),
    })
}

/// How many there are in all, and, where so many can be skipped, below which id to begin and
/// how many to skip there. Blocks come highest first.
fn locate(blocks: &[(i64, i64)], skip: i64) -> (i64, Option<(i64, i64)>) {
    let (mut total, mut start) = (0, None);
    for (block, amount) in blocks {
        if start.is_none() && total + amount > skip {
            start = Some(((block + 1) * BLOCK, skip - total));
        }
        total += amount;
    }
    (total, start)
}

/// The number of a run, the current one where none is named, and how many experiments it has.
pub(super) async fn run_of(
    connection: &mut Connection,
    task: TaskId,
    run: Option<u32>,
) -> Result<(i64, i64), StoreError> {
    let current: Option<(i64, i64)> = query_as("SELECT run, total_experiments FROM tasks WHERE id = $1")
        .bind(task.0)
        .fetch_optional(&mut *connection)
        .await
        .doing(READING)?;
    let current = current.ok_or(StoreError::NoSuchTask(task))?;
    let Some(run) = run.filter(|run| i64::from(*run) != current.0) else {
        return Ok(current);
    };
    let earlier: Option<(i64, i64)> =
        query_as("SELECT run, total_experiments FROM runs WHERE task = $1 AND run = $2")
            .bind(task.0)
            .bind(i64::from(run))
            .fetch_optional(connection)
            .await
            .doing(READING)?;
    earlier.ok_or(StoreError::NoSuchRun { task, run })
}

/// The experiments of a run whose numbers lie above the first and up to the second.
pub(super) async fn numbered(
    connection: &mut Connection,
    task: TaskId,
    run: i64,
    above: i64,
    up_to: i64,
) -> Result<Vec<ExperimentRow>, StoreError> {
    query_as(concat!(
        "SELECT ",
        experiment_columns!(),
        " FROM experiments e JOIN tasks t ON t.id = e.task LEFT JOIN results r ON r.experiment = e.id \
         WHERE e.task = $1 AND e.run = $2 AND e.number > $3 AND e.number <= $4 ORDER BY e.number"
    ))
    .bind(task.0)
    .bind(run)
    .bind(above)
    .bind(up_to)
    .fetch_all(connection)
    .await
    .doing(READING)
}

#[cfg(test)]
mod tests {
    use super::locate;

    #[test]
    fn a_page_begins_where_so_many_lie_above_it() {
        let check = |skip: i64, expected: Option<(i64, i64)>| {
            let (total, start) = locate(&[(7, 3), (2, 1000), (0, 5)], skip);
            assert_eq!((total, start), (1008, expected), "{skip}");
        };
        check(0, Some((8 * 1024, 0)));
        check(2, Some((8 * 1024, 2)));
        check(3, Some((3 * 1024, 0)));
        check(1002, Some((3 * 1024, 999)));
        check(1003, Some((1024, 0)));
        check(1007, Some((1024, 4)));
        check(1008, None);
        check(i64::MAX, None);
        assert_eq!(locate(&[], 0), (0, None));
    }
}
