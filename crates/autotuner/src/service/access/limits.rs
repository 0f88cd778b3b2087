//! How much one caller may ask for: attempts to log in, changes, streams.
//!
//! Each is counted for whom it can be held against: attempts to log in against an address,
//! since nobody is known yet; changes and streams against a caller.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::api::error::ApiError;

/// Attempts to log in from one address within a minute, after a first few at once.
const LOGINS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

/// Attempts to log in from one address at once.
const LOGINS_AT_ONCE: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// How many seconds' worth of changes may come at once.
const BURST_SECONDS: u32 = 10;

/// Streams of one caller: a browser has one a tab, a script perhaps one a task.
const STREAMS_PER_CALLER: usize = 64;

/// Streams in all. Each holds a connection and a place in the event hub.
const STREAMS: usize = 512;

/// Seconds after which a stream that found no place may find one.
const STREAM_RETRY_SECONDS: u32 = 5;

/// Checks between two times at which those are forgotten who asked long ago.
const FORGET_EVERY: u32 = 1_024;

/// What is counted.
pub(super) struct Limits {
    logins: DefaultKeyedRateLimiter<IpAddr>,
    changes: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
    checks: AtomicU32,
    streams: Arc<Streams>,
}

impl Limits {
    /// So many changes a second for each caller.
    pub(super) fn new(changes_per_second: NonZeroU32) -> Self {
        let logins = Quota::per_minute(LOGINS_PER_MINUTE).allow_burst(LOGINS_AT_ONCE);
        let burst = changes_per_second.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
        let changes = Quota::per_second(changes_per_second).allow_burst(burst);
        Self {
            logins: DefaultKeyedRateLimiter::dashmap(logins),
            changes: DefaultKeyedRateLimiter::dashmap(changes),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
            streams: Arc::default(),
        }
    }

    /// Counts an attempt to log in.
    ///
    /// # Errors
    /// 429: there were too many from this address.
    pub(super) fn login(&self, from: Option<IpAddr>) -> Result<(), ApiError> {
        self.forget();
        let key = network(from.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        self.logins.check_key(&key).map_err(|until| {
            too_many(
                "Too many attempts to log in",
                until.wait_time_from(self.clock.now()),
            )
        })
    }

    /// Counts a change.
    ///
    /// # Errors
    /// 429: this caller made too many.
    pub(super) fn change(&self, caller: &str) -> Result<(), ApiError> {
        self.forget();
        self.changes.check_key(&caller.to_owned()).map_err(|until| {
            too_many(
                "Too many changes within a short time",
                until.wait_time_from(self.clock.now()),
            )
        })
    }

    /// A place for a stream.
    ///
    /// # Errors
    /// 429: this caller, or all together, have too many.
    pub(super) fn stream(&self, caller: &str) -> Result<Permit, ApiError> {
        let mut open = self.streams.lock();
        let mine = open.get(caller).copied().unwrap_or(0);
        let refused = if mine >= STREAMS_PER_CALLER {
            format!("You have {STREAMS_PER_CALLER} streams open, and that is how many one caller may have")
        } else if open.values().sum::<usize>() >= STREAMS {
            format!("{STREAMS} streams are open, and that is how many there may be in all")
        } else {
            open.insert(caller.to_owned(), mine + 1);
            return Ok(Permit {
                streams: Arc::clone(&self.streams),
                caller: caller.to_owned(),
            });
        };
        Err(
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", refused)
                .with_hint("close a stream; one stream of /api/events carries the events of every task")
                .retry_after(STREAM_RETRY_SECONDS),
        )
    }

    /// Now and then, forgets who has not asked for long, so that many who ask once each cannot
    /// fill the memory.
    fn forget(&self) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.logins.retain_recent();
            self.changes.retain_recent();
        }
    }
}

/// What counts as one address: of IPv6, the network that one subscriber has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) >> 64 << 64;
            IpAddr::V6(prefix.into())
        }
        address => address,
    }
}

fn too_many(text: &str, wait: Duration) -> ApiError {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", text).retry_after(seconds.max(1))
}

/// Open streams, by caller.
#[derive(Debug, Default)]
struct Streams(Mutex<HashMap<String, usize>>);

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for a stream, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    streams: Arc<Streams>,
    caller: String,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(mine) = open.get_mut(&self.caller) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(NonZeroU32::new(20).unwrap())
    }

    #[test]
    fn streams_are_counted_until_they_end() {
        let limits = limits();
        let mut mine: Vec<Permit> = (0..STREAMS_PER_CALLER)
            .map(|_| limits.stream("mine").unwrap())
            .collect();
        let refused = limits.stream("mine").unwrap_err();
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.retry_after, Some(STREAM_RETRY_SECONDS));
        let mut others = Vec::new();
        for caller in 0..STREAMS / STREAMS_PER_CALLER - 1 {
            let caller = format!("caller {caller}");
            others.extend((0..STREAMS_PER_CALLER).map(|_| limits.stream(&caller).unwrap()));
        }
        assert!(limits.stream("one more").is_err());
        mine.pop();
        drop(limits.stream("one more").unwrap());
        mine.push(limits.stream("mine").unwrap());
        drop((mine, others));
        assert!(limits.streams.lock().is_empty());
    }

    #[test]
    fn attempts_to_log_in_are_counted_by_network() {
        let limits = limits();
        let from = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        for attempt in 0..10 {
            let address = format!("2001:db8:1:2::{attempt}");
            limits.login(from(&address)).unwrap();
        }
        let refused = limits.login(from("2001:db8:1:2:ffff::1")).unwrap_err();
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(
            refused
                .retry_after
                .is_some_and(|seconds| (1..=12).contains(&seconds))
        );
        limits.login(from("2001:db8:1:3::1")).unwrap();
        limits.login(from("10.0.0.1")).unwrap();
        limits.login(None).unwrap();
    }

    #[test]
    fn changes_are_counted_by_caller() {
        let limits = Limits::new(NonZeroU32::MIN);
        for _ in 0..BURST_SECONDS {
            limits.change("one").unwrap();
        }
        assert!(limits.change("one").is_err());
        limits.change("other").unwrap();
    }
}
