//! What time it is: handed in, so that tests decide.

/// Tells the wall-clock time.
pub(crate) trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the machine's clock"
    )]
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// A time as RFC 3339 in UTC, to the millisecond.
pub(crate) fn rfc3339(ms: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{stamp:.3}")
}

/// A time as `YYYY-MM-DD HH:MM:SS` in UTC, as task logs carry it.
pub(crate) fn log_stamp(ms: i64) -> String {
    let text = rfc3339(ms);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Seconds from one time to another; none where the clock was set back.
pub(crate) fn seconds_between(from_ms: i64, to_ms: i64) -> f64 {
    let ms = u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or_default();
    std::time::Duration::from_millis(ms).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_and_files_expect() {
        assert_eq!(rfc3339(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(log_stamp(1_700_000_000_123), "2023-11-14 22:13:20");
    }
}
