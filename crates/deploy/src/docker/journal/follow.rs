//! Keeps a container's file fresh while the container lives.
//!
//! The idea: a stream that ends says nothing about the container, so the container is asked.
//! While it lives, the stream is opened again, after a pause that grows. Whether the file is
//! whole in the end is not this module's business.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ContainerStateStatusEnum;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::scribe::{End, Reading, Scribe, Source};
use crate::error::whole_story;

/// First pause before a stream that ended too early is opened again; each further is twice as
/// long, up to the longest.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the follower has to tell while it follows.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pieces: AtomicU64,
    interruption: Mutex<Option<String>>,
}

impl Notes {
    /// How many pieces have come so far.
    pub(super) fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::Relaxed)
    }

    /// What was first seen of the daemon being interrupted.
    pub(super) fn interruption(&self) -> Option<String> {
        self.lock().clone()
    }

    fn interrupted(&self, error: &Error) {
        self.lock().get_or_insert_with(|| whole_story(error));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        // A text is whole whatever happened to who wrote it.
        self.interruption.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows one container.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) source: Source,
    pub(super) log_file: PathBuf,
    pub(super) notes: Arc<Notes>,
    /// Cancelled when nobody needs the file to be fresh any more.
    pub(super) enough: CancellationToken,
    pub(super) scribe: Scribe,
}

impl Follower {
    /// Follows until the container has ended, its log turns out unreadable, or it is enough.
    pub(super) async fn run(mut self) -> Scribe {
        let enough = self.enough.clone();
        // Given up midway, the scribe goes on from there in the next reading.
        let _ = enough.run_until_cancelled(self.follow()).await;
        self.scribe
    }

    async fn follow(&mut self) {
        let notes = Arc::clone(&self.notes);
        let mut pause = FIRST_PAUSE;
        loop {
            let before = notes.pieces();
            let on_progress = |pieces| notes.pieces.store(pieces, Ordering::Relaxed);
            let end = self
                .scribe
                .read(&self.source, Reading::Following, &on_progress)
                .await;
            if !self.goes_on_after(end).await {
                return;
            }
            pause = if notes.pieces() > before {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            sleep(pause).await;
        }
    }

    async fn goes_on_after(&self, end: End) -> bool {
        let container = &self.source.container_id;
        match end {
            End::Clean => self.lives().await,
            End::Gone => false,
            End::Broken(error) => {
                // Whoever asks how the engine is hears of it; here it comes with every new attempt.
                tracing::debug!(%container, error = whole_story(&error), "the daemon broke off a container's log");
                self.notes.interrupted(&error);
                true
            }
            End::Disturbed(message) => {
                tracing::warn!(%container, message, "a container's log is disturbed");
                true
            }
            // Whoever completes the file meets these again, and can be told.
            End::Unreadable(message) => {
                tracing::warn!(%container, message, "a container's log cannot be read");
                false
            }
            End::File(error) => {
                tracing::warn!(%container, file = %self.log_file.display(), %error, "a log file cannot be written");
                false
            }
        }
    }

    async fn lives(&self) -> bool {
        match self
            .source
            .docker
            .inspect_container(&self.source.container_id, None)
            .await
        {
            Ok(container) => !matches!(
                container.state.and_then(|state| state.status),
                Some(
                    ContainerStateStatusEnum::EXITED
                        | ContainerStateStatusEnum::DEAD
                        | ContainerStateStatusEnum::REMOVING
                )
            ),
            Err(Error::DockerResponseServerError { status_code, message }) => {
                tracing::debug!(status_code, message, "a container's state cannot be seen");
                status_code != 404
            }
            Err(error) => {
                self.notes.interrupted(&error);
                true
            }
        }
    }
}
