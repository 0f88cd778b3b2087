//! Tails and quantiles of the two distributions that judgements rest on.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The probability that a standard normal number exceeds this one.
pub(crate) fn normal_beyond(value: f64) -> f64 {
    Normal::standard().sf(value)
}

/// The number that a standard normal one exceeds with this probability.
pub(crate) fn normal_quantile_beyond(probability: f64) -> f64 {
    -Normal::standard().inverse_cdf(probability)
}

/// The probability that Student's t with so many degrees of freedom exceeds this number; one half
/// where there are none.
pub(crate) fn student_beyond(value: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(0.5, |student| student.sf(value))
}

/// The number that Student's t with so many degrees of freedom exceeds with this probability;
/// infinite where there are none.
pub(crate) fn student_quantile_beyond(probability: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |student| -student.inverse_cdf(probability))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_those_of_the_tables() {
        for (freedom, expected) in [(1.0, 6.314), (2.0, 2.920), (9.0, 1.833), (29.0, 1.699)] {
            let found = student_quantile_beyond(0.05, freedom);
            assert!((found - expected).abs() < 1e-3, "{found} for {freedom}");
            assert!((student_beyond(found, freedom) - 0.05).abs() < 1e-6);
        }
        assert_eq!(student_quantile_beyond(0.05, 0.0), f64::INFINITY);
        assert!((normal_beyond(1.644_854) - 0.05).abs() < 1e-6);
        assert!((normal_quantile_beyond(0.05) - 1.644_854).abs() < 1e-5);
    }
}
