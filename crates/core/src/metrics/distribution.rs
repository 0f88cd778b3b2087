//! A metric's distribution over requests, and over pooled gaps.

use hdrhistogram::Histogram;

use crate::score::Percentile;

/// Fewest requests that can carry a 99th percentile.
pub const LOW_N_P99: usize = 100;

/// One metric over the requests that have it, in the metric's own unit.
///
/// Percentiles are exact, with linear interpolation between neighbours (numpy's default).
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// How many requests have the metric, at least 1.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of the sample; 0 for a single request.
    pub deviation: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sorted values, for percentiles.
    sorted: Vec<f64>,
    /// Requests without the metric because they did not succeed.
    failures: usize,
}

/// What a [`Distribution`] is made of, for whoever keeps one and brings it back.
#[derive(Debug, Clone, PartialEq)]
pub struct DistributionParts {
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of the sample.
    pub deviation: f64,
    /// Every value, smallest first.
    pub sorted: Vec<f64>,
    /// Requests without the metric because they did not succeed.
    pub failures: usize,
}

impl Distribution {
    /// The distribution that [`Distribution::parts`] took apart; `None` for parts that no
    /// distribution has: no value, or values out of order.
    pub fn from_parts(parts: DistributionParts) -> Option<Self> {
        let DistributionParts {
            mean,
            deviation,
            sorted,
            failures,
        } = parts;
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        sorted
            .is_sorted_by(|a, b| a.total_cmp(b).is_le())
            .then_some(Self {
                n: sorted.len(),
                mean,
                deviation,
                min,
                max,
                sorted,
                failures,
            })
    }

    /// What it is made of.
    pub fn parts(&self) -> DistributionParts {
        let Self {
            n: _,
            mean,
            deviation,
            min: _,
            max: _,
            sorted,
            failures,
        } = self;
        DistributionParts {
            mean: *mean,
            deviation: *deviation,
            sorted: sorted.clone(),
            failures: *failures,
        }
    }

    /// The distribution of `values`; `None` when there are none.
    ///
    /// `failures` is how many requests did not succeed; they matter only to
    /// [`Distribution::percentile_with_failures`].
    pub fn of(mut values: Vec<f64>, failures: usize) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let n = values.len();
        let mean = values.iter().sum::<f64>() / count(n);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if n > 1 {
            (squares / count(n - 1)).sqrt()
        } else {
            0.0
        };
        Some(Self {
            n,
            mean,
            deviation,
            min,
            max,
            sorted: values,
            failures,
        })
    }

    /// The value below which this share of the successful requests lies.
    pub fn percentile(&self, percentile: Percentile) -> f64 {
        interpolated(&self.sorted, percentile.fraction())
    }

    /// The same with every request that did not succeed counted as infinite; infinite
    /// where such a request is reached.
    pub fn percentile_with_failures(&self, percentile: Percentile) -> f64 {
        let position = percentile.fraction() * count(self.n + self.failures - 1);
        if position.ceil() > count(self.n - 1) {
            return f64::INFINITY;
        }
        interpolated_at(&self.sorted, position)
    }

    /// Whether there are too few requests for this percentile to be more than a hint.
    pub fn is_low_n(&self, percentile: Percentile) -> bool {
        self.n < Self::fewest(percentile)
    }

    /// How many requests it takes for a percentile to be more than a hint.
    pub(crate) fn fewest(percentile: Percentile) -> usize {
        match percentile {
            Percentile::P50 => 2,
            Percentile::P90 => 10,
            Percentile::P95 => 20,
            Percentile::P99 => LOW_N_P99,
        }
    }
}

/// A distribution that is kept only in brief, seconds: of gaps, pooled, by a histogram of three
/// significant digits; of requests, exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct GapDistribution {
    /// How many values.
    pub n: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// Ninetieth percentile.
    pub p90: f64,
    /// Ninety-ninth percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
}

impl GapDistribution {
    /// The distribution of these gaps in nanoseconds; `None` when there are none.
    pub(super) fn of(gaps: &Histogram<u64>) -> Option<Self> {
        if gaps.is_empty() {
            return None;
        }
        let seconds = |nanoseconds: u64| seconds(nanoseconds);
        Some(Self {
            n: gaps.len(),
            mean: gaps.mean() / 1e9,
            p50: seconds(gaps.value_at_quantile(0.50)),
            p90: seconds(gaps.value_at_quantile(0.90)),
            p99: seconds(gaps.value_at_quantile(0.99)),
            max: seconds(gaps.max()),
        })
    }

    /// The distribution of these values, one a request, in brief; `None` when there are none.
    pub(super) fn exact(values: Vec<f64>) -> Option<Self> {
        let whole = Distribution::of(values, 0)?;
        Some(Self {
            n: whole.n as u64,
            mean: whole.mean,
            p50: whole.percentile(Percentile::P50),
            p90: whole.percentile(Percentile::P90),
            p99: whole.percentile(Percentile::P99),
            max: whole.max,
        })
    }
}

/// Nanoseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "exact to 2^53 ns, 104 days")]
pub(super) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// A count as a number to divide by.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^53"
)]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

fn interpolated(sorted: &[f64], fraction: f64) -> f64 {
    interpolated_at(sorted, fraction * count(sorted.len().saturating_sub(1)))
}

fn interpolated_at(sorted: &[f64], position: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position lies between 0 and the last index"
    )]
    let below = position.floor() as usize;
    let low = sorted[below.min(sorted.len() - 1)];
    let high = sorted[(below + 1).min(sorted.len() - 1)];
    low + (high - low) * (position - position.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_as_numpy_does() {
        let check = |values: &[f64], percentile: Percentile, expected: f64| {
            let distribution = Distribution::of(values.to_vec(), 0).expect("not empty");
            let found = distribution.percentile(percentile);
            assert!(
                (found - expected).abs() < 1e-12,
                "{values:?}: {found} instead of {expected}"
            );
        };
        check(&[1.0, 2.0, 3.0, 4.0], Percentile::P50, 2.5);
        check(&[4.0, 1.0, 3.0, 2.0], Percentile::P90, 3.7);
        check(&[4.0, 1.0, 3.0, 2.0], Percentile::P99, 3.97);
        check(&[7.0], Percentile::P99, 7.0);
        check(&[1.0, 1.0, 5.0], Percentile::P95, 4.6);
    }

    #[test]
    fn moments_are_those_of_a_sample() {
        let distribution =
            Distribution::of(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0).expect("not empty");
        assert_eq!((distribution.n, distribution.mean), (8, 5.0));
        assert_eq!((distribution.min, distribution.max), (2.0, 9.0));
        assert!((distribution.deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(Distribution::of(vec![3.0], 0).expect("one").deviation, 0.0);
        assert_eq!(Distribution::of(vec![], 4), None);
    }

    #[test]
    fn a_failure_is_slower_than_anything() {
        let distribution = Distribution::of((1..=9).map(f64::from).collect(), 1).expect("not empty");
        assert_eq!(distribution.percentile_with_failures(Percentile::P50), 5.5);
        assert_eq!(
            distribution.percentile_with_failures(Percentile::P99),
            f64::INFINITY
        );
        let sound = Distribution::of((1..=9).map(f64::from).collect(), 0).expect("not empty");
        assert_eq!(
            sound.percentile_with_failures(Percentile::P99),
            sound.percentile(Percentile::P99)
        );
    }

    #[test]
    fn few_requests_are_marked() {
        let of = |n: usize| Distribution::of(vec![1.0; n], 0).expect("not empty");
        assert!(of(99).is_low_n(Percentile::P99) && !of(100).is_low_n(Percentile::P99));
        assert!(of(9).is_low_n(Percentile::P90) && !of(10).is_low_n(Percentile::P90));
    }
}
