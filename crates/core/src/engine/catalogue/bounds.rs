//! Ranges of numbers whose ends may be open.
//!
//! The one idea: an end that is absent is not known, so nothing is outside of it.

use std::fmt;

/// The ends between which numbers lie; an end that is absent is not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// The lower end.
    pub low: Option<End>,
    /// The upper end.
    pub high: Option<End>,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct End {
    /// Where it is.
    pub value: f64,
    /// Whether the end itself belongs to the range.
    pub is_included: bool,
}

impl Bounds {
    /// Whether the number lies between the ends.
    pub fn contains(&self, number: f64) -> bool {
        let is_above = self.low.is_none_or(|low| {
            number > low.value || (low.is_included && number.total_cmp(&low.value).is_eq())
        });
        let is_below = self.high.is_none_or(|high| {
            number < high.value || (high.is_included && number.total_cmp(&high.value).is_eq())
        });
        is_above && is_below
    }
}

/// For example `1 to 8`, `at least 1`, `above 0, at most 1`; empty where both ends are open.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(low), Some(high)) = (self.low, self.high)
            && low.is_included
            && high.is_included
        {
            return write!(f, "{} to {}", low.value, high.value);
        }
        if let Some(low) = self.low {
            let word = if low.is_included { "at least" } else { "above" };
            write!(f, "{word} {}", low.value)?;
        }
        if self.low.is_some() && self.high.is_some() {
            f.write_str(", ")?;
        }
        if let Some(high) = self.high {
            let word = if high.is_included { "at most" } else { "below" };
            write!(f, "{word} {}", high.value)?;
        }
        Ok(())
    }
}

impl End {
    pub(super) const fn included(value: f64) -> Self {
        Self {
            value,
            is_included: true,
        }
    }

    pub(super) const fn excluded(value: f64) -> Self {
        Self {
            value,
            is_included: false,
        }
    }
}
