//! Points drawn at random, each parameter on its own scale, none twice.

use rand::Rng;

use super::fresh::{Fresh, draw, reason};
use super::{Proposal, SearchContext, Strategy, StrategyKind};

/// Random search.
#[derive(Debug, Clone, Copy)]
pub struct Random;

impl Strategy for Random {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Random
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn Rng) -> Proposal {
        match draw(context, rng) {
            Fresh::Found(candidate) => Proposal::Try {
                candidate,
                reason: "drawn at random".into(),
            },
            none => Proposal::Stop { why: reason(&none) },
        }
    }
}
