//! The space: parameters and constraints together.

use std::collections::{HashMap, HashSet};

use rand::{Rng, RngExt};

use super::conditions::Conditions;
use super::{Candidate, Constraint, Domain, Parameter, ParameterName, Value};
use crate::problem::{Problem, closest};

/// What may vary, all at once.
///
/// Points are numbered in mixed radix, the first parameter slowest; any of them can be
/// made from its number, so that no list of them is ever needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
    constraints: Vec<Constraint>,
    conditions: Conditions,
    restrictions: Vec<Restriction>,
}

/// Parameters of which only some combinations are possible.
#[derive(Debug, Clone, PartialEq)]
struct Restriction {
    /// Their indices; the first is where their number has its digit.
    parameters: Vec<usize>,
    /// The possible combinations, each with a value for every one of them.
    rows: Vec<Vec<Value>>,
    /// The keys of the rows: there may be thousands, and every point is looked up.
    keys: HashSet<String>,
}

/// How many points there are: impossible combinations left out, constraints not counted, nor
/// that parameters may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// This many; `u128::MAX` when there are more than that.
    Finite(u128),
    /// A continuous parameter makes it endless.
    Infinite,
}

impl Space {
    /// A space of these parameters.
    ///
    /// # Errors
    /// Every problem of the space as a whole, with paths below `parameters` and
    /// `constraints`: a name given twice, an empty domain, a range that ends before it
    /// begins, a constraint that names an unknown parameter.
    pub fn new(parameters: Vec<Parameter>, constraints: Vec<Constraint>) -> Result<Self, Vec<Problem>> {
        let mut problems = duplicate_names(&parameters);
        for parameter in &parameters {
            let path = format!("parameters.{}", parameter.name);
            problems.extend(domain_problem(&parameter.domain).map(|message| Problem::new(path, message)));
        }
        for (index, constraint) in constraints.iter().enumerate() {
            problems.extend(unknown_names(index, constraint, &parameters));
        }
        if problems.is_empty() {
            Ok(Self {
                parameters,
                constraints,
                conditions: Conditions::default(),
                restrictions: Vec::new(),
            })
        } else {
            Err(problems)
        }
    }

    /// The same space where each of these parameters is set only where its condition is certainly
    /// true, and left to the engine elsewhere.
    ///
    /// # Errors
    /// A condition that names an unknown parameter, or a parameter whose condition depends on
    /// itself, with paths below `parameters`.
    pub fn conditional(self, conditions: Vec<(ParameterName, Constraint)>) -> Result<Self, Vec<Problem>> {
        let conditions = Conditions::of(&self.parameters, conditions)?;
        Ok(Self { conditions, ..self })
    }

    /// Whether it depends on other parameters that the one at this place is set.
    pub fn is_conditional(&self, index: usize) -> bool {
        self.conditions.has(index)
    }

    /// The same values, where those that are not set by their conditions are left to the engine.
    pub fn settled(&self, candidate: &Candidate) -> Candidate {
        let value = |parameter: &Parameter| candidate.get(parameter.name.as_str());
        let values = self.parameters.iter().map(value);
        let values = values.map(|value| value.cloned().unwrap_or(Value::Unset));
        self.candidate(values.collect())
    }

    /// The same space where these parameters take only the combinations of `rows`, each row
    /// a value for every one of them. Unlike a constraint, it is counted in the size. Earlier
    /// restrictions of some of these parameters alone are replaced.
    ///
    /// # Panics
    /// A name is not one of the space's, or lies in an earlier restriction with others; a row
    /// has another length; there is no row.
    #[must_use]
    pub fn restricted(mut self, names: &[ParameterName], rows: Vec<Vec<Value>>) -> Self {
        let index = |name: &ParameterName| {
            let is_it = |parameter: &Parameter| parameter.name.canonical() == name.canonical();
            self.parameters
                .iter()
                .position(is_it)
                .expect("a parameter of the space")
        };
        let parameters: Vec<usize> = names.iter().map(index).collect();
        self.restrictions.retain(|earlier| {
            let is_replaced = earlier.parameters.iter().all(|index| parameters.contains(index));
            !is_replaced
        });
        let is_free = |index: &usize| self.restriction_of(*index).is_none();
        assert!(parameters.iter().all(is_free), "restricted once at most");
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.len() == names.len()),
            "rows of all the parameters"
        );
        let keys = rows.iter().map(row_key).collect();
        self.restrictions.push(Restriction {
            parameters,
            rows,
            keys,
        });
        self
    }

    /// The space of those parameters that `is_meant` and of all that are restricted together
    /// with one of them, with the constraints that name no others.
    pub(crate) fn part(&self, is_meant: impl Fn(&Parameter) -> bool) -> Self {
        let is_inside = |index: usize| {
            let mut together = self
                .restriction_of(index)
                .map_or(&[][..], |restriction| &restriction.parameters[..])
                .iter();
            is_meant(&self.parameters[index]) || together.any(|other| is_meant(&self.parameters[*other]))
        };
        let kept: Vec<usize> = (0..self.parameters.len())
            .filter(|index| is_inside(*index))
            .collect();
        let place = |index: &usize| kept.iter().position(|other| other == index);
        let restriction = |restriction: &Restriction| {
            let parameters = restriction.parameters.iter().map(place).collect::<Option<_>>()?;
            Some(Restriction {
                parameters,
                ..restriction.clone()
            })
        };
        let names: Vec<String> = kept
            .iter()
            .map(|index| self.parameters[*index].name.canonical())
            .collect();
        let is_within = |constraint: &&Constraint| {
            let mut named = constraint.parameters().into_iter();
            named.all(|name| names.contains(&name.canonical()))
        };
        Self {
            parameters: kept.iter().map(|index| self.parameters[*index].clone()).collect(),
            constraints: self.constraints.iter().filter(is_within).cloned().collect(),
            conditions: self.conditions.part(&self.parameters, &kept),
            restrictions: self.restrictions.iter().filter_map(restriction).collect(),
        }
    }

    /// What varies, in the user's order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What every candidate must meet.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Whether the candidate is possible and meets every constraint.
    pub fn allows(&self, candidate: &Candidate) -> bool {
        let is_possible = |restriction: &Restriction| {
            let values = |index: &usize| candidate.get(self.parameters[*index].name.as_str());
            let mut given = restriction.parameters.iter().map(values);
            let all: Option<Vec<&Value>> = given.clone().collect();
            match all {
                Some(all) => restriction.keys.contains(&row_key(all)),
                None => given.all(|value| value.is_none()),
            }
        };
        self.restrictions.iter().all(is_possible)
            && self.conditions.hold(&self.parameters, candidate)
            && self
                .constraints
                .iter()
                .all(|constraint| constraint.holds(candidate))
    }

    /// How many points there are. A space without parameters has one: the engine's defaults.
    pub fn size(&self) -> Size {
        (0..self.parameters.len())
            .try_fold(1_u128, |product, index| {
                self.digit(index).map(|size| product.saturating_mul(size))
            })
            .map_or(Size::Infinite, Size::Finite)
    }

    /// Point number `rank`, the first parameter varying slowest; `None` past the end or
    /// where a parameter is continuous. Not every one of them is allowed.
    pub fn nth(&self, rank: u128) -> Option<Candidate> {
        let mut rest = rank;
        let mut values = vec![Value::Unset; self.parameters.len()];
        for index in (0..self.parameters.len()).rev() {
            let size = self.digit(index)?;
            let digit = rest % size;
            rest /= size;
            match self.restriction_of(index) {
                None => values[index] = self.value(index, digit)?,
                Some(restriction) if restriction.parameters[0] == index => {
                    restriction.put(usize::try_from(digit).ok()?, &mut values);
                }
                Some(_) => {}
            }
        }
        (rest == 0).then(|| Candidate::new(self.names().zip(values)))
    }

    /// The value of a parameter's digit: those of its domain, and "left to the engine" for one
    /// that may not be set.
    fn value(&self, index: usize, digit: u128) -> Option<Value> {
        let domain = &self.parameters[index].domain;
        match domain.size() {
            Some(size) if digit == size && self.may_be_unset(index) => Some(Value::Unset),
            _ => domain.nth(digit),
        }
    }

    /// Whether there is a value beside those of the domain.
    fn may_be_unset(&self, index: usize) -> bool {
        self.conditions.has(index) && !self.parameters[index].domain.can_be_unset()
    }

    /// The point whose parameters lie at these fractions (0 to 1) of their domains, or,
    /// where that combination is impossible, one that differs in as few values as can be.
    pub fn at(&self, fractions: impl IntoIterator<Item = f64>) -> Candidate {
        let mut values = self.values_at(fractions);
        for restriction in &self.restrictions {
            restriction.put(restriction.nearest(&values), &mut values);
        }
        self.candidate(values)
    }

    /// A point drawn uniformly, each parameter on its own scale; constraints not heeded.
    pub fn sample(&self, rng: &mut dyn Rng) -> Candidate {
        let fractions = std::iter::repeat_with(|| rng.random::<f64>()).take(self.parameters.len());
        let mut values = self.values_at(fractions);
        for restriction in &self.restrictions {
            restriction.put(rng.random_range(0..restriction.rows.len()), &mut values);
        }
        self.candidate(values)
    }

    fn values_at(&self, fractions: impl IntoIterator<Item = f64>) -> Vec<Value> {
        self.parameters
            .iter()
            .zip(fractions)
            .map(|(parameter, fraction)| parameter.domain.at(fraction))
            .collect()
    }

    fn candidate(&self, mut values: Vec<Value>) -> Candidate {
        self.conditions.settle(&self.parameters, &mut values);
        Candidate::new(self.names().zip(values))
    }

    fn names(&self) -> impl Iterator<Item = ParameterName> {
        self.parameters.iter().map(|parameter| parameter.name.clone())
    }

    fn restriction_of(&self, index: usize) -> Option<&Restriction> {
        self.restrictions
            .iter()
            .find(|restriction| restriction.parameters.contains(&index))
    }

    /// How many values the digit of this parameter has in a point's number; those of a
    /// restriction share the digit of its first.
    fn digit(&self, index: usize) -> Option<u128> {
        match self.restriction_of(index) {
            None => {
                let size = self.parameters[index].domain.size()?;
                Some(size.saturating_add(u128::from(self.may_be_unset(index))))
            }
            Some(restriction) if restriction.parameters[0] == index => Some(restriction.rows.len() as u128),
            Some(_) => Some(1),
        }
    }
}

impl Restriction {
    /// Puts the values of a row into their places.
    fn put(&self, row: usize, values: &mut [Value]) {
        for (index, value) in self.parameters.iter().zip(&self.rows[row]) {
            values[*index] = value.clone();
        }
    }

    /// The row that differs from these values in the fewest places; of equals the first.
    fn nearest(&self, values: &[Value]) -> usize {
        let differing = |row: &Vec<Value>| {
            let places = self.parameters.iter().zip(row);
            places.filter(|(index, value)| values[**index] != **value).count()
        };
        (0..self.rows.len())
            .min_by_key(|row| differing(&self.rows[*row]))
            .unwrap_or(0)
    }
}

/// What tells rows apart: their values, each with its type.
fn row_key<'a>(row: impl IntoIterator<Item = &'a Value>) -> String {
    let values: Vec<String> = row.into_iter().map(|value| value.to_json().to_string()).collect();
    values.join("\u{1f}")
}

fn duplicate_names(parameters: &[Parameter]) -> Vec<Problem> {
    let mut seen: HashMap<String, &Parameter> = HashMap::new();
    let mut problems = Vec::new();
    for parameter in parameters {
        if let Some(first) = seen.insert(parameter.name.canonical(), parameter) {
            problems.push(Problem::new(
                format!("parameters.{}", parameter.name),
                format!("names the same flag as parameters.{}", first.name),
            ));
        }
    }
    problems
}

fn domain_problem(domain: &Domain) -> Option<String> {
    match domain {
        Domain::Choice(values) if values.is_empty() => Some("has no values to choose from".into()),
        Domain::Choice(_) => None,
        Domain::Integer { low, high, step, log } => {
            if low > high {
                Some(format!("the range ends before it begins: {low} to {high}"))
            } else if *step == 0 {
                Some("a step of 0 leads nowhere".into())
            } else if *log && *low < 1 {
                Some(format!("a logarithmic range begins above 0, not at {low}"))
            } else {
                None
            }
        }
        Domain::Continuous { low, high, log } => {
            if !(low.is_finite() && high.is_finite()) {
                Some("a range has finite ends".into())
            } else if low > high {
                Some(format!("the range ends before it begins: {low} to {high}"))
            } else if *log && *low <= 0.0 {
                Some(format!("a logarithmic range begins above 0, not at {low}"))
            } else {
                None
            }
        }
    }
}

fn unknown_names(index: usize, constraint: &Constraint, parameters: &[Parameter]) -> Vec<Problem> {
    constraint
        .parameters()
        .into_iter()
        .filter(|name| {
            parameters
                .iter()
                .all(|parameter| parameter.name.canonical() != name.canonical())
        })
        .map(|name| unknown_name(&format!("constraints[{index}]"), name, parameters))
        .collect()
}

/// A condition names what is no parameter.
pub(super) fn unknown_name(path: &str, name: &ParameterName, parameters: &[Parameter]) -> Problem {
    let message = format!("names {{{name}}}, which is not one of the parameters");
    let known = parameters.iter().map(|parameter| parameter.name.as_str());
    let problem = Problem::new(path, message);
    match closest(name.as_str(), known) {
        Some(known) => problem.with_hint(format!("did you mean {{{known}}}?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests;
