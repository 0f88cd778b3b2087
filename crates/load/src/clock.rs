//! One monotonic clock for all stamps of a measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// Counts nanoseconds from the moment it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    zero: Instant,
}

/// When a connection last read anything.
#[derive(Debug, Clone)]
pub(crate) struct LastRead {
    clock: Clock,
    at_ns: Arc<AtomicU64>,
}

impl Clock {
    /// A clock whose zero is now.
    pub(crate) fn start() -> Self {
        Self { zero: Instant::now() }
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
        self.zero + std::time::Duration::from_nanos(stamp_ns)
    }
}

impl LastRead {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            at_ns: Arc::new(AtomicU64::new(clock.now())),
        }
    }

    /// Notes that something was read right now.
    pub(crate) fn note(&self) {
        // One task reads and asks; the number stands for nothing but itself.
        self.at_ns.store(self.clock.now(), Ordering::Relaxed);
    }

    /// The stamp of the last read.
    pub(crate) fn stamp(&self) -> u64 {
        self.at_ns.load(Ordering::Relaxed)
    }
}
