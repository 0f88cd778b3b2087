use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::super::engine::{Connection, query_scalar};
use super::*;
use crate::{Act, NewTask, Role};

/// Today's schema and one more step.
fn tomorrow(sql: &'static str) -> Migrator {
    let mut migrations: Vec<Migration> = sqlite::MIGRATIONS.iter().cloned().collect();
    migrations.push(Migration::new(
        9000,
        Cow::Borrowed("tomorrow"),
        MigrationType::Simple,
        AssertSqlSafe(sql).into_sql_str(),
        false,
    ));
    Migrator {
        migrations: Cow::Owned(migrations),
        ..Migrator::DEFAULT
    }
}

fn today() -> i64 {
    let versions = sqlite::MIGRATIONS.iter().map(|migration| migration.version);
    versions.max().expect("there is one")
}

/// A closed file of today's with one task, and its folder.
async fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("autotuner.db");
    let database = Database::open(&path, 0).await.expect("new");
    let act = Act {
        actor: "local".into(),
        role: Role::Operator,
        address: None,
        at_ms: 1,
    };
    let task = NewTask {
        name: "kept".into(),
        description: None,
        base_runtime: "sim".into(),
        deployment_mode: "local".into(),
        document: serde_json::json!({}),
        slo: None,
        max_iterations: 1,
    };
    database.create_task(&act, task).await.expect("new");
    database.close().await;
    (folder, path)
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).expect("readable");
    let names = entries.map(|entry| entry.expect("an entry").file_name().display().to_string());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_older_file_is_copied_and_brought_up_to_date() {
    let (folder, path) = file().await;
    let later = tomorrow("CREATE TABLE tomorrow (id INTEGER)");
    let database = Database::open_with(&path, 77, &later).await.expect("older");
    database.task_named("kept").await.expect("still there");
    database.close().await;
    let backup = format!("autotuner.db.schema-{}.backup", today());
    assert_eq!(names(&folder), ["autotuner.db".to_owned(), backup.clone()]);
    let mode = std::fs::metadata(folder.path().join(&backup))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let copy = Database::open(&folder.path().join(&backup), 0)
        .await
        .expect("a whole file of today's");
    copy.task_named("kept").await.expect("in the copy too");
    copy.close().await;
    let again = Database::open_with(&path, 78, &later).await.expect("up to date");
    again.close().await;
    assert_eq!(names(&folder).len(), 2, "there was nothing to copy");
}

#[tokio::test]
async fn an_earlier_copy_is_never_replaced() {
    let (folder, path) = file().await;
    let first = folder
        .path()
        .join(format!("autotuner.db.schema-{}.backup", today()));
    std::fs::write(&first, "an earlier copy").expect("written");
    let later = tomorrow("CREATE TABLE tomorrow (id INTEGER)");
    Database::open_with(&path, 77, &later)
        .await
        .expect("older")
        .close()
        .await;
    assert_eq!(std::fs::read_to_string(&first).expect("there"), "an earlier copy");
    let second = folder
        .path()
        .join(format!("autotuner.db.schema-{}.77.backup", today()));
    assert!(second.exists(), "{:?}", names(&folder));
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let (folder, path) = file().await;
    let later = tomorrow("CREATE TABLE tomorrow (id INTEGER)");
    Database::open_with(&path, 1, &later)
        .await
        .expect("older")
        .close()
        .await;
    let before = std::fs::read(&path).expect("there");
    let refused = Database::open(&path, 2).await;
    let Err(OpenError::Newer { found, known, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((found, known), (9000, today()));
    assert!(
        std::fs::read(&path).expect("there") == before,
        "not a byte is another"
    );
    let backup = format!("autotuner.db.schema-{}.backup", today());
    assert_eq!(
        names(&folder),
        ["autotuner.db".to_owned(), backup],
        "nothing was left beside it"
    );
}

#[tokio::test]
async fn a_step_that_fails_leaves_what_was() {
    let (folder, path) = file().await;
    let broken = tomorrow("CREATE TABLE half (id INTEGER); INSERT INTO none VALUES (1)");
    let failed = Database::open_with(&path, 1, &broken).await;
    assert!(matches!(failed, Err(OpenError::Failed { .. })), "{failed:?}");
    let database = Database::open(&path, 2).await.expect("still today's");
    database.task_named("kept").await.expect("still there");
    let half: Vec<String> = query_scalar("SELECT name FROM sqlite_master WHERE name = 'half'")
        .fetch_all(&database.readers)
        .await
        .expect("read");
    assert_eq!(half, Vec::<String>::new());
    assert!(names(&folder).iter().any(|name| name.ends_with(".backup")));
}

/// What was applied is never edited: a file made by another text of a step is refused.
#[tokio::test]
async fn an_edited_step_is_refused() {
    let (_folder, path) = file().await;
    let first = tomorrow("CREATE TABLE a (id INTEGER)");
    Database::open_with(&path, 1, &first)
        .await
        .expect("older")
        .close()
        .await;
    let edited = Database::open_with(&path, 1, &tomorrow("CREATE TABLE b (id INTEGER)")).await;
    assert!(matches!(edited, Err(OpenError::Failed { .. })), "{edited:?}");
}

#[tokio::test]
async fn a_writer_whose_transaction_was_ended_by_a_full_disk_is_replaced() {
    let (_folder, path) = file().await;
    let database = Database::open(&path, 0).await.expect("ours");
    let begun = database.writer.begin(Purpose::Write).await;
    let mut transaction = begun.expect("nobody else writes");
    // What SQLite does by itself when a page cannot be written.
    let Connection::Sqlite(held) = &mut *transaction else {
        panic!("it is on SQLite");
    };
    let ended = sqlx::raw_sql("ROLLBACK").execute(&mut **held).await;
    ended.expect("legal");
    drop(transaction);
    for _ in 0..3 {
        let begun = database.writer.begin(Purpose::Write).await;
        begun.expect("there is room again").commit().await.expect("empty");
    }
    database.close().await;
}

/// The schema as it was at this version.
fn as_of(version: i64) -> Migrator {
    let all = sqlite::MIGRATIONS.iter().cloned();
    Migrator {
        migrations: all.filter(|step| step.version <= version).collect(),
        ..Migrator::DEFAULT
    }
}

/// An experiment that the first version measured: without a word of containers.
const OF_THE_FIRST_VERSION: &str = r#"
    INSERT INTO tasks (id, name, base_runtime, deployment_mode, max_iterations, created_at_ms, run, status,
      total_experiments, successful_experiments)
    VALUES (1, 'kept', 'vllm', 'docker', 1, 5, 1, 'failed', 1, 0);
    INSERT INTO documents (task, run, document) VALUES (1, 1, '{}');
    INSERT INTO experiments (id, task, run, number, role, attempt, status, candidate, reason, started_at_ms,
      ended_at_ms)
    VALUES (1, 1, 1, 1, 'baseline', 1, 'failed', '[]', 'because', 5, 6);
    INSERT INTO results (experiment, launch, failure) VALUES (1,
      '{"command":["vllm"],"env":[],"engine_version":null,"ready_after_ms":7,"image":null,"gpus":[]}',
      '{"kind":"engine_crashed","message":"it broke","advice":null,"log_tail":[]}');
"#;

#[tokio::test]
async fn a_file_of_the_first_version_gets_its_containers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("autotuner.db");
    let first = Database::open_with(&path, 0, &as_of(1)).await.expect("new");
    let Pool::Sqlite(writer) = &first.writer else {
        panic!("it is on SQLite");
    };
    let written = sqlx::raw_sql(OF_THE_FIRST_VERSION).execute(writer).await;
    written.expect("what that version wrote");
    first.close().await;
    let database = Database::open(&path, 77).await.expect("older");
    let kept = database.experiment(autotuner_core::ids::ExperimentId(1)).await;
    let kept = kept.expect("readable").experiment;
    let launch = kept.launch.expect("as it was");
    assert_eq!((launch.ready_after_ms, launch.container), (Some(7), None));
    let containers = database.containers_of(autotuner_core::ids::TaskId(1), None, kept.number);
    assert_eq!(containers.await.expect("known"), []);
    assert_eq!(database.check().await.expect("readable"), Vec::<String>::new());
    database.close().await;
    assert_eq!(names(&folder), ["autotuner.db", "autotuner.db.schema-1.backup"]);
    let copy = folder.path().join("autotuner.db.schema-1.backup");
    let copy = Database::open_with(&copy, 0, &as_of(1)).await.expect("as it was");
    copy.task_named("kept").await.expect("in the copy too");
    copy.close().await;
}
