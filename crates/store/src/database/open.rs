//! Opening, closing, checking and copying the file, and beginning transactions.
//!
//! The one idea: a file is looked at before it is touched. One that a later version or another
//! program wrote stays as it is, and one of an earlier version is copied before it is changed.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection as _};

use super::engine::{Engine, Found, Pool, Purpose, Transaction, query, sqlite};
use super::trouble::Doing;
use super::{Database, OpenError, Place};
use crate::StoreError;

/// Only the owner reads and writes: documents may tell what nobody else should know.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

impl Database {
    /// Opens the file, makes it where it is missing, and brings it up to date; before that it
    /// is copied beside itself, as `<name>.schema-<old number>.backup`.
    ///
    /// # Errors
    /// [`OpenError::Newer`] for a file of a later version, which is left as it is.
    pub async fn open(path: &Path, now_ms: i64) -> Result<Self, OpenError> {
        Self::open_with(path, now_ms, &sqlite::MIGRATIONS).await
    }

    pub(super) async fn open_with(
        path: &Path,
        now_ms: i64,
        migrations: &Migrator,
    ) -> Result<Self, OpenError> {
        let failed = |doing| move |source| failed(path, doing, source);
        make_private(path).map_err(|error| failed("making the file")(error.into()))?;
        let known = latest(migrations);
        match look(path)
            .await
            .map_err(|error| failed("reading its schema")(error.into()))?
        {
            Found::Schema(version) if version > known => {
                return Err(OpenError::Newer {
                    path: path.display().to_string(),
                    found: version,
                    known,
                });
            }
            Found::Schema(version) if version < known => {
                let doing = "copying it before it is brought up to date";
                set_aside(path, version, now_ms).await.map_err(failed(doing))?;
            }
            Found::Stranger => {
                let reason = "it holds tables of another program";
                return Err(failed("reading its schema")(reason.into()));
            }
            Found::Schema(_) | Found::Nothing => {}
        }
        let writer = sqlite::writer(sqlite::writing_to(path)).await;
        let writer = writer.map_err(|error| failed("opening it")(error.into()))?;
        let migrated = migrations.run(&writer).await;
        migrated.map_err(|error| failed("bringing it up to date")(error.into()))?;
        let readers = sqlite::readers(sqlite::reading_from(path)).await;
        let readers = readers.map_err(|error| failed("opening it")(error.into()))?;
        Ok(Self {
            readers: Pool::Sqlite(readers),
            writer: Pool::Sqlite(writer),
            place: Place::File(Arc::from(path)),
        })
    }

    /// Opens a file of today's schema for reading and copying, beside whoever serves it. Nothing
    /// of it changes.
    ///
    /// # Errors
    /// [`OpenError::Newer`] for a file of a later version; one that is not there, that is of an
    /// earlier version or another program's cannot be looked at, either.
    pub async fn look_at(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| failed(path, "looking at it", source);
        let known = latest(&sqlite::MIGRATIONS);
        match look(path).await.map_err(|error| failed(error.into()))? {
            Found::Schema(version) if version > known => {
                return Err(OpenError::Newer {
                    path: path.display().to_string(),
                    found: version,
                    known,
                });
            }
            Found::Schema(version) if version < known => {
                return Err(failed(
                    "an earlier version wrote it; the service brings it up to date".into(),
                ));
            }
            Found::Schema(_) => {}
            Found::Stranger => return Err(failed("it holds tables of another program".into())),
            Found::Nothing => return Err(failed("it is empty".into())),
        }
        let (readers, writer) = sqlite::looking(path)
            .await
            .map_err(|error| failed(error.into()))?;
        Ok(Self {
            readers: Pool::Sqlite(readers),
            writer: Pool::Sqlite(writer),
            place: Place::File(Arc::from(path)),
        })
    }

    /// Lets everything be written and closes.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// What is wrong with the file; nothing, where it is sound. A server sees to its own files: of
    /// a database there, it is what is wrong with our counts.
    ///
    /// # Errors
    /// It cannot be read at all.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        let doing = "checking it";
        match &self.readers {
            Pool::Sqlite(readers) => {
                let mut connection = readers.acquire().await.doing(doing)?;
                sqlite::damage(&mut connection).await.doing(doing)
            }
            Pool::Postgres(..) => self.miscounts().await,
        }
    }

    /// A whole copy, made while others read and write. Refuses to replace a file.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`]; [`StoreError::CannotWrite`] where the target cannot be made;
    /// [`StoreError::NoFile`] for a database on a server, which has programs of its own for this.
    pub async fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        let Place::File(path) = &self.place else {
            return Err(StoreError::NoFile);
        };
        if to.try_exists().unwrap_or(false) {
            return Err(StoreError::AlreadyThere {
                path: to.display().to_string(),
            });
        }
        let doing = "copying it";
        copy(path, to).await.map_err(|source| StoreError::CannotWrite {
            doing,
            source: source.into(),
        })
    }

    /// Whether it can be written now: what readiness means.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let doing = "checking that it can be written";
        let mut transaction = self.write(doing).await?;
        // Nothing changes, but the row goes to the disk like any other.
        query("UPDATE audit_head SET last = last")
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        transaction.commit().await.doing(doing)
    }

    /// Begins to write; everybody else who begins so waits until it ends. For whatever people ask
    /// for: what such a transaction has read and nobody's worker changes stays true until its end.
    pub(super) async fn write(&self, doing: &'static str) -> Result<Transaction, StoreError> {
        self.writer.begin(Purpose::Write).await.doing(doing)
    }

    /// Begins to write, for a worker: beside others, where the engine can. What hangs on a row of
    /// the tasks is true until the end once the transaction has changed that row, and it takes
    /// hold of one such row, before anything else.
    pub(super) async fn write_rows(&self, doing: &'static str) -> Result<Transaction, StoreError> {
        self.writer.begin(Purpose::WriteRows).await.doing(doing)
    }

    /// Begins to read: everything read in one transaction is of one moment.
    pub(super) async fn read(&self, doing: &'static str) -> Result<Transaction, StoreError> {
        self.readers.begin(Purpose::Read).await.doing(doing)
    }

    /// Which engine it is on.
    pub(super) fn engine(&self) -> Engine {
        self.readers.engine()
    }
}

/// The schema that these steps lead to.
pub(super) fn latest(migrations: &Migrator) -> i64 {
    let versions = migrations.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn failed(path: &Path, doing: &'static str, source: Cause) -> OpenError {
    OpenError::Failed {
        path: path.display().to_string(),
        doing,
        source,
    }
}

/// Makes the file and its folder where they are missing; the file is its owner's alone in any
/// case. A folder that is there is left as it is: it may be shared.
fn make_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(folder)?;
    }
    match make_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if std::fs::metadata(path)?.permissions().mode() & 0o777 != FILE_MODE {
                std::fs::set_permissions(path, Permissions::from_mode(FILE_MODE))?;
            }
            Ok(())
        }
        made => made.map(drop),
    }
}

fn make_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

async fn look(path: &Path) -> Result<Found, sqlx::Error> {
    let mut connection = sqlite::looking_at(path).connect().await?;
    let found = sqlite::found(&mut connection).await;
    connection.close().await?;
    found
}

/// Copies the file beside itself. An earlier copy under that name is of an earlier moment and
/// stays.
async fn set_aside(path: &Path, version: i64, now_ms: i64) -> Result<(), Cause> {
    let beside = |ending: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut backup = beside(format!(".schema-{version}.backup"));
    if backup.try_exists()? {
        backup = beside(format!(".schema-{version}.{now_ms}.backup"));
    }
    copy(path, &backup).await
}

/// Makes a whole copy under a name of its own, and gives it its name when it is on the disk.
async fn copy(from: &Path, to: &Path) -> Result<(), Cause> {
    if to.try_exists()? {
        let reason = format!("{} is already there", to.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason).into());
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What a killed attempt has left is no copy of anything.
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let file = make_new(&partial)?;
    let copied = copy_and_settle(from, &partial, file, to).await;
    if copied.is_err() {
        // The reason is told; what is left of the attempt can only be in the way.
        let _ = std::fs::remove_file(&partial);
    }
    copied
}

async fn copy_and_settle(from: &Path, partial: &Path, file: File, to: &Path) -> Result<(), Cause> {
    let name = partial.to_str().ok_or("its name is no text")?;
    let mut connection = sqlite::copying_from(from).connect().await?;
    let copied = sqlite::copy_into(&mut connection, name).await;
    connection.close().await?;
    copied?;
    file.sync_all()?;
    // Unlike a rename, a link never replaces what somebody has put there meanwhile.
    std::fs::hard_link(partial, to)?;
    std::fs::remove_file(partial)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
