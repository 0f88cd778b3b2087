//! What every suggestion must keep.

use std::collections::HashSet;

use super::*;

/// One throughput and one latency, the latency limited.
struct Served(Vec<Output>);

impl Goal for Served {
    fn outputs(&self) -> &[Output] {
        &self.0
    }

    fn worth(&self, row: &[f64]) -> Worth {
        Worth {
            value: row[0].ln(),
            violation: row[1] / 100.0 - 1.0,
        }
    }
}

fn goal() -> Served {
    Served(vec![Output { group: 0 }, Output { group: 1 }])
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
    advise(&Search {
        axes: &axes(),
        allowed: &allowed,
        goal: &goal(),
        history,
        pending,
        budget: 30,
        initial: 6,
        replicates: true,
        seed,
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
