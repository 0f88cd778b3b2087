//! The engine's clock: nanoseconds since it started, never going back.
//!
//! It has no calendar: nothing in the engine needs one, and answers stay the same from run
//! to run.

use tokio::time::Instant;

/// Nanoseconds since the engine's start.
pub(crate) type Nanoseconds = u64;

/// Tells how long ago the engine started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self {
            epoch: Instant::now(),
        }
    }

    /// When the clock started.
    pub(crate) fn epoch(self) -> Instant {
        self.epoch
    }

    /// The time now.
    pub(crate) fn now(self) -> Nanoseconds {
        Nanoseconds::try_from(self.epoch.elapsed().as_nanos())
            .expect("an engine does not run for five centuries")
    }

    /// The instant of a time.
    pub(crate) fn instant(self, time: Nanoseconds) -> Instant {
        self.epoch + std::time::Duration::from_nanos(time)
    }
}
