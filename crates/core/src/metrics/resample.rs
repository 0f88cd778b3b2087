//! Intervals by drawing a level's time anew: the circular moving block bootstrap.
//!
//! The one idea: requests that ran side by side are not independent, so it is stretches of time
//! that are drawn, with whatever fell into them. A level's time is a ring of slices; a draw is
//! as many blocks of neighbouring slices as make up that time again, each beginning anywhere; and
//! what a statistic does over many draws tells how sure it is. What falls into which slice, and
//! which statistics are wanted, is decided elsewhere.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::distribution::count;

/// How often time is drawn anew.
const DRAWS: usize = 600;

/// Slices in a block.
const IN_BLOCK: usize = 4;

/// What the generator is seeded with, beside the number of requests: equal data have equal
/// intervals.
const SEED: u64 = 0x6175_746f_7475_6e65;

/// Ranks from one checkpoint of a sorted list to the next.
const STRIDE: usize = 256;

/// Where the true value lies in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How often each slice was drawn, draw by draw.
#[derive(Debug)]
pub(super) struct Draws {
    slices: usize,
    blocks: usize,
    /// One row a draw.
    times: Vec<u32>,
}

impl Draws {
    /// The draws of a time of so many blocks, at least two.
    pub(super) fn of(blocks: usize, requests: usize) -> Option<Self> {
        if blocks < 2 {
            return None;
        }
        let slices = blocks * IN_BLOCK;
        let mut generator = ChaCha8Rng::seed_from_u64(SEED ^ requests as u64);
        let mut times = vec![0; DRAWS * slices];
        for draw in times.chunks_exact_mut(slices) {
            for _ in 0..blocks {
                let begin = generator.random_range(0..slices);
                for offset in 0..IN_BLOCK {
                    draw[(begin + offset) % slices] += 1;
                }
            }
        }
        Some(Self {
            slices,
            blocks,
            times,
        })
    }

    /// How many slices time is cut into.
    pub(super) fn slices(&self) -> usize {
        self.slices
    }

    fn each(&self) -> impl Iterator<Item = &[u32]> {
        self.times.chunks_exact(self.slices)
    }

    /// The interval of a ratio of sums, each sum given slice by slice.
    pub(super) fn of_ratio(&self, above: &[f64], below: &[f64]) -> Option<Interval> {
        let sum = |times: &[u32], parts: &[f64]| -> f64 {
            let weighted = times.iter().zip(parts);
            weighted.map(|(times, part)| f64::from(*times) * part).sum()
        };
        let whole = vec![1; self.slices];
        let ratio = |times: &[u32]| {
            let below = sum(times, below);
            (below > 0.0).then(|| sum(times, above) / below)
        };
        let point = ratio(&whole)?;
        self.interval(point, self.each().filter_map(ratio).collect())
    }

    /// The interval of a percentile, as a share, of values that each belong to a slice.
    pub(super) fn of_percentile(&self, ranked: &Ranked, fraction: f64) -> Option<Interval> {
        let whole = vec![1; self.slices];
        let point = ranked.percentile(&whole, fraction)?;
        let drawn = self.each().filter_map(|times| ranked.percentile(times, fraction));
        self.interval(point, drawn.collect())
    }

    /// Between the 2.5th and the 97.5th percentile of what was drawn, and wider about the point
    /// by as much as Student's t is than a normal distribution: few blocks vary too little.
    fn interval(&self, point: f64, mut drawn: Vec<f64>) -> Option<Interval> {
        if drawn.len() < DRAWS / 2 {
            return None;
        }
        drawn.sort_by(f64::total_cmp);
        let (from, to) = (drawn.len() / 40, drawn.len() - 1 - drawn.len() / 40);
        let blocks = count(self.blocks);
        let wider = student(blocks - 1.0) / NORMAL * (blocks / (blocks - 1.0)).sqrt();
        let low = point - (point - drawn[from]).max(0.0) * wider;
        let high = point + (drawn[to] - point).max(0.0) * wider;
        Some(Interval {
            low: low.max(0.0),
            high,
        })
    }
}

/// The 97.5th percentile of a normal distribution.
const NORMAL: f64 = 1.959_963_985;

/// The same of Student's t with so many degrees of freedom, by the expansion of Cornish and
/// Fisher: within a hundredth from four degrees on.
fn student(freedom: f64) -> f64 {
    let z = NORMAL;
    z + (z.powi(3) + z) / (4.0 * freedom)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom.powi(2))
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * freedom.powi(3))
}

/// Values in order, each with its slice, and how many of each slice come before every so many
/// of them: so that a draw's percentile is found without going through them all.
#[derive(Debug)]
pub(super) struct Ranked {
    values: Vec<(f64, usize)>,
    slices: usize,
    /// One row for each [`STRIDE`] values, and one for them all.
    before: Vec<u32>,
}

impl Ranked {
    /// Of values and their slices, of which there are so many.
    pub(super) fn of(mut values: Vec<(f64, usize)>, slices: usize) -> Self {
        values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut row = vec![0; slices];
        let mut before = Vec::new();
        for part in values.chunks(STRIDE) {
            before.extend_from_slice(&row);
            for (_, slice) in part {
                row[*slice] += 1;
            }
        }
        before.extend_from_slice(&row);
        Self {
            values,
            slices,
            before,
        }
    }

    fn before(&self, checkpoint: usize, times: &[u32]) -> usize {
        let row = &self.before[checkpoint * self.slices..(checkpoint + 1) * self.slices];
        let weighted = row.iter().zip(times);
        weighted.map(|(n, times)| *n as usize * *times as usize).sum()
    }

    /// The percentile of the values, each taken as often as its slice, with linear
    /// interpolation; `None` where none is taken.
    fn percentile(&self, times: &[u32], fraction: f64) -> Option<f64> {
        let checkpoints = self.before.len() / self.slices;
        let n = self.before(checkpoints - 1, times);
        let position = fraction * count(n.checked_sub(1)?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a position lies between 0 and the last index"
        )]
        let rank = position.floor() as usize;
        let low = self.at_rank(rank, times)?;
        let high = self.at_rank((rank + 1).min(n - 1), times)?;
        Some(low + (high - low) * (position - position.floor()))
    }

    fn at_rank(&self, rank: usize, times: &[u32]) -> Option<f64> {
        let checkpoints = self.before.len() / self.slices;
        let (mut from, mut to) = (0, checkpoints - 1);
        while to - from > 1 {
            let middle = usize::midpoint(from, to);
            match self.before(middle, times) <= rank {
                true => from = middle,
                false => to = middle,
            }
        }
        let mut passed = self.before(from, times);
        self.values[from * STRIDE..].iter().find_map(|(value, slice)| {
            passed += times[*slice] as usize;
            (passed > rank).then_some(*value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Distribution;
    use crate::score::Percentile;

    #[test]
    fn a_draws_percentile_is_that_of_the_values_written_out() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        for n in [1, 2, 255, 256, 257, 2000] {
            let slices = 12;
            let values: Vec<(f64, usize)> = (0..n)
                .map(|_| (generator.random::<f64>(), generator.random_range(0..slices)))
                .collect();
            let ranked = Ranked::of(values.clone(), slices);
            for _ in 0..20 {
                let times: Vec<u32> = (0..slices).map(|_| generator.random_range(0..4)).collect();
                let written_out: Vec<f64> = values
                    .iter()
                    .flat_map(|(value, slice)| vec![*value; times[*slice] as usize])
                    .collect();
                let whole = Distribution::of(written_out, 0);
                for percentile in Percentile::ALL {
                    assert_eq!(
                        ranked.percentile(&times, percentile.fraction()),
                        whole.as_ref().map(|whole| whole.percentile(percentile)),
                        "{percentile:?} of {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_draw_is_as_long_as_the_time_it_stands_for() {
        let draws = Draws::of(20, 100).expect("enough blocks");
        assert_eq!(draws.slices(), 80);
        assert_eq!(draws.each().count(), DRAWS);
        assert!(draws.each().all(|times| times.iter().sum::<u32>() == 80));
        assert!(Draws::of(1, 100).is_none());
    }

    #[test]
    fn what_does_not_vary_is_sure() {
        let draws = Draws::of(20, 100).expect("enough blocks");
        let sure = draws.of_ratio(&[3.0; 80], &[2.0; 80]).expect("an interval");
        assert_eq!((sure.low, sure.high), (1.5, 1.5));
        assert_eq!(draws.of_ratio(&[0.0; 80], &[0.0; 80]), None);
    }

    #[test]
    fn students_t_is_that_of_the_tables() {
        for (freedom, expected) in [(4.0, 2.776), (9.0, 2.262), (19.0, 2.093), (49.0, 2.010)] {
            let found = student(freedom);
            assert!(
                (found - expected).abs() < 0.01,
                "{found} instead of {expected} for {freedom}"
            );
        }
    }
}
