//! Sobol points: evenly spread however many are taken.
//!
//! Direction numbers by Joe and Kuo (2008), digitally shifted by a seed. Axes beyond the
//! table's draw at random.

use rand::{Rng, RngExt};

/// Degree, coefficients and initial numbers of dimensions 2 and up (new-joe-kuo-6.21201).
const DIRECTIONS: [(u32, u32, &[u32]); 20] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
    (6, 19, &[1, 1, 1, 15, 7, 5]),
    (6, 22, &[1, 3, 1, 15, 13, 25]),
    (6, 25, &[1, 1, 5, 5, 19, 61]),
    (7, 1, &[1, 3, 7, 11, 23, 15, 103]),
    (7, 4, &[1, 3, 7, 13, 13, 15, 69]),
];

/// The 32 direction numbers of a dimension, counted from 0.
fn directions(dimension: usize) -> Option<[u32; 32]> {
    let mut numbers = [0_u32; 32];
    if dimension == 0 {
        for (bit, number) in numbers.iter_mut().enumerate() {
            *number = 1 << (31 - bit);
        }
        return Some(numbers);
    }
    let (degree, coefficients, initial) = DIRECTIONS.get(dimension - 1)?;
    let degree = *degree as usize;
    for bit in 0..32 {
        numbers[bit] = match initial.get(bit) {
            Some(first) => first << (31 - bit),
            None => {
                let mut number = numbers[bit - degree] ^ (numbers[bit - degree] >> degree);
                for back in 1..degree {
                    if coefficients >> (degree - 1 - back) & 1 == 1 {
                        number ^= numbers[bit - back];
                    }
                }
                number
            }
        };
    }
    Some(numbers)
}

/// The first `count` points in the unit cube of so many dimensions.
pub(in crate::search) fn points(dimensions: usize, count: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let mut points = vec![Vec::with_capacity(dimensions); count];
    for dimension in 0..dimensions {
        let shift: u32 = rng.random();
        let numbers = directions(dimension);
        let mut state = 0_u32;
        for (index, point) in points.iter_mut().enumerate() {
            let value = match &numbers {
                Some(numbers) => {
                    let value = state ^ shift;
                    state ^= numbers[(index + 1).trailing_zeros() as usize];
                    value
                }
                None => rng.random(),
            };
            point.push((f64::from(value) + 0.5) / 4_294_967_296.0);
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn every_slice_of_every_dimension_is_hit_equally() {
        let points = points(21, 64, &mut ChaCha8Rng::seed_from_u64(1));
        for dimension in 0..21 {
            let mut hits = [0; 64];
            for point in &points {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 64")]
                let slice = (point[dimension] * 64.0) as usize;
                hits[slice] += 1;
            }
            assert_eq!(hits, [1; 64], "dimension {dimension}");
        }
    }
}
