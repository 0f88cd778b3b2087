//! Which value to give a chance that it did not have yet.
//!
//! What crashed in bad company alone would otherwise never be seen in good: a search that goes by
//! what it measured digs itself in.

use super::problem::Search;

/// Trials that make a value known: so many measured, or so many altogether.
const KNOWN: usize = 2;
const TRIED: usize = 5;

/// The least known value of the unordered axes, as axis and level; none if all are known.
pub(super) fn rarest(search: &Search<'_>) -> Option<(usize, u16)> {
    let unordered = search
        .axes
        .iter()
        .enumerate()
        .filter(|(_, axis)| axis.positions().is_none());
    unordered
        .flat_map(|(index, axis)| {
            let levels = u16::try_from(axis.levels()).unwrap_or(u16::MAX);
            (0..levels).map(move |level| (index, level))
        })
        .filter_map(|(index, level)| {
            let with = || {
                search
                    .history
                    .iter()
                    .filter(move |trial| trial.point[index] == level)
            };
            let measured = with().filter(|trial| trial.outcome.measured().is_some()).count();
            let tried = with().count();
            (measured < KNOWN && tried < TRIED).then_some((measured, tried, index, level))
        })
        .min()
        .map(|(_, _, index, level)| (index, level))
}
