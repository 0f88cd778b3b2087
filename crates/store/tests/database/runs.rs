//! Runs: starting again, starting over, and what stays of earlier ones.

use autotuner_core::failure::FailureKind;
use autotuner_core::lifecycle::{ExperimentStatus, TaskMove, TaskStatus};
use autotuner_store::{Claim, Page, Store, StoreError};
use serde_json::json;

use crate::support::{Fresh, act, broken, measured, next, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

/// A run with a failure and a success that has ended.
async fn ended(fresh: &Fresh, name: &str) -> Claim {
    let claim = fresh.claimed(name).await;
    let store = fresh.database.run_store(&claim);
    let failed = store
        .begin_experiment(claim.task, next(1), 10)
        .await
        .expect("begins");
    store
        .finish_experiment(claim.task, failed, Err(broken()), 20)
        .await
        .expect("legal");
    let good = fresh.benchmarking(&claim, 2).await;
    store
        .finish_experiment(claim.task, good, Ok(measured(-1.0)), 30)
        .await
        .expect("legal");
    let status = store
        .end_task(claim.task, TaskMove::Complete, "all was tried", 40)
        .await;
    assert_eq!(status.ok(), Some(TaskStatus::Completed));
    claim
}

#[tokio::test]
async fn a_run_counts_what_it_did() {
    let fresh = fresh!();
    let claim = ended(&fresh, "counted").await;
    let summary = fresh.database.task(claim.task).await.expect("known").summary;
    assert_eq!(
        (summary.total_experiments, summary.successful_experiments),
        (2, 1)
    );
    assert_eq!(
        (summary.started_at_ms, summary.completed_at_ms),
        (Some(0), Some(40))
    );
    assert_eq!(summary.ended_because.as_deref(), Some("all was tried"));
    let best = summary.best_experiment.expect("one succeeded");
    assert_eq!(
        fresh
            .database
            .experiment(best)
            .await
            .expect("known")
            .experiment
            .number
            .0,
        2
    );
}

#[tokio::test]
async fn a_restart_begins_a_run_and_keeps_the_last() {
    let fresh = fresh!();
    let claim = ended(&fresh, "again").await;
    let database = &fresh.database;
    let again = database
        .restart_task(&act(50), claim.task, None)
        .await
        .expect("ended");
    let summary = again.summary;
    assert_eq!((summary.status, summary.run), (TaskStatus::Pending, 2));
    assert_eq!(
        (summary.total_experiments, summary.successful_experiments),
        (0, 0)
    );
    assert_eq!(
        (
            summary.best_experiment,
            summary.started_at_ms,
            summary.completed_at_ms
        ),
        (None, None, None)
    );
    assert_eq!(
        (summary.ended_because, summary.is_cancel_requested),
        (None, false)
    );
    let runs = database.runs(claim.task).await.expect("known");
    let [now, earlier] = &runs[..] else {
        panic!("{runs:?}")
    };
    assert_eq!(
        (now.run, now.status, &now.document),
        (2, TaskStatus::Pending, &again.document)
    );
    assert_eq!((earlier.run, earlier.status), (1, TaskStatus::Completed));
    assert_eq!(
        (earlier.total_experiments, earlier.successful_experiments),
        (2, 1)
    );
    assert_eq!(
        (earlier.started_at_ms, earlier.completed_at_ms),
        (Some(0), Some(40))
    );
    assert_eq!(earlier.ended_because.as_deref(), Some("all was tried"));
    assert!(earlier.best_experiment.is_some());
    let current = database
        .experiments_of(claim.task, None, ALL)
        .await
        .expect("known");
    assert_eq!((current.rows.len(), current.total), (0, 0));
    let first = database
        .experiments_of(claim.task, Some(1), ALL)
        .await
        .expect("known");
    assert_eq!((first.rows.len(), first.total), (2, 2));
    let unknown = database.experiments_of(claim.task, Some(3), ALL).await;
    assert!(
        matches!(unknown, Err(StoreError::NoSuchRun { run: 3, .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn numbers_begin_anew_in_each_run() {
    let fresh = fresh!();
    let claim = ended(&fresh, "numbers").await;
    let database = &fresh.database;
    database
        .restart_task(&act(50), claim.task, None)
        .await
        .expect("ended");
    database.start_task(&act(51), claim.task).await.expect("pending");
    let second = database
        .claim("worker", 52, 1000)
        .await
        .expect("claims")
        .expect("to run");
    let store = database.run_store(&second);
    let number = store
        .begin_experiment(claim.task, next(3), 60)
        .await
        .expect("begins");
    assert_eq!((second.run, number.0), (2, 1));
    assert_eq!(store.history(claim.task).await.expect("known").len(), 1);
    let id = database.experiment_id(&second, number).await.expect("known");
    assert_eq!(database.experiment(id).await.expect("known").run, 2);
}

#[tokio::test]
async fn an_edit_of_an_ended_task_begins_a_run_with_the_new_document() {
    let fresh = fresh!();
    let claim = ended(&fresh, "before").await;
    let database = &fresh.database;
    let mut changed = task("after");
    changed.document = json!({ "changed": true });
    changed.slo = None;
    let edited = database
        .edit_task(&act(50), claim.task, changed.clone())
        .await
        .expect("ended");
    assert_eq!((edited.summary.id, edited.summary.run), (claim.task, 2));
    assert_eq!((&edited.document, edited.summary.slo), (&changed.document, None));
    let runs = database.runs(claim.task).await.expect("known");
    assert_eq!(
        (&runs[0].document, &runs[1].document),
        (&changed.document, &claim.document)
    );
    let again = database
        .edit_task(&act(51), claim.task, task("after"))
        .await
        .expect("its own name");
    assert_eq!(again.summary.run, 2, "a run that has not begun is not history");
    assert_eq!(database.runs(claim.task).await.expect("known").len(), 2);
}

#[tokio::test]
async fn a_restart_may_bring_a_new_document() {
    let fresh = fresh!();
    let claim = ended(&fresh, "restarted").await;
    let mut changed = task("restarted");
    changed.document = json!({ "changed": 2 });
    changed.max_iterations = 3;
    let again = fresh
        .database
        .restart_task(&act(50), claim.task, Some(changed.clone()))
        .await;
    let again = again.expect("ended");
    assert_eq!(
        (again.summary.max_iterations, again.document),
        (3, changed.document)
    );
}

#[tokio::test]
async fn clearing_removes_this_runs_experiments_for_good() {
    let fresh = fresh!();
    let claim = ended(&fresh, "cleared").await;
    let database = &fresh.database;
    let cleared = database.clear_task(&act(50), claim.task).await.expect("ended");
    assert_eq!(
        (cleared.summary.status, cleared.summary.run),
        (TaskStatus::Pending, 1)
    );
    assert_eq!(
        (cleared.summary.total_experiments, cleared.summary.best_experiment),
        (0, None)
    );
    let left = database.experiments(ALL).await.expect("listed");
    assert_eq!((left.rows.len(), left.total), (0, 0));
    assert_eq!(database.runs(claim.task).await.expect("known").len(), 1);
    database.start_task(&act(60), claim.task).await.expect("pending");
    let late = database
        .run_store(&claim)
        .begin_experiment(claim.task, next(9), 61)
        .await;
    assert!(
        matches!(late, Err(StoreError::LeaseLost(_))),
        "nobody has claimed it since: {late:?}"
    );
}

#[tokio::test]
async fn a_task_goes_with_all_of_its_runs() {
    let fresh = fresh!();
    let claim = ended(&fresh, "gone").await;
    let database = &fresh.database;
    database
        .restart_task(&act(50), claim.task, None)
        .await
        .expect("ended");
    database.delete_task(&act(51), claim.task).await.expect("pending");
    assert_eq!(database.experiments(ALL).await.expect("listed").total, 0);
    let statistics = database.statistics(60).await.expect("counted");
    assert!(
        statistics.tasks.iter().all(|(_, count)| *count == 0),
        "{statistics:?}"
    );
    assert!(
        statistics.experiments.iter().all(|(_, count)| *count == 0),
        "{statistics:?}"
    );
    assert_eq!(statistics.mean_experiment_seconds, None);
    assert_eq!(database.check().await.expect("readable"), Vec::<String>::new());
}

#[tokio::test]
async fn a_cancel_that_nobody_works_on_takes_effect_at_once() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("abandoned").await;
    fresh.benchmarking(&claim, 1).await;
    database.release(&claim).await.expect("held");
    let cancelled = database.cancel_task(&act(70), claim.task).await.expect("running");
    assert_eq!(cancelled.summary.status, TaskStatus::Cancelled);
    assert_eq!(
        (
            cancelled.summary.completed_at_ms,
            cancelled.summary.is_cancel_requested
        ),
        (Some(70), false)
    );
    let history = database
        .run_store(&claim)
        .history(claim.task)
        .await
        .expect("known");
    assert_eq!(
        (history[0].status, history[0].ended_at_ms),
        (ExperimentStatus::Failed, Some(70))
    );
    let kind = history[0].failure().map(|failure| failure.kind);
    assert_eq!(kind, Some(FailureKind::Cancelled));
    let before = database.claim("worker", 80, 1000).await.expect("claims");
    assert_eq!(before, None);
}

#[tokio::test]
async fn a_cancel_of_a_claimed_task_is_a_wish() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("claimed").await;
    let renewed = database.renew(&claim, 10, 1000).await.expect("held");
    assert!(!renewed.is_cancel_requested);
    let asked = database.cancel_task(&act(20), claim.task).await.expect("running");
    assert_eq!(
        (asked.summary.status, asked.summary.is_cancel_requested),
        (TaskStatus::Running, true)
    );
    database
        .cancel_task(&act(21), claim.task)
        .await
        .expect("asking twice is no fault");
    let renewed = database.renew(&claim, 30, 1000).await.expect("held");
    assert!(renewed.is_cancel_requested);
    database.release(&claim).await.expect("held");
    let next = database
        .claim("next", 40, 1000)
        .await
        .expect("claims")
        .expect("still to run");
    assert!(next.is_cancel_requested, "the wish outlives the worker");
    let store = database.run_store(&next);
    let ended = store
        .end_task(claim.task, TaskMove::Cancel, "cancelled", 50)
        .await;
    assert_eq!(ended.ok(), Some(TaskStatus::Cancelled));
    let summary = database.task(claim.task).await.expect("known").summary;
    assert!(!summary.is_cancel_requested, "it was granted");
}

#[tokio::test]
async fn runs_that_had_ended_are_found_by_their_documents() {
    let fresh = fresh!();
    let first = ended(&fresh, "first").await;
    ended(&fresh, "second").await;
    let nothing = fresh.in_status("nothing was measured", TaskStatus::Failed).await;
    let found = async |name: &str, started_ms: i64, wanted: &[&str], most: usize| {
        let task = fresh.started(name, started_ms).await;
        let claim = fresh.database.claim("worker", 100, 1000).await.expect("claims");
        let claim = claim.expect("a task to claim");
        assert_eq!(claim.task, task);
        let store = fresh.database.run_store(&claim);
        let is_wanted = |document: &serde_json::Value| {
            let name = document["task_name"].as_str().expect("a name");
            wanted.contains(&name)
        };
        let found = store.alike(task, most, &is_wanted).await.expect("read");
        found.iter().map(Vec::len).collect::<Vec<_>>()
    };
    let all = ["first", "second", "nothing was measured", "late"];
    assert_eq!(found("late", 50, &all, 9).await, [2, 2]);
    assert_eq!(found("later", 50, &all, 1).await, [2], "so many at most");
    assert_eq!(found("other", 50, &["second"], 9).await, [2]);
    assert_eq!(
        found("early", 39, &all, 9).await,
        [0; 0],
        "they had not ended by then"
    );
    // A task's own earlier run is one as well.
    fresh
        .database
        .restart_task(&act(45), first.task, None)
        .await
        .expect("ended");
    fresh
        .database
        .start_task(&act(46), first.task)
        .await
        .expect("pending");
    let claim = fresh
        .database
        .claim("worker", 100, 1000)
        .await
        .expect("claims")
        .expect("one");
    let store = fresh.database.run_store(&claim);
    let is_first = |document: &serde_json::Value| document["task_name"] == "first";
    let found = store.alike(first.task, 9, &is_first).await.expect("read");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    let stranger = store.alike(nothing, 9, &is_first).await;
    assert!(matches!(stranger, Err(StoreError::LeaseLost(_))), "{stranger:?}");
}
