//! Logs of a shared database, in files of this process.
//!
//! A fetch that has begun goes on to its end, also when whoever wanted it has gone: the file and
//! what is known of it change together.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_store::{Database, LogPiece, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::service::log_files::{blocking, open_to_append};
use crate::worker::chain;

/// A log that was fetched so lately is not fetched again: several may look at the same one.
const FRESH: Duration = Duration::from_millis(200);

/// Logs that are remembered; of more, the one that was not looked at for longest is fetched anew.
const MOST_REMEMBERED: usize = 4096;

/// How far this process has fetched each log. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    database: Database,
    logs: Arc<Mutex<HashMap<String, Log>>>,
}

#[derive(Debug, Clone)]
struct Log {
    known: Arc<Mutex<Known>>,
    looked_at: Instant,
}

/// What is known of one log.
#[derive(Debug, Default)]
struct Known {
    /// Its first and its last piece that are in the file, by their ids.
    first: Option<i64>,
    last: i64,
    /// How long the file is with them.
    length: u64,
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
        let (name, path) = (name.to_owned(), path.to_owned());
        let (known, database) = (self.known(&name).await, self.database.clone());
        let fetching = tokio::spawn(async move {
            let mut known = known.lock().await;
            if known.at.is_some_and(|at| at.elapsed() < FRESH) {
                return;
            }
            if let Err(error) = bring_up_to_date(&database, task, &name, &path, &mut known).await {
                tracing::warn!(
                    task.id = task.0,
                    name,
                    "a log is not up to date: {}",
                    chain(&error)
                );
            }
            known.at = Some(Instant::now());
        });
        if let Err(error) = fetching.await {
            tracing::error!(task.id = task.0, %error, "a log cannot be fetched");
        }
    }

    /// Logs whose names begin so are not what they were: whoever asks next fetches them.
    pub(crate) async fn doubt(&self, beginning: &str) {
        let logs = self.logs.lock().await;
        let meant = logs.iter().filter(|(name, _)| name.starts_with(beginning));
        let known: Vec<Arc<Mutex<Known>>> = meant.map(|(_, log)| Arc::clone(&log.known)).collect();
        drop(logs);
        for known in known {
            known.lock().await.at = None;
        }
    }

    async fn known(&self, name: &str) -> Arc<Mutex<Known>> {
        let mut logs = self.logs.lock().await;
        let now = Instant::now();
        if logs.len() >= MOST_REMEMBERED && !logs.contains_key(name) {
            let oldest = logs.iter().min_by_key(|(_, log)| log.looked_at);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                logs.remove(&oldest);
            }
        }
        let log = logs.entry(name.to_owned()).or_insert_with(|| Log {
            known: Arc::default(),
            looked_at: now,
        });
        log.looked_at = now;
        Arc::clone(&log.known)
    }
}

async fn bring_up_to_date(
    database: &Database,
    task: TaskId,
    name: &str,
    path: &Path,
    known: &mut Known,
) -> io::Result<()> {
    let first = database.log_begins_with(task, name).await.map_err(told)?;
    if known.first != first {
        // It was emptied since, or is not in the file yet.
        let path = path.to_owned();
        blocking(move || empty(&path)).await?;
        *known = Known {
            first,
            ..Known::default()
        };
    }
    if first.is_none() {
        return Ok(());
    }
    loop {
        let pieces = database.log_after(task, name, known.last).await.map_err(told)?;
        let Some(last) = pieces.last().map(|piece| piece.id) else {
            return Ok(());
        };
        let (path, from) = (path.to_owned(), known.length);
        known.length = blocking(move || put(&path, from, &pieces)).await?;
        known.last = last;
    }
}

fn told(error: StoreError) -> io::Error {
    io::Error::other(error)
}

/// Puts pieces at a place of a file, where an attempt that failed may have left some already. Says
/// where they end.
fn put(path: &PathBuf, from: u64, pieces: &[LogPiece]) -> io::Result<u64> {
    // Made as logs are: for this account alone.
    drop(open_to_append(path)?);
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut end = from;
    for piece in pieces {
        file.write_all(&piece.bytes)?;
        end += piece.bytes.len() as u64;
    }
    Ok(end)
}

/// Empties a file that may be there.
fn empty(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        open_to_append(path)?.set_len(0)?;
    }
    Ok(())
}
