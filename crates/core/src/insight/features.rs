//! One parameter as the model of the score sees it: places, and curves over them.
//!
//! The places are the values that were measured, at most a dozen; where there are more numbers,
//! neighbours share one. Each curve is zero on average over the places, so that what one
//! parameter does and what two do together cannot be mistaken for each other (an ANOVA kernel;
//! Durrande, Ginsbourger, Roustant and Carraro, 2013). Numbers have an order: curves over them
//! are smooth. Anything else, "the engine decides" and "not set" among it, stands alone.

use super::Scored;
use super::eigen::eigen;
use crate::linear::as_f64;
use crate::space::{Domain, Parameter, Value};

/// Most places.
const MOST_PLACES: usize = 12;

/// How far a number speaks for others, as a share of the whole scale.
const REACH: f64 = 0.6;

/// Curves that carry less than this share are left out.
const LEAST_SHARE: f64 = 0.01;

/// A parameter that took more than one value.
#[derive(Debug)]
pub(super) struct Features {
    /// Which one, among the parameters.
    pub parameter: usize,
    /// For each experiment the curves' values at its place.
    pub rows: Vec<Vec<f64>>,
    /// The mean square of each curve over the places; they add up to 1.
    pub squares: Vec<f64>,
}

/// Where a value lies: on the scale, or alone.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    /// From 0 to 1.
    At(f64),
    Alone(Option<Value>),
}

impl Features {
    /// Of this parameter; nothing where all experiments have the same value of it.
    pub(super) fn of(index: usize, parameter: &Parameter, scored: &[Scored<'_>]) -> Option<Self> {
        let measured: Vec<Place> = places(parameter, scored);
        let mut distinct: Vec<Place> = Vec::new();
        for place in &measured {
            if !distinct.contains(place) {
                distinct.push(place.clone());
            }
        }
        // A name that is new each time tells nothing of any of them.
        if distinct.len() < 2 || distinct.len() > MOST_PLACES + 2 {
            return None;
        }
        let (curves, squares) = curves(&distinct);
        let rows = measured.iter().map(|place| {
            let at = distinct.iter().position(|other| other == place).unwrap_or(0);
            curves.iter().map(|curve| curve[at]).collect()
        });
        Some(Self {
            parameter: index,
            rows: rows.collect(),
            squares,
        })
    }
}

/// The place of each experiment.
fn places(parameter: &Parameter, scored: &[Scored<'_>]) -> Vec<Place> {
    let values: Vec<Option<&Value>> = scored
        .iter()
        .map(|one| one.candidate.get(parameter.name.as_str()))
        .collect();
    let number = |value: &Option<&Value>| value.and_then(Value::as_number);
    let mut known: Vec<f64> = values.iter().filter_map(number).collect();
    known.sort_by(f64::total_cmp);
    known.dedup();
    let is_alone = |value: &Option<&Value>| Place::Alone(value.cloned());
    let scale = |position: usize| as_f64(position) / as_f64(known.len().saturating_sub(1).max(1));
    values
        .iter()
        .map(|value| match number(value) {
            None => is_alone(value),
            Some(real) if known.len() <= MOST_PLACES => {
                // Listed numbers are usually about as far apart in what they do as in the list.
                let rank = known.partition_point(|other| *other < real);
                Place::At(match parameter.domain {
                    Domain::Choice(_) => scale(rank),
                    Domain::Integer { .. } | Domain::Continuous { .. } => {
                        along(&parameter.domain, &known, real)
                    }
                })
            }
            Some(real) => {
                let bins = as_f64(MOST_PLACES);
                let bin = (along(&parameter.domain, &known, real) * bins).floor();
                Place::At((bin.min(bins - 1.0) + 0.5) / bins)
            }
        })
        .collect()
}

/// How far along what was measured a number lies, 0 to 1, on the parameter's own scale.
fn along(domain: &Domain, known: &[f64], real: f64) -> f64 {
    let is_log = match domain {
        Domain::Integer { log, .. } | Domain::Continuous { log, .. } => *log,
        Domain::Choice(_) => false,
    };
    let (low, high) = (known[0], known[known.len() - 1]);
    let scaled = |value: f64| if is_log && low > 0.0 { value.ln() } else { value };
    let span = scaled(high) - scaled(low);
    if span > 0.0 {
        (scaled(real) - scaled(low)) / span
    } else {
        0.0
    }
}

/// Curves over the places, each a list, with the mean square of each.
fn curves(places: &[Place]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let size = places.len();
    let alike = |one: &Place, other: &Place| match (one, other) {
        (Place::At(a), Place::At(b)) => {
            let distance = 3.0_f64.sqrt() * (a - b).abs() / REACH;
            (1.0 + distance) * (-distance).exp()
        }
        _ => f64::from(u8::from(one == other)),
    };
    let mut kernel: Vec<f64> = places
        .iter()
        .flat_map(|one| places.iter().map(move |other| alike(one, other)))
        .collect();
    centre(&mut kernel, size);
    let mut known = eigen(kernel, size);
    known.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let sum: f64 = known.iter().map(|(value, _)| value.max(0.0)).sum();
    known.retain(|(value, _)| *value > LEAST_SHARE * sum);
    let kept: f64 = known.iter().map(|(value, _)| value).sum();
    let squares: Vec<f64> = known.iter().map(|(value, _)| value / kept).collect();
    let curves = known.into_iter().zip(&squares).map(|((_, vector), square)| {
        let height = (as_f64(size) * square).sqrt();
        vector.into_iter().map(|value| value * height).collect()
    });
    (curves.collect(), squares)
}

/// Takes the mean off rows and columns.
fn centre(matrix: &mut [f64], size: usize) {
    let count = as_f64(size);
    let means: Vec<f64> = matrix
        .chunks(size)
        .map(|row| row.iter().sum::<f64>() / count)
        .collect();
    let all = means.iter().sum::<f64>() / count;
    for row in 0..size {
        for column in 0..size {
            matrix[row * size + column] += all - means[row] - means[column];
        }
    }
}
