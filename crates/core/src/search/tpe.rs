//! A plain learner: values that the best have more often than the rest, each parameter alone
//! ([`Parzen`]).

use rand::Rng;

use super::bayesian::Parzen;
use super::bridge::{Axes, goal, trials};
use super::fresh::{drawn, is_fresh};
use super::{Proposal, SearchContext, Strategy, StrategyKind};

/// Points made before one is drawn from all.
const TRIES: usize = 50;

/// Search by a tree-structured Parzen estimator.
#[derive(Debug, Clone, Copy)]
pub struct Tpe;

impl Strategy for Tpe {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Tpe
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        let axes = Axes::of(context.space);
        let goal = goal(context);
        let trials = trials(context.observations, &axes, &goal);
        let is_begun = trials.len() >= context.initial_random as usize;
        if let Some(parzen) = Parzen::of(axes.all(), &goal, &trials).filter(|_| is_begun) {
            let known = context.known();
            for _ in 0..TRIES {
                let candidate = axes.candidate(&axes.settled(parzen.draw(rng)));
                if is_fresh(context, &known, &candidate) {
                    return Proposal::Try {
                        candidate,
                        reason: "values that the best have more often than the rest".into(),
                    };
                }
            }
        }
        drawn(context, rng, "drawn at random")
    }
}
