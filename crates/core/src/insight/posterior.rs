//! Draws from what experiments allow a sum of parts to be.
//!
//! The model: `y = mean + Σ (columns · weights) + noise`, a group of columns for each part. The
//! weights of a part have one size, drawn from a half-Cauchy distribution (Gelman, 2006): most of
//! it lies near nothing, with room for much. So a part of which nothing is known is small in some
//! draws and large in others, which is what its interval then says. Draws are Gibbs's; the size
//! of a part is drawn twice in each round, given its weights and given their shape alone, or
//! parts that are small would stay so for too long (Yu and Meng, 2011).

use rand::Rng;
use rand_distr::{Distribution as _, Gamma, StandardNormal};

use crate::linear::{Cholesky, as_f64, dot};

/// Rounds before the first draw that counts.
const WARM_UP: usize = 150;

/// Draws that count.
pub(super) const DRAWS: usize = 500;

/// Variance of the mean, beside scores whose own variance is 1.
const MEAN_VARIANCE: f64 = 4.0;

/// One part of the sum.
#[derive(Debug)]
pub(super) struct Part {
    /// For each experiment its columns.
    pub rows: Vec<Vec<f64>>,
    /// The mean square of each column over the places of its parameters.
    pub squares: Vec<f64>,
    /// How large its effect may well be, as a standard deviation.
    pub scale: f64,
}

/// Draws of variances: of each part over the places of its parameters, and of the noise.
#[derive(Debug)]
pub(super) struct Draws {
    /// For each draw that of every part.
    pub parts: Vec<Vec<f64>>,
    /// For each draw that of the noise.
    pub noise: Vec<f64>,
}

/// A part while it is drawn.
struct State<'a> {
    part: &'a Part,
    /// Its covariance for a size of 1, the lower triangle row by row.
    kernel: Vec<f64>,
    weights: Vec<f64>,
    /// Standard deviation of the weights; its sign means nothing.
    size: f64,
}

/// Draws what the parts of this sum may be. The scores have mean 0 and variance 1.
pub(super) fn draws(scores: &[f64], parts: &[Part], rng: &mut impl Rng) -> Draws {
    let mut states: Vec<State<'_>> = parts.iter().map(State::of).collect();
    let mut noise = 1.0_f64;
    let mut drawn = Draws {
        parts: Vec::with_capacity(DRAWS),
        noise: Vec::with_capacity(DRAWS),
    };
    for round in 0..WARM_UP + DRAWS {
        let mut errors = weights(scores, &mut states, noise, rng);
        for state in &mut states {
            state.resize(rng);
            state.reshape(&mut errors, noise, rng);
        }
        let squares: f64 = errors.iter().map(|error| error * error).sum();
        noise = variance(noise, as_f64(scores.len()), squares, 1.0, rng);
        if round >= WARM_UP {
            drawn.parts.push(states.iter().map(State::variance).collect());
            drawn.noise.push(noise);
        }
    }
    drawn
}

/// Draws the weights of all parts at once, given their sizes, and gives the errors that are left.
/// What is drawn from the prior alone is corrected by what it misses (Matheron's rule).
fn weights(scores: &[f64], states: &mut [State<'_>], noise: f64, rng: &mut impl Rng) -> Vec<f64> {
    let count = scores.len();
    let mut covariance = vec![0.0; count * count];
    for row in 0..count {
        covariance[row * count..=row * count + row].fill(MEAN_VARIANCE);
        covariance[row * count + row] += noise;
    }
    for state in states.iter() {
        let size = state.size * state.size;
        let mut lower = state.kernel.as_slice();
        for row in 0..count {
            let (own, rest) = lower.split_at(row + 1);
            for (sum, value) in covariance[row * count..].iter_mut().zip(own) {
                *sum += size * value;
            }
            lower = rest;
        }
    }
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let mean = MEAN_VARIANCE.sqrt() * normal();
    let mut errors: Vec<f64> = (0..count).map(|_| noise.sqrt() * normal()).collect();
    let mut missing: Vec<f64> = scores
        .iter()
        .zip(&errors)
        .map(|(score, error)| score - mean - error)
        .collect();
    for state in states.iter_mut() {
        for weight in &mut state.weights {
            *weight = state.size * normal();
        }
        for (missing, row) in missing.iter_mut().zip(&state.part.rows) {
            *missing -= dot(row, &state.weights);
        }
    }
    let pull = Cholesky::of(&covariance, missing.len()).solve(&missing);
    for state in states.iter_mut() {
        let size = state.size * state.size;
        for (pull, row) in pull.iter().zip(&state.part.rows) {
            for (weight, value) in state.weights.iter_mut().zip(row) {
                *weight += size * pull * value;
            }
        }
    }
    for (error, pull) in errors.iter_mut().zip(&pull) {
        *error += noise * pull;
    }
    errors
}

impl<'a> State<'a> {
    fn of(part: &'a Part) -> Self {
        let rows = part.rows.iter().enumerate();
        let kernel = rows
            .flat_map(|(index, row)| part.rows[..=index].iter().map(move |other| dot(row, other)))
            .collect();
        Self {
            part,
            kernel,
            weights: vec![0.0; part.squares.len()],
            size: 0.5 * part.scale,
        }
    }

    /// The variance of the part over the places of its parameters.
    fn variance(&self) -> f64 {
        let squares = self.part.squares.iter().zip(&self.weights);
        squares.map(|(square, weight)| square * weight * weight).sum()
    }

    /// Draws the size given the weights.
    fn resize(&mut self, rng: &mut impl Rng) {
        let squares: f64 = self.weights.iter().map(|weight| weight * weight).sum();
        let count = as_f64(self.weights.len());
        self.size = variance(self.size * self.size, count, squares, self.part.scale, rng).sqrt();
    }

    /// Draws the size given the weights' shape, and moves them and the errors along.
    fn reshape(&mut self, errors: &mut [f64], noise: f64, rng: &mut impl Rng) {
        let shape: Vec<f64> = self.weights.iter().map(|weight| weight / self.size).collect();
        let column: Vec<f64> = self.part.rows.iter().map(|row| dot(row, &shape)).collect();
        let spread = self.part.scale.powi(2) + self.size * self.size;
        let prior = 0.5 * spread / gamma(1.0, rng);
        let precision = dot(&column, &column) / noise + 1.0 / prior;
        let pull = (dot(&column, errors) + self.size * dot(&column, &column)) / noise;
        let normal: f64 = StandardNormal.sample(rng);
        let next = pull / precision + normal / precision.sqrt();
        // Nothing at all could not be divided by the next time.
        let next = if next.abs() < 1e-9 { 1e-9 } else { next };
        for (error, value) in errors.iter_mut().zip(&column) {
            *error -= (next - self.size) * value;
        }
        self.size = next;
        self.weights = shape.iter().map(|weight| weight * next).collect();
    }
}

/// Draws a variance whose root is half-Cauchy before `count` values with this sum of squares are
/// known, given the one before.
fn variance(before: f64, count: f64, squares: f64, scale: f64, rng: &mut impl Rng) -> f64 {
    let helper = (1.0 / (scale * scale) + 1.0 / before.max(1e-18)) / gamma(1.0, rng);
    let drawn = (squares / 2.0 + 1.0 / helper) / gamma(f64::midpoint(count, 1.0), rng);
    drawn.clamp(1e-18, 1e6)
}

fn gamma(shape: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, 1.0)
        .map_or(1.0, |gamma| gamma.sample(rng))
        .max(1e-300)
}
