use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::metrics::simulated;

#[test]
fn a_drift_is_the_change_from_end_to_end() {
    // From 90 to 110 in equal steps, one of which is hidden by a standstill.
    let mut series: Vec<f64> = (0..20).map(|slice| 90.5 + f64::from(slice)).collect();
    let drift = Drift::of(&series).expect("a drift");
    assert!((drift.ratio - 0.2).abs() < 1e-9, "{drift:?}");
    assert!(!drift.is_none_worth_telling());
    series[7] = 0.0;
    let drift = Drift::of(&series).expect("a drift");
    assert!((drift.ratio - 0.2).abs() < 0.02, "{drift:?}");
    assert!(!drift.is_none_worth_telling());
    assert!(Drift::of(&[5.0; 10]).expect("a drift").is_none_worth_telling());
    assert!(Drift::of(&[0.0; 10]).is_none());
}

#[test]
fn a_drift_must_be_large_and_certain() {
    // A certain one of 4 %, and one of 20 % that any shuffle could show.
    let small: Vec<f64> = (0..20).map(|slice| 100.0 + f64::from(slice) * 0.2).collect();
    assert!(Drift::of(&small).expect("a drift").is_none_worth_telling());
    let wild = [80.0, 130.0, 70.0, 100.0, 120.0, 90.0, 140.0, 95.0];
    let drift = Drift::of(&wild).expect("a drift");
    assert!(drift.ratio > 0.05 && drift.is_none_worth_telling(), "{drift:?}");
}

#[test]
fn too_little_cannot_be_told() {
    assert_eq!(steadiness(&simulated::level(vec![], 1, 10.0)), None);
    // Twenty requests make not eight slices; a window of three requests' length neither.
    let few = simulated::closed_loop(1, 1, 0.25 * 25.0, |_| 1.0);
    let few = LevelRecords {
        requests: few.requests[..20].to_vec(),
        ..few
    };
    assert_eq!(steadiness(&few), None);
    assert_eq!(steadiness(&simulated::closed_loop(1, 64, 0.75, |_| 1.0)), None);
    let enough = steadiness(&simulated::closed_loop(1, 64, 3.0, |_| 1.0)).expect("enough");
    assert_eq!(enough.slices, 12);
}

/// Over so many seeds, how many loads of this pace are called unsteady, and their drifts.
fn unsteady(seeds: u64, window: f64, slots: u32, pace: impl Fn(f64) -> f64) -> Vec<Steadiness> {
    let seeds = 0..seeds;
    let found = seeds.map(|seed| simulated::closed_loop(seed, slots, window, &pace));
    let found = found.map(|records| steadiness(&records).expect("enough"));
    found.filter(|found| !found.is_steady).collect()
}

#[test]
fn an_even_load_is_steady() {
    for slots in [2, 4, 8, 16] {
        assert_eq!(unsteady(60, 12.0, slots, |_| 1.0), [], "{slots} slots");
    }
}

#[test]
fn a_ramp_of_a_fifth_is_not() {
    let up = unsteady(30, 24.0, 24, |passed| 1.0 / (0.9 + 0.2 * passed));
    assert_eq!(up.len(), 30);
    for found in up {
        assert!((0.1..0.3).contains(&found.throughput_drift), "{found:?}");
        assert!(found.ttft_drift.expect("first tokens") < 0.0, "{found:?}");
    }
    let down = unsteady(30, 24.0, 24, |passed| 1.0 / (1.1 - 0.2 * passed));
    assert_eq!(down.len(), 30);
    assert!(down.iter().all(|found| found.throughput_drift < -0.1));
}

/// However noisy: what is called certain must not come about by chance.
#[test]
fn noise_is_rarely_taken_for_a_drift() {
    for slices in [8, 12, 20] {
        let told = (0..1000).filter(|seed| {
            let mut generator = ChaCha8Rng::seed_from_u64(*seed);
            let series: Vec<f64> = (0..slices)
                .map(|_| 50.0 + 100.0 * generator.random::<f64>())
                .collect();
            !Drift::of(&series).expect("a drift").is_none_worth_telling()
        });
        let told = told.count();
        assert!(told < 5, "{told} of 1000 with {slices} slices");
    }
}
