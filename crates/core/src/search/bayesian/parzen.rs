//! The tree-structured Parzen estimator (Bergstra et al., 2011): values that the best tenth of
//! all trials has more often than the rest.
//!
//! Each axis is looked at alone. Over its levels two densities are estimated, one of the good
//! trials and one of the others; of some draws from the first the one is taken where it
//! exceeds the second most. Levels in order lend weight to their neighbours, others to none.
//! Trials rank by missed limits first; crashes are the worst.

use std::cmp::Ordering;

use rand::{Rng, RngExt};

use super::problem::{Axis, Goal, Point, Trial, Worth};
use crate::linear::as_f64;

/// Of so many trials one is good, rounded up; and the most that are.
const GOOD: usize = 10;
const MOST_GOOD: usize = 25;

/// Draws of a level, of which the best is taken.
const DRAWS: usize = 24;

/// What the good trials have more often than the others.
pub struct Parzen {
    /// For each axis how probable each level is, among the good trials and among the others.
    densities: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Parzen {
    /// Learns from trials; nothing while none of them was measured.
    pub fn of(axes: &[Axis], goal: &dyn Goal, trials: &[Trial]) -> Option<Self> {
        let (good, others) = split(goal, trials)?;
        let densities = axes.iter().enumerate().map(|(index, axis)| {
            let of = |points: &[&Point]| density(axis, points.iter().map(|point| point[index]));
            (of(&good), of(&others))
        });
        Some(Self {
            densities: densities.collect(),
        })
    }

    /// A point of such values.
    pub fn draw(&self, rng: &mut dyn Rng) -> Point {
        let axes = self.densities.iter();
        axes.map(|(good, others)| level(good, others, rng)).collect()
    }
}

/// The good trials and the others, crashes last; nothing while none was measured.
fn split<'t>(goal: &dyn Goal, trials: &'t [Trial]) -> Option<(Vec<&'t Point>, Vec<&'t Point>)> {
    let mut ranked: Vec<(&Point, Option<Worth>)> = trials
        .iter()
        .map(|trial| {
            let worth = trial.outcome.measured().map(|row| goal.worth(row));
            (&trial.point, worth)
        })
        .collect();
    ranked.sort_by(|(_, left), (_, right)| match (left, right) {
        (Some(left), Some(right)) => left.best_first(right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    let measured = ranked.iter().filter(|(_, worth)| worth.is_some()).count();
    let good = ranked.len().div_ceil(GOOD).min(MOST_GOOD).min(measured);
    let mut points: Vec<&Point> = ranked.into_iter().map(|(point, _)| point).collect();
    let others = points.split_off(good);
    (good > 0).then_some((points, others))
}

/// How probable each level is: by those that were seen, which on an ordered axis lend weight to
/// their neighbours, and by an even prior that weighs as much as one of them.
fn density(axis: &Axis, seen: impl Iterator<Item = u16>) -> Vec<f64> {
    let mut seen: Vec<usize> = seen.map(usize::from).collect();
    seen.sort_unstable();
    let mut density = vec![1.0 / as_f64(axis.levels().max(1)); axis.levels()];
    match axis.positions() {
        None => seen.iter().for_each(|level| density[*level] += 1.0),
        Some(at) => {
            let narrowest = 1.0 / (1.0 + as_f64(seen.len())).min(100.0);
            for (index, level) in seen.iter().enumerate() {
                // As wide as the way to the further neighbour (Bergstra et al.).
                let before = index.checked_sub(1).map_or(0.0, |before| at[seen[before]]);
                let after = seen.get(index + 1).map_or(1.0, |after| at[*after]);
                let width = (at[*level] - before)
                    .max(after - at[*level])
                    .clamp(narrowest, 1.0);
                let bell = |other: &f64| (-0.5 * ((other - at[*level]) / width).powi(2)).exp();
                let whole: f64 = at.iter().map(bell).sum();
                for (share, other) in density.iter_mut().zip(at) {
                    *share += bell(other) / whole;
                }
            }
        }
    }
    let whole: f64 = density.iter().sum();
    density.iter().map(|share| share / whole).collect()
}

/// Of some levels drawn from the good the one where these exceed the others most.
fn level(good: &[f64], others: &[f64], rng: &mut dyn Rng) -> u16 {
    let mut best = (f64::NEG_INFINITY, 0);
    for _ in 0..DRAWS {
        let mut left = rng.random::<f64>();
        let drawn = good.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        let drawn = drawn.unwrap_or(good.len().saturating_sub(1));
        let ratio = good.get(drawn).map_or(0.0, |share| share / others[drawn]);
        if ratio > best.0 {
            best = (ratio, drawn);
        }
    }
    u16::try_from(best.1).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn densities_follow_what_was_seen_and_sum_to_one() {
        let words = density(&Axis::categorical(4), [2, 2, 1].into_iter());
        assert_eq!(words, [0.0625, 0.3125, 0.5625, 0.0625]);
        let numbers = density(&Axis::ordered(9), [4, 4, 5].into_iter());
        assert!((numbers.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(numbers[4] > numbers[6] && numbers[6] > numbers[8], "{numbers:?}");
        let nothing = density(&Axis::ordered(3), std::iter::empty());
        assert!(nothing.iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-12));
    }

    #[test]
    fn a_level_is_taken_that_the_good_have_and_the_others_lack() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..20 {
            assert_eq!(level(&[0.3, 0.4, 0.3], &[0.1, 0.8, 0.1 + 1e-9], &mut rng), 0);
        }
    }
}
