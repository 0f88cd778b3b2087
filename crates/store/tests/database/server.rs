//! The server: what is refused, what never waits for ever, what is told and what never is.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use autotuner_core::experiment::LaunchFacts;
use autotuner_core::failure::FailureKind;
use autotuner_core::lifecycle::ExperimentMove;
use autotuner_store::{Database, ExperimentQuery, OpenError, Page, Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{Fresh, Schema, act, broken, fresh_on_postgres, next, on_file, server, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

/// Sooner than any deadline passes.
const SOON: Duration = Duration::from_secs(8);

/// See the macro of the same name, which asks the module above.
macro_rules! fresh_here {
    () => {
        match fresh_on_postgres().await {
            Some(fresh) => fresh,
            None => return,
        }
    };
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn told(error: &dyn std::error::Error) -> String {
    let mut told = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        told += &format!(" {error} {error:?}");
        cause = error.source();
    }
    told
}

async fn refusal(url: &str) -> OpenError {
    let refused = timeout(Duration::from_secs(15), Database::connect(url)).await;
    refused.expect("in time").map(drop).expect_err("it cannot be")
}

#[tokio::test]
async fn a_password_is_never_told() {
    let Some(server) = server() else { return };
    let (before, after) = server.split_once('@').expect("a host");
    let scheme_and_user = before.rsplit_once(':').map_or(before, |(user, _)| user);
    let wrong = [
        format!("{scheme_and_user}:Geheimnis@{after}"),
        "postgres://me:Geheimnis@127.0.0.1:1/none".into(),
        "postgres://me:Geheimnis@127.0.0.1:port/none".into(),
        "postgres://me:Geheimnis@127.0.0.1:1/none?sslmode=Geheimnis".into(),
        "mysql://me:Geheimnis@127.0.0.1/none".into(),
        "Geheimnis".into(),
        String::new(),
    ];
    for url in wrong {
        let refused = refusal(&url).await;
        assert!(matches!(refused, OpenError::Failed { .. }), "{url}: {refused:?}");
        assert!(!told(&refused).contains("Geheimnis"), "{url}: {}", told(&refused));
    }
    let fresh = fresh_here!();
    let password = before.rsplit_once(':').map(|(_, password)| password);
    let shown = format!("{:?}", fresh.database);
    assert!(
        password.is_none_or(|password| !shown.contains(password)),
        "{shown}"
    );
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused_and_left() {
    let fresh = fresh_here!();
    let url = &fresh.schema().url;
    let looking = Database::look_at_server(url).await.expect("today's");
    fresh.database.create_task(&act(0), task("a")).await.expect("new");
    assert_eq!(looking.tasks(ALL, None).await.expect("listed").total, 1);
    let written = looking.create_task(&act(0), task("b")).await;
    assert!(
        matches!(written, Err(StoreError::CannotWrite { .. })),
        "{written:?}"
    );
    let to = fresh.folder.path().join("copy.db");
    let copied = looking.back_up(&to).await;
    assert!(matches!(copied, Err(StoreError::NoFile)), "{copied:?}");
    assert!(!to.exists());
    let version = "UPDATE _sqlx_migrations SET version = version + 1000";
    fresh.schema().raw(version).await;
    for refused in [Database::connect(url).await, Database::look_at_server(url).await] {
        let Err(OpenError::Newer { path, found, known }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(found, known + 1000);
        assert!(path.starts_with("postgres://"), "{path}");
    }
    fresh
        .schema()
        .raw("UPDATE _sqlx_migrations SET version = version - 2000")
        .await;
    let older = Database::look_at_server(url).await;
    assert!(matches!(older, Err(OpenError::Failed { .. })), "{older:?}");
}

#[tokio::test]
async fn what_is_not_ours_is_refused_with_a_way_out_and_left() {
    let Some(schema) = Schema::new().await else { return };
    schema.raw("CREATE TABLE theirs (id INTEGER)").await;
    let refused = refusal(&schema.url).await;
    let source = refused.source().expect("a reason").to_string();
    assert!(source.contains("tables of another program"), "{source}");
    assert!(source.contains("CREATE SCHEMA"), "{source}");
    schema.raw("SELECT id FROM theirs").await;
    let mut connection = schema.connection().await;
    let tables = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()");
    assert_eq!(tables.fetch_one(&mut connection).await.ok(), Some(1_i64));
    let empty = Schema::new().await.expect("there is a server");
    let refused = Database::look_at_server(&empty.url).await;
    assert!(matches!(refused, Err(OpenError::Failed { .. })), "{refused:?}");
    let nowhere = refusal(&format!("{}x", empty.url)).await;
    assert!(
        matches!(nowhere, OpenError::Failed { .. }),
        "no such schema: {nowhere:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_start_at_once_each_finds_it_ready() {
    let Some(schema) = Schema::new().await else { return };
    let mut starting = tokio::task::JoinSet::new();
    for index in 0..8 {
        let url = schema.url.clone();
        starting.spawn(async move {
            let database = Database::connect(&url).await.expect("opens");
            let made = database.create_task(&act(0), task(&format!("{index}"))).await;
            made.expect("new");
            database
        });
    }
    let databases = starting.join_all().await;
    assert_eq!(databases[0].tasks(ALL, None).await.expect("listed").total, 8);
}

#[tokio::test]
async fn a_connection_that_was_lost_is_made_anew() {
    let fresh = fresh_here!();
    let claim = fresh.claimed("cut off").await;
    let number = fresh.benchmarking(&claim, 1).await;
    for _ in 0..3 {
        fresh.schema().cut_off().await;
        let known = timeout(SOON, fresh.database.task(claim.task))
            .await
            .expect("in time");
        known.expect("the next one reads");
        fresh.schema().cut_off().await;
        let renewed = timeout(SOON, fresh.database.renew(&claim, 1, 1000)).await;
        renewed.expect("in time").expect("the next one writes");
    }
    let store = fresh.database.run_store(&claim);
    store
        .finish_experiment(claim.task, number, Err(broken()), 90)
        .await
        .expect("legal");
    assert_eq!(fresh.database.verify_audit().await.expect("readable"), None);
}

/// A server that ends a statement in the middle has undone the rest.
#[tokio::test]
async fn what_is_cut_off_in_the_middle_is_told_and_undone() {
    let fresh = fresh_here!();
    let claim = fresh.claimed("in the middle").await;
    let mut other = fresh.schema().connection().await;
    execute(&mut other, "BEGIN; SELECT 1 FROM tasks FOR UPDATE").await;
    let store = fresh.database.run_store(&claim);
    let began = tokio::spawn(async move { store.begin_experiment(claim.task, next(1), 10).await });
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'",
        fresh.schema().name
    );
    let waiting = async {
        while sqlx::query_scalar(AssertSqlSafe(waits.as_str()))
            .fetch_one(&mut other)
            .await
            .ok()
            != Some(1_i64)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, waiting).await.expect("it waits for the row");
    fresh.schema().cut_off().await;
    let cut = timeout(SOON, began).await.expect("in time").expect("no panic");
    assert!(matches!(cut, Err(StoreError::CannotWrite { .. })), "{cut:?}");
    execute(&mut other, "ROLLBACK").await;
    assert_eq!(fresh.database.experiments(ALL).await.expect("listed").total, 0);
    let mut worker = fresh.database.claim("next", 2000, 1000).await.expect("claims");
    let worker = worker.take().expect("it is free again");
    let store = fresh.database.run_store(&worker);
    let number = store
        .begin_experiment(worker.task, next(1), 10)
        .await
        .expect("held");
    assert_eq!(number.0, 1);
}

#[tokio::test]
async fn a_row_that_somebody_keeps_is_told_as_busy() {
    let fresh = fresh_here!();
    let claim = fresh.claimed("kept").await;
    let mut other = fresh.schema().connection().await;
    execute(&mut other, "BEGIN; SELECT 1 FROM tasks FOR UPDATE").await;
    let began = tokio::time::Instant::now();
    let renewed = fresh.database.renew(&claim, 1, 1000).await;
    assert!(matches!(renewed, Err(StoreError::Busy { .. })), "{renewed:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    execute(&mut other, "ROLLBACK").await;
    fresh.database.renew(&claim, 1, 1000).await.expect("held still");
}

/// Takes the turn of those who change things on behalf of people, as a transaction of theirs does.
async fn with_the_turn(fresh: &Fresh) -> PgConnection {
    let mut other = fresh.schema().connection().await;
    let take = "BEGIN; SELECT pg_advisory_xact_lock(1635087471, hashtext(current_schema()))";
    execute(&mut other, take).await;
    other
}

#[tokio::test]
async fn workers_and_readers_do_not_wait_for_people() {
    let fresh = fresh_here!();
    fresh.started("to run", 0).await;
    let mut other = with_the_turn(&fresh).await;
    let database = &fresh.database;
    let mut noting = tokio::task::JoinSet::new();
    for index in 0..10 {
        let database = database.clone();
        noting.spawn(async move { database.note(&act(index), "log.clear", "task 1", None).await });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let working = async {
        let claim = database.claim("worker", 0, 1000).await.expect("claims");
        let claim = claim.expect("a task to run");
        database.renew(&claim, 1, 1000).await.expect("held");
        let store = database.run_store(&claim);
        let number = store
            .begin_experiment(claim.task, next(1), 10)
            .await
            .expect("held");
        let moved = store
            .move_experiment(claim.task, number, ExperimentMove::Deploy)
            .await;
        moved.expect("legal");
        let facts = LaunchFacts::default();
        store
            .record_launch(claim.task, number, facts)
            .await
            .expect("held");
        store.record_stop(claim.task, number, 11).await.expect("held");
        let finished = store
            .finish_experiment(claim.task, number, Err(broken()), 12)
            .await;
        finished.expect("legal");
        database.release(&claim).await.expect("held");
        database.tasks(ALL, None).await.expect("listed");
        database.statistics(20).await.expect("counted");
    };
    timeout(SOON, working).await.expect("nothing waits");
    assert!(noting.try_join_next().is_none(), "people wait for people");
    execute(&mut other, "COMMIT").await;
    for noted in noting.join_all().await {
        noted.expect("its turn has come");
    }
    assert_eq!(database.verify_audit().await.expect("readable"), None);
}

#[tokio::test]
async fn a_task_that_somebody_writes_to_is_passed_over_and_claimed_later() {
    let fresh = fresh_here!();
    let first = fresh.started("first", 1).await;
    let second = fresh.started("second", 2).await;
    let mut other = fresh.schema().connection().await;
    execute(
        &mut other,
        "BEGIN; SELECT 1 FROM tasks WHERE name = 'first' FOR UPDATE",
    )
    .await;
    let claim = async || {
        let claim = timeout(SOON, fresh.database.claim("worker", 3, 1000))
            .await
            .expect("nothing waits");
        claim.expect("claims").map(|claim| claim.task)
    };
    assert_eq!(claim().await, Some(second));
    assert_eq!(claim().await, None);
    execute(&mut other, "COMMIT").await;
    assert_eq!(claim().await, Some(first));
}

#[tokio::test]
async fn readers_do_not_wait_for_who_writes_and_see_one_moment() {
    let fresh = fresh_here!();
    let claim = fresh.claimed("read").await;
    let mut other = fresh.schema().connection().await;
    execute(
        &mut other,
        "BEGIN; UPDATE tasks SET name = 'other'; UPDATE tally_parts SET amount = 9",
    )
    .await;
    let reading = async {
        let known = fresh.database.task(claim.task).await.expect("readable");
        assert_eq!(known.summary.name, "read", "what is not committed is not seen");
        fresh.database.tasks(ALL, None).await.expect("readable");
        fresh.database.experiments(ALL).await.expect("readable");
        fresh.database.statistics(0).await.expect("readable");
    };
    timeout(SOON, reading).await.expect("nothing waits");
}

#[tokio::test]
async fn counts_that_are_wrong_are_told() {
    let fresh = fresh_here!();
    let claim = fresh.claimed("counted").await;
    fresh.benchmarking(&claim, 1).await;
    assert_eq!(
        fresh.database.check().await.expect("readable"),
        Vec::<String>::new()
    );
    let wrong = "UPDATE tally_parts SET amount = 5 WHERE name = 'task.running' AND part = 0; DELETE FROM experiment_blocks";
    fresh.schema().raw(wrong).await;
    let told = fresh.database.check().await.expect("readable");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("task.running"), "{told:?}");
}

#[tokio::test]
async fn it_can_be_written_until_it_cannot() {
    let fresh = fresh_here!();
    fresh.database.ping().await.expect("it can be written");
    fresh.database.close().await;
    fresh.database.ping().await.expect_err("it is closed");
}

/// What SQLite keeps and PostgreSQL cannot.
#[tokio::test]
async fn a_character_that_it_cannot_keep_has_another_in_its_place() {
    let fresh = fresh_here!();
    let mut wanted = task("nul");
    wanted.description = Some("a\0b".into());
    let made = fresh.database.create_task(&act(0), wanted).await.expect("new");
    assert_eq!(made.summary.description.as_deref(), Some("a\u{fffd}b"));
    let noted = fresh.database.note(&act(0), "log.clear", "a\0b", None).await;
    noted.expect("written");
    assert_eq!(fresh.database.verify_audit().await.expect("readable"), None);
}

/// A way to the server that can be shut.
struct Gate {
    port: u16,
    is_open: Arc<AtomicBool>,
    passing: tokio::task::JoinHandle<()>,
}

impl Gate {
    async fn new(to: String, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let is_open = Arc::new(AtomicBool::new(true));
        let passes = Arc::clone(&is_open);
        let passing = tokio::spawn(async move {
            let mut through = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                if passes.load(Ordering::Relaxed) {
                    let to = to.clone();
                    through.spawn(async move {
                        let mut far = TcpStream::connect(&to).await.expect("the server answers");
                        // Either end may go first.
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    });
                } else {
                    through.spawn(async move {
                        let _kept = near;
                        std::future::pending::<()>().await;
                    });
                }
            }
        });
        Self {
            port,
            is_open,
            passing,
        }
    }
}

/// The URL by way of another port, and where it led.
fn through(url: &str, port: u16) -> (String, String) {
    let (before, after) = url.split_once('@').expect("a user");
    let (host, after) = after.split_once('/').expect("a database");
    (format!("{before}@127.0.0.1:{port}/{after}"), host.to_owned())
}

#[tokio::test]
async fn a_server_that_goes_is_told_and_found_again() {
    let fresh = fresh_here!();
    let claim = fresh.claimed("left alone").await;
    let gate = Gate::new(through(&fresh.schema().url, 0).1, 0).await;
    let (url, host) = through(&fresh.schema().url, gate.port);
    let database = Database::connect(&url).await.expect("opens");
    database.renew(&claim, 1, 1000).await.expect("held");
    let port = gate.port;
    gate.passing.abort();
    let _ = gate.passing.await;
    let renewed = timeout(Duration::from_secs(15), database.renew(&claim, 1, 1000)).await;
    let renewed = renewed.expect("in time");
    assert!(
        matches!(renewed, Err(StoreError::CannotWrite { .. })),
        "{renewed:?}"
    );
    let gate = Gate::new(host, port).await;
    database.renew(&claim, 2, 1000).await.expect("held still");
    database.task(claim.task).await.expect("known");
    gate.passing.abort();
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let Some(server) = server() else { return };
    let gate = Gate::new(through(&server, 0).1, 0).await;
    gate.is_open.store(false, Ordering::Relaxed);
    let refused = refusal(&through(&server, gate.port).0).await;
    assert!(told(&refused).contains("does not answer"), "{}", told(&refused));
}

#[tokio::test]
async fn whether_it_is_encrypted_is_as_the_url_says() {
    let fresh = fresh_here!();
    let mut other = fresh.schema().connection().await;
    let can = sqlx::query_scalar("SELECT current_setting('ssl') = 'on'")
        .fetch_one(&mut other)
        .await;
    let can: bool = can.expect("a setting");
    for (mode, expected) in [
        ("disable", Some(false)),
        ("require", can.then_some(true)),
        ("verify-full", None),
    ] {
        let url = format!("{}&sslmode={mode}", fresh.schema().url);
        let opened = Database::connect(&url).await;
        assert_eq!(opened.is_ok(), expected.is_some(), "{mode}: {opened:?}");
        let Ok(database) = opened else { continue };
        database.ping().await.expect("it can be written");
        let encrypted = format!(
            "SELECT bool_or(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid \
             WHERE a.application_name = '{}' AND a.query LIKE '%COMMIT%' AND s.ssl = {}",
            fresh.schema().name,
            mode == "require"
        );
        let encrypted = sqlx::query_scalar(AssertSqlSafe(encrypted))
            .fetch_one(&mut other)
            .await;
        let encrypted: Option<bool> = encrypted.expect("listed");
        assert_eq!(encrypted, expected, "{mode}");
        database.close().await;
    }
}

/// Table, column, whether it must have a value; and the names of the indexes.
type Shape = (Vec<(String, String, bool)>, Vec<String>);

#[tokio::test]
async fn both_engines_have_the_same_tables_but_for_what_several_machines_need() {
    let fresh = fresh_here!();
    let file = on_file().await;
    let mut ours = fresh.schema().connection().await;
    let columns = sqlx::query_as(
        "SELECT table_name::text, column_name::text, is_nullable = 'NO' FROM information_schema.columns \
         WHERE table_schema = current_schema() \
         AND table_name NOT IN ('_sqlx_migrations', 'log_pieces', 'workers', 'tallies', 'tally_parts')",
    );
    let indexes = sqlx::query_scalar(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema() \
         AND indexname NOT LIKE '%key' AND indexname NOT LIKE '%pkey' AND tablename NOT IN ('log_pieces', 'workers') \
         AND indexname <> 'tasks_by_turn'",
    );
    let here: Shape = (
        columns.fetch_all(&mut ours).await.expect("listed"),
        indexes.fetch_all(&mut ours).await.expect("listed"),
    );
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file.path);
    let mut theirs = options.connect().await.expect("opens");
    let columns = sqlx::query_as(
        "SELECT m.name, c.name, c.\"notnull\" OR c.pk > 0 FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' \
         AND m.name NOT IN ('_sqlx_migrations', 'tallies')",
    );
    let indexes =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'");
    let there: Shape = (
        columns.fetch_all(&mut theirs).await.expect("listed"),
        indexes.fetch_all(&mut theirs).await.expect("listed"),
    );
    let sorted = |(mut columns, mut indexes): Shape| {
        columns.sort();
        indexes.sort();
        (columns, indexes)
    };
    assert_eq!(sorted(here), sorted(there));
}

/// An experiment that the first version measured: without a word of containers, or of its kind of
/// failure.
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
async fn a_schema_of_the_first_version_is_brought_up_to_date() {
    let Some(schema) = Schema::new().await else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let mut steps = Migrator::new(std::path::Path::new(folder))
        .await
        .expect("readable");
    steps.migrations.to_mut().truncate(1);
    let mut connection = schema.connection().await;
    steps
        .run_direct(None, &mut connection, false)
        .await
        .expect("the first step");
    execute(&mut connection, OF_THE_FIRST_VERSION).await;
    let older = Database::look_at_server(&schema.url).await;
    assert!(matches!(older, Err(OpenError::Failed { .. })), "{older:?}");
    let database = Database::connect(&schema.url).await.expect("older");
    let of_a_kind = ExperimentQuery {
        failure: Some(FailureKind::EngineCrashed),
        ..ExperimentQuery::all()
    };
    let found = database.find_experiments(ALL, &of_a_kind).await.expect("listed");
    assert_eq!(found.total, 1);
    let launch = found.rows[0].experiment.launch.clone().expect("as it was");
    assert_eq!((launch.ready_after_ms, launch.container), (Some(7), None));
    assert_eq!(database.check().await.expect("readable"), Vec::<String>::new());
}
