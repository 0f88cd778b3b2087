//! Choosing a kernel's shape: the most probable one, under priors strong enough that a
//! handful of observations cannot lead it astray.

use super::kernel::{Kernel, Shape};
use super::problem::{Axis, Point};
use crate::linear::{Cholesky, as_f64, dot};

/// Steps of the ascent.
const STEPS: usize = 24;

/// A normal prior on the logarithm of a number.
#[derive(Debug, Clone, Copy)]
struct Prior {
    mean: f64,
    deviation: f64,
}

/// What a kernel is to go with.
pub(super) struct Seen<'a> {
    pub(super) axes: &'a [Axis],
    pub(super) points: &'a [Point],
    /// What earlier tasks tell of each point; the same number of them for all.
    pub(super) hints: &'a [Vec<f64>],
    /// Outputs in units of their deviation; one that is shorter than the points is of the first.
    pub(super) columns: &'a [Vec<f64>],
    /// By how much the noise of each run is taken to be larger than usual.
    pub(super) doubts: &'a [f64],
}

/// A kernel and the noise that go with the data.
pub(super) struct Fitted {
    pub(super) kernel: Kernel,
    /// Variance that goes with what each earlier task tells.
    pub(super) hint_weights: Vec<f64>,
    /// Variance of one run's noise, relative to the outputs' own variance.
    pub(super) noise: f64,
}

/// How alike earlier tasks take two points to be.
pub(super) fn hinted(weights: &[f64], left: &[f64], right: &[f64]) -> f64 {
    let pairs = weights.iter().zip(left.iter().zip(right));
    pairs.map(|(weight, (left, right))| weight * left * right).sum()
}

/// The kernel matrix with noise on its diagonal; the lower triangle only.
pub(super) fn matrix(seen: &Seen<'_>, fitted: &Fitted) -> Vec<f64> {
    let count = seen.points.len();
    let mut matrix = vec![0.0; count * count];
    for row in 0..count {
        for column in 0..=row {
            matrix[row * count + column] = fitted.kernel.between(&seen.points[row], &seen.points[column])
                + hinted(&fitted.hint_weights, &seen.hints[row], &seen.hints[column]);
        }
        matrix[row * count + row] += fitted.noise * seen.doubts[row];
    }
    matrix
}

/// Priors of main effects, pairs, rest, lengths, noise, and what earlier tasks tell.
fn priors(axes: &[Axis], hints: usize) -> Vec<Prior> {
    let share = 1.0 / as_f64(axes.len().max(1));
    let main = Prior {
        mean: share.ln(),
        deviation: 1.3,
    };
    let mut priors = vec![main; axes.len()];
    priors.push(Prior {
        mean: 0.5_f64.ln(),
        deviation: 1.0,
    });
    priors.push(Prior {
        mean: 0.1_f64.ln(),
        deviation: 1.2,
    });
    priors.extend(vec![
        Prior {
            mean: 0.6_f64.ln(),
            deviation: 0.6,
        };
        axes.len()
    ]);
    priors.push(Prior {
        mean: 0.003_f64.ln(),
        deviation: 1.3,
    });
    priors.extend(vec![
        Prior {
            mean: 0.0,
            deviation: 1.5,
        };
        hints
    ]);
    priors
}

/// The most probable kernel and noise. Ascends by signs of slopes alone (Rprop without
/// backtracking, Riedmiller 1994): no step can be thrown off by the scale of a slope.
pub(super) fn fit(seen: &Seen<'_>) -> Fitted {
    let priors = priors(seen.axes, seen.hints.first().map_or(0, Vec::len));
    let mut row: Vec<f64> = priors.iter().map(|prior| prior.mean).collect();
    let mut steps = vec![0.25_f64; row.len()];
    let mut before = vec![0.0_f64; row.len()];
    let mut best = (f64::NEG_INFINITY, row.clone());
    for _ in 0..STEPS {
        let (height, slopes) = posterior(seen, &priors, &row);
        if height > best.0 {
            best = (height, row.clone());
        }
        for index in 0..row.len() {
            let turned = before[index] * slopes[index];
            if turned > 0.0 {
                steps[index] = (steps[index] * 1.2).min(0.6);
            } else if turned < 0.0 {
                steps[index] *= 0.5;
            }
            if slopes[index] != 0.0 {
                row[index] += steps[index].copysign(slopes[index]);
            }
            before[index] = slopes[index];
        }
    }
    fitted(seen.axes, &best.1)
}

fn fitted(axes: &[Axis], row: &[f64]) -> Fitted {
    let noise = 2 * axes.len() + 2;
    Fitted {
        kernel: Kernel::of(axes, &Shape::of_row(&row[..noise], axes.len())),
        noise: row[noise].exp(),
        hint_weights: row[noise + 1..].iter().map(|weight| weight.exp()).collect(),
    }
}

/// The logarithm of the posterior density up to a constant, and its slopes.
fn posterior(seen: &Seen<'_>, priors: &[Prior], row: &[f64]) -> (f64, Vec<f64>) {
    let fitted = fitted(seen.axes, row);
    let noise = 2 * seen.axes.len() + 2;
    let count = seen.points.len();
    let factor = Cholesky::of(&matrix(seen, &fitted), count);
    // How many columns reach as far as each point.
    let reach: Vec<f64> = (0..count)
        .map(|row| as_f64(seen.columns.iter().filter(|column| column.len() > row).count()))
        .collect();
    let inverse = factor.weighted_inverse(&reach);
    // Outputs at neighbouring loads say nearly the same: together they count for less than
    // their number.
    let weight = as_f64(seen.columns.len()).powf(-0.5);
    let mut height = 0.0;
    let mut outer: Vec<f64> = inverse.iter().map(|value| -value).collect();
    for column in seen.columns {
        let solved = factor.solve(column);
        height -= 0.5 * (dot(column, &solved) + factor.ln_det(column.len()));
        for left in 0..column.len() {
            for right in 0..=left {
                outer[left * count + right] += solved[left] * solved[right];
            }
        }
    }
    height *= weight;
    let mut slopes = vec![0.0; row.len()];
    for left in 0..count {
        for right in 0..=left {
            let half = if left == right { 0.5 } else { 1.0 };
            let push = weight * half * outer[left * count + right];
            let points = (&seen.points[left], &seen.points[right]);
            fitted.kernel.add_slopes(points.0, points.1, push, &mut slopes);
            let hints = seen.hints[left].iter().zip(&seen.hints[right]);
            let weights = slopes[noise + 1..].iter_mut().zip(&fitted.hint_weights);
            for ((slope, weight), (left, right)) in weights.zip(hints) {
                *slope += push * weight * left * right;
            }
        }
        slopes[noise] += weight * 0.5 * outer[left * count + left] * fitted.noise * seen.doubts[left];
    }
    for ((prior, value), slope) in priors.iter().zip(row).zip(&mut slopes) {
        let away = (value - prior.mean) / prior.deviation;
        height -= 0.5 * away * away;
        *slope -= away / prior.deviation;
    }
    (height, slopes)
}
