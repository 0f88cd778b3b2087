//! Which measured point is worth measuring again.
//!
//! The winner of many noisy measurements is often a lucky one. What another run of a point is
//! worth is the gain that is expected from choosing better after it (the knowledge gradient,
//! Frazier, Powell and Dayanik, 2008): large where the point may well be the best and little
//! is known of it. Being a gain in the goal's own unit, it compares with that of a new point.

use super::model::{OWN_TRUST, Ranked};

/// Points that are considered, best first.
const CONSIDERED: usize = 8;

/// Most runs of one point: after these, others are measured instead.
const MOST_RUNS: usize = 5;

/// The point that is best measured again, and what is expected to be gained by it.
pub(super) fn again(ranking: &[Ranked]) -> Option<(f64, &Ranked)> {
    let sure: Vec<&Ranked> = ranking
        .iter()
        .filter(|ranked| ranked.promise.is_sure())
        .take(CONSIDERED)
        .collect();
    let first = sure.first()?.value();
    let second = sure.get(1).map_or(first, |ranked| ranked.value());
    sure.into_iter()
        .enumerate()
        .filter(|(_, ranked)| ranked.runs < MOST_RUNS)
        .map(|(place, ranked)| {
            let rival = if place == 0 { second } else { first };
            (gain(ranked, rival), ranked)
        })
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
}

/// What is expected to be gained by one more run of a point over the best of all others.
fn gain(ranked: &Ranked, rival: f64) -> f64 {
    let unknown = |runs: f64| OWN_TRUST * ranked.noise.powi(2) / (1.0 + OWN_TRUST * runs);
    let moved = (unknown(ranked.weight) - unknown(ranked.weight + 1.0))
        .max(0.0)
        .sqrt();
    if moved <= 0.0 {
        return 0.0;
    }
    let away = (ranked.value() - rival).abs() / moved;
    moved * (density(away) - away * beyond(away))
}

/// The standard normal density.
fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// The probability that a standard normal number exceeds one that is not negative (Abramowitz
/// and Stegun, 26.2.17).
fn beyond(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let tail = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    density(x) * tail.iter().fold(0.0, |sum, factor| (sum + factor) * t)
}

#[cfg(test)]
mod tests {
    use super::super::model::Promise;
    use super::*;

    fn ranked(level: u16, value: f64, runs: usize) -> Ranked {
        let weight = f64::from(u8::try_from(runs).unwrap_or(u8::MAX));
        Ranked {
            point: vec![level],
            promise: Promise {
                value,
                spread: 0.0,
                feasible: 1.0,
                violation: 0.0,
                gain: 0.0,
            },
            runs,
            weight,
            seen: value,
            noise: 0.02,
        }
    }

    #[test]
    fn a_close_rival_that_was_seen_once_is_worth_more_than_what_is_known_or_far() {
        let ranking = [ranked(0, 1.0, 4), ranked(1, 0.999, 1), ranked(2, 0.9, 1)];
        let (gain, again) = again(&ranking).expect("three are sure");
        assert_eq!(again.point, [1]);
        assert!(gain > 0.0 && gain < 0.02, "{gain}");
    }

    #[test]
    fn tails_are_those_of_the_normal_distribution() {
        for (x, tail) in [(0.0, 0.5), (1.0, 0.158_655), (2.0, 0.022_750)] {
            assert!((beyond(x) - tail).abs() < 1e-5, "{x}");
        }
    }
}
