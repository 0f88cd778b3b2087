//! Places on a parameter's own scale, and how far what is measured at one of them speaks for the
//! others.
//!
//! A list has a place for each of its values, and each speaks for itself alone. A range has one
//! for each value, or fifty where there are more, on its own scale: equal ratios lie equally far
//! apart where the space says so. There a measurement speaks for its neighbours too, the less
//! the farther away they are.

use crate::space::{Domain, Value};

/// Places of a range at most; the original of the method takes as many.
const MOST_PLACES: u32 = 50;

/// Places on a parameter's own scale.
#[derive(Debug)]
pub(super) struct Axis<'a> {
    domain: &'a Domain,
    /// Where each place lies, 0 to 1; a list's lie nowhere.
    positions: Vec<f64>,
    places: usize,
}

impl<'a> Axis<'a> {
    /// The places of this domain.
    pub(super) fn of(domain: &'a Domain) -> Self {
        let evenly = || {
            let middle = |place| (f64::from(place) + 0.5) / f64::from(MOST_PLACES);
            (0..MOST_PLACES).map(middle).collect::<Vec<f64>>()
        };
        let positions = match domain {
            Domain::Choice(_) => Vec::new(),
            Domain::Continuous { .. } => evenly(),
            Domain::Integer { .. } => match domain.size() {
                Some(size) if size <= u128::from(MOST_PLACES) => each(domain, size),
                _ => evenly(),
            },
        };
        let places = match domain {
            Domain::Choice(values) => values.len(),
            Domain::Continuous { .. } | Domain::Integer { .. } => positions.len(),
        };
        Self {
            domain,
            positions,
            places,
        }
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    /// The place of a value; `None` for one that is not of this domain.
    pub(super) fn place(&self, value: &Value) -> Option<usize> {
        if let Domain::Choice(values) = self.domain {
            return values.iter().position(|other| other == value);
        }
        let position = position(self.domain, value)?;
        let distance = |place: &usize| (self.positions[*place] - position).abs();
        (0..self.places).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// For each place, how much of what is measured there counts at every place: rows that add
    /// up to 1. `counts` are the measurements at each place, `top` how many of them are the best;
    /// of few, each speaks for more.
    pub(super) fn kernels(&self, counts: &[f64], top: f64) -> Vec<Vec<f64>> {
        if self.positions.is_empty() {
            let alone = |place: usize| {
                (0..self.places)
                    .map(|other| f64::from(u8::from(other == place)))
                    .collect()
            };
            return (0..self.places).map(alone).collect();
        }
        let width = self.width(counts, top);
        let row = |place: usize| {
            let weight = |other: &f64| (-0.5 * ((other - self.positions[place]) / width).powi(2)).exp();
            let weights: Vec<f64> = self.positions.iter().map(weight).collect();
            let sum: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum).collect()
        };
        (0..self.places).map(row).collect()
    }

    /// Half of Scott's width of a Gaussian kernel, for the spread of all measurements and the
    /// number of the best; not below half the distance of two places. The whole width is for
    /// densities that look like one bell: it would smooth a narrow best region away.
    fn width(&self, counts: &[f64], top: f64) -> f64 {
        let total: f64 = counts.iter().sum();
        let mean_of = |value: &dyn Fn(f64) -> f64| {
            let weighted = self.positions.iter().zip(counts);
            weighted
                .map(|(position, count)| value(*position) * count)
                .sum::<f64>()
                / total.max(1.0)
        };
        let mean = mean_of(&|position| position);
        let deviation = mean_of(&|position| (position - mean).powi(2)).sqrt();
        let narrowest = 0.5 / f64::from(u32::try_from(self.places).unwrap_or(MOST_PLACES));
        (0.5 * deviation * top.max(1.0).powf(-0.2)).max(narrowest)
    }
}

/// Where each value of a small range lies.
fn each(domain: &Domain, size: u128) -> Vec<f64> {
    (0..size)
        .filter_map(|index| position(domain, &domain.nth(index)?))
        .collect()
}

/// How far along its range a value lies, 0 to 1, on the range's own scale.
fn position(domain: &Domain, value: &Value) -> Option<f64> {
    let number = value.as_number()?;
    let (low, high, log) = match domain {
        Domain::Choice(_) => return None,
        Domain::Integer { low, high, log, .. } => (
            Value::Int(*low).as_number()?,
            Value::Int(*high).as_number()?,
            *log,
        ),
        Domain::Continuous { low, high, log } => (*low, *high, *log),
    };
    if !(low..=high).contains(&number) {
        return None;
    }
    let scaled = |real: f64| if log { real.ln() } else { real };
    let span = scaled(high) - scaled(low);
    Some(if span > 0.0 {
        (scaled(number) - scaled(low)) / span
    } else {
        0.0
    })
}
