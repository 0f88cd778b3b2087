//! Logs of a shared database, in files of this process.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_store::{Database, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::service::log_files::{blocking, open_to_append};
use crate::worker::chain;

/// A log that was fetched so lately is not fetched again: several may look at the same one.
const FRESH: Duration = Duration::from_millis(200);

/// Logs that are remembered: those that were not looked at for longest are fetched anew.
const MOST_REMEMBERED: usize = 512;

/// How far this process has fetched each log. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    database: Database,
    logs: Arc<Mutex<HashMap<String, Arc<Mutex<Known>>>>>,
}

/// One log.
#[derive(Debug, Default)]
struct Known {
    /// Its first and its last piece that are in the file, by their ids.
    first: Option<i64>,
    last: i64,
    at: Option<Instant>,
}

impl Fetched {
    /// Of this database, with nothing fetched yet: what an earlier process has left in the folder
    /// is removed.
    ///
    /// # Errors
    /// The folder cannot be emptied.
    pub(crate) fn new(database: Database, folder: &Path) -> io::Result<Self> {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            database,
            logs: Arc::default(),
        })
    }

    /// Brings the file of a log up to date. Where the database cannot be asked, it stays as it is.
    pub(crate) async fn fetch(&self, task: TaskId, path: &Path) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return;
        };
        let known = self.known(name).await;
        let mut known = known.lock().await;
        if known.at.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        if let Err(error) = self.bring_up_to_date(task, name, path, &mut known).await {
            tracing::warn!(
                task.id = task.0,
                name,
                "a log is not up to date: {}",
                chain(&error)
            );
        }
        known.at = Some(Instant::now());
    }

    async fn known(&self, name: &str) -> Arc<Mutex<Known>> {
        let mut logs = self.logs.lock().await;
        if logs.len() >= MOST_REMEMBERED && !logs.contains_key(name) {
            // Nobody fetches what nobody else holds. What is forgotten begins anew.
            logs.retain(|_, known| Arc::strong_count(known) > 1);
        }
        Arc::clone(logs.entry(name.to_owned()).or_default())
    }

    async fn bring_up_to_date(
        &self,
        task: TaskId,
        name: &str,
        path: &Path,
        known: &mut Known,
    ) -> io::Result<()> {
        let first = self.database.log_begins_with(task, name).await.map_err(told)?;
        if known.first != first || known.first.is_none() {
            // It was emptied since, or is not in the file yet.
            *known = Known {
                first,
                ..Known::default()
            };
            let path = path.to_owned();
            blocking(move || empty(&path)).await?;
        }
        loop {
            let pieces = self
                .database
                .log_after(task, name, known.last)
                .await
                .map_err(told)?;
            let Some(last) = pieces.last().map(|piece| piece.id) else {
                return Ok(());
            };
            let path = path.to_owned();
            blocking(move || {
                let mut file = open_to_append(&path)?;
                pieces.iter().try_for_each(|piece| file.write_all(&piece.bytes))
            })
            .await?;
            known.last = last;
        }
    }
}

fn told(error: StoreError) -> io::Error {
    io::Error::other(error)
}

/// Empties a file that may be there.
fn empty(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        open_to_append(path)?.set_len(0)?;
    }
    Ok(())
}
