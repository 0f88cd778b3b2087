use super::*;
use crate::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use crate::metrics::{experiment_metrics, level_metrics};
use crate::score::Percentile;

/// `n` equal requests of this TTFT and latency, in a window of one second.
fn metrics(n: u32, ttft_ms: u64, latency_ms: u64) -> ExperimentMetrics {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    let request = RequestRecord {
        intended_ns: 0,
        sent_ns: 0,
        content_ns: vec![ttft_ms * 1_000_000, latency_ms * 1_000_000],
        first_chunk_tokens: 1,
        ended_ns: latency_ms * 1_000_000,
        input_tokens: tokens(50),
        output_tokens: tokens(50),
        outcome: RequestOutcome::Success,
        ..RequestRecord::default()
    };
    let level = LevelRecords {
        scenario: "D(50,50)".into(),
        concurrency: 1,
        window_start_ns: 0,
        window_end_ns: 1_000_000_000,
        requests: vec![request; n as usize],
        ..LevelRecords::default()
    };
    experiment_metrics(vec![level_metrics(&level, &[])], None, 0)
}

fn slo(metric: SloMetric, threshold: f64) -> Slo {
    Slo {
        metric,
        threshold,
        weight: 2.0,
        hard_fail: false,
        fail_ratio: 0.5,
    }
}

fn constraint(bounds: Vec<Slo>) -> SloPolicy {
    SloPolicy {
        bounds,
        mode: SloMode::Constraint,
    }
}

fn exponential(bounds: Vec<Slo>) -> SloPolicy {
    SloPolicy {
        bounds,
        mode: SloMode::ExponentialV1 { steepness: 0.1 },
    }
}

fn judged(metrics: &ExperimentMetrics, objective: Objective, slos: &SloPolicy) -> Score {
    score(metrics, objective, slos).expect("measured")
}

#[test]
fn each_objective_prefers_its_own_better_half() {
    let check = |objective: Objective, better: &ExperimentMetrics, worse: &ExperimentMetrics| {
        let none = SloPolicy::default();
        assert!(
            judged(better, objective, &none) > judged(worse, objective, &none),
            "{objective:?}"
        );
    };
    check(
        Objective::MinimizeLatency,
        &metrics(5, 50, 100),
        &metrics(5, 50, 200),
    );
    check(
        Objective::MinimizeTtft,
        &metrics(5, 40, 200),
        &metrics(5, 50, 100),
    );
    check(
        Objective::MinimizeTpot,
        &metrics(5, 90, 100),
        &metrics(5, 10, 100),
    );
    check(
        Objective::MaximizeThroughput,
        &metrics(9, 50, 900),
        &metrics(5, 50, 100),
    );
}

#[test]
fn feasible_ranks_first_whatever_the_objective() {
    let fast_but_late = metrics(90, 600, 900);
    let slow_but_prompt = metrics(3, 50, 900);
    let slos = constraint(vec![slo(SloMetric::Ttft(Statistic::Mean), 0.5)]);
    for objective in [Objective::MaximizeThroughput, Objective::MinimizeLatency] {
        let (late, prompt) = (
            judged(&fast_but_late, objective, &slos),
            judged(&slow_but_prompt, objective, &slos),
        );
        assert!(!late.is_feasible() && prompt.is_feasible());
        assert!(prompt > late, "{objective:?}");
    }
    let late = judged(&fast_but_late, Objective::MinimizeLatency, &slos);
    assert_eq!(late.violations().len(), 1);
    assert!((late.violations()[0].ratio - 0.2).abs() < 1e-9);
    assert!(late.value().is_finite());
}

#[test]
fn a_value_at_the_bound_meets_it() {
    let slos = constraint(vec![slo(SloMetric::Latency(Percentile::P99), 0.1)]);
    assert!(judged(&metrics(5, 50, 100), Objective::MinimizeLatency, &slos).is_feasible());
    assert!(!judged(&metrics(5, 50, 101), Objective::MinimizeLatency, &slos).is_feasible());
}

#[test]
fn the_original_penalty_is_reproduced_where_it_was_right() {
    // Documented example of the original: base 3.0, p90 of 5.5 against 5.0, weight 2.
    let penalty = penalty(&slo(SloMetric::Latency(Percentile::P90), 5.0), 0.1, 0.1);
    assert!((3.0 * (1.0 + penalty) - 19.3097).abs() < 1e-4);
}

#[test]
fn a_miss_never_makes_throughput_look_better() {
    let bound = slo(SloMetric::Ttft(Statistic::Mean), 0.5);
    let slos = exponential(vec![bound]);
    let throughput = |n, ttft| judged(&metrics(n, ttft, 900), Objective::MaximizeThroughput, &slos);
    assert!(throughput(10, 400) > throughput(10, 550), "a miss costs");
    assert!(
        throughput(10, 550) > throughput(10, 600),
        "a larger miss costs more"
    );
    assert!(
        throughput(20, 550) > throughput(10, 550),
        "more is better at equal misses"
    );
}

#[test]
fn a_miss_by_far_is_bad_and_not_an_overflow() {
    let bound = slo(SloMetric::Ttft(Statistic::Mean), 0.000_001);
    for objective in Objective::ALL {
        let score = judged(
            &metrics(5, 800, 900),
            objective,
            &exponential(vec![bound.clone()]),
        );
        assert!(score.value().is_finite() && score.is_feasible(), "{objective:?}");
    }
}

#[test]
fn a_hard_bound_missed_by_its_ratio_is_infeasible() {
    let hard = Slo {
        hard_fail: true,
        fail_ratio: 0.2,
        ..slo(SloMetric::Ttft(Statistic::Mean), 0.5)
    };
    let slos = exponential(vec![hard]);
    let at = |ttft| judged(&metrics(5, ttft, 900), Objective::MinimizeLatency, &slos);
    assert!(at(590).is_feasible() && !at(610).is_feasible());
    assert!(at(590) > at(610));
}

#[test]
fn a_percentile_of_few_requests_is_marked() {
    let slos = constraint(vec![slo(SloMetric::Latency(Percentile::P99), 5.0)]);
    assert!(judged(&metrics(99, 5, 10), Objective::MinimizeLatency, &slos).is_low_n());
    assert!(!judged(&metrics(100, 5, 10), Objective::MinimizeLatency, &slos).is_low_n());
    let mean = constraint(vec![slo(SloMetric::Ttft(Statistic::Mean), 5.0)]);
    assert!(!judged(&metrics(3, 5, 10), Objective::MinimizeLatency, &mean).is_low_n());
}

#[test]
fn what_was_not_measured_has_no_score() {
    let nothing = metrics(0, 1, 1);
    let check = |objective, slos: SloPolicy, text: &str| {
        assert_eq!(
            score(&nothing, objective, &slos)
                .expect_err("no score")
                .to_string(),
            text
        );
    };
    check(
        Objective::MinimizeTtft,
        SloPolicy::default(),
        "mean TTFT was not measured at every level",
    );
    check(
        Objective::MaximizeThroughput,
        constraint(vec![slo(SloMetric::Latency(Percentile::P90), 1.0)]),
        "the SLO on latency.p90 cannot be judged: it was not measured at every level",
    );
}

#[test]
fn gains_are_told_in_the_direction_that_people_think() {
    let none = SloPolicy::default();
    let gain = |objective, new: &ExperimentMetrics, old: &ExperimentMetrics| {
        judged(new, objective, &none)
            .gain_over(&judged(old, objective, &none))
            .expect("not zero")
    };
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
    close(
        gain(
            Objective::MaximizeThroughput,
            &metrics(15, 5, 10),
            &metrics(10, 5, 10),
        ),
        0.5,
    );
    close(
        gain(
            Objective::MinimizeLatency,
            &metrics(5, 5, 75),
            &metrics(5, 5, 100),
        ),
        0.25,
    );
    close(
        gain(
            Objective::MinimizeLatency,
            &metrics(5, 5, 110),
            &metrics(5, 5, 100),
        ),
        -0.1,
    );
}
