//! Parameters that only mean something where others have certain values.
//!
//! Where its condition is not certainly true, a parameter is left to the engine: it is
//! [`Value::Unset`], and configurations that differ in nothing but its value are one. A
//! condition that depends on what is itself left to the engine is not certainly true.

use super::space::unknown_name;
use super::{Candidate, Constraint, Parameter, ParameterName, Value};
use crate::problem::Problem;

/// When each parameter of a space is set.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Conditions {
    /// Parameters, by index, with what their being set depends on; each after all that it names.
    settled: Vec<(usize, When)>,
}

/// What a parameter's being set depends on.
#[derive(Debug, Clone, PartialEq)]
enum When {
    /// On this.
    True(Constraint),
    /// On what is not part of the space.
    Unknown,
}

impl Conditions {
    /// Conditions of some of these parameters.
    ///
    /// # Errors
    /// A condition that names a parameter which the space has not, or one that depends on
    /// itself, directly or by way of others.
    pub(super) fn of(
        parameters: &[Parameter],
        conditions: Vec<(ParameterName, Constraint)>,
    ) -> Result<Self, Vec<Problem>> {
        let index = |name: &ParameterName| place(parameters, name);
        let mut problems = Vec::new();
        let mut open: Vec<(usize, Constraint)> = Vec::new();
        for (name, condition) in conditions {
            let path = format!("parameters.{name}");
            let unknown = condition
                .parameters()
                .into_iter()
                .find(|name| index(name).is_none());
            match (index(&name), unknown) {
                (Some(index), None) => open.push((index, condition)),
                (_, unknown) => problems.push(unknown_name(&path, unknown.unwrap_or(&name), parameters)),
            }
        }
        let mut settled: Vec<(usize, When)> = Vec::new();
        while !open.is_empty() {
            let waits = |condition: &Constraint| {
                let named = condition.parameters();
                open.iter()
                    .any(|(other, _)| named.iter().any(|name| index(name) == Some(*other)))
            };
            let Some(next) = open.iter().position(|(_, condition)| !waits(condition)) else {
                problems.extend(open.iter().map(|(index, _)| {
                    let path = format!("parameters.{}", parameters[*index].name);
                    let problem = Problem::new(path, "is set when something is true that depends on itself");
                    problem.with_hint("name only parameters that are set without it")
                }));
                break;
            };
            let (index, condition) = open.remove(next);
            settled.push((index, When::True(condition)));
        }
        if problems.is_empty() {
            Ok(Self { settled })
        } else {
            Err(problems)
        }
    }

    /// Whether it depends on others that this parameter is set.
    pub(super) fn has(&self, index: usize) -> bool {
        self.settled.iter().any(|(other, _)| *other == index)
    }

    /// Leaves those values to the engine whose parameters are not set.
    pub(super) fn settle(&self, parameters: &[Parameter], values: &mut [Value]) {
        for (index, when) in &self.settled {
            let When::True(condition) = when else { continue };
            let names = condition.parameters();
            let named = names.iter().filter_map(|name| place(parameters, name));
            let known = named.map(|index| (parameters[index].name.clone(), values[index].clone()));
            if !condition.is_certain(&Candidate::new(known)) {
                values[*index] = Value::Unset;
            }
        }
    }

    /// Whether those and only those parameters of a candidate are set that are to be. What a
    /// candidate does not speak of at all is not judged.
    pub(super) fn hold(&self, parameters: &[Parameter], candidate: &Candidate) -> bool {
        self.settled.iter().all(|(index, when)| {
            let When::True(condition) = when else { return true };
            let parameter = &parameters[*index];
            match candidate.get(parameter.name.as_str()) {
                None => true,
                Some(Value::Unset) => parameter.domain.can_be_unset() || !condition.is_certain(candidate),
                Some(_) => condition.is_certain(candidate),
            }
        })
    }

    /// The conditions of the parameters at these places of `parameters`. A condition that names
    /// others is not known any more.
    pub(super) fn part(&self, parameters: &[Parameter], kept: &[usize]) -> Self {
        let part = |(index, when): &(usize, When)| {
            let place_now = kept.iter().position(|other| other == index)?;
            let is_known = |condition: &Constraint| {
                let mut named = condition.parameters().into_iter();
                named.all(|name| place(parameters, name).is_some_and(|index| kept.contains(&index)))
            };
            let when = match when {
                When::True(condition) if is_known(condition) => When::True(condition.clone()),
                _ => When::Unknown,
            };
            Some((place_now, when))
        };
        Self {
            settled: self.settled.iter().filter_map(part).collect(),
        }
    }
}

/// Where the parameter of this name stands.
fn place(parameters: &[Parameter], name: &ParameterName) -> Option<usize> {
    let wanted = name.canonical();
    parameters
        .iter()
        .position(|parameter| parameter.name.canonical() == wanted)
}
