//! What is held of each measured point, once all of them are taken together.

use super::model::{Model, OWN_TRUST, Ranked};
use super::problem::{Point, Search};

/// A measured point, and what it is held to be worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Believed {
    /// The point.
    pub point: Point,
    /// Its value, in the goal's unit.
    pub value: f64,
    /// One standard deviation of what is not known of it.
    pub deviation: f64,
}

/// Every measured point, the best first; hard limits come before values.
pub fn believed(search: &Search<'_>) -> Vec<Believed> {
    let ranking = Model::of(search).map(|model| model.ranking(search.history));
    ranking
        .unwrap_or_default()
        .into_iter()
        .map(Believed::of)
        .collect()
}

impl Believed {
    fn of(ranked: Ranked) -> Self {
        // What is peculiar to the point and not yet seen of it.
        let own = OWN_TRUST * ranked.noise.powi(2) / (1.0 + OWN_TRUST * ranked.weight);
        Self {
            value: ranked.value(),
            deviation: (own + ranked.promise.spread.powi(2)).sqrt(),
            point: ranked.point,
        }
    }
}
