//! Levels that end once their figures are known.

use autotuner_core::measure::RequestOutcome;
use autotuner_core::workload::{Arrival, Figure, Precision, Workload};

use crate::fake::{DEADLINE, FakeServer, good, measure, workload};

fn precise(ratio: f64) -> Workload {
    Workload {
        precision: Some(Precision {
            ratio,
            figures: vec![Figure::Tokens],
            least_requests: 50,
        }),
        ..workload(4, 1_000_000)
    }
}

#[tokio::test]
async fn a_level_that_knows_enough_ends_before_its_time_and_says_so() {
    let server = FakeServer::start(|_| good()).await;
    for arrival in [Arrival::Closed, Arrival::Constant { rates: vec![500.0] }] {
        let workload = Workload {
            arrival,
            concurrency: vec![16],
            ..precise(0.5)
        };
        let recording = measure(&server, &workload).await.expect("measured");
        let level = &recording.levels[0];
        let window = level.window_end_ns - level.window_start_ns;
        assert!(u128::from(window) < DEADLINE.as_nanos(), "{window}");
        assert!(level.requests.len() >= 50, "{}", level.requests.len());
        let outcomes = level.requests.iter().map(|request| &request.outcome);
        assert!(
            outcomes
                .clone()
                .all(|outcome| *outcome == RequestOutcome::Success)
        );
        let last_start = level.requests.iter().map(|request| request.sent_ns).max();
        assert!(
            last_start <= Some(level.window_end_ns),
            "nothing begins after the end"
        );
        let told = recording
            .notes
            .iter()
            .any(|note| note.contains("was known to 50.0 %"));
        assert!(told, "{:?}", recording.notes);
    }
}

#[tokio::test]
async fn a_level_that_never_knows_enough_runs_to_its_end() {
    let server = FakeServer::start(|_| good()).await;
    let workload = Workload {
        max_requests_per_level: 200,
        ..precise(1e-9)
    };
    let recording = measure(&server, &workload).await.expect("measured");
    assert_eq!(recording.levels[0].requests.len(), 200);
    let told = recording.notes.iter().any(|note| note.contains("was known"));
    assert!(!told, "{:?}", recording.notes);
}
