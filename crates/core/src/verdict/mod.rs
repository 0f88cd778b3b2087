//! What a run has found out: the best configuration, and its gain over the defaults.
//!
//! [`standing`](Standings) brings every configuration's measurements together, and
//! [`Comparison`] sets the best beside the engine's defaults. Only what was measured more than
//! once is claimed without reserve.

mod comparison;
mod standing;

#[cfg(test)]
mod tests;

pub use comparison::{Comparison, DOUBT};
pub use standing::{Standing, Standings};

use crate::experiment::Experiment;
use crate::failure::Lesson;
use crate::ids::ExperimentNumber;
use crate::score::{Score, Violation};
use crate::search::Role;
use crate::space::CandidateKey;

/// The smallest gain that is worth having: what is surely below it is no improvement, and what
/// single measurements show below it is not spoken of as one. Two starts of one and the same
/// configuration commonly differ by as much on a quiet machine, and by more on a busy one.
pub const SMALLEST_GAIN: f64 = 0.02;

/// An experiment as far as a verdict looks at it: one that has ended and says something of its
/// configuration.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// Its number.
    pub number: ExperimentNumber,
    /// What it was for.
    pub role: Role,
    /// Which configuration; the engine's own defaults have the empty key.
    pub key: CandidateKey,
    /// What it is worth; nothing where it failed by its own fault.
    pub score: Option<&'a Score>,
}

/// What a run has found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The best of all that was measured, the defaults included.
    pub best: Option<Judged>,
    /// The engine's defaults, if they were tried.
    pub baseline: Option<Judged>,
    /// What can be claimed.
    pub claim: Claim,
    /// The best beside the defaults, where both were measured again.
    pub comparison: Option<Comparison>,
    /// Where nothing meets every SLO: what misses them by least.
    pub closest: Option<Judged>,
}

/// A configuration in a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The experiment that stands for it.
    pub number: ExperimentNumber,
    /// What it is worth: of several measurements the one in the middle. None if it failed.
    pub score: Option<Score>,
    /// What the objective looks at, in its own unit: the mean of all measurements.
    pub objective_value: Option<f64>,
    /// How often it was measured.
    pub runs: usize,
}

/// What can be claimed of the best configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// It beats the defaults by this ratio of the objective (0.25 is a quarter better), surely.
    Gain(f64),
    /// It meets the SLOs, which the defaults do not; the ratio may be negative.
    MeetsSlos(f64),
    /// Nothing beats the defaults, or not by enough to be worth it: the best is better by this
    /// ratio.
    NoGain(f64),
    /// It was measured better by this ratio, and may yet be no better: measurements differ too
    /// much for as few as there are.
    Undecided(f64),
    /// It was measured better by this ratio, once.
    Unconfirmed(f64),
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
            Self::Gain(ratio)
            | Self::MeetsSlos(ratio)
            | Self::NoGain(ratio)
            | Self::Undecided(ratio)
            | Self::Unconfirmed(ratio) => Some(ratio),
            Self::OnlyDefaults | Self::NoBaseline | Self::NothingFeasible | Self::NothingMeasured => None,
        }
    }

    /// The word in files and APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gain(_) => "gain",
            Self::MeetsSlos(_) => "meets_slos",
            Self::NoGain(_) => "no_gain",
            Self::Undecided(_) => "undecided",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::OnlyDefaults => "only_defaults",
            Self::NoBaseline => "no_baseline",
            Self::NothingFeasible => "nothing_feasible",
            Self::NothingMeasured => "nothing_measured",
        }
    }
}

impl Judged {
    fn of(standing: &Standing<'_>) -> Self {
        Self {
            number: standing.number(),
            score: Some(standing.typical().clone()),
            objective_value: Some(standing.objective_value()),
            runs: standing.runs(),
        }
    }

    /// The bounds that it misses.
    pub fn violations(&self) -> &[Violation] {
        self.score.as_ref().map_or(&[], Score::violations)
    }
}

impl Run<'_> {
    /// The experiment as a run, if it says anything of its configuration.
    pub fn of(experiment: &Experiment) -> Option<Run<'_>> {
        let is_telling = match experiment.result.as_ref()? {
            Ok(_) => true,
            Err(failure) => failure.kind.lesson() == Lesson::KeepAway,
        };
        is_telling.then(|| Run {
            number: experiment.number,
            role: experiment.role,
            key: experiment.candidate.key(),
            score: experiment.score(),
        })
    }
}

/// The verdict on these experiments, oldest first.
pub fn verdict(experiments: &[Experiment]) -> Verdict {
    let runs: Vec<Run<'_>> = experiments.iter().filter_map(Run::of).collect();
    let baseline = experiments
        .iter()
        .rfind(|experiment| experiment.role == Role::Baseline);
    of_runs(&runs, baseline.map(|experiment| experiment.number))
}

/// The verdict on these runs, oldest first. `baseline` is the last experiment that was to measure
/// the engine's defaults, whatever came of it.
pub fn of_runs(runs: &[Run<'_>], baseline: Option<ExperimentNumber>) -> Verdict {
    let standings = Standings::of(runs);
    let default = standings.default();
    let challenger = standings.challenger();
    let comparison = challenger
        .zip(default)
        .and_then(|(challenger, default)| Comparison::of(&standings, challenger, default));
    let best = match (challenger, default) {
        (Some(challenger), Some(default)) if !is_ahead(challenger, default, comparison) => Some(default),
        (challenger, default) => challenger.or(default),
    };
    let is_search_measured = runs
        .iter()
        .any(|run| run.role == Role::Search && run.score.is_some());
    Verdict {
        best: best.map(Judged::of),
        baseline: default.map(Judged::of).or_else(|| baseline.map(failed)),
        claim: claim(best, default, comparison, is_search_measured),
        comparison,
        closest: best
            .filter(|best| !best.is_feasible())
            .and_then(|_| standings.closest())
            .map(Judged::of),
    }
}

/// Whether it is to be preferred to the defaults: by what was measured again, and, where that leaves
/// doubt, by all measurements as well.
fn is_ahead(challenger: &Standing<'_>, default: &Standing<'_>, comparison: Option<Comparison>) -> bool {
    match (challenger.is_feasible(), default.is_feasible(), comparison) {
        (true, true, Some(comparison)) => {
            let is_better = challenger.mean() > default.mean();
            // What is surely hardly better is not worth a change.
            let may_be_worth_it = comparison.high >= SMALLEST_GAIN && comparison.gain > 0.0;
            comparison.is_gain() || (may_be_worth_it && is_better)
        }
        _ => challenger.typical() > default.typical(),
    }
}

fn failed(number: ExperimentNumber) -> Judged {
    Judged {
        number,
        score: None,
        objective_value: None,
        runs: 0,
    }
}

fn claim(
    best: Option<&Standing<'_>>,
    default: Option<&Standing<'_>>,
    comparison: Option<Comparison>,
    is_search_measured: bool,
) -> Claim {
    let Some(best) = best else {
        return Claim::NothingMeasured;
    };
    if !is_search_measured {
        return Claim::OnlyDefaults;
    }
    if !best.is_feasible() {
        return Claim::NothingFeasible;
    }
    let Some(default) = default else {
        return Claim::NoBaseline;
    };
    if best.is_default() {
        return Claim::NoGain(0.0);
    }
    // In the exponential mode a configuration that misses an SLO may still be chosen.
    let meets_more = !default.is_feasible() || (best.is_met() && !default.is_met());
    let Some(comparison) = comparison else {
        let measured = best.typical().gain_over(default.typical());
        return match measured {
            Some(gain) if meets_more => Claim::MeetsSlos(gain),
            Some(gain) if gain < SMALLEST_GAIN => Claim::NoGain(gain.max(0.0)),
            Some(gain) => Claim::Unconfirmed(gain),
            None => Claim::NoBaseline,
        };
    };
    if meets_more {
        Claim::MeetsSlos(comparison.gain)
    } else if comparison.is_gain() {
        Claim::Gain(comparison.gain)
    } else {
        Claim::Undecided(comparison.gain)
    }
}
