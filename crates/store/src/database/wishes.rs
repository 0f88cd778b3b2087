//! What the tasks of the database name, for whoever asks what is still needed.
//!
//! Bounded: the newest tasks only, and of each nothing but its document. It judges nothing.

use autotuner_core::ids::TaskId;
use serde_json::Value;

use super::Database;
use super::engine::query_as;
use super::trouble::Doing as _;
use crate::StoreError;

/// A task of containers, with what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: String,
    /// Its document, as its current run has it.
    pub document: Value,
}

impl Database {
    /// The newest tasks whose engines are to be containers, so many at most, newest first. One
    /// whose document cannot be read is left out: its own page tells of that.
    ///
    /// # Errors
    /// The database fails.
    pub async fn wishes(&self, most: u32) -> Result<Vec<Wish>, StoreError> {
        let doing = "reading what tasks name";
        let rows: Vec<(i64, String, String)> = query_as(
            "SELECT t.id, t.name, d.document FROM tasks t \
             JOIN documents d ON d.task = t.id AND d.run = t.run \
             WHERE t.deployment_mode = 'docker' ORDER BY t.id DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.readers)
        .await
        .doing(doing)?;
        let wish = |(id, name, document): (i64, String, String)| {
            let document = serde_json::from_str(&document).ok()?;
            Some(Wish {
                task: TaskId(id),
                name,
                document,
            })
        };
        Ok(rows.into_iter().filter_map(wish).collect())
    }
}
