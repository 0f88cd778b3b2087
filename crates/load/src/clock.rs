//! One monotonic clock for all stamps of a measurement.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Counts nanoseconds from the moment it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    zero: Instant,
    /// What the system's own clock showed then.
    monotonic_zero_ns: u64,
}

impl Clock {
    /// A clock whose zero is now.
    pub(crate) fn start() -> Self {
        Self {
            zero: Instant::now(),
            monotonic_zero_ns: monotonic_ns(),
        }
    }

    /// What `CLOCK_MONOTONIC` showed at the zero, nanoseconds: by it, another process of this
    /// machine can compare its stamps with these.
    pub(crate) fn monotonic_zero_ns(&self) -> u64 {
        self.monotonic_zero_ns
    }

    /// Nanoseconds since the zero.
    pub(crate) fn now(&self) -> u64 {
        self.stamp(Instant::now())
    }

    /// Nanoseconds from the zero to that moment.
    pub(crate) fn stamp(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.zero).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The moment of a stamp.
    pub(crate) fn moment(&self, stamp_ns: u64) -> Instant {
        self.zero + Duration::from_nanos(stamp_ns)
    }
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}
