//! What to try next.
//!
//! A [`Strategy`] is given data and nothing else: the space, the goal, everything that was
//! seen, what is still running, what is left of the budget. It keeps no state between
//! calls, so that a run which was interrupted goes on as if it had not been.

pub mod bayesian;
mod bridge;
mod fresh;
mod grid;
mod random;
mod sobol;
mod tpe;

#[cfg(test)]
mod conformance;

pub use bayesian::Prospect;
pub use bridge::{Bayesian, beliefs, doubted, prospect};
pub use grid::Grid;
pub use random::Random;
pub use sobol::Sobol;
pub use tpe::Tpe;

use std::collections::HashSet;

use rand::Rng;

use crate::failure::FailureKind;
use crate::metrics::ExperimentMetrics;
use crate::score::{Objective, Score, SloPolicy};
use crate::space::{Candidate, CandidateKey, Space};

/// Which strategy proposes candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StrategyKind {
    /// Every point, or a spread choice of them when the budget is smaller.
    Grid,
    /// Points drawn at random, none twice.
    Random,
    /// Points of a sequence that spreads evenly, none twice.
    Sobol,
    /// Values that the best have more often than the rest.
    Tpe,
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
    /// What else is to be improved: good compromises are looked for as well.
    pub pareto: &'a [Objective],
    /// What must hold.
    pub slos: &'a SloPolicy,
    /// What each level counts in what is improved and in what must hold, in the order in which
    /// levels run; at least one.
    pub level_weights: &'a [f64],
    /// Every experiment that taught something, oldest first, baseline and replicates included.
    pub observations: &'a [Observation<'a>],
    /// Candidates that are being measured now.
    pub pending: &'a [Candidate],
    /// What is left to spend.
    pub budget: Budget,
    /// What parts equal searches: the same in every question of a run.
    pub seed: u64,
    /// Random candidates wanted before a model decides.
    pub initial_random: u32,
    /// End once a further gain of this ratio is improbable; never where `None`.
    pub min_gain: Option<f64>,
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
    /// It was given up after its first levels, which are too few for a score.
    GivenUp {
        /// What was measured until then.
        metrics: &'a ExperimentMetrics,
    },
    /// The configuration does not work: keep away.
    Infeasible(FailureKind),
}

/// What is held of a configuration: a worth, the larger the better, and how much that may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// What is expected, as the logarithm of the objective.
    pub mean: f64,
    /// One standard deviation of it.
    pub deviation: f64,
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
    pub const ALL: [Self; 5] = [Self::Grid, Self::Random, Self::Sobol, Self::Tpe, Self::Bayesian];

    /// The word in task documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid_search",
            Self::Random => "random_search",
            Self::Sobol => "sobol",
            Self::Tpe => "tpe",
            Self::Bayesian => "bayesian",
        }
    }

    /// The strategy itself.
    pub fn strategy(self) -> &'static dyn Strategy {
        match self {
            Self::Grid => &Grid,
            Self::Random => &Random,
            Self::Sobol => &Sobol,
            Self::Tpe => &Tpe,
            Self::Bayesian => &Bayesian,
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
