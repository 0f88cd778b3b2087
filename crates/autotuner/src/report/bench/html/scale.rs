//! An axis: from values to places, with round steps and words for them.

use super::text::grouped;
use crate::report::words;

/// What an axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds, told as µs, ms or s.
    Time,
    /// A plain number.
    Number,
    /// A share, told in per cent.
    Share,
}

/// One axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) unit: Unit,
    /// Where it begins; `None` at its least value.
    pub(super) from: Option<f64>,
    /// Where it ends at the latest; what lies beyond is not drawn.
    pub(super) to: Option<f64>,
    /// Whether it ends with its greatest value, and not with the next round one.
    pub(super) is_tight: bool,
}

/// From values to places, with round steps.
pub(super) struct Scale {
    unit: Unit,
    low: f64,
    high: f64,
    step: f64,
    begin: f64,
    end: f64,
}

impl Scale {
    /// The scale that `values` ask for on `axis`, drawn between `begin` and `end`.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Self {
        let mut bounds = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            bounds = (bounds.0.min(value), bounds.1.max(value));
        }
        let mut low = axis.from.unwrap_or(bounds.0);
        let mut high = axis.to.map_or(bounds.1, |to| to.min(bounds.1));
        if !low.is_finite() || !high.is_finite() {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= low.abs() * 1e-9 {
            (low, high) = if low > 0.0 {
                (low * 0.9, low * 1.1)
            } else {
                (low, low + 1.0)
            };
        }
        let step = round_step((high - low) / 5.0);
        Self {
            unit: axis.unit,
            low: if axis.from.is_some() {
                low
            } else {
                (low / step).floor() * step
            },
            high: if axis.is_tight {
                high
            } else {
                (high / step - 1e-9).ceil() * step
            },
            step,
            begin,
            end,
        }
    }

    /// Whether `value` lies on it.
    pub(super) fn has(&self, value: f64) -> bool {
        value.is_finite() && value >= self.low - self.step * 1e-6 && value <= self.high + self.step * 1e-6
    }

    /// Where `value` is drawn.
    pub(super) fn place(&self, value: f64) -> f64 {
        self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)
    }

    /// Values worth a line, from the least.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let first = (self.low / self.step - 1e-9).ceil();
        (0..20_u8)
            .map(move |index| (first + f64::from(index)) * self.step)
            .take_while(|tick| *tick <= self.high + self.step * 1e-6)
    }

    /// A tick, without the unit that stands beside the axis.
    pub(super) fn told(&self, value: f64) -> String {
        let factor = self.factor();
        let (value, step) = (value * factor, self.step * factor);
        if self.unit == Unit::Number && self.high >= 10_000.0 {
            return format!("{}k", plain(value / 1000.0, step / 1000.0));
        }
        plain(value, step)
    }

    /// A value by itself.
    pub(super) fn told_alone(&self, value: f64) -> String {
        match self.unit {
            Unit::Time => words::duration(value),
            Unit::Number => grouped(value),
            Unit::Share => format!("{:.1} %", value * 100.0),
        }
    }

    fn factor(&self) -> f64 {
        match self.unit {
            Unit::Number => 1.0,
            Unit::Share => 100.0,
            Unit::Time if self.high < 1e-3 => 1e6,
            Unit::Time if self.high < 1.0 => 1e3,
            Unit::Time => 1.0,
        }
    }

    /// The unit that ticks are told in, for behind the axis's label.
    pub(super) fn unit_word(&self) -> &'static str {
        match self.unit {
            Unit::Number => "",
            Unit::Share => ", %",
            Unit::Time if self.high < 1e-3 => ", µs",
            Unit::Time if self.high < 1.0 => ", ms",
            Unit::Time => ", s",
        }
    }
}

/// As many decimals as tell one step from the next.
fn plain(value: f64, step: f64) -> String {
    let decimals = (0..6_usize).find(|decimals| {
        let scaled = step * 10_f64.powi(i32::try_from(*decimals).unwrap_or(0));
        (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
    });
    let decimals = decimals.unwrap_or(6);
    let text = format!("{value:.decimals$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() {
        "0".into()
    } else {
        text
    }
}

/// The next of 1, 2 and 5 times a power of ten.
pub(super) fn round_step(at_least: f64) -> f64 {
    if !(at_least > 0.0 && at_least.is_finite()) {
        return 1.0;
    }
    let power = 10_f64.powf(at_least.log10().floor());
    let times = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|times| times * power >= at_least * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        let check = |at_least: f64, expected: f64| {
            let found = round_step(at_least);
            assert!((found / expected - 1.0).abs() < 1e-9, "{at_least}: {found}");
        };
        check(0.03, 0.05);
        check(1.0, 1.0);
        check(1.1, 2.0);
        check(6.0, 10.0);
        check(0.0, 1.0);
        check(f64::NAN, 1.0);
    }

    /// From 0 to what there is.
    pub(in super::super) fn axis(unit: Unit) -> Axis {
        Axis {
            label: "x",
            unit,
            from: Some(0.0),
            to: None,
            is_tight: false,
        }
    }

    #[test]
    fn ticks_are_told_with_what_tells_them_apart() {
        let told = |unit, most: f64| {
            let scale = Scale::of(&axis(unit), [most].into_iter(), 0.0, 100.0);
            let ticks: Vec<String> = scale.ticks().map(|tick| scale.told(tick)).collect();
            format!("{}{}", ticks.join(" "), scale.unit_word())
        };
        assert_eq!(told(Unit::Time, 0.047), "0 10 20 30 40 50, ms");
        assert_eq!(
            told(Unit::Time, 2.2),
            "0.0 0.5 1.0 1.5 2.0 2.5, s".replacen("0.0", "0", 1)
        );
        assert_eq!(told(Unit::Share, 1.0), "0 20 40 60 80 100, %");
        assert_eq!(told(Unit::Number, 24_000.0), "0k 5k 10k 15k 20k 25k");
    }
}
