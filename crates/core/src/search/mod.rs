//! What to try next.
//!
//! A [`Strategy`] is given data and nothing else: the space, the goal, everything that was
//! seen, what is still running, what is left of the budget. It keeps no state between
//! calls, so that a run which was interrupted goes on as if it had not been.

pub mod bayesian;
mod fresh;
mod grid;
mod random;

#[cfg(test)]
mod conformance;

pub use grid::Grid;
pub use random::Random;

use std::collections::HashSet;

use rand::Rng;

use crate::failure::FailureKind;
use crate::metrics::ExperimentMetrics;
use crate::problem::Problem;
use crate::score::{Objective, Score, SloPolicy};
use crate::space::{Candidate, CandidateKey, Space};

/// Which strategy proposes candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StrategyKind {
    /// Every point, or a spread choice of them when the budget is smaller.
    Grid,
    /// Points drawn at random, none twice.
    Random,
    /// A model of what was measured decides.
    Bayesian,
}

/// Proposes what to try next.
pub trait Strategy: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> StrategyKind;

    /// What to do next. Equal contexts and equally seeded generators give equal proposals.
    /// A proposed candidate meets the space's constraints and is new to the context.
    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal;
}

/// Everything a strategy may know.
pub struct SearchContext<'a> {
    /// What may vary.
    pub space: &'a Space,
    /// What to improve.
    pub objective: Objective,
    /// What must hold.
    pub slos: &'a SloPolicy,
    /// Every experiment that taught something, oldest first, baseline and replicates included.
    pub observations: &'a [Observation<'a>],
    /// Candidates that are being measured now.
    pub pending: &'a [Candidate],
    /// What is left to spend.
    pub budget: Budget,
    /// Random candidates wanted before a model decides.
    pub initial_random: u32,
    /// What earlier tasks with the same engine, model and hardware have seen.
    pub earlier: &'a [EarlierTask<'a>],
    /// What makes two candidates one configuration to the engine.
    pub identity: &'a (dyn Fn(&Candidate) -> CandidateKey + Sync),
}

/// One experiment as the search sees it.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    /// What was tried.
    pub candidate: &'a Candidate,
    /// What it was tried for.
    pub role: Role,
    /// What came of it.
    pub outcome: Seen<'a>,
}

/// What came of an experiment.
#[derive(Debug, Clone)]
pub enum Seen<'a> {
    /// It was measured; per-level metrics are inside.
    Scored {
        /// The verdict.
        score: &'a Score,
        /// What it rests on.
        metrics: &'a ExperimentMetrics,
    },
    /// The configuration does not work: keep away.
    Infeasible(FailureKind),
}

/// What an experiment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The engine's own defaults, for comparison.
    Baseline,
    /// A candidate of the search.
    Search,
    /// The same candidate as an earlier experiment, measured again.
    Replicate,
}

/// What is left to spend, in distinct search candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Planned for the whole run.
    pub total: u32,
    /// Not yet begun.
    pub left: u32,
}

/// What an earlier task saw.
#[derive(Debug, Clone)]
pub struct EarlierTask<'a> {
    /// Its experiments.
    pub observations: &'a [Observation<'a>],
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// Measure this candidate.
    Try {
        /// What to measure.
        candidate: Candidate,
        /// Why, for people.
        reason: String,
    },
    /// Measure an earlier candidate again.
    Replicate {
        /// Which one.
        of: Candidate,
        /// Why, for people.
        reason: String,
    },
    /// Nothing is worth trying.
    Stop {
        /// Why, for people.
        why: String,
    },
}

impl StrategyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Grid, Self::Random, Self::Bayesian];

    /// The word in task documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid_search",
            Self::Random => "random_search",
            Self::Bayesian => "bayesian",
        }
    }

    /// The strategy itself.
    ///
    /// # Errors
    /// `bayesian` is understood in documents and cannot be run by this version.
    pub fn strategy(self) -> Result<&'static dyn Strategy, Problem> {
        match self {
            Self::Grid => Ok(&Grid),
            Self::Random => Ok(&Random),
            Self::Bayesian => Err(Problem::new(
                "optimization.strategy",
                "the bayesian strategy is not built into this version",
            )
            .with_hint("use random_search, or grid_search for a small space")),
        }
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Search, Self::Replicate];

    /// The role with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The word in files and APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Search => "search",
            Self::Replicate => "replicate",
        }
    }
}

impl SearchContext<'_> {
    /// The identities of everything that was seen or is being measured.
    pub fn known(&self) -> HashSet<CandidateKey> {
        self.observations
            .iter()
            .map(|observation| observation.candidate)
            .chain(self.pending)
            .map(self.identity)
            .collect()
    }
}
