//! A run that was slower than all others together would have expected.
//!
//! A neighbour on the machine, a clock that was throttled: a few runs in a hundred are slow for
//! reasons that are not the point's. The model does not believe them, but it cannot know what they
//! would have shown, so a point that may be the best is then passed over for good. Such a point is
//! measured once more.

use super::model::{Model, Ranked};
use super::problem::{Point, Search};

/// How far below the best a point may be held to be, in the goal's own unit: one that lies further
/// away is not worth a second run, whatever happened in the first.
const NEAR: f64 = 0.1;

/// A point that may be among the best and was slow in its only run.
pub fn doubted(search: &Search<'_>) -> Option<Point> {
    let model = Model::of(search)?;
    slow(search, &model.ranking(search.history)).map(|ranked| ranked.point.clone())
}

/// The same, from points that are ranked already: the best held one first.
pub(super) fn slow<'r>(search: &Search<'_>, ranking: &'r [Ranked]) -> Option<&'r Ranked> {
    let trials = |point: &Point| {
        search
            .history
            .iter()
            .filter(|trial| trial.point == *point)
            .count()
    };
    let sure = || ranking.iter().filter(|ranked| ranked.promise.is_sure());
    let best = sure().next()?.value();
    sure().find(|ranked| {
        let is_slow = ranked.is_doubted() && ranked.seen < ranked.promise.value;
        is_slow && ranked.promise.value > best - NEAR && trials(&ranked.point) == 1
    })
}
