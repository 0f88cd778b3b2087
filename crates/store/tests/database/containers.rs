//! Containers on record: found by id, name and experiment, also when they are gone.

use autotuner_core::experiment::{ContainerFacts, ImageFacts, LaunchFacts};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::TaskMove;
use autotuner_store::{Claim, ContainerRecord, Database, Store, StoreError};

use crate::support::{Fresh, act, broken};

const FIRST: char = 'a';
const SECOND: char = 'b';

/// Docker's kind of id, with this digit all through.
fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn launched(digit: char, name: &str, started_at_ms: i64) -> LaunchFacts {
    LaunchFacts {
        image: Some(ImageFacts {
            reference: "some/image:1".into(),
            id: "sha256:01".into(),
            digest: None,
        }),
        container: Some(ContainerFacts {
            id: id(digit),
            name: name.into(),
            started_at_ms,
        }),
        ..LaunchFacts::default()
    }
}

/// An experiment whose engine was started in this container.
async fn contained(fresh: &Fresh, claim: &Claim, digit: char, name: &str, at_ms: i64) -> ExperimentNumber {
    let number = fresh.benchmarking(claim, at_ms).await;
    let store = fresh.database.run_store(claim);
    let recorded = store
        .record_launch(claim.task, number, launched(digit, name, at_ms))
        .await;
    recorded.expect("held");
    number
}

async fn found(database: &Database, name: &str) -> Option<ContainerRecord> {
    database.container(name).await.expect("readable")
}

async fn ids_of(database: &Database, task: TaskId, run: Option<u32>, number: u32) -> Vec<String> {
    let listed = database.containers_of(task, run, ExperimentNumber(number)).await;
    listed
        .expect("known")
        .into_iter()
        .map(|container| container.id)
        .collect()
}

#[tokio::test]
async fn a_container_leads_to_its_experiment_and_back() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("contained").await;
    let number = contained(&fresh, &claim, FIRST, "engine", 1000).await;
    let store = database.run_store(&claim);
    // Told again when it is ready; it stays one container.
    let again = store.record_launch(claim.task, number, launched(FIRST, "engine", 1000));
    again.await.expect("held");
    let record = found(database, &id(FIRST)).await.expect("on record");
    let experiment = database
        .experiment_numbered(claim.task, number)
        .await
        .expect("known");
    assert_eq!(
        record,
        ContainerRecord {
            id: id(FIRST),
            name: "engine".into(),
            experiment: experiment.id,
            task: claim.task,
            run: 1,
            number,
            attempt: 1,
            image: Some("some/image:1".into()),
            started_at_ms: 1000,
            ended_at_ms: None,
        }
    );
    assert_eq!(ids_of(database, claim.task, None, number.0).await, [id(FIRST)]);
    for ended_at_ms in [2000, 3000] {
        let stopped = store.record_stop(claim.task, number, ended_at_ms).await;
        stopped.expect("held");
        let record = found(database, "engine").await.expect("on record");
        assert_eq!(record.ended_at_ms, Some(2000), "the first end counts");
    }
    let none = fresh.benchmarking(&claim, 9).await;
    assert_eq!(ids_of(database, claim.task, None, none.0).await, [] as [&str; 0]);
    let unknown = database.containers_of(TaskId(99), None, number).await;
    assert!(matches!(unknown, Err(StoreError::NoSuchTask(_))), "{unknown:?}");
    let unknown = database.containers_of(claim.task, Some(7), number).await;
    assert!(
        matches!(unknown, Err(StoreError::NoSuchRun { .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn an_id_may_be_cut_and_a_name_means_the_latest() {
    let fresh = fresh!();
    let claim = fresh.claimed("named").await;
    contained(&fresh, &claim, FIRST, "engine", 1000).await;
    let later = contained(&fresh, &claim, SECOND, "engine", 2000).await;
    let check = async |name: &str, expected: Option<char>| {
        let found = found(&fresh.database, name).await.map(|container| container.id);
        assert_eq!(found, expected.map(id), "{name:?}");
    };
    check("engine", Some(SECOND)).await;
    check(&id(FIRST)[..12], Some(FIRST)).await;
    check(&id(FIRST)[..11], None).await;
    check(&id(FIRST).to_uppercase(), None).await;
    check("engin", None).await;
    check("", None).await;
    check("%", None).await;
    check("aaaaaaaaaaaab", None).await;
    // Of one experiment, a second container: the latest first.
    let store = fresh.database.run_store(&claim);
    let twin = LaunchFacts {
        container: Some(ContainerFacts {
            id: format!("{}c", &id(FIRST)[..63]),
            name: "twin".into(),
            started_at_ms: 3000,
        }),
        ..LaunchFacts::default()
    };
    store.record_launch(claim.task, later, twin).await.expect("held");
    check(&id(FIRST)[..12], None).await;
    let ids = ids_of(&fresh.database, claim.task, Some(1), later.0).await;
    assert_eq!(ids, [format!("{}c", &id(FIRST)[..63]), id(SECOND)]);
}

#[tokio::test]
async fn only_who_holds_the_task_puts_containers_on_record() {
    let fresh = fresh!();
    let database = &fresh.database;
    let late = fresh.claimed("fenced").await;
    let number = contained(&fresh, &late, FIRST, "engine", 10).await;
    // Its worker sleeps through its lease: what it left open has ended, as far as anybody knows.
    let claim = database.claim("other", 5000, 1000).await.expect("claims");
    assert_eq!(claim.expect("expired").lost, [number]);
    let record = found(database, &id(FIRST)).await.expect("on record");
    assert_eq!(record.ended_at_ms, Some(5000));
    let store = database.run_store(&late);
    let launched = store.record_launch(late.task, number, launched(SECOND, "late", 6000));
    let launched = launched.await;
    assert!(matches!(launched, Err(StoreError::LeaseLost(_))), "{launched:?}");
    let stopped = store.record_stop(late.task, number, 6000).await;
    assert!(matches!(stopped, Err(StoreError::LeaseLost(_))), "{stopped:?}");
    assert_eq!(found(database, "late").await, None);
}

#[tokio::test]
async fn they_stay_with_their_run_and_go_with_their_experiment() {
    let fresh = fresh!();
    let database = &fresh.database;
    let mut tasks = Vec::new();
    for (name, digit) in [("cleared", FIRST), ("removed", SECOND)] {
        let claim = fresh.claimed(name).await;
        let number = contained(&fresh, &claim, digit, name, 10).await;
        let store = database.run_store(&claim);
        let ended = store
            .finish_experiment(claim.task, number, Err(broken()), 20)
            .await;
        ended.expect("legal");
        let ended = store.end_task(claim.task, TaskMove::Fail, "for a test", 30).await;
        ended.expect("held");
        tasks.push(claim.task);
    }
    let restarted = database.restart_task(&act(40), tasks[1], None).await;
    restarted.expect("ended");
    assert_eq!(ids_of(database, tasks[1], Some(1), 1).await, [id(SECOND)]);
    assert_eq!(ids_of(database, tasks[1], None, 1).await, [] as [&str; 0]);
    database.clear_task(&act(50), tasks[0]).await.expect("ended");
    assert_eq!(found(database, &id(FIRST)).await, None);
    database.delete_task(&act(60), tasks[1]).await.expect("pending");
    assert_eq!(found(database, &id(SECOND)).await, None);
}
