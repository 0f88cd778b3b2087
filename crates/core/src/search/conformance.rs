//! What every strategy must keep, run against each.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Budget, Observation, Proposal, Random, Role, SearchContext, Seen, Strategy, StrategyKind};
use crate::failure::FailureKind;
use crate::score::{Objective, SloPolicy};
use crate::space::{Candidate, CandidateKey, Constraint, Domain, Parameter, ParameterName, Space, Value};

/// A space and a budget to search in.
pub(crate) struct Scene {
    parameters: Vec<Parameter>,
    constraints: Vec<Constraint>,
    conditions: Vec<(ParameterName, Constraint)>,
    budget: u32,
    parallel: usize,
    identity: fn(&Candidate) -> CandidateKey,
}

impl Scene {
    pub(crate) fn new(parameters: Vec<Parameter>) -> Self {
        Self {
            parameters,
            constraints: Vec::new(),
            conditions: Vec::new(),
            budget: 10,
            parallel: 1,
            identity: Candidate::key,
        }
    }

    pub(crate) fn constraint(mut self, source: &str) -> Self {
        self.constraints
            .push(Constraint::parse(source).expect("readable"));
        self
    }

    /// The parameter is set only where this is certain.
    pub(crate) fn when(mut self, name: &str, source: &str) -> Self {
        let condition = Constraint::parse(source).expect("readable");
        self.conditions.push((ParameterName::new(name), condition));
        self
    }

    pub(crate) fn budget(mut self, budget: u32) -> Self {
        self.budget = budget;
        self
    }

    fn parallel(mut self, parallel: usize) -> Self {
        self.parallel = parallel;
        self
    }

    fn identity(mut self, identity: fn(&Candidate) -> CandidateKey) -> Self {
        self.identity = identity;
        self
    }

    fn space(&self) -> Space {
        Space::new(self.parameters.clone(), self.constraints.clone())
            .and_then(|space| space.conditional(self.conditions.clone()))
            .expect("sound")
    }
}

pub(crate) fn choices(name: &str, values: &[i64]) -> Parameter {
    Parameter {
        name: ParameterName::new(name),
        domain: Domain::Choice(values.iter().copied().map(Value::Int).collect()),
    }
}

/// Runs a strategy until it stops or the budget is spent; every candidate fails, which is
/// the least that an experiment can teach.
pub(crate) fn run(strategy: &dyn Strategy, scene: &Scene) -> Vec<Candidate> {
    let space = scene.space();
    let slos = SloPolicy::default();
    let mut done: Vec<Candidate> = Vec::new();
    let mut pending: Vec<Candidate> = Vec::new();
    loop {
        let observations: Vec<Observation<'_>> = done
            .iter()
            .map(|candidate| Observation {
                candidate,
                role: Role::Search,
                outcome: Seen::Infeasible(FailureKind::EngineCrashed),
            })
            .collect();
        let begun = u32::try_from(done.len() + pending.len()).expect("small");
        let context = SearchContext {
            space: &space,
            objective: Objective::MaximizeThroughput,
            pareto: &[],
            slos: &slos,
            level_weights: &[1.0],
            observations: &observations,
            pending: &pending,
            budget: Budget {
                total: scene.budget,
                left: scene.budget - begun,
            },
            seed: 7,
            initial_random: 5,
            min_gain: None,
            earlier: &[],
            identity: &scene.identity,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        rng.set_stream(u64::from(begun));
        let proposal = strategy.propose(&context, &mut rng);
        let mut again = ChaCha8Rng::seed_from_u64(7);
        again.set_stream(u64::from(begun));
        assert_eq!(
            proposal,
            strategy.propose(&context, &mut again),
            "equal questions get equal answers"
        );
        match proposal {
            Proposal::Try { candidate, reason } => {
                assert!(!reason.is_empty(), "every proposal says why");
                assert!(space.allows(&candidate), "{candidate} breaks a constraint");
                let identity = (scene.identity)(&candidate);
                let is_known = done
                    .iter()
                    .chain(&pending)
                    .any(|c| (scene.identity)(c) == identity);
                assert!(!is_known, "{candidate} is proposed twice");
                pending.push(candidate);
            }
            Proposal::Replicate { of, .. } => panic!("{of} need not be replicated"),
            Proposal::Stop { why } => {
                assert!(!why.is_empty(), "a stop says why");
                done.append(&mut pending);
                return done;
            }
        }
        if pending.len() == scene.parallel {
            done.push(pending.remove(0));
        }
        if done.len() + pending.len() == scene.budget as usize {
            done.append(&mut pending);
            return done;
        }
    }
}

/// The first proposal of a run.
pub(crate) fn first(strategy: &dyn Strategy, scene: &Scene) -> Proposal {
    let context = SearchContext {
        space: &scene.space(),
        objective: Objective::MaximizeThroughput,
        pareto: &[],
        slos: &SloPolicy::default(),
        level_weights: &[1.0],
        observations: &[],
        pending: &[],
        budget: Budget {
            total: scene.budget,
            left: scene.budget,
        },
        seed: 7,
        initial_random: 5,
        min_gain: None,
        earlier: &[],
        identity: &scene.identity,
    };
    strategy.propose(&context, &mut ChaCha8Rng::seed_from_u64(7))
}

fn strategies() -> [&'static dyn Strategy; 5] {
    StrategyKind::ALL.map(StrategyKind::strategy)
}

fn mixed() -> Vec<Parameter> {
    vec![
        choices("seqs", &[8, 16, 32, 64]),
        Parameter {
            name: ParameterName::new("tokens"),
            domain: Domain::Integer {
                low: 256,
                high: 8192,
                step: 1,
                log: true,
            },
        },
        Parameter {
            name: ParameterName::new("share"),
            domain: Domain::Continuous {
                low: 0.5,
                high: 0.95,
                log: false,
            },
        },
        Parameter {
            name: ParameterName::new("eager"),
            domain: Domain::boolean(),
        },
    ]
}

#[test]
fn a_small_space_is_tried_out_completely_and_then_left() {
    for strategy in strategies() {
        let scene = Scene::new(vec![choices("a", &[1, 2, 3]), choices("b", &[1, 2])]).budget(50);
        let keys: HashSet<CandidateKey> = run(strategy, &scene).iter().map(Candidate::key).collect();
        assert_eq!(keys.len(), 6, "{:?}", strategy.kind());
    }
}

#[test]
fn the_budget_is_spent_and_constraints_are_kept() {
    for strategy in strategies() {
        for parallel in [1, 4] {
            let scene = Scene::new(mixed())
                .constraint("{tokens} >= {seqs} * 16")
                .constraint("not ({eager} and {share} > 0.9)")
                .budget(40)
                .parallel(parallel);
            assert_eq!(run(strategy, &scene).len(), 40, "{:?}", strategy.kind());
        }
    }
}

#[test]
fn configurations_that_are_one_to_the_engine_are_tried_once() {
    // The engine does not look at `b`.
    fn only_a(candidate: &Candidate) -> CandidateKey {
        CandidateKey(candidate.get("a").map(ToString::to_string).unwrap_or_default())
    }
    for strategy in strategies() {
        let scene = Scene::new(vec![choices("a", &[1, 2, 3]), choices("b", &[1, 2, 3, 4])])
            .identity(only_a)
            .budget(12);
        assert_eq!(run(strategy, &scene).len(), 3, "{:?}", strategy.kind());
    }
}

#[test]
fn what_is_not_set_has_no_value_and_makes_no_difference() {
    for strategy in strategies() {
        let parameters = vec![
            choices("a", &[1, 2, 3]),
            choices("b", &[1, 2, 3, 4]),
            choices("c", &[1, 2]),
        ];
        // Of 1 there is one, of 2 four, and of 3 three beside two of b = 2.
        let scene = Scene::new(parameters)
            .when("c", "{a} == 3 and {b} == 2")
            .when("b", "{a} > 1")
            .budget(30);
        let found: HashSet<String> = run(strategy, &scene).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1 + 4 + 5, "{:?}: {found:?}", strategy.kind());
        for text in ["a=1 b=", "a=3 b=1 c="] {
            let unset = found
                .iter()
                .any(|other| other.starts_with(text) && other.ends_with("c=null"));
            assert!(unset, "{text}: {found:?}");
        }
    }
}

#[test]
fn ranges_that_are_not_always_set_are_searched_like_others() {
    for strategy in strategies() {
        let scene = Scene::new(mixed())
            .when("tokens", "{eager} == true")
            .when("share", "{tokens} > 500")
            .budget(40)
            .parallel(2);
        let found = run(strategy, &scene);
        let unset = |name: &str| {
            let is_unset = |candidate: &&Candidate| candidate.get(name) == Some(&Value::Unset);
            found.iter().filter(is_unset).count()
        };
        // Four without tokens, and those of few tokens, have no share.
        assert_eq!(unset("tokens"), 4, "{:?}", strategy.kind());
        assert!(unset("share") >= 4 && found.len() == 40, "{:?}", strategy.kind());
    }
}

#[test]
fn a_space_that_constraints_leave_empty_stops_at_once() {
    for strategy in strategies() {
        let scene = Scene::new(vec![choices("a", &[1, 2])]).constraint("{a} > 5");
        assert!(run(strategy, &scene).is_empty(), "{:?}", strategy.kind());
        let endless = Scene::new(mixed()).constraint("{share} > 5");
        assert!(run(strategy, &endless).is_empty(), "{:?}", strategy.kind());
    }
}

#[test]
fn constraints_that_leave_little_of_a_large_space_are_met() {
    let wide: Vec<i64> = (0..100).collect();
    for strategy in strategies() {
        let parameters = (0..12).map(|i| choices(&format!("p{i}"), &wide)).collect();
        let scene = Scene::new(parameters)
            .constraint("{p3} == {p7}")
            .constraint("{p0} + {p1} <= 8")
            .budget(2);
        let found = first(strategy, &scene);
        assert!(
            matches!(found, Proposal::Try { .. }),
            "{:?}: {found:?}",
            strategy.kind()
        );
    }
}

#[test]
fn a_space_without_parameters_has_one_point() {
    for strategy in strategies() {
        assert_eq!(
            run(strategy, &Scene::new(vec![])).len(),
            1,
            "{:?}",
            strategy.kind()
        );
    }
}

#[test]
fn seeds_part_random_searches() {
    let space = Scene::new(mixed()).space();
    let first = |seed| space.sample(&mut ChaCha8Rng::seed_from_u64(seed)).key();
    assert_ne!(first(1), first(2));
    assert_eq!(Random.kind(), StrategyKind::Random);
}
