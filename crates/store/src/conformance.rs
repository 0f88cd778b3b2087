//! What every store must keep, run against each. A violation panics.

use autotuner_core::experiment::LaunchFacts;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};

use crate::{Store, StoreError};

/// Runs the suite against an empty store.
pub async fn conformance(store: &dyn Store) {
    names_are_unique_and_ids_grow(store).await;
    status_moves_are_compare_and_set(store).await;
    experiments_are_numbered_and_keep_what_was_asked(store).await;
    an_ended_experiment_stays_as_it_ended(store).await;
    strangers_are_named(store).await;
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

async fn names_are_unique_and_ids_grow(store: &dyn Store) {
    let first = store.create_task("first").await.expect("new");
    let second = store.create_task("second").await.expect("new");
    assert!(second > first, "ids grow");
    let taken = store.create_task("first").await.expect_err("taken");
    assert_eq!(taken.to_string(), "Task 'first' already exists");
}

async fn status_moves_are_compare_and_set(store: &dyn Store) {
    let task = store.create_task("moves").await.expect("new");
    assert_eq!(store.task_status(task).await, Ok(TaskStatus::Pending));
    assert_eq!(
        store.move_task(task, TaskMove::Start).await,
        Ok(TaskStatus::Running)
    );
    let late = store.move_task(task, TaskMove::Start).await;
    assert!(matches!(late, Err(StoreError::Illegal(_))), "{late:?}");
    assert_eq!(store.task_status(task).await, Ok(TaskStatus::Running));
}

async fn experiments_are_numbered_and_keep_what_was_asked(store: &dyn Store) {
    let task = store.create_task("numbers").await.expect("new");
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
        ..LaunchFacts::default()
    };
    store
        .record_launch(task, ExperimentNumber(2), facts.clone())
        .await
        .expect("recorded");
    let history = store.history(task).await.expect("known");
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].candidate, next(16).candidate);
    assert_eq!(history[1].launch, Some(facts));
    assert_eq!(history[0].status, ExperimentStatus::Pending);
    assert_eq!((history[0].started_at_ms, history[0].ended_at_ms), (1000, None));
}

async fn an_ended_experiment_stays_as_it_ended(store: &dyn Store) {
    let task = store.create_task("ends").await.expect("new");
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

async fn strangers_are_named(store: &dyn Store) {
    let nobody = TaskId(987_654);
    assert_eq!(store.history(nobody).await, Err(StoreError::NoSuchTask(nobody)));
    let task = store.create_task("strangers").await.expect("new");
    let number = ExperimentNumber(5);
    let error = store
        .move_experiment(task, number, ExperimentMove::Deploy)
        .await
        .expect_err("unknown");
    assert_eq!(
        error.to_string(),
        format!("Experiment 5 not found for task {task}")
    );
}
