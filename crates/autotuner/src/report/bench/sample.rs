//! Figures of a sample by numpy's definitions, which is what the other tools use.
//!
//! Our own figures are made elsewhere: their deviation, for one, is another.

use super::count;

/// Values of one metric, at least one.
#[derive(Debug)]
pub(super) struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// The sample of these values; `None` when there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self { sorted: values })
    }

    pub(super) fn sum(&self) -> f64 {
        self.sorted.iter().sum()
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum() / count(self.sorted.len())
    }

    /// Of the population, `numpy.std`.
    pub(super) fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.sorted.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / count(self.sorted.len())).sqrt()
    }

    pub(super) fn min(&self) -> f64 {
        self.sorted[0]
    }

    pub(super) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// `numpy.percentile`: interpolated linearly between neighbours.
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        let last = self.sorted.len() - 1;
        let position = percent / 100.0 * count(last);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a position lies between 0 and the last index"
        )]
        let below = (position.floor() as usize).min(last);
        let low = self.sorted[below];
        let high = self.sorted[(below + 1).min(last)];
        low + (high - low) * (position - position.floor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_numpy_s() {
        let sample = Sample::of(vec![4.0, 1.0, 3.0, 2.0]).expect("values");
        assert_eq!((sample.min(), sample.max(), sample.sum()), (1.0, 4.0, 10.0));
        assert_eq!(sample.mean(), 2.5);
        // numpy.std([1, 2, 3, 4]), numpy.percentile([1, 2, 3, 4], [25, 75, 99])
        assert!((sample.deviation() - 1.118_033_988_749_895).abs() < 1e-15);
        assert_eq!(sample.percentile(25.0), 1.75);
        assert_eq!(sample.percentile(75.0), 3.25);
        assert!((sample.percentile(99.0) - 3.97).abs() < 1e-12);
        assert_eq!(sample.percentile(100.0), 4.0);
        let one = Sample::of(vec![7.0]).expect("a value");
        assert_eq!((one.percentile(99.0), one.deviation()), (7.0, 0.0));
        assert!(Sample::of(vec![]).is_none());
    }
}
