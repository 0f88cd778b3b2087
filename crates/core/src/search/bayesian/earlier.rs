//! What earlier tasks with the same axes tell of this one.
//!
//! Their best points are tried early, as another model or machine often wants much the same. And
//! what their models expect of a point is one more thing that this task's models may go by: how
//! much, is fitted like all else, so history that does not fit is soon left aside.

use super::model::Model;
use super::problem::{Axis, Point, Search, Trial};

/// Best points of earlier tasks that are tried while the design lasts.
const TRIED: usize = 3;

/// Every so many trials of the design, one is such a point.
pub(super) const EVERY: usize = 2;

/// The trials of an earlier task that are points of these axes.
pub(super) fn fitting<'t>(axes: &[Axis], trials: &'t [Trial]) -> impl Iterator<Item = &'t Trial> {
    trials.iter().filter(move |trial| {
        let mut levels = trial.point.iter().zip(axes);
        trial.point.len() == axes.len() && levels.all(|(level, axis)| usize::from(*level) < axis.levels())
    })
}

/// Trials of a spread design: fewer where earlier tasks tell something.
pub(super) fn initial(search: &Search<'_>) -> usize {
    let mut trials = search
        .earlier
        .iter()
        .flat_map(|trials| fitting(search.axes, trials));
    if trials.any(|trial| trial.outcome.measured().is_some()) {
        search.initial.min(EVERY * TRIED)
    } else {
        search.initial
    }
}

/// The models of earlier tasks; of a task that measured nothing there is none.
pub(super) fn models<'a>(search: &Search<'a>) -> Vec<Model<'a>> {
    let models = search.earlier.iter().filter_map(|trials| learnt(search, trials));
    models.map(|(model, _)| model).collect()
}

fn learnt<'a>(search: &Search<'a>, trials: &[Trial]) -> Option<(Model<'a>, Vec<Trial>)> {
    let outputs = search.goal.outputs().len();
    let history: Vec<Trial> = fitting(search.axes, trials)
        .filter(|trial| trial.outcome.seen().is_none_or(|row| row.len() == outputs))
        .cloned()
        .collect();
    let task = Search {
        history: &history,
        earlier: &[],
        ..*search
    };
    let model = Model::learnt(search.goal, &task, Vec::new())?;
    Some((model, history))
}

/// The best points of earlier tasks, in turns from each.
pub(super) fn best(search: &Search<'_>) -> Vec<Point> {
    let rankings: Vec<Vec<Point>> = search
        .earlier
        .iter()
        .filter_map(|trials| {
            let (model, history) = learnt(search, trials)?;
            let ranking = model.ranking(&history);
            Some(
                ranking
                    .into_iter()
                    .take(TRIED)
                    .map(|ranked| ranked.point)
                    .collect(),
            )
        })
        .collect();
    let mut found: Vec<Point> = Vec::new();
    for place in 0..TRIED {
        for point in rankings.iter().filter_map(|ranking| ranking.get(place)) {
            if found.len() < TRIED && !found.contains(point) {
                found.push(point.clone());
            }
        }
    }
    found
}
