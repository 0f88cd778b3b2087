//! A Gaussian process over several outputs that share one kernel.
//!
//! The outputs' covariance `B` is taken from the data (`B = Yᵀ K⁻¹ Y / n`, the maximum
//! likelihood of the intrinsic coregionalisation model), so that what is uncertain about
//! one load is uncertain about the next in the same direction.

use super::fit::{self, Fitted};
use super::kernel::Kernel;
use super::linear::{Cholesky, as_f64, dot};
use super::problem::{Axis, Point};

/// How many observations the prior guess of the outputs' covariance counts for.
const PRIOR_WEIGHT: f64 = 3.0;

/// Correlation between outputs that the prior guesses.
const PRIOR_CORRELATION: f64 = 0.7;

/// Noise of a run that does not fit, against that of one that does (in variance).
const DOUBT: f64 = 30.0;

/// Standard deviations beyond which a run does not fit.
const FAR: f64 = 3.5;

/// A fitted process.
pub(super) struct Process {
    kernel: Kernel,
    points: Vec<Point>,
    factor: Cholesky,
    /// `K⁻¹ y`, output by output, in units of standard deviations.
    weights: Vec<Vec<f64>>,
    means: Vec<f64>,
    scales: Vec<f64>,
    /// Variance of one run's noise, relative to the outputs' own variance.
    noise: f64,
    /// By how much the noise of each run is taken to be larger than usual.
    doubts: Vec<f64>,
    /// Covariance between outputs as a factor: draws are made by multiplying with it.
    spread: Cholesky,
}

/// Belief about one point.
#[derive(Debug, Clone, Default)]
pub(super) struct Belief {
    /// Mean of each output.
    pub(super) means: Vec<f64>,
    /// What one standard deviation of the shared uncertainty is worth, relative to scale.
    pub(super) deviation: f64,
}

impl Process {
    /// Fits a process to rows of outputs.
    pub(super) fn of(axes: &[Axis], points: &[Point], rows: &[Vec<f64>]) -> Self {
        let outputs = rows.first().map_or(0, Vec::len);
        let count = as_f64(rows.len());
        let (mut means, mut scales, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for output in 0..outputs {
            let mean = rows.iter().map(|row| row[output]).sum::<f64>() / count;
            let variance = rows.iter().map(|row| (row[output] - mean).powi(2)).sum::<f64>() / count;
            let scale = variance.sqrt().max(1e-6 * mean.abs()).max(1e-9);
            columns.push(
                rows.iter()
                    .map(|row| (row[output] - mean) / scale)
                    .collect::<Vec<f64>>(),
            );
            means.push(mean);
            scales.push(scale);
        }
        let mut doubts = vec![1.0; points.len()];
        let mut fitted = fit::fit(axes, points, &columns, &doubts);
        let mut solved = Solved::of(points, &columns, &fitted, &doubts);
        let doubtful = solved.doubtful(&columns);
        if doubtful.iter().any(|is| *is) {
            for (doubt, is) in doubts.iter_mut().zip(&doubtful) {
                *doubt = if *is { DOUBT } else { 1.0 };
            }
            fitted = fit::fit(axes, points, &columns, &doubts);
            solved = Solved::of(points, &columns, &fitted, &doubts);
        }
        let covariance = covariance(&columns, &solved.weights);
        Self {
            kernel: fitted.kernel,
            noise: fitted.noise,
            doubts,
            points: points.to_vec(),
            factor: solved.factor,
            weights: solved.weights,
            means,
            scales,
            spread: Cholesky::of(&covariance, outputs),
        }
    }

    /// What is believed of a point.
    pub(super) fn believe(&self, point: &[u16]) -> Belief {
        let mut alike: Vec<f64> = self
            .points
            .iter()
            .map(|other| self.kernel.between(point, other))
            .collect();
        let means = (0..self.weights.len())
            .map(|output| self.means[output] + self.scales[output] * dot(&alike, &self.weights[output]))
            .collect();
        self.factor.forward(&mut alike);
        let own = self.kernel.between(point, point);
        Belief {
            means,
            deviation: (own - dot(&alike, &alike)).max(1e-12).sqrt(),
        }
    }

    /// The expected outputs of a point.
    pub(super) fn means(&self, point: &[u16]) -> impl Iterator<Item = f64> {
        let alike: Vec<f64> = self
            .points
            .iter()
            .map(|other| self.kernel.between(point, other))
            .collect();
        (0..self.weights.len())
            .map(move |output| self.means[output] + self.scales[output] * dot(&alike, &self.weights[output]))
    }

    /// What one standard deviation of a run's noise is worth, in the units of a belief's.
    pub(super) fn noise(&self) -> f64 {
        self.noise.sqrt()
    }

    /// By how much the noise of a run, by its number, is taken to be larger than usual.
    pub(super) fn doubt(&self, run: usize) -> f64 {
        self.doubts[run]
    }

    /// Turns independent normal numbers into correlated ones in the outputs' own units.
    pub(super) fn correlated(&self, normals: &[f64]) -> Vec<f64> {
        let moved = self.spread.times(normals);
        moved
            .iter()
            .zip(&self.scales)
            .map(|(moved, scale)| moved * scale)
            .collect()
    }
}

/// What follows from a kernel and the data.
struct Solved {
    factor: Cholesky,
    weights: Vec<Vec<f64>>,
}

impl Solved {
    fn of(points: &[Point], columns: &[Vec<f64>], fitted: &Fitted, doubts: &[f64]) -> Self {
        let matrix = fit::matrix(&fitted.kernel, points, fitted.noise, doubts);
        let factor = Cholesky::of(&matrix, points.len());
        let weights = columns.iter().map(|column| factor.solve(column)).collect();
        Self { factor, weights }
    }

    /// Which runs all others together would not have expected (leave-one-out residuals,
    /// Rasmussen and Williams, eq. 5.12).
    fn doubtful(&self, columns: &[Vec<f64>]) -> Vec<bool> {
        let count = columns.first().map_or(0, Vec::len);
        if count < 12 {
            return vec![false; count];
        }
        let inverse = self.factor.inverse();
        let outputs = as_f64(columns.len());
        let worst: Vec<f64> = (0..count)
            .map(|index| {
                let own = inverse[index * count + index].sqrt();
                let sum: f64 = self
                    .weights
                    .iter()
                    .map(|weights| (weights[index] / own).abs())
                    .sum();
                sum / outputs
            })
            .collect();
        let mut sorted = worst.clone();
        sorted.sort_by(f64::total_cmp);
        let typical = (sorted[count / 2] * 1.48).max(0.3);
        worst.iter().map(|far| far / typical > FAR).collect()
    }
}

/// The outputs' covariance, with a prior's help while observations are few.
fn covariance(columns: &[Vec<f64>], weights: &[Vec<f64>]) -> Vec<f64> {
    let outputs = columns.len();
    let count = as_f64(columns.first().map_or(0, Vec::len));
    let mut covariance = vec![0.0; outputs * outputs];
    for left in 0..outputs {
        for right in 0..outputs {
            let guess = if left == right { 1.0 } else { PRIOR_CORRELATION };
            let seen = dot(&columns[left], &weights[right]);
            covariance[left * outputs + right] = (seen + PRIOR_WEIGHT * guess) / (count + PRIOR_WEIGHT);
        }
    }
    covariance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_goes_through_what_it_saw_and_doubts_what_it_did_not() {
        let axes = [Axis::ordered(9), Axis::categorical(2)];
        let points: Vec<Point> = vec![
            vec![0, 0],
            vec![2, 0],
            vec![4, 1],
            vec![6, 0],
            vec![8, 1],
            vec![1, 1],
        ];
        let rows: Vec<Vec<f64>> = points
            .iter()
            .map(|point| {
                let x = f64::from(point[0]);
                vec![10.0 + x, 5.0 - 2.0 * x + 3.0 * f64::from(point[1])]
            })
            .collect();
        let process = Process::of(&axes, &points, &rows);
        for (point, row) in points.iter().zip(&rows) {
            let belief = process.believe(point);
            for (mean, seen) in belief.means.iter().zip(row) {
                assert!((mean - seen).abs() < 1.0, "{point:?}: {mean} {seen}");
            }
        }
        assert!(process.believe(&[4, 0]).deviation > process.believe(&[4, 1]).deviation);
    }
}
