//! A Gaussian process over several outputs that share one kernel.
//!
//! What is uncertain about one load is uncertain about the next in the same direction, so a point
//! of which only the first outputs were seen tells of the others as well ([`super::outputs`]).

use super::fit::{self, Fitted, Seen};
use super::kernel::Kernel;
use super::outputs::{self, Mix, Rows};
use super::problem::{Axis, Point};
use crate::linear::{Cholesky, as_f64, dot};

/// Noise of a run that does not fit, against that of one that does (in variance).
const DOUBT: f64 = 30.0;

/// Standard deviations beyond which a run does not fit.
const FAR: f64 = 3.5;

/// Runs without which none can be told to not fit.
const ENOUGH: usize = 12;

/// A fitted process.
pub(super) struct Process {
    kernel: Kernel,
    points: Vec<Point>,
    /// What earlier tasks tell of each point, and what that is worth.
    hints: Vec<Vec<f64>>,
    hint_weights: Vec<f64>,
    factor: Cholesky,
    /// For each output, what alikeness to each point is worth.
    weights: Vec<Vec<f64>>,
    means: Vec<f64>,
    scales: Vec<f64>,
    /// How many of the points each independent part was seen of.
    reach: Vec<usize>,
    /// How each output is made of independent parts, in its own units.
    mix: Mix,
    /// Variance of one run's noise, relative to the outputs' own variance.
    noise: f64,
    /// By how much the noise of each run is taken to be larger than usual.
    doubts: Vec<f64>,
}

/// Belief about one point.
#[derive(Debug, Clone, Default)]
pub(super) struct Belief {
    /// Mean of each output.
    pub(super) means: Vec<f64>,
    /// Standard deviation of each independent part.
    pub(super) deviations: Vec<f64>,
}

/// Belief about several points.
pub(super) struct Together {
    /// Mean of each output, point by point.
    pub(super) means: Vec<Vec<f64>>,
    /// For each independent part, the points' covariance.
    pub(super) spreads: Vec<Cholesky>,
}

impl Process {
    /// Fits a process to rows of outputs.
    pub(super) fn of(axes: &[Axis], points: &[Point], hints: &[Vec<f64>], rows: &[Vec<Option<f64>>]) -> Self {
        let rows = Rows::of(rows);
        let all = points.len();
        let points: Vec<Point> = rows.order.iter().map(|row| points[*row].clone()).collect();
        let hints: Vec<Vec<f64>> = rows.order.iter().map(|row| hints[*row].clone()).collect();
        let columns = &rows.columns;
        let seen = Seen {
            axes,
            points: &points,
            hints: &hints,
            columns,
            doubts: &vec![1.0; points.len()],
        };
        let mut doubts = seen.doubts.to_vec();
        let mut fitted = fit::fit(&seen);
        let mut factor = factor(&seen, &fitted);
        let doubtful = doubtful(&factor, columns);
        if doubtful.iter().any(|is| *is) {
            doubts = doubtful.iter().map(|is| if *is { DOUBT } else { 1.0 }).collect();
            let seen = Seen {
                doubts: &doubts,
                ..seen
            };
            fitted = fit::fit(&seen);
            factor = self::factor(&seen, &fitted);
        }
        let mix = outputs::mix(columns, &factor);
        let parts = outputs::parts(columns, &mix);
        let solved: Vec<Vec<f64>> = parts.iter().map(|part| factor.solve(part)).collect();
        let mut process = Self {
            kernel: fitted.kernel,
            factor,
            reach: columns.iter().map(Vec::len).collect(),
            weights: vec![Vec::new(); columns.len()],
            means: vec![0.0; columns.len()],
            scales: vec![0.0; columns.len()],
            mix: vec![Vec::new(); columns.len()],
            noise: fitted.noise,
            doubts: vec![1.0; all],
            hint_weights: fitted.hint_weights,
            points,
            hints,
        };
        for (row, doubt) in rows.order.iter().zip(&doubts) {
            process.doubts[*row] = *doubt;
        }
        // Back in the order in which outputs were given.
        for (place, output) in rows.outputs.iter().enumerate() {
            let mut weights = vec![0.0; process.points.len()];
            for (share, solved) in mix[place].iter().zip(&solved) {
                for (weight, solved) in weights.iter_mut().zip(solved) {
                    *weight += share * solved;
                }
            }
            process.weights[*output] = weights;
            process.means[*output] = rows.means[place];
            process.scales[*output] = rows.scales[place];
            process.mix[*output] = mix[place]
                .iter()
                .map(|share| share * rows.scales[place])
                .collect();
        }
        process
    }

    fn alike(&self, point: &[u16], hints: &[f64]) -> Vec<f64> {
        let points = self.points.iter().zip(&self.hints);
        points
            .map(|(other, others)| self.kernel.between(point, other) + self.hinted(hints, others))
            .collect()
    }

    /// How alike earlier tasks take two points to be.
    fn hinted(&self, left: &[f64], right: &[f64]) -> f64 {
        fit::hinted(&self.hint_weights, left, right)
    }

    fn mean(&self, output: usize, alike: &[f64]) -> f64 {
        self.means[output] + self.scales[output] * dot(alike, &self.weights[output])
    }

    /// What is believed of a point.
    pub(super) fn believe(&self, point: &[u16], hints: &[f64]) -> Belief {
        let mut alike = self.alike(point, hints);
        let means = (0..self.means.len())
            .map(|output| self.mean(output, &alike))
            .collect();
        self.factor.forward(&mut alike);
        let own = self.kernel.between(point, point) + self.hinted(hints, hints);
        let deviation = |reach: &usize| {
            let known = &alike[..*reach];
            (own - dot(known, known)).max(1e-12).sqrt()
        };
        Belief {
            means,
            deviations: self.reach.iter().map(deviation).collect(),
        }
    }

    /// What is believed of several points together.
    pub(super) fn believe_together(&self, points: &[Point], hints: &[Vec<f64>]) -> Together {
        let alike: Vec<Vec<f64>> = points
            .iter()
            .zip(hints)
            .map(|(point, hints)| self.alike(point, hints))
            .collect();
        let means = alike
            .iter()
            .map(|alike| {
                (0..self.means.len())
                    .map(|output| self.mean(output, alike))
                    .collect()
            })
            .collect();
        let known: Vec<Vec<f64>> = alike
            .into_iter()
            .map(|mut alike| {
                self.factor.forward(&mut alike);
                alike
            })
            .collect();
        let size = points.len();
        let spread = |reach: &usize| {
            let mut covariance = vec![0.0; size * size];
            for row in 0..size {
                for column in 0..=row {
                    let explained = dot(&known[row][..*reach], &known[column][..*reach]);
                    covariance[row * size + column] = self.kernel.between(&points[row], &points[column])
                        + self.hinted(&hints[row], &hints[column])
                        - explained;
                }
            }
            Cholesky::of(&covariance, size)
        };
        Together {
            means,
            spreads: self.reach.iter().map(spread).collect(),
        }
    }

    /// The expected outputs of a point.
    pub(super) fn means(&self, point: &[u16], hints: &[f64]) -> impl Iterator<Item = f64> {
        let alike = self.alike(point, hints);
        (0..self.means.len()).map(move |output| self.mean(output, &alike))
    }

    /// How far a point is expected above or below the mean, in standard deviations, over all
    /// outputs.
    pub(super) fn standing(&self, point: &[u16]) -> f64 {
        let alike = self.alike(point, &[]);
        let standings = self.weights.iter().map(|weights| dot(&alike, weights));
        standings.sum::<f64>() / as_f64(self.weights.len().max(1))
    }

    /// What one standard deviation of a run's noise is worth, in the units of a belief's.
    pub(super) fn noise(&self) -> f64 {
        self.noise.sqrt()
    }

    /// By how much the noise of a run, by its number, is taken to be larger than usual.
    pub(super) fn doubt(&self, run: usize) -> f64 {
        self.doubts[run]
    }

    /// How far each output moves with each of its independent parts.
    pub(super) fn mix(&self) -> &Mix {
        &self.mix
    }
}

fn factor(seen: &Seen<'_>, fitted: &Fitted) -> Cholesky {
    Cholesky::of(&fit::matrix(seen, fitted), seen.points.len())
}

/// Which runs all others together would not have expected (leave-one-out residuals, Rasmussen
/// and Williams, eq. 5.12).
fn doubtful(factor: &Cholesky, columns: &[Vec<f64>]) -> Vec<bool> {
    let count = columns.first().map_or(0, Vec::len);
    if count < ENOUGH {
        return vec![false; count];
    }
    let inverse = factor.inverse_columns();
    let mut away = vec![(0.0, 0.0); count];
    for column in columns {
        for (index, weight) in factor.solve(column).iter().enumerate() {
            let own = &inverse[index * count + index..index * count + column.len()];
            let (sum, outputs) = &mut away[index];
            *sum += weight.abs() / dot(own, own).sqrt();
            *outputs += 1.0;
        }
    }
    let away: Vec<f64> = away.iter().map(|(sum, outputs)| sum / outputs).collect();
    let mut sorted = away.clone();
    sorted.sort_by(f64::total_cmp);
    let typical = (sorted[count / 2] * 1.48).max(0.3);
    away.iter().map(|away| away / typical > FAR).collect()
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
        let seen: Vec<Vec<Option<f64>>> = rows
            .iter()
            .map(|row| row.iter().map(|value| Some(*value)).collect())
            .collect();
        let process = Process::of(&axes, &points, &vec![Vec::new(); points.len()], &seen);
        for (point, row) in points.iter().zip(&rows) {
            let belief = process.believe(point, &[]);
            for (mean, seen) in belief.means.iter().zip(row) {
                assert!((mean - seen).abs() < 1.0, "{point:?}: {mean} {seen}");
            }
        }
        let doubt = |point: &[u16]| process.believe(point, &[]).deviations[0];
        assert!(doubt(&[4, 0]) > doubt(&[4, 1]));
    }
}
