//! When and how much to write: the options about time, checked once.

use super::clock::Nanoseconds;
use super::error::MetronomeError;
use super::options::MetronomeOptions;

/// Most tokens of one answer: their places have six digits.
pub(super) const MOST_TOKENS: u32 = 1_000_000;

/// Most events in one write.
const MOST_EVENTS: u32 = 1024;

/// A day, in milliseconds: longer waits are a mistake.
const LONGEST_MS: f64 = 86_400_000.0;

/// When and how much to write, for every request the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// From a request's last byte to its first content.
    pub(super) first: Nanoseconds,
    /// From one content write to the next; 0 is as fast as the socket takes it.
    pub(super) between: Nanoseconds,
    /// From a request's last byte to the chunk with the role, if there is one.
    pub(super) role: Option<Nanoseconds>,
    /// Tokens of every answer, if requests do not decide.
    pub(super) tokens: Option<u32>,
    /// Events in one write.
    pub(super) events_per_write: u32,
}

impl Pace {
    pub(super) fn new(options: &MetronomeOptions) -> Result<Self, MetronomeError> {
        let pace = Self {
            first: nanoseconds("--ttft-ms", options.ttft_ms)?,
            between: nanoseconds("--itl-ms", options.itl_ms)?,
            role: options
                .role_chunk_ms
                .map(|time| nanoseconds("--role-chunk-ms", time))
                .transpose()?,
            tokens: (options.tokens > 0).then_some(options.tokens),
            events_per_write: options.events_per_write,
        };
        let refuse = |flag, reason| Err(MetronomeError::InvalidOption { flag, reason });
        if pace.role.is_some_and(|role| role > pace.first) {
            return refuse("--role-chunk-ms", "the role comes no later than --ttft-ms");
        }
        if options.tokens > MOST_TOKENS {
            return refuse("--tokens", "give at most 1000000");
        }
        if !(1..=MOST_EVENTS).contains(&options.events_per_write) {
            return refuse("--events-per-write", "give 1 to 1024");
        }
        Ok(pace)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is neither negative nor longer than a day"
)]
fn nanoseconds(flag: &'static str, milliseconds: f64) -> Result<Nanoseconds, MetronomeError> {
    if (0.0..=LONGEST_MS).contains(&milliseconds) {
        return Ok((milliseconds * 1e6).round() as Nanoseconds);
    }
    let reason = "give milliseconds, from 0 to a day";
    Err(MetronomeError::InvalidOption { flag, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_become_nanoseconds() {
        let options = MetronomeOptions {
            ttft_ms: 0.25,
            itl_ms: 20.0,
            role_chunk_ms: Some(0.0),
            tokens: 7,
            events_per_write: 3,
            ..MetronomeOptions::default()
        };
        let expected = Pace {
            first: 250_000,
            between: 20_000_000,
            role: Some(0),
            tokens: Some(7),
            events_per_write: 3,
        };
        assert_eq!(Pace::new(&options).unwrap(), expected);
        assert_eq!(Pace::new(&MetronomeOptions::default()).unwrap().tokens, None);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_flag() {
        let check = |change: fn(&mut MetronomeOptions), named: &str| {
            let mut options = MetronomeOptions::default();
            change(&mut options);
            let error = Pace::new(&options).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        };
        check(|options| options.ttft_ms = -1.0, "--ttft-ms");
        check(|options| options.itl_ms = f64::NAN, "--itl-ms");
        check(|options| options.role_chunk_ms = Some(51.0), "--role-chunk-ms");
        check(|options| options.tokens = 1_000_001, "--tokens");
        check(|options| options.events_per_write = 0, "--events-per-write");
        check(|options| options.events_per_write = 1025, "--events-per-write");
    }
}
