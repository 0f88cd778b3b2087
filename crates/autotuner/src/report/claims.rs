//! Verdicts in words, claiming what was measured and no more.

use autotuner_core::score::{Objective, Violation};
use autotuner_core::verdict::{Claim, Comparison, Judged, SMALLEST_GAIN, Verdict};

use super::words::{counted, duration, objective_value, percent};

/// The verdict as one or two sentences.
pub(crate) fn sentence(verdict: &Verdict) -> String {
    let nothing = || "Nothing was measured: every experiment failed or was cancelled.".to_owned();
    let Some(best) = &verdict.best else {
        return nothing();
    };
    let Some((objective, value)) = worth(best) else {
        return nothing();
    };
    let number = best.number;
    let better = |ratio: f64| better(objective, ratio);
    let interval = verdict.comparison.map(interval).unwrap_or_default();
    let runs = runs(best, verdict.baseline.as_ref());
    match verdict.claim {
        Claim::Gain(ratio) => format!(
            "Experiment {number} is best: {value}, {} than the engine's defaults{interval}. {runs}",
            better(ratio)
        ),
        Claim::MeetsSlos(ratio) => format!(
            "Experiment {number} is best: {value}. It meets every SLO, which the engine's defaults \
             do not, with {} than they have{interval}. {runs}",
            better(ratio)
        ),
        Claim::NoGain(_) if verdict.comparison.is_some_and(is_open) => format!(
            "No improvement found: nothing tried is shown to beat the engine's defaults ({value}), and \
             these measurements do not tell by how much it is better or worse{interval}. \
             {runs} More of optimization.max_replicates would tell."
        ),
        Claim::NoGain(_) if verdict.comparison.is_some() => format!(
            "No improvement found: nothing tried is worth more than {:.0} % over the engine's \
             defaults{interval}. {runs}",
            SMALLEST_GAIN * 100.0
        ),
        Claim::NoGain(ratio) if ratio > 0.0 => format!(
            "No improvement found: experiment {number} ({value}) is {:.1} % ahead of the engine's \
             defaults, less than single measurements can tell.",
            ratio * 100.0
        ),
        Claim::NoGain(_) => {
            format!("No improvement found: nothing tried beats the engine's defaults ({value}).")
        }
        Claim::Undecided(_) => format!(
            "Not decidable with this budget: experiment {number} ({value}) may be better than the \
             engine's defaults or not{interval}. {runs} More of optimization.max_replicates would tell."
        ),
        Claim::Unconfirmed(ratio) => format!(
            "Experiment {number} was measured best: {value}, {} than the engine's defaults. Each was \
             measured once, which may be chance.",
            better(ratio)
        ),
        Claim::OnlyDefaults => {
            format!("Only the engine's defaults were measured ({value}): there is nothing to compare with.")
        }
        Claim::NoBaseline => format!(
            "Experiment {number} is best of those measured: {value}. \
             The engine's defaults could not be measured, so no gain is claimed."
        ),
        Claim::NothingFeasible => unmet(best, &value, verdict.closest.as_ref()),
        Claim::NothingMeasured => nothing(),
    }
}

/// Whether what was compared with the defaults may yet be worth more than they are.
fn is_open(comparison: Comparison) -> bool {
    comparison.high >= SMALLEST_GAIN
}

/// No SLO can be met: what is best, and what comes closest.
fn unmet(best: &Judged, value: &str, closest: Option<&Judged>) -> String {
    let closest = closest.unwrap_or(best);
    let also = match closest.number == best.number {
        true => String::new(),
        false => format!(
            " Best by the objective alone is experiment {} with {value}.",
            best.number
        ),
    };
    let of_closest = worth(closest).map_or_else(String::new, |(_, value)| format!(" with {value}"));
    format!(
        "No configuration meets every SLO. Closest is experiment {}{of_closest}: {}.{also}",
        closest.number,
        misses(closest.violations())
    )
}

fn worth(judged: &Judged) -> Option<(Objective, String)> {
    let objective = judged.score.as_ref()?.objective();
    Some((objective, objective_value(objective, judged.objective_value?)))
}

fn better(objective: Objective, ratio: f64) -> String {
    let word = match (objective.is_maximized(), ratio >= 0.0) {
        (true, true) | (false, false) => "more",
        (true, false) | (false, true) => "less",
    };
    format!("{:.1} % {word} {}", ratio.abs() * 100.0, objective.label())
}

fn interval(comparison: Comparison) -> String {
    let (low, high) = (percent(comparison.low), percent(comparison.high));
    format!(" (90 % interval: {low} to {high})")
}

fn runs(best: &Judged, baseline: Option<&Judged>) -> String {
    let times = |judged: &Judged| match judged.runs {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        runs => counted(runs as u128, "time"),
    };
    match baseline.filter(|baseline| baseline.number != best.number) {
        Some(baseline) if baseline.runs == best.runs => format!("Each was measured {}.", times(best)),
        Some(baseline) => format!(
            "It was measured {}, the defaults {}.",
            times(best),
            times(baseline)
        ),
        None => format!("The defaults were measured {}.", times(best)),
    }
}

fn misses(violations: &[Violation]) -> String {
    let misses = violations.iter().map(|miss| {
        let (actual, threshold) = (duration(miss.actual), duration(miss.threshold));
        format!("{} is {actual} against {threshold}", miss.metric)
    });
    misses.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use autotuner_core::ids::ExperimentNumber;
    use autotuner_core::score::{Objective, Score, ScoreParts};
    use autotuner_core::search::Role;
    use autotuner_core::space::CandidateKey;
    use autotuner_core::verdict::{Run, of_runs};

    use super::*;

    /// The sentence on experiments of so many tokens a second: the defaults, then one candidate, then
    /// both in turn.
    fn told(rates: &[f64]) -> String {
        let score = |rate: &f64| {
            Score::from_parts(ScoreParts {
                feasible: true,
                value: *rate,
                objective: Objective::MaximizeThroughput,
                objective_value: *rate,
                penalty: 0.0,
                violations: Vec::new(),
                low_n: false,
            })
        };
        let scores: Vec<Score> = rates.iter().map(score).collect();
        let runs: Vec<Run<'_>> = (1..)
            .zip(&scores)
            .map(|(number, score)| Run {
                number: ExperimentNumber(number),
                role: match number {
                    1 => Role::Baseline,
                    2 => Role::Search,
                    _ => Role::Replicate,
                },
                key: CandidateKey(if number % 2 == 1 {
                    String::new()
                } else {
                    "a".into()
                }),
                score: Some(score),
            })
            .collect();
        sentence(&of_runs(&runs, Some(ExperimentNumber(1))))
    }

    #[test]
    fn sentences_claim_what_was_measured() {
        let all = [
            told(&[1000.0]),
            told(&[1000.0, 1300.0]),
            told(&[1000.0, 1300.0, 1000.0, 1300.0, 1000.0, 1300.0]),
            told(&[1000.0, 1010.0, 1000.0, 1001.0, 1001.0, 1000.0, 1000.0, 1001.0]),
            told(&[1000.0, 1300.0, 1100.0, 1200.0]),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}
