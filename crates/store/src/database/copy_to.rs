//! Moving house: everything of one database into another one that is empty, on either engine.
//!
//! The one idea: rows are carried unread, table by table in the order in which they lean on each
//! other, all of one moment and into one transaction. What triggers count is counted anew as the
//! rows come.

use std::sync::Arc;

use super::Database;
use super::audit::first_changed;
use super::engine::{Bound, Cells, Connection, Engine, QueryBuilder, last_id, query, set_last_id};
use super::trouble::Doing;
use crate::StoreError;

const DOING: &str = "copying everything into another database";

/// A table, what orders its rows, and how many of them are carried at once.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    at_once: i64,
    has_own_ids: bool,
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table {
        name,
        key,
        at_once: 500,
        has_own_ids: false,
    }
}

/// Every table but those that triggers fill.
const TABLES: [Table; 11] = [
    table("tasks", &["id"]).with_own_ids(),
    table("runs", &["task", "run"]),
    table("documents", &["task", "run"]).with_large_rows(),
    table("experiments", &["id"]).with_own_ids(),
    table("results", &["experiment"]).with_large_rows(),
    table("containers", &["id"]),
    table("presets", &["id"]).with_own_ids(),
    table("tokens", &["id"]).with_own_ids(),
    table("sessions", &["hash"]),
    table("audit", &["id"]),
    table("audit_head", &["only"]),
];

/// What only a server keeps, and goes from server to server: on one machine, logs are files.
const LOGS: Table = table("log_pieces", &["id"]).with_own_ids().with_large_rows();

impl Table {
    /// A row may be a megabyte.
    const fn with_large_rows(self) -> Self {
        Self { at_once: 50, ..self }
    }

    /// The engine gives out the ids, and never one twice.
    const fn with_own_ids(self) -> Self {
        Self {
            has_own_ids: true,
            ..self
        }
    }
}

impl Database {
    /// Copies everything into an empty database, which may be on the other engine: ids stay, and
    /// the next ones go on from there. Others may go on reading and writing this one; what they
    /// write meanwhile is not copied. Logs that several machines share go from a server to a
    /// server alone. Gives the number of rows.
    ///
    /// # Errors
    /// [`StoreError::Occupied`] where the other one holds anything; where what has arrived is not
    /// what was sent. Nothing was changed then.
    pub async fn copy_to(&self, other: &Self) -> Result<u64, StoreError> {
        let mut from = self.read(DOING).await?;
        let mut to = other.write(DOING).await?;
        for table in TABLES.iter().filter(|table| table.name != "audit_head") {
            if count(&mut to, table).await? > 0 {
                return Err(StoreError::Occupied { place: other.place() });
            }
        }
        // It comes with the other rows.
        query("DELETE FROM audit_head")
            .execute(&mut *to)
            .await
            .doing(DOING)?;
        let mut rows = 0;
        let have_logs = [from.engine(), to.engine()] == [Engine::Postgres; 2];
        for table in TABLES.iter().chain(have_logs.then_some(&LOGS)) {
            carry(&mut from, &mut to, table).await?;
            let (sent, arrived) = (count(&mut from, table).await?, count(&mut to, table).await?);
            if sent != arrived {
                return Err(differs(format!(
                    "{arrived} of {sent} rows of {} arrived",
                    table.name
                )));
            }
            rows += u64::try_from(arrived).unwrap_or(0);
            if table.has_own_ids {
                let last = last_id(&mut from, table.name).await.doing(DOING)?;
                set_last_id(&mut to, table.name, last).await.doing(DOING)?;
            }
        }
        if first_changed(&mut from).await? != first_changed(&mut to).await? {
            return Err(differs("the audit log does not read as it did".into()));
        }
        to.commit().await.doing(DOING)?;
        Ok(rows)
    }
}

fn differs(reason: String) -> StoreError {
    let source: Box<dyn std::error::Error + Send + Sync> = reason.into();
    StoreError::Failed {
        doing: DOING,
        source: Arc::from(source),
    }
}

async fn count(connection: &mut Connection, table: &Table) -> Result<i64, StoreError> {
    let sql = format!("SELECT count(*) FROM {}", table.name);
    let counted = QueryBuilder::new(connection.engine(), sql).build_scalar();
    counted.fetch_one(connection).await.doing(DOING)
}

/// Carries the rows of a table over, some at a time.
async fn carry(from: &mut Connection, to: &mut Connection, table: &Table) -> Result<(), StoreError> {
    let Table {
        name, key, at_once, ..
    } = table;
    let order = quoted(key.iter().copied());
    let mut after: Vec<Bound> = Vec::new();
    loop {
        let mut next = QueryBuilder::new(from.engine(), format!("SELECT * FROM {name}"));
        if !after.is_empty() {
            next.push(format_args!(" WHERE ({order}) > ("));
            next.push_list(after.drain(..)).push(")");
        }
        next.push(format_args!(" ORDER BY {order} LIMIT "))
            .push_bind(*at_once);
        let rows: Vec<Cells> = next.build_as().fetch_all(&mut *from).await.doing(DOING)?;
        let Some(Cells(last)) = rows.last() else {
            return Ok(());
        };
        for column in *key {
            let cell = last.iter().find(|(name, _)| name == column);
            after.extend(cell.map(|(_, value)| value.clone()));
        }
        insert(to, name, rows).await?;
    }
}

/// Names between commas, of which one may be a word of the engine's.
fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

async fn insert(to: &mut Connection, table: &str, rows: Vec<Cells>) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new(to.engine(), format!("INSERT INTO {table} ("));
    if let Some(Cells(first)) = rows.first() {
        query.push(quoted(first.iter().map(|(name, _)| name.as_str())));
    }
    query.push(") VALUES ");
    for (index, Cells(row)) in rows.into_iter().enumerate() {
        query.push(if index > 0 { ", (" } else { "(" });
        query.push_list(row.into_iter().map(|(_, value)| value)).push(")");
    }
    query.build().execute(to).await.doing(DOING)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::engine::query_scalar;
    use super::*;

    #[tokio::test]
    async fn no_table_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&folder.path().join("a.db"), 0).await.expect("new");
        let tables = query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'");
        let mut tables: Vec<String> = tables.fetch_all(&database.readers).await.expect("listed");
        let counted = ["tallies", "experiment_blocks"];
        tables.retain(|name| !name.starts_with("sqlite_") && name != "_sqlx_migrations");
        tables.retain(|name| !counted.contains(&name.as_str()));
        let mut carried: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        tables.sort();
        carried.sort_unstable();
        assert_eq!(tables, carried);
    }
}
