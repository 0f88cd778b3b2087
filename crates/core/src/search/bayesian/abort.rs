//! Whether a point that is being measured is worth measuring to the end.
//!
//! A measurement goes from load to load, and what the first loads show says much of the rest:
//! outputs of one group hang together, and by how much is learnt. So after each load the model
//! takes in what was seen and answers how probable it is that the point beats the best known one
//! and keeps every hard limit. A point that all but certainly does not is given up: what it
//! showed stays, what it did not show is not guessed, and it is no failure.

use super::model::Model;
use super::problem::{Outcome, Search, Trial};

/// Probability to beat the best below which a point is given up.
const HOPELESS: f64 = 0.05;

/// Points that must have been measured in full before any is given up, however short the design:
/// what is believed after fewer is not worth much.
const ENOUGH: usize = 4;

/// What to do with a point that is being measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Prospect {
    /// Measure on.
    Continue {
        /// The probability that it beats the best known point; nothing where that was not asked.
        chance: Option<f64>,
    },
    /// Give it up.
    Abort {
        /// The probability that it would beat the best known point.
        chance: f64,
        /// Why, for people.
        why: String,
    },
}

/// Whether a point is worth measuring on, from what was seen of each output until now.
///
/// A point that was tried before is measured again to be sure of it, and is never given up; nor
/// is any of the design, from which all else is learnt, or while there is nothing to beat.
pub fn prospect(search: &Search<'_>, point: &[u16], seen: &[Option<f64>]) -> Prospect {
    let whole = search
        .history
        .iter()
        .filter(|trial| trial.outcome.measured().is_some());
    let is_early = search.history.len() < search.initial || whole.count() < ENOUGH;
    if is_early || search.history.iter().any(|trial| trial.point == point) {
        return Prospect::Continue { chance: None };
    }
    let mut history = search.history.to_vec();
    history.push(Trial {
        point: point.to_vec(),
        outcome: Outcome::Partial(seen.to_vec()),
    });
    let later = Search {
        history: &history,
        ..*search
    };
    let Some(model) = Model::of(&later) else {
        return Prospect::Continue { chance: None };
    };
    let Some(best) = model
        .ranking(&history)
        .into_iter()
        .find(|ranked| ranked.promise.is_sure())
    else {
        return Prospect::Continue { chance: None };
    };
    let (chance, feasible) = model.chances(point, best.value());
    if chance >= HOPELESS {
        return Prospect::Continue { chance: Some(chance) };
    }
    let why = if feasible < HOPELESS {
        format!("keeps every limit with a probability {}", told(feasible))
    } else {
        format!("beats the best with a probability {}", told(chance))
    };
    Prospect::Abort { chance, why }
}

/// A small probability, for people.
fn told(probability: f64) -> String {
    if probability < 0.001 {
        "below 0.1 %".into()
    } else {
        format!("of {:.1} %", 100.0 * probability)
    }
}
