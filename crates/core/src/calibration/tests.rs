use proptest::prelude::*;

use super::*;
use crate::measure::RequestError;

const MS: u64 = 1_000_000;
const ZERO: u64 = 77_000 * MS;

fn ours(job: u32, sent_ms: u64, content_ms: &[u64]) -> RequestRecord {
    RequestRecord {
        intended_ns: sent_ms * MS,
        sent_ns: sent_ms * MS,
        content_ns: content_ms.iter().map(|at| at * MS).collect(),
        ended_ns: content_ms.last().map_or(sent_ms, |at| at + 1) * MS,
        job,
        outcome: RequestOutcome::Success,
        ..RequestRecord::default()
    }
}

/// Stamps in milliseconds after our zero.
fn theirs(id: &str, received_ms: u64, chunks_ms: &[u64]) -> TruthRequest {
    let stamps: Vec<u64> = chunks_ms.iter().map(|at| ZERO + at * MS).collect();
    TruthRequest {
        request_id: id.into(),
        received_ns: ZERO + received_ms * MS,
        first_ns: stamps.first().copied(),
        last_ns: stamps.last().copied(),
        chunks: u32::try_from(stamps.len()).expect("few"),
        ended_ns: stamps.last().map(|at| at + MS / 2),
        chunk_ns: stamps,
    }
}

fn level(requests: Vec<RequestRecord>) -> LevelRecords {
    LevelRecords {
        scenario: "D(8,3)".into(),
        concurrency: 2,
        window_start_ns: 0,
        window_end_ns: 1000 * MS,
        requests,
        ..LevelRecords::default()
    }
}

fn truth(requests: Vec<TruthRequest>) -> Truth {
    Truth {
        requests,
        peak_in_flight: 9,
    }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
}

#[test]
fn errors_are_ours_less_the_server_s() {
    let records = level(vec![
        ours(0, 100, &[153, 173, 195]),
        ours(1, 100, &[151, 171, 191]),
    ]);
    let known = truth(vec![
        // 51 ms to the first by the server, 53 by us.
        theirs("at-m-3-0-0", 101, &[152, 172, 192]),
        // 50 by the server, 51 by us.
        theirs("at-m-3-1-0", 100, &[150, 170, 190]),
        // Not of this level, and none of ours.
        theirs("at-m-33-0-0", 0, &[1]),
        theirs("at-w-3-0-0", 0, &[1]),
        theirs("", 0, &[1]),
    ]);
    let found = calibrate(3, &records, ZERO, &known);
    assert_eq!(
        (found.requests, found.not_received, found.not_recorded),
        (2, 0, 0)
    );
    let ttft = found.ttft_error.expect("both have a first");
    assert_eq!(ttft.n, 2);
    close(ttft.mean, 0.0015);
    close(ttft.p50, 0.0015);
    close(ttft.p99, 0.00199);
    close(ttft.max, 0.002);
    let lag = found.chunk_lag.expect("stamps on both sides");
    assert_eq!(lag.n, 6);
    close(lag.mean, 0.008 / 6.0);
    close(lag.min, 0.001);
    close(lag.max, 0.003);
    close(found.gap_error.expect("gaps"), 82.0 / 80.0 - 1.0);
    close(found.throughput_error.expect("stamps"), 0.0);
    assert_eq!((found.in_flight_asked, found.in_flight_seen), (2, 2));
}

#[test]
fn requests_that_one_side_does_not_know_are_counted() {
    let failed = RequestRecord {
        outcome: RequestOutcome::Failed {
            error: RequestError::Connect,
            detail: String::new(),
        },
        ..ours(7, 0, &[])
    };
    let records = level(vec![ours(0, 0, &[10]), ours(1, 0, &[10]), failed]);
    let known = truth(vec![
        theirs("at-m-0-0-0", 0, &[10]),
        theirs("at-m-0-5-0", 20, &[30]),
        theirs("at-m-0-6-0", 20, &[31]),
        theirs("at-m-0-x-0", 20, &[31]),
    ]);
    let found = calibrate(0, &records, ZERO, &known);
    assert_eq!(
        (found.requests, found.not_received, found.not_recorded),
        (1, 2, 2)
    );
    assert_eq!(found.gap_error, None, "answers of one chunk have no gap");
    // The two that ended by 11 ms are gone when the others come.
    assert_eq!(found.in_flight_seen, 2);
}

#[test]
fn a_turn_of_a_conversation_is_its_own_request() {
    let second = RequestRecord {
        turn: 1,
        ..ours(0, 50, &[60])
    };
    let records = level(vec![ours(0, 0, &[10]), second]);
    let known = truth(vec![
        theirs("at-m-0-0-1", 50, &[60]),
        theirs("at-m-0-0-0", 0, &[10]),
    ]);
    let found = calibrate(0, &records, ZERO, &known);
    assert_eq!(found.requests, 2);
    close(found.ttft_error.expect("first chunks").max, 0.0);
}

#[test]
fn a_server_that_keeps_only_the_ends_is_compared_at_the_ends() {
    let mut request = theirs("at-m-0-0-0", 0, &[10, 20, 30]);
    request.chunk_ns.clear();
    let found = calibrate(
        0,
        &level(vec![ours(0, 0, &[11, 21, 33])]),
        ZERO,
        &truth(vec![request]),
    );
    let lag = found.chunk_lag.expect("the ends");
    assert_eq!(lag.n, 2);
    close(lag.mean, 0.002);
    close(found.gap_error.expect("as many chunks"), 0.1);
    assert_eq!(found.throughput_error, None);
}

#[test]
fn the_window_is_the_same_for_both() {
    let records = LevelRecords {
        window_start_ns: 15 * MS,
        window_end_ns: 40 * MS,
        ..level(vec![ours(0, 0, &[11, 21, 31, 41])])
    };
    // Written at 40 and read at 41: inside for the server, outside for us. What was written
    // before our zero is in no window.
    let mut early = theirs("at-m-0-9-0", 0, &[40]);
    early.chunk_ns = vec![ZERO - 1];
    let known = truth(vec![theirs("at-m-0-0-0", 0, &[10, 20, 30, 40]), early]);
    let found = calibrate(0, &records, ZERO, &known);
    close(found.throughput_error.expect("stamps"), 2.0 / 3.0 - 1.0);
}

#[test]
fn nothing_known_is_nothing_claimed() {
    let found = calibrate(0, &level(vec![]), ZERO, &Truth::default());
    assert_eq!(found.ttft_error, None);
    assert_eq!(found.chunk_lag, None);
    assert_eq!(found.gap_error, None);
    assert_eq!(found.throughput_error, None);
    assert_eq!(found.in_flight_seen, 0);
}

#[test]
fn a_request_that_is_still_open_stays_open() {
    let mut open = theirs("at-m-0-0-0", 0, &[10]);
    open.ended_ns = None;
    let others = [theirs("at-m-0-1-0", 20, &[30]), theirs("at-m-0-2-0", 30, &[30])];
    let known = truth([vec![open], others.into()].concat());
    assert_eq!(calibrate(0, &level(vec![]), ZERO, &known).in_flight_seen, 3);
}

proptest! {
    /// A generator that stamps every chunk late by the same time errs by that time, whatever the
    /// clock's zero, and its gaps are right.
    #[test]
    fn a_constant_lag_is_found_exactly(
        zero in 0_u64..1 << 50,
        lag_us in 0_u64..100_000,
        gaps_us in proptest::collection::vec(1_u64..100_000, 1..30),
    ) {
        let mut at = zero;
        let written: Vec<u64> = gaps_us.iter().map(|gap| { at += gap * 1000; at }).collect();
        let record = RequestRecord {
            content_ns: written.iter().map(|at| at + lag_us * 1000 - zero).collect(),
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        };
        let request = TruthRequest {
            request_id: "at-m-0-0-0".into(),
            received_ns: zero,
            first_ns: written.first().copied(),
            last_ns: written.last().copied(),
            chunks: u32::try_from(written.len()).expect("few"),
            chunk_ns: written,
            ended_ns: None,
        };
        let found = calibrate(0, &level(vec![record]), zero, &truth(vec![request]));
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let lag = lag_us as f64 / 1e6;
        let lags = found.chunk_lag.expect("chunks");
        prop_assert!((lags.min - lag).abs() < 1e-9 && (lags.max - lag).abs() < 1e-9);
        prop_assert!((found.ttft_error.expect("a first").mean - lag).abs() < 1e-9);
        prop_assert!(found.gap_error.is_none_or(|error| error.abs() < 1e-9));
    }
}
