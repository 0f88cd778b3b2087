//! Carries what is new in the files of a run into the database.
//!
//! A look that has begun is never given up half-way: what was put down without our knowing would be
//! put down again. Where it was all the same, because an answer got lost, the database says so,
//! and it is asked how far it is.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use autotuner_store::{Claim, Database, StoreError, Written};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::service::log_files::{LogFiles, blocking, open_to_read};
use crate::worker::chain;

/// Pause between two looks for what is new.
const LOOK: Duration = Duration::from_millis(300);

/// Longest pause where the database does not take it.
const MOST_PATIENCE: Duration = Duration::from_secs(10);

/// How long a run waits until all of its logs are where others can read them.
const LAST: Duration = Duration::from_secs(5);

/// The largest piece, in bytes.
const LARGEST: u64 = 256 * 1024;

/// The files of one run of a task on this machine.
pub(crate) struct Carrier {
    database: Database,
    files: LogFiles,
    /// Whose files they are.
    origin: String,
    claim: Claim,
    /// How far each file was carried, by its name.
    carried: HashMap<String, Carried>,
    /// Who wants all of it to be there now.
    asked: mpsc::Receiver<oneshot::Sender<()>>,
}

/// How far a file was carried.
#[derive(Debug, Clone, Copy)]
struct Carried {
    /// In the file.
    offset: u64,
    /// In what is on record of this machine's: further than in a file that was emptied since.
    place: u64,
}

/// Sees to it that all of a run's logs are where others can read them.
#[derive(Debug, Clone)]
pub(crate) struct Flush(mpsc::Sender<oneshot::Sender<()>>);

impl Flush {
    /// Waits until what was written so far is there, or for as long as that may take.
    pub(crate) async fn flush(&self) {
        let (sender, done) = oneshot::channel();
        let asking = async {
            if self.0.send(sender).await.is_ok() {
                // Who went away has nothing left to carry.
                let _ = done.await;
            }
        };
        if timeout(LAST, asking).await.is_err() {
            tracing::warn!("the last of a run's logs is not shared yet: the database is slow");
        }
    }
}

impl Carrier {
    /// The files of a run that begins or goes on here, and what has them carried at once.
    pub(crate) fn new(database: Database, files: LogFiles, origin: String, claim: Claim) -> (Self, Flush) {
        let (sender, asked) = mpsc::channel(1);
        let carrier = Self {
            database,
            files,
            origin,
            claim,
            carried: HashMap::new(),
            asked,
        };
        (carrier, Flush(sender))
    }

    /// Carries on where an earlier process of this machine has ended. What somebody has cleared
    /// meanwhile is cleared here, too.
    ///
    /// # Errors
    /// The database or a file cannot be read.
    pub(crate) async fn begin(&mut self) -> io::Result<()> {
        for path in self.found().await? {
            if self.length(&name_of(&path)).await.map_err(io::Error::other)? == 0 {
                blocking(move || std::fs::remove_file(&path)).await?;
            }
        }
        Ok(())
    }

    /// Carries what is new, again and again, until nobody can ask any more; then the last of it.
    pub(crate) async fn carry_on(mut self) {
        let mut pause = LOOK;
        loop {
            let asked = tokio::select! {
                () = sleep(pause) => None,
                asked = self.asked.recv() => Some(asked),
            };
            pause = match self.carry().await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::warn!(
                        task.id = self.claim.task.0,
                        "logs are not shared for now: {}",
                        chain(&error)
                    );
                    (pause * 2).min(MOST_PATIENCE)
                }
            };
            match asked {
                // Who has gone meanwhile has waited long enough.
                Some(Some(asked)) => drop(asked.send(())),
                Some(None) => return,
                None => {}
            }
        }
    }

    /// The run's logs. Records of requests stay: they are large, and nobody asks others for them.
    async fn found(&self) -> io::Result<Vec<PathBuf>> {
        let (files, task, run) = (self.files.clone(), self.claim.task, self.claim.run);
        blocking(move || files.of_run(task, run)).await
    }

    async fn carry(&mut self) -> io::Result<()> {
        for path in self.found().await? {
            match self.carry_file(&path).await {
                // Another worker has it, or nobody: what is left here is too late.
                Err(Trouble::Store(StoreError::LeaseLost(_))) => return Ok(()),
                Err(Trouble::Store(error)) => return Err(io::Error::other(error)),
                Err(Trouble::File(error)) => return Err(error),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn carry_file(&mut self, path: &Path) -> Result<(), Trouble> {
        let name = name_of(path);
        let length = {
            let path = path.to_owned();
            blocking(move || Ok(std::fs::metadata(path)?.len())).await?
        };
        let mut carried = match self.carried.get(&name) {
            Some(carried) if carried.offset == length => return Ok(()),
            Some(carried) => *carried,
            None => {
                let place = self.length(&name).await?;
                Carried { offset: place, place }
            }
        };
        if length < carried.offset {
            // It was emptied: what it holds now comes behind what it held.
            carried.offset = 0;
        }
        loop {
            let (path, from) = (path.to_owned(), carried.offset);
            let bytes = blocking(move || read(&path, from)).await?;
            self.carried.insert(name.clone(), carried);
            if bytes.is_empty() {
                return Ok(());
            }
            let read = bytes.len() as u64;
            let written = Written {
                origin: &self.origin,
                place: carried.place,
                bytes,
            };
            let further = match self.database.add_to_log(&self.claim, &name, written).await? {
                true => read,
                // An answer got lost: so much of it is there already.
                false => self.length(&name).await?.saturating_sub(carried.place),
            };
            carried.offset += further;
            carried.place += further;
        }
    }

    async fn length(&self, name: &str) -> Result<u64, StoreError> {
        self.database
            .log_length(self.claim.task, name, &self.origin)
            .await
    }
}

enum Trouble {
    File(io::Error),
    Store(StoreError),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a file holds from a place on, as much as one piece may be.
fn read(path: &Path, from: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut file) = open_to_read(path)? {
        file.seek(SeekFrom::Start(from))?;
        File::take(file, LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    name.display().to_string()
}
