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
