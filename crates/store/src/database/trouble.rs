//! From the driver's errors to what a caller can act on.

use std::sync::Arc;

use super::engine::{self, Trouble};
use crate::StoreError;

/// Says what was being done when the driver failed.
pub(crate) trait Doing<T> {
    /// The same, with the driver's error told as the store's.
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| told(error, doing))
    }
}

fn told(error: sqlx::Error, doing: &'static str) -> StoreError {
    match error {
        sqlx::Error::PoolTimedOut => StoreError::Busy { doing },
        sqlx::Error::ColumnDecode { index, source } => StoreError::Unreadable {
            what: format!("column {index}"),
            reason: source.to_string(),
        },
        sqlx::Error::Database(ref reported) => match engine::trouble(reported.as_ref()) {
            Trouble::Busy => StoreError::Busy { doing },
            Trouble::CannotWrite => StoreError::CannotWrite {
                doing,
                source: Arc::new(error),
            },
            Trouble::Other => failed(error, doing),
        },
        sqlx::Error::Io(_) => StoreError::CannotWrite {
            doing,
            source: Arc::new(error),
        },
        _ => failed(error, doing),
    }
}

fn failed(error: sqlx::Error, doing: &'static str) -> StoreError {
    StoreError::Failed {
        doing,
        source: Arc::new(error),
    }
}

/// Whether a row was refused because another one has what must be unique.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::time::Duration;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, SqliteConnection};

    use super::*;

    async fn connection(path: &std::path::Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        options.connect().await.expect("opens")
    }

    /// Does this on one connection after that on another.
    async fn after(before: &'static str, sql: &'static str) -> StoreError {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let (mut first, mut second) = (connection(&path).await, connection(&path).await);
        let made = sqlx::query("CREATE TABLE t (a BLOB UNIQUE)")
            .execute(&mut second)
            .await;
        made.expect("made");
        sqlx::raw_sql(before).execute(&mut first).await.expect("legal");
        let done = sqlx::raw_sql(sql).execute(&mut second).await;
        done.map(drop).doing("testing").expect_err("it fails")
    }

    #[tokio::test]
    async fn each_trouble_has_its_name() {
        let busy = after("BEGIN IMMEDIATE", "BEGIN IMMEDIATE").await;
        assert!(matches!(busy, StoreError::Busy { doing: "testing" }), "{busy:?}");
        for full in [
            "PRAGMA max_page_count = 2; INSERT INTO t VALUES (zeroblob(100000))",
            "PRAGMA query_only = ON; INSERT INTO t VALUES (1)",
        ] {
            let told = after("SELECT 1", full).await;
            assert!(matches!(told, StoreError::CannotWrite { .. }), "{full}: {told:?}");
            assert!(told.source().is_some(), "{full}");
        }
        let other = after("SELECT 1", "SELECT none FROM t").await;
        assert!(matches!(other, StoreError::Failed { .. }), "{other:?}");
        let cause = other.source().expect("a source").to_string();
        assert!(cause.contains("no such column"), "{cause}");
        assert_eq!(
            other.to_string(),
            "the database failed while testing",
            "this layer's part only"
        );
    }
}
