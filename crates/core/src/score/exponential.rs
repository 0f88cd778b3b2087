//! The original system's penalty for a missed SLO, made safe.
//!
//! The original added `weight · exp(ratio / steepness)`. Two faults are mended: far beyond
//! a bound the exponential overflowed, and was then taken for a hard failure, so it is
//! capped; and for throughput the sign was such that every miss ranked above every hit,
//! which [`super::verdict`] mends where the penalty is applied. That the slightest miss
//! costs a whole `weight` is kept: it is what the formula says.

use super::Slo;

/// Largest exponent. e^50 is far beyond any real ratio of scores, and far from overflow.
const LARGEST_EXPONENT: f64 = 50.0;

/// The penalty for missing `slo` by `ratio` (0.1 is ten per cent over), at least 0 and finite.
pub(crate) fn penalty(slo: &Slo, ratio: f64, steepness: f64) -> f64 {
    slo.weight * (ratio / steepness).min(LARGEST_EXPONENT).exp()
}
