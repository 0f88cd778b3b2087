//! Making, finding, describing, editing and removing tasks.

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Database, Page, StoreError};

use crate::support::{act, status_of, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

#[tokio::test]
async fn a_task_is_kept_as_it_was_given() {
    let fresh = fresh!();
    let made = fresh
        .database
        .create_task(&act(5), task("first"))
        .await
        .expect("new");
    let by_id = fresh.database.task(made.summary.id).await.expect("known");
    let by_name = fresh.database.task_named("first").await.expect("known");
    assert_eq!((&by_id, &by_name), (&made, &made));
    let given = task("first");
    assert_eq!(
        made.document.to_string(),
        given.document.to_string(),
        "keys keep their order"
    );
    assert_eq!(
        (made.summary.slo, made.summary.description),
        (given.slo, given.description)
    );
    assert_eq!(made.summary.status, TaskStatus::Pending);
    assert_eq!((made.summary.run, made.summary.max_iterations), (1, 7));
    assert_eq!(
        (made.summary.created_at_ms, made.summary.started_at_ms),
        (5, None)
    );
}

#[tokio::test]
async fn names_are_unique_and_strangers_are_named() {
    let fresh = fresh!();
    let database = &fresh.database;
    let first = database.create_task(&act(0), task("first")).await.expect("new");
    let second = database.create_task(&act(0), task("second")).await.expect("new");
    let told = |error: StoreError| error.to_string();
    let taken = "Task 'first' already exists";
    let again = database.create_task(&act(0), task("first")).await;
    assert_eq!(again.map_err(told), Err(taken.into()));
    let id = second.summary.id;
    let edited = database.edit_task(&act(0), id, task("first")).await;
    assert_eq!(edited.map_err(told), Err(taken.into()));
    let replaced = database.replace_task(&act(0), id, task("first")).await;
    assert_eq!(replaced.map_err(told), Err(taken.into()));
    assert_eq!(database.task(id).await.expect("as it was"), second);
    assert_eq!(database.task(first.summary.id).await.expect("as it was"), first);
    let nobody = TaskId(99);
    assert_eq!(
        database.task(nobody).await.map_err(told),
        Err("Task 99 not found".into())
    );
    let unnamed = database.task_named("nobody").await.map_err(told);
    assert_eq!(unnamed, Err("Task 'nobody' not found".into()));
    every_verb_refuses(
        database,
        nobody,
        |error| matches!(error, StoreError::NoSuchTask(id) if *id == nobody),
    )
    .await;
    let log = database.audit(ALL).await.expect("readable");
    assert_eq!(log.total, 2, "what was refused is no act");
}

/// Holds every verb on this task against the error that it must give.
async fn every_verb_refuses(database: &Database, id: TaskId, is_right: impl Fn(&StoreError) -> bool) {
    let act = &act(9);
    let errors = [
        database.describe_task(act, id, None).await.err(),
        database.edit_task(act, id, task("x")).await.err(),
        database.replace_task(act, id, task("x")).await.err(),
        database.delete_task(act, id).await.err(),
        database.start_task(act, id).await.err(),
        database.cancel_task(act, id).await.err(),
        database.restart_task(act, id, None).await.err(),
        database.clear_task(act, id).await.err(),
        database.runs(id).await.err(),
        database.experiments_of(id, None, ALL).await.err(),
    ];
    for (index, error) in errors.iter().enumerate() {
        let error = error
            .as_ref()
            .unwrap_or_else(|| panic!("verb {index} did something"));
        assert!(is_right(error), "verb {index}: {error}");
    }
}

/// Every verb from every status: exactly these are refused, and what is refused changes nothing.
#[tokio::test]
async fn exactly_the_illegal_moves_are_refused() {
    use TaskStatus::{Cancelled, Completed, Failed, Pending, Running};
    let verbs: [(&str, &[TaskStatus]); 7] = [
        ("edit", &[Running]),
        ("replace", &[Running, Completed, Failed, Cancelled]),
        ("delete", &[Running]),
        ("start", &[Running, Completed, Failed, Cancelled]),
        ("cancel", &[Pending, Completed, Failed, Cancelled]),
        ("restart", &[Pending, Running]),
        ("clear", &[Running]),
    ];
    let fresh = fresh!();
    let database = &fresh.database;
    for (verb, refused) in verbs {
        for status in TaskStatus::ALL {
            let name = format!("{verb} {status}");
            let id = fresh.in_status(&name, status).await;
            let before = database.task(id).await.expect("known");
            let (act, same) = (&act(9), task(&name));
            let done = match verb {
                "edit" => database.edit_task(act, id, same).await.map(drop),
                "replace" => database.replace_task(act, id, same).await.map(drop),
                "delete" => database.delete_task(act, id).await,
                "start" => database.start_task(act, id).await.map(drop),
                "cancel" => database.cancel_task(act, id).await.map(drop),
                "restart" => database.restart_task(act, id, None).await.map(drop),
                _ => database.clear_task(act, id).await.map(drop),
            };
            if refused.contains(&status) {
                let Err(StoreError::Illegal(illegal)) = done else {
                    panic!("{name}: {done:?}");
                };
                assert_eq!(
                    (illegal.wanted, illegal.status),
                    (verb, status.as_str()),
                    "{name}"
                );
                assert_eq!(database.task(id).await.expect("known"), before, "{name}");
            } else {
                assert!(done.is_ok(), "{name}: {done:?}");
            }
        }
    }
}

#[tokio::test]
async fn lists_come_newest_first_and_in_pages() {
    let fresh = fresh!();
    let database = &fresh.database;
    for index in 0..7 {
        let name = format!("task {index}");
        database.create_task(&act(index), task(&name)).await.expect("new");
    }
    let names = async |skip: u64, limit: u64, status: Option<TaskStatus>| {
        let listed = database
            .tasks(Page { skip, limit }, status)
            .await
            .expect("listed");
        let names = listed.rows.iter().map(|row| row.name.clone());
        (names.collect::<Vec<_>>().join(","), listed.total)
    };
    assert_eq!(names(0, 2, None).await, ("task 6,task 5".into(), 7));
    assert_eq!(names(5, 100, None).await, ("task 1,task 0".into(), 7));
    assert_eq!(names(7, 100, None).await, (String::new(), 7));
    assert_eq!(names(u64::MAX, u64::MAX, None).await, (String::new(), 7));
    let third = database.task_named("task 3").await.expect("known").summary.id;
    database.start_task(&act(20), third).await.expect("pending");
    assert_eq!(
        names(0, 10, Some(TaskStatus::Running)).await,
        ("task 3".into(), 1)
    );
    assert_eq!(
        names(1, 2, Some(TaskStatus::Pending)).await,
        ("task 5,task 4".into(), 6)
    );
    assert_eq!(names(0, 10, Some(TaskStatus::Failed)).await, (String::new(), 0));
}

#[tokio::test]
async fn a_description_changes_at_any_time() {
    let fresh = fresh!();
    let id = fresh.started("running", 3).await;
    let said = fresh
        .database
        .describe_task(&act(4), id, Some("other".into()))
        .await;
    assert_eq!(said.expect("known").summary.description.as_deref(), Some("other"));
    let said = fresh
        .database
        .describe_task(&act(5), id, None)
        .await
        .expect("known");
    assert_eq!(
        (said.summary.description, said.summary.status),
        (None, TaskStatus::Running)
    );
}

#[tokio::test]
async fn a_replaced_task_is_gone_and_its_name_may_stay() {
    let fresh = fresh!();
    let database = &fresh.database;
    let old = database.create_task(&act(0), task("same")).await.expect("new");
    let new = database
        .replace_task(&act(1), old.summary.id, task("same"))
        .await
        .expect("pending");
    assert!(new.summary.id > old.summary.id);
    let gone = database.task(old.summary.id).await;
    assert!(matches!(gone, Err(StoreError::NoSuchTask(_))), "{gone:?}");
    assert_eq!(database.task_named("same").await.expect("known"), new);
}

#[tokio::test]
async fn ids_are_never_used_again() {
    let fresh = fresh!();
    let database = &fresh.database;
    let first = database
        .create_task(&act(0), task("first"))
        .await
        .expect("new")
        .summary
        .id;
    database.delete_task(&act(1), first).await.expect("pending");
    let second = database
        .create_task(&act(2), task("first"))
        .await
        .expect("new")
        .summary
        .id;
    assert!(second > first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_race_for_a_name_one_gets_it() {
    let fresh = fresh!();
    // Another process has its own connections.
    let other = fresh.again().await;
    let mut racers = tokio::task::JoinSet::new();
    for index in 0..16 {
        let database = if index % 2 == 0 {
            fresh.database.clone()
        } else {
            other.clone()
        };
        racers.spawn(async move { database.create_task(&act(0), task("wanted")).await });
    }
    let results = racers.join_all().await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    for lost in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(matches!(lost, StoreError::NameTaken { .. }), "{lost}");
    }
    assert_eq!(status_of(&other, "wanted").await, TaskStatus::Pending);
}
