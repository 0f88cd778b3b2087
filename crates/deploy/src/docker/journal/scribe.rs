//! Reads a container's log and writes it into a file, once.
//!
//! The idea: reading and writing may be given up at any moment, and taken up again later,
//! by a reading that begins a little earlier. So what has been taken and not yet written
//! stays in memory, and counts as taken. Nothing in here decides when to read.

use std::io;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};
use futures_util::StreamExt as _;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::page::Page;
use super::taken::Taken;
use crate::docker::piece::{NoPiece, Piece};

/// Most pieces that are written at once: what the daemon has ready, up to 4 MiB.
const MOST_PIECES: usize = 256;

/// Whose log it is.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) docker: Docker,
    pub(super) container_id: String,
}

/// Whether a reading waits for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// It goes on until the container ends.
    Following,
    /// It ends with what there is.
    Once,
}

/// How a reading ended.
#[derive(Debug)]
pub(super) enum End {
    /// There was no more.
    Clean,
    /// The daemon does not know the container.
    Gone,
    /// The connection to the daemon broke, or could not be made.
    Broken(Error),
    /// The daemon said that it cannot go on; a later reading may fare better.
    Disturbed(String),
    /// This log can never be read.
    Unreadable(String),
    /// The file could not be written.
    File(io::Error),
}

/// A file, and what is already in it.
#[derive(Debug)]
pub(super) struct Scribe {
    file: File,
    taken: Taken,
    page: Page,
    /// How many pieces were taken so far.
    pieces: u64,
}

impl Scribe {
    pub(super) fn new(file: std::fs::File) -> Self {
        Self {
            file: File::from_std(file),
            taken: Taken::default(),
            page: Page::default(),
            pieces: 0,
        }
    }

    /// Reads what is not in the file yet into it. Calls `on_progress` after each write.
    pub(super) async fn read(
        &mut self,
        source: &Source,
        reading: Reading,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> End {
        self.taken.begin_reading();
        let options = options(reading, self.taken.since());
        let outputs = source.docker.logs(&source.container_id, Some(options));
        let mut batches = outputs.ready_chunks(MOST_PIECES);
        loop {
            let batch = batches.next().await;
            let end = match batch {
                None => Some(End::Clean),
                Some(outputs) => outputs.into_iter().find_map(|output| self.take(output).err()),
            };
            if let Err(error) = self.write().await {
                return End::File(error);
            }
            on_progress(self.pieces);
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Writes down what is held back too: there is no more of it.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.page.finish();
        self.write().await
    }

    fn take(&mut self, output: Result<bollard::container::LogOutput, Error>) -> Result<(), End> {
        let piece = Piece::of(output.map_err(end_of)?).map_err(|reason| match reason {
            NoPiece::Daemon(words) => End::Disturbed(words),
            NoPiece::Unframed => {
                End::Unreadable("its output is not told apart by streams: has it a terminal?".to_owned())
            }
        })?;
        if self.taken.is_new(&piece) {
            self.page.take(&piece);
            self.pieces += 1;
        }
        Ok(())
    }

    /// Given up midway, it goes on from there the next time: a byte leaves the page only when
    /// the file has it.
    async fn write(&mut self) -> io::Result<()> {
        while !self.page.ready().is_empty() {
            let ready = self.page.ready();
            let written = self.file.write(ready).await?;
            ready.drain(..written);
        }
        self.file.flush().await
    }
}

fn options(reading: Reading, since: i32) -> LogsOptions {
    LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .follow(reading == Reading::Following)
        .since(since)
        .build()
}

fn end_of(error: Error) -> End {
    match error {
        Error::DockerResponseServerError { status_code: 404, .. } => End::Gone,
        // Being removed, or "dead": its log is no more.
        Error::DockerResponseServerError { status_code: 409, .. } => End::Gone,
        Error::DockerResponseServerError {
            status_code: 501,
            message,
        } => End::Unreadable(message),
        Error::DockerResponseServerError { message, .. } => End::Disturbed(message),
        error => End::Broken(error),
    }
}
