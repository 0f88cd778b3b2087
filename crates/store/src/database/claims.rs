//! Claims: which worker has which task.
//!
//! The one idea: a fence. Each claim of a task has a number one higher than the claim before,
//! and a write has an effect only while its claim is the one that is held. A worker that slept
//! through its lease, or that is thought dead and is not, changes nothing.

use std::sync::Arc;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskStatus};

use super::engine::{Connection, QueryBuilder, query, query_as, query_scalar};
use super::rows::{Kept, StoredResult, document, small};
use super::tasks::target;
use super::trouble::Doing;
use super::{Claim, Database, Renewal, RunStore, containers};
use crate::StoreError;

#[derive(Debug, sqlx::FromRow)]
struct ClaimedRow {
    id: i64,
    name: String,
    run: i64,
    lease_epoch: i64,
    is_cancel_requested: bool,
}

impl Database {
    /// Takes the oldest task that is to run and that no live claim holds. Experiments that its
    /// last worker left open are put on record as lost in the same step.
    ///
    /// # Errors
    /// The database fails.
    pub async fn claim(&self, owner: &str, now_ms: i64, lease_ms: i64) -> Result<Option<Claim>, StoreError> {
        let doing = "claiming a task";
        let mut transaction = self.write_rows(doing).await?;
        let mut free = QueryBuilder::new(
            self.engine(),
            "UPDATE tasks SET lease_epoch = lease_epoch + 1, lease_owner = ",
        );
        free.push_bind(owner).push(", lease_until_ms = ");
        free.push_bind(now_ms.saturating_add(lease_ms));
        // The word itself: an index is of those alone.
        let running = TaskStatus::Running.keep();
        free.push(format_args!(
            " WHERE id = (SELECT id FROM tasks WHERE status = '{running}'"
        ));
        free.push(" AND (lease_until_ms IS NULL OR lease_until_ms <= ");
        free.push_bind(now_ms);
        // One that somebody is just writing to is passed over, and is there at the next look.
        let taking = self.engine().taking_one_that_is_free();
        free.push(format_args!(
            ") ORDER BY started_at_ms, id LIMIT 1{taking}) \
             RETURNING id, name, run, lease_epoch, is_cancel_requested"
        ));
        let row: Option<ClaimedRow> = free
            .build_as()
            .fetch_optional(&mut *transaction)
            .await
            .doing(doing)?;
        let Some(row) = row else { return Ok(None) };
        let task = TaskId(row.id);
        let because = Failure::new(FailureKind::WorkerLost, "the worker that ran it is gone");
        let lost = close_open(&mut transaction, task, row.run, &because, now_ms).await?;
        let text: String = query_scalar("SELECT document FROM documents WHERE task = $1 AND run = $2")
            .bind(row.id)
            .bind(row.run)
            .fetch_one(&mut *transaction)
            .await
            .doing(doing)?;
        let what = || target(task);
        let claim = Claim {
            task,
            name: row.name,
            run: small(row.run, "number of a run").map_err(|strange| strange.of(what()))?,
            epoch: row.lease_epoch,
            document: document(&text, what)?,
            is_cancel_requested: row.is_cancel_requested,
            lost,
        };
        transaction.commit().await.doing(doing)?;
        Ok(Some(claim))
    }

    /// Lengthens a claim.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when it is another worker's by now, or nobody's.
    pub async fn renew(&self, claim: &Claim, now_ms: i64, lease_ms: i64) -> Result<Renewal, StoreError> {
        let doing = "renewing a claim";
        let mut transaction = self.write_rows(doing).await?;
        let wish: Option<bool> = query_scalar(
            "UPDATE tasks SET lease_until_ms = $1 \
             WHERE id = $2 AND run = $3 AND lease_epoch = $4 AND lease_until_ms IS NOT NULL \
             RETURNING is_cancel_requested",
        )
        .bind(now_ms.saturating_add(lease_ms))
        .bind(claim.task.0)
        .bind(i64::from(claim.run))
        .bind(claim.epoch)
        .fetch_optional(&mut *transaction)
        .await
        .doing(doing)?;
        let is_cancel_requested = wish.ok_or(StoreError::LeaseLost(claim.task))?;
        transaction.commit().await.doing(doing)?;
        Ok(Renewal { is_cancel_requested })
    }

    /// Gives a claim back; the task stays as it is, for the next worker. One that is another
    /// worker's by now stays that worker's.
    ///
    /// # Errors
    /// The database fails.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let doing = "releasing a claim";
        let mut transaction = self.write_rows(doing).await?;
        query(
            "UPDATE tasks SET lease_owner = NULL, lease_until_ms = NULL \
             WHERE id = $1 AND run = $2 AND lease_epoch = $3",
        )
        .bind(claim.task.0)
        .bind(i64::from(claim.run))
        .bind(claim.epoch)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        transaction.commit().await.doing(doing)
    }

    /// Frees every claim. For a process that has just become the only one with this database:
    /// whoever held them is dead. Gives the number of claims that were held.
    ///
    /// # Errors
    /// [`StoreError::Shared`] where others may be alive; the database fails.
    pub async fn forget_claims(&self) -> Result<u64, StoreError> {
        if self.is_shared() {
            return Err(StoreError::Shared);
        }
        self.free("").await
    }

    /// Frees the claims of workers whose names begin so. For a process that has just become the
    /// only one of them: the others are dead. Gives the number of claims that were held.
    ///
    /// # Errors
    /// [`StoreError::Shared`] where every name begins so and others may be alive; the database
    /// fails.
    pub async fn forget_claims_of(&self, owners: &str) -> Result<u64, StoreError> {
        if owners.is_empty() {
            return self.forget_claims().await;
        }
        self.free(owners).await
    }

    async fn free(&self, owners: &str) -> Result<u64, StoreError> {
        let doing = "freeing the claims of dead workers";
        let mut transaction = self.write(doing).await?;
        let freed = query(
            "UPDATE tasks SET lease_owner = NULL, lease_until_ms = NULL \
             WHERE status = $1 AND lease_until_ms IS NOT NULL \
             AND ($2 = '' OR substr(lease_owner, 1, length($2)) = $2)",
        )
        .bind(TaskStatus::Running.keep())
        .bind(owners)
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(freed)
    }

    /// What running the claimed task remembers: every write is fenced by the claim.
    pub fn run_store(&self, claim: &Claim) -> RunStore {
        RunStore {
            database: Arc::new(self.clone()),
            claim: claim.clone(),
        }
    }

    /// The global id of an experiment of a claimed run.
    ///
    /// # Errors
    /// [`StoreError::NoSuchExperiment`].
    pub async fn experiment_id(
        &self,
        claim: &Claim,
        number: ExperimentNumber,
    ) -> Result<ExperimentId, StoreError> {
        let id: Option<i64> =
            query_scalar("SELECT id FROM experiments WHERE task = $1 AND run = $2 AND number = $3")
                .bind(claim.task.0)
                .bind(i64::from(claim.run))
                .bind(i64::from(number.0))
                .fetch_optional(&self.readers)
                .await
                .doing("reading an experiment")?;
        id.map(ExperimentId).ok_or(StoreError::NoSuchExperiment {
            task: claim.task,
            number,
        })
    }
}

/// Ends every experiment of a run that is still open. Gives their numbers.
pub(super) async fn close_open(
    connection: &mut Connection,
    task: TaskId,
    run: i64,
    because: &Failure,
    now_ms: i64,
) -> Result<Vec<ExperimentNumber>, StoreError> {
    let doing = "closing experiments that were left open";
    let open: Vec<(i64, i64, String)> = query_as(
        "SELECT id, number, status FROM experiments \
         WHERE task = $1 AND run = $2 AND ended_at_ms IS NULL ORDER BY number",
    )
    .bind(task.0)
    .bind(run)
    .fetch_all(&mut *connection)
    .await
    .doing(doing)?;
    let mut closed = Vec::new();
    for (id, number, status) in open {
        let told = |strange: super::rows::Strange| strange.of(format!("experiment {id}"));
        let status = ExperimentStatus::recall(status).map_err(told)?;
        let next = status.after(ExperimentMove::Fail)?;
        let result = StoredResult::keep(&Err(because.clone()));
        end_experiment(connection, id, (status, next), result, None, now_ms).await?;
        // Nobody is left who could tell; the sweep takes it away.
        containers::end(connection, id, now_ms).await?;
        closed.push(ExperimentNumber(
            small(number, "number of an experiment").map_err(told)?,
        ));
    }
    Ok(closed)
}

/// Ends one experiment, if it still is where it was.
pub(super) async fn end_experiment(
    connection: &mut Connection,
    id: i64,
    (from, to): (ExperimentStatus, ExperimentStatus),
    result: StoredResult,
    objective_score: Option<f64>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let doing = "ending an experiment";
    let moved = query(
        "UPDATE experiments SET status = $1, ended_at_ms = $2, objective_score = $3, failure_kind = $4 \
         WHERE id = $5 AND status = $6",
    )
    .bind(to.keep())
    .bind(now_ms)
    .bind(objective_score)
    .bind(&result.kind)
    .bind(id)
    .bind(from.keep())
    .execute(&mut *connection)
    .await
    .doing(doing)?;
    if moved == 0 {
        return Ok(false);
    }
    let StoredResult {
        score,
        measured,
        failure,
        kind: _,
    } = result;
    query(
        "INSERT INTO results (experiment, score, measured, failure) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (experiment) DO UPDATE SET score = excluded.score, \
         measured = excluded.measured, failure = excluded.failure",
    )
    .bind(id)
    .bind(score)
    .bind(measured)
    .bind(failure)
    .execute(connection)
    .await
    .doing(doing)?;
    Ok(true)
}
