//! Carries what is new in the files of a run into the database.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_store::{Database, StoreError, Written};
use tokio::time::{sleep, timeout};

use crate::service::log_files::{LogFiles, blocking, open_to_read};
use crate::worker::chain;

/// Pause between two looks for what is new.
const LOOK: Duration = Duration::from_millis(300);

/// Longest pause where the database does not take it.
const MOST_PATIENCE: Duration = Duration::from_secs(10);

/// How long the last of it may take, once the run has ended.
const LAST: Duration = Duration::from_secs(20);

/// The largest piece, in bytes.
const LARGEST: u64 = 256 * 1024;

/// The files of one run of a task on this machine.
pub(crate) struct Carrier {
    database: Database,
    files: LogFiles,
    /// Whose files they are.
    origin: String,
    task: TaskId,
    run: u32,
    /// How much of each file was carried, by its name.
    carried: HashMap<String, u64>,
}

impl Carrier {
    /// The files of a run that begins or goes on here.
    pub(crate) fn new(database: Database, files: LogFiles, origin: String, task: TaskId, run: u32) -> Self {
        Self {
            database,
            files,
            origin,
            task,
            run,
            carried: HashMap::new(),
        }
    }

    /// Carries what a run writes while it goes on, until it has ended and all is where others can
    /// read it.
    pub(crate) async fn beside(mut self, running: impl Future<Output = ()>) {
        if let Err(error) = self.begin().await {
            tracing::warn!(
                task.id = self.task.0,
                "logs are not shared for now: {}",
                chain(&error)
            );
        }
        tokio::select! {
            () = running => {}
            () = self.carry_on() => {}
        }
        self.finish().await;
    }

    /// Carries on where an earlier process of this machine has ended. A log that somebody has
    /// emptied meanwhile is empty here, too.
    ///
    /// # Errors
    /// The database or a file cannot be read.
    async fn begin(&mut self) -> io::Result<()> {
        let log = self.files.task(self.task);
        let length = self.length(&name_of(&log)).await.map_err(io::Error::other)?;
        if length == 0 {
            self.files.clear(self.task).await?;
        }
        Ok(())
    }

    /// Carries what is new, again and again.
    async fn carry_on(&mut self) {
        let mut pause = LOOK;
        loop {
            sleep(pause).await;
            pause = match self.carry().await {
                Ok(()) => LOOK,
                Err(error) => {
                    tracing::warn!(
                        task.id = self.task.0,
                        "logs are not shared for now: {}",
                        chain(&error)
                    );
                    (pause * 2).min(MOST_PATIENCE)
                }
            };
        }
    }

    /// Carries what is left, once nobody writes any more.
    async fn finish(&mut self) {
        match timeout(LAST, self.carry()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                task.id = self.task.0,
                "the end of its logs is not shared: {}",
                chain(&error)
            ),
            Err(_) => tracing::warn!(
                task.id = self.task.0,
                "the end of its logs is not shared: the database is slow"
            ),
        }
    }

    async fn carry(&mut self) -> io::Result<()> {
        let (files, task, run) = (self.files.clone(), self.task, self.run);
        let found = blocking(move || files.of_run(task, run)).await?;
        for path in found {
            match self.carry_file(&path).await {
                // It has been removed, and nobody asks for its logs.
                Err(Trouble::Store(StoreError::NoSuchTask(_))) => return Ok(()),
                Err(Trouble::Store(error)) => return Err(io::Error::other(error)),
                Err(Trouble::File(error)) => return Err(error),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn carry_file(&mut self, path: &Path) -> Result<(), Trouble> {
        let name = name_of(path);
        let mut place = match self.carried.get(&name) {
            Some(place) => *place,
            None => self.length(&name).await?,
        };
        loop {
            let (path, from) = (path.to_owned(), place);
            let (length, bytes) = blocking(move || read(&path, from)).await?;
            if length < place {
                // It was emptied; what it holds now comes behind what it held.
                place = 0;
                self.carried.insert(name.clone(), 0);
                continue;
            }
            if bytes.is_empty() {
                self.carried.insert(name, place);
                return Ok(());
            }
            let next = place + bytes.len() as u64;
            let written = Written {
                origin: &self.origin,
                place,
                bytes,
            };
            self.database.add_to_log(self.task, &name, written).await?;
            self.carried.insert(name.clone(), next);
            place = next;
        }
    }

    async fn length(&self, name: &str) -> Result<u64, StoreError> {
        self.database.log_length(self.task, name, &self.origin).await
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

/// The length of a file, and what it holds from a place on, as much as one piece may be.
fn read(path: &Path, from: u64) -> io::Result<(u64, Vec<u8>)> {
    let Some(mut file) = open_to_read(path)? else {
        return Ok((from, Vec::new()));
    };
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length > from {
        file.seek(SeekFrom::Start(from))?;
        File::take(file, LARGEST).read_to_end(&mut bytes)?;
    }
    Ok((length, bytes))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    name.display().to_string()
}
