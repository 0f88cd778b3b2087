//! Runs that had ended when another one began.

use autotuner_core::ids::TaskId;
use autotuner_core::search::Role;

use super::engine::{Connection, query_as};
use super::rows::Kept;
use super::trouble::Doing;
use crate::StoreError;

/// Most runs that are looked at to find some alike.
const MOST_LOOKED_AT: i64 = 100;

/// Task, run and document of each run that had ended, with something measured, when a task's
/// current one began, latest first.
pub(super) async fn ended_before(
    connection: &mut Connection,
    task: TaskId,
) -> Result<Vec<(i64, i64, String)>, StoreError> {
    query_as(
        "SELECT ended.task, ended.run, d.document FROM ( \
           SELECT id AS task, run, completed_at_ms FROM tasks WHERE successful_experiments > 0 \
           UNION ALL SELECT task, run, completed_at_ms FROM runs WHERE successful_experiments > 0 \
         ) ended JOIN documents d ON d.task = ended.task AND d.run = ended.run \
         JOIN tasks own ON own.id = $1 \
         WHERE ended.completed_at_ms <= own.started_at_ms \
         AND NOT (ended.task = own.id AND ended.run = own.run) \
         AND EXISTS (SELECT 1 FROM experiments e JOIN results r ON r.experiment = e.id \
           WHERE e.task = ended.task AND e.run = ended.run AND e.role = $3 AND r.score IS NOT NULL) \
         ORDER BY ended.completed_at_ms DESC, ended.task DESC, ended.run DESC LIMIT $2",
    )
    .bind(task.0)
    .bind(MOST_LOOKED_AT)
    .bind(Role::Search.keep())
    .fetch_all(connection)
    .await
    .doing("looking for runs alike")
}
