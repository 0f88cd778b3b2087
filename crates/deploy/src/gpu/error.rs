//! Why GPUs could not be had or seen.

use std::path::{Path, PathBuf};
use std::time::Duration;

use autotuner_core::gpu::NotEnough;

/// Why GPUs could not be had or seen.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// There is a driver, and it cannot tell of its GPUs.
    #[error("the GPU driver cannot be asked: {message}")]
    Driver {
        /// What it said.
        message: String,
    },
    /// This machine will never have them, however long one waits.
    #[error("this machine does not have the GPUs that are needed")]
    Impossible(#[source] NotEnough),
    /// They did not become free in time.
    #[error("waited {} s for GPUs in vain", waited.as_secs())]
    TooLate {
        /// How long was waited.
        waited: Duration,
        /// What was in the way to the last.
        #[source]
        why: NotEnough,
    },
    /// A file by which GPUs are held could not be used.
    #[error("could not {action} {}, which holds GPUs", path.display())]
    File {
        /// What was being done: `open`, `lock`.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Somebody asked to give it up.
    #[error("cancelled")]
    Cancelled,
    /// The program is shutting down.
    #[error("the program is shutting down")]
    ShuttingDown,
}

impl GpuError {
    /// A closure for `map_err`: what was being done to which file.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For the driver's own words.
    pub(super) fn driver(message: impl Into<String>) -> Self {
        Self::Driver {
            message: message.into(),
        }
    }
}
