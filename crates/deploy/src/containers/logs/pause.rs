//! Pauses of less than a millisecond, which the runtime's own timer does not have.

use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::unix::AsyncFd;

/// A timer of the kernel's, by its number, as the runtime wants to know it.
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Something that waits briefly, again and again.
pub(super) struct Pause(Option<AsyncFd<Timer>>);

impl Pause {
    /// A timer; where the kernel has none to give, pauses are the runtime's, which are longer.
    pub(super) fn new() -> Self {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags);
        Self(timer.ok().and_then(|timer| watched(Timer(timer))))
    }

    /// Waits for so long, or a little longer.
    pub(super) async fn wait(&mut self, time: Duration) {
        let Some(timer) = &self.0 else {
            return tokio::time::sleep(time).await;
        };
        let once = Expiration::OneShot(TimeSpec::from_duration(time));
        if timer.get_ref().0.set(once, TimerSetTimeFlags::empty()).is_err() {
            return tokio::time::sleep(time).await;
        }
        if let Ok(mut ready) = timer.readable().await {
            // Read, so that it is not ready the next time before it has run down.
            let _ = timer.get_ref().0.wait();
            ready.clear_ready();
        }
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe; what that asks for holds: the timer is owned by it and stays the same"
)]
fn watched(timer: Timer) -> Option<AsyncFd<Timer>> {
    AsyncFd::new(timer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_timer_runs_down_each_time() {
        let mut pause = Pause::new();
        for _ in 0..3 {
            let begun = tokio::time::Instant::now();
            pause.wait(Duration::from_micros(300)).await;
            assert!(begun.elapsed() >= Duration::from_micros(300));
        }
    }
}
