//! The problem the model sees: axes of numbered levels, measured numbers, a goal.
//!
//! Nothing here knows of engines or metrics by name. A point is the number of a level on
//! each axis; a measurement is a row of numbers; what they are worth is the goal's to say.

use std::cmp::Ordering;

/// A point: for each axis the number of its level.
pub type Point = Vec<u16>;

/// One thing that varies.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Whether neighbouring levels are alike, and where each lies between 0 and 1.
    positions: Option<Vec<f64>>,
    levels: usize,
}

/// One measured number that the goal looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Outputs of one group are the same metric at different loads: what an axis does to
    /// one of them it mostly does to all.
    pub group: usize,
}

/// What a row of measured numbers is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// In the goal's own unit; higher is better.
    pub value: f64,
    /// The largest relative excess over a hard limit; all limits hold at 0 and below.
    pub violation: f64,
}

/// What is wanted.
pub trait Goal {
    /// What is measured, in the order of a row.
    fn outputs(&self) -> &[Output];

    /// What a row is worth.
    fn worth(&self, row: &[f64]) -> Worth;
}

/// Why a point could not be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Crash {
    /// Its values do not go together.
    Refused,
    /// It takes more memory than there is, seen at start-up.
    StartMemory,
    /// It takes more memory than there is, seen under load.
    LoadMemory,
    /// It takes more time than there is.
    Time,
    /// Nothing that the point is to blame for.
    Flaky,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The measured numbers, one for each output.
    Measured(Vec<f64>),
    /// Given up early: what was measured until then.
    Partial(Vec<Option<f64>>),
    /// No numbers.
    Crashed(Crash),
}

/// One trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What was tried.
    pub point: Point,
    /// What came of it.
    pub outcome: Outcome,
}

/// All that a suggestion rests on.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// What varies.
    pub axes: &'a [Axis],
    /// Which points may be tried at all.
    pub allowed: &'a dyn Fn(&[u16]) -> bool,
    /// Which point is meant by another one: where one axis decides whether another has a say, several
    /// points would be the same.
    pub settled: &'a dyn Fn(Point) -> Point,
    /// What is wanted.
    pub goal: &'a dyn Goal,
    /// Every trial, oldest first.
    pub history: &'a [Trial],
    /// The trials of each earlier task with the same axes and the same goal.
    pub earlier: &'a [&'a [Trial]],
    /// Points that are being measured now.
    pub pending: &'a [Point],
    /// Trials planned in all.
    pub budget: usize,
    /// Trials of a spread design before the model decides.
    pub initial: usize,
    /// Whether measuring a point again is worth a trial of the budget.
    pub replicates: bool,
    /// A gain that is worth another trial, in the goal's own unit.
    pub worthwhile: f64,
    /// Whether to stop once no such gain is to be expected any more.
    pub stops: bool,
    /// Parts equal searches.
    pub seed: u64,
}

/// What to try next.
#[derive(Debug, Clone, PartialEq)]
pub enum Suggestion {
    /// A new point.
    Try {
        /// Which.
        point: Point,
        /// Why, for people.
        why: String,
    },
    /// A point that was measured before.
    Replicate {
        /// Which.
        point: Point,
        /// Why, for people.
        why: String,
    },
    /// Nothing is left to try.
    Stop {
        /// Why, for people.
        why: String,
    },
}

impl Worth {
    /// The better one first: by what is missed of the limits, then by value.
    pub fn best_first(&self, other: &Self) -> Ordering {
        let missed = |worth: &Self| worth.violation.max(0.0);
        missed(self)
            .total_cmp(&missed(other))
            .then(other.value.total_cmp(&self.value))
    }
}

impl Axis {
    /// An axis whose levels are in order, one step apart.
    pub fn ordered(levels: usize) -> Self {
        let last = levels.saturating_sub(1).max(1);
        #[expect(clippy::cast_precision_loss, reason = "levels stay far below 2^53")]
        let positions = (0..levels).map(|level| level as f64 / last as f64).collect();
        Self {
            positions: Some(positions),
            levels,
        }
    }

    /// An axis whose levels are in order, but for the lowest, which says that it has none: half
    /// the way of all the others below them.
    pub fn ordered_or_off(levels: usize) -> Self {
        let rest = Self::ordered(levels.saturating_sub(1))
            .positions
            .unwrap_or_default();
        let above = rest.iter().map(|position| (1.0 + 2.0 * position) / 3.0);
        Self {
            positions: Some(std::iter::once(0.0).chain(above).collect()),
            levels,
        }
    }

    /// An axis whose levels have no order.
    pub fn categorical(levels: usize) -> Self {
        Self {
            positions: None,
            levels,
        }
    }

    /// How many levels there are.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// Where the levels lie between 0 and 1; nothing where they have no order.
    pub fn positions(&self) -> Option<&[f64]> {
        self.positions.as_deref().filter(|positions| positions.len() > 2)
    }
}

impl Outcome {
    /// The measured numbers, if all of them are there.
    pub fn measured(&self) -> Option<&[f64]> {
        match self {
            Self::Measured(row) => Some(row),
            Self::Partial(_) | Self::Crashed(_) => None,
        }
    }

    /// What was measured of each output; nothing if it crashed.
    pub(super) fn seen(&self) -> Option<Vec<Option<f64>>> {
        match self {
            Self::Measured(row) => Some(row.iter().map(|value| Some(*value)).collect()),
            Self::Partial(row) => Some(row.clone()),
            Self::Crashed(_) => None,
        }
    }
}
