//! Which compromise between several objectives a turn looks for.
//!
//! Every other turn looks for the best by the first objective alone. The others draw a direction,
//! and look for what lies farthest out along it, from the worst to the best of what is on the front
//! now ("ParEGO"; Knowles, 2006, with the models of this search): so the whole front is sought.

use rand::SeedableRng;
use rand::distr::Distribution;
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;

use super::goal::{Aim, Pull, TaskGoal};
use crate::pareto::front;
use crate::search::SearchContext;
use crate::search::bayesian::{Goal, Trial};

/// The least that any objective is asked for, beside one that is asked for everything.
const LEAST: f64 = 0.05;

/// What this turn looks for.
pub(super) fn aim(context: &SearchContext<'_>, goal: &TaskGoal, history: &[Trial]) -> Aim {
    let turn = context.budget.total - context.budget.left;
    if context.pareto.is_empty() || turn.is_multiple_of(2) {
        return Aim::Best;
    }
    let rows: Vec<Vec<f64>> = history
        .iter()
        .filter_map(|trial| trial.outcome.measured())
        .filter(|row| goal.worth(row).violation <= 0.0)
        .map(|row| goal.utilities(row).collect())
        .collect();
    let front = front(&rows);
    let Some(best) = front.first() else {
        return Aim::Best;
    };
    let mut rng = ChaCha8Rng::seed_from_u64(context.seed);
    rng.set_stream(1 << 35 | u64::from(turn));
    let drawn: Vec<f64> = rows[*best].iter().map(|_| Exp1.sample(&mut rng)).collect();
    let whole: f64 = drawn.iter().sum();
    let pull = |(objective, drawn): (usize, &f64)| {
        let values = || front.iter().map(|place| rows[*place][objective]);
        let least = values().fold(f64::INFINITY, f64::min);
        let most = values().fold(f64::NEG_INFINITY, f64::max);
        Pull {
            from: least,
            // One per cent, where all are alike.
            range: (most - least).max(0.01),
            share: (drawn / whole).max(LEAST),
        }
    };
    Aim::Compromise(drawn.iter().enumerate().map(pull).collect())
}

/// What a turn looks for, for people; nothing for the best by the first objective.
pub(super) fn told(aim: &Aim, context: &SearchContext<'_>) -> Option<String> {
    let Aim::Compromise(pulls) = aim else { return None };
    let whole: f64 = pulls.iter().map(|pull| pull.share).sum();
    let objectives = std::iter::once(&context.objective).chain(context.pareto);
    let parts: Vec<String> = objectives
        .zip(pulls)
        .map(|(objective, pull)| format!("{} {:.0} %", objective.label(), 100.0 * pull.share / whole))
        .collect();
    Some(format!("a compromise: {}", parts.join(", ")))
}
