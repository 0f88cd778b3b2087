//! When requests start: rates, order, and that all of it follows from the seed.

use std::time::Duration;

use proptest::prelude::*;

use crate::workload::{Arrival, Lengths, Load, Stage, Start, TraceStart};

fn load(arrival: Arrival) -> Load {
    Load::Scheduled { arrival, most: 8 }
}

fn constant(rate: f64) -> Load {
    load(Arrival::Constant { rates: vec![rate] })
}

fn poisson(rate: f64) -> Load {
    load(Arrival::Poisson { rates: vec![rate] })
}

fn gamma(rate: f64, burstiness: f64) -> Load {
    load(Arrival::Gamma {
        rates: vec![rate],
        burstiness,
    })
}

fn stages(stages: &[(f64, f64)]) -> Load {
    let stages = stages.iter().map(|(rate, seconds)| Stage {
        rate: *rate,
        lasts: Duration::from_secs_f64(*seconds),
    });
    load(Arrival::Stages {
        stages: stages.collect(),
    })
}

fn seconds(load: &Load, seed: u64, count: usize) -> Vec<f64> {
    let starts = load.starts(seed, 0).take(count);
    starts.map(|start| start.at.as_secs_f64()).collect()
}

/// Mean and squared coefficient of variation of the gaps.
fn gaps(load: &Load, seed: u64) -> (f64, f64) {
    const COUNT: usize = 20_000;
    let at = seconds(load, seed, COUNT);
    let gaps: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let squares = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
    (mean, squares / gaps.len() as f64 / mean.powi(2))
}

#[test]
fn a_closed_loop_has_no_schedule() {
    assert_eq!(Load::InFlight(8).starts(1, 0).count(), 0);
    assert_eq!(Load::InFlight(8).asked_rate(Duration::from_secs(1)), 0.0);
}

#[test]
fn constant_starts_are_even_and_the_first_is_at_once() {
    assert_eq!(seconds(&constant(4.0), 1, 5), [0.0, 0.25, 0.5, 0.75, 1.0]);
    let far = constant(3.0).starts(1, 0).nth(3_000_000).map(|start| start.at);
    assert_eq!(far, Some(Duration::from_secs(1_000_000)), "no error piles up");
}

#[test]
fn a_trace_starts_as_recorded() {
    let recorded = [(0, 5, 6), (40, 7, 8), (40, 1, 1)].map(|(millis, input, output)| TraceStart {
        at: Duration::from_millis(millis),
        lengths: Lengths { input, output },
    });
    let trace = load(Arrival::Trace {
        starts: recorded.into(),
    });
    let starts: Vec<Start> = trace.starts(9, 3).collect();
    let expected = recorded.map(|TraceStart { at, lengths }| Start {
        at,
        lengths: Some(lengths),
    });
    assert_eq!(starts, expected);
    assert_eq!(trace.asked_rate(Duration::from_millis(40)), 25.0, "one in 40 ms");
    assert_eq!(trace.asked_rate(Duration::from_millis(100)), 30.0);
    assert_eq!(trace.lasts(), Some(Duration::from_millis(40)));
}

#[test]
fn stages_have_their_rates_and_end() {
    let load = stages(&[(50.0, 100.0), (0.0, 50.0), (200.0, 50.0)]);
    let at = seconds(&load, 3, usize::MAX);
    let within = |from: f64, to: f64| at.iter().filter(|at| (from..to).contains(*at)).count();
    // Five standard deviations of a Poisson count.
    let about = |count: usize, mean: f64| (count as f64 - mean).abs() < 5.0 * mean.sqrt();
    assert!(about(within(0.0, 100.0), 5_000.0), "{}", within(0.0, 100.0));
    assert_eq!(within(100.0, 150.0), 0, "a pause");
    assert!(about(within(150.0, 200.0), 10_000.0), "{}", within(150.0, 200.0));
    assert_eq!(at.len(), within(0.0, 200.0), "nothing after the end");
    assert_eq!(load.asked_rate(Duration::from_secs(200)), 75.0);
    assert_eq!(load.asked_rate(Duration::from_secs(400)), 37.5);
    assert_eq!(load.asked_rate(Duration::from_secs(125)), 40.0);
    assert_eq!(load.asked_rate(Duration::ZERO), 0.0);
    assert_eq!(load.lasts(), Some(Duration::from_secs(200)));
}

#[test]
fn burstiness_is_the_shape_of_the_gaps() {
    for burstiness in [0.25, 1.0, 4.0] {
        let (mean, variation) = gaps(&gamma(10.0, burstiness), 7);
        assert!((mean * 10.0 - 1.0).abs() < 0.06, "{burstiness}: mean gap {mean}");
        let expected = 1.0 / burstiness;
        assert!(
            (variation / expected - 1.0).abs() < 0.15,
            "{burstiness}: {variation} is not about {expected}"
        );
    }
}

/// The gaps of gamma with burstiness 1 are distributed as those of Poisson: no tenth of the one
/// has far more or fewer gaps than the same tenth of the other.
#[test]
fn gamma_of_one_is_poisson() {
    const COUNT: usize = 20_000;
    for (name, load) in [("poisson", poisson(10.0)), ("gamma", gamma(10.0, 1.0))] {
        let at = seconds(&load, 5, COUNT);
        let mut tenths = [0_usize; 10];
        for pair in at.windows(2) {
            let below = 1.0 - (-10.0 * (pair[1] - pair[0])).exp();
            tenths[((below * 10.0) as usize).min(9)] += 1;
        }
        for (tenth, count) in tenths.iter().enumerate() {
            assert!((1_800..2_200).contains(count), "{name}: {count} in tenth {tenth}");
        }
    }
}

#[test]
fn loads_that_make_no_sense_start_nothing() {
    for load in [
        constant(0.0),
        constant(f64::NAN),
        poisson(-1.0),
        gamma(1.0, 0.0),
        gamma(f64::INFINITY, 1.0),
        stages(&[]),
        stages(&[(0.0, 9.0)]),
    ] {
        assert_eq!(load.starts(1, 0).next(), None, "{load:?}");
    }
    assert!(constant(1e-300).starts(1, 0).count() <= 2, "ends where time does");
}

fn any_load() -> impl Strategy<Value = Load> {
    let stage = (0.0..500.0_f64, 0.0..20.0_f64);
    prop_oneof![
        (0.1..1_000.0_f64).prop_map(constant),
        (0.1..1_000.0_f64).prop_map(poisson),
        (0.1..1_000.0_f64, 0.05..20.0_f64).prop_map(|(rate, shape)| gamma(rate, shape)),
        proptest::collection::vec(stage, 1..6).prop_map(|list| stages(&list)),
    ]
}

proptest! {
    #[test]
    fn starts_are_in_order_and_follow_from_seed_and_level(load in any_load(), seed: u64, level in 0..2_000_usize) {
        let list = |seed, level| load.starts(seed, level).take(500).collect::<Vec<_>>();
        let starts = list(seed, level);
        prop_assert!(starts.is_sorted_by_key(|start| start.at));
        prop_assert_eq!(&starts, &list(seed, level));
        let is_drawn = !matches!(&load, Load::Scheduled { arrival: Arrival::Constant { .. }, .. });
        if is_drawn && starts.len() > 5 {
            prop_assert_ne!(&starts, &list(seed, level + 1));
            prop_assert_ne!(&starts, &list(seed ^ 1, level));
        }
    }

    #[test]
    fn the_mean_rate_is_the_one_asked_for(rate in 0.5..500.0_f64, seed: u64) {
        for load in [constant(rate), poisson(rate), gamma(rate, 2.0)] {
            const COUNT: f64 = 4_000.0;
            let last = load.starts(seed, 0).nth(COUNT as usize).expect("endless").at.as_secs_f64();
            // Five standard deviations of the sum of as many exponential gaps.
            let off = (last * rate / COUNT - 1.0).abs();
            prop_assert!(off < 5.0 / COUNT.sqrt(), "{load}: {off}");
            prop_assert_eq!(load.asked_rate(Duration::from_secs(7)), rate);
        }
    }
}
