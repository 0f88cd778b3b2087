use proptest::prelude::*;

use super::*;
use crate::score::{Objective, ScoreParts, SloMetric, Statistic};

/// A score of so many tokens a second, or of so much latency.
fn score(objective: Objective, value: f64, misses: Option<f64>) -> Score {
    let violations = misses.map(|ratio| Violation {
        metric: SloMetric::Ttft(Statistic::Mean),
        threshold: 1.0,
        actual: 1.0 + ratio,
        ratio,
    });
    Score::from_parts(ScoreParts {
        feasible: misses.is_none(),
        value: if objective.is_maximized() { value } else { -value },
        objective,
        objective_value: value,
        penalty: 0.0,
        violations: violations.into_iter().collect(),
        low_n: false,
    })
}

/// What came of experiments: `D 100` the defaults, `a 120` a search, `a 118` another measurement of
/// the same, `a x` a failure, `a 120!0.3` one that misses its bound by three tenths.
fn judged(objective: Objective, told: &str) -> Verdict {
    let words: Vec<&str> = told.split(' ').collect();
    let scores: Vec<Option<Score>> = words
        .chunks(2)
        .map(|pair| {
            let (value, missed) = pair[1].split_once('!').unwrap_or((pair[1], ""));
            let value: f64 = value.parse().ok()?;
            Some(score(objective, value, missed.parse().ok()))
        })
        .collect();
    let mut seen = Vec::new();
    let runs: Vec<Run<'_>> = (1..)
        .zip(words.chunks(2).zip(&scores))
        .map(|(number, (pair, score))| {
            let role = match (pair[0], seen.contains(&pair[0])) {
                (_, true) => Role::Replicate,
                ("D", false) => Role::Baseline,
                (_, false) => Role::Search,
            };
            seen.push(pair[0]);
            Run {
                number: ExperimentNumber(number),
                role,
                key: CandidateKey(pair[0].replace('D', "")),
                score: score.as_ref(),
            }
        })
        .collect();
    of_runs(&runs, Some(ExperimentNumber(1)))
}

fn more(told: &str) -> Verdict {
    judged(Objective::MaximizeThroughput, told)
}

fn best(verdict: &Verdict) -> Option<u32> {
    verdict.best.as_ref().map(|best| best.number.0)
}

#[test]
fn what_was_measured_again_is_claimed_with_its_interval() {
    let found = more("D 100 a 130 b 110 D 101 a 128 a 129 D 100");
    let Claim::Gain(gain) = found.claim else {
        panic!("{found:?}");
    };
    let comparison = found.comparison.expect("both were measured again");
    assert!((gain - (128.5_f64 / 100.5 - 1.0)).abs() < 1e-3, "{gain}");
    assert!(comparison.low > 0.2 && comparison.high < 0.35, "{comparison:?}");
    assert_eq!(comparison.runs, (2, 2));
    let best = found.best.expect("measured");
    assert_eq!((best.number.0, best.runs), (2, 3));
    assert_eq!(found.baseline.map(|baseline| baseline.runs), Some(3));
}

#[test]
fn claims_are_as_sure_as_measurements_agree() {
    let check = |told: &str, number: u32, expected: &str| {
        let found = more(told);
        let claimed = (best(&found), found.claim.as_str());
        assert_eq!(claimed, (Some(number), expected), "{told}: {found:?}");
    };
    check("D 100 a 130", 2, "unconfirmed");
    check("D 100 a 130 a 129", 2, "unconfirmed");
    check("D 100 a 130 D 112 a 114", 2, "undecided");
    // The lucky measurement that made it lead is no evidence.
    check(
        "D 100 a 103 D 100 a 100.5 a 100 D 100.5 a 100.5 D 100",
        1,
        "no_gain",
    );
    check("D 100 a 130 D 100 a 98 D 100 a 98", 1, "no_gain");
    // One pair says otherwise, by chance.
    check("D 150 a 100 D 100 a 103", 1, "no_gain");
    check("D 100 a 101", 2, "no_gain");
    check("D 100 a 90", 1, "no_gain");
    check("D x a 90 a 91", 2, "no_baseline");
    check("D 100 a x", 1, "only_defaults");
    check("D 100!0.5 a 80 D 100!0.5 a 81", 2, "meets_slos");
    check("D 100!0.5 a 80", 2, "meets_slos");
    check("D 100!0.5 a 120!0.3 b 110!0.1", 2, "nothing_feasible");
    assert_eq!(best(&more("D x a x")), None);
    assert_eq!(more("D x a x").claim, Claim::NothingMeasured);
}

#[test]
fn what_failed_once_is_not_crowned_and_of_the_rest_what_was_measured_most() {
    assert_eq!(best(&more("D 100 a 150 b 130 D 100 a x b 131")), Some(3));
    // One more look at a rival that was lucky twice does not make it the best.
    let rivals = "D 100 a 130 b 128 D 100 a 130 b 140 D 100 a 131 D 101 a 129";
    assert_eq!(best(&more(rivals)), Some(2));
    // What misses a bound every other time does not keep it.
    assert_eq!(best(&more("D 100 a 150 b 130 D 100 a 150!0.2 b 130")), Some(3));
}

#[test]
fn where_no_bound_can_be_kept_the_closest_is_named() {
    let found = more("D 100!0.5 a 120!0.3 b 110!0.1");
    let closest = found.closest.expect("nothing is feasible");
    assert_eq!(closest.number.0, 3);
    assert_eq!(more("D 100!0.5 a 120").closest, None);
}

#[test]
fn less_latency_is_a_gain() {
    let found = judged(Objective::MinimizeLatency, "D 1 a 0.5 D 1 a 0.5 D 1 a 0.5");
    let Claim::Gain(gain) = found.claim else {
        panic!("{found:?}");
    };
    assert!((gain - 0.5).abs() < 1e-9, "{gain}");
    let value = found
        .best
        .and_then(|best| best.objective_value)
        .expect("measured");
    assert!((value - 0.5).abs() < 1e-9, "{value}");
}

proptest! {
    /// The interval is about the estimate, and no unit matters.
    #[test]
    fn intervals_hold_the_estimate_in_every_unit(
        rates in prop::collection::vec((50.0..200.0_f64, 50.0..200.0_f64), 2..8),
        unit in 1e-3..1e6_f64,
    ) {
        let told = |unit: f64| {
            let pairs = rates.iter().map(|(one, other)| format!("D {} a {}", one * unit, other * unit));
            more(&pairs.collect::<Vec<_>>().join(" "))
        };
        let (plain, scaled) = (told(1.0), told(unit));
        let (one, other) = (plain.comparison.expect("repeated"), scaled.comparison.expect("repeated"));
        prop_assert!(one.low <= one.gain && one.gain <= one.high, "{one:?}");
        prop_assert!((one.gain - other.gain).abs() < 1e-6, "{one:?} {other:?}");
        prop_assert!((one.low - other.low).abs() < 1e-6, "{one:?} {other:?}");
        prop_assert_eq!(plain.claim.as_str(), scaled.claim.as_str());
    }
}
