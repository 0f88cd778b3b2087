//! Choosing a kernel's shape: the most probable one, under priors strong enough that a
//! handful of observations cannot lead it astray.

use super::kernel::{Kernel, Shape};
use super::linear::{Cholesky, as_f64, dot};
use super::problem::{Axis, Point};

/// Steps of the ascent.
const STEPS: usize = 24;

/// A normal prior on the logarithm of a number.
#[derive(Debug, Clone, Copy)]
struct Prior {
    mean: f64,
    deviation: f64,
}

/// A kernel and the noise that go with the data.
pub(super) struct Fitted {
    pub(super) kernel: Kernel,
    /// Variance of one run's noise, relative to the outputs' own variance.
    pub(super) noise: f64,
}

/// The kernel matrix with noise on its diagonal; the lower triangle only.
pub(super) fn matrix(kernel: &Kernel, points: &[Point], noise: f64, doubts: &[f64]) -> Vec<f64> {
    let count = points.len();
    let mut matrix = vec![0.0; count * count];
    for row in 0..count {
        for column in 0..=row {
            matrix[row * count + column] = kernel.between(&points[row], &points[column]);
        }
        matrix[row * count + row] += noise * doubts[row];
    }
    matrix
}

fn priors(axes: &[Axis]) -> Vec<Prior> {
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
    priors
}

/// The most probable kernel and noise. A column that is shorter than the points is of the first of
/// them. Ascends by signs of slopes alone (Rprop without
/// backtracking, Riedmiller 1994): no step can be thrown off by the scale of a slope.
pub(super) fn fit(axes: &[Axis], points: &[Point], columns: &[Vec<f64>], doubts: &[f64]) -> Fitted {
    let priors = priors(axes);
    let mut row: Vec<f64> = priors.iter().map(|prior| prior.mean).collect();
    let mut steps = vec![0.25_f64; row.len()];
    let mut before = vec![0.0_f64; row.len()];
    let mut best = (f64::NEG_INFINITY, row.clone());
    for _ in 0..STEPS {
        let (height, slopes) = posterior(axes, points, columns, doubts, &priors, &row);
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
    let row = best.1;
    let last = row.len() - 1;
    Fitted {
        kernel: Kernel::of(axes, &Shape::of_row(&row[..last], axes.len())),
        noise: row[last].exp(),
    }
}

/// The logarithm of the posterior density up to a constant, and its slopes.
fn posterior(
    axes: &[Axis],
    points: &[Point],
    columns: &[Vec<f64>],
    doubts: &[f64],
    priors: &[Prior],
    row: &[f64],
) -> (f64, Vec<f64>) {
    let last = row.len() - 1;
    let kernel = Kernel::of(axes, &Shape::of_row(&row[..last], axes.len()));
    let noise = row[last].exp();
    let count = points.len();
    let factor = Cholesky::of(&matrix(&kernel, points, noise, doubts), count);
    // How many columns reach as far as each point.
    let reach: Vec<f64> = (0..count)
        .map(|row| as_f64(columns.iter().filter(|column| column.len() > row).count()))
        .collect();
    let inverse = factor.weighted_inverse(&reach);
    // Outputs at neighbouring loads say nearly the same: together they count for less than
    // their number.
    let weight = as_f64(columns.len()).powf(-0.5);
    let mut height = 0.0;
    let mut outer: Vec<f64> = inverse.iter().map(|value| -value).collect();
    for column in columns {
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
            kernel.add_slopes(&points[left], &points[right], push, &mut slopes);
        }
        slopes[last] += weight * 0.5 * outer[left * count + left] * noise * doubts[left];
    }
    for ((prior, value), slope) in priors.iter().zip(row).zip(&mut slopes) {
        let away = (value - prior.mean) / prior.deviation;
        height -= 0.5 * away * away;
        *slope -= away / prior.deviation;
    }
    (height, slopes)
}
