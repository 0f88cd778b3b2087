//! Claims: one worker a task, and nothing from those before it.

use autotuner_core::experiment::LaunchFacts;
use autotuner_core::failure::FailureKind;
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_core::space::Candidate;
use autotuner_core::verdict::verdict;
use autotuner_store::{Claim, Database, Store, StoreError};

use crate::support::{act, broken, measured, next, task};

/// Every write of this claim is refused because the claim is lost.
async fn nothing_can_be_written(database: &Database, claim: &Claim, number: ExperimentNumber) {
    let store = database.run_store(claim);
    let task = claim.task;
    let facts = LaunchFacts::default();
    let results = [
        store
            .end_task(task, TaskMove::Complete, "late", 90)
            .await
            .map(drop),
        store.begin_experiment(task, next(9), 90).await.map(drop),
        store
            .move_experiment(task, number, ExperimentMove::Benchmark)
            .await,
        store.record_launch(task, number, facts).await,
        store.finish_experiment(task, number, Err(broken()), 90).await,
        database.renew(claim, 90, 1000).await.map(drop),
    ];
    for (index, result) in results.iter().enumerate() {
        assert!(
            matches!(result, Err(StoreError::LeaseLost(id)) if *id == task),
            "write {index}: {result:?}"
        );
    }
}

#[tokio::test]
async fn the_oldest_start_goes_first_and_each_goes_once() {
    let fresh = fresh!();
    let database = &fresh.database;
    database.create_task(&act(0), task("pending")).await.expect("new");
    let late = fresh.started("late", 9).await;
    let early = fresh.started("early", 3).await;
    let mut order = Vec::new();
    while let Some(claim) = database.claim("worker", 10, 1000).await.expect("claims") {
        assert_eq!((claim.epoch, claim.run, claim.lost.len()), (1, 1, 0));
        order.push(claim.task);
    }
    assert_eq!(order, [early, late]);
}

#[tokio::test]
async fn an_expired_claim_is_taken_over_and_the_old_one_is_dead() {
    let fresh = fresh!();
    let database = &fresh.database;
    let old = fresh.claimed("taken over").await;
    let open = fresh.benchmarking(&old, 1).await;
    let second = database
        .run_store(&old)
        .begin_experiment(old.task, next(2), 20)
        .await
        .expect("begins");
    assert_eq!(
        database.claim("other", 999, 1000).await.expect("claims"),
        None,
        "it is alive"
    );
    let new = database
        .claim("other", 1000, 1000)
        .await
        .expect("claims")
        .expect("it has expired");
    assert_eq!(
        (new.task, new.epoch, &new.document),
        (old.task, old.epoch + 1, &old.document)
    );
    assert_eq!(new.lost, [open, second]);
    let history = database.run_store(&new).history(new.task).await.expect("known");
    for lost in &history {
        assert_eq!(
            (lost.status, lost.ended_at_ms),
            (ExperimentStatus::Failed, Some(1000))
        );
        let failure = lost.failure().expect("failed");
        assert_eq!(failure.kind, FailureKind::WorkerLost);
        assert_eq!(failure.message, "the worker that ran it is gone");
    }
    let third = database
        .run_store(&new)
        .begin_experiment(new.task, next(3), 1100)
        .await
        .expect("held");
    let before = database.task(new.task).await.expect("known");
    nothing_can_be_written(database, &old, third).await;
    database
        .release(&old)
        .await
        .expect("giving back what one has not is no fault");
    assert_eq!(database.task(new.task).await.expect("known"), before);
    database.renew(&new, 1500, 1000).await.expect("held");
    let after = database.run_store(&new).history(new.task).await.expect("known");
    assert_eq!((after.len(), after[2].status), (3, ExperimentStatus::Pending));
}

#[tokio::test]
async fn a_renewed_claim_lives_on_and_a_released_one_does_not() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("renewed").await;
    database.renew(&claim, 900, 1000).await.expect("held");
    assert_eq!(database.claim("other", 1500, 1000).await.expect("claims"), None);
    let number = fresh.benchmarking(&claim, 1).await;
    database.release(&claim).await.expect("held");
    nothing_can_be_written(database, &claim, number).await;
    let next = database
        .claim("other", 1500, 1000)
        .await
        .expect("claims")
        .expect("free");
    assert_eq!(next.epoch, claim.epoch + 1);
}

#[tokio::test]
async fn a_worker_that_slept_cannot_write_into_a_later_run() {
    let fresh = fresh!();
    let database = &fresh.database;
    let old = fresh.claimed("slept").await;
    let number = fresh.benchmarking(&old, 1).await;
    database
        .cancel_task(&act(2000), old.task)
        .await
        .expect("its claim has expired");
    let ended = database
        .run_store(&old)
        .end_task(old.task, TaskMove::Complete, "late", 2001)
        .await;
    assert!(
        matches!(ended, Err(StoreError::Illegal(illegal)) if illegal.status == "cancelled"),
        "{ended:?}"
    );
    database
        .restart_task(&act(2002), old.task, None)
        .await
        .expect("ended");
    database.start_task(&act(2003), old.task).await.expect("pending");
    nothing_can_be_written(database, &old, number).await;
    database
        .claim("other", 2004, 1000)
        .await
        .expect("claims")
        .expect("to run");
    nothing_can_be_written(database, &old, number).await;
}

#[tokio::test]
async fn an_ended_run_is_nobodys() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("ended").await;
    let store = database.run_store(&claim);
    store
        .end_task(claim.task, TaskMove::Fail, "nothing worked", 50)
        .await
        .expect("held");
    assert_eq!(store.task_status(claim.task).await.ok(), Some(TaskStatus::Failed));
    let lost = database.renew(&claim, 60, 1000).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost(_))), "{lost:?}");
    assert_eq!(database.claim("other", 9000, 1000).await.expect("claims"), None);
    let begun = store.begin_experiment(claim.task, next(1), 70).await;
    assert!(matches!(begun, Err(StoreError::LeaseLost(_))), "{begun:?}");
}

#[tokio::test]
async fn claims_of_a_dead_process_are_forgotten() {
    let fresh = fresh!();
    let database = &fresh.database;
    let old = fresh.claimed("forgotten").await;
    let number = fresh.benchmarking(&old, 1).await;
    assert_eq!(database.forget_claims_of("worker").await.expect("freed"), 1);
    assert_eq!(database.forget_claims_of("worker").await.expect("freed"), 0);
    nothing_can_be_written(database, &old, number).await;
    let new = database
        .claim("next", 1, 1000)
        .await
        .expect("claims")
        .expect("free at once");
    assert_eq!((new.epoch, new.lost), (old.epoch + 1, vec![number]));
}

#[tokio::test]
async fn a_claim_is_of_one_task() {
    let fresh = fresh!();
    let claim = fresh.claimed("mine").await;
    let other = fresh.started("another", 0).await;
    let written = fresh
        .database
        .run_store(&claim)
        .begin_experiment(other, next(1), 1)
        .await;
    assert!(
        matches!(written, Err(StoreError::LeaseLost(id)) if id == other),
        "{written:?}"
    );
}

#[tokio::test]
async fn the_best_is_feasible_first_then_better_then_earlier() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("best").await;
    let store = database.run_store(&claim);
    let mut infeasible = measured(100.0);
    let mut parts = infeasible.score.parts();
    parts.feasible = false;
    infeasible.score = autotuner_core::score::Score::from_parts(parts);
    let mut numbers = Vec::new();
    for seqs in 0..5 {
        numbers.push(fresh.benchmarking(&claim, seqs).await);
    }
    // The second and the fourth are equally good, and the fourth ends first.
    let ends = [
        (0, infeasible, 0),
        (3, measured(-2.0), 3),
        (2, measured(-3.0), 3),
        (1, measured(-2.0), 1),
        (4, measured(-0.5), 4),
    ];
    for (index, result, best) in ends {
        store
            .finish_experiment(claim.task, numbers[index], Ok(result), 100)
            .await
            .expect("legal");
        let summary = database.task(claim.task).await.expect("known").summary;
        let found = database
            .experiment(summary.best_experiment.expect("one"))
            .await
            .expect("known");
        assert_eq!(
            found.experiment.number,
            numbers[best],
            "after number {}",
            index + 1
        );
        let history = store.history(claim.task).await.expect("known");
        assert_eq!(
            verdict(&history).best.map(|best| best.number),
            Some(numbers[best]),
            "as the verdict has it"
        );
    }
    assert_eq!(
        database
            .task(claim.task)
            .await
            .expect("known")
            .summary
            .successful_experiments,
        5
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_race_for_a_task_one_gets_it() {
    let fresh = fresh!();
    let id = fresh.started("wanted", 0).await;
    let other = fresh.again().await;
    let mut racers = tokio::task::JoinSet::new();
    for index in 0..16 {
        let database = if index % 2 == 0 {
            fresh.database.clone()
        } else {
            other.clone()
        };
        racers.spawn(async move { database.claim(&format!("worker {index}"), 1, 1000).await });
    }
    let claims = racers.join_all().await;
    let won: Vec<_> = claims
        .into_iter()
        .filter_map(|claim| claim.expect("claims"))
        .collect();
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!((won[0].task, won[0].epoch), (id, 1));
}

/// The verdict that the database gives, mostly of a few experiments, is that of all of them, after
/// each step of a run; and the best is the verdict's.
#[tokio::test]
async fn a_verdict_rests_on_few_experiments() {
    let fresh = fresh!();
    let database = &fresh.database;
    let mut infeasible = measured(100.0);
    let mut parts = infeasible.score.parts();
    parts.feasible = false;
    infeasible.score = autotuner_core::score::Score::from_parts(parts);
    let (baseline, search, again) = (Role::Baseline, Role::Search, Role::Replicate);
    let once = [
        (search, 1, Err(broken())),
        (baseline, 0, Err(broken())),
        (baseline, 0, Ok(measured(-2.0))),
        (search, 2, Ok(infeasible)),
        (search, 3, Ok(measured(-3.0))),
        (search, 4, Ok(measured(-1.5))),
        (search, 5, Ok(measured(-1.5))),
        (search, 6, Err(broken())),
        (search, 7, Ok(measured(-1.6))),
    ];
    let repeated = [
        (again, 0, Ok(measured(-2.1))),
        (again, 4, Ok(measured(-2.2))),
        (again, 5, Ok(measured(-1.4))),
        (again, 5, Err(broken())),
        (again, 7, Ok(measured(-1.5))),
        (again, 7, Ok(measured(-1.5))),
    ];
    let claim = fresh.claimed("decided").await;
    let store = database.run_store(&claim);
    let none = database.standings(&[claim.task]).await.expect("known");
    assert!(none.is_empty(), "{none:?}");
    for (role, seqs, result) in once.into_iter().chain(repeated) {
        let mut begun = Next { role, ..next(seqs) };
        if seqs == 0 {
            begun.candidate = Candidate::engine_default();
        }
        let number = store
            .begin_experiment(claim.task, begun, 10)
            .await
            .expect("begins");
        for wanted in [ExperimentMove::Deploy, ExperimentMove::Benchmark] {
            store
                .move_experiment(claim.task, number, wanted)
                .await
                .expect("legal");
        }
        store
            .finish_experiment(claim.task, number, result, 100)
            .await
            .expect("legal");
        let history = store.history(claim.task).await.expect("known");
        let expected = verdict(&history);
        let standings = database.standings(&[claim.task]).await.expect("known");
        let standing = &standings[&claim.task];
        let found = standing.verdict.as_ref().expect("ours");
        assert_eq!(found.claim, expected.claim, "after {number}");
        assert_eq!(found.best, expected.best, "after {number}");
        assert_eq!(found.comparison, expected.comparison, "after {number}");
        let best = expected.best.map(|best| best.number);
        assert_eq!(standing.best_number, best, "after {number}");
    }
    let last = database.standings(&[claim.task]).await.expect("known");
    let best = last[&claim.task].best_number;
    assert_eq!(
        best,
        Some(ExperimentNumber(9)),
        "of those measured again what never failed"
    );
    let unknown = database.standings(&[TaskId(99)]).await.expect("nothing");
    assert!(unknown.is_empty(), "{unknown:?}");
}
