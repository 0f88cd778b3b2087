//! Looks at made-up levels: servers that bear a load, miss a bound, or fall behind.

use super::*;
use crate::measure::{RequestError, RequestOutcome, RequestRecord, Schedule};
use crate::metrics::{Trust, level_metrics};
use crate::score::Percentile;

const MS: u64 = 1_000_000;

fn slo(metric: SloMetric, threshold: f64) -> Slo {
    Slo {
        metric,
        threshold,
        weight: 1.0,
        hard_fail: false,
        fail_ratio: 0.5,
    }
}

/// Wanted every `every` ms; the nth is answered after `took(n)` ms.
fn requests(n: u64, every: u64, took: impl Fn(u64) -> u64) -> Vec<RequestRecord> {
    let request = |number: u64| {
        let at = number * every * MS;
        let end = at + took(number) * MS;
        RequestRecord {
            intended_ns: at,
            sent_ns: at,
            content_ns: vec![end - MS, end],
            first_chunk_tokens: 1,
            ended_ns: end,
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }
    };
    (0..n).map(request).collect()
}

fn open_loop(requests: Vec<RequestRecord>, every: u64, held_back: u32) -> LevelRecords {
    LevelRecords {
        window_end_ns: requests.len() as u64 * every * MS,
        requests,
        concurrency: 64,
        schedule: Some(Schedule {
            label: "constant".into(),
            rate: 1000.0 / every as f64,
            held_back,
        }),
        ..LevelRecords::default()
    }
}

fn looked(records: &LevelRecords, slos: &[Slo], before: &[Look], load: f64) -> Look {
    look(load, records, &measured(records, slos), slos, before)
}

const P90: SloMetric = SloMetric::Ttft(Statistic::At(Percentile::P90));

#[test]
fn a_bound_holds_or_does_not() {
    let level = open_loop(requests(90, 100, |_| 51), 100, 0);
    let check = |threshold: f64, expected: LookVerdict| {
        let look = looked(&level, &[slo(P90, threshold)], &[], 10.0);
        assert_eq!(look.verdict(), Some(expected), "{look:?}");
        assert!((look.bounds[0].actual.expect("measured") - 0.05).abs() < 1e-9);
        assert!(!look.bounds[0].is_low_n);
    };
    check(0.06, LookVerdict::Meets);
    check(0.04, LookVerdict::Misses);
}

#[test]
fn requests_that_fail_are_infinitely_slow_and_many_of_them_a_miss() {
    let failing = |every: usize| {
        let mut level = open_loop(requests(100, 100, |_| 51), 100, 0);
        for request in level.requests.iter_mut().step_by(every) {
            request.outcome = RequestOutcome::Failed {
                error: RequestError::Status(429),
                detail: String::new(),
            };
            request.content_ns.clear();
        }
        level
    };
    let mean = slo(SloMetric::Ttft(Statistic::Mean), 1.0);
    let few = looked(&failing(20), &[mean.clone(), slo(P90, 1.0)], &[], 10.0);
    assert_eq!((few.lost, few.verdict()), (5, Some(LookVerdict::Meets)));
    let p99 = SloMetric::Ttft(Statistic::At(Percentile::P99));
    let last = looked(&failing(20), &[slo(p99, 1.0)], &[], 10.0);
    assert_eq!(last.bounds[0].actual, Some(f64::INFINITY));
    assert_eq!(last.verdict(), Some(LookVerdict::Misses));
    let many = looked(&failing(5), std::slice::from_ref(&mean), &[], 10.0);
    assert!(many.has_lost_many() && many.bounds[0].is_met());
    assert_eq!(many.verdict(), Some(LookVerdict::Misses));
    let none = looked(&failing(1), &[mean], &[], 10.0);
    assert_eq!(none.bounds[0].actual, None);
    assert_eq!(none.verdict(), Some(LookVerdict::Misses));
}

#[test]
fn a_backlog_that_grows_is_over_saturation_though_every_bound_holds() {
    let latency = [slo(SloMetric::Latency(Percentile::P99), 1000.0)];
    // Answered at nine tenths of the rate: each is 10 ms later than the one before it.
    let growing = open_loop(requests(90, 100, |n| 51 + n * 10), 100, 0);
    let look = looked(&growing, &latency, &[], 10.0);
    assert_eq!(look.verdict(), Some(LookVerdict::OverSaturated));
    let Some(Behind::Backlog { growth }) = look.behind else {
        panic!("{look:?}");
    };
    assert!((growth - 0.1).abs() < 1e-6, "{growth}");
    let check = |took: &dyn Fn(u64) -> u64| {
        let look = looked(&open_loop(requests(90, 100, took), 100, 0), &latency, &[], 10.0);
        assert_eq!(look.behind, None);
    };
    check(&|_| 5000);
    check(&|n| 51 + n * 2);
    // It fills, and is full.
    check(&|n| 51 + n.min(30) * 20);
    // Chance: long and short answers by turns.
    check(&|n| if n % 7 == 3 { 5000 } else { 51 });
    check(&|n| 9000 - n * 50);
}

#[test]
fn a_schedule_that_waits_for_connections_is_over_saturation() {
    let check = |held_back: u32, expected: Option<Behind>| {
        let level = open_loop(requests(90, 100, |_| 51), 100, held_back);
        assert_eq!(looked(&level, &[slo(P90, 1.0)], &[], 10.0).behind, expected);
    };
    check(4, None);
    check(5, Some(Behind::HeldBack { held_back: 5 }));
}

/// A look of a closed loop.
fn closed(load: f64, throughput: f64, latency: f64) -> Look {
    Look {
        load,
        bounds: Vec::new(),
        started: 100,
        lost: 0,
        behind: None,
        client_limits: Vec::new(),
        is_short: false,
        throughput,
        latency: Some(latency),
    }
}

#[test]
fn more_in_flight_that_only_wait_are_over_saturation() {
    let before = [
        closed(4.0, 400.0, 1.0),
        closed(8.0, 700.0, 1.1),
        closed(16.0, 1000.0, 1.6),
    ];
    let check = |load: f64, throughput: f64, latency: f64, is_behind: bool| {
        let behind = behind::in_closed_loop(&closed(load, throughput, latency), &before);
        assert_eq!(behind.is_some(), is_behind, "{load}: {behind:?}");
    };
    check(32.0, 1010.0, 3.2, true);
    check(32.0, 900.0, 3.5, true);
    check(32.0, 1200.0, 2.7, false);
    check(24.0, 1000.0, 2.4, true);
    // Fewer in flight are compared with fewer still, and what lies too close with neither.
    check(12.0, 950.0, 1.3, false);
    check(17.0, 1000.0, 1.7, false);
    check(2.0, 1.0, 9.0, false);
    let told = behind::in_closed_loop(&closed(32.0, 1010.0, 3.2), &before);
    let Some(Behind::NoMoreThroughput {
        than,
        throughput,
        latency,
    }) = told
    else {
        panic!("{told:?}");
    };
    assert_eq!(than, 16.0);
    assert!((throughput - 0.01).abs() < 1e-9 && (latency - 1.0).abs() < 1e-9);
    // One that was over-saturated itself is nothing to compare with.
    let mut worn = before.clone();
    worn[2].behind = told;
    assert!(behind::in_closed_loop(&closed(32.0, 1010.0, 3.2), &worn).is_none());
}

#[test]
fn where_the_load_generator_is_the_limit_there_is_no_miss() {
    let slos = [slo(P90, 0.04)];
    let limited = |threshold: f64, achieved: f64| {
        let records = open_loop(requests(90, 100, |_| 51), 100, 0);
        let mut level = level_metrics(&records, &slos);
        level.trust = Some(Trust {
            asked_rate: Some(10.0),
            achieved_rate: Some(achieved),
            reasons: vec!["it was busy".into()],
            ..Trust::default()
        });
        let look = look(10.0, &records, &level, &[slo(P90, threshold)], &[]);
        look.verdict()
    };
    assert_eq!(limited(0.04, 10.0), None);
    assert_eq!(limited(0.06, 10.0), Some(LookVerdict::Meets));
    assert_eq!(limited(0.06, 9.0), None, "that was another load");
}
