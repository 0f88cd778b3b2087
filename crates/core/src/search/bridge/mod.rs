//! A task's search as the model sees it, and the model's answer as the task's.
//!
//! [`super::bayesian`] knows of points and rows of numbers; here a space becomes axes
//! ([`axes`]), an objective with its bounds becomes a goal ([`goal`]), and what was observed
//! becomes trials. Where the model finds nothing to suggest, a point is drawn at random, and
//! where there is none, the search ends.

mod axes;
mod compromise;
mod goal;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use rand::Rng;

use super::bayesian::{
    Believed, Crash, Goal, Outcome, Point, Prospect, Remaining, Search, Suggestion, Trial, Worth, advise,
    believed,
};
use super::fresh::{drawn, is_fresh};
use super::{Belief, Observation, Proposal, SearchContext, Seen, Strategy, StrategyKind, bayesian};
use crate::failure::FailureKind;
use crate::metrics::LevelMetrics;
use crate::space::{Candidate, CandidateKey};
pub(super) use axes::Axes;
use goal::Aim;
pub(super) use goal::TaskGoal;

/// Fewest trials of a spread design: a model of less would be one of nothing.
const LEAST_INITIAL: usize = 2;

/// Most trials that a model is made of: its cost grows with their third power.
const MOST_TRIALS: usize = 200;

/// A gain that is worth another experiment, as a ratio, where nothing else is said.
const WORTHWHILE: f64 = 0.02;

/// Search by a model of what was measured.
#[derive(Debug, Clone, Copy)]
pub struct Bayesian;

impl Strategy for Bayesian {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Bayesian
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        let axes = Axes::of(context.space);
        let goal = goal(context);
        let aim = compromise::aim(context, &goal, &trials(context.observations, &axes, &goal));
        let compromise = compromise::told(&aim, context);
        let advice = asked(context, &axes, aim, advise);
        match advice.next {
            Suggestion::Try { point, why } => Proposal::Try {
                candidate: axes.candidate(&point),
                reason: match (compromise, advice.remaining) {
                    (Some(compromise), Some(_)) => format!("{why}; {compromise}"),
                    (None, Some(remaining)) => format!("{why}; {}", outlook(remaining, context)),
                    (_, None) => why,
                },
            },
            Suggestion::Stop { why } if context.min_gain.is_some() && advice.remaining.is_some() => {
                Proposal::Stop { why }
            }
            Suggestion::Replicate { .. } | Suggestion::Stop { .. } => drawn(
                context,
                rng,
                "drawn at random: the model found nothing new to suggest",
            ),
        }
    }
}

/// What is held of every configuration that was measured, whoever has proposed it: its worth is
/// a logarithm, and what others say of it counts as well as its own measurements.
pub fn beliefs(context: &SearchContext<'_>) -> HashMap<CandidateKey, Belief> {
    let axes = Axes::of(context.space);
    let keys: HashMap<Point, CandidateKey> = context
        .observations
        .iter()
        .filter_map(|observation| {
            let point = axes.point(observation.candidate)?;
            Some((point, observation.candidate.key()))
        })
        .collect();
    let belief = |of: Believed| {
        let belief = Belief {
            mean: of.value,
            deviation: of.deviation,
        };
        Some((keys.get(&of.point)?.clone(), belief))
    };
    asked(context, &axes, Aim::Best, believed)
        .into_iter()
        .filter_map(belief)
        .collect()
}

/// A candidate that may be among the best and whose only run was slower than all others together
/// would have expected, whoever has proposed it.
pub fn doubted(context: &SearchContext<'_>) -> Option<CandidateKey> {
    let axes = Axes::of(context.space);
    let slow = asked(context, &axes, Aim::Best, bayesian::doubted)?;
    let mut observed = context
        .observations
        .iter()
        .map(|observation| observation.candidate);
    observed
        .find(|candidate| axes.point(candidate).as_ref() == Some(&slow))
        .map(Candidate::key)
}

/// Whether a candidate that is being measured is worth measuring on, from its first levels, whoever
/// has proposed it. `gpus` are those that it holds.
pub fn prospect(
    context: &SearchContext<'_>,
    candidate: &Candidate,
    levels: &[LevelMetrics],
    gpus: u32,
) -> Prospect {
    let axes = Axes::of(context.space);
    let seen = goal(context).seen(levels, gpus);
    match axes.point(candidate) {
        Some(point) => asked(context, &axes, Aim::Best, |search| {
            bayesian::prospect(search, &point, &seen)
        }),
        None => Prospect::Continue { chance: None },
    }
}

/// What the model holds to be left, for people.
fn outlook(remaining: Remaining, context: &SearchContext<'_>) -> String {
    format!(
        "{:.1} % are still expected to be gained, more than {:.0} % with a probability of {:.0} %",
        100.0 * remaining.expected_gain.exp_m1(),
        100.0 * worthwhile(context),
        100.0 * remaining.chance
    )
}

/// The gain that is worth another experiment, as a ratio.
fn worthwhile(context: &SearchContext<'_>) -> f64 {
    context.min_gain.unwrap_or(WORTHWHILE)
}

/// Asks the model of what was observed.
fn asked<T>(context: &SearchContext<'_>, axes: &Axes<'_>, aim: Aim, ask: impl FnOnce(&Search<'_>) -> T) -> T {
    let stops = context.min_gain.is_some() && aim == Aim::Best;
    let goal = goal(context).aiming_at(aim);
    let history = telling(trials(context.observations, axes, &goal), &goal);
    let pending: Vec<Point> = context
        .pending
        .iter()
        .filter_map(|candidate| axes.point(candidate))
        .collect();
    let known = context.known();
    let earlier: Vec<Vec<Trial>> = context
        .earlier
        .iter()
        .map(|task| telling(trials(task.observations, axes, &goal), &goal))
        .collect();
    let earlier: Vec<&[Trial]> = earlier.iter().map(Vec::as_slice).collect();
    let search = Search {
        axes: axes.all(),
        allowed: &|point| is_fresh(context, &known, &axes.candidate(point)),
        settled: &|point| axes.settled(point),
        goal: &goal,
        history: &history,
        earlier: &earlier,
        pending: &pending,
        budget: context.budget.total as usize,
        initial: (context.initial_random as usize).max(LEAST_INITIAL),
        replicates: false,
        worthwhile: worthwhile(context).ln_1p(),
        stops,
        seed: context.seed,
    };
    ask(&search)
}

/// What is wanted.
pub(super) fn goal(context: &SearchContext<'_>) -> TaskGoal {
    let objectives = std::iter::once(context.objective).chain(context.pareto.iter().copied());
    TaskGoal::of(objectives.collect(), context.slos, context.level_weights)
}

/// What was observed, as trials, oldest first.
pub(super) fn trials(observations: &[Observation<'_>], axes: &Axes<'_>, goal: &TaskGoal) -> Vec<Trial> {
    observations
        .iter()
        .filter_map(|observation| trial(observation, axes, goal))
        .collect()
}

/// What an observation teaches; nothing if its candidate is no point, as the engine's defaults
/// are none, or if the goal looks at a number that it lacks.
fn trial(observation: &Observation<'_>, axes: &Axes<'_>, goal: &TaskGoal) -> Option<Trial> {
    let point = axes.point(observation.candidate)?;
    let outcome = match &observation.outcome {
        Seen::Scored { metrics, .. } => Outcome::Measured(goal.row(metrics)?),
        Seen::GivenUp { metrics } => Outcome::Partial(goal.seen(&metrics.levels, metrics.gpus)),
        Seen::Infeasible(kind) => Outcome::Crashed(crash(*kind)),
    };
    Some(Trial { point, outcome })
}

/// The trials that a model is made of: all, or half of them the best and half the latest.
fn telling(history: Vec<Trial>, goal: &TaskGoal) -> Vec<Trial> {
    if history.len() <= MOST_TRIALS {
        return history;
    }
    let worth = |trial: &Trial| trial.outcome.measured().map(|row| goal.worth(row));
    let mut best: Vec<(usize, Worth)> = history
        .iter()
        .enumerate()
        .filter_map(|(index, trial)| Some((index, worth(trial)?)))
        .collect();
    best.sort_by(|(_, left), (_, right)| left.best_first(right));
    let latest = history.len() - MOST_TRIALS / 2;
    let mut kept: Vec<usize> = best
        .into_iter()
        .map(|(index, _)| index)
        .filter(|index| *index < latest)
        .take(MOST_TRIALS / 2)
        .chain(latest..history.len())
        .collect();
    kept.sort_unstable();
    kept.into_iter().map(|index| history[index].clone()).collect()
}

/// Which way of not working it was.
fn crash(kind: FailureKind) -> Crash {
    match kind {
        FailureKind::InvalidCandidate => Crash::Refused,
        FailureKind::OutOfMemory => Crash::StartMemory,
        FailureKind::EngineCrashed | FailureKind::BenchmarkFailed => Crash::LoadMemory,
        FailureKind::NotReadyInTime => Crash::Time,
        FailureKind::EarlyAborted
        | FailureKind::ClientLimited
        | FailureKind::Infrastructure
        | FailureKind::WorkerLost
        | FailureKind::Cancelled => Crash::Flaky,
    }
}
