//! All that is decided from, and what a search is told of it.

use crate::experiment::Experiment;
use crate::failure::Lesson;
use crate::metrics::LevelMetrics;
use crate::search::{
    Budget, EarlierTask, Observation, Prospect, Role, SearchContext, Seen, Strategy, prospect,
};
use crate::space::{Candidate, CandidateKey};
use crate::task::Task;

/// All that is decided from.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// What is to be found out.
    pub task: &'a Task,
    /// The whole history of the current run, oldest first.
    pub experiments: &'a [Experiment],
    /// The histories of earlier runs that may tell of this one.
    pub earlier: &'a [Vec<Experiment>],
    /// Who proposes.
    pub strategy: &'a dyn Strategy,
    /// What makes two candidates one configuration to the engine.
    pub identity: &'a (dyn Fn(&Candidate) -> CandidateKey + Sync),
}

impl<'a> Situation<'a> {
    /// That of a run whose task says who proposes, with nothing from earlier runs.
    pub fn of(
        task: &'a Task,
        experiments: &'a [Experiment],
        identity: &'a (dyn Fn(&Candidate) -> CandidateKey + Sync),
    ) -> Self {
        Self {
            task,
            experiments,
            earlier: &[],
            strategy: task.search.strategy.strategy(),
            identity,
        }
    }

    /// Whether an experiment of the search, whose first levels are these, is worth measuring on.
    /// `gpus` are those that it holds.
    pub fn prospect(&self, candidate: &Candidate, levels: &[LevelMetrics], gpus: u32) -> Prospect {
        // What does not beat the best may be a good compromise.
        if !self.task.search.pareto.is_empty() {
            return Prospect::Continue { chance: None };
        }
        self.told(&[], self.begun(), |context| {
            prospect(context, candidate, levels, gpus)
        })
    }

    /// Asks something of what a search may know.
    pub(super) fn told<T>(
        &self,
        pending: &[Candidate],
        begun: u32,
        ask: impl FnOnce(&SearchContext<'_>) -> T,
    ) -> T {
        let observations = observed(self.experiments);
        let earlier: Vec<Vec<Observation<'_>>> = self.earlier.iter().map(|of| observed(of)).collect();
        let earlier: Vec<EarlierTask<'_>> = earlier
            .iter()
            .map(|observations| EarlierTask { observations })
            .collect();
        let total = self.task.search.max_iterations;
        ask(&SearchContext {
            space: &self.task.space,
            objective: self.task.search.objective,
            pareto: &self.task.search.pareto,
            slos: &self.task.slos,
            level_weights: &self.task.weights(),
            observations: &observations,
            pending,
            budget: Budget {
                total,
                left: total.saturating_sub(begun),
            },
            seed: self.task.search.seed,
            initial_random: self.task.search.initial_random,
            min_gain: self.task.search.min_gain,
            earlier: &earlier,
            identity: self.identity,
        })
    }

    /// Distinct search candidates begun so far; repeated attempts are one.
    pub(super) fn begun(&self) -> u32 {
        let is_new = |experiment: &&Experiment| experiment.role == Role::Search && experiment.attempt == 1;
        u32::try_from(self.experiments.iter().filter(is_new).count()).unwrap_or(u32::MAX)
    }
}

/// What experiments have taught, oldest first.
fn observed(experiments: &[Experiment]) -> Vec<Observation<'_>> {
    let observation = |experiment| {
        let Experiment {
            candidate,
            role,
            result,
            ..
        }: &Experiment = experiment;
        let outcome = match result.as_ref()? {
            Ok(measured) => Seen::Scored {
                score: &measured.score,
                metrics: &measured.metrics,
            },
            Err(failure) => match (failure.kind.lesson(), &failure.partial) {
                (Lesson::Nothing, _) | (Lesson::Partial, None) => return None,
                (Lesson::Partial, Some(metrics)) => Seen::GivenUp { metrics },
                (Lesson::KeepAway, _) => Seen::Infeasible(failure.kind),
            },
        };
        Some(Observation {
            candidate,
            role: *role,
            outcome,
        })
    };
    experiments.iter().filter_map(observation).collect()
}
