//! Lists of experiments, and the figures of everything.

use autotuner_core::ids::{ExperimentId, ExperimentNumber};
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Page, Store, StoreError};

use crate::support::{act, broken, measured, next, raw};

#[tokio::test]
async fn pages_hold_what_is_there_in_order() {
    let fresh = fresh!();
    let database = &fresh.database;
    let first = fresh.claimed("first").await;
    let second = fresh.claimed("second").await;
    for seqs in 0..6 {
        let claim = if seqs % 2 == 0 { &first } else { &second };
        let store = database.run_store(claim);
        store
            .begin_experiment(claim.task, next(seqs), seqs)
            .await
            .expect("begins");
    }
    let ids = async |skip: u64, limit: u64| {
        let listed = database.experiments(Page { skip, limit }).await.expect("listed");
        assert_eq!(listed.total, 6);
        listed.rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 2).await, [6, 5]);
    assert_eq!(ids(4, 100).await, [2, 1]);
    assert_eq!(ids(6, 100).await, [] as [i64; 0]);
    assert_eq!(ids(u64::MAX, u64::MAX).await, [] as [i64; 0]);
    let numbers = async |skip: u64, limit: u64| {
        let page = Page { skip, limit };
        let listed = database
            .experiments_of(second.task, Some(1), page)
            .await
            .expect("listed");
        assert_eq!(listed.total, 3);
        listed
            .rows
            .iter()
            .map(|row| row.experiment.number.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, 2).await, [1, 2]);
    assert_eq!(numbers(2, 2).await, [3]);
    assert_eq!(numbers(u64::MAX, u64::MAX).await, [] as [u32; 0]);
    let one = database
        .experiment_numbered(second.task, ExperimentNumber(2))
        .await
        .expect("known");
    assert_eq!(database.experiment(one.id).await.expect("known"), one);
    assert_eq!((one.task, one.run), (second.task, 1));
    let told = |error: StoreError| error.to_string();
    let unknown = database.experiment(ExperimentId(99)).await.map_err(told);
    assert_eq!(unknown, Err("Experiment 99 not found".into()));
    for number in [0, 4, u32::MAX] {
        let unknown = database
            .experiment_numbered(second.task, ExperimentNumber(number))
            .await;
        let expected = format!("Experiment {number} not found for task {}", second.task);
        assert_eq!(unknown.map_err(told), Err(expected));
    }
}

/// Where tasks were removed, ids have gaps: pages must not.
#[tokio::test]
async fn pages_have_no_gaps_where_ids_do() {
    let fresh = fresh!();
    let database = &fresh.database;
    let mut ids: Vec<i64> = Vec::new();
    for step in 0..5 {
        let claim = fresh.claimed(&format!("task {step}")).await;
        let skipped = fresh.either(
            "UPDATE sqlite_sequence SET seq = LAST WHERE name = 'experiments'",
            "SELECT setval('experiments_id_seq', LAST + 1, FALSE)",
        );
        raw(&fresh, &skipped.replace("LAST", &(step * 1000).to_string())).await;
        let store = database.run_store(&claim);
        for seqs in 0..30 {
            let number = store
                .begin_experiment(claim.task, next(seqs), 0)
                .await
                .expect("begins");
            ids.push(database.experiment_id(&claim, number).await.expect("known").0);
        }
        if step == 2 {
            database.release(&claim).await.expect("held");
            database.cancel_task(&act(1), claim.task).await.expect("running");
            database.delete_task(&act(2), claim.task).await.expect("ended");
            ids.truncate(ids.len() - 30);
        }
    }
    ids.reverse();
    for (skip, limit) in [
        (0, 7),
        (25, 10),
        (29, 1),
        (30, 1),
        (55, 20),
        (89, 30),
        (119, 5),
        (120, 5),
    ] {
        let listed = database.experiments(Page { skip, limit }).await.expect("listed");
        let found: Vec<i64> = listed.rows.iter().map(|row| row.id.0).collect();
        let (skip, limit) = (skip as usize, limit as usize);
        let expected: Vec<i64> = ids.iter().copied().skip(skip).take(limit).collect();
        assert_eq!((found, listed.total), (expected, 120), "{skip} {limit}");
    }
}

#[tokio::test]
async fn figures_are_those_of_the_rows() {
    const DAY: i64 = 86_400_000;
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("counted").await;
    let store = database.run_store(&claim);
    fresh.started("waiting", DAY + 5).await;
    for (seqs, seconds) in [(1, 2), (2, 4)] {
        let number = fresh.benchmarking(&claim, seqs).await;
        let end = 10 + seconds * 1000;
        store
            .finish_experiment(claim.task, number, Ok(measured(-1.5)), end)
            .await
            .expect("legal");
    }
    let failed = store
        .begin_experiment(claim.task, next(3), DAY + 7)
        .await
        .expect("begins");
    store
        .finish_experiment(claim.task, failed, Err(broken()), DAY + 9)
        .await
        .expect("legal");
    store
        .begin_experiment(claim.task, next(4), DAY + 8)
        .await
        .expect("begins");
    let statistics = database.statistics(DAY + 20).await.expect("counted");
    let tasks: Vec<u64> = statistics.tasks.iter().map(|(_, count)| *count).collect();
    assert_eq!(tasks, [0, 2, 0, 0, 0], "in the order of the statuses");
    let experiments: Vec<_> = statistics
        .experiments
        .iter()
        .map(|(word, count)| (*word, *count))
        .collect();
    let expected = [
        ("pending", 1),
        ("deploying", 0),
        ("benchmarking", 0),
        ("success", 2),
        ("failed", 1),
    ];
    assert_eq!(experiments, expected);
    assert_eq!(
        (statistics.tasks_last_24h, statistics.experiments_last_24h),
        (1, 2)
    );
    assert_eq!(statistics.mean_experiment_seconds, Some(3.0));
    let running: Vec<_> = statistics
        .running
        .iter()
        .map(|task| (task.name.as_str(), task.status))
        .collect();
    assert_eq!(
        running,
        [("waiting", TaskStatus::Running), ("counted", TaskStatus::Running)]
    );
    let timeline = database.timeline(DAY).await.expect("read");
    let entries: Vec<_> = timeline
        .iter()
        .map(|entry| (entry.number.0, entry.status, entry.completed_at_ms))
        .collect();
    assert_eq!(entries, [(3, "failed", Some(DAY + 9)), (4, "pending", None)]);
    let all = database.timeline(0).await.expect("read");
    assert_eq!(
        (all.len(), all[0].objective_score),
        (4, Some(1.5)),
        "lower is better there"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_nothing_panics() {
    let fresh = fresh!();
    let database = &fresh.database;
    let claim = fresh.claimed("damaged").await;
    let store = database.run_store(&claim);
    let number = fresh.benchmarking(&claim, 1).await;
    store
        .finish_experiment(claim.task, number, Ok(measured(-1.0)), 90)
        .await
        .expect("legal");
    let id = database.experiment_id(&claim, number).await.expect("known");
    let sound = database.experiment(id).await.expect("readable");
    let damages = [
        ("experiments", "status", "'sleeping'"),
        ("experiments", "status", "'pending'"),
        ("experiments", "role", "'extra'"),
        ("experiments", "candidate", "'[[1]]'"),
        ("experiments", "candidate", "x'ff'"),
        ("experiments", "attempt", "-1"),
        ("experiments", "started_at_ms", "'soon'"),
        ("results", "score", "'{}'"),
        ("results", "score", "NULL"),
        ("results", "measured", "'not json'"),
        (
            "results",
            "measured",
            "replace(measured, '\"usage\"', '\"guess\"')",
        ),
        (
            "results",
            "measured",
            "replace(measured, '\"sorted\":\"', '\"sorted\":\"!')",
        ),
        ("results", "launch", "'{\"command\": 1}'"),
        ("results", "failure", "'{}'"),
        ("results", "foreign_result", "'[]'"),
    ];
    // PostgreSQL keeps nothing in a column that is of another type.
    let of_another_type = fresh.either("", "x'ff' 'soon'");
    for (table, column, value) in damages {
        if of_another_type.split(' ').any(|each| each == value) {
            continue;
        }
        raw(
            &fresh,
            &format!("CREATE TABLE kept AS SELECT {column} AS was FROM {table}"),
        )
        .await;
        raw(&fresh, &format!("UPDATE {table} SET {column} = {value}")).await;
        let read = database.experiment(id).await;
        assert!(
            matches!(read, Err(StoreError::Unreadable { .. })),
            "{column} = {value}: {read:?}"
        );
        raw(
            &fresh,
            &format!("UPDATE {table} SET {column} = (SELECT was FROM kept)"),
        )
        .await;
        raw(&fresh, "DROP TABLE kept").await;
        assert_eq!(database.experiment(id).await.expect("sound again"), sound);
    }
    for (column, value) in [("status", "'lost'"), ("slo", "'{'"), ("run", "-1")] {
        raw(
            &fresh,
            &format!("CREATE TABLE kept AS SELECT {column} AS was FROM tasks"),
        )
        .await;
        raw(&fresh, &format!("UPDATE tasks SET {column} = {value}")).await;
        let read = database.tasks(Page { skip: 0, limit: 1 }, None).await;
        assert!(
            matches!(read, Err(StoreError::Unreadable { .. })),
            "{column} = {value}: {read:?}"
        );
        raw(
            &fresh,
            &format!("UPDATE tasks SET {column} = (SELECT was FROM kept)"),
        )
        .await;
        raw(&fresh, "DROP TABLE kept").await;
    }
}
