//! What is left to be gained: whether it is worth going on.
//!
//! Of points that were not measured, those that promise most are looked at together: in each of
//! many joint draws from the models, how much better than the best known point is the best of
//! them? A crash gains nothing, and neither does a point that misses a hard limit. What lies
//! beyond the points that are looked at is left out, so the answer is a little low.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::model::{Model, Ranked};
use super::problem::{Point, Search};
use crate::linear::as_f64;

/// Points that are looked at together.
pub(super) const LOOKED_AT: usize = 40;

/// Joint draws.
const DRAWS: usize = 128;

/// What is left to be gained by measuring what was not measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Remaining {
    /// The expected gain of the best point that was not measured over the best known, in the
    /// goal's own unit.
    pub expected_gain: f64,
    /// The probability that any gains more than what is worth another trial.
    pub chance: f64,
}

/// What is left to be gained over the best known point, by the points that promise most.
pub(super) fn remaining(
    search: &Search<'_>,
    model: &Model<'_>,
    best: &Ranked,
    points: &[Point],
) -> Remaining {
    let mut rng = ChaCha8Rng::seed_from_u64(search.seed);
    rng.set_stream(1 << 33 | search.history.len() as u64);
    let together: Vec<Point> = std::iter::once(best.point.clone())
        .chain(points.iter().cloned())
        .collect();
    let runs: Vec<f64> = points.iter().map(|point| model.crashes.runs(point)).collect();
    let (mut sum, mut hits) = (0.0, 0.0);
    for worths in model.together(&together, DRAWS, &mut rng) {
        let had = worths[0].value;
        let gain = worths[1..]
            .iter()
            .zip(&runs)
            .filter(|(worth, runs)| rng.random::<f64>() < **runs && worth.violation <= 0.0)
            .map(|(worth, _)| worth.value - had)
            .fold(0.0, f64::max);
        sum += gain;
        hits += f64::from(u8::from(gain > search.worthwhile));
    }
    Remaining {
        expected_gain: sum / as_f64(DRAWS),
        chance: hits / as_f64(DRAWS),
    }
}
