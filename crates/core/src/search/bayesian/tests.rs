//! What every suggestion must keep.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

/// One throughput and one latency, the latency limited.
struct Served {
    outputs: Vec<Output>,
    limit: f64,
}

impl Goal for Served {
    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    fn worth(&self, row: &[f64]) -> Worth {
        Worth {
            value: row[0].ln(),
            violation: row[1] / self.limit - 1.0,
        }
    }
}

fn goal() -> Served {
    Served {
        outputs: vec![Output { group: 0 }, Output { group: 1 }],
        limit: 100.0,
    }
}

fn axes() -> Vec<Axis> {
    vec![
        Axis::ordered(8),
        Axis::ordered(6),
        Axis::categorical(3),
        Axis::categorical(2),
    ]
}

fn allowed(point: &[u16]) -> bool {
    !(point[2] == 1 && point[3] == 0)
}

fn outcome(point: &[u16]) -> Outcome {
    if point[0] + point[1] > 10 {
        return Outcome::Crashed(Crash::StartMemory);
    }
    let (a, b) = (f64::from(point[0]), f64::from(point[1]));
    let kind = f64::from(point[2]);
    Outcome::Measured(vec![
        100.0 * (0.3 * a - 0.2 * (b - 3.0).abs() + 0.1 * kind).exp(),
        20.0 * (0.2 * a + 0.05 * b).exp(),
    ])
}

fn ask(history: &[Trial], pending: &[Point], seed: u64) -> Advice {
    asked(history, |search| {
        advise(&Search {
            pending,
            seed,
            ..*search
        })
    })
}

/// Asks something of a search with such a history.
fn asked<T>(history: &[Trial], question: impl FnOnce(&Search<'_>) -> T) -> T {
    question(&Search {
        axes: &axes(),
        allowed: &allowed,
        settled: &|point| point,
        goal: &goal(),
        history,
        earlier: &[],
        pending: &[],
        budget: 30,
        initial: 6,
        replicates: true,
        worthwhile: 0.02,
        stops: false,
        seed: 4,
    })
}

/// A whole search; its trials and what it holds best.
fn search(seed: u64) -> (Vec<Trial>, Advice) {
    let mut history: Vec<Trial> = Vec::new();
    for _ in 0..30 {
        let point = match ask(&history, &[], seed).next {
            Suggestion::Try { point, .. } => {
                assert!(
                    history.iter().all(|trial| trial.point != point),
                    "{point:?} twice"
                );
                point
            }
            Suggestion::Replicate { point, .. } => {
                assert!(
                    history.iter().any(|trial| trial.point == point),
                    "{point:?} is new"
                );
                point
            }
            Suggestion::Stop { why } => panic!("{why}"),
        };
        assert!(allowed(&point), "{point:?} is forbidden");
        let outcome = outcome(&point);
        history.push(Trial { point, outcome });
    }
    let last = ask(&history, &[], seed);
    (history, last)
}

#[test]
fn a_search_keeps_constraints_repeats_only_on_purpose_and_ends_near_the_best() {
    for seed in 0..3 {
        let (_, last) = search(seed);
        let best = last.best.expect("measured");
        let Outcome::Measured(row) = outcome(&best) else {
            panic!("{best:?} crashes");
        };
        let everywhere = (0..8_u16).flat_map(|a| (0..6).flat_map(move |b| (0..3).map(move |c| [a, b, c, 1])));
        let optimum = everywhere
            .filter_map(|point| outcome(&point).measured().map(<[f64]>::to_vec))
            .filter(|row| row[1] <= 100.0)
            .map(|row| row[0])
            .fold(0.0, f64::max);
        assert!(row[1] <= 100.0, "{best:?} breaks the limit");
        assert!(row[0] >= 0.95 * optimum, "{best:?}: {} of {optimum}", row[0]);
    }
}

#[test]
fn equal_questions_get_equal_answers_and_seeds_part_them() {
    assert_eq!(search(1), search(1));
    assert_ne!(search(1).0, search(2).0);
}

#[test]
fn what_is_pending_is_not_suggested() {
    let (history, _) = search(4);
    let mut pending: HashSet<Point> = HashSet::new();
    for _ in 0..5 {
        let waiting: Vec<Point> = pending.iter().cloned().collect();
        match ask(&history[..12], &waiting, 4).next {
            Suggestion::Try { point, .. } => assert!(pending.insert(point)),
            other => panic!("{other:?}"),
        }
    }
}

/// Trials spread over the space, without a search; and the best of them.
fn survey(count: usize) -> (Vec<Trial>, Point) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut points = points::spread(&axes(), 2 * count, &mut rng);
    points.retain(|point| allowed(point));
    points.truncate(count);
    let trials = points.into_iter().map(|point| Trial {
        outcome: outcome(&point),
        point,
    });
    let trials: Vec<Trial> = trials.collect();
    let worths = trials
        .iter()
        .filter_map(|trial| Some((goal().worth(trial.outcome.measured()?), &trial.point)));
    let best = worths.min_by(|(left, _), (right, _)| left.best_first(right));
    let best = best.expect("some run").1.clone();
    (trials, best)
}

#[test]
fn what_is_hopeless_is_given_up_and_what_may_be_best_is_measured_on() {
    let (history, best) = survey(20);
    let others: Vec<Trial> = history
        .iter()
        .filter(|trial| trial.point != best)
        .cloned()
        .collect();
    let look =
        |history: &[Trial], seen: &[Option<f64>]| asked(history, |search| prospect(search, &best, seen));
    let Outcome::Measured(row) = outcome(&best) else {
        panic!("{best:?} runs");
    };
    let Prospect::Continue { chance: Some(chance) } = look(&others, &[Some(row[0]), Some(row[1])]) else {
        panic!("it is the best");
    };
    assert!(chance > 0.2, "{chance}");
    let Prospect::Abort { chance, why } = look(&others, &[Some(0.3 * row[0]), None]) else {
        panic!("others are better");
    };
    assert!(chance < 0.05 && why.contains("beats the best"), "{chance} {why}");
    // A point that is measured again is measured to the end, and so is all of the design.
    let measured_on = Prospect::Continue { chance: None };
    assert_eq!(look(&history, &[Some(0.3 * row[0]), None]), measured_on);
    assert_eq!(look(&others[..5], &[Some(0.3 * row[0]), None]), measured_on);
}

#[test]
fn what_keeps_no_limit_is_given_up_however_quick_it_is() {
    let (mut others, _) = survey(20);
    let strict = Served {
        limit: 40.0,
        ..goal()
    };
    let is_slow = |trial: &Trial| trial.outcome.measured().is_some_and(|row| row[1] > 60.0);
    let place = others.iter().position(is_slow).expect("some are slow");
    let Trial { point, outcome } = others.remove(place);
    let latency = outcome.measured().map(|row| row[1]);
    let found = asked(&others, |search| {
        let search = Search {
            goal: &strict,
            ..*search
        };
        prospect(&search, &point, &[None, latency])
    });
    let Prospect::Abort { why, .. } = found else {
        panic!("the limit is 40, and this is {latency:?}: {found:?}");
    };
    assert!(why.contains("limit"), "{why}");
}

#[test]
fn what_was_given_up_is_neither_best_nor_tried_again() {
    let (mut history, best) = survey(15);
    history.retain(|trial| trial.point != best);
    for throughput in [1e6, 100.0] {
        let given_up = Trial {
            point: best.clone(),
            outcome: Outcome::Partial(vec![Some(throughput), None]),
        };
        let advice = ask(&[&history[..], &[given_up]].concat(), &[], 5);
        assert_ne!(advice.best.as_ref(), Some(&best));
        assert!(!matches!(advice.next, Suggestion::Try { point, .. } if point == best));
    }
}

#[test]
fn little_is_left_once_the_best_was_found_and_a_search_that_may_stop_does() {
    let (history, last) = search(2);
    let early = ask(&history[..8], &[], 2)
        .remaining
        .expect("something is feasible");
    let late = last.remaining.expect("something is feasible");
    assert!(late.expected_gain < early.expected_gain, "{early:?} {late:?}");
    assert!(
        late.chance <= early.chance && late.chance < 0.1,
        "{early:?} {late:?}"
    );
    let next = asked(&history, |search| {
        advise(&Search {
            stops: true,
            seed: 2,
            ..*search
        })
        .next
    });
    assert!(matches!(next, Suggestion::Stop { .. }), "{next:?}");
}

#[test]
fn the_best_of_an_earlier_task_are_tried_first_and_points_beyond_the_axes_are_left_out() {
    let (mut told, best) = survey(20);
    told.push(Trial {
        point: vec![60, 0, 0, 0],
        outcome: Outcome::Measured(vec![1e9, 1.0]),
    });
    let mut history: Vec<Trial> = Vec::new();
    for turn in 0..7 {
        let next = asked(&history, |search| {
            advise(&Search {
                earlier: &[&told],
                ..*search
            })
            .next
        });
        let Suggestion::Try { point, why } = next else {
            panic!("{next:?}");
        };
        assert_eq!(
            why.contains("earlier task"),
            turn < 6 && turn % 2 == 0,
            "{turn}: {why}"
        );
        if turn == 0 {
            assert_eq!(point, best);
        }
        let outcome = outcome(&point);
        history.push(Trial { point, outcome });
    }
}

#[test]
fn where_the_model_expects_next_to_nothing_the_best_are_asked_what_they_have_in_common() {
    let (history, _) = search(3);
    let next = |worthwhile: f64| {
        asked(&history[..20], |search| {
            advise(&Search {
                worthwhile,
                ..*search
            })
            .next
        })
    };
    let Suggestion::Try { point, why } = next(1e6) else {
        panic!("much is left to be tried");
    };
    assert!(why.starts_with("values that the best have"), "{why}");
    assert!(allowed(&point) && history[..20].iter().all(|trial| trial.point != point));
    let (Suggestion::Try { why, .. } | Suggestion::Replicate { why, .. }) = next(0.0) else {
        panic!("much is left to be tried");
    };
    assert!(!why.starts_with("values that the best have"), "{why}");
}
