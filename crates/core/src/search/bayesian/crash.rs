//! Which points will not run, learnt kind by kind.
//!
//! Refusals follow rules ([`super::rules`]). Memory and time run out beyond a boundary that
//! ordered axes approach steadily: a Gaussian process classifier (logistic, Laplace's
//! approximation; Rasmussen and Williams, algorithms 3.1 and 3.2) whose kernel is linear in
//! an ordered level. Most axes have nothing to do with a given kind of crash; which ones do is
//! learnt, so that what crashed in one place tells of all places that are alike in what matters.
//! A kind is asked only of points that got as far as it; what is nobody's fault teaches nothing.

use super::fit::{self, Seen};
use super::problem::{Axis, Crash, Outcome, Point, Trial};
use super::rules::Rules;
use crate::linear::{Cholesky, as_f64, dot};

/// Log-odds of a crash before anything is known.
const PRIOR: f64 = -2.2;

/// Variance of the log-odds that axes contribute together.
const VARIANCE: f64 = 9.0;

/// Weight of pairs against single axes.
const PAIRS: f64 = 0.3;

/// Newton steps.
const STEPS: usize = 12;

/// What is known of crashes.
pub(super) struct Crashes {
    rules: Rules,
    boundaries: Vec<Boundary>,
}

impl Crashes {
    /// Learns from a history.
    pub(super) fn of(axes: &[Axis], history: &[Trial]) -> Self {
        let of = |is_meant: &dyn Fn(Option<Crash>) -> bool| -> Vec<&[u16]> {
            history
                .iter()
                .filter(|trial| is_meant(crash(trial)))
                .map(|trial| &trial.point[..])
                .collect()
        };
        let refused = of(&|crash| crash == Some(Crash::Refused));
        let accepted = of(&|crash| !matches!(crash, Some(Crash::Refused | Crash::Flaky)));
        let boundaries = [
            (Crash::StartMemory, &[Crash::Refused, Crash::Flaky][..]),
            (
                Crash::LoadMemory,
                &[Crash::Refused, Crash::StartMemory, Crash::Flaky],
            ),
            (
                Crash::Time,
                &[
                    Crash::Refused,
                    Crash::StartMemory,
                    Crash::LoadMemory,
                    Crash::Flaky,
                ],
            ),
        ];
        let boundaries = boundaries
            .iter()
            .filter_map(|(kind, earlier)| {
                let asked: Vec<(&Point, bool)> = history
                    .iter()
                    .filter(|trial| !crash(trial).is_some_and(|crash| earlier.contains(&crash)))
                    .map(|trial| (&trial.point, crash(trial) == Some(*kind)))
                    .collect();
                let any = asked.iter().any(|(_, crashed)| *crashed);
                any.then(|| Boundary::of(axes, &asked))
            })
            .collect();
        Self {
            rules: Rules::of(axes, &refused, &accepted),
            boundaries,
        }
    }

    /// The probability that a point runs.
    pub(super) fn runs(&self, point: &[u16]) -> f64 {
        let kept: f64 = self
            .boundaries
            .iter()
            .map(|boundary| 1.0 - boundary.crashes(point))
            .product();
        kept * self.rules.accepts(point)
    }
}

fn crash(trial: &Trial) -> Option<Crash> {
    match trial.outcome {
        Outcome::Measured(_) | Outcome::Partial(_) => None,
        Outcome::Crashed(crash) => Some(crash),
    }
}

/// Where one kind of crash begins.
struct Boundary {
    tables: Vec<(usize, Vec<f64>)>,
    shares: Vec<f64>,
    points: Vec<Point>,
    pull: Vec<f64>,
    roots: Vec<f64>,
    factor: Cholesky,
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// How alike two levels are to memory: linear where they have an order.
fn table(axis: &Axis) -> (usize, Vec<f64>) {
    let levels = axis.levels();
    let mut alike = vec![0.0; levels * levels];
    for left in 0..levels {
        for right in 0..levels {
            alike[left * levels + right] = match axis.positions() {
                Some(at) => {
                    let near = (-8.0 * (at[left] - at[right]).powi(2)).exp();
                    0.6 * 2.2 * (2.0 * at[left] - 1.0) * (2.0 * at[right] - 1.0) + 0.4 * near
                }
                None => f64::from(u8::from(left == right)),
            };
        }
    }
    (levels, alike)
}

impl Boundary {
    fn of(axes: &[Axis], asked: &[(&Point, bool)]) -> Self {
        let tables: Vec<(usize, Vec<f64>)> = axes.iter().map(table).collect();
        let points: Vec<Point> = asked.iter().map(|(point, _)| (*point).clone()).collect();
        let count = points.len();
        let shares = shares(axes, &points, asked);
        let mut kernel = vec![0.0; count * count];
        for row in 0..count {
            for column in 0..=row {
                let alike = between(&tables, &shares, &points[row], &points[column]);
                kernel[row * count + column] = alike;
                kernel[column * count + row] = alike;
            }
        }
        let mut latent = vec![PRIOR; count];
        let mut solved = (vec![0.0; count], Cholesky::of(&[], 0));
        for _ in 0..STEPS {
            let chances: Vec<f64> = latent.iter().map(|latent| logistic(*latent)).collect();
            let weights: Vec<f64> = chances.iter().map(|p| (p * (1.0 - p)).max(1e-6)).collect();
            let roots: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
            let mut matrix = vec![0.0; count * count];
            for row in 0..count {
                for column in 0..=row {
                    matrix[row * count + column] = roots[row] * kernel[row * count + column] * roots[column];
                }
                matrix[row * count + row] += 1.0;
            }
            let factor = Cholesky::of(&matrix, count);
            let b: Vec<f64> = (0..count)
                .map(|index| {
                    let hit = f64::from(u8::from(asked[index].1));
                    weights[index] * (latent[index] - PRIOR) + hit - chances[index]
                })
                .collect();
            let inner: Vec<f64> = (0..count)
                .map(|row| roots[row] * dot(&kernel[row * count..(row + 1) * count], &b))
                .collect();
            let inner = factor.solve(&inner);
            let a: Vec<f64> = (0..count)
                .map(|index| b[index] - roots[index] * inner[index])
                .collect();
            for (row, latent) in latent.iter_mut().enumerate() {
                *latent = PRIOR + dot(&kernel[row * count..(row + 1) * count], &a);
            }
            solved = (roots, factor);
        }
        let pull = latent
            .iter()
            .zip(asked)
            .map(|(latent, (_, hit))| f64::from(u8::from(*hit)) - logistic(*latent))
            .collect();
        Self {
            tables,
            shares,
            points,
            pull,
            roots: solved.0,
            factor: solved.1,
        }
    }

    /// The probability that a point crashes; what is unknown pulls towards one half.
    fn crashes(&self, point: &[u16]) -> f64 {
        let alike: Vec<f64> = self
            .points
            .iter()
            .map(|other| between(&self.tables, &self.shares, point, other))
            .collect();
        let mean = PRIOR + dot(&alike, &self.pull);
        let mut scaled: Vec<f64> = alike
            .iter()
            .zip(&self.roots)
            .map(|(alike, root)| alike * root)
            .collect();
        self.factor.forward(&mut scaled);
        let variance = (between(&self.tables, &self.shares, point, point) - dot(&scaled, &scaled)).max(0.0);
        logistic(mean / (1.0 + std::f64::consts::PI * variance / 8.0).sqrt())
    }
}

/// How much each axis has to do with a kind of crash; together they make 1. Crashes are taken for
/// numbers, 1 and 0, and the kernel is asked that suits them best: as a regression that is crude,
/// but what matters to it is what matters to the crash.
fn shares(axes: &[Axis], points: &[Point], asked: &[(&Point, bool)]) -> Vec<f64> {
    let hits: Vec<f64> = asked.iter().map(|(_, hit)| f64::from(u8::from(*hit))).collect();
    let mean = hits.iter().sum::<f64>() / as_f64(hits.len().max(1));
    // Where all crashed alike there is no deviation to divide by, and nothing to learn.
    let deviation = (mean * (1.0 - mean)).sqrt().max(1e-3);
    let column = hits.iter().map(|hit| (hit - mean) / deviation).collect();
    let seen = Seen {
        axes,
        points,
        hints: &vec![Vec::new(); points.len()],
        columns: &[column],
        doubts: &vec![1.0; points.len()],
    };
    fit::fit(&seen).kernel.shares()
}

/// The kernel: what axes do by themselves, each by its share, and in pairs.
fn between(tables: &[(usize, Vec<f64>)], shares: &[f64], x: &[u16], y: &[u16]) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for ((((levels, alike), share), x), y) in tables.iter().zip(shares).zip(x).zip(y) {
        let alike = share * alike[usize::from(*x) * levels + usize::from(*y)];
        sum += alike;
        squares += alike * alike;
    }
    // Pairs of even shares weigh the same however many axes there are to a pair.
    let pairs = as_f64(tables.len()) * 0.5 * (sum * sum - squares);
    VARIANCE * (sum + PAIRS * pairs) + 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_what_ran_out_of_memory_runs_out_of_memory() {
        let axes = [Axis::ordered(8), Axis::categorical(2)];
        let trial = |level: u16, other: u16, outcome| Trial {
            point: vec![level, other],
            outcome,
        };
        let ok = || Outcome::Measured(vec![1.0]);
        let out = || Outcome::Crashed(Crash::StartMemory);
        let history = [
            trial(0, 0, ok()),
            trial(2, 1, ok()),
            trial(3, 0, ok()),
            trial(1, 1, ok()),
            trial(5, 0, out()),
            trial(6, 1, out()),
            trial(0, 1, Outcome::Crashed(Crash::Flaky)),
        ];
        let crashes = Crashes::of(&axes, &history);
        assert!(crashes.runs(&[7, 0]) < 0.35, "{}", crashes.runs(&[7, 0]));
        assert!(crashes.runs(&[0, 1]) > 0.75, "{}", crashes.runs(&[0, 1]));
        assert!(crashes.runs(&[7, 1]) < crashes.runs(&[3, 1]));
    }

    #[test]
    fn what_has_nothing_to_do_with_a_crash_is_told_from_what_has() {
        let axes = [Axis::ordered(8), Axis::ordered(8), Axis::categorical(3)];
        let points: Vec<Point> = (0..24_u16)
            .map(|index| vec![index * 5 % 8, index * 3 / 2 % 8, index % 3])
            .collect();
        let asked: Vec<(&Point, bool)> = points.iter().map(|point| (point, point[0] > 4)).collect();
        let shares = shares(&axes, &points, &asked);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(shares[0] > 0.5, "{shares:?}");
        let boundary = Boundary::of(&axes, &asked);
        assert!(
            boundary.crashes(&[7, 0, 0]) > 0.8,
            "{}",
            boundary.crashes(&[7, 0, 0])
        );
        assert!(
            boundary.crashes(&[1, 7, 2]) < 0.2,
            "{}",
            boundary.crashes(&[1, 7, 2])
        );
    }
}
