//! A fresh database for each test, on either engine, and builders for what is put into it.

mod schema;

pub(crate) use schema::{Schema, server};

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use autotuner_core::experiment::Measured;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, TaskMove, TaskStatus};
use autotuner_core::measure::TokenSource;
use autotuner_core::metrics::{Counts, Distribution, LevelMetrics, Rates, experiment_metrics};
use autotuner_core::plan::Next;
use autotuner_core::score::{Objective, Score, ScoreParts};
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};
use autotuner_store::conformance::Fixture;
use autotuner_store::{Act, Claim, Database, NewTask, Store};
use serde_json::json;
use sqlx::{ConnectOptions, Connection};

/// A database that goes when the test ends.
pub(crate) struct Fresh {
    pub(crate) database: Database,
    /// The file, on SQLite.
    pub(crate) path: PathBuf,
    pub(crate) folder: tempfile::TempDir,
    schema: Option<Schema>,
}

/// A database that nobody has written to, in a file.
pub(crate) async fn on_file() -> Fresh {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data").join("autotuner.db");
    let database = Database::open(&path, 0).await.expect("a new database opens");
    Fresh {
        database,
        path,
        folder,
        schema: None,
    }
}

/// The same, as tests of both engines ask for it.
pub(crate) async fn fresh_on_sqlite() -> Option<Fresh> {
    Some(on_file().await)
}

/// A database that nobody has written to, on the server for tests, where there is one.
pub(crate) async fn fresh_on_postgres() -> Option<Fresh> {
    let schema = Schema::new().await?;
    let database = Database::connect(&schema.url).await;
    let folder = tempfile::tempdir().expect("a folder");
    Some(Fresh {
        database: database.expect("a new database opens"),
        path: folder.path().join("none"),
        folder,
        schema: Some(schema),
    })
}

impl Fresh {
    /// The same database, as another process has it.
    pub(crate) async fn again(&self) -> Database {
        let again = match &self.schema {
            None => Database::open(&self.path, 0).await,
            Some(schema) => Database::connect(&schema.url).await,
        };
        again.expect("opens")
    }

    /// What the engine of this database speaks.
    pub(crate) fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match &self.schema {
            None => sqlite,
            Some(_) => postgres,
        }
    }

    /// Where it is on the server.
    pub(crate) fn schema(&self) -> &Schema {
        self.schema.as_ref().expect("it is on a server")
    }
}

#[async_trait]
impl Fixture for Fresh {
    async fn running(&self, name: &str) -> (Arc<dyn Store>, TaskId) {
        let claim = self.claimed(name).await;
        (Arc::new(self.database.run_store(&claim)), claim.task)
    }
}

/// Somebody, at this time.
pub(crate) fn act(at_ms: i64) -> Act {
    Act {
        actor: "local".into(),
        role: autotuner_store::Role::Operator,
        address: None,
        at_ms,
    }
}

/// A task to be kept.
pub(crate) fn task(name: &str) -> NewTask {
    NewTask {
        name: name.into(),
        description: Some("for a test".into()),
        base_runtime: "sim".into(),
        deployment_mode: "local".into(),
        document: json!({ "task_name": name, "z": 1, "a": { "b": 0.1 } }),
        slo: Some(json!({ "ttft": { "threshold": 0.5 } })),
        max_iterations: 7,
    }
}

/// An experiment to begin.
pub(crate) fn next(seqs: i64) -> Next {
    Next {
        role: Role::Search,
        candidate: Candidate::new([(ParameterName::new("max-num-seqs"), Value::Int(seqs))]),
        reason: "because".into(),
        attempt: 1,
    }
}

/// A failure of the candidate's own.
pub(crate) fn broken() -> Failure {
    Failure::new(FailureKind::EngineCrashed, "it broke")
}

/// A result of this value; larger is better.
pub(crate) fn measured(value: f64) -> Measured {
    let of = |values: [f64; 3]| Distribution::of(values.to_vec(), 0);
    let level = LevelMetrics {
        scenario: "D(8,8)".into(),
        concurrency: 1,
        window: 1.0,
        counts: Counts::default(),
        ttft: of([0.1, 0.2, 0.3]),
        tpot: None,
        latency: of([0.5, 0.6, 0.7]),
        stall: None,
        gaps: None,
        input_tokens: of([8.0; 3]),
        output_tokens: of([8.0; 3]),
        token_source: Some(TokenSource::Usage),
        rates: Rates::default(),
        ..LevelMetrics::default()
    };
    Measured {
        metrics: experiment_metrics(vec![level], None, 0),
        score: Score::from_parts(ScoreParts {
            feasible: true,
            value,
            objective: Objective::MinimizeLatency,
            objective_value: -value,
            penalty: 0.0,
            violations: Vec::new(),
            low_n: true,
        }),
        remarks: Vec::new(),
        gpu_use: Vec::new(),
        fingerprints: Vec::new(),
    }
}

/// Where the task of this name is.
pub(crate) async fn status_of(database: &Database, name: &str) -> TaskStatus {
    database.task_named(name).await.expect("known").summary.status
}

/// Does to the database what no verb does: another hand.
pub(crate) async fn raw(fresh: &Fresh, sql: &str) {
    match &fresh.schema {
        None => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&fresh.path);
            let mut connection = options.connect().await.expect("opens");
            let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&mut connection)
                .await;
            done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            connection.close().await.expect("closes");
        }
        Some(schema) => schema.raw(sql).await,
    }
}

impl Fresh {
    /// A task in this status.
    pub(crate) async fn in_status(&self, name: &str, status: TaskStatus) -> TaskId {
        let wanted = match status {
            TaskStatus::Pending => {
                let made = self.database.create_task(&act(0), task(name)).await;
                return made.expect("new").summary.id;
            }
            TaskStatus::Running => return self.started(name, 0).await,
            TaskStatus::Completed => TaskMove::Complete,
            TaskStatus::Failed => TaskMove::Fail,
            TaskStatus::Cancelled => TaskMove::Cancel,
        };
        // The oldest start is claimed first.
        let id = self.started(name, -1).await;
        let claim = self.database.claim("worker", 0, 1000).await.expect("claims");
        let claim = claim.expect("a task to claim");
        assert_eq!(claim.task, id, "the one that was just started");
        let store = self.database.run_store(&claim);
        store.end_task(id, wanted, "for a test", 1).await.expect("held");
        id
    }

    /// A task that was started at this time.
    pub(crate) async fn started(&self, name: &str, at_ms: i64) -> TaskId {
        let made = self
            .database
            .create_task(&act(at_ms), task(name))
            .await
            .expect("new");
        let id = made.summary.id;
        self.database.start_task(&act(at_ms), id).await.expect("pending");
        id
    }

    /// A task that a worker has, from time 0 for a thousand milliseconds.
    pub(crate) async fn claimed(&self, name: &str) -> Claim {
        let id = self.started(name, 0).await;
        let claim = self.database.claim("worker", 0, 1000).await.expect("claims");
        let claim = claim.expect("a task to claim");
        assert_eq!(claim.task, id, "one task was there to claim");
        claim
    }

    /// An experiment that is under load.
    pub(crate) async fn benchmarking(&self, claim: &Claim, seqs: i64) -> ExperimentNumber {
        let store = self.database.run_store(claim);
        let number = store
            .begin_experiment(claim.task, next(seqs), 10)
            .await
            .expect("begins");
        for wanted in [ExperimentMove::Deploy, ExperimentMove::Benchmark] {
            store
                .move_experiment(claim.task, number, wanted)
                .await
                .expect("legal");
        }
        number
    }
}
