use super::*;
use crate::measure::TokenCount;
use crate::score::{Percentile, SloMetric, Statistic};

const MS: u64 = 1_000_000;

fn request(sent_ms: u64, content_ms: &[u64], tokens: u32) -> RequestRecord {
    RequestRecord {
        intended_ns: sent_ms * MS,
        sent_ns: sent_ms * MS,
        content_ns: content_ms.iter().map(|at| at * MS).collect(),
        first_chunk_tokens: 1,
        ended_ns: content_ms.last().map_or(sent_ms, |last| last + 1) * MS,
        input_tokens: TokenCount {
            count: 10,
            source: TokenSource::Usage,
        },
        output_tokens: TokenCount {
            count: tokens,
            source: TokenSource::Usage,
        },
        outcome: RequestOutcome::Success,
        ..RequestRecord::default()
    }
}

fn failed(error: RequestError, content_ms: &[u64]) -> RequestRecord {
    RequestRecord {
        outcome: RequestOutcome::Failed {
            error,
            detail: String::new(),
        },
        ..request(0, content_ms, 5)
    }
}

fn level(requests: Vec<RequestRecord>, end_ms: u64) -> LevelRecords {
    LevelRecords {
        scenario: "D(10,3)".into(),
        concurrency: 2,
        window_start_ns: 0,
        window_end_ns: end_ms * MS,
        requests,
        ..LevelRecords::default()
    }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

#[test]
fn latencies_follow_their_definitions() {
    let metrics = level_metrics(&level(vec![request(100, &[150, 170, 230], 3)], 1000), &[]);
    close(metrics.ttft.expect("ttft").mean, 0.050);
    close(metrics.latency.expect("latency").mean, 0.130);
    close(metrics.tpot.expect("tpot").mean, 0.040);
    close(metrics.stall.expect("stall").mean, 0.060);
    let gaps = metrics.gaps.expect("gaps");
    assert_eq!(gaps.n, 2);
    assert!((gaps.mean - 0.040).abs() < 0.001 && (gaps.max - 0.060).abs() < 0.001);
}

#[test]
fn tpot_counts_tokens_and_not_chunks() {
    // Five tokens in three chunks, two of them in the first.
    let mut bundled = request(0, &[10, 20, 40], 5);
    bundled.first_chunk_tokens = 2;
    close(
        level_metrics(&level(vec![bundled], 100), &[])
            .tpot
            .expect("tpot")
            .mean,
        0.010,
    );
    // A single token, and a single chunk of several, have no pace.
    assert_eq!(
        level_metrics(&level(vec![request(0, &[10], 1)], 100), &[]).tpot,
        None
    );
    assert_eq!(
        level_metrics(&level(vec![request(0, &[10], 8)], 100), &[]).tpot,
        None
    );
}

#[test]
fn only_what_arrives_in_the_window_is_throughput() {
    // Ends 60 ms after the window: two of its four tokens count, and it is not finished inside.
    let late = request(900, &[950, 1000, 1030, 1060], 4);
    let metrics = level_metrics(&level(vec![request(0, &[100, 200], 2), late], 1000), &[]);
    close(metrics.rates.output_tokens, 4.0);
    close(metrics.rates.input_tokens, 20.0);
    close(metrics.rates.total_tokens, 24.0);
    close(metrics.rates.requests, 1.0);
    assert_eq!(metrics.counts.succeeded, 2);
    assert_eq!(metrics.latency.expect("latency").n, 2);
}

/// A closed loop of `concurrency` slots whose requests all take this long, as it is recorded.
fn closed_loop(concurrency: u32, limit: usize, latency_ms: u64, most_ms: u64) -> LevelRecords {
    let mut requests = Vec::new();
    let mut started = 0;
    'waves: loop {
        for slot in 0..u64::from(concurrency) {
            // A microsecond apart, as slots are in truth.
            if requests.len() == limit || started >= most_ms {
                break 'waves;
            }
            let mut request = request(started, &[started + latency_ms / 2, started + latency_ms], 2);
            request.intended_ns += slot * 1000;
            request.sent_ns += slot * 1000;
            request.content_ns.iter_mut().for_each(|at| *at += slot * 1000);
            request.ended_ns = request.sent_ns + latency_ms * MS;
            requests.push(request);
        }
        started += latency_ms;
    }
    let last_end = requests.iter().map(|request| request.ended_ns).max().unwrap_or(0);
    LevelRecords {
        concurrency,
        window_end_ns: if requests.len() == limit {
            last_end.min(most_ms * MS)
        } else {
            most_ms * MS
        },
        ..level(requests, 0)
    }
}

#[test]
fn running_out_of_requests_costs_no_throughput() {
    // Each slot brings 12 tokens every 100 ms, whichever limit ends the level.
    for concurrency in [1, 4, 32] {
        for (limit, most_ms) in [(200, 60_000), (usize::MAX, 2_000), (64, 60_000), (71, 60_000)] {
            let records = closed_loop(concurrency, limit, 100, most_ms);
            let rate = level_metrics(&records, &[]).rates.total_tokens;
            let expected = f64::from(concurrency) * 120.0;
            assert!(
                (rate / expected - 1.0).abs() < 0.05,
                "{rate} instead of {expected} with {concurrency} slots and {limit} requests"
            );
        }
    }
}

#[test]
fn failures_are_counted_by_class_and_serve_nobody() {
    let mut open = request(0, &[10, 20], 2);
    open.outcome = RequestOutcome::CutOff;
    let metrics = level_metrics(
        &level(
            vec![
                request(0, &[10, 20], 2),
                failed(RequestError::Timeout, &[30]),
                failed(RequestError::Status(500), &[]),
                failed(RequestError::Status(500), &[]),
                open,
            ],
            1000,
        ),
        &[],
    );
    let counts = metrics.counts;
    assert_eq!(
        (counts.started, counts.succeeded, counts.failed, counts.cut_off),
        (5, 1, 3, 1)
    );
    assert_eq!(counts.errors[&RequestError::Status(500)], 2);
    close(metrics.rates.output_tokens, 4.0);
    close(metrics.rates.attainment, 0.2);
    let latency = metrics.latency.expect("latency");
    assert_eq!(latency.n, 1);
    assert_eq!(latency.percentile_with_failures(Percentile::P90), f64::INFINITY);
}

#[test]
fn goodput_wants_every_bound_met() {
    let slo = |metric, threshold| Slo {
        metric,
        threshold,
        weight: 1.0,
        hard_fail: false,
        fail_ratio: 0.5,
    };
    let slos = [
        slo(SloMetric::Ttft(Statistic::Mean), 0.05),
        slo(SloMetric::Latency(Percentile::P99), 0.2),
    ];
    let requests = vec![
        request(0, &[50, 100], 2),
        request(0, &[60, 100], 2),
        request(0, &[50, 300], 2),
    ];
    let metrics = level_metrics(&level(requests, 1000), &slos);
    close(metrics.rates.goodput, 1.0);
    close(metrics.rates.attainment, 1.0 / 3.0);
}

#[test]
fn a_level_without_requests_is_empty_and_not_a_division_by_zero() {
    let metrics = level_metrics(&level(vec![], 0), &[]);
    assert_eq!(metrics.rates, Rates::default());
    assert_eq!((metrics.ttft, metrics.token_source), (None, None));
}

fn open_loop(requests: Vec<RequestRecord>, end_ms: u64, rate: f64) -> LevelRecords {
    LevelRecords {
        schedule: Some(Schedule {
            label: format!("poisson at {rate}/s"),
            rate,
            held_back: 0,
        }),
        ..level(requests, end_ms)
    }
}

#[test]
fn with_a_schedule_waiting_begins_when_the_request_was_wanted() {
    let mut late = request(100, &[150, 170, 230], 3);
    late.intended_ns = 80 * MS;
    let metrics = level_metrics(&open_loop(vec![late.clone()], 1000, 1.0), &[]);
    close(metrics.ttft_from_schedule.as_ref().expect("ttft").mean, 0.070);
    close(
        metrics.latency_from_schedule.as_ref().expect("latency").mean,
        0.150,
    );
    close(metrics.ttft.as_ref().expect("ttft").mean, 0.050);
    close(metrics.latency.as_ref().expect("latency").mean, 0.130);
    let lag = metrics.schedule_lag.as_ref().expect("lag");
    assert_eq!(lag.n, 1);
    close(lag.p99, 0.020);
    close(lag.max, 0.020);
    assert_eq!(metrics.scored_ttft(), metrics.ttft_from_schedule.as_ref());
    assert_eq!(metrics.label(), "D(10,3), poisson at 1/s");
    let overall = crate::metrics::experiment_metrics(vec![metrics], None, 0);
    close(overall.latency.expect("latency").mean, 0.150);
    close(overall.ttft(Statistic::Mean).expect("ttft"), 0.070);
    close(overall.latency_at(Percentile::P99).expect("p99"), 0.150);
    // A closed loop starts when it can, and nobody has waited before that.
    let metrics = level_metrics(&level(vec![late], 1000), &[]);
    assert_eq!(metrics.ttft_from_schedule, None);
    assert_eq!(metrics.latency_from_schedule, None);
    assert_eq!(metrics.schedule_lag, None);
    close(metrics.scored_ttft().expect("ttft").mean, 0.050);
    assert_eq!(metrics.label(), "D(10,3) at concurrency 2");
}

#[test]
fn a_bound_counts_from_the_schedule_too() {
    let mut late = request(100, &[150, 170], 2);
    late.intended_ns = 0;
    let slos = [Slo {
        metric: SloMetric::Ttft(Statistic::Mean),
        threshold: 0.1,
        weight: 1.0,
        hard_fail: false,
        fail_ratio: 0.5,
    }];
    let attainment = |records: &LevelRecords| level_metrics(records, &slos).rates.attainment;
    close(attainment(&level(vec![late.clone()], 1000)), 1.0);
    close(attainment(&open_loop(vec![late], 1000, 1.0)), 0.0);
}

#[test]
fn lags_are_those_of_all_requests_and_other_waits_those_of_good_ones() {
    let mut lost = failed(RequestError::Timeout, &[30]);
    lost.sent_ns = lost.intended_ns + 7 * MS;
    let metrics = level_metrics(&open_loop(vec![request(0, &[10], 1), lost], 1000, 1.0), &[]);
    let lag = metrics.schedule_lag.expect("lag");
    assert_eq!(lag.n, 2);
    close(lag.mean, 0.0035);
    assert_eq!(metrics.ttft.expect("ttft").n, 1);
}

#[test]
fn what_is_seen_first_may_come_after_reasoning() {
    let mut reasoning = request(100, &[150, 170, 230], 3);
    reasoning.first_visible_ns = Some(230 * MS);
    let metrics = level_metrics(&level(vec![reasoning, request(0, &[10], 1)], 1000), &[]);
    let visible = metrics.first_visible.expect("visible");
    assert_eq!(visible.n, 1);
    close(visible.mean, 0.130);
}

#[test]
fn ntpot_divides_the_whole_latency_by_all_tokens() {
    let metrics = level_metrics(
        &level(
            vec![request(100, &[150, 170, 230], 4), request(0, &[10], 0)],
            1000,
        ),
        &[],
    );
    let ntpot = metrics.ntpot.expect("ntpot");
    assert_eq!(ntpot.n, 1);
    close(ntpot.mean, 0.130 / 4.0);
}

#[test]
fn gaps_by_tokens_give_each_further_token_of_a_chunk_none() {
    let with_chunks = |chunks: &[u32]| RequestRecord {
        chunk_tokens: chunks.to_vec(),
        first_chunk_tokens: chunks[0],
        ..request(0, &[100, 140, 200], chunks.iter().sum())
    };
    let metrics = level_metrics(&level(vec![with_chunks(&[2, 3, 1])], 1000), &[]);
    let gaps = metrics.token_gaps.expect("gaps");
    // Two gaps, one zero of the first chunk and two of the second.
    assert_eq!(gaps.n, 5);
    assert!((gaps.mean - 0.100 / 5.0).abs() < 1e-4, "{}", gaps.mean);
    assert!(gaps.p50 < 1e-6 && (gaps.max - 0.060).abs() < 1e-4);
    assert_eq!(metrics.gaps.expect("gaps").n, 2);
    close(metrics.chunk_tokens.expect("tokens"), 2.0);
    // Where each chunk is one token there is nothing to tell apart.
    let metrics = level_metrics(&level(vec![with_chunks(&[1, 1, 1])], 1000), &[]);
    assert_eq!(metrics.token_gaps, None);
    close(metrics.chunk_tokens.expect("tokens"), 1.0);
    // And nothing to tell where the server does not count, or not in all.
    for chunks in [vec![], vec![2, 3]] {
        let mut strange = request(0, &[100, 140, 200], 6);
        strange.chunk_tokens = chunks;
        let metrics = level_metrics(&level(vec![strange], 1000), &[]);
        assert_eq!((metrics.token_gaps, metrics.chunk_tokens), (None, None));
    }
}

#[test]
fn tokens_arrive_with_the_chunk_that_brought_them() {
    let counted = RequestRecord {
        chunk_tokens: vec![1, 7, 2],
        ..request(0, &[900, 990, 1010], 10)
    };
    let rate = |request: &RequestRecord| {
        level_metrics(&level(vec![request.clone()], 1000), &[])
            .rates
            .output_tokens
    };
    close(rate(&counted), 8.0);
    // Counts that do not add up to what the server says in the end are not believed.
    let wrong = RequestRecord {
        chunk_tokens: vec![1, 7, 3],
        ..counted
    };
    close(rate(&wrong), 5.5);
}

#[test]
fn what_was_cut_off_has_missed_and_its_tokens_count() {
    let mut open = request(0, &[100, 200], 2);
    open.outcome = RequestOutcome::CutOff;
    let metrics = level_metrics(&level(vec![open, request(0, &[100], 1)], 1000), &[]);
    close(metrics.rates.output_tokens, 3.0);
    close(metrics.rates.input_tokens, 20.0);
    close(metrics.rates.requests, 1.0);
    close(metrics.rates.attainment, 0.5);
    assert_eq!(
        metrics
            .ttft
            .expect("ttft")
            .percentile_with_failures(Percentile::P90),
        f64::INFINITY
    );
}

#[test]
fn a_schedules_tail_costs_no_throughput() {
    // Ten requests a second for ten seconds, each of which brings 10 + 2 tokens and takes 3 s; the
    // window lasts until the last of them has ended.
    let requests: Vec<_> = (0..100)
        .map(|i| request(i * 100, &[i * 100 + 50, i * 100 + 3000], 2))
        .collect();
    let records = |rate: f64| LevelRecords {
        concurrency: 31,
        ..open_loop(requests.clone(), 13_000, rate)
    };
    let metrics = level_metrics(&records(10.0), &[]);
    // Prompts and first tokens come at once, last ones in seven of the ten seconds, at both ends of
    // which there is one.
    close(metrics.rates.input_tokens, 100.0);
    close(metrics.rates.output_tokens, 10.0 + 7.1);
    close(metrics.rates.requests, 100.0 / 13.0);
    // A burst at the very beginning is judged by all that comes of it.
    let burst: Vec<_> = (0..10).map(|_| request(0, &[100, 1900], 2)).collect();
    let metrics = level_metrics(&open_loop(burst, 2000, 5.0), &[]);
    close(metrics.rates.output_tokens, 10.0);
}

#[test]
fn what_was_under_way_when_the_window_opened_counts_for_rates_alone() {
    let mut lead = request(0, &[400, 1200, 1400], 3);
    lead.sent_ns = 300 * MS;
    let records = LevelRecords {
        window_start_ns: 1000 * MS,
        lead_in: vec![lead, request(500, &[1500], 1)],
        ..level(vec![request(1000, &[1500, 1900], 2)], 2000)
    };
    let metrics = level_metrics(&records, &[]);
    // Two tokens of the first, whose prompt came before; one and a prompt of the second.
    close(metrics.rates.output_tokens, 2.0 + 1.0 + 2.0);
    close(metrics.rates.input_tokens, 20.0);
    // All three ended in the window; one was started in it.
    close(metrics.rates.requests, 3.0);
    assert_eq!((metrics.counts.started, metrics.ttft.expect("ttft").n), (1, 1));
    let series = metrics.series.expect("a series");
    assert_eq!((series.output_tokens, series.completed), (vec![5.0], vec![3]));
    // For 401 ms, 501 ms and 901 ms of the second.
    close(series.in_flight[0], 1.803);
    close(
        metrics.trust.expect("told").achieved_concurrency.expect("known"),
        1.803,
    );
}

#[test]
fn what_was_under_way_when_the_window_opened_is_the_engines_to_count() {
    let mut lead = request(0, &[400, 1200, 1400], 3);
    lead.sent_ns = 300 * MS;
    let said = |requests: f64, output_tokens: f64| LevelRecords {
        window_start_ns: 1000 * MS,
        lead_in: vec![lead.clone(), request(500, &[1500], 1)],
        engine: Some(EngineFigures {
            requests: Some(requests),
            output_tokens: Some(output_tokens),
            ttft: Some(0.750),
            latency: Some(1.0),
            ..EngineFigures::default()
        }),
        ..level(vec![request(1000, &[1500, 1900], 2)], 2000)
    };
    // Tokens as they are made: two of the first; or each request's once it has ended: all three.
    for tokens in [5.0, 6.0] {
        let metrics = level_metrics(&said(3.0, tokens), &[]);
        assert_eq!(metrics.engine_remarks(), Vec::<String>::new());
        let differences = metrics.engine_differences().expect("the engine speaks");
        assert_eq!(
            (differences.requests, differences.output_tokens),
            (Some(0.0), Some(0.0))
        );
        // First tokens at 1,500 ms of requests sent at 500 and 1,000 ms; the other's came before.
        close(differences.ttft.expect("known"), 0.0);
        close(differences.latency.expect("known"), (1.1 + 1.0 + 0.9) / 3.0 - 1.0);
    }
    let metrics = level_metrics(&said(4.0, 9.0), &[]);
    assert_eq!(
        metrics.engine_remarks().len(),
        2,
        "{:?}",
        metrics.engine_remarks()
    );
    // Nobody knows what it counts of a request that failed.
    let mut records = said(4.0, 9.0);
    records.lead_in[1] = failed(RequestError::Status(500), &[1500]);
    let remarks = level_metrics(&records, &[]).engine_remarks();
    assert!(
        remarks.iter().all(|remark| remark.contains("mean TTFT")),
        "{remarks:?}"
    );
}
