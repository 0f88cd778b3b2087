//! Which parameters move the objective, as answers tell it.

use autotuner_core::insight::{Effect, Interaction, Share, Variance};
use serde::Serialize;
use utoipa::ToSchema;

/// Shares of the variance of the objective's logarithm, from a model of the run's experiments: each
/// parameter alone, each pair beyond that, and what neither explains.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VarianceView {
    /// Experiments that the model is made of.
    experiments_used: usize,
    /// Each parameter that took several values, the largest total first. None while too little is
    /// known.
    effects: Vec<EffectView>,
    /// Pairs of them, the largest share first.
    interactions: Vec<InteractionView>,
    /// Noise, and what more than two parameters do together; null where there is no model.
    unexplained: Option<ShareView>,
    /// What a reader should know of it, for people.
    note: Option<String>,
}

/// A share of the variance, 0 to 1.
#[derive(Debug, Serialize, ToSchema)]
struct ShareView {
    /// Its median.
    share: f64,
    /// Lower end of its interval, in which it lies with a probability of 95 %.
    low: f64,
    /// Upper end of it.
    high: f64,
}

/// What one parameter does.
#[derive(Debug, Serialize, ToSchema)]
struct EffectView {
    /// The parameter.
    name: String,
    /// Alone, over all values of the others.
    main: ShareView,
    /// Alone and together with others: what two do together counts for both.
    total: ShareView,
    /// Whether it is more than chance may show.
    stands_out: bool,
}

/// What two parameters do together beyond what each does alone.
#[derive(Debug, Serialize, ToSchema)]
struct InteractionView {
    /// One of them.
    first: String,
    /// The other one.
    second: String,
    /// Its share: the median.
    share: f64,
    /// Lower end of its interval, in which it lies with a probability of 95 %.
    low: f64,
    /// Upper end of it.
    high: f64,
    /// Whether it is more than chance may show.
    stands_out: bool,
}

impl VarianceView {
    pub(super) fn of(variance: Variance) -> Self {
        let Variance {
            used,
            effects,
            interactions,
            unexplained,
            note,
        } = variance;
        Self {
            experiments_used: used,
            effects: effects.into_iter().map(EffectView::of).collect(),
            interactions: interactions.into_iter().map(InteractionView::of).collect(),
            unexplained: unexplained.map(ShareView::of),
            note,
        }
    }
}

impl ShareView {
    fn of(Share { share, low, high }: Share) -> Self {
        Self { share, low, high }
    }
}

impl EffectView {
    fn of(effect: Effect) -> Self {
        let Effect {
            name,
            main,
            total,
            stands_out,
        } = effect;
        Self {
            name: name.to_string(),
            main: ShareView::of(main),
            total: ShareView::of(total),
            stands_out,
        }
    }
}

impl InteractionView {
    fn of(interaction: Interaction) -> Self {
        let Interaction {
            first,
            second,
            share: Share { share, low, high },
            stands_out,
        } = interaction;
        Self {
            first: first.to_string(),
            second: second.to_string(),
            share,
            low,
            high,
            stands_out,
        }
    }
}
