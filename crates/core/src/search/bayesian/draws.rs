//! Draws that expectations are taken over.

use rand::SeedableRng;
use rand::distr::Distribution;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::outputs::Mix;
use crate::linear::as_f64;

/// Degrees of freedom of draws with heavy tails.
const HEAVINESS: usize = 3;

/// What parts equal draws: a seed and the number of a stream.
pub(super) type Seed = (u64, u64);

/// Standard normal numbers, half of them mirrored, times what each part of each output moves it.
pub(super) fn draws((seed, stream): Seed, mixes: &[&Mix], count: usize) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let mut draws = Vec::with_capacity(count);
    for _ in 0..count / 2 {
        let mut draw = Vec::new();
        for mix in mixes {
            let normals = normals(mix.len(), &mut rng);
            for shares in *mix {
                draw.extend(shares.iter().zip(&normals).map(|(share, normal)| share * normal));
            }
        }
        draws.push(draw.iter().map(|moved| -moved).collect());
        draws.push(draw);
    }
    draws
}

/// Draws with heavy tails, those of Student's t: surprises are more frequent than a normal
/// distribution has them, as engines have cliffs.
pub(super) fn heavy_draws(seed: Seed, mixes: &[&Mix], count: usize) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.0);
    rng.set_stream(1 << 34 | seed.1);
    let mut heavy = draws(seed, mixes, count);
    for pair in heavy.chunks_mut(2) {
        let squares: f64 = normals(HEAVINESS, &mut rng)
            .iter()
            .map(|normal| normal * normal)
            .sum();
        let stretch = (as_f64(HEAVINESS) / squares.max(1e-9)).sqrt();
        pair.iter_mut().flatten().for_each(|moved| *moved *= stretch);
    }
    heavy
}

/// Standard normal numbers.
pub(super) fn normals(count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    (0..count).map(|_| StandardNormal.sample(rng)).collect()
}
