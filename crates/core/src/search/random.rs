//! Points drawn at random, each parameter on its own scale, none twice.

use rand::Rng;

use super::fresh::drawn;
use super::{Proposal, SearchContext, Strategy, StrategyKind};

/// Random search.
#[derive(Debug, Clone, Copy)]
pub struct Random;

impl Strategy for Random {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Random
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        drawn(context, rng, "drawn at random")
    }
}
