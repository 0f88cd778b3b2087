use super::*;
use crate::failure::{Failure, FailureKind};
use crate::lifecycle::ExperimentStatus;
use crate::metrics::{Distribution, LevelMetrics, Rates, experiment_metrics};
use crate::score::{Slo, SloMetric, SloMode, SloPolicy, Statistic, score};
use crate::space::{Candidate, ParameterName, Value};

#[test]
fn the_front_is_what_no_other_row_beats() {
    let check = |rows: &[[f64; 2]], expected: &[usize]| {
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        assert_eq!(front(&rows), expected);
    };
    check(&[], &[]);
    check(&[[1.0, 1.0]], &[0]);
    check(&[[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], &[0, 1, 2]);
    check(&[[1.0, 3.0], [2.0, 3.0], [3.0, 1.0]], &[1, 2]);
    check(&[[1.0, 1.0], [1.0, 1.0], [0.5, 1.0]], &[0]);
}

const OBJECTIVES: [Objective; 2] = [Objective::MaximizeThroughput, Objective::MinimizeTtft];

/// An experiment with so many sequences at once; TTFT must not exceed 1 s.
fn experiment(number: u32, role: Role, seqs: i64, (throughput, ttft): (f64, f64)) -> Experiment {
    let level = LevelMetrics {
        ttft: Distribution::of(vec![ttft; 4], 0),
        rates: Rates {
            total_tokens: throughput,
            ..Rates::default()
        },
        ..LevelMetrics::default()
    };
    let metrics = experiment_metrics(vec![level], None, 0);
    let slos = SloPolicy {
        bounds: vec![Slo {
            metric: SloMetric::Ttft(Statistic::Mean),
            threshold: 1.0,
            weight: 1.0,
            hard_fail: false,
            fail_ratio: 0.5,
        }],
        mode: SloMode::Constraint,
    };
    let score = score(&metrics, Objective::MaximizeThroughput, &slos).expect("measured");
    Experiment {
        number: ExperimentNumber(number),
        role,
        candidate: Candidate::new([(ParameterName::new("seqs"), Value::Int(seqs))]),
        reason: String::new(),
        attempt: 1,
        status: ExperimentStatus::Success,
        launch: None,
        result: Some(Ok(Measured {
            metrics,
            score,
            remarks: vec![],
            gpu_use: vec![],
            fingerprints: vec![],
        })),
        started_at_ms: 0,
        ended_at_ms: None,
    }
}

#[test]
fn compromises_meet_every_slo_and_are_means_of_all_their_measurements() {
    let experiments = [
        experiment(1, Role::Search, 1, (100.0, 0.25)),
        experiment(2, Role::Search, 2, (90.0, 0.5)),
        experiment(3, Role::Search, 3, (400.0, 2.0)),
        experiment(4, Role::Search, 4, (300.0, 0.5)),
        experiment(5, Role::Replicate, 4, (200.0, 1.0)),
    ];
    let told = compromises(&experiments, &OBJECTIVES);
    let told: Vec<(u32, Vec<f64>)> = told.into_iter().map(|one| (one.number.0, one.values)).collect();
    assert_eq!(told, [(4, vec![250.0, 0.75]), (1, vec![100.0, 0.25])]);
    // Once beyond a bound is beyond it.
    let worse = [experiment(6, Role::Replicate, 4, (300.0, 1.5))];
    let all = [&experiments[..], &worse].concat();
    let told = compromises(&all, &OBJECTIVES);
    assert_eq!(told.iter().map(|one| one.number.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_lost_attempt_is_not_named_for_the_one_that_made_it_good() {
    let mut lost = experiment(1, Role::Search, 1, (100.0, 0.25));
    lost.status = ExperimentStatus::Failed;
    lost.result = Some(Err(Failure::new(FailureKind::WorkerLost, "killed")));
    let experiments = [lost, experiment(2, Role::Search, 1, (100.0, 0.25))];
    let told = compromises(&experiments, &OBJECTIVES);
    assert_eq!(told.iter().map(|one| one.number.0).collect::<Vec<_>>(), [2]);
}
