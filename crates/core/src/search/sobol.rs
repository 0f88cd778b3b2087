//! Points of a Sobol sequence: spread evenly however many are taken, and the first of them
//! already.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bayesian::sobol_points;
use super::fresh::{drawn, is_fresh};
use super::{Proposal, SearchContext, Strategy, StrategyKind};

/// Points looked at beyond those that were tried: constraints and values that are one to the
/// engine leave gaps.
const LOOKED_AHEAD: usize = 512;

/// Most points of the sequence that are made.
const MOST_POINTS: usize = 65_536;

/// Sobol search.
#[derive(Debug, Clone, Copy)]
pub struct Sobol;

impl Strategy for Sobol {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Sobol
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        let known = context.known();
        let count = (known.len() + LOOKED_AHEAD).min(MOST_POINTS);
        let mut shift = ChaCha8Rng::seed_from_u64(context.seed);
        let next = sobol_points(context.space.parameters().len(), count, &mut shift)
            .into_iter()
            .map(|point| context.space.at(point))
            .find(|candidate| is_fresh(context, &known, candidate));
        if let Some(candidate) = next {
            return Proposal::Try {
                candidate,
                reason: "next point of a Sobol sequence".into(),
            };
        }
        drawn(context, rng, "drawn from what the Sobol sequence left")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::search::conformance::{Scene, choices, run};

    #[test]
    fn every_level_is_seen_equally_often_from_the_start() {
        let parameters = vec![
            choices("a", &[1, 2, 3, 4]),
            choices("b", &[1, 2]),
            choices("c", &[1, 2, 3, 4, 5, 6, 7, 8]),
        ];
        let found = run(&Sobol, &Scene::new(parameters).budget(8));
        for (name, levels) in [("a", 4), ("b", 2), ("c", 8)] {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for candidate in &found {
                let value = candidate.get(name).expect("set").to_string();
                *seen.entry(value).or_default() += 1;
            }
            assert!(
                seen.values().all(|count| *count == 8 / levels),
                "{name}: {seen:?}"
            );
        }
    }
}
