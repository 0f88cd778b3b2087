use std::path::PathBuf;

use serde_json::json;
use sqlx::{ConnectOptions, Connection as _};

use super::*;

/// The tables of a late version of the original, with what they may hold.
const LATE: &str = r#"
CREATE TABLE tasks (id INTEGER NOT NULL PRIMARY KEY, task_name VARCHAR NOT NULL, description VARCHAR,
  status VARCHAR(9), model_config JSON NOT NULL, base_runtime VARCHAR NOT NULL, runtime_image_tag VARCHAR,
  parameters JSON NOT NULL, optimization_config JSON NOT NULL, benchmark_config JSON NOT NULL,
  slo_config JSON, quant_config JSON, parallel_config JSON, deployment_mode VARCHAR, metadata JSON,
  total_experiments INTEGER, successful_experiments INTEGER, best_experiment_id INTEGER,
  created_at DATETIME, started_at DATETIME, completed_at DATETIME, elapsed_time FLOAT);
CREATE TABLE experiments (id INTEGER NOT NULL PRIMARY KEY, task_id INTEGER NOT NULL,
  experiment_id INTEGER NOT NULL, parameters JSON NOT NULL, status VARCHAR(12), error_message VARCHAR,
  metrics JSON, objective_score FLOAT, gpu_info JSON, service_name VARCHAR, service_url VARCHAR,
  created_at DATETIME, started_at DATETIME, completed_at DATETIME, elapsed_time FLOAT);
CREATE TABLE parameter_presets (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(255) NOT NULL,
  description TEXT, category VARCHAR(100), runtime VARCHAR(50), is_system BOOLEAN, parameters JSON NOT NULL,
  metadata JSON, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME);
INSERT INTO tasks VALUES (3, 'late', NULL, 'COMPLETED', '{"id_or_path": "m"}', 'vllm', 'v1', '{"tp-size": [1]}',
  '{"strategy": "grid_search"}', '{"task": "text-to-text"}', 'null', NULL, '{"tp": 2}', 'docker', '{}',
  2, 1, 12, '2025-11-12 10:00:00.500000', '2025-11-12 10:00:01', '2025-11-12 10:10:01', 600);
INSERT INTO experiments VALUES (12, 3, 2, '{"tp-size": 1}', 'SUCCESS', NULL, '{"mean": 1.5, "worst": Infinity}',
  2, NULL, NULL, NULL, '2025-11-12 10:05:00', '2025-11-12 10:05:00', '2025-11-12 10:10:00', 300.25);
INSERT INTO experiments VALUES (11, 3, 1, '{}', 'FAILED', 'it broke', NULL, NULL, NULL, NULL, NULL,
  '2025-11-12 10:00:02', NULL, NULL, NULL);
INSERT INTO parameter_presets (name, is_system, parameters) VALUES ('p', 1, '{"tp-size": [1, 2]}');
"#;

/// The tables of an early one: fewer columns, no presets.
const EARLY: &str = r#"
CREATE TABLE tasks (id INTEGER NOT NULL PRIMARY KEY, task_name VARCHAR NOT NULL, status VARCHAR(9),
  model_config JSON NOT NULL, base_runtime VARCHAR NOT NULL, parameters JSON NOT NULL,
  optimization_config JSON NOT NULL, benchmark_config JSON NOT NULL, created_at DATETIME);
INSERT INTO tasks VALUES (1, 'early', 'RUNNING', '{"name": "m"}', 'sglang', '{}', '{}', '{}', NULL);
"#;

async fn file(sql: &'static str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("original.db");
    std::fs::write(&path, "").expect("a file");
    let mut connection = sqlite::writing_to(&path).connect().await.expect("opens");
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("valid");
    connection.close().await.expect("closes");
    (folder, path)
}

#[tokio::test]
async fn a_late_file_is_read_whole() {
    let (_folder, path) = file(LATE).await;
    let before = std::fs::read(&path).expect("there");
    let LegacyContents { tasks, presets } = read(&path).await.expect("readable");
    assert_eq!(
        std::fs::read(&path).expect("there"),
        before,
        "the file is only read"
    );
    let [task] = &tasks[..] else { panic!("{tasks:?}") };
    assert_eq!((task.name.as_str(), task.status), ("late", TaskStatus::Completed));
    assert_eq!(task.slo, None, "a stored null says nothing");
    assert_eq!(task.parallel_config, Some(json!({"tp": 2})));
    assert_eq!(task.created_at_ms, Some(1_762_941_600_500));
    assert_eq!(
        (task.elapsed_seconds, task.best_experiment),
        (Some(600.0), Some(12))
    );
    let [first, second] = &task.experiments[..] else {
        panic!("{task:?}")
    };
    assert_eq!((first.number, first.status), (1, ExperimentStatus::Failed));
    assert_eq!(first.error_message.as_deref(), Some("it broke"));
    assert_eq!((second.number, second.objective_score), (2, Some(2.0)));
    assert_eq!(second.metrics, Some(json!({"mean": 1.5, "worst": null})));
    assert_eq!(second.completed_at_ms, Some(1_762_942_200_000));
    assert_eq!((presets[0].name.as_str(), presets[0].is_system), ("p", true));
    assert!(presets[0].created_at_ms.is_some() && presets[0].updated_at_ms.is_none());
}

#[tokio::test]
async fn an_early_file_lacks_columns_and_tables() {
    let (_folder, path) = file(EARLY).await;
    let contents = read(&path).await.expect("readable");
    assert_eq!(contents.tasks[0].status, TaskStatus::Running);
    assert_eq!(contents.tasks[0].deployment_mode, None);
    assert_eq!(
        (contents.tasks[0].experiments.len(), contents.presets.len()),
        (0, 0)
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    async fn check(sql: &'static str, expected: &str) {
        let (_folder, path) = file(sql).await;
        let told = read(&path).await.expect_err("unreadable").to_string();
        assert!(told.contains(expected), "{told}");
    }
    check("CREATE TABLE other (id)", "no table named tasks").await;
    check(
        "CREATE TABLE tasks (id INTEGER, task_name, base_runtime, status); \
         INSERT INTO tasks VALUES (7, 'a', 'vllm', 'SLEEPING')",
        "status of row 7 of the table tasks cannot be read: \"SLEEPING\"",
    )
    .await;
    check(
        "CREATE TABLE tasks (id INTEGER, task_name, base_runtime); INSERT INTO tasks VALUES (7, 'a', 'vllm')",
        "model_config of row 7 of the table tasks cannot be read: it is missing",
    )
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let missing = read(&folder.path().join("none.db")).await;
    assert!(matches!(missing, Err(LegacyError::Open { .. })), "{missing:?}");
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is no database at all, and long enough to be one").expect("written");
    assert!(read(&text).await.is_err());
}

#[tokio::test]
async fn tasks_are_kept_as_runs_that_have_ended() {
    let (folder, path) = file(LATE).await;
    let contents = read(&path).await.expect("readable");
    let database = crate::Database::open(&folder.path().join("ours.db"), 0).await;
    let database = database.expect("a new database");
    let act = crate::Act {
        actor: "local".into(),
        role: crate::Role::Admin,
        address: None,
        at_ms: 5,
    };
    let new = crate::NewTask {
        name: "late".into(),
        description: None,
        base_runtime: "vllm".into(),
        deployment_mode: "docker".into(),
        document: json!({}),
        slo: None,
        max_iterations: 1,
    };
    let imported = contents.tasks[0].imported(new, 5);
    let kept = database.import_task(&act, imported.clone()).await.expect("kept");
    let again = database.import_task(&act, imported.clone()).await;
    assert!(
        matches!(again, Err(crate::StoreError::NameTaken { .. })),
        "{again:?}"
    );
    assert_eq!(kept.summary.status, TaskStatus::Completed);
    assert_eq!(
        (
            kept.summary.total_experiments,
            kept.summary.successful_experiments
        ),
        (2, 1)
    );
    assert_eq!(kept.summary.created_at_ms, 1_762_941_600_500);
    let page = crate::Page { skip: 0, limit: 10 };
    let listed = database
        .experiments_of(kept.summary.id, None, page)
        .await
        .expect("known");
    let [failed, best] = &listed.rows[..] else {
        panic!("{listed:?}")
    };
    assert_eq!(kept.summary.best_experiment, Some(best.id));
    assert_eq!(best.foreign.as_ref(), Some(&imported.experiments[1].foreign));
    assert_eq!(best.experiment.result, None);
    assert_eq!(best.experiment.candidate.to_string(), "tp-size=1");
    let foreign = failed.foreign.as_ref().expect("foreign");
    assert_eq!(foreign.error_message.as_deref(), Some("it broke"));
    let mut running = imported;
    running.task.name = "other".into();
    running.status = TaskStatus::Running;
    let refused = database.import_task(&act, running).await;
    assert!(
        matches!(refused, Err(crate::StoreError::Illegal(_))),
        "{refused:?}"
    );
    let again = database
        .restart_task(&act, kept.summary.id, None)
        .await
        .expect("ended");
    assert_eq!((again.summary.run, again.summary.total_experiments), (2, 0));
}
