//! A container's output, kept in a file while it runs, whole when it has ended.
//!
//! The idea: what the daemon sends while it is followed is never trusted to be all. A follower
//! that lags when its container ends is told "that was it" with lines missing, and a daemon
//! that is restarted breaks off in the middle. So a follower only keeps the file fresh, and
//! a second reading of what the daemon has stored makes it whole; what both have is written
//! once. Containers with a terminal are not read: ours have none.

mod follow;
mod page;

mod scribe;
mod taken;

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use tempfile::TempPath;
use tokio::sync::Mutex;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::follow::{FIRST_PAUSE, Follower, LONGEST_PAUSE, Notes};
use self::scribe::{End, Reading, Scribe, Source};
use crate::error::whole_story;
use crate::{DeployError, blocking};

/// A follower that has brought nothing for this long after its container has ended is not
/// waited for: the second reading has what it would bring.
const QUIET: Duration = Duration::from_secs(1);

/// Who may read and write a log file, less what the process's mask takes away: as for any
/// other file that is created.
const LOG_FILE_MODE: u32 = 0o666;

/// A container's output on its way into a file. Dropped, it is not followed any more.
#[derive(Debug)]
pub(crate) struct Journal {
    source: Source,
    log_file: PathBuf,
    notes: Arc<Notes>,
    /// Cancelled when the follower is no longer needed.
    enough: CancellationToken,
    phase: Mutex<Phase>,
}

#[derive(Debug)]
enum Phase {
    Following(AbortOnDropHandle<Scribe>),
    Followed(Box<Scribe>),
    /// The follower was lost, as happens while the program ends.
    Lost,
}

impl Journal {
    /// Creates the file, or appends to it, and begins to follow the container, which need not
    /// have been started yet.
    ///
    /// # Errors
    /// [`DeployError::File`].
    pub(crate) fn start(
        docker: Docker,
        container_id: String,
        log_file: PathBuf,
    ) -> Result<Self, DeployError> {
        let file = open(&log_file).map_err(DeployError::file("write", &log_file))?;
        let source = Source { docker, container_id };
        let notes = Arc::new(Notes::default());
        let enough = CancellationToken::new();
        let follower = Follower {
            source: source.clone(),
            log_file: log_file.clone(),
            notes: Arc::clone(&notes),
            enough: enough.clone(),
            scribe: Scribe::new(file),
        };
        let handle = AbortOnDropHandle::new(tokio::spawn(follower.run()));
        Ok(Self {
            source,
            log_file,
            notes,
            enough,
            phase: Mutex::new(Phase::Following(handle)),
        })
    }

    /// For when the container has ended: sees to it that the file holds all its output. May be
    /// called again. A container that is gone has no more output than what is there.
    ///
    /// # Errors
    /// [`DeployError::File`]; [`DeployError::TargetGone`] when the daemon did not answer until
    /// the deadline; [`DeployError::Refused`] when it did not send all of it by then, or the
    /// log cannot be read at all. What was read is in the file.
    pub(crate) async fn complete(&self, deadline: Duration) -> Result<(), DeployError> {
        let until = Instant::now() + deadline;
        let mut phase = self.phase.lock().await;
        if let Phase::Following(handle) = &mut *phase {
            *phase = match self.end_following(handle, until, deadline / 2).await {
                None => return Err(late("its follower does not stop")),
                Some(Ok(scribe)) => Phase::Followed(Box::new(scribe)),
                Some(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Phase::Lost,
                },
            };
        }
        let Phase::Followed(scribe) = &mut *phase else {
            return Err(DeployError::ShuttingDown);
        };
        let result = read_all(scribe, &self.source, &self.log_file, until).await;
        let finished = scribe.finish().await;
        result?;
        finished.map_err(DeployError::file("write", &self.log_file))
    }

    /// What was first seen of the daemon being interrupted while the container was followed: a
    /// stream that broke off, or could not be opened again.
    pub(crate) fn interruption(&self) -> Option<String> {
        self.notes.interruption()
    }

    /// Lets the follower come to its end for as long as it brings something, but for no longer
    /// than `share` of the time: the rest is for the second reading, which is the one that
    /// counts. `None` when it cannot be stopped.
    async fn end_following(
        &self,
        handle: &mut AbortOnDropHandle<Scribe>,
        until: Instant,
        share: Duration,
    ) -> Option<Result<Scribe, JoinError>> {
        let enough_at = until - share;
        let mut before = self.notes.pieces();
        while Instant::now() < enough_at {
            if let Ok(result) = timeout(QUIET, &mut *handle).await {
                return Some(result);
            }
            let now = self.notes.pieces();
            if now == before {
                break;
            }
            before = now;
        }
        self.enough.cancel();
        timeout_at(until, handle).await.ok()
    }
}

/// Makes the file hold a container's whole output, for a container whose owner has died while
/// it followed it. The file is exchanged in one step. It stays as it is when the container is
/// gone, or its log has less than the file: the daemon throws away the beginning of a log that
/// grows too long.
///
/// # Errors
/// As for [`Journal::complete`], with [`WHOLE_READING`] as the deadline.
pub(crate) async fn copy_all(
    docker: &Docker,
    container_id: &str,
    log_file: &Path,
) -> Result<(), DeployError> {
    let file_error = || DeployError::file("write", log_file);
    let (file, copy) = open_beside(log_file).map_err(file_error())?;
    let source = Source {
        docker: docker.clone(),
        container_id: container_id.to_owned(),
    };
    let mut scribe = Scribe::new(file);
    read_all(&mut scribe, &source, log_file, Instant::now() + WHOLE_READING).await?;
    scribe.finish().await.map_err(file_error())?;
    let log_file = log_file.to_owned();
    blocking(move || {
        let action = DeployError::file("write", &log_file);
        exchange(copy, &log_file).map_err(action)
    })
    .await
}

/// Longest time for reading a whole log: 54 thousand lines a second were seen on a machine
/// with two busy cores.
const WHOLE_READING: Duration = Duration::from_secs(60);

/// Reads what is not in the file yet, trying again until the deadline while the daemon does
/// not answer.
async fn read_all(
    scribe: &mut Scribe,
    source: &Source,
    log_file: &Path,
    until: Instant,
) -> Result<(), DeployError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let reading = scribe.read(source, Reading::Once, &|_| {});
        let error = match timeout_at(until, reading).await {
            Ok(End::Clean | End::Gone) => return Ok(()),
            Ok(End::Unreadable(message)) => return Err(unreadable(message)),
            Ok(End::File(error)) => return Err(DeployError::file("write", log_file)(error)),
            Ok(End::Disturbed(message)) => unreadable(message),
            Ok(End::Broken(error)) => DeployError::TargetGone {
                target: "the Docker daemon".to_owned(),
                message: whole_story(&error),
            },
            Err(_) => return Err(late("the daemon has not sent all of it")),
        };
        if timeout_at(until, sleep(pause)).await.is_err() {
            return Err(error);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn unreadable(message: String) -> DeployError {
    DeployError::Refused {
        action: "read a container's output",
        message,
    }
}

fn late(why: &str) -> DeployError {
    DeployError::Refused {
        action: "read all of a container's output in time",
        message: why.to_owned(),
    }
}

fn open(log_file: &Path) -> io::Result<File> {
    if let Some(folder) = log_file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(log_file)
}

/// A file that nobody else sees, where it can take the log file's place.
fn open_beside(log_file: &Path) -> io::Result<(File, TempPath)> {
    let folder = log_file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let copy = tempfile::Builder::new()
        .prefix(".journal-")
        .permissions(Permissions::from_mode(LOG_FILE_MODE))
        .tempfile_in(folder)?;
    Ok(copy.into_parts())
}

fn exchange(copy: TempPath, log_file: &Path) -> io::Result<()> {
    let length = |path: &Path| std::fs::metadata(path).map(|data| data.len());
    let there = length(log_file).unwrap_or(0);
    if length(&copy)? <= there {
        return Ok(());
    }
    copy.persist(log_file).map_err(|error| error.error)
}
