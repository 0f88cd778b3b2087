//! How the scores lie over the values of each parameter.

use super::Scored;
use crate::ids::ExperimentNumber;
use crate::space::{Domain, Parameter, ParameterName, Value};

/// The scored experiments over one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// Which parameter.
    pub name: ParameterName,
    /// What its values are.
    pub kind: Kind,
    /// Every scored experiment that sets it, in their order.
    pub points: Vec<Point>,
    /// The same by value, for a parameter that is given as a list: its values that were measured,
    /// in the list's order.
    pub groups: Option<Vec<Group>>,
}

/// What values a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words, or a list of values of several kinds.
    Categorical,
    /// Whole numbers, listed or in a range.
    Integer,
    /// Numbers.
    Continuous,
    /// On and off.
    Boolean,
}

/// One experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The parameter's value.
    pub value: Value,
    /// What the objective looks at, in its own unit.
    pub objective_value: f64,
    /// Which experiment.
    pub number: ExperimentNumber,
    /// Whether it may be chosen at all.
    pub is_feasible: bool,
}

/// The experiments of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The value.
    pub value: Value,
    /// How many experiments.
    pub count: usize,
    /// Median of what the objective looks at.
    pub median: f64,
    /// What the objective looks at in the best of them, by the score's own order.
    pub best: f64,
}

impl Kind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Categorical => "categorical",
            Self::Integer => "integer",
            Self::Continuous => "continuous",
            Self::Boolean => "boolean",
        }
    }

    fn of(domain: &Domain) -> Self {
        let values = match domain {
            Domain::Integer { .. } => return Self::Integer,
            Domain::Continuous { .. } => return Self::Continuous,
            Domain::Choice(values) => values,
        };
        if values.iter().all(|value| matches!(value, Value::Bool(_))) {
            Self::Boolean
        } else if values.iter().all(|value| matches!(value, Value::Int(_))) {
            Self::Integer
        } else if values.iter().all(|value| value.as_number().is_some()) {
            Self::Continuous
        } else {
            Self::Categorical
        }
    }
}

/// A slice for each parameter.
pub(super) fn slices(parameters: &[Parameter], scored: &[Scored<'_>]) -> Vec<Slice> {
    let slice = |parameter: &Parameter| {
        let set: Vec<(&Value, &Scored<'_>)> = scored
            .iter()
            .filter_map(|scored| Some((scored.candidate.get(parameter.name.as_str())?, scored)))
            .collect();
        Slice {
            name: parameter.name.clone(),
            kind: Kind::of(&parameter.domain),
            points: set.iter().map(|(value, scored)| point(value, scored)).collect(),
            groups: match &parameter.domain {
                Domain::Choice(values) => Some(groups(values, &set)),
                Domain::Integer { .. } | Domain::Continuous { .. } => None,
            },
        }
    };
    parameters.iter().map(slice).collect()
}

fn point(value: &Value, scored: &Scored<'_>) -> Point {
    Point {
        value: value.clone(),
        objective_value: scored.score.objective_value(),
        number: scored.number,
        is_feasible: scored.score.is_feasible(),
    }
}

fn groups(values: &[Value], set: &[(&Value, &Scored<'_>)]) -> Vec<Group> {
    let group = |value: &Value| {
        let of_value = || set.iter().filter(|(other, _)| *other == value);
        let best = of_value().map(|(_, scored)| scored.score).max()?;
        let mut measured: Vec<f64> = of_value()
            .map(|(_, scored)| scored.score.objective_value())
            .collect();
        Some(Group {
            value: value.clone(),
            count: measured.len(),
            median: median(&mut measured)?,
            best: best.objective_value(),
        })
    };
    values.iter().filter_map(group).collect()
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (upper, lower) = (values.len() / 2, values.len().saturating_sub(1) / 2);
    Some(f64::midpoint(*values.get(lower)?, *values.get(upper)?))
}
