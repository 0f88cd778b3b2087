//! What to try next.

/// Which strategy proposes candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StrategyKind {
    /// Every point, or a spread choice of them when the budget is smaller.
    Grid,
    /// Points drawn at random, none twice.
    Random,
    /// A model of what was measured decides.
    Bayesian,
}

impl StrategyKind {
    /// The word in task documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid_search",
            Self::Random => "random_search",
            Self::Bayesian => "bayesian",
        }
    }
}
