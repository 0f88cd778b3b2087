//! Ends a container for good: stopped, its output taken down, removed.
//!
//! One way for all who end containers. It insists: a daemon that is away for a moment, as when
//! it is restarted, is waited for. Its output is read between the end and the removal, since
//! the daemon forgets it with the container.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connect::Daemon;
use super::container::Life;
use super::error::Failed;
use super::journal::{self, Journal};
use crate::DeployError;
use crate::error::whole_story;

/// How long a daemon is waited for that does not answer, or does not do it.
pub(crate) const INSISTENCE: Duration = Duration::from_secs(60);

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// How long reading the rest of the output may take.
const READING: Duration = Duration::from_secs(60);

/// What is to become of the container's output.
#[derive(Debug)]
pub(crate) enum Output<'a> {
    /// It is being followed, and the file is to be made whole.
    Journal(&'a Journal),
    /// Whoever followed it is dead, and the file is to be made whole.
    File(&'a Path),
    /// Nobody wants it.
    Unwanted,
}

/// Returns when the container is gone and its output is where it should be.
///
/// # Errors
/// What kept the last try from it.
pub(crate) async fn end(
    daemon: &Daemon,
    id: &str,
    grace: Duration,
    output: &Output<'_>,
) -> Result<(), DeployError> {
    let until = Instant::now() + grace + INSISTENCE;
    let mut grace = grace;
    loop {
        // Tried several times a second: what kept the last try from it is what is told.
        let why_not = match try_to_end(daemon, id, grace, output).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                grace = Duration::ZERO;
                DeployError::StillRunning { id: short(id) }
            }
            Err(failed) => failed.telling("stop a container", ""),
        };
        if Instant::now() >= until {
            return Err(why_not);
        }
        sleep(PAUSE).await;
    }
}

/// Removes a container that nobody wants, at once.
pub(crate) async fn discard(daemon: &Daemon, id: &str) -> Result<(), DeployError> {
    end(daemon, id, Duration::ZERO, &Output::Unwanted).await
}

/// A container's id as people know it.
pub(crate) fn short(id: &str) -> String {
    format!("container {}", id.get(..12).unwrap_or(id))
}

/// Whether it is gone.
async fn try_to_end(daemon: &Daemon, id: &str, grace: Duration, output: &Output<'_>) -> Result<bool, Failed> {
    daemon.stop_container(id, grace).await?;
    match daemon.look(id).await? {
        None => return Ok(true),
        Some(look) if look.life.is_alive() => return Ok(false),
        // Somebody else removes it already, and has read its output if it is one of us.
        Some(look) if look.life == Life::Going => {}
        Some(_) => output.take(daemon, id).await?,
    }
    daemon.remove_container(id).await?;
    Ok(daemon.look(id).await?.is_none())
}

impl Output<'_> {
    /// Makes the file whole. A daemon that does not answer is worth another try; that the file
    /// cannot be written must not keep an engine from being removed.
    async fn take(&self, daemon: &Daemon, id: &str) -> Result<(), Failed> {
        let taken = match self {
            Self::Journal(journal) => journal.complete(READING).await,
            Self::File(file) => journal::copy_all(daemon.docker(), id, file).await,
            Self::Unwanted => return Ok(()),
        };
        match taken {
            Err(gone @ DeployError::TargetGone { .. }) => Err(Failed::Gone(gone)),
            Err(error) => {
                let error = whole_story(&error);
                tracing::warn!(container = id, error, "the end of an engine's output is lost");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
