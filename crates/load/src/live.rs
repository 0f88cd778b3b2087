//! How a level fares while it runs: sums that every slot adds to.
//!
//! A handful of atomic additions a request, for people who watch. Nothing is scored by it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use autotuner_core::measure::RequestRecord;

use crate::Live;

/// Sums over the requests of a phase that ended well.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    requests: AtomicU32,
    ttft_ns: AtomicU64,
    ttft: Buckets,
    /// Answers with more than one token, and the sum of their times per token.
    streamed: AtomicU32,
    tpot_ns: AtomicU64,
    output_tokens: AtomicU64,
    /// Of prompts and answers.
    tokens: AtomicU64,
    /// From when a request should have started, as what is scored is.
    wait_ns: AtomicU64,
    latency_ns: AtomicU64,
}

/// What the requests of a phase that have ended well add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) requests: u32,
    /// Seconds to the first token, from when requests should have started.
    pub(crate) ttft: f64,
    /// Answers with more than one token.
    pub(crate) streamed: u32,
    /// Seconds per further token, one for each of these answers.
    pub(crate) tpot: f64,
    /// Seconds to the end, from when requests should have started.
    pub(crate) latency: f64,
    /// Of prompts and answers.
    pub(crate) tokens: f64,
}

impl Totals {
    /// What was added since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            ttft: self.ttft - before.ttft,
            streamed: self.streamed - before.streamed,
            tpot: self.tpot - before.tpot,
            latency: self.latency - before.latency,
            tokens: self.tokens - before.tokens,
        }
    }
}

impl Sums {
    /// Adds a request that ended well.
    pub(crate) fn add(&self, record: &RequestRecord) {
        let (Some(first), Some(last)) = (record.content_ns.first(), record.content_ns.last()) else {
            return;
        };
        let tokens = record.output_tokens.count;
        let ttft_ns = first.saturating_sub(record.sent_ns);
        self.ttft_ns.fetch_add(ttft_ns, Ordering::Relaxed);
        self.ttft.add(ttft_ns);
        self.output_tokens.fetch_add(u64::from(tokens), Ordering::Relaxed);
        let both = u64::from(tokens) + u64::from(record.input_tokens.count);
        self.tokens.fetch_add(both, Ordering::Relaxed);
        let wait_ns = first.saturating_sub(record.intended_ns);
        self.wait_ns.fetch_add(wait_ns, Ordering::Relaxed);
        let latency_ns = record.ended_ns.saturating_sub(record.intended_ns);
        self.latency_ns.fetch_add(latency_ns, Ordering::Relaxed);
        if let Some(further @ 1..) = tokens.checked_sub(record.first_chunk_tokens) {
            let each = last.saturating_sub(*first) / u64::from(further);
            self.tpot_ns.fetch_add(each, Ordering::Relaxed);
            self.streamed.fetch_add(1, Ordering::Relaxed);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// What they add up to.
    pub(crate) fn totals(&self) -> Totals {
        let seconds = |sum: &AtomicU64| Duration::from_nanos(sum.load(Ordering::Relaxed)).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "tokens stay far below 2^53")]
        let tokens = self.tokens.load(Ordering::Relaxed) as f64;
        Totals {
            requests: self.requests.load(Ordering::Relaxed),
            ttft: seconds(&self.wait_ns),
            streamed: self.streamed.load(Ordering::Relaxed),
            tpot: seconds(&self.tpot_ns),
            latency: seconds(&self.latency_ns),
            tokens,
        }
    }

    /// What they add up to after so much of the window.
    pub(crate) fn live(&self, elapsed: Duration) -> Option<Live> {
        let requests = self.requests.load(Ordering::Relaxed);
        let mean = |sum: &AtomicU64, count: u32| {
            let seconds = Duration::from_nanos(sum.load(Ordering::Relaxed)).as_secs_f64();
            (count > 0).then(|| seconds / f64::from(count))
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let tokens = self.output_tokens.load(Ordering::Relaxed) as f64;
        Some(Live {
            ttft: mean(&self.ttft_ns, requests)?,
            ttft_p50: self.ttft.percentile(0.5)?,
            ttft_p99: self.ttft.percentile(0.99)?,
            tpot: mean(&self.tpot_ns, self.streamed.load(Ordering::Relaxed)),
            output_tokens_per_second: tokens / elapsed.as_secs_f64().max(1e-9),
        })
    }
}

/// How often each size of a time was seen: sizes are told apart to one part in sixteen.
#[derive(Debug)]
struct Buckets([AtomicU32; BUCKETS]);

/// Bits of a time that are looked at below its highest.
const FINE: u32 = 4;

/// One for each of those, for each highest bit of up to 2^40 ns, which is 18 minutes.
const BUCKETS: usize = (41 - FINE as usize) << FINE;

impl Default for Buckets {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; BUCKETS])
    }
}

impl Buckets {
    fn add(&self, nanoseconds: u64) {
        self.0[bucket(nanoseconds)].fetch_add(1, Ordering::Relaxed);
    }

    /// The middle, in seconds, of the bucket that holds this percentile; `None` without any time.
    fn percentile(&self, fraction: f64) -> Option<f64> {
        let counts: Vec<u32> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let all: u64 = counts.iter().copied().map(u64::from).sum();
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let wanted = all as f64 * fraction;
        let mut until = 0.0;
        let found = counts.iter().position(|count| {
            until += f64::from(*count);
            *count > 0 && until >= wanted
        });
        found.map(|index| Duration::from_nanos(middle(index)).as_secs_f64())
    }
}

fn bucket(nanoseconds: u64) -> usize {
    let highest = nanoseconds.max(1).ilog2().clamp(FINE, 40);
    let kept = (nanoseconds.min((1 << 41) - 1) >> (highest - FINE)) as usize;
    // What is kept has its highest bit, but for the least of times.
    (((highest - FINE) as usize) << FINE) + kept.saturating_sub(1 << FINE)
}

fn middle(bucket: usize) -> u64 {
    let shift = bucket >> FINE;
    let kept = (bucket & ((1 << FINE) - 1)) | (1 << FINE);
    (((2 * kept + 1) as u64) << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::measure::{RequestOutcome, TokenCount, TokenSource};

    fn record(content_ms: &[u64], tokens: u32) -> RequestRecord {
        let count = |count| TokenCount {
            count,
            source: TokenSource::Usage,
        };
        RequestRecord {
            intended_ns: 0,
            sent_ns: 10_000_000,
            content_ns: content_ms.iter().map(|ms| ms * 1_000_000).collect(),
            first_chunk_tokens: 1,
            ended_ns: 0,
            input_tokens: count(1),
            output_tokens: count(tokens),
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }
    }

    #[test]
    fn percentiles_are_right_to_a_few_per_cent() {
        let buckets = Buckets::default();
        assert_eq!(buckets.percentile(0.5), None);
        for ms in 1..=100 {
            buckets.add(ms * 1_000_000);
        }
        let near = |fraction: f64, expected: f64| {
            let found = buckets.percentile(fraction).expect("some");
            assert!((found / expected - 1.0).abs() < 0.04, "{found} for {expected}");
        };
        near(0.5, 0.05);
        near(0.99, 0.099);
        for nanoseconds in [0, 1, 15, 16, 17, 31, 32, 1_000_000_007, 1 << 40, u64::MAX] {
            assert!(bucket(nanoseconds) < BUCKETS, "{nanoseconds}");
        }
        for nanoseconds in [16_u64, 1000, 123_456_789] {
            let told = middle(bucket(nanoseconds));
            assert!(
                told.abs_diff(nanoseconds) <= nanoseconds / 16,
                "{told} for {nanoseconds}"
            );
        }
    }

    #[test]
    fn sums_are_of_requests_with_content() {
        let sums = Sums::default();
        assert_eq!(sums.live(Duration::from_secs(1)), None);
        sums.add(&record(&[], 0));
        assert_eq!(sums.live(Duration::from_secs(1)), None);
        sums.add(&record(&[30], 1));
        let one = sums.live(Duration::from_secs(1)).expect("one ended");
        assert_eq!((one.ttft, one.tpot), (0.02, None));
        sums.add(&record(&[50, 70, 90], 5));
        let live = sums.live(Duration::from_secs(2)).expect("two ended");
        assert_eq!((live.ttft, live.tpot), (0.03, Some(0.01)));
        assert!((live.output_tokens_per_second - 3.0).abs() < 1e-9);
    }
}
