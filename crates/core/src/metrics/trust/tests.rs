use super::*;
use crate::measure::RequestRecord;
use crate::metrics::{level_metrics_for, simulated};

const MS: u64 = 1_000_000;
const US: u64 = 1_000;

/// One slot, ten requests of 11 tokens: TTFT 10 ms, TPOT 1 ms, latency 20 ms.
fn records(client: Option<ClientHealth>) -> LevelRecords {
    let request = |index: u64| {
        let sent = index * 20 * MS;
        simulated::request(sent, (0..=10).map(|token| sent + (10 + token) * MS).collect())
    };
    LevelRecords {
        client,
        ..simulated::level((0..10).map(request).collect(), 1, 0.2)
    }
}

fn client(lag_p50_ns: u64, lag_p99_ns: u64, cpu_share: f64) -> Option<ClientHealth> {
    Some(ClientHealth {
        threads: 1,
        cpu_share,
        lag_p50_ns,
        lag_p99_ns,
        lag_max_ns: lag_p99_ns,
        ..ClientHealth::default()
    })
}

fn judged(records: &LevelRecords, objective: Objective, calibration: Option<&KnownErrors>) -> Trust {
    let terms = Terms {
        slos: &[],
        objective: Some(objective),
        calibration,
    };
    level_metrics_for(records, &terms).trust.expect("always told")
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.expect("known");
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

#[test]
fn errors_follow_from_lags() {
    // A mean lag of at least 0.49 × 0.2 ms + 0.01 × 20.2 ms = 0.3 ms.
    let trust = judged(
        &records(client(200 * US, 20_200 * US, 0.5)),
        Objective::MinimizeTtft,
        None,
    );
    close(trust.errors.ttft, 0.030);
    close(trust.errors.latency, 0.015);
    close(trust.errors.tpot, 0.030);
    close(trust.errors.throughput, 0.015);
    close(trust.loop_lag_p99, 0.0202);
    close(trust.stamp_error_p99, 0.0202);
    close(trust.cpu_share, 0.5);
    close(trust.achieved_concurrency, 1.0);
    assert_eq!(
        (trust.asked_concurrency, trust.asked_rate, trust.achieved_rate),
        (Some(1), None, None)
    );
    assert!(!trust.is_client_limited());
}

#[test]
fn what_is_scored_decides_whose_error_counts() {
    // 0.49 × 1.2 ms + 0.01 × 1.2 ms = 0.6 ms: 6 % of the TTFT and the TPOT, 3 % of all else.
    let records = records(client(1200 * US, 1200 * US, 0.7));
    let reasons = |objective| judged(&records, objective, None).reasons;
    assert_eq!(
        reasons(Objective::MinimizeTtft),
        [
            "the load generator's own error is about 6.0 % of the mean TTFT, more than 5 %; one in a hundred of \
             its wakings was more than 1.2 ms late; its busiest thread was at work for 70 % of the time"
        ]
    );
    assert_eq!(reasons(Objective::MinimizeTpot).len(), 1);
    assert_eq!(reasons(Objective::MinimizeLatency), Vec::<String>::new());
    assert_eq!(reasons(Objective::MaximizeThroughput), Vec::<String>::new());
    // Nobody says what counts: all does.
    let all = level_metrics_for(&records, &Terms::default())
        .trust
        .expect("told");
    assert_eq!(all.reasons.len(), 2);
}

#[test]
fn a_busy_client_alone_is_no_reason() {
    let busy = records(client(0, 0, 1.0));
    for objective in Objective::ALL {
        assert!(
            !judged(&busy, objective, None).is_client_limited(),
            "{objective:?}"
        );
    }
}

#[test]
fn nobody_looked_nobody_knows() {
    let trust = judged(&records(None), Objective::MinimizeTtft, None);
    assert_eq!(trust.errors, OwnErrors::default());
    assert_eq!(
        (trust.loop_lag_p99, trust.stamp_error_p99, trust.cpu_share),
        (None, None, None)
    );
    assert!(!trust.is_client_limited());
}

#[test]
fn a_calibration_is_believed_where_it_says_more() {
    let calibration = KnownErrors {
        ttft_error_p50: 0.001,
        ttft_error_p99: 0.030,
        gap_error_mean: -0.02,
        throughput_error: 0.06,
    };
    for client in [None, client(200 * US, 20_200 * US, 0.5)] {
        let of = |objective| judged(&records(client), objective, Some(&calibration));
        let trust = of(Objective::MinimizeTtft);
        close(trust.errors.ttft, 0.1);
        close(trust.errors.latency, 0.05);
        close(trust.errors.throughput, 0.06);
        close(trust.errors.tpot, if client.is_some() { 0.03 } else { 0.02 });
        close(trust.stamp_error_p99, 0.030);
        assert!(trust.is_client_limited());
        assert!(of(Objective::MaximizeThroughput).is_client_limited());
        assert!(!of(Objective::MinimizeTpot).is_client_limited());
    }
}

/// Wanted every so many milliseconds over ten seconds and sent every so many, each of which takes
/// 50 ms.
fn open_loop(wanted_every: u64, sent_every: u64, held_back: u32, cpu_share: f64) -> LevelRecords {
    let request = |index: u64| {
        let sent = index * sent_every * MS;
        RequestRecord {
            intended_ns: index * wanted_every * MS,
            ..simulated::request(sent, vec![sent + 50 * MS])
        }
    };
    LevelRecords {
        schedule: Some(Schedule {
            label: "constant at 10/s".into(),
            rate: 10.0,
            held_back,
        }),
        client: client(0, 0, cpu_share),
        ..simulated::level((0..10_000 / sent_every).map(request).collect(), 4, 10.0)
    }
}

#[test]
fn missed_starts_are_whose_doing_they_are() {
    let reasons = |records: &LevelRecords| judged(records, Objective::MaximizeThroughput, None).reasons;
    let none = Vec::<String>::new();
    // All were sent.
    let trust = judged(&open_loop(100, 100, 0, 0.5), Objective::MaximizeThroughput, None);
    assert_eq!((trust.asked_concurrency, trust.asked_rate), (None, Some(10.0)));
    close(trust.achieved_rate, 10.0);
    close(trust.achieved_concurrency, 0.5);
    assert_eq!(trust.reasons, none);
    // The schedule itself had fewer: nothing was late.
    assert_eq!(reasons(&open_loop(125, 125, 0, 0.5)), none);
    // The engine held its connections: that is what is measured.
    assert_eq!(reasons(&open_loop(100, 125, 20, 0.5)), none);
    assert_eq!(
        reasons(&open_loop(100, 125, 0, 0.5)),
        [
            "the load generator started 8.02 of 10.00 requests a second: one in a hundred was sent more than \
             1955 ms after its time, though connections were free"
        ]
    );
    assert_eq!(
        reasons(&open_loop(100, 125, 20, 0.97)),
        [
            "the load generator started 8.02 of 10.00 requests a second: its busiest thread was at work for 97 % \
             of the time"
        ]
    );
    // Within a twentieth.
    assert_eq!(reasons(&open_loop(100, 104, 20, 0.97)), none);
}

#[test]
fn lateness_is_an_error_of_waits_that_count_from_the_schedule() {
    // 5 ms late of 55 ms, by no want of connections; by a want of them it is the engine's.
    let of = |held_back| {
        let mut records = open_loop(100, 100, held_back, 0.5);
        for request in &mut records.requests {
            request.intended_ns += 10 * MS;
            request.sent_ns += 15 * MS;
            request.content_ns[0] += 15 * MS;
        }
        judged(&records, Objective::MinimizeTtft, None)
    };
    close(of(0).errors.ttft, 5.0 / 55.0);
    close(of(0).errors.throughput, 0.0);
    assert!(of(0).is_client_limited());
    close(of(3).errors.ttft, 0.0);
}
