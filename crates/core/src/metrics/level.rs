//! One level: one scenario at one concurrency.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::distribution::{Distribution, GapDistribution, count, seconds};
use crate::measure::{LevelRecords, RequestError, RequestOutcome, RequestRecord, TokenSource};
use crate::score::{Slo, SloMetric};

/// What one level's records add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelMetrics {
    /// The scenario, as the user writes it.
    pub scenario: String,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// Length of the window, seconds.
    pub window: f64,
    /// How requests ended.
    pub counts: Counts,
    /// Time to first token, seconds.
    pub ttft: Option<Distribution>,
    /// Time per output token after the first, seconds.
    pub tpot: Option<Distribution>,
    /// End-to-end latency, seconds.
    pub latency: Option<Distribution>,
    /// A request's longest gap between chunks, seconds.
    pub stall: Option<Distribution>,
    /// Gaps between chunks, pooled, seconds.
    pub gaps: Option<GapDistribution>,
    /// Prompt tokens of successful requests.
    pub input_tokens: Option<Distribution>,
    /// Answer tokens of successful requests.
    pub output_tokens: Option<Distribution>,
    /// Who counted the answer tokens; the weakest source of any request.
    pub token_source: Option<TokenSource>,
    /// Rates over the window.
    pub rates: Rates,
}

/// How a level's requests ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Started in the window.
    pub started: u32,
    /// Ended well.
    pub succeeded: u32,
    /// Ended in an error.
    pub failed: u32,
    /// Still open when the level ended for good.
    pub cut_off: u32,
    /// Errors by class.
    pub errors: BTreeMap<RequestError, u32>,
}

/// Rates over a level's window, per second.
///
/// Tokens are counted while the level's load lasts: up to the moment at which a slot first
/// finds no request left to send. What arrives later, with fewer and fewer in flight, would
/// count against a configuration that runs out of requests, and not against a slower one
/// that runs out of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Prompt tokens.
    pub input_tokens: f64,
    /// Answer tokens.
    pub output_tokens: f64,
    /// Both.
    pub total_tokens: f64,
    /// Requests that ended well.
    pub requests: f64,
    /// Requests that ended well and met every SLO.
    pub goodput: f64,
    /// Their share of all requests started, 0 to 1.
    pub attainment: f64,
}

/// Sums up one level. `slos` decide goodput; without any, every success is good.
pub fn level_metrics(records: &LevelRecords, slos: &[Slo]) -> LevelMetrics {
    let counts = counts(&records.requests);
    let failures = (counts.failed + counts.cut_off) as usize;
    let good: Vec<&RequestRecord> = records
        .requests
        .iter()
        .filter(|request| request.outcome == RequestOutcome::Success)
        .collect();
    let of = |metric: fn(&RequestRecord) -> Option<f64>| {
        Distribution::of(
            good.iter().filter_map(|request| metric(request)).collect(),
            failures,
        )
    };
    LevelMetrics {
        scenario: records.scenario.clone(),
        concurrency: records.concurrency,
        window: window(records),
        ttft: of(ttft),
        tpot: of(tpot),
        latency: of(latency),
        stall: of(longest_gap),
        gaps: GapDistribution::of(&gaps(&good)),
        input_tokens: of(|request| Some(f64::from(request.input_tokens.count))),
        output_tokens: of(|request| Some(f64::from(request.output_tokens.count))),
        token_source: good.iter().map(|request| request.output_tokens.source).max(),
        rates: rates(records, &good, slos),
        counts,
    }
}

fn window(records: &LevelRecords) -> f64 {
    seconds(records.window_end_ns.saturating_sub(records.window_start_ns))
}

fn counts(requests: &[RequestRecord]) -> Counts {
    let mut counts = Counts::default();
    for request in requests {
        counts.started += 1;
        match &request.outcome {
            RequestOutcome::Success => counts.succeeded += 1,
            RequestOutcome::CutOff => counts.cut_off += 1,
            RequestOutcome::Failed { error, .. } => {
                counts.failed += 1;
                *counts.errors.entry(*error).or_default() += 1;
            }
        }
    }
    counts
}

fn ttft(request: &RequestRecord) -> Option<f64> {
    let first = request.content_ns.first()?;
    Some(seconds(first.saturating_sub(request.sent_ns)))
}

fn latency(request: &RequestRecord) -> Option<f64> {
    let last = request.content_ns.last()?;
    Some(seconds(last.saturating_sub(request.sent_ns)))
}

fn tpot(request: &RequestRecord) -> Option<f64> {
    let (first, last) = (request.content_ns.first()?, request.content_ns.last()?);
    let later_tokens = request
        .output_tokens
        .count
        .checked_sub(request.first_chunk_tokens)?;
    // A single chunk says nothing about the pace of tokens, however many it carries.
    if later_tokens == 0 || request.content_ns.len() < 2 {
        return None;
    }
    Some(seconds(last.saturating_sub(*first)) / f64::from(later_tokens))
}

fn longest_gap(request: &RequestRecord) -> Option<f64> {
    gaps_of(request).max().map(seconds)
}

fn gaps_of(request: &RequestRecord) -> impl Iterator<Item = u64> + '_ {
    request
        .content_ns
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
}

/// Longest gap that the histogram tells apart: an hour.
const LONGEST_GAP_NS: u64 = 3_600_000_000_000;

fn gaps(good: &[&RequestRecord]) -> Histogram<u64> {
    let mut histogram =
        Histogram::new_with_bounds(1_000, LONGEST_GAP_NS, 3).expect("the bounds are constants that fit");
    for gap in good.iter().flat_map(|request| gaps_of(request)) {
        histogram.saturating_record(gap);
    }
    histogram
}

/// When the load first fell below the level's concurrency: at the first end after the last
/// start. A level with too few requests to have filled its slots twice, and one with more
/// requests open than it has slots, which is no closed loop, keep their whole window.
fn loaded_until(records: &LevelRecords) -> u64 {
    let (requests, slots) = (&records.requests, records.concurrency as usize);
    let last_start = requests.iter().map(|request| request.intended_ns).max();
    let Some(last_start) = last_start.filter(|_| requests.len() >= 2 * slots) else {
        return records.window_end_ns;
    };
    let open = || requests.iter().filter(|request| request.ended_ns > last_start);
    match open().map(|request| request.ended_ns).min() {
        Some(first_idle) if open().count() <= slots => first_idle.min(records.window_end_ns),
        _ => records.window_end_ns,
    }
}

fn rates(records: &LevelRecords, good: &[&RequestRecord], slos: &[Slo]) -> Rates {
    let window = window(records);
    let loaded_until = loaded_until(records);
    let loaded = seconds(loaded_until.saturating_sub(records.window_start_ns));
    if window <= 0.0 || loaded <= 0.0 {
        return Rates::default();
    }
    let inside = |at: u64| (records.window_start_ns..=records.window_end_ns).contains(&at);
    let under_load = |at: u64| (records.window_start_ns..=loaded_until).contains(&at);
    let mut input = 0.0;
    let mut output = 0.0;
    // What a failed request delivered served nobody; what a cut-off one delivered did.
    for request in records
        .requests
        .iter()
        .filter(|request| !matches!(request.outcome, RequestOutcome::Failed { .. }))
    {
        if request.content_ns.first().is_some_and(|first| under_load(*first)) {
            input += f64::from(request.input_tokens.count);
        }
        output += tokens_inside(request, under_load);
    }
    let finished = good.iter().filter(|request| inside(request.ended_ns)).count();
    let met = good.iter().filter(|request| meets_all(request, slos));
    let met_inside = met.clone().filter(|request| inside(request.ended_ns)).count();
    Rates {
        input_tokens: input / loaded,
        output_tokens: output / loaded,
        total_tokens: (input + output) / loaded,
        requests: count(finished) / window,
        goodput: count(met_inside) / window,
        attainment: count(met.count()) / count(records.requests.len().max(1)),
    }
}

/// Answer tokens that arrived inside the window; tokens after the first chunk are spread
/// evenly over the chunks that brought them.
fn tokens_inside(request: &RequestRecord, inside: impl Fn(u64) -> bool) -> f64 {
    let Some((first, later)) = request.content_ns.split_first() else {
        return 0.0;
    };
    let tokens = request.output_tokens.count;
    if later.is_empty() {
        return if inside(*first) { f64::from(tokens) } else { 0.0 };
    }
    let first_tokens = request.first_chunk_tokens.min(tokens);
    let in_first = if inside(*first) {
        f64::from(first_tokens)
    } else {
        0.0
    };
    let per_chunk = f64::from(tokens - first_tokens) / count(later.len());
    let later_inside = later.iter().filter(|at| inside(**at)).count();
    in_first + per_chunk * count(later_inside)
}

/// Whether a single request meets every bound. A bound on a mean or a percentile is, for
/// one request, a bound on its own value.
fn meets_all(request: &RequestRecord, slos: &[Slo]) -> bool {
    slos.iter().all(|slo| {
        let value = match slo.metric {
            SloMetric::Latency(_) => latency(request),
            SloMetric::Ttft(_) => ttft(request),
            SloMetric::Tpot(_) => tpot(request),
        };
        value.is_none_or(|value| value <= slo.threshold)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::TokenCount;
    use crate::score::{Percentile, Statistic};

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
}
