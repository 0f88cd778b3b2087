//! What runs have found out: the verdict on each, from the experiments that it rests on.
//!
//! The one idea: while nothing was measured twice, a verdict rests on four experiments, whatever
//! their number: the first, the best, the baseline and one of the search that succeeded. Only
//! of a run that has measured something again are all of them read.

use std::collections::HashMap;

use autotuner_core::failure::{FailureKind, Lesson};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::score::Score;
use autotuner_core::search::Role;
use autotuner_core::space::Candidate;
use autotuner_core::verdict::{Run, Verdict, of_runs};

use super::Database;
use super::engine::{Connection, QueryBuilder};
use super::find_tasks::of_these;
use super::rows::{Kept, Strange, from_text, small};
use super::trouble::Doing;
use crate::StoreError;
use crate::lists::Standing;

const DOING: &str = "reading what verdicts rest on";

/// `e` the experiments, `t` the tasks, `r` the results.
const COLUMNS: &str = "SELECT t.id AS task, e.id, e.number, e.role, e.status, e.candidate, e.failure_kind, r.score, \
     COALESCE(e.id = t.best_experiment, FALSE) AS is_best FROM tasks t ";

/// Something was measured again in the current run. The role is written out, not bound: only so is
/// it the condition of the partial index that finds this without reading the run.
const IS_REPEATED: &str =
    "EXISTS (SELECT 1 FROM experiments x WHERE x.task = t.id AND x.run = t.run AND x.role = 'replicate')";

#[derive(Debug, sqlx::FromRow)]
struct Row {
    task: i64,
    id: i64,
    number: i64,
    role: String,
    status: String,
    candidate: String,
    failure_kind: Option<String>,
    score: Option<String>,
    is_best: bool,
}

/// An experiment as far as a verdict looks at it.
#[derive(Debug)]
struct Seen {
    id: i64,
    number: ExperimentNumber,
    role: Role,
    candidate: Candidate,
    score: Option<Score>,
    /// It failed, by its own fault.
    is_failure: bool,
    /// Another program measured it.
    is_foreign: bool,
    is_best: bool,
}

impl Database {
    /// What the current runs of these tasks have found out. Tasks that are not there, or have no
    /// experiment, are left out.
    ///
    /// # Errors
    /// The database fails.
    pub async fn standings(&self, tasks: &[TaskId]) -> Result<HashMap<TaskId, Standing>, StoreError> {
        if tasks.is_empty() {
            return Ok(HashMap::new());
        }
        let mut connection = self.readers.acquire().await.doing(DOING)?;
        let mut seen = few(&mut connection, tasks).await?;
        seen.extend(all(&mut connection, tasks).await?);
        Ok(seen
            .into_iter()
            .map(|(task, seen)| (task, standing(&seen)))
            .collect())
    }
}

/// The experiment that is best by the verdict on a run in which something was measured again; the
/// outer `None` while nothing was.
pub(super) async fn best_of_repeated(
    connection: &mut Connection,
    task: TaskId,
) -> Result<Option<Option<i64>>, StoreError> {
    let seen = all(connection, &[task]).await?;
    Ok(seen.get(&task).map(|seen| {
        let best = verdict(seen).best?.number;
        let found = seen.iter().find(|each| each.number == best);
        found.map(|each| each.id)
    }))
}

/// The experiments of each task on which a verdict rests while nothing was measured again.
async fn few(
    connection: &mut Connection,
    tasks: &[TaskId],
) -> Result<HashMap<TaskId, Vec<Seen>>, StoreError> {
    let mut query = QueryBuilder::new(connection.engine(), COLUMNS);
    query.push(
        "JOIN experiments e ON e.id IN (t.best_experiment, \
         (SELECT id FROM experiments WHERE task = t.id AND run = t.run AND number = 1), \
         (SELECT id FROM experiments WHERE task = t.id AND run = t.run AND role = ",
    );
    query.push_bind(Role::Baseline.keep());
    query.push(" ORDER BY number DESC LIMIT 1), (SELECT id FROM experiments WHERE task = t.id AND run = t.run AND role = ");
    query.push_bind(Role::Search.keep());
    query.push(" AND status = ");
    query.push_bind(ExperimentStatus::Success.keep());
    query.push(" ORDER BY number LIMIT 1)) LEFT JOIN results r ON r.experiment = e.id");
    of_these(&mut query, tasks);
    read(connection, query).await
}

/// Every experiment of those tasks in whose current run something was measured again.
async fn all(
    connection: &mut Connection,
    tasks: &[TaskId],
) -> Result<HashMap<TaskId, Vec<Seen>>, StoreError> {
    let mut query = QueryBuilder::new(connection.engine(), COLUMNS);
    query.push(
        "JOIN experiments e ON e.task = t.id AND e.run = t.run LEFT JOIN results r ON r.experiment = e.id",
    );
    of_these(&mut query, tasks);
    query.push(" AND ").push(IS_REPEATED);
    read(connection, query).await
}

async fn read(
    connection: &mut Connection,
    mut query: QueryBuilder,
) -> Result<HashMap<TaskId, Vec<Seen>>, StoreError> {
    query.push(" ORDER BY t.id, e.number");
    let rows: Vec<Row> = query.build_as().fetch_all(connection).await.doing(DOING)?;
    let mut seen: HashMap<TaskId, Vec<Seen>> = HashMap::new();
    for row in rows {
        seen.entry(TaskId(row.task)).or_default().push(row.seen()?);
    }
    Ok(seen)
}

impl Row {
    fn seen(self) -> Result<Seen, StoreError> {
        let what = || format!("experiment {}", self.id);
        let told = |strange: Strange| strange.of(what());
        let status = ExperimentStatus::recall(self.status).map_err(told)?;
        let kind = self
            .failure_kind
            .map(FailureKind::recall)
            .transpose()
            .map_err(told)?;
        let is_unsaid = match status {
            ExperimentStatus::Success => self.score.is_none(),
            ExperimentStatus::Failed => kind.is_none(),
            _ => false,
        };
        Ok(Seen {
            id: self.id,
            number: ExperimentNumber(small(self.number, "number of an experiment").map_err(told)?),
            role: Role::recall(self.role).map_err(told)?,
            candidate: from_text(&self.candidate, what)?,
            score: self.score.map(|text| from_text(&text, what)).transpose()?,
            is_failure: kind.is_some_and(|kind| kind.lesson() == Lesson::KeepAway),
            is_foreign: is_unsaid,
            is_best: self.is_best,
        })
    }
}

fn standing(seen: &[Seen]) -> Standing {
    Standing {
        best_number: seen.iter().find(|each| each.is_best).map(|each| each.number),
        // What another program measured is not ours to judge.
        verdict: (!seen.iter().any(|each| each.is_foreign)).then(|| verdict(seen)),
    }
}

fn verdict(seen: &[Seen]) -> Verdict {
    let telling = seen.iter().filter(|each| each.score.is_some() || each.is_failure);
    let runs: Vec<Run<'_>> = telling
        .map(|each| Run {
            number: each.number,
            role: each.role,
            key: each.candidate.key(),
            score: each.score.as_ref(),
        })
        .collect();
    let baseline = seen.iter().rfind(|each| each.role == Role::Baseline);
    of_runs(&runs, baseline.map(|each| each.number))
}
