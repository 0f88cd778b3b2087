//! A space's parameters as axes of numbered levels, and candidates as points.
//!
//! A parameter that is set only where others have certain values has a level more, the lowest: off.
//! A point is settled if those and only those of its parameters are off that are not set.

use crate::search::bayesian::{Axis, Point};
use crate::space::{Candidate, Domain, Parameter, ParameterName, Space, Value};

/// Most values of a range that are levels each; of longer ranges so many, spread over its
/// own scale, are.
const MOST_LEVELS: u16 = 65;

/// Most entries of a list that are levels.
const MOST_CHOICES: usize = 4096;

/// What varies, level by level.
pub(in crate::search) struct Axes<'s> {
    space: &'s Space,
    axes: Vec<Axis>,
    levels: Vec<Levels>,
}

/// The values of one parameter, level by level.
struct Levels {
    name: ParameterName,
    values: Vec<Value>,
    is_ordered: bool,
    /// Whether it is set only where others have certain values.
    is_conditional: bool,
    /// Whether the first of them is one that the parameter has only where it is not set.
    has_off: bool,
}

impl<'s> Axes<'s> {
    pub(in crate::search) fn of(space: &'s Space) -> Self {
        let levels = space.parameters().iter().enumerate();
        let levels: Vec<Levels> = levels
            .map(|(index, parameter)| Levels::of(parameter, space.is_conditional(index)))
            .collect();
        let axis = |levels: &Levels| match (levels.is_ordered, levels.has_off) {
            (true, true) => Axis::ordered_or_off(levels.values.len()),
            (true, false) => Axis::ordered(levels.values.len()),
            (false, _) => Axis::categorical(levels.values.len()),
        };
        Self {
            space,
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

    /// The point that is meant by one whose parameters may be off or not without reason: what is
    /// not set is off, and what is set and was off has a value from the middle.
    pub(in crate::search) fn settled(&self, mut point: Point) -> Point {
        if self.levels.iter().all(|levels| !levels.is_conditional) {
            return point;
        }
        for (levels, level) in self.levels.iter().zip(&mut point) {
            if levels.has_off && *level == 0 {
                *level = levels.middle();
            }
        }
        let candidate = self.space.settled(&self.candidate(&point));
        self.point(&candidate).unwrap_or(point)
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
    fn of(parameter: &Parameter, is_conditional: bool) -> Self {
        let values = values(&parameter.domain);
        let numbers: Option<Vec<f64>> = values.iter().map(Value::as_number).collect();
        let mut levels = Self {
            name: parameter.name.clone(),
            values,
            is_ordered: numbers.is_some(),
            is_conditional,
            has_off: is_conditional && !parameter.domain.can_be_unset(),
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
        if levels.has_off {
            levels.values.insert(0, Value::Unset);
        }
        levels
    }

    /// The middle one of those that are not off, where they are in order; else the first.
    fn middle(&self) -> u16 {
        let middle = match self.is_ordered {
            true => self.values.len() / 2,
            false => 1,
        };
        u16::try_from(middle.max(1)).unwrap_or(u16::MAX)
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
