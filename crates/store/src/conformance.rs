//! What every store must keep, run against each. A violation panics.

use std::sync::Arc;

use async_trait::async_trait;
use autotuner_core::experiment::{ContainerFacts, LaunchFacts};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};

use crate::{Store, StoreError};

/// Makes a new running task of this name, and gives the store that running it needs.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A running task that no other test has.
    async fn running(&self, name: &str) -> (Arc<dyn Store>, TaskId);
}

/// Runs the suite.
pub async fn conformance(fixture: &dyn Fixture) {
    a_run_ends_once(fixture).await;
    experiments_are_numbered_and_keep_what_was_asked(fixture).await;
    an_ended_experiment_stays_as_it_ended(fixture).await;
    strangers_are_named(fixture).await;
}

fn next(seqs: i64) -> Next {
    Next {
        role: Role::Search,
        candidate: Candidate::new([(ParameterName::new("max-num-seqs"), Value::Int(seqs))]),
        reason: "because".into(),
        attempt: 1,
    }
}

fn broken() -> Failure {
    Failure::new(FailureKind::EngineCrashed, "it broke")
}

async fn a_run_ends_once(fixture: &dyn Fixture) {
    let (store, task) = fixture.running("ends once").await;
    assert_eq!(store.task_status(task).await.ok(), Some(TaskStatus::Running));
    let early = store.end_task(task, TaskMove::Start, "", 10).await;
    assert!(matches!(early, Err(StoreError::Illegal(_))), "{early:?}");
    let ended = store
        .end_task(task, TaskMove::Complete, "all was tried", 10)
        .await;
    assert_eq!(ended.ok(), Some(TaskStatus::Completed));
    let late = store.end_task(task, TaskMove::Fail, "late", 20).await;
    assert!(matches!(late, Err(StoreError::Illegal(_))), "{late:?}");
    assert_eq!(store.task_status(task).await.ok(), Some(TaskStatus::Completed));
}

async fn experiments_are_numbered_and_keep_what_was_asked(fixture: &dyn Fixture) {
    let (store, task) = fixture.running("numbers").await;
    for (index, seqs) in [8, 16].into_iter().enumerate() {
        let number = store
            .begin_experiment(task, next(seqs), 1000)
            .await
            .expect("begun");
        assert_eq!(
            number.0 as usize,
            index + 1,
            "numbers count from 1 inside the task"
        );
    }
    let facts = LaunchFacts {
        command: vec!["engine".into(), "--port".into(), "1".into()],
        base_url: Some("http://127.0.0.1:1".into()),
        container: Some(ContainerFacts {
            id: "0".repeat(64),
            name: "engine".into(),
            started_at_ms: 1001,
        }),
        ..LaunchFacts::default()
    };
    store
        .record_launch(task, ExperimentNumber(2), facts.clone())
        .await
        .expect("recorded");
    for number in [1, 2, 2] {
        let stopped = store.record_stop(task, ExperimentNumber(number), 1002).await;
        stopped.expect("with or without a container, and again");
    }
    let history = store.history(task).await.expect("known");
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].candidate, next(16).candidate);
    assert_eq!(history[1].launch, Some(facts));
    assert_eq!(history[0].status, ExperimentStatus::Pending);
    assert_eq!((history[0].started_at_ms, history[0].ended_at_ms), (1000, None));
}

async fn an_ended_experiment_stays_as_it_ended(fixture: &dyn Fixture) {
    let (store, task) = fixture.running("ends").await;
    let number = store.begin_experiment(task, next(8), 0).await.expect("begun");
    store
        .move_experiment(task, number, ExperimentMove::Deploy)
        .await
        .expect("legal");
    let by_move = store.move_experiment(task, number, ExperimentMove::Fail).await;
    assert!(
        matches!(by_move, Err(StoreError::Illegal(_))),
        "ending needs a result"
    );
    store
        .finish_experiment(task, number, Err(broken()), 2000)
        .await
        .expect("legal");
    let again = store
        .finish_experiment(
            task,
            number,
            Err(Failure::new(FailureKind::Cancelled, "late")),
            3000,
        )
        .await;
    assert!(matches!(again, Err(StoreError::Illegal(_))), "{again:?}");
    let history = store.history(task).await.expect("known");
    assert_eq!(history[0].status, ExperimentStatus::Failed);
    assert_eq!(history[0].failure(), Some(&broken()));
    assert_eq!(history[0].ended_at_ms, Some(2000));
}

async fn strangers_are_named(fixture: &dyn Fixture) {
    let nobody = TaskId(987_654);
    let (store, task) = fixture.running("strangers").await;
    let unknown = store.history(nobody).await;
    assert!(
        matches!(unknown, Err(StoreError::NoSuchTask(id)) if id == nobody),
        "{unknown:?}"
    );
    let number = ExperimentNumber(5);
    let unknown = store.record_stop(task, number, 0).await;
    assert!(
        matches!(unknown, Err(StoreError::NoSuchExperiment { .. })),
        "{unknown:?}"
    );
    let error = store
        .move_experiment(task, number, ExperimentMove::Deploy)
        .await
        .expect_err("unknown");
    assert_eq!(
        error.to_string(),
        format!("Experiment 5 not found for task {task}")
    );
}
