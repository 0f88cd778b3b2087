//! What the server itself can tell, and the copies that make tables grow.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::Failure;

/// Copies that are made at once: nobody waits for long.
const AT_ONCE: i64 = 2000;

pub(crate) struct Server(PgConnection);

/// What was done since the server's counters began.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(crate) struct Work {
    pub(crate) commits: i64,
    pub(crate) wal_bytes: i64,
}

impl Work {
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            commits: self.commits - before.commits,
            wal_bytes: self.wal_bytes - before.wal_bytes,
        }
    }
}

/// A table, as the server counts.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) rows: i64,
    pub(crate) dead: i64,
    pub(crate) bytes: i64,
    pub(crate) index_bytes: i64,
    pub(crate) updates: i64,
    pub(crate) in_place: i64,
    pub(crate) vacuums: i64,
    pub(crate) scans: i64,
}

impl Server {
    pub(crate) async fn connect(url: &str) -> Result<Self, Failure> {
        let options: PgConnectOptions = url.parse()?;
        Ok(Self(options.connect().await?))
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64, Failure> {
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.0).await?)
    }

    pub(crate) async fn tasks(&mut self) -> Result<i64, Failure> {
        self.number("SELECT count(*) FROM tasks").await
    }

    pub(crate) async fn successes(&mut self) -> Result<u64, Failure> {
        let successes = "SELECT count(*) FROM experiments e JOIN results r ON r.experiment = e.id \
            WHERE e.status = 'success' AND r.measured IS NOT NULL";
        Ok(u64::try_from(self.number(successes).await?)?)
    }

    /// Tasks whose experiments are not numbered without a gap, or not counted.
    pub(crate) async fn uneven(&mut self) -> Result<Vec<String>, Failure> {
        let uneven: Vec<i64> = sqlx::query_scalar(
            "SELECT t.id FROM tasks t LEFT JOIN (SELECT task, count(*) AS amount, max(number) AS last, \
               count(*) FILTER (WHERE status = 'success') AS good FROM experiments GROUP BY task) e ON e.task = t.id \
             WHERE COALESCE(e.amount, 0) <> t.total_experiments OR COALESCE(e.last, 0) <> t.total_experiments \
             OR COALESCE(e.good, 0) <> t.successful_experiments ORDER BY t.id LIMIT 10",
        )
        .fetch_all(&mut self.0)
        .await?;
        Ok(uneven
            .iter()
            .map(|task| format!("task {task} has other experiments than it counts"))
            .collect())
    }

    pub(crate) async fn work(&mut self) -> Result<Work, Failure> {
        // Else it is what it was at the first look.
        let work = "SELECT xact_commit AS commits, \
            CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS BIGINT) AS wal_bytes \
            FROM pg_stat_database WHERE datname = current_database()";
        Ok(sqlx::query_as(work).fetch_one(&mut self.0).await?)
    }

    pub(crate) async fn tables(&mut self) -> Result<Vec<Table>, Failure> {
        let tables = "SELECT relname::text AS name, n_live_tup AS rows, n_dead_tup AS dead, \
            pg_table_size(relid) AS bytes, pg_indexes_size(relid) AS index_bytes, n_tup_upd AS updates, \
            n_tup_hot_upd AS in_place, vacuum_count + autovacuum_count AS vacuums, seq_scan AS scans \
            FROM pg_stat_user_tables WHERE schemaname = current_schema() \
            AND relname IN ('tasks', 'experiments', 'results', 'tally_parts', 'experiment_blocks') ORDER BY relname";
        Ok(sqlx::query_as(tables).fetch_all(&mut self.0).await?)
    }

    pub(crate) async fn analyze(&mut self) -> Result<(), Failure> {
        sqlx::query("ANALYZE").execute(&mut self.0).await?;
        Ok(())
    }

    /// Copies a task that has ended, past the verbs, until there are about so many experiments
    /// more. Gives how many there are.
    pub(crate) async fn copy(&mut self, wanted: u64) -> Result<u64, Failure> {
        const MODEL: &str = "SELECT id FROM tasks WHERE status = 'completed' \
            ORDER BY abs(total_experiments - 25), id LIMIT 1";
        let model = self.number(MODEL).await?;
        let experiments: i64 = sqlx::query_scalar("SELECT count(*) FROM experiments WHERE task = $1")
            .bind(model)
            .fetch_one(&mut self.0)
            .await?;
        let tasks = (AT_ONCE.min(i64::try_from(wanted)?) / experiments).max(1);
        let mut transaction = self.0.begin().await?;
        let copies: Vec<i64> = sqlx::query_scalar(
            "INSERT INTO tasks (name, base_runtime, deployment_mode, slo, max_iterations, created_at_ms, run, status, \
               total_experiments, successful_experiments, best_experiment, started_at_ms, completed_at_ms, lease_epoch) \
             SELECT 'copy ' || gen_random_uuid(), base_runtime, deployment_mode, slo, max_iterations, created_at_ms, run, \
               status, total_experiments, successful_experiments, best_experiment, started_at_ms, completed_at_ms, \
               lease_epoch FROM tasks, generate_series(1, $2) WHERE id = $1 RETURNING id",
        )
        .bind(model)
        .bind(tasks)
        .fetch_all(&mut *transaction)
        .await?;
        let steps = [
            "INSERT INTO documents SELECT c.id, d.run, d.document FROM documents d, unnest($2) c (id) WHERE d.task = $1",
            "INSERT INTO experiments (task, run, number, role, attempt, status, candidate, reason, started_at_ms, \
               ended_at_ms, objective_score) \
             SELECT c.id, e.run, e.number, e.role, e.attempt, e.status, e.candidate, e.reason, e.started_at_ms, \
               e.ended_at_ms, e.objective_score FROM experiments e, unnest($2) c (id) WHERE e.task = $1",
            "INSERT INTO results SELECT n.id, r.launch, r.score, r.measured, NULL, NULL FROM experiments e \
             JOIN results r ON r.experiment = e.id JOIN experiments n ON n.number = e.number \
             WHERE e.task = $1 AND n.task = ANY($2)",
        ];
        for step in steps {
            sqlx::query(step)
                .bind(model)
                .bind(&copies)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(u64::try_from(tasks * experiments)?)
    }
}
