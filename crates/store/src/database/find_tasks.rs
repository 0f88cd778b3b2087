//! Tasks by what they are, and what rows of a list show beside them.
//!
//! The one idea: rows of tasks are small and there are thousands, not millions, so a filter reads
//! them all. What belongs to a page of them is one query for the whole page, on indexes.

use std::collections::HashMap;

use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use autotuner_core::search::Role;

use super::Database;
use super::engine::QueryBuilder;
use super::rows::{Kept, Strange, SummaryRow, small, summary_columns};
use super::text::contains;
use super::trouble::Doing;
use crate::StoreError;
use crate::lists::{Block, TaskQuery, TaskSort};
use crate::records::{Listed, Page, TaskSummary};

impl Database {
    /// The tasks that are asked for.
    ///
    /// # Errors
    /// The database fails.
    pub async fn find_tasks(
        &self,
        page: Page,
        wanted: &TaskQuery,
    ) -> Result<Listed<TaskSummary>, StoreError> {
        if *wanted == TaskQuery::all(wanted.now_ms) {
            return self.tasks(page, None).await;
        }
        let doing = "looking for tasks";
        let mut transaction = self.read(doing).await?;
        let mut count = QueryBuilder::new(self.engine(), "SELECT count(*) FROM tasks t WHERE TRUE");
        filter(&mut count, wanted);
        let total: i64 = count
            .build_scalar()
            .fetch_one(&mut *transaction)
            .await
            .doing(doing)?;
        let mut query = QueryBuilder::new(
            self.engine(),
            concat!("SELECT ", summary_columns!(), " FROM tasks t WHERE TRUE"),
        );
        filter(&mut query, wanted);
        sort(&mut query, wanted);
        query.push(" LIMIT ").push_bind(page.limit());
        query.push(" OFFSET ").push_bind(page.skip());
        let rows: Vec<SummaryRow> = query.build_as().fetch_all(&mut *transaction).await.doing(doing)?;
        let rows = rows.into_iter().map(SummaryRow::summary);
        Ok(Listed {
            rows: rows.collect::<Result<_, _>>()?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    /// The first experiments of the current runs of these tasks, so many of each at most, in
    /// their order.
    ///
    /// # Errors
    /// The database fails.
    pub async fn blocks(
        &self,
        tasks: &[TaskId],
        most: u32,
    ) -> Result<HashMap<TaskId, Vec<Block>>, StoreError> {
        if tasks.is_empty() {
            return Ok(HashMap::new());
        }
        let mut query = QueryBuilder::new(
            self.engine(),
            "SELECT t.id, e.id, e.number, e.status, e.role FROM tasks t \
             JOIN experiments e ON e.task = t.id AND e.run = t.run AND e.number <= ",
        );
        query.push_bind(i64::from(most));
        of_these(&mut query, tasks);
        query.push(" ORDER BY e.task, e.number");
        let rows: Vec<(i64, i64, i64, String, String)> = query
            .build_as()
            .fetch_all(&self.readers)
            .await
            .doing("reading the experiments of tasks")?;
        let mut blocks: HashMap<TaskId, Vec<Block>> = HashMap::new();
        for (task, id, number, status, role) in rows {
            let told = |strange: Strange| strange.of(format!("experiment {id}"));
            blocks.entry(TaskId(task)).or_default().push(Block {
                id: ExperimentId(id),
                number: ExperimentNumber(small(number, "number of an experiment").map_err(told)?),
                status: ExperimentStatus::recall(status).map_err(told)?,
                role: Role::recall(role).map_err(told)?,
            });
        }
        Ok(blocks)
    }
}

fn filter(query: &mut QueryBuilder, wanted: &TaskQuery) {
    let TaskQuery {
        statuses,
        text,
        runtime,
        sort: _,
        order: _,
        now_ms: _,
    } = wanted;
    if !statuses.is_empty() {
        query.push(" AND t.status IN (");
        query.push_list(statuses.iter().map(Kept::keep));
        query.push(")");
    }
    if let Some(runtime) = runtime {
        query.push(" AND t.base_runtime = ").push_bind(runtime.clone());
    }
    if let Some(text) = text {
        query.push(" AND (");
        contains(query, "t.name", text);
        query.push(" OR ");
        contains(query, "t.description", text);
        if let Some(id) = id_in(text) {
            query.push(" OR t.id = ").push_bind(id);
        }
        query.push(")");
    }
}

/// The id that `12` and `#12` are.
pub(super) fn id_in(text: &str) -> Option<i64> {
    text.strip_prefix('#').unwrap_or(text).parse().ok()
}

fn sort(query: &mut QueryBuilder, wanted: &TaskQuery) {
    let order = wanted.order.keyword_with_none_lowest();
    match wanted.sort {
        TaskSort::Created => {
            query.push(format_args!(" ORDER BY t.id {}", wanted.order.keyword()));
            return;
        }
        TaskSort::Name => query.push(" ORDER BY lower(t.name)"),
        TaskSort::Status => {
            query.push(" ORDER BY CASE t.status");
            for (place, status) in TaskStatus::ALL.iter().enumerate() {
                query.push(format_args!(" WHEN '{status}' THEN {place}"));
            }
            query.push(" END")
        }
        TaskSort::Started => query.push(" ORDER BY t.started_at_ms"),
        TaskSort::Completed => query.push(" ORDER BY t.completed_at_ms"),
        TaskSort::Elapsed => {
            query.push(" ORDER BY COALESCE(t.completed_at_ms, CASE WHEN t.status = 'running' THEN ");
            query.push_bind(wanted.now_ms);
            query.push(" END) - t.started_at_ms")
        }
        TaskSort::Experiments => query.push(" ORDER BY t.total_experiments"),
    };
    query.push(format_args!(" {order}, t.id DESC"));
}

pub(super) fn of_these(query: &mut QueryBuilder, tasks: &[TaskId]) {
    query.push(" WHERE t.id IN (");
    query.push_list(tasks.iter().map(|task| task.0));
    query.push(")");
}
