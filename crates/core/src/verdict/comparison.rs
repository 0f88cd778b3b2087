//! The best beside the engine's defaults, by measurements that were made for this alone.
//!
//! The measurement by which a configuration came to be the best is left out: of many, it is
//! likely a lucky one ("winner's curse"). What was measured again, in turn with the defaults, has
//! no such favour. How much single measurements differ is taken from every configuration that was
//! measured more than once, and the interval is Student's t.

use super::standing::{Standing, Standings, mean};
use crate::statistics::{student_beyond, student_quantile_beyond};

/// The probability, on each side, that the interval does not hold the true gain, of a single
/// configuration that is looked at once. Looking again and again and choosing among several make
/// it larger; with this, and what is taken off for the number of those, it stays below 5 % in
/// simulated runs (`examples/claims.rs`).
pub const DOUBT: f64 = 0.04;

/// The least noise that is assumed of measurements, as a ratio: of two or three of them some agree
/// by chance.
const LEAST_NOISE: f64 = 0.005;

/// How much better one configuration is than another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The estimate, as a ratio of the objective: 0.25 is a quarter better.
    pub gain: f64,
    /// Lower end of the interval that holds the true gain in 90 of 100 cases.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
    /// The probability to see as much of no gain at all.
    pub chance: f64,
    /// Measurements of either that it rests on: the best's and the defaults'.
    pub runs: (usize, usize),
}

impl Comparison {
    /// The first beside the second; nothing while either was not measured again.
    pub fn of(standings: &Standings<'_>, best: &Standing<'_>, default: &Standing<'_>) -> Option<Self> {
        let noise = standings.noise;
        let runs = (best.repeated().count(), default.repeated().count());
        if runs.0 == 0 || runs.1 == 0 || noise.freedom <= 0.0 {
            return None;
        }
        let variance = (noise.squares / noise.freedom).max(LEAST_NOISE.powi(2));
        let error = (variance * (1.0 / runs.0 as f64 + 1.0 / runs.1 as f64)).sqrt();
        let difference = mean(best.repeated()) - mean(default.repeated());
        let reach = student_quantile_beyond(DOUBT / standings.favour(), noise.freedom) * error;
        let is_maximized = best.typical().objective().is_maximized();
        let ratio = |difference: f64| match is_maximized {
            true => difference.exp_m1(),
            false => -(-difference).exp_m1(),
        };
        Some(Self {
            gain: ratio(difference),
            low: ratio(difference - reach),
            high: ratio(difference + reach),
            chance: student_beyond(difference / error, noise.freedom) * standings.favour(),
            runs,
        })
    }

    /// Whether no gain at all is out of the question.
    pub fn is_gain(&self) -> bool {
        self.low > 0.0
    }
}
