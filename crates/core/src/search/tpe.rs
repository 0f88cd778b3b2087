//! The tree-structured Parzen estimator (Bergstra et al., 2011): values that the best tenth of
//! all trials has more often than the rest.
//!
//! Each parameter is looked at alone. Over its levels two densities are estimated, one of the
//! good trials and one of the others; of some draws from the first the one is taken where it
//! exceeds the second most. Levels in order lend weight to their neighbours, others to none.
//! Trials rank as scores do, by missed bounds first; crashes are the worst.

use std::cmp::Ordering;

use rand::{Rng, RngExt};

use super::bayesian::{Axis, Goal, Point, Trial, Worth};
use super::bridge::{Axes, TaskGoal, goal, trials};
use super::fresh::{drawn, is_fresh};
use super::{Proposal, SearchContext, Strategy, StrategyKind};

/// Share of all trials that are good, and the most of them.
const GOOD: f64 = 0.1;
const MOST_GOOD: usize = 25;

/// Draws of a level, of which the best is taken.
const DRAWS: usize = 24;

/// Points made before one is drawn from all.
const TRIES: usize = 50;

/// Search by a tree-structured Parzen estimator.
#[derive(Debug, Clone, Copy)]
pub struct Tpe;

impl Strategy for Tpe {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Tpe
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        let axes = Axes::of(context.space);
        let goal = goal(context);
        let trials = trials(context.observations, &axes, &goal);
        let is_begun = trials.len() >= context.initial_random as usize;
        if let Some((good, others)) = split(&trials, &goal).filter(|_| is_begun) {
            let parzen = |axis: usize| {
                let density =
                    |points: &[&Point]| density(&axes.all()[axis], points.iter().map(|point| point[axis]));
                (density(&good), density(&others))
            };
            let parzens: Vec<_> = (0..axes.all().len()).map(parzen).collect();
            let known = context.known();
            for _ in 0..TRIES {
                let point: Point = parzens
                    .iter()
                    .map(|(good, others)| level(good, others, rng))
                    .collect();
                let candidate = axes.candidate(&point);
                if is_fresh(context, &known, &candidate) {
                    return Proposal::Try {
                        candidate,
                        reason: "values that the best have more often than the rest".into(),
                    };
                }
            }
        }
        drawn(context, rng, "drawn at random")
    }
}

/// The good and the other trials; nothing while none was measured.
fn split<'t>(trials: &'t [Trial], goal: &TaskGoal) -> Option<(Vec<&'t Point>, Vec<&'t Point>)> {
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
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a tenth of a count that stays far below 2^53"
    )]
    let tenth = (ranked.len() as f64 * GOOD).ceil() as usize;
    let good = tenth.min(MOST_GOOD).min(measured);
    let points: Vec<&Point> = ranked.into_iter().map(|(point, _)| point).collect();
    (good > 0).then(|| (points[..good].to_vec(), points[good..].to_vec()))
}

/// How probable each level is, by the levels that were seen and an even prior that weighs as much
/// as one of them.
fn density(axis: &Axis, seen: impl Iterator<Item = u16>) -> Vec<f64> {
    let mut seen: Vec<usize> = seen.map(usize::from).collect();
    seen.sort_unstable();
    let count = axis.levels();
    #[expect(clippy::cast_precision_loss, reason = "levels stay far below 2^53")]
    let even = 1.0 / count.max(1) as f64;
    let mut density = vec![even; count];
    match axis.positions() {
        None => seen.iter().for_each(|level| density[*level] += 1.0),
        Some(at) => {
            #[expect(clippy::cast_precision_loss, reason = "trials stay far below 2^53")]
            let narrowest = 1.0 / (1.0 + seen.len() as f64).min(100.0);
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
        let mut drawn = good.len().saturating_sub(1);
        for (level, share) in good.iter().enumerate() {
            left -= share;
            if left < 0.0 {
                drawn = level;
                break;
            }
        }
        let ratio = good.get(drawn).map_or(0.0, |share| share / others[drawn]);
        if ratio > best.0 {
            best = (ratio, drawn);
        }
    }
    u16::try_from(best.1).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
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
}
