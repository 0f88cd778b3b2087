//! On which scale an output is modelled.
//!
//! Throughputs and latencies are products of what axes do, so their logarithms are sums.
//! A lone output may be anything: there the power is taken that makes the numbers most
//! alike to a normal distribution (Box and Cox, 1964), of logarithm, root and the number itself.

/// A scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// The number itself.
    Plain,
    /// The square root.
    Root,
    /// The natural logarithm.
    Log,
}

/// Least number of values for a choice by the data.
const ENOUGH: usize = 6;

impl Scale {
    /// The scale for these values; `is_alone` where the goal looks at one output only.
    pub(super) fn of(values: &[f64], is_alone: bool) -> Self {
        if values.iter().any(|value| *value <= 0.0) {
            return Self::Plain;
        }
        if !is_alone || values.len() < ENOUGH {
            return Self::Log;
        }
        let likelihood = |scale: &Self| scale.likelihood(values);
        [Self::Log, Self::Root, Self::Plain]
            .into_iter()
            .max_by(|left, right| likelihood(left).total_cmp(&likelihood(right)))
            .unwrap_or(Self::Log)
    }

    fn likelihood(self, values: &[f64]) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "values stay far below 2^53")]
        let count = values.len() as f64;
        let moved: Vec<f64> = values.iter().map(|value| self.on(*value)).collect();
        let mean = moved.iter().sum::<f64>() / count;
        let variance = moved.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let logs: f64 = values.iter().map(|value| value.ln()).sum();
        let jacobian = match self {
            Self::Plain => 0.0,
            Self::Root => count * 0.5_f64.ln() - 0.5 * logs,
            Self::Log => -logs,
        };
        -0.5 * count * variance.max(1e-300).ln() + jacobian
    }

    /// A value on this scale.
    pub(super) fn on(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Root => value.max(0.0).sqrt(),
            Self::Log => value.max(1e-300).ln(),
        }
    }

    /// A value on this scale, back as it was measured.
    pub(super) fn off(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Root => value.max(0.0).powi(2),
            Self::Log => value.clamp(-600.0, 600.0).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_undo_themselves_and_fit_what_they_are_for() {
        for scale in [Scale::Plain, Scale::Root, Scale::Log] {
            assert!((scale.off(scale.on(7.5)) - 7.5).abs() < 1e-9);
        }
        let powers: Vec<f64> = (0..12).map(|power| 2.0_f64.powi(power)).collect();
        assert_eq!(Scale::of(&powers, true), Scale::Log);
        let steps: Vec<f64> = (0..12).map(|step| 100.0 + f64::from(step)).collect();
        assert_ne!(Scale::of(&[-1.0, 2.0], true), Scale::Log);
        assert_eq!(Scale::of(&steps, false), Scale::Log);
    }
}
