use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::super::{Budget, Random, Role, Tpe};
use super::goal::Pull;
use super::*;
use crate::metrics::{Distribution, ExperimentMetrics, LevelMetrics, Rates, experiment_metrics};
use crate::score::{Objective, Score, Slo, SloMetric, SloMode, SloPolicy, Statistic, score};
use crate::space::{Candidate, Constraint, Domain, Parameter, ParameterName, Space, Value};

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter {
        name: ParameterName::new(name),
        domain,
    }
}

fn numbers(values: &[i64]) -> Domain {
    Domain::Choice(values.iter().copied().map(Value::Int).collect())
}

fn words(values: &[&str]) -> Domain {
    Domain::Choice(values.iter().map(|word| Value::Text((*word).into())).collect())
}

fn space() -> Space {
    let range = Domain::Integer {
        low: 256,
        high: 16_384,
        step: 1,
        log: true,
    };
    let parameters = vec![
        parameter("seqs", numbers(&[64, 8, 256, 16, 32, 128])),
        parameter("tokens", range),
        parameter("backend", words(&["a", "b", "c"])),
        parameter("eager", Domain::boolean()),
    ];
    Space::new(parameters, vec![]).expect("sound")
}

#[test]
fn points_and_candidates_are_each_others() {
    let space = space();
    let axes = Axes::of(&space);
    let levels: Vec<usize> = axes.all().iter().map(bayesian::Axis::levels).collect();
    assert_eq!(levels, [6, 65, 3, 2]);
    for point in [[0, 0, 0, 0], [5, 64, 2, 1], [2, 33, 1, 0]] {
        assert_eq!(axes.point(&axes.candidate(&point)), Some(point.to_vec()));
    }
    // Numbers are neighbours by their size, whatever the order of the list.
    let seqs = |level| axes.candidate(&[level, 0, 0, 0]).get("seqs").cloned();
    let sizes: Vec<Option<Value>> = (0..6).map(seqs).collect();
    assert_eq!(
        sizes,
        [8, 16, 32, 64, 128, 256].map(|size| Some(Value::Int(size)))
    );
    // Words have no order, and neither has a switch.
    let is_ordered: Vec<bool> = axes.all().iter().map(|axis| axis.positions().is_some()).collect();
    assert_eq!(is_ordered, [true, true, false, false]);
}

#[test]
fn what_is_not_set_is_off_and_what_is_set_is_not() {
    let condition = |name: &str, source: &str| {
        let condition = Constraint::parse(source).expect("readable");
        (ParameterName::new(name), condition)
    };
    let when_a = condition("tokens", "{backend} == 'a'");
    let space = space()
        .conditional(vec![when_a, condition("eager", "{tokens} >= 1")])
        .expect("sound");
    let axes = Axes::of(&space);
    // Of numbers, the level below them all, further away from them than they are from each other.
    let at = axes.all()[1].positions().expect("in order");
    assert_eq!((at[0], at[1], at[at.len() - 1]), (0.0, 1.0 / 3.0, 1.0));
    let check = |point: [u16; 4], meant: [u16; 4], said: &str| {
        let settled = axes.settled(point.to_vec());
        assert_eq!(settled, meant, "{point:?}");
        let candidate = axes.candidate(&settled);
        assert!(candidate.to_string().contains(said), "{candidate}");
        assert!(space.allows(&candidate), "{candidate}");
        assert_eq!(axes.point(&candidate).as_deref(), Some(&meant[..]), "{candidate}");
    };
    check([0, 3, 1, 2], [0, 0, 1, 0], "tokens=null backend=b eager=null");
    check([0, 3, 0, 2], [0, 3, 0, 2], "backend=a eager=true");
    let middle = u16::try_from(at.len() / 2).expect("small");
    check([0, 0, 0, 0], [0, middle, 0, 1], "backend=a eager=false");
}

#[test]
fn what_lies_between_levels_is_taken_for_the_closest() {
    let space = space();
    let axes = Axes::of(&space);
    let candidate = |tokens: i64, backend: &str| {
        Candidate::new([
            (ParameterName::new("seqs"), Value::Int(30)),
            (ParameterName::new("tokens"), Value::Int(tokens)),
            (ParameterName::new("backend"), Value::Text(backend.into())),
            (ParameterName::new("eager"), Value::Bool(true)),
        ])
    };
    let point = axes.point(&candidate(16_383, "b")).expect("a point");
    assert_eq!(point, [2, 64, 1, 1]);
    assert_eq!(axes.point(&candidate(512, "d")), None, "no such word");
    assert_eq!(axes.point(&Candidate::engine_default()), None);
}

/// A measurement of one level.
fn metrics(throughput: f64, ttft: f64, tpot: f64) -> ExperimentMetrics {
    let of = |value: f64| Distribution::of(vec![value; 20], 0);
    let level = LevelMetrics {
        ttft: of(ttft),
        tpot: of(tpot),
        latency: of(ttft + 50.0 * tpot),
        rates: Rates {
            total_tokens: throughput,
            ..Rates::default()
        },
        ..LevelMetrics::default()
    };
    experiment_metrics(vec![level], None, 0)
}

fn bound(metric: SloMetric, threshold: f64, hard_fail: bool) -> Slo {
    Slo {
        metric,
        threshold,
        weight: 1.0,
        hard_fail,
        fail_ratio: 0.5,
    }
}

#[test]
fn rows_rank_as_scores_do() {
    let bounds = vec![
        bound(SloMetric::Ttft(Statistic::Mean), 0.2, true),
        bound(SloMetric::Tpot(Statistic::Mean), 0.02, false),
    ];
    let seen = [
        (1000.0, 0.1, 0.01),
        (1500.0, 0.15, 0.015),
        (2000.0, 0.25, 0.015),
        (2500.0, 0.9, 0.01),
        (900.0, 0.1, 0.05),
        (3000.0, 0.19, 0.021),
    ];
    for mode in [SloMode::Constraint, SloMode::ExponentialV1 { steepness: 0.1 }] {
        for objective in Objective::ALL {
            let slos = SloPolicy {
                bounds: bounds.clone(),
                mode,
            };
            let goal = TaskGoal::of(vec![objective], &slos, &[1.0]);
            let mut both: Vec<(Score, Worth)> = seen
                .iter()
                .map(|(throughput, ttft, tpot)| {
                    let metrics = metrics(*throughput, *ttft, *tpot);
                    let score = score(&metrics, objective, &slos).expect("measured");
                    let row = goal.row(&metrics).expect("measured");
                    assert_eq!(row.len(), 3);
                    (score, goal.worth(&row))
                })
                .collect();
            both.sort_by(|(left, _), (right, _)| left.cmp(right));
            for pair in both.windows(2) {
                let is_met = |worth: &Worth| worth.violation <= 0.0;
                assert_eq!(is_met(&pair[1].1), pair[1].0.is_feasible());
                assert!(is_met(&pair[1].1) >= is_met(&pair[0].1), "{objective:?} {mode:?}");
                if is_met(&pair[0].1) == is_met(&pair[1].1) {
                    assert!(pair[0].1.value <= pair[1].1.value, "{objective:?} {mode:?}");
                }
            }
        }
    }
}

#[test]
fn a_measurement_without_a_bounded_metric_teaches_nothing() {
    let seen = metrics(1000.0, 0.1, 0.01);
    let bounded = SloPolicy {
        bounds: vec![bound(SloMetric::Ttft(Statistic::Mean), 0.2, false)],
        mode: SloMode::Constraint,
    };
    let goal = TaskGoal::of(vec![Objective::MaximizeThroughput], &bounded, &[1.0]);
    let row = goal.row(&seen).expect("measured");
    assert!((row[0] - 1000.0).abs() + (row[1] - 0.1).abs() < 1e-9, "{row:?}");
    let empty = experiment_metrics(vec![LevelMetrics::default()], None, 0);
    assert_eq!(goal.row(&empty), None);
}

#[test]
fn a_row_has_every_level_that_counts_and_first_levels_are_a_part_of_it() {
    let one = |throughput, ttft| metrics(throughput, ttft, 0.01).levels.remove(0);
    let levels = vec![one(3000.0, 0.3), one(2000.0, 0.2), one(1000.0, 0.1)];
    let slos = SloPolicy {
        bounds: vec![bound(SloMetric::Ttft(Statistic::Mean), 0.2, false)],
        mode: SloMode::Constraint,
    };
    // The middle one does not count.
    let goal = TaskGoal::of(vec![Objective::MaximizeThroughput], &slos, &[3.0, 0.0, 1.0]);
    let groups: Vec<usize> = goal.outputs().iter().map(|output| output.group).collect();
    assert_eq!(groups, [0, 0, 1, 1], "levels of one metric move together");
    let whole = experiment_metrics(levels.clone(), Some(&[3.0, 0.0, 1.0]), 2);
    let row = goal.row(&whole).expect("measured");
    for (number, expected) in row.iter().zip([1500.0, 500.0, 0.3, 0.1]) {
        assert!((number - expected).abs() < 1e-9, "{row:?}");
    }
    let score = score(&whole, Objective::MaximizeThroughput, &slos).expect("measured");
    let worth = goal.worth(&row);
    assert!((worth.value - score.objective_value().ln()).abs() < 1e-9);
    assert!((worth.violation - score.violations()[0].ratio).abs() < 1e-9);
    // What is not measured yet is open, and is no measurement.
    assert_eq!(
        goal.seen(&levels[..1], 2),
        [Some(row[0]), None, Some(row[2]), None]
    );
    let first = experiment_metrics(levels[..2].to_vec(), Some(&[3.0, 0.0]), 2);
    assert_eq!(goal.row(&first), None);
}

#[test]
fn a_compromise_lies_between_what_each_objective_wants_alone() {
    // Twenty steps, each of which gives a little more throughput and a little longer a wait.
    let goal = || {
        TaskGoal::of(
            vec![Objective::MaximizeThroughput, Objective::MinimizeTtft],
            &SloPolicy::default(),
            &[1.0],
        )
    };
    let pull = |from: f64, share: f64| Pull {
        from,
        range: 4.0_f64.ln(),
        share,
    };
    let best = |share: f64| {
        let pulls = vec![pull(1000.0_f64.ln(), share), pull(-0.4_f64.ln(), 1.0 - share)];
        let goal = goal().aiming_at(Aim::Compromise(pulls));
        let worth = |step: &i32| {
            let times = 4.0_f64.powf(f64::from(*step) / 20.0);
            let row = goal.row(&metrics(1000.0 * times, 0.1 * times, 0.01));
            goal.worth(&row.expect("measured")).value
        };
        (0..=20).max_by(|left, right| worth(left).total_cmp(&worth(right)))
    };
    assert_eq!((best(0.95), best(0.5), best(0.1)), (Some(19), Some(10), Some(2)));
    let goal = goal();
    let row = goal.row(&metrics(1000.0, 0.1, 0.01)).expect("measured");
    assert!(
        (goal.worth(&row).value - 1000.0_f64.ln()).abs() < 1e-9,
        "the first is the usual aim"
    );
}

/// An engine whose throughput grows with the batch until memory ends, and that keeps the bound
/// on TTFT only with small batches of tokens.
fn engine(candidate: &Candidate) -> Result<ExperimentMetrics, FailureKind> {
    let number = |name| candidate.get(name).and_then(Value::as_number).expect("set");
    let (seqs, tokens) = (number("seqs"), number("tokens"));
    let backend = candidate.get("backend").expect("set").to_string();
    let eager = candidate.get("eager") == Some(&Value::Bool(true));
    if backend == "c" && eager {
        return Err(FailureKind::InvalidCandidate);
    }
    if seqs * tokens > 1_500_000.0 {
        return Err(FailureKind::OutOfMemory);
    }
    let factor = if backend == "b" { 1.3 } else { 1.0 } * if eager { 0.8 } else { 1.0 };
    let throughput = 300.0 * seqs.powf(0.6) * tokens.powf(0.15) * factor;
    Ok(metrics(
        throughput,
        0.02 + tokens / 40_000.0,
        0.004 + seqs / 30_000.0,
    ))
}

/// The best throughput within the bound that so many experiments find.
fn best_of(strategy: &dyn Strategy, seed: u64, budget: u32) -> f64 {
    let space = space();
    let slos = SloPolicy {
        bounds: vec![bound(SloMetric::Ttft(Statistic::Mean), 0.15, false)],
        mode: SloMode::Constraint,
    };
    type Tried = (Candidate, Result<(Score, ExperimentMetrics), FailureKind>);
    let mut done: Vec<Tried> = Vec::new();
    for begun in 0..budget {
        let observations: Vec<Observation<'_>> = done
            .iter()
            .map(|(candidate, result)| Observation {
                candidate,
                role: Role::Search,
                outcome: match result {
                    Ok((score, metrics)) => Seen::Scored { score, metrics },
                    Err(kind) => Seen::Infeasible(*kind),
                },
            })
            .collect();
        let context = SearchContext {
            space: &space,
            objective: Objective::MaximizeThroughput,
            pareto: &[],
            slos: &slos,
            level_weights: &[1.0],
            observations: &observations,
            pending: &[],
            budget: Budget {
                total: budget,
                left: budget - begun,
            },
            seed,
            initial_random: 5,
            min_gain: None,
            earlier: &[],
            identity: &Candidate::key,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(begun));
        let Proposal::Try { candidate, .. } = strategy.propose(&context, &mut rng) else {
            panic!("something is left to try");
        };
        let result = engine(&candidate).map(|metrics| {
            let score = score(&metrics, Objective::MaximizeThroughput, &slos).expect("measured");
            (score, metrics)
        });
        done.push((candidate, result));
    }
    let values = done.iter().filter_map(|(_, result)| result.as_ref().ok());
    let met = values.filter(|(score, _)| score.is_feasible());
    met.map(|(score, _)| score.value()).fold(0.0, f64::max)
}

#[test]
fn what_learns_finds_more_than_chance_does() {
    let mean = |strategy: &dyn Strategy| (0..4).map(|seed| best_of(strategy, seed, 16)).sum::<f64>() / 4.0;
    let chance = mean(&Random);
    for strategy in [&Bayesian as &dyn Strategy, &Tpe] {
        let model = mean(strategy);
        assert!(
            model > chance * 1.02,
            "{model} against {chance} of {:?}",
            strategy.kind()
        );
    }
}

#[test]
fn long_histories_are_cut_to_the_best_and_the_latest() {
    let goal = TaskGoal::of(vec![Objective::MaximizeThroughput], &SloPolicy::default(), &[1.0]);
    let trial = |index: u16| Trial {
        point: vec![index],
        outcome: match index % 3 {
            0 => Outcome::Crashed(Crash::Time),
            _ => Outcome::Measured(vec![f64::from(1000 - index)]),
        },
    };
    let kept = telling((0..600).map(trial).collect(), &goal);
    assert_eq!(kept.len(), MOST_TRIALS);
    let points: Vec<u16> = kept.iter().map(|trial| trial.point[0]).collect();
    assert!(points.is_sorted());
    assert_eq!(points[..4], [1, 2, 4, 5]);
    assert_eq!(points[100..], (500..600).collect::<Vec<u16>>());
    assert_eq!(telling((0..9).map(trial).collect(), &goal).len(), 9);
}
