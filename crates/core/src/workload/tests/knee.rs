//! The search for the highest load, against oracles that are honest and some that are not.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::workload::knee::{End, Found, Grain, Knee, Look, LookVerdict, Next};

/// Asks until there is an answer, and counts the looks.
fn search(knee: &Knee, mut judge: impl FnMut(f64) -> LookVerdict) -> (Found, Vec<Look>) {
    let mut looks = Vec::new();
    loop {
        match knee.next(&looks) {
            Next::Found(found) => return (found, looks),
            Next::Look(load) => {
                let verdict = judge(load);
                looks.push(Look { load, verdict });
                assert!(looks.len() < 200, "it does not end: {looks:?}");
            }
        }
    }
}

/// Meets up to the knee, misses above, is over-saturated at twice the knee.
fn monotone(at: f64) -> impl FnMut(f64) -> LookVerdict {
    move |load| match load {
        _ if load <= at => LookVerdict::Meets,
        _ if load < at * 2.0 => LookVerdict::Misses,
        _ => LookVerdict::OverSaturated,
    }
}

#[track_caller]
fn check(knee: &Knee, at: f64, looked: &[f64], found: Found) {
    let (answer, looks) = search(knee, monotone(at));
    let loads: Vec<f64> = looks.iter().map(|look| look.load).collect();
    assert_eq!(loads, looked);
    assert_eq!(answer, found);
}

#[test]
fn doubling_first_and_halving_after() {
    let knee = Knee::new(1.0, 64.0, 0.01, Grain::Whole).expect("sound");
    check(
        &knee,
        11.0,
        &[1.0, 2.0, 4.0, 8.0, 16.0, 11.0, 13.0, 12.0],
        Found {
            highest_met: Some(11.0),
            lowest_missed: Some(12.0),
            is_over_saturated: false,
            end: End::Resolution,
        },
    );
    check(
        &knee,
        0.5,
        &[1.0],
        Found {
            highest_met: None,
            lowest_missed: Some(1.0),
            is_over_saturated: true,
            end: End::LeastMisses,
        },
    );
    check(
        &knee,
        1_000.0,
        &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
        Found {
            highest_met: Some(64.0),
            lowest_missed: None,
            is_over_saturated: false,
            end: End::MostMeets,
        },
    );
}

#[test]
fn a_coarse_resolution_ends_sooner() {
    let knee = Knee::new(1.0, 64.0, 0.5, Grain::Rate).expect("sound");
    let (found, looks) = search(&knee, monotone(9.0));
    assert_eq!(looks.len(), 6, "{looks:?}");
    assert_eq!(
        (found.highest_met, found.lowest_missed),
        (Some(8.0), Some(128.0_f64.sqrt()))
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (least, most, resolution, grain, expected) in [
        (
            0.0,
            1.0,
            0.1,
            Grain::Rate,
            "loads are numbers above 0, not 0 and 1",
        ),
        (
            1.0,
            f64::NAN,
            0.1,
            Grain::Rate,
            "loads are numbers above 0, not 1 and NaN",
        ),
        (
            2.0,
            1.0,
            0.1,
            Grain::Rate,
            "the least load, 2, is above the most, 1",
        ),
        (1.0, 2.5, 0.1, Grain::Whole, "1 and 2.5 are not whole numbers"),
        (
            1.0,
            2.0,
            0.0,
            Grain::Rate,
            "the resolution is 0; give 0.001 to 1, for example 0.05",
        ),
    ] {
        assert_eq!(
            Knee::new(least, most, resolution, grain).expect_err(expected),
            expected
        );
    }
}

#[test]
fn the_lowest_miss_counts_whatever_noise_says_above_it() {
    let knee = Knee::new(1.0, 64.0, 0.05, Grain::Rate).expect("sound");
    let look = |load, verdict| Look { load, verdict };
    let looks = [
        look(8.0, LookVerdict::Meets),
        look(4.0, LookVerdict::Misses),
        look(2.0, LookVerdict::Meets),
    ];
    assert_eq!(knee.next(&looks), Next::Look(8.0_f64.sqrt()));
}

/// As many looks as doubling and then halving, on a logarithmic scale, take at most.
fn most_looks(least: f64, most: f64, resolution: f64) -> usize {
    let doublings = (most / least).log2().ceil();
    let halvings = (2.0_f64.ln() / (1.0 + resolution).ln()).log2().ceil();
    (1.0 + doublings + halvings.max(0.0)) as usize
}

proptest! {
    #[test]
    fn the_knee_of_rates_is_found(least in 0.1..10.0_f64, spread in 1.0..10_000.0_f64, where_in in 0.0..1.0_f64, resolution in 0.001..0.5_f64) {
        let most = least * spread;
        let at = least * spread.powf(where_in);
        let knee = Knee::new(least, most, resolution, Grain::Rate).expect("sound");
        let (found, looks) = search(&knee, monotone(at));
        let met = found.highest_met.expect("the least meets");
        prop_assert!(met <= at);
        match found.lowest_missed {
            Some(missed) => {
                prop_assert!(missed > at && missed <= met * (1.0 + resolution) * (1.0 + 1e-12));
                prop_assert_eq!(found.end, End::Resolution);
            }
            None => prop_assert!(met == most && found.end == End::MostMeets),
        }
        prop_assert!(looks.len() <= most_looks(least, most, resolution), "{looks:?}");
    }

    #[test]
    fn the_knee_of_concurrencies_is_found(least in 1..50_u32, more in 0..5_000_u32, where_in in 0.0..1.0_f64) {
        let (least, most) = (f64::from(least), f64::from(least + more));
        let at = (least + (most - least) * where_in).floor();
        let knee = Knee::new(least, most, 0.001, Grain::Whole).expect("sound");
        let (found, looks) = search(&knee, monotone(at));
        let met = found.highest_met.expect("the least meets");
        prop_assert!(looks.iter().all(|look| look.load.fract() == 0.0));
        let missed = found.lowest_missed.unwrap_or(most + 1.0);
        prop_assert!(met <= at && at < missed);
        prop_assert!(missed - met <= (met * 0.001).max(1.0), "{met} and {missed}");
    }

    #[test]
    fn noise_does_not_keep_it_going(least in 0.1..10.0_f64, spread in 1.0..10_000.0_f64, resolution in 0.001..0.5_f64, seed: u64) {
        let mut noise = ChaCha8Rng::seed_from_u64(seed);
        let most = least * spread;
        for grain in [Grain::Rate, Grain::Whole] {
            let (least, most) = match grain {
                Grain::Rate => (least, most),
                Grain::Whole => (least.ceil(), most.ceil()),
            };
            let knee = Knee::new(least, most, resolution, grain).expect("sound");
            let (found, looks) = search(&knee, |_| match noise.random_range(0..3) {
                0 => LookVerdict::Misses,
                1 => LookVerdict::OverSaturated,
                _ => LookVerdict::Meets,
            });
            prop_assert!(looks.len() <= most_looks(least, most, resolution) + 1, "{looks:?}");
            prop_assert!(looks.iter().all(|look| (least..=most).contains(&look.load)));
            if let (Some(met), Some(missed)) = (found.highest_met, found.lowest_missed) {
                prop_assert!(met < missed);
            }
        }
    }
}
