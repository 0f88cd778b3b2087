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
    /// Answers with more than one token, and the sum of their times per token.
    streamed: AtomicU32,
    tpot_ns: AtomicU64,
    output_tokens: AtomicU64,
}

impl Sums {
    /// Adds a request that ended well.
    pub(crate) fn add(&self, record: &RequestRecord) {
        let (Some(first), Some(last)) = (record.content_ns.first(), record.content_ns.last()) else {
            return;
        };
        let tokens = record.output_tokens.count;
        self.ttft_ns
            .fetch_add(first.saturating_sub(record.sent_ns), Ordering::Relaxed);
        self.output_tokens.fetch_add(u64::from(tokens), Ordering::Relaxed);
        if let Some(further @ 1..) = tokens.checked_sub(record.first_chunk_tokens) {
            let each = last.saturating_sub(*first) / u64::from(further);
            self.tpot_ns.fetch_add(each, Ordering::Relaxed);
            self.streamed.fetch_add(1, Ordering::Relaxed);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
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
            tpot: mean(&self.tpot_ns, self.streamed.load(Ordering::Relaxed)),
            output_tokens_per_second: tokens / elapsed.as_secs_f64().max(1e-9),
        })
    }
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
