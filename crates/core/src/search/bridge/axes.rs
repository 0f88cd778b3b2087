//! A space's parameters as axes of numbered levels, and candidates as points.

use crate::search::bayesian::{Axis, Point};
use crate::space::{Candidate, Domain, Parameter, ParameterName, Space, Value};

/// Most values of a range that are levels each; of longer ranges so many, spread over its
/// own scale, are.
const MOST_LEVELS: u16 = 65;

/// Most entries of a list that are levels.
const MOST_CHOICES: usize = 4096;

/// What varies, level by level.
pub(in crate::search) struct Axes {
    axes: Vec<Axis>,
    levels: Vec<Levels>,
}

/// The values of one parameter, level by level.
struct Levels {
    name: ParameterName,
    values: Vec<Value>,
    is_ordered: bool,
}

impl Axes {
    pub(in crate::search) fn of(space: &Space) -> Self {
        let levels: Vec<Levels> = space.parameters().iter().map(Levels::of).collect();
        let axis = |levels: &Levels| match levels.is_ordered {
            true => Axis::ordered(levels.values.len()),
            false => Axis::categorical(levels.values.len()),
        };
        Self {
            axes: levels.iter().map(axis).collect(),
            levels,
        }
    }

    /// Every axis, in the order of the space.
    pub(in crate::search) fn all(&self) -> &[Axis] {
        &self.axes
    }

    /// The candidate at a point.
    pub(in crate::search) fn candidate(&self, point: &[u16]) -> Candidate {
        let value = |(levels, level): (&Levels, &u16)| {
            let value = levels.values.get(usize::from(*level));
            (levels.name.clone(), value.cloned().unwrap_or(Value::Unset))
        };
        Candidate::new(self.levels.iter().zip(point).map(value))
    }

    /// The point where a candidate lies or, where a value lies between levels, the closest;
    /// `None` for one that lacks a parameter.
    pub(in crate::search) fn point(&self, candidate: &Candidate) -> Option<Point> {
        let level = |levels: &Levels| {
            let value = candidate.get(levels.name.as_str())?;
            u16::try_from(levels.closest(value)?).ok()
        };
        self.levels.iter().map(level).collect()
    }
}

impl Levels {
    fn of(parameter: &Parameter) -> Self {
        let values = values(&parameter.domain);
        let numbers: Option<Vec<f64>> = values.iter().map(Value::as_number).collect();
        let mut levels = Self {
            name: parameter.name.clone(),
            values,
            is_ordered: numbers.is_some(),
        };
        if let Some(numbers) = numbers {
            // A list may have its numbers in any order; neighbours are to be neighbours.
            let mut places: Vec<usize> = (0..numbers.len()).collect();
            places.sort_by(|left, right| numbers[*left].total_cmp(&numbers[*right]));
            levels.values = places
                .into_iter()
                .map(|place| levels.values[place].clone())
                .collect();
        }
        levels
    }

    /// The level of a value or, of a number, the closest.
    fn closest(&self, value: &Value) -> Option<usize> {
        if let Some(level) = self.values.iter().position(|other| other == value) {
            return Some(level);
        }
        let number = value.as_number().filter(|_| self.is_ordered)?;
        let away = |level: &usize| {
            let other = self.values[*level].as_number();
            other.map_or(f64::INFINITY, |other| (other - number).abs())
        };
        (0..self.values.len()).min_by(|left, right| away(left).total_cmp(&away(right)))
    }
}

/// The values that are levels, in the domain's order.
fn values(domain: &Domain) -> Vec<Value> {
    match (domain, domain.size()) {
        (Domain::Choice(values), _) => values.iter().take(MOST_CHOICES).cloned().collect(),
        (_, Some(size)) if size <= u128::from(MOST_LEVELS) => {
            (0..size).filter_map(|index| domain.nth(index)).collect()
        }
        _ => {
            let last = f64::from(MOST_LEVELS - 1);
            let mut values: Vec<Value> = (0..MOST_LEVELS)
                .map(|level| domain.at(f64::from(level) / last))
                .collect();
            values.dedup();
            values
        }
    }
}
