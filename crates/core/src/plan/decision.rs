//! What the planner decides.

use std::fmt;

use super::{MOST_LIMITED_CANDIDATES, Spending};
use crate::search::Role;
use crate::space::Candidate;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Begin these experiments, all of them.
    Start(Vec<Next>),
    /// Nothing until an experiment ends.
    Wait,
    /// The run is over.
    Finish(Finish),
}

/// An experiment to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// What it is for.
    pub role: Role,
    /// What to try.
    pub candidate: Candidate,
    /// Why, for people.
    pub reason: String,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The budget is spent.
    BudgetSpent,
    /// The time, or the GPU hours, that it may take are spent: another experiment would exceed them.
    TimeSpent(Spending),
    /// The strategy sees nothing worth trying.
    NothingLeft {
        /// Why, for people.
        why: String,
    },
    /// The same candidate was lost too often through no fault of its own.
    KeepsBeingLost {
        /// What the last loss said.
        message: String,
    },
    /// The load generator, and not the engine, was the limit of one candidate after the other.
    ClientLimited {
        /// The last of them, for people.
        message: String,
    },
    /// An experiment was cancelled, and with it the run.
    Cancelled,
}

/// Why the run ended, for people.
impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BudgetSpent => f.write_str("the planned number of experiments was made"),
            Self::TimeSpent(Spending::Time) => {
                f.write_str("the planned time is spent: another experiment would exceed it")
            }
            Self::TimeSpent(Spending::GpuHours) => {
                f.write_str("the planned GPU hours are spent: another experiment would exceed them")
            }
            Self::NothingLeft { why } => f.write_str(why),
            Self::KeepsBeingLost { message } => write!(
                f,
                "the same configuration was lost again and again, by no fault of its own: {message}"
            ),
            Self::ClientLimited { message } => write!(
                f,
                "the load generator, and not the engine, limited {MOST_LIMITED_CANDIDATES} configurations one \
                 after the other: {message}"
            ),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}
