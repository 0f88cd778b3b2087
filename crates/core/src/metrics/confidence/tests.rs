use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::metrics::rates::nanoseconds;
use crate::metrics::{level_metrics, simulated};

/// Requests a tenth of a second apart whose TTFT wanders about 50 ms: each deviates from that by
/// `memory` of what the one before did, and by chance.
fn wandering(seed: u64, requests: u32, memory: f64) -> LevelRecords {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut chance = || (0..12).map(|_| generator.random::<f64>()).sum::<f64>() - 6.0;
    let innovation = 0.010 * (1.0 - memory * memory).sqrt();
    let mut away = 0.010 * chance();
    let requests = (0..requests).map(|index| {
        away = memory * away + innovation * chance();
        let sent = 0.1 * f64::from(index);
        let first = sent + (0.050 + away).max(0.0);
        simulated::request(
            nanoseconds(sent),
            vec![nanoseconds(first), nanoseconds(sent + 0.099)],
        )
    });
    let requests: Vec<_> = requests.collect();
    let window = 0.1 * count(requests.len());
    simulated::level(requests, 1, window)
}

/// How many of a hundred intervals hold the truth.
fn coverage(
    seeds: u64,
    requests: u32,
    memory: f64,
    interval: impl Fn(Metric, &Draws) -> Option<Interval>,
    truth: f64,
) -> f64 {
    // Equal draws for equally much: made once.
    let mut known: BTreeMap<usize, Draws> = BTreeMap::new();
    let mut holds = |seed: &u64| {
        let records = wandering(*seed, requests, memory);
        let good: Vec<&RequestRecord> = records.requests.iter().collect();
        let blocks = blocks(&records, &good).expect("enough");
        let of = || Draws::of(blocks, good.len()).expect("blocks");
        let draws = known.entry(blocks).or_insert_with(of);
        let slices = Slices::of(loaded(&records), draws.slices()).expect("slices");
        let metric = Metric::of(&good, slices, &|request| ttft(request, Since::Sent));
        let Interval { low, high } = interval(metric, draws).expect("an interval");
        (low..=high).contains(&truth)
    };
    let held = (0..seeds).filter(|seed| holds(seed)).count();
    100.0 * count(held) / count(usize::try_from(seeds).expect("few"))
}

#[test]
fn intervals_of_a_mean_hold_the_truth_as_often_as_they_say() {
    let mean = |metric: Metric, draws: &Draws| metric.mean(draws);
    for (requests, memory) in [(600, 0.0), (600, 0.7), (120, 0.3), (24, 0.0)] {
        let found = coverage(200, requests, memory, mean, 0.050);
        assert!(
            (88.0..=99.0).contains(&found),
            "{found} % with {requests} requests, {memory}"
        );
    }
}

#[test]
fn intervals_of_a_percentile_do_too() {
    let p90 = |metric: Metric, draws: &Draws| {
        let ranked = Ranked::of(metric.values, metric.slices);
        draws.of_percentile(&ranked, 0.9)
    };
    // A normal distribution's ninetieth percentile lies 1.2816 deviations above its mean.
    let found = coverage(100, 400, 0.3, p90, 0.050 + 0.010 * 1.2816);
    assert!((86.0..=100.0).contains(&found), "{found} %");
}

#[test]
fn every_figure_of_a_full_level_lies_in_its_interval() {
    let records = simulated::closed_loop(3, 8, 10.0, |_| 1.0);
    let metrics = level_metrics(&records, &[]);
    let sure = metrics.confidence.expect("enough");
    let at = |of: &Option<Distribution>, percentile| of.as_ref().expect("measured").percentile(percentile);
    let mean = |of: &Option<Distribution>| of.as_ref().expect("measured").mean;
    let (ttft, latency, rates) = (&metrics.ttft, &metrics.latency, metrics.rates);
    for (name, figure, interval) in [
        ("ttft", mean(ttft), sure.ttft),
        ("tpot", mean(&metrics.tpot), sure.tpot),
        ("latency", mean(latency), sure.latency),
        ("ttft p50", at(ttft, Percentile::P50), sure.ttft_percentiles.p50),
        ("ttft p90", at(ttft, Percentile::P90), sure.ttft_percentiles.p90),
        ("ttft p99", at(ttft, Percentile::P99), sure.ttft_percentiles.p99),
        (
            "latency p50",
            at(latency, Percentile::P50),
            sure.latency_percentiles.p50,
        ),
        (
            "latency p90",
            at(latency, Percentile::P90),
            sure.latency_percentiles.p90,
        ),
        (
            "latency p99",
            at(latency, Percentile::P99),
            sure.latency_percentiles.p99,
        ),
        ("output", rates.output_tokens, sure.output_tokens),
        ("total", rates.total_tokens, sure.total_tokens),
        ("requests", rates.requests, sure.requests),
        ("goodput", rates.goodput, sure.goodput),
    ] {
        let Interval { low, high } = interval.expect(name);
        assert!(
            low <= figure && figure <= high && low < high,
            "{name}: {figure} in {low} to {high}"
        );
        assert!(
            high - low < figure * 0.5,
            "{name}: {low} to {high} says nothing of {figure}"
        );
    }
    assert_eq!(sure.requests, sure.goodput);
    // The same again, to the last bit.
    assert_eq!(level_metrics(&records, &[]).confidence, Some(sure));
}

#[test]
fn too_little_has_no_intervals() {
    assert_eq!(confidence(&simulated::level(vec![], 1, 10.0), &[]), None);
    // Not five requests one after the other.
    assert_eq!(
        confidence(&simulated::closed_loop(1, 64, 1.0, |_| 1.0), &[]),
        None
    );
    // Enough for a mean and a ninetieth percentile, and not for a ninety-ninth.
    let sure = confidence(&wandering(1, 60, 0.0), &[]).expect("enough");
    assert_eq!(sure.blocks, 15);
    assert!(sure.ttft_percentiles.p90.is_some() && sure.ttft_percentiles.p99.is_none());
}
