//! Where a turn looks for what to try: around the best, everywhere, and uphill from there.

use std::collections::HashSet;

use rand::RngExt;

use super::model::{Model, Ranked};
use super::points::{anywhere, moved, neighbours};
use super::problem::Point;
use super::suggest::Turn;

/// Measured points that are looked around.
const CENTRES: usize = 5;

/// Points that are drawn from everywhere, and from two exchanges around each centre.
const FAR: usize = 600;
const AROUND: usize = 60;

/// Points that are judged by draws, of all that were looked at by their means.
const JUDGED: usize = 160;

/// Of which so many are taken whatever their means.
const UNSORTED: usize = 60;

/// Rounds of ascent from the best judged, and of how many.
const ROUNDS: usize = 6;
const ASCENTS: usize = 2;

impl Turn<'_> {
    /// New points with their merits, best first.
    pub(super) fn judged(
        &mut self,
        model: &Model<'_>,
        ranking: &[Ranked],
        best: Option<f64>,
        merit: &dyn Fn(&Point) -> f64,
    ) -> Vec<(f64, Point)> {
        let mut pool = self.pool(ranking);
        if pool.len() > JUDGED {
            let mut quick: Vec<(f64, Point)> = pool
                .into_iter()
                .map(|point| {
                    let worth = model.middle(&point);
                    let runs = model.crashes.runs(&point).max(1e-6).ln();
                    let limits = worth.violation.max(0.0);
                    let value = worth.value - best.unwrap_or(worth.value);
                    (value + 0.3 * runs - limits, point)
                })
                .collect();
            quick.sort_by(|(left, _), (right, _)| right.total_cmp(left));
            let rest = quick.split_off(JUDGED - UNSORTED);
            pool = quick.into_iter().map(|(_, point)| point).collect();
            for _ in 0..UNSORTED {
                pool.push(rest[self.rng.random_range(0..rest.len())].1.clone());
            }
        }
        let mut judged: Vec<(f64, Point)> = pool.into_iter().map(|point| (merit(&point), point)).collect();
        judged.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        let tops: Vec<(f64, Point)> = judged
            .iter()
            .take(ASCENTS)
            .map(|start| self.ascended(start, merit))
            .collect();
        judged.extend(tops);
        judged.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        judged.dedup_by(|(_, left), (_, right)| left == right);
        judged
    }

    /// The end of an ascent, step by step to the best neighbour.
    fn ascended(&mut self, start: &(f64, Point), merit: &dyn Fn(&Point) -> f64) -> (f64, Point) {
        let mut at = start.clone();
        for _ in 0..ROUNDS {
            let around = neighbours(self.search.axes, &at.1, &mut self.rng);
            let step = around
                .into_iter()
                .map(self.search.settled)
                .filter(|point| self.is_fresh(point))
                .map(|point| (merit(&point), point))
                .max_by(|(left, _), (right, _)| left.total_cmp(right));
            match step {
                Some(step) if step.0 > at.0 => at = step,
                _ => break,
            }
        }
        at
    }

    /// Points around the best measured ones and from everywhere.
    fn pool(&mut self, ranking: &[Ranked]) -> Vec<Point> {
        let axes = self.search.axes;
        let mut pool = Vec::new();
        for Ranked { point: centre, .. } in ranking.iter().take(CENTRES) {
            pool.extend(neighbours(axes, centre, &mut self.rng));
            for _ in 0..AROUND {
                pool.push(moved(axes, centre, &mut self.rng));
            }
        }
        for _ in 0..FAR {
            pool.push(anywhere(axes, &mut self.rng));
        }
        let mut seen = HashSet::new();
        let pool = pool.into_iter().map(self.search.settled);
        pool.filter(|point| self.is_fresh(point) && seen.insert(point.clone()))
            .collect()
    }

    /// The most promising point with a value that is hardly known.
    pub(super) fn widened(
        &mut self,
        (axis, level): (usize, u16),
        ranking: &[Ranked],
        merit: &dyn Fn(&Point) -> f64,
    ) -> Option<Point> {
        let axes = self.search.axes;
        let mut pool = Vec::new();
        for ranked in ranking.iter().take(CENTRES) {
            let mut centre = ranked.point.clone();
            centre[axis] = level;
            pool.extend(neighbours(axes, &centre, &mut self.rng));
            pool.push(centre);
        }
        for _ in 0..200 {
            pool.push(anywhere(axes, &mut self.rng));
        }
        for point in &mut pool {
            point[axis] = level;
        }
        let pool = pool.into_iter().map(self.search.settled);
        let pool = pool.filter(|point| point[axis] == level && self.is_fresh(point));
        let chances = pool.map(|point| (merit(&point), point));
        chances
            .max_by(|(left, _), (right, _)| left.total_cmp(right))
            .map(|(_, point)| point)
    }
}
