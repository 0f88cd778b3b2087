//! Every point in order; or, when the budget does not reach that far, a choice of points
//! that spreads over the whole space.
//!
//! The choice is a Latin hypercube: each level of each parameter appears as often as any
//! other, give or take one. Of several such designs the one whose closest pair of points
//! lies furthest apart is taken. It follows from space and budget alone, so that every
//! call, also after an interruption, works on the same plan.

use std::collections::HashSet;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fresh::{WALKABLE, drawn, is_fresh, walk};
use super::{Proposal, SearchContext, Strategy, StrategyKind};
use crate::space::{Candidate, Size, Space};

/// Designs that are compared.
const DESIGNS: u64 = 24;

/// Largest design whose pairs are compared; beyond it the first design is taken.
const LARGEST_COMPARED: usize = 256;

/// Most points of a design. Larger budgets spend the rest on points drawn at random.
const LARGEST_DESIGN: usize = 100_000;

/// Largest grid that is walked in order where the budget reaches to its end.
const LARGEST_WALKED: u128 = 1_000_000;

/// Grid search.
#[derive(Debug, Clone, Copy)]
pub struct Grid;

impl Strategy for Grid {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Grid
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        let known = context.known();
        let is_fresh = |candidate: &Candidate| is_fresh(context, &known, candidate);
        let (next, why) = match whole_grid(context) {
            Some(size) => (walk(context, size).find(is_fresh), "next point of the grid"),
            None => (
                spread(context.space, (context.budget.total as usize).min(LARGEST_DESIGN))
                    .into_iter()
                    .find(is_fresh),
                "next point of a spread choice of the grid",
            ),
        };
        if let Some(candidate) = next {
            return Proposal::Try {
                candidate,
                reason: why.into(),
            };
        }
        // Points of the choice that constraints forbid, or that are one and the same to the
        // engine, leave budget over: spend it on points drawn from the rest.
        drawn(context, rng, "drawn from what the spread choice left")
    }
}

/// The size of the grid, where the budget reaches to its end.
fn whole_grid(context: &SearchContext<'_>) -> Option<u128> {
    let Size::Finite(size) = context.space.size() else {
        return None;
    };
    let total = context.budget.total as usize;
    if size <= total as u128 {
        return (size <= LARGEST_WALKED).then_some(size);
    }
    // One more than the budget tells whether it reaches.
    let reaches = size <= WALKABLE && walk(context, size).take(total + 1).count() <= total;
    reaches.then_some(size)
}

/// `count` points spread over the space; some may be equal or forbidden.
fn spread(space: &Space, count: usize) -> Vec<Candidate> {
    let designs = if count <= LARGEST_COMPARED { DESIGNS } else { 1 };
    let best = (0..designs)
        .map(|seed| latin(space.parameters().len(), count, seed))
        .max_by(|left, right| closest_pair(left).total_cmp(&closest_pair(right)))
        .unwrap_or_default();
    let mut seen = HashSet::new();
    best.into_iter()
        .map(|point| space.at(point))
        .filter(|candidate| seen.insert(candidate.key()))
        .collect()
}

/// `count` points in the unit cube whose coordinates, dimension by dimension, are the
/// midpoints of `count` equal slices.
fn latin(dimensions: usize, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut points = vec![Vec::with_capacity(dimensions); count];
    let mut slices: Vec<usize> = (0..count).collect();
    for _ in 0..dimensions {
        slices.shuffle(&mut rng);
        for (point, slice) in points.iter_mut().zip(&slices) {
            #[expect(clippy::cast_precision_loss, reason = "budgets stay far below 2^53")]
            point.push((*slice as f64 + 0.5) / count as f64);
        }
    }
    points
}

/// Squared distance of the two closest points; 0 where pairs are too many to compare.
fn closest_pair(points: &[Vec<f64>]) -> f64 {
    if points.len() > LARGEST_COMPARED {
        return 0.0;
    }
    let mut least = f64::INFINITY;
    for (index, left) in points.iter().enumerate() {
        for right in &points[index + 1..] {
            let distance = left.iter().zip(right).map(|(l, r)| (l - r).powi(2)).sum();
            least = least.min(distance);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::conformance::{Scene, choices, first, run};
    use std::collections::BTreeMap;

    fn tried(scene: &Scene) -> Vec<String> {
        run(&Grid, scene).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_grid_within_the_budget_is_walked_in_order() {
        let scene = Scene::new(vec![choices("a", &[1, 2]), choices("b", &[7, 8, 9])]).budget(6);
        assert_eq!(
            tried(&scene),
            ["a=1 b=7", "a=1 b=8", "a=1 b=9", "a=2 b=7", "a=2 b=8", "a=2 b=9"]
        );
    }

    #[test]
    fn constraints_shrink_the_grid_before_it_is_cut() {
        let scene = Scene::new(vec![choices("a", &[1, 2, 3]), choices("b", &[1, 2, 3])])
            .constraint("{a} < {b}")
            .budget(3);
        assert_eq!(tried(&scene), ["a=1 b=2", "a=1 b=3", "a=2 b=3"]);
    }

    #[test]
    fn a_grid_cut_short_shows_every_level_of_every_parameter_equally() {
        let parameters = vec![
            choices("a", &[1, 2, 3, 4]),
            choices("b", &[1, 2, 3]),
            choices("c", &[1, 2, 3, 4, 5, 6]),
            choices("d", &[1, 2]),
        ];
        let scene = Scene::new(parameters).budget(12);
        let found = run(&Grid, &scene);
        assert_eq!(found.len(), 12);
        for (name, levels) in [("a", 4), ("b", 3), ("c", 6), ("d", 2)] {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for candidate in &found {
                *seen
                    .entry(candidate.get(name).expect("set").to_string())
                    .or_default() += 1;
            }
            assert_eq!(seen.len(), levels, "{name}: {seen:?}");
            assert!(
                seen.values().all(|count| *count == 12 / levels),
                "{name}: {seen:?}"
            );
        }
    }

    #[test]
    fn a_boundless_budget_plans_no_boundless_list() {
        let wide: Vec<i64> = (0..1000).collect();
        let parameters = (0..3).map(|i| choices(&format!("p{i}"), &wide)).collect();
        let scene = Scene::new(parameters).budget(u32::MAX);
        assert!(matches!(first(&Grid, &scene), Proposal::Try { .. }));
    }

    #[test]
    fn the_plan_of_an_astronomical_grid_is_quick_and_spread() {
        let wide: Vec<i64> = (0..1000).collect();
        let parameters = (0..12).map(|i| choices(&format!("p{i}"), &wide)).collect();
        let scene = Scene::new(parameters).budget(20);
        let found = run(&Grid, &scene);
        let firsts: HashSet<String> = found
            .iter()
            .map(|candidate| candidate.get("p0").expect("set").to_string())
            .collect();
        assert_eq!(firsts.len(), 20);
    }
}
