//! Loads as an even engine would record them, with noise: for tests of what is made of them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rates::nanoseconds;
use crate::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};

/// A closed loop of so many slots over so many seconds. A request takes about 50 ms to its first
/// token and 5 ms for each of 40 more, half of that more or less by chance, and all of it times
/// what `pace` says of the share of the window that has passed.
pub(super) fn closed_loop(seed: u64, slots: u32, window: f64, pace: impl Fn(f64) -> f64) -> LevelRecords {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut requests = Vec::new();
    for _ in 0..slots {
        let mut at = generator.random::<f64>() * 0.25;
        while at < window {
            let slower = pace(at / window);
            let sent = at;
            at += 0.050 * (0.5 + generator.random::<f64>()) * slower;
            let mut content = vec![nanoseconds(at)];
            let gap = 0.005 * (0.5 + generator.random::<f64>()) * slower;
            for _ in 0..40 {
                at += gap * (0.5 + generator.random::<f64>());
                content.push(nanoseconds(at));
            }
            requests.push(request(nanoseconds(sent), content));
        }
    }
    requests.sort_by_key(|request| request.sent_ns);
    level(requests, slots, window)
}

/// A request of these stamps, a token each, that ended well.
pub(super) fn request(sent_ns: u64, content_ns: Vec<u64>) -> RequestRecord {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    RequestRecord {
        intended_ns: sent_ns,
        sent_ns,
        first_chunk_tokens: 1,
        ended_ns: *content_ns.last().expect("some content"),
        input_tokens: tokens(100),
        output_tokens: tokens(u32::try_from(content_ns.len()).expect("few")),
        content_ns,
        outcome: RequestOutcome::Success,
        ..RequestRecord::default()
    }
}

/// A level of these requests over so many seconds.
pub(super) fn level(requests: Vec<RequestRecord>, concurrency: u32, window: f64) -> LevelRecords {
    LevelRecords {
        scenario: "D(100,41)".into(),
        concurrency,
        window_end_ns: nanoseconds(window),
        requests,
        ..LevelRecords::default()
    }
}
