//! Where configurations work, and which rules explain where they do not.

use super::*;

/// A task as they are: number types and backends that do not go together, memory that runs out.
fn usual() -> Vec<Parameter> {
    vec![
        parameter("cache", words(&["auto", "fp8"])),
        parameter("backend", words(&["a", "b", "c"])),
        parameter("seqs", list([8, 16, 32, 64, 128])),
        parameter("memory", list([80, 85, 90, 95])),
        parameter("eager", Domain::boolean()),
    ]
}

fn failed(kind: FailureKind) -> Result<Score, Failure> {
    Err(Failure::new(kind, "it failed"))
}

fn missed() -> Result<Score, Failure> {
    Ok(feasibly(false, -1.0))
}

/// Experiments whose ends follow from their candidates.
fn ending(
    count: usize,
    seed: u64,
    end: impl Fn(&Candidate, &mut ChaCha8Rng) -> Result<Score, Failure>,
) -> Insight {
    let parameters = usual();
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    let mut findings = drawn(&parameters, count, seed, |_, rng| -rng.random::<f64>() - 0.1);
    for one in &mut findings {
        one.outcome = end(&one.candidate, &mut rng);
    }
    insight(&parameters, &findings)
}

fn has(candidate: &Candidate, name: &str, value: &str) -> bool {
    candidate.get(name) == Some(&Value::from(value))
}

fn number(candidate: &Candidate, name: &str) -> f64 {
    candidate.get(name).and_then(Value::as_number).expect("a number")
}

fn sentences(told: &Insight) -> Vec<String> {
    told.feasibility.rules.iter().map(ToString::to_string).collect()
}

#[test]
fn a_rule_of_two_values_is_found_and_told_in_words() {
    for seed in 0..10 {
        let told = ending(40, seed, |candidate, _| {
            match has(candidate, "cache", "fp8") && has(candidate, "backend", "a") {
                true => failed(FailureKind::InvalidCandidate),
                false => Ok(worth(-1.0)),
            }
        });
        let rules = &told.feasibility.rules;
        let refused = told.failures.first().map_or(0, |group| group.experiments.len());
        assert_eq!(rules.len(), 1, "seed {seed}: {:#?}", sentences(&told));
        let expected = format!(
            "cache=fp8 with backend=a: {refused} of {refused} refused, 0 of {} elsewhere",
            40 - refused
        );
        assert_eq!(rules[0].to_string(), expected);
        assert_eq!(rules[0].experiments, told.failures[0].experiments);
        assert_eq!(rules[0].alternatives, 0);
        let first = &told.feasibility.pairs[0];
        assert_eq!(
            (first.first.0.as_str(), first.second.0.as_str()),
            ("cache", "backend")
        );
    }
}

#[test]
fn bounds_of_numbers_and_kinds_are_told_apart() {
    let told = ending(60, 4, |candidate, _| {
        let seqs = number(candidate, "seqs");
        if has(candidate, "backend", "c") {
            failed(FailureKind::InvalidCandidate)
        } else if seqs >= 64.0 {
            failed(FailureKind::OutOfMemory)
        } else if has(candidate, "cache", "auto") {
            missed()
        } else {
            Ok(worth(-1.0))
        }
    });
    let said: Vec<(&str, String)> = told
        .feasibility
        .rules
        .iter()
        .map(|rule| {
            let conditions = rule.conditions.iter().map(ToString::to_string);
            (rule.fate.as_str(), conditions.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(
        said,
        [
            ("invalid_candidate", "backend=c".to_owned()),
            ("out_of_memory", "seqs>=64".to_owned()),
            ("missed_slo", "cache=auto".to_owned()),
        ]
    );
}

#[test]
fn what_fails_by_chance_has_no_rule() {
    let mut claimed = 0;
    for seed in 0..60 {
        for count in [15, 30, 60] {
            let told = ending(count, seed, |_, rng| match rng.random_range(0..5) {
                0 => failed(FailureKind::EngineCrashed),
                1 => failed(FailureKind::OutOfMemory),
                2 => missed(),
                _ => Ok(worth(-1.0)),
            });
            claimed += u32::from(!told.feasibility.rules.is_empty());
        }
    }
    // Three kinds each: 540 questions.
    assert!(claimed <= 9, "{claimed} of 180");
}

#[test]
fn counts_add_up() {
    let told = ending(50, 2, |candidate, rng| {
        if number(candidate, "memory") > 90.0 {
            failed(FailureKind::OutOfMemory)
        } else if has(candidate, "eager", "never") || rng.random_range(0..6) == 0 {
            failed(FailureKind::WorkerLost)
        } else if rng.random_range(0..4) == 0 {
            missed()
        } else {
            Ok(worth(-1.0))
        }
    });
    let Feasibility {
        all,
        parameters,
        pairs,
        ..
    } = told.feasibility;
    let lost = told
        .failures
        .iter()
        .find(|group| group.kind == FailureKind::WorkerLost);
    assert_eq!(
        all.experiments,
        50 - lost.map_or(0, |group| group.experiments.len())
    );
    assert_eq!(all.good() + all.missed_slo + all.failures(), all.experiments);
    assert_eq!(parameters.len(), 5);
    for map in &parameters {
        let sum =
            |of: &dyn Fn(&Counts) -> usize| map.values.iter().map(|(_, counts)| of(counts)).sum::<usize>();
        assert_eq!(sum(&|counts| counts.experiments), all.experiments, "{}", map.name);
        assert_eq!(sum(&Counts::failures), all.failures(), "{}", map.name);
        assert_eq!(sum(&|counts| counts.missed_slo), all.missed_slo, "{}", map.name);
    }
    let memory: Vec<String> = parameters[3]
        .values
        .iter()
        .map(|(span, _)| span.from.to_string())
        .collect();
    assert_eq!(memory, ["80", "85", "90", "95"]);
    for pair in &pairs {
        let sum: usize = pair.cells.iter().map(|(_, _, counts)| counts.experiments).sum();
        assert_eq!(sum, all.experiments);
    }
}

#[test]
fn many_numbers_share_places() {
    let parameters = [parameter(
        "share",
        Domain::Continuous {
            low: 0.5,
            high: 0.95,
            log: false,
        },
    )];
    let mut findings = drawn(&parameters, 60, 1, |_, _| -1.0);
    for one in &mut findings {
        if number(&one.candidate, "share") > 0.85 {
            one.outcome = failed(FailureKind::OutOfMemory);
        }
    }
    let told = insight(&parameters, &findings);
    assert_eq!(told.feasibility.parameters[0].values.len(), 6);
    let rule = &told.feasibility.rules[0];
    assert_eq!(rule.conditions[0].relation, Relation::AtLeast);
    assert!(rule.hits >= told.failures[0].experiments.len() / 2);
}

#[test]
fn where_everything_works_there_is_nothing_to_explain() {
    let told = ending(20, 1, |_, _| Ok(worth(-1.0)));
    assert_eq!(told.feasibility.rules, []);
    assert_eq!(told.feasibility.pairs, []);
    assert_eq!(told.feasibility.all.good(), 20);
    assert_eq!(insight(&usual(), &[]).feasibility, Feasibility::default());
}

/// Two parameters that always went together cannot be told apart, and that is said.
#[test]
fn rules_that_name_the_same_are_counted() {
    let parameters = [
        parameter("one", words(&["x", "y"])),
        parameter("two", words(&["x", "y"])),
    ];
    let findings: Vec<Finding> = (1..=20)
        .map(|index| {
            let word = Value::from(if index % 2 == 0 { "x" } else { "y" });
            let names = ["one", "two"].map(|name| (ParameterName::new(name), word.clone()));
            let outcome = match index % 2 {
                0 => failed(FailureKind::NotReadyInTime),
                _ => Ok(worth(-1.0)),
            };
            finding(index, Candidate::new(names), outcome)
        })
        .collect();
    let rules = insight(&parameters, &findings).feasibility.rules;
    assert_eq!(rules.len(), 1);
    assert_eq!(
        rules[0].to_string(),
        "one=x: 10 of 10 not ready in time, 0 of 10 elsewhere"
    );
    assert_eq!(rules[0].alternatives, 1);
}
