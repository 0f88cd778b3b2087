//! Experiments by what they are.
//!
//! The one idea: how many there are is found first, for the answer and for the way to a page of
//! them. Where they are most of all experiments, rows are walked in their order until the page is
//! full; where they are few, all of them are found by an index that holds whatever a filter looks
//! at, and put in order. Only a search for text in configurations reads every row, once.

use std::collections::HashMap;

use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::search::Role;

use super::Database;
use super::engine::{Connection, QueryBuilder, query_scalar};
use super::experiments::listed;
use super::find_tasks::id_in;
use super::rows::{ExperimentRow, Kept, experiment_columns};
use super::text::{contains, in_candidate};
use super::trouble::Doing;
use crate::StoreError;
use crate::lists::{ExperimentQuery, ExperimentSort, Order};
use crate::records::{ExperimentRecord, Listed, Page};

const DOING: &str = "looking for experiments";

impl Database {
    /// The experiments that are asked for.
    ///
    /// # Errors
    /// The database fails.
    pub async fn find_experiments(
        &self,
        page: Page,
        wanted: &ExperimentQuery,
    ) -> Result<Listed<ExperimentRecord>, StoreError> {
        if *wanted == ExperimentQuery::all() {
            return self.experiments(page).await;
        }
        let mut transaction = self.read(DOING).await?;
        let (total, ids) = match wanted.text {
            Some(_) => found_by_text(&mut transaction, page, wanted).await?,
            None => found(&mut transaction, page, wanted).await?,
        };
        let rows = in_order(&mut transaction, &ids).await?;
        listed(rows, total)
    }
}

/// How the rows of a page are come by. A sign before a column keeps its indexes out of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the order that is asked for, until the page is full.
    Walked,
    /// All that match, by whatever index finds them; then put in order.
    Found,
}

/// How many there are, and the ids of the page.
async fn found(
    connection: &mut Connection,
    page: Page,
    wanted: &ExperimentQuery,
) -> Result<(i64, Vec<i64>), StoreError> {
    let all = tallied(connection, &ExperimentStatus::ALL).await?;
    let total = match only_filter(wanted) {
        Some(Only::Nothing) => all,
        Some(Only::Statuses) => tallied(connection, &wanted.statuses).await?,
        Some(Only::Searches) => all - few(connection).await?,
        Some(Only::Runtime(runtime)) => of_runtime(connection, runtime).await?,
        None => count(connection, wanted).await?,
    };
    if total <= page.skip() {
        return Ok((total, Vec::new()));
    }
    let way = match total.saturating_mul(2) > all {
        true => Way::Walked,
        false => Way::Found,
    };
    let mut query = QueryBuilder::new(connection.engine(), "SELECT e.id FROM experiments e");
    query.push(joined(wanted.sort)).push(" WHERE TRUE");
    filter(&mut query, wanted, way);
    sort(&mut query, wanted, way);
    cut(&mut query, page);
    let ids = query.build_scalar().fetch_all(connection).await;
    Ok((total, ids.doing(DOING)?))
}

/// What a list is filtered by, where it is by one thing alone of which there may be a million and
/// it is known how many there are.
enum Only<'a> {
    Nothing,
    Statuses,
    Searches,
    Runtime(&'a str),
}

fn only_filter(wanted: &ExperimentQuery) -> Option<Only<'_>> {
    let ExperimentQuery {
        task: None,
        statuses,
        failure: None,
        role,
        runtime,
        text: None,
        sort: _,
        order: _,
    } = wanted
    else {
        return None;
    };
    match (statuses.is_empty(), role, runtime) {
        (true, None, None) => Some(Only::Nothing),
        (false, None, None) => Some(Only::Statuses),
        (true, Some(Role::Search), None) => Some(Only::Searches),
        (true, None, Some(runtime)) => Some(Only::Runtime(runtime)),
        _ => None,
    }
}

/// How many there are of these statuses.
async fn tallied(connection: &mut Connection, statuses: &[ExperimentStatus]) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new(
        connection.engine(),
        "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM tallies WHERE name IN (",
    );
    query.push_list(statuses.iter().map(|status| format!("experiment.{status}")));
    query.push(")");
    let counted = query.build_scalar().fetch_one(connection).await;
    counted.doing(DOING)
}

/// How many are none of the search.
async fn few(connection: &mut Connection) -> Result<i64, StoreError> {
    let counted = query_scalar(
        "SELECT (SELECT count(*) FROM experiments WHERE role = 'baseline') \
         + (SELECT count(*) FROM experiments WHERE role = 'replicate')",
    );
    counted.fetch_one(connection).await.doing(DOING)
}

/// How many are of tasks with this engine: each run knows how many it has.
async fn of_runtime(connection: &mut Connection, runtime: &str) -> Result<i64, StoreError> {
    let counted = query_scalar(
        "SELECT CAST(COALESCE((SELECT sum(total_experiments) FROM tasks WHERE base_runtime = $1), 0) \
         + COALESCE((SELECT sum(x.total_experiments) FROM runs x JOIN tasks t ON t.id = x.task \
           WHERE t.base_runtime = $1), 0) AS BIGINT)",
    );
    let counted = counted.bind(runtime).fetch_one(connection).await;
    counted.doing(DOING)
}

async fn count(connection: &mut Connection, wanted: &ExperimentQuery) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM experiments e WHERE TRUE";
    let mut query = QueryBuilder::new(connection.engine(), sql);
    filter(&mut query, wanted, Way::Found);
    let counted = query.build_scalar().fetch_one(connection).await;
    counted.doing(DOING)
}

/// The same in one reading of all rows.
async fn found_by_text(
    connection: &mut Connection,
    page: Page,
    wanted: &ExperimentQuery,
) -> Result<(i64, Vec<i64>), StoreError> {
    let mut query = QueryBuilder::new(
        connection.engine(),
        "WITH matching AS MATERIALIZED (SELECT e.id, e.started_at_ms, e.ended_at_ms, e.objective_score \
         FROM experiments e WHERE TRUE",
    );
    filter(&mut query, wanted, Way::Found);
    query.push(") SELECT e.id, (SELECT count(*) FROM matching) FROM matching e");
    query.push(joined(wanted.sort));
    sort(&mut query, wanted, Way::Found);
    cut(&mut query, page);
    let rows: Vec<(i64, i64)> = query.build_as().fetch_all(&mut *connection).await.doing(DOING)?;
    match rows.first() {
        Some((_, total)) => Ok((*total, rows.into_iter().map(|(id, _)| id).collect())),
        // A page behind the last one tells no number.
        None if page.skip > 0 => Ok((count(connection, wanted).await?, Vec::new())),
        None => Ok((0, Vec::new())),
    }
}

/// The experiments with these ids, in this order.
async fn in_order(connection: &mut Connection, ids: &[i64]) -> Result<Vec<ExperimentRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = concat!(
        "SELECT ",
        experiment_columns!(),
        " FROM experiments e JOIN tasks t ON t.id = e.task LEFT JOIN results r ON r.experiment = e.id \
         WHERE e.id IN ("
    );
    let mut query = QueryBuilder::new(connection.engine(), sql);
    query.push_list(ids).push(")");
    let mut rows: Vec<ExperimentRow> = query.build_as().fetch_all(connection).await.doing(DOING)?;
    let places: HashMap<i64, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    rows.sort_by_key(|row| places.get(&row.id).copied());
    Ok(rows)
}

fn joined(sort: ExperimentSort) -> &'static str {
    match sort {
        ExperimentSort::Score => " LEFT JOIN results r ON r.experiment = e.id",
        ExperimentSort::Created | ExperimentSort::Started | ExperimentSort::Elapsed => "",
    }
}

fn filter(query: &mut QueryBuilder, wanted: &ExperimentQuery, way: Way) {
    let ExperimentQuery {
        task,
        statuses,
        failure,
        role,
        runtime,
        text,
        sort: _,
        order: _,
    } = wanted;
    let sign = match way {
        Way::Walked => query.engine().unindexed(),
        Way::Found => "",
    };
    if let Some(task) = task {
        query.push(" AND e.task = ").push_bind(task.0);
    }
    if let Some(kind) = failure {
        // No other status has one: this is where its index begins.
        query.push(format_args!(" AND {sign}e.status = "));
        query.push_bind(ExperimentStatus::Failed.keep());
        query.push(format_args!(" AND {sign}e.failure_kind = "));
        query.push_bind(kind.keep());
    }
    if !statuses.is_empty() {
        query.push(format_args!(" AND {sign}e.status IN ("));
        query.push_list(statuses.iter().map(Kept::keep)).push(")");
    }
    if let Some(role) = role {
        // Spelt out: an index of one role's experiments is used where that role is named.
        query.push(format_args!(" AND {sign}e.role = '{}'", role.as_str()));
    }
    if let Some(runtime) = runtime {
        query.push(format_args!(
            " AND {sign}e.task IN (SELECT id FROM tasks WHERE base_runtime = "
        ));
        query.push_bind(runtime.clone()).push(")");
    }
    if let Some(text) = text {
        query.push(" AND (e.task IN (SELECT t.id FROM tasks t WHERE ");
        contains(query, "t.name", text);
        query.push(") OR ");
        in_candidate(query, "e.candidate", text);
        if let Some(id) = text.starts_with('#').then(|| id_in(text)).flatten() {
            query.push(" OR e.task = ").push_bind(id);
        }
        query.push(")");
    }
}

fn sort(query: &mut QueryBuilder, wanted: &ExperimentQuery, way: Way) {
    let order = wanted.order.keyword();
    let is_in_order_by_status = wanted.sort == ExperimentSort::Created && wanted.statuses.len() == 1;
    let sign = match way {
        Way::Found if !is_in_order_by_status => query.engine().unindexed(),
        Way::Found | Way::Walked => "",
    };
    let key = match wanted.sort {
        ExperimentSort::Created => {
            query.push(format_args!(" ORDER BY {sign}e.id {order}"));
            return;
        }
        ExperimentSort::Started => format!("{sign}e.started_at_ms {order}"),
        ExperimentSort::Elapsed => {
            let order = wanted.order.keyword_with_none_lowest();
            format!("{sign}(e.ended_at_ms - e.started_at_ms) {order}")
        }
        ExperimentSort::Score => {
            // The score's own order: what may be chosen, then what is lower, is better.
            let lower_first = match wanted.order {
                Order::Ascending => Order::Descending,
                Order::Descending => Order::Ascending,
            };
            let lower_first = lower_first.keyword();
            let is_feasible = query.engine().is_feasible();
            format!("e.objective_score IS NULL, {is_feasible} {order}, e.objective_score {lower_first}")
        }
    };
    query.push(format_args!(" ORDER BY {key}, e.id {order}"));
}

fn cut(query: &mut QueryBuilder, page: Page) {
    query.push(" LIMIT ").push_bind(page.limit());
    query.push(" OFFSET ").push_bind(page.skip());
}

#[cfg(test)]
mod tests {
    use autotuner_core::failure::FailureKind;

    use super::super::engine::Engine;
    use super::*;
    use crate::Database;

    async fn plan(database: &Database, query: QueryBuilder) -> String {
        let steps: Vec<(i64, i64, i64, String)> = query
            .explained()
            .build_as()
            .fetch_all(&database.readers)
            .await
            .expect("explained");
        let steps: Vec<String> = steps.into_iter().map(|(.., step)| step).collect();
        steps.join("; ")
    }

    #[tokio::test]
    async fn nothing_but_a_text_reads_rows_of_experiments_to_count_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&folder.path().join("a.db"), 0).await.expect("new");
        let all = ExperimentQuery::all();
        let check = async |wanted: ExperimentQuery, expected: &str| {
            let mut query =
                QueryBuilder::new(Engine::Sqlite, "SELECT count(*) FROM experiments e WHERE TRUE");
            filter(&mut query, &wanted, Way::Found);
            let told = plan(&database, query).await;
            assert!(told.contains(expected), "{wanted:?}: {told}");
        };
        let covering = "COVERING INDEX experiments_by_status (status=?";
        let statuses = vec![ExperimentStatus::Failed, ExperimentStatus::Pending];
        let of_statuses = ExperimentQuery {
            statuses,
            ..all.clone()
        };
        check(of_statuses.clone(), covering).await;
        let failure = Some(FailureKind::OutOfMemory);
        check(
            ExperimentQuery {
                failure,
                ..all.clone()
            },
            covering,
        )
        .await;
        let role = Some(Role::Search);
        check(
            ExperimentQuery {
                role,
                ..of_statuses.clone()
            },
            covering,
        )
        .await;
        let runtime = Some("sim".to_owned());
        check(
            ExperimentQuery {
                runtime: runtime.clone(),
                ..of_statuses
            },
            covering,
        )
        .await;
        check(
            ExperimentQuery { role, ..all.clone() },
            "COVERING INDEX experiments_by_status",
        )
        .await;
        let role = Some(Role::Baseline);
        check(ExperimentQuery { role, ..all.clone() }, "experiments_baselines").await;
        check(
            ExperimentQuery {
                runtime,
                ..all.clone()
            },
            "COVERING INDEX sqlite_autoindex_experiments_1",
        )
        .await;
    }

    #[tokio::test]
    async fn pages_of_most_are_walked_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&folder.path().join("a.db"), 0).await.expect("new");
        let check = async |key: ExperimentSort, way: Way, is_sorted_by_hand: bool| {
            let wanted = ExperimentQuery {
                role: Some(Role::Search),
                sort: key,
                ..ExperimentQuery::all()
            };
            let mut query = QueryBuilder::new(Engine::Sqlite, "SELECT e.id FROM experiments e WHERE TRUE");
            filter(&mut query, &wanted, way);
            sort(&mut query, &wanted, way);
            let told = plan(&database, query).await;
            assert_eq!(
                told.contains("TEMP B-TREE"),
                is_sorted_by_hand,
                "{wanted:?}: {told}"
            );
        };
        for key in [
            ExperimentSort::Created,
            ExperimentSort::Started,
            ExperimentSort::Elapsed,
        ] {
            check(key, Way::Walked, false).await;
            check(key, Way::Found, true).await;
        }
    }
}
