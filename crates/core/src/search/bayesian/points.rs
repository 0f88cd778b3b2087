//! Where to look: neighbours of good points, and points from everywhere.

use std::collections::{HashMap, HashSet};

use rand::{Rng, RngExt};

use super::problem::{Axis, Crash, Outcome, Point, Search};
use super::sobol;

/// Most levels of an axis that a neighbour is made for; of longer axes, some are drawn.
const NEAR: u16 = 12;

/// Times that a point which failed through no fault of its own is tried.
const PATIENCE: usize = 2;

/// Points that are not new: measured, crashed, given up, or being measured now.
pub(super) fn known(search: &Search<'_>) -> HashSet<Point> {
    let mut known: HashSet<Point> = search.pending.iter().cloned().collect();
    let mut flaky: HashMap<&Point, usize> = HashMap::new();
    for trial in search.history {
        if trial.outcome == Outcome::Crashed(Crash::Flaky) {
            let times = flaky.entry(&trial.point).or_default();
            *times += 1;
            if *times < PATIENCE {
                continue;
            }
        }
        known.insert(trial.point.clone());
    }
    known
}

/// All points that differ from one in a single axis; of long axes, its surroundings and a few
/// from afar.
pub(super) fn neighbours(axes: &[Axis], point: &[u16], rng: &mut dyn Rng) -> Vec<Point> {
    let mut found = Vec::new();
    for (index, axis) in axes.iter().enumerate() {
        let levels = u16::try_from(axis.levels()).unwrap_or(u16::MAX);
        let mut add = |level: u16| {
            if level != point[index] {
                let mut other = point.to_vec();
                other[index] = level;
                found.push(other);
            }
        };
        if levels <= NEAR {
            (0..levels).for_each(&mut add);
        } else {
            let near = point[index].saturating_sub(3)..=(point[index] + 3).min(levels - 1);
            near.for_each(&mut add);
            for _ in 0..5 {
                add(rng.random_range(0..levels));
            }
        }
    }
    found
}

/// A point drawn at random.
pub(super) fn anywhere(axes: &[Axis], rng: &mut dyn Rng) -> Point {
    axes.iter()
        .map(|axis| {
            let levels = u16::try_from(axis.levels().max(1)).unwrap_or(u16::MAX);
            rng.random_range(0..levels)
        })
        .collect()
}

/// A point that differs from one in two axes or, now and then, three.
pub(super) fn moved(axes: &[Axis], point: &[u16], rng: &mut dyn Rng) -> Point {
    let mut other = point.to_vec();
    if axes.is_empty() {
        return other;
    }
    let changes = if rng.random_range(0..4) == 0 { 3 } else { 2 };
    for _ in 0..changes {
        let index = rng.random_range(0..axes.len());
        let levels = i32::try_from(axes[index].levels().max(1)).unwrap_or(i32::MAX);
        let level = if axes[index].positions().is_some() && rng.random_range(0..3) > 0 {
            let reach = (levels / 6).max(1);
            (i32::from(other[index]) + rng.random_range(-reach..=reach)).clamp(0, levels - 1)
        } else {
            rng.random_range(0..levels)
        };
        other[index] = u16::try_from(level).unwrap_or_default();
    }
    other
}

/// Points spread over the space, in the order of a Sobol sequence.
pub(super) fn spread(axes: &[Axis], count: usize, rng: &mut impl Rng) -> Vec<Point> {
    sobol::points(axes.len(), count, rng)
        .into_iter()
        .map(|fractions| {
            let level = |(fraction, axis): (f64, &Axis)| {
                let levels = u16::try_from(axis.levels().max(1)).unwrap_or(u16::MAX);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "below the levels"
                )]
                let level = (fraction * f64::from(levels)) as u16;
                level.min(levels - 1)
            };
            fractions.into_iter().zip(axes).map(level).collect()
        })
        .collect()
}

/// How different two points are: per axis, the distance of levels, or 1 where they have no order.
pub(super) fn distance(axes: &[Axis], left: &[u16], right: &[u16]) -> f64 {
    axes.iter()
        .zip(left.iter().zip(right))
        .map(|(axis, (left, right))| match axis.positions() {
            Some(at) => (at[usize::from(*left)] - at[usize::from(*right)]).abs(),
            None => f64::from(u8::from(left != right)),
        })
        .sum()
}
