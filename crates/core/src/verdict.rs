//! What a run has found out: the best configuration, and its gain over the defaults.

use crate::experiment::Experiment;
use crate::score::Score;
use crate::search::Role;

/// The smallest gain that is claimed of configurations measured once each. Two starts of one
/// and the same configuration commonly differ by one or two per cent on a quiet machine, and
/// by more on a busy one; a claim below that would be noise.
pub const SMALLEST_GAIN: f64 = 0.02;

/// What a run has found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<'a> {
    /// The best of all that was measured, the baseline included.
    pub best: Option<&'a Experiment>,
    /// The engine's defaults, if they were tried.
    pub baseline: Option<&'a Experiment>,
    /// What can be claimed.
    pub claim: Claim,
}

/// What can be claimed of the best configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// It beats the defaults by this ratio of the objective (0.25 is a quarter better).
    Gain(f64),
    /// It meets the SLOs, which the defaults do not; the ratio may be negative.
    MeetsSlos(f64),
    /// Nothing beats the defaults, or not by enough to tell: the best is better by this ratio,
    /// 0 or below [`SMALLEST_GAIN`].
    NoGain(f64),
    /// Nothing but the defaults could be measured, or has been yet.
    OnlyDefaults,
    /// The defaults could not be measured, so no gain can be claimed.
    NoBaseline,
    /// Everything measured misses an SLO; the best is only the best of those.
    NothingFeasible,
    /// Nothing could be measured.
    NothingMeasured,
}

impl Claim {
    /// By which ratio of the objective the best beats the defaults, where that can be said.
    pub fn gain(self) -> Option<f64> {
        match self {
            Self::Gain(ratio) | Self::MeetsSlos(ratio) | Self::NoGain(ratio) => Some(ratio),
            Self::OnlyDefaults | Self::NoBaseline | Self::NothingFeasible | Self::NothingMeasured => None,
        }
    }
}

/// The verdict on these experiments.
///
/// Scores of single measurements are compared as they stand: a gain that is small against
/// the noise of repeated measurements is told as measured, and it is for whoever words it
/// to say that nothing was repeated.
pub fn verdict(experiments: &[Experiment]) -> Verdict<'_> {
    let baseline = experiments
        .iter()
        .rfind(|experiment| experiment.role == Role::Baseline);
    // The earliest of equals: `max_by` would take the last.
    let best = experiments
        .iter()
        .filter(|experiment| experiment.score().is_some())
        .reduce(|best, next| if next.score() > best.score() { next } else { best });
    let is_search_measured = experiments.iter().any(is_measured_search);
    let scores = [best, baseline].map(|experiment| experiment.and_then(Experiment::score));
    Verdict {
        best,
        baseline,
        claim: claim(scores[0], scores[1], is_search_measured),
    }
}

fn is_measured_search(experiment: &Experiment) -> bool {
    experiment.role == Role::Search && experiment.score().is_some()
}

/// What can be claimed by the scores of the best and of the engine's defaults alone, where it is
/// known whether any candidate of the search has one.
pub fn claim(best: Option<&Score>, baseline: Option<&Score>, is_search_measured: bool) -> Claim {
    let Some(score) = best else {
        return Claim::NothingMeasured;
    };
    if !is_search_measured {
        return Claim::OnlyDefaults;
    }
    if !score.is_feasible() {
        return Claim::NothingFeasible;
    }
    let Some(default) = baseline else {
        return Claim::NoBaseline;
    };
    if score <= default {
        return Claim::NoGain(0.0);
    }
    // In the exponential mode a configuration that misses an SLO may still be chosen.
    let is_met = |score: &Score| score.is_feasible() && score.violations().is_empty();
    let meets_more = !default.is_feasible() || (is_met(score) && !is_met(default));
    match score.gain_over(default) {
        Some(gain) if !meets_more && gain < SMALLEST_GAIN => Claim::NoGain(gain.max(0.0)),
        Some(gain) if !meets_more => Claim::Gain(gain),
        Some(gain) => Claim::MeetsSlos(gain),
        None => Claim::NoBaseline,
    }
}
