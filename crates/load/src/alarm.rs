//! A timer that wakes its thread to the microsecond.
//!
//! tokio's own timers are rounded up to the next millisecond, which is as much as an open load
//! may be late in all. This one is the kernel's (`timerfd`), waited for as any socket is.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::unix::AsyncFd;

use crate::clock::Clock;

/// A timer of the kernel.
pub(crate) struct Alarm(AsyncFd<Timer>);

struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Alarm {
    /// A timer of the runtime that this is called on.
    ///
    /// # Errors
    /// When the system has none left.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        #[expect(
            deprecated,
            reason = "it is unsound only for what gives away its descriptor, and this timer keeps its own"
        )]
        let timer = AsyncFd::new(Timer(timer))?;
        Ok(Self(timer))
    }

    /// Waits until the clock shows `stamp_ns`.
    ///
    /// # Errors
    /// When the system refuses the timer.
    pub(crate) async fn wait_until(&self, clock: Clock, stamp_ns: u64) -> io::Result<()> {
        let at = Duration::from_nanos(clock.monotonic_zero_ns() + stamp_ns);
        let timer = &self.0.get_ref().0;
        timer.set(
            Expiration::OneShot(TimeSpec::from(at)),
            TimerSetTimeFlags::TFD_TIMER_ABSTIME,
        )?;
        while clock.now() < stamp_ns {
            let mut ready = self.0.readable().await?;
            // An earlier alarm that nobody waited for may still be set: the clock decides.
            drop(ready.try_io(|timer| timer.get_ref().0.wait().map_err(io::Error::from)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_wakes_early_and_can_be_set_again() {
        let (clock, alarm) = (Clock::start(), Alarm::new().expect("a timer"));
        for _ in 0..20 {
            let at = clock.now() + 700_000;
            alarm.wait_until(clock, at).await.expect("it can be set");
            assert!(clock.now() >= at);
        }
        // What lies in the past is over at once.
        alarm.wait_until(clock, 0).await.expect("it can be set");
    }
}
