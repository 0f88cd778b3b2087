//! The space: parameters and constraints together.

use super::{Candidate, Constraint, Parameter};
use crate::problem::Problem;

/// What may vary, all at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
    constraints: Vec<Constraint>,
}

/// How many points there are, constraints not counted.
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
    /// Every problem of the space as a whole: a name given twice, an empty domain, a range
    /// that ends before it begins, a constraint that names an unknown parameter.
    pub fn new(parameters: Vec<Parameter>, constraints: Vec<Constraint>) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            parameters,
            constraints,
        })
    }

    /// What varies, in the user's order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What every candidate must meet.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Whether the candidate meets every constraint.
    pub fn allows(&self, candidate: &Candidate) -> bool {
        self.constraints
            .iter()
            .all(|constraint| constraint.holds(candidate))
    }
}
