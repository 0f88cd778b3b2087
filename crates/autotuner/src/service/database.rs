//! The database of a service: a file in its data directory, or one on a server that several share.

use std::time::Duration;

use autotuner_store::{Database, OpenError, StoreError};
use tokio::time::timeout;

use super::data_dir::{DataDir, DataDirError};
use crate::config::Config;

/// How long a database may take to be closed.
const CLOSING: Duration = Duration::from_secs(5);

/// Why a service has no database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoDatabase {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DataDirError),
    /// It cannot be used.
    #[error("cannot free the claims of workers that are dead")]
    Claims(#[from] StoreError),
}

/// Opens it, makes it where it is missing, and brings it up to date.
///
/// # Errors
/// It cannot be opened or brought up to date.
pub(crate) async fn open(config: &Config, ours: &DataDir, now_ms: i64) -> Result<Database, NoDatabase> {
    if let Some(url) = &config.database {
        let database = Database::connect(url.reveal()).await?;
        // Other machines' workers may be alive, and the claims of those that are not expire.
        database.forget_claims_of(&owners(&ours.id()?)).await?;
        return Ok(database);
    }
    let database = Database::open(&ours.database(), now_ms).await?;
    // Whoever claimed a task before is dead: this directory is ours alone.
    database.forget_claims().await?;
    Ok(database)
}

/// Lets everything be written and closes; a server that is silent is not waited for.
pub(crate) async fn close(database: &Database, worker: &str) {
    let closing = async {
        // Where it cannot be said, whoever looks sees it go a little later.
        drop(database.forget_worker(worker).await);
        database.close().await;
    };
    if timeout(CLOSING, closing).await.is_err() {
        tracing::warn!("the database does not answer, and is left as it is");
    }
}

/// What the names of all workers of a data directory, by its id, begin with in claims.
pub(crate) fn owners(id: &str) -> String {
    format!("{id}/")
}
