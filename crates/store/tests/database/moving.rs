//! Moving house: everything of one database in another one, on the same engine or not.

use std::collections::BTreeMap;

use autotuner_core::experiment::{ContainerFacts, LaunchFacts};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Database, NewPreset, NewToken, Page, Role, Store, StoreError, Written};
use serde_json::json;

use crate::support::{Fresh, act, broken, fresh_on_postgres, fresh_on_sqlite, measured, next, task};

const ALL: Page = Page {
    skip: 0,
    limit: 10_000,
};

/// A database with something in every table, and ids that are gone.
async fn fill(fresh: &Fresh) {
    let database = &fresh.database;
    for status in TaskStatus::ALL {
        fresh.in_status(&format!("in status {status}"), status).await;
    }
    database.forget_claims_of("worker").await.expect("freed");
    // The oldest start is claimed first.
    fresh.started("large", -9).await;
    let claim = database.claim("worker", 0, 1000).await.expect("claims");
    let claim = claim.expect("a task to claim");
    let store = database.run_store(&claim);
    // More than are carried at once.
    for step in 0..60 {
        let number = fresh.benchmarking(&claim, step).await;
        let facts = LaunchFacts {
            container: Some(ContainerFacts {
                id: format!("{step:064x}"),
                name: "engine".into(),
                started_at_ms: step,
            }),
            ..LaunchFacts::default()
        };
        store
            .record_launch(claim.task, number, facts)
            .await
            .expect("held");
        let result = if step % 3 == 0 {
            Err(broken())
        } else {
            Ok(measured(-(step as f64)))
        };
        let finished = store
            .finish_experiment(claim.task, number, result, 100 + step)
            .await;
        finished.expect("legal");
    }
    let wanted = fresh.in_status("restarted", TaskStatus::Failed).await;
    database.restart_task(&act(5), wanted, None).await.expect("ended");
    let gone = database.create_task(&act(6), task("gone")).await.expect("new");
    database
        .delete_task(&act(7), gone.summary.id)
        .await
        .expect("pending");
    let preset = NewPreset {
        name: "ours: \u{1f980} 'quoted' \"twice\"".into(),
        description: None,
        category: Some("kind".into()),
        runtime: None,
        is_system: true,
        parameters: json!({ "a": [1, 2.5, null, true] }),
        metadata: None,
    };
    database.create_preset(&act(8), preset).await.expect("new");
    for index in 0..3_u8 {
        let token = NewToken {
            name: format!("token {index}"),
            role: Role::Admin,
            hash: [index; 32],
            expires_at_ms: (index == 1).then_some(1000),
        };
        let id = database.create_token(&act(9), token).await.expect("new").id;
        let begun = database
            .begin_session(&act(9), id, &[100 + index; 32], 5000)
            .await;
        begun.expect("good");
        if index == 2 {
            database.revoke_token(&act(10), id).await.expect("known");
        }
    }
}

/// Every list and document, each as it is told.
async fn everything(database: &Database) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    let mut tell = |what: &str, how: String| told.insert(what.to_owned(), how);
    let tasks = database.tasks(ALL, None).await.expect("listed");
    tell("tasks", format!("{tasks:#?}"));
    for summary in &tasks.rows {
        let id: TaskId = summary.id;
        tell(&format!("{id}"), format!("{:#?}", database.task(id).await));
        tell(&format!("{id} runs"), format!("{:#?}", database.runs(id).await));
        let experiments = database.experiments_of(id, None, ALL).await;
        tell(&format!("{id} experiments"), format!("{experiments:#?}"));
        tell(
            &format!("{id} findings"),
            format!("{:#?}", database.findings(id, None).await),
        );
        tell(
            &format!("{id} standing"),
            format!("{:#?}", database.standings(&[id]).await),
        );
        for number in 1..=3 {
            let containers = database.containers_of(id, None, ExperimentNumber(number)).await;
            tell(&format!("{id} containers {number}"), format!("{containers:#?}"));
        }
    }
    tell("experiments", format!("{:#?}", database.experiments(ALL).await));
    tell("presets", format!("{:#?}", database.presets(None).await));
    tell("tokens", format!("{:#?}", database.tokens().await));
    for index in 0..3_u8 {
        tell(
            &format!("token {index}"),
            format!("{:#?}", database.token_with_hash(&[index; 32], 10).await),
        );
        tell(
            &format!("session {index}"),
            format!("{:#?}", database.session(&[100 + index; 32], 10).await),
        );
    }
    tell("audit", format!("{:#?}", database.audit(ALL).await));
    tell(
        "whether the log is whole",
        format!("{:?}", database.verify_audit().await),
    );
    tell("statistics", format!("{:#?}", database.statistics(20).await));
    tell("timeline", format!("{:#?}", database.timeline(0).await));
    tell("wishes", format!("{:#?}", database.wishes(100).await));
    told
}

/// Fills one and copies it into another and from there into a third; each is as the first one was,
/// and goes on with the ids behind its last ones.
async fn from_to_and_back(first: Fresh, second: Fresh, third: Fresh) {
    fill(&first).await;
    let before = everything(&first.database).await;
    assert_eq!(before["whether the log is whole"], "Ok(None)");
    let rows = first
        .database
        .copy_to(&second.database)
        .await
        .expect("it is empty");
    assert_eq!(
        second
            .database
            .copy_to(&third.database)
            .await
            .expect("it is empty"),
        rows
    );
    for copy in [&second, &third] {
        let database = &copy.database;
        for (what, told) in everything(database).await {
            assert_eq!(Some(&told), before.get(&what), "{what}");
        }
        assert_eq!(database.check().await.expect("readable"), Vec::<String>::new());
        let occupied = first.database.copy_to(database).await;
        assert!(
            matches!(occupied, Err(StoreError::Occupied { .. })),
            "{occupied:?}"
        );
    }
    let mut next_ids = Vec::new();
    for each in [&first, &second, &third] {
        let database = &each.database;
        let made = database
            .create_task(&act(50), task("the next"))
            .await
            .expect("new");
        let token = NewToken {
            name: "the next".into(),
            role: Role::Viewer,
            hash: [200; 32],
            expires_at_ms: None,
        };
        let token = database.create_token(&act(51), token).await.expect("new").id;
        let started = database.start_task(&act(-90), made.summary.id).await;
        started.expect("pending");
        let claim = database.claim("worker", 60, 1000).await.expect("claims");
        let claim = claim.expect("the oldest start");
        assert_eq!(claim.task, made.summary.id);
        let store = database.run_store(&claim);
        let number = store
            .begin_experiment(claim.task, next(1), 70)
            .await
            .expect("held");
        let experiment = database.experiment_id(&claim, number).await.expect("known");
        next_ids.push((made.summary.id, token, experiment));
        assert_eq!(database.verify_audit().await.expect("readable"), None);
    }
    assert_eq!(next_ids[0], next_ids[1]);
    assert_eq!(next_ids[0], next_ids[2]);
}

#[tokio::test]
async fn from_a_file_to_a_server_and_back() {
    let (Some(first), Some(third)) = (fresh_on_sqlite().await, fresh_on_sqlite().await) else {
        return;
    };
    let Some(second) = fresh_on_postgres().await else {
        return;
    };
    from_to_and_back(first, second, third).await;
}

#[tokio::test]
async fn from_a_server_to_another_one_and_to_a_file() {
    let (Some(first), Some(second)) = (fresh_on_postgres().await, fresh_on_postgres().await) else {
        return;
    };
    let Some(third) = fresh_on_sqlite().await else {
        return;
    };
    from_to_and_back(first, second, third).await;
}

#[tokio::test]
async fn what_holds_anything_is_left_as_it_is() {
    for occupied in [fresh_on_sqlite().await, fresh_on_postgres().await]
        .into_iter()
        .flatten()
    {
        let from = crate::support::on_file().await;
        fill(&from).await;
        let noted = occupied.database.note(&act(0), "log.clear", "task 1", None).await;
        noted.expect("written");
        let before = everything(&occupied.database).await;
        let (source, target) = (from.database.clone(), occupied.database.clone());
        let copying = tokio::spawn(async move { source.copy_to(&target).await });
        let refused = copying.await.expect("no panic");
        assert!(matches!(refused, Err(StoreError::Occupied { .. })), "{refused:?}");
        assert_eq!(everything(&occupied.database).await, before);
    }
}

#[tokio::test]
async fn shared_logs_go_from_a_server_to_a_server_alone() {
    let (Some(first), Some(second)) = (fresh_on_postgres().await, fresh_on_postgres().await) else {
        return;
    };
    let claim = first.claimed("with a log").await;
    let written = Written {
        origin: "here",
        place: 0,
        bytes: b"a line\n".to_vec(),
    };
    let added = first.database.add_to_log(&claim, "task.log", written).await;
    added.expect("the task is there");
    let third = crate::support::on_file().await;
    let to_file = first.database.copy_to(&third.database).await.expect("empty");
    let to_server = first.database.copy_to(&second.database).await.expect("empty");
    assert_eq!(to_server, to_file + 1);
    let pieces = second
        .database
        .log_after(claim.task, "task.log", 0)
        .await
        .expect("read");
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].bytes, b"a line\n");
}
