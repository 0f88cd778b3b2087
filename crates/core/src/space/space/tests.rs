//! Points of a space: numbered, drawn, allowed or not.

use super::*;
use crate::space::{ParameterName, Value};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter {
        name: ParameterName::new(name),
        domain,
    }
}

fn choice(values: &[i64]) -> Domain {
    Domain::Choice(values.iter().copied().map(Value::Int).collect())
}

fn integer(low: i64, high: i64, step: u64, log: bool) -> Domain {
    Domain::Integer { low, high, step, log }
}

fn problems(parameters: Vec<Parameter>, constraints: &[&str]) -> Vec<String> {
    let constraints = constraints
        .iter()
        .map(|source| Constraint::parse(source).expect(source))
        .collect();
    Space::new(parameters, constraints)
        .expect_err("a problem")
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_problem_of_a_space_is_told_at_once() {
    let found = problems(
        vec![
            parameter("max-num-seqs", choice(&[])),
            parameter("max_num_seqs", integer(9, 3, 1, false)),
            parameter("tokens", integer(0, 8, 1, true)),
            parameter(
                "share",
                Domain::Continuous {
                    low: 0.0,
                    high: f64::INFINITY,
                    log: false,
                },
            ),
            parameter("step", integer(0, 8, 0, false)),
        ],
        &["{max-num-seq} > 3"],
    );
    assert_eq!(
        found,
        [
            "parameters.max_num_seqs: names the same flag as parameters.max-num-seqs",
            "parameters.max-num-seqs: has no values to choose from",
            "parameters.max_num_seqs: the range ends before it begins: 9 to 3",
            "parameters.tokens: a logarithmic range begins above 0, not at 0",
            "parameters.share: a range has finite ends",
            "parameters.step: a step of 0 leads nowhere",
            "constraints[0]: names {max-num-seq}, which is not one of the parameters; did you mean {max-num-seqs}?",
        ]
    );
}

#[test]
fn points_are_numbered_with_the_first_parameter_slowest() {
    let space = Space::new(
        vec![
            parameter("a", choice(&[10, 20])),
            parameter("b", integer(1, 7, 3, false)),
        ],
        vec![],
    )
    .expect("sound");
    assert_eq!(space.size(), Size::Finite(6));
    let all: Vec<String> = (0..6)
        .map(|rank| space.nth(rank).expect("in range").to_string())
        .collect();
    assert_eq!(
        all,
        [
            "a=10 b=1", "a=10 b=4", "a=10 b=7", "a=20 b=1", "a=20 b=4", "a=20 b=7"
        ]
    );
    assert_eq!(space.nth(6), None);
}

#[test]
fn huge_sizes_are_computed_and_not_listed() {
    let wide = Space::new(
        (0..9)
            .map(|i| parameter(&format!("p{i}"), integer(i64::MIN, i64::MAX, 1, false)))
            .collect(),
        vec![],
    )
    .expect("sound");
    assert_eq!(wide.size(), Size::Finite(u128::MAX));
    assert!(wide.nth(u128::MAX).is_some());
    let empty = Space::new(vec![], vec![]).expect("sound");
    assert_eq!(empty.size(), Size::Finite(1));
    assert!(empty.nth(0).expect("one point").is_engine_default());
}

fn conditions(listed: &[(&str, &str)]) -> Vec<(ParameterName, Constraint)> {
    let read = |(name, source): &(&str, &str)| {
        let condition = Constraint::parse(source).expect(source);
        (ParameterName::new(name), condition)
    };
    listed.iter().map(read).collect()
}

#[test]
fn what_is_not_set_is_one_configuration() {
    let parameters = vec![
        parameter("c", choice(&[7, 8])),
        parameter("a", choice(&[1, 2])),
        parameter("b", integer(1, 3, 1, false)),
    ];
    let space = Space::new(parameters, vec![]).expect("sound");
    let space = space
        .conditional(conditions(&[("c", "{b} == 3"), ("b", "{a} == 2")]))
        .expect("sound");
    let allowed = |size| {
        let all = (0..size).map(|rank| space.nth(rank).expect("in range"));
        let allowed = all.filter(|candidate| space.allows(candidate));
        let mut texts: Vec<String> = allowed.map(|candidate| candidate.to_string()).collect();
        texts.sort();
        texts
    };
    assert_eq!(space.size(), Size::Finite(3 * 2 * 4));
    let all = [
        "c=7 a=2 b=3",
        "c=8 a=2 b=3",
        "c=null a=1 b=null",
        "c=null a=2 b=1",
        "c=null a=2 b=2",
    ];
    assert_eq!(allowed(24), all);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..100 {
        let drawn = space.sample(&mut rng);
        assert!(
            space.allows(&drawn) && all.contains(&drawn.to_string().as_str()),
            "{drawn}"
        );
    }
    assert_eq!(space.at([0.0, 0.0, 0.9]).to_string(), "c=null a=1 b=null");
    assert_eq!(space.at([0.0, 0.9, 0.9]).to_string(), "c=7 a=2 b=3");
    // The engine's defaults set nothing.
    assert!(space.allows(&Candidate::engine_default()));
}

#[test]
fn conditions_that_lead_nowhere_are_told() {
    let parameters = || ["a", "b", "c"].map(|name| parameter(name, choice(&[1, 2])));
    let check = |listed: &[(&str, &str)], told: &[&str]| {
        let space = Space::new(parameters().to_vec(), vec![]).expect("sound");
        let problems = space.conditional(conditions(listed)).expect_err("a problem");
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, told);
    };
    check(
        &[("a", "{elsewhere} > 1")],
        &["parameters.a: names {elsewhere}, which is not one of the parameters"],
    );
    let itself = "is set when something is true that depends on itself; name only parameters that \
                  are set without it";
    check(&[("a", "{a} > 1")], &[&format!("parameters.a: {itself}")]);
    check(
        &[("a", "{b} > 1"), ("b", "{a} > 1"), ("c", "{a} > 1")],
        &["a", "b", "c"]
            .map(|name| format!("parameters.{name}: {itself}"))
            .each_ref()
            .map(String::as_str),
    );
}

#[test]
fn impossible_combinations_are_no_points() {
    let names = ["a", "c"].map(ParameterName::new);
    let rows = [(1, 8), (2, 7), (2, 8)].map(|(a, c)| vec![Value::Int(a), Value::Int(c)]);
    let space = Space::new(
        vec![
            parameter("a", choice(&[1, 2])),
            parameter("b", choice(&[5, 6])),
            parameter("c", choice(&[7, 8])),
        ],
        vec![],
    )
    .expect("sound")
    .restricted(&names, rows.to_vec());
    assert_eq!(space.size(), Size::Finite(6));
    let all: Vec<String> = (0..6)
        .map(|rank| space.nth(rank).expect("in range").to_string())
        .collect();
    assert_eq!(
        all,
        [
            "a=1 b=5 c=8",
            "a=1 b=6 c=8",
            "a=2 b=5 c=7",
            "a=2 b=6 c=7",
            "a=2 b=5 c=8",
            "a=2 b=6 c=8"
        ]
        .map(str::to_owned)
    );
    assert_eq!(space.nth(6), None);
    assert_eq!(space.at([0.9, 0.1, 0.1]).to_string(), "a=2 b=5 c=7");
    assert_eq!(space.at([0.1, 0.1, 0.1]).to_string(), "a=1 b=5 c=8");
    assert!(!space.allows(&Candidate::new([
        (ParameterName::new("a"), Value::Int(1)),
        (ParameterName::new("b"), Value::Int(5)),
        (ParameterName::new("c"), Value::Int(7)),
    ])));
    assert!(space.allows(&Candidate::engine_default()));
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let drawn: HashSet<String> = (0..500).map(|_| space.sample(&mut rng).to_string()).collect();
    assert_eq!(drawn, all.into_iter().collect());
}

#[test]
fn a_restricted_space_allows_its_rows_and_nothing_near_them() {
    let names = ["a", "b"].map(ParameterName::new);
    let text = |text: &str| Value::Text(text.into());
    let values = [
        Value::Unset,
        Value::Bool(true),
        Value::Int(1),
        Value::Float(1.0),
        Value::Float(1.5),
        text("1"),
        text("true"),
        text("null"),
        text("1\u{1f}1"),
    ];
    // Each value beside itself and the one before it.
    let is_row = |a: usize, b: usize| a == b || a == b + 1;
    let all = || (0..values.len()).flat_map(|a| (0..values.len()).map(move |b| (a, b)));
    let rows = all().filter(|(a, b)| is_row(*a, *b));
    let rows = rows.map(|(a, b)| vec![values[a].clone(), values[b].clone()]);
    let domain = || Domain::Choice(values.to_vec());
    let space = Space::new(vec![parameter("a", domain()), parameter("b", domain())], vec![])
        .expect("sound")
        .restricted(&names, rows.collect());
    let part = space.part(|_| true);
    for (a, b) in all() {
        let given = [values[a].clone(), values[b].clone()];
        let candidate = Candidate::new(names.iter().cloned().zip(given));
        assert_eq!(space.allows(&candidate), is_row(a, b), "{candidate}");
        assert_eq!(part.allows(&candidate), is_row(a, b), "{candidate}");
    }
    let half = Candidate::new([(ParameterName::new("a"), Value::Int(1))]);
    assert!(!space.allows(&half), "one without the other is no row");
}

#[test]
fn a_draw_reaches_every_value_and_leaves_no_range() {
    let domains = [
        choice(&[1, 2, 3]),
        integer(1, 512, 1, true),
        integer(-4, 4, 2, false),
        integer(5, 5, 1, false),
        integer(0, 10, 4, false),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for domain in domains {
        let space = Space::new(vec![parameter("p", domain.clone())], vec![]).expect("sound");
        let every: HashSet<String> = (0..domain.size().expect("finite"))
            .map(|index| domain.nth(index).expect("in range").to_string())
            .collect();
        let mut drawn = HashSet::new();
        for _ in 0..20_000 {
            drawn.insert(space.sample(&mut rng).get("p").expect("set").to_string());
        }
        assert!(drawn.is_subset(&every), "{domain:?}: {drawn:?}");
        if every.len() < 20 {
            assert_eq!(drawn, every, "{domain:?}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn a_continuous_draw_stays_inside(low in -1e6..1e6_f64, width in 0.0..1e6_f64, fraction in 0.0..=1.0_f64) {
        let domain = Domain::Continuous { low, high: low + width, log: false };
        let drawn = domain.at(fraction).as_number().expect("a number");
        proptest::prop_assert!((low..=low + width).contains(&drawn));
    }

    #[test]
    fn an_integer_draw_is_on_the_lattice(low in -1000_i64..1000, steps in 0_u64..50, step in 1_u64..20, fraction in 0.0..=1.0_f64, log: bool) {
        let low = if log { low.abs() + 1 } else { low };
        let high = low + i64::try_from(steps * step).expect("small") + i64::try_from(step / 2).expect("small");
        let domain = Domain::Integer { low, high, step, log };
        let Value::Int(drawn) = domain.at(fraction) else { panic!("not a whole number") };
        proptest::prop_assert!(drawn >= low && drawn <= high);
        proptest::prop_assert_eq!((drawn - low) % i64::try_from(step).expect("small"), 0);
    }
}
