mod feasibility;
mod variance;

use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::failure::FailureKind;
use crate::score::{Objective, ScoreParts};
use crate::space::Space;

/// A score of this value; the objective looks at its negative, as latency does.
fn worth(value: f64) -> Score {
    feasibly(true, value)
}

fn feasibly(feasible: bool, value: f64) -> Score {
    Score::from_parts(ScoreParts {
        feasible,
        value,
        objective: Objective::MinimizeLatency,
        objective_value: -value,
        penalty: 0.0,
        violations: Vec::new(),
        low_n: false,
    })
}

fn finding(number: usize, candidate: Candidate, outcome: Result<Score, Failure>) -> Finding {
    Finding {
        number: ExperimentNumber(u32::try_from(number).expect("few")),
        candidate,
        outcome,
    }
}

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter {
        name: ParameterName::new(name),
        domain,
    }
}

fn list(values: impl IntoIterator<Item = i64>) -> Domain {
    Domain::Choice(values.into_iter().map(Value::Int).collect())
}

fn words(values: &[&str]) -> Domain {
    Domain::Choice(values.iter().map(|word| Value::from(*word)).collect())
}

/// One of each kind, of few and of many values.
fn all_kinds() -> Vec<Parameter> {
    vec![
        parameter("switch", Domain::boolean()),
        parameter("word", words(&["a", "b", "c", "d"])),
        parameter("listed", list([1, 2, 4, 8, 16, 32, 64, 128])),
        parameter(
            "whole",
            Domain::Integer {
                low: 1,
                high: 512,
                step: 1,
                log: true,
            },
        ),
        parameter(
            "share",
            Domain::Continuous {
                low: 0.5,
                high: 0.95,
                log: false,
            },
        ),
    ]
}

/// So many experiments drawn at random, each worth what is made of its candidate.
fn drawn(
    parameters: &[Parameter],
    count: usize,
    seed: u64,
    worth_of: impl Fn(&Candidate, &mut ChaCha8Rng) -> f64,
) -> Vec<Finding> {
    let space = Space::new(parameters.to_vec(), Vec::new()).expect("a sound space");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let one = |number| {
        let candidate = space.sample(&mut rng as &mut dyn Rng);
        let value = worth_of(&candidate, &mut rng);
        finding(number, candidate, Ok(worth(value)))
    };
    (1..=count).map(one).collect()
}

/// Where a value lies among all of its parameter, 0 to 1.
fn along(parameters: &[Parameter], name: &str, candidate: &Candidate) -> f64 {
    let value = candidate.get(name).expect("set");
    let domain = &parameters
        .iter()
        .find(|parameter| parameter.name.as_str() == name)
        .expect("known")
        .domain;
    match domain {
        Domain::Choice(values) => {
            let place = values.iter().position(|other| other == value).expect("listed");
            place as f64 / (values.len() - 1) as f64
        }
        Domain::Integer { high, .. } => value.as_number().expect("a number").ln() / (*high as f64).ln(),
        Domain::Continuous { low, high, .. } => (value.as_number().expect("a number") - low) / (high - low),
    }
}

fn of<'a>(insight: &'a Insight, name: &str) -> &'a Importance {
    let is_it = |one: &&Importance| one.name.as_str() == name;
    insight.parameters.iter().find(is_it).expect("told of")
}

#[test]
fn the_one_parameter_that_decides_has_nearly_all_importance() {
    let parameters = all_kinds();
    for decisive in ["switch", "word", "listed", "whole", "share"] {
        for count in [100, 200, 1000] {
            for seed in 0..5 {
                let findings = drawn(&parameters, count, seed, |candidate, _| {
                    along(&parameters, decisive, candidate)
                });
                let told = insight(&parameters, &findings);
                let share = of(&told, decisive).importance;
                assert!(
                    share > 0.8,
                    "{decisive} of {count}, seed {seed}: {:#?}",
                    told.parameters
                );
                assert_eq!(told.parameters[0].name.as_str(), decisive);
            }
        }
    }
}

#[test]
fn noise_gives_intervals_that_overlap() {
    let parameters = all_kinds();
    let mut apart = Vec::new();
    for count in [20, 60, 200] {
        for seed in 0..40 {
            let findings = drawn(&parameters, count, seed, |_, rng| rng.random::<f64>());
            let told = insight(&parameters, &findings).parameters;
            let highest_low = told.iter().map(|one| one.low).fold(0.0, f64::max);
            let lowest_high = told.iter().map(|one| one.high).fold(1.0, f64::min);
            if highest_low > lowest_high {
                apart.push((count, seed, told));
            }
        }
    }
    // Intervals of 95 of 100, ten pairs of them at a time.
    assert!(apart.len() <= 6, "{} of 120: {apart:#?}", apart.len());
}

#[test]
fn equal_experiments_give_equal_answers() {
    let parameters = all_kinds();
    let findings = drawn(&parameters, 50, 7, |candidate, rng| {
        along(&parameters, "whole", candidate) + rng.random::<f64>()
    });
    assert_eq!(insight(&parameters, &findings), insight(&parameters, &findings));
}

#[test]
fn only_the_order_of_scores_counts() {
    let parameters = all_kinds();
    let findings = drawn(&parameters, 80, 3, |candidate, rng| {
        along(&parameters, "listed", candidate) + 0.3 * rng.random::<f64>()
    });
    let bent: Vec<Finding> = findings
        .iter()
        .map(|one| Finding {
            outcome: one.outcome.clone().map(|score| worth(score.value().exp() * 1e6)),
            ..one.clone()
        })
        .collect();
    assert_eq!(
        insight(&parameters, &findings).parameters,
        insight(&parameters, &bent).parameters
    );
}

#[test]
fn what_misses_an_slo_is_never_among_the_best() {
    // The faster half of the switch misses an SLO: off is what matters for being chosen.
    let parameters = vec![parameter("switch", Domain::boolean()), all_kinds().remove(4)];
    let mut findings = drawn(&parameters, 60, 1, |_, rng| rng.random::<f64>());
    for one in &mut findings {
        let is_on = one.candidate.get("switch") == Some(&Value::Bool(true));
        one.outcome = one
            .outcome
            .clone()
            .map(|score| feasibly(!is_on, score.value() + 5.0 * f64::from(u8::from(is_on))));
    }
    let told = insight(&parameters, &findings);
    assert!(of(&told, "switch").importance > 0.8, "{:#?}", told.parameters);
    let slice = &told.slices[0];
    assert!(slice.points.iter().any(|point| !point.is_feasible));
}

#[test]
fn too_few_say_nothing_and_how_many_are_missing() {
    let parameters = all_kinds();
    let check = |count: usize, expected: Option<&str>| {
        let mut findings = drawn(&parameters, count, 1, |_, rng| rng.random::<f64>());
        // Neither the engine's defaults nor a failure is an experiment with parameters and a score.
        findings.push(finding(50, Candidate::engine_default(), Ok(worth(0.0))));
        let failure = Failure::new(FailureKind::OutOfMemory, "it is out of memory");
        findings.push(finding(51, findings[0].candidate.clone(), Err(failure)));
        let told = insight(&parameters, &findings);
        assert_eq!((told.used, told.slices.len()), (count, 5), "{count}");
        assert_eq!(told.parameters.is_empty(), expected.is_some(), "{count}");
        if let Some(expected) = expected {
            assert_eq!(told.note.as_deref(), Some(expected), "{count}");
        }
    };
    let more = "experiments with parameters scored so far; ";
    let are = "more scored experiments are needed to tell which parameters matter";
    check(
        1,
        Some(&format!("1 experiment with parameters scored so far; 7 {are}")),
    );
    check(6, Some(&format!("6 {more}2 {are}")));
    check(
        7,
        Some(&format!(
            "7 {more}1 more scored experiment is needed to tell which parameters matter"
        )),
    );
    check(8, None);
    let nothing = insight(&parameters, &[]);
    assert_eq!((nothing.used, nothing.failures.len()), (0, 0));
}

#[test]
fn equal_scores_tell_nothing() {
    let parameters = all_kinds();
    let findings = drawn(&parameters, 30, 1, |_, _| 1.0);
    let told = insight(&parameters, &findings);
    assert!(told.parameters.is_empty());
    assert!(told.note.expect("said").contains("equally good"));
}

/// A parameter that only some candidates set is judged by those alone.
#[test]
fn a_parameter_counts_where_it_is_set() {
    let parameters = vec![
        parameter("always", words(&["x", "y"])),
        parameter("only-x", list(1..=4)),
    ];
    let mut findings = drawn(&parameters, 120, 2, |candidate, _| {
        along(&parameters, "only-x", candidate)
    });
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for one in &mut findings {
        if one.candidate.get("always") == Some(&Value::from("y")) {
            let always = (ParameterName::new("always"), Value::from("y"));
            one.candidate = Candidate::new([always]);
            one.outcome = Ok(worth(rng.random::<f64>()));
        }
    }
    let set = findings
        .iter()
        .filter(|one| one.candidate.get("only-x").is_some());
    let set = set.count();
    let told = insight(&parameters, &findings);
    assert_eq!(told.slices[1].points.len(), set);
    assert_eq!(told.slices[0].points.len(), 120);
    assert!(of(&told, "only-x").importance > 0.8, "{:#?}", told.parameters);
    // Nobody has set it: it is in the list, and nothing.
    let never = [parameters.clone(), vec![parameter("never", list([1, 2]))]].concat();
    let told = insight(&never, &findings);
    assert_eq!(of(&told, "never").importance, 0.0);
    assert_eq!(told.slices[2].groups.as_deref(), Some(&[][..]));
}

#[test]
fn slices_hold_each_experiment_and_lists_are_grouped() {
    let parameters = vec![
        parameter("seqs", list([4, 8, 16])),
        parameter("word", Domain::Choice(vec![Value::Unset, Value::from("fp8")])),
    ];
    let one = |number, seqs: i64, word: Value, score| {
        let candidate = Candidate::new([
            (ParameterName::new("seqs"), Value::Int(seqs)),
            (ParameterName::new("word"), word),
        ]);
        finding(number, candidate, Ok(score))
    };
    let findings = [
        one(1, 8, Value::Unset, worth(-2.0)),
        one(2, 8, Value::from("fp8"), worth(-4.0)),
        one(3, 4, Value::Unset, feasibly(false, -1.0)),
        one(4, 4, Value::Unset, worth(-3.0)),
    ];
    let slices = insight(&parameters, &findings).slices;
    let kinds: Vec<_> = slices.iter().map(|slice| slice.kind.as_str()).collect();
    assert_eq!(kinds, ["integer", "categorical"]);
    let points: Vec<_> = slices[0]
        .points
        .iter()
        .map(|point| (point.value.to_string(), point.objective_value, point.number.0))
        .collect();
    assert_eq!(
        points,
        [
            ("8".into(), 2.0, 1),
            ("8".into(), 4.0, 2),
            ("4".into(), 1.0, 3),
            ("4".into(), 3.0, 4)
        ]
    );
    let groups = |slice: &Slice| -> Vec<_> {
        let groups = slice.groups.clone().expect("a list").into_iter();
        groups
            .map(|group| (group.value.to_string(), group.count, group.median, group.best))
            .collect()
    };
    assert_eq!(
        groups(&slices[0]),
        [("4".into(), 2, 2.0, 3.0), ("8".into(), 2, 3.0, 2.0)],
        "the faster one of 4 misses an SLO"
    );
    assert_eq!(
        groups(&slices[1]),
        [("null".into(), 3, 2.0, 2.0), ("fp8".into(), 1, 4.0, 4.0)]
    );
}

#[test]
fn without_a_space_the_values_that_were_tried_are_it() {
    let of = |values: &[(&str, Value)]| {
        let values = values.iter().cloned();
        Candidate::new(values.map(|(name, value)| (ParameterName::new(name), value)))
    };
    let findings = [
        finding(1, Candidate::engine_default(), Ok(worth(1.0))),
        finding(2, of(&[("a-b", 2_i64.into()), ("c", "x".into())]), Ok(worth(1.0))),
        finding(3, of(&[("a_b", 1_i64.into()), ("c", "x".into())]), Ok(worth(2.0))),
    ];
    let expected = [parameter("a-b", list([2, 1])), parameter("c", words(&["x"]))];
    assert_eq!(seen_parameters(&findings), expected);
}

#[test]
fn kinds_follow_the_values() {
    let check = |domain: Domain, expected: &str| {
        let told = insight(&[parameter("p", domain.clone())], &[]);
        assert_eq!(told.slices[0].kind.as_str(), expected, "{domain:?}");
    };
    check(Domain::boolean(), "boolean");
    check(list([1, 2]), "integer");
    check(
        Domain::Choice(vec![Value::Int(1), Value::Float(0.5)]),
        "continuous",
    );
    check(words(&["a"]), "categorical");
    check(Domain::Choice(vec![Value::Unset, Value::Int(1)]), "categorical");
    check(all_kinds().remove(3).domain, "integer");
    check(all_kinds().remove(4).domain, "continuous");
}

#[test]
fn failures_stand_by_kind_with_the_usual_advice() {
    let failed = |number, kind, advice: Option<&str>| {
        let mut failure = Failure::new(kind, "it failed");
        failure.advice = advice.map(str::to_owned);
        finding(number, Candidate::engine_default(), Err(failure))
    };
    let findings = [
        failed(1, FailureKind::EngineCrashed, Some("update it")),
        failed(2, FailureKind::OutOfMemory, Some("lower this")),
        failed(3, FailureKind::OutOfMemory, Some("lower that")),
        failed(4, FailureKind::OutOfMemory, Some("lower that")),
        failed(5, FailureKind::WorkerLost, None),
    ];
    let told: Vec<_> = insight(&[], &findings)
        .failures
        .into_iter()
        .map(|group| {
            let numbers: Vec<u32> = group.experiments.iter().map(|number| number.0).collect();
            (group.kind.as_str(), numbers, group.advice)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("out_of_memory", vec![2, 3, 4], Some("lower that".to_owned())),
            ("engine_crashed", vec![1], Some("update it".to_owned())),
            ("worker_lost", vec![5], None),
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_are_shares(
        count in 8_usize..60,
        seed in any::<u64>(),
        // Scores that are often equal, and infeasible ones among them.
        steps in 1_u32..6,
    ) {
        let parameters = all_kinds();
        let mut findings = drawn(&parameters, count, seed, |_, rng| {
            f64::from(rng.random_range(0..=steps))
        });
        findings[0].outcome = Ok(feasibly(false, 9.0));
        let told = insight(&parameters, &findings).parameters;
        prop_assert_eq!(told.len(), 5);
        let sum: f64 = told.iter().map(|one| one.importance).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
        for one in &told {
            prop_assert!(0.0 <= one.low && one.low <= one.importance, "{:?}", one);
            prop_assert!(one.importance <= one.high && one.high <= 1.0 + 1e-9, "{:?}", one);
        }
        prop_assert!(told.is_sorted_by(|a, b| a.importance >= b.importance));
    }
}
