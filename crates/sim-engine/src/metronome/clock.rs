//! The system's monotonic clock, which every process of a machine shares, and the clock of the
//! processor time that a thread has used.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// Nanoseconds, of whichever clock.
pub(super) type Nanoseconds = u64;

/// A second.
pub(super) const SECOND: Nanoseconds = 1_000_000_000;

/// The time now, since some moment before the machine's start.
pub(super) fn now() -> Nanoseconds {
    read(ClockId::CLOCK_MONOTONIC)
}

/// Processor time that the calling thread has used.
pub(super) fn thread_time() -> Nanoseconds {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// A time as the system's calls want it.
pub(super) fn timespec(time: Nanoseconds) -> TimeSpec {
    let part = |number: u64| i64::try_from(number).expect("five centuries fit");
    TimeSpec::new(part(time / SECOND), part(time % SECOND))
}

fn read(clock: ClockId) -> Nanoseconds {
    let time = clock_gettime(clock).expect("every Linux has this clock");
    let part = |number: i64| u64::try_from(number).expect("these clocks start at 0");
    part(time.tv_sec()) * SECOND + part(time.tv_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_go_on() {
        let (before, used) = (now(), thread_time());
        assert!(now() >= before && before > 0);
        assert!(thread_time() >= used);
    }

    #[test]
    fn a_time_is_split_into_seconds_and_the_rest() {
        let time = timespec(3 * SECOND + 7);
        assert_eq!((time.tv_sec(), time.tv_nsec()), (3, 7));
    }
}
