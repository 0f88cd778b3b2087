//! How long reading takes where much is kept: fills a database and prints percentiles.
//!
//! `cargo run --release -p autotuner-store --example database-bench -- [FOLDER [TASKS [EXPERIMENTS_EACH]]]`
//! `cargo run --release -p autotuner-store --example database-bench -- --fill FILE UNTIL_MS [TASKS [EXPERIMENTS_EACH]]`
//!
//! The second form only makes the file, for others to measure: one task an hour, the last of them
//! ended at that time, in milliseconds since 1970, and none of them running.
//!
//! Prints one line of JSON. Fails where a query's median is above the ceiling of 100 ms, or of a second
//! where it looks for text in every configuration; the 99th percentile is told beside it, and tells as
//! much of what else the machine does. Without a folder it works in a temporary one, which takes about
//! 2.5 GB for the usual ten thousand tasks of a hundred experiments each. A folder is kept, and is not filled again.

#[path = "made/mod.rs"]
mod made;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use autotuner_core::experiment::{LaunchFacts, Measured};
use autotuner_core::failure::FailureKind;
use autotuner_core::ids::{ExperimentId, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskMove, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};
use autotuner_store::{
    Claim, Database, ExperimentQuery, ExperimentSort, NewTask, Page, Store, TaskQuery, TaskSort,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::time::Instant;

type Failure = Box<dyn std::error::Error>;

const CEILING_MS: f64 = 100.0;
const ROUNDS: u64 = 200;
/// Every row is read for these, whose ceiling is their own.
const TEXTS: [&str; 2] = ["experiments, by a rare text", "experiments, by a frequent text"];
const TEXT_CEILING_MS: f64 = 1000.0;
const DAY_MS: i64 = 86_400_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("--fill").is_some() {
        let path = PathBuf::from(arguments.next().ok_or("--fill FILE UNTIL_MS")?);
        let until_ms = arguments.next().ok_or("--fill FILE UNTIL_MS")?.parse()?;
        let (tasks, each) = amounts(arguments)?;
        return fill(&path, tasks, each, Some(until_ms)).await;
    }
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .next()
        .map_or(temporary.path().to_owned(), PathBuf::from);
    let (tasks, each) = amounts(arguments)?;
    let path = folder.join("bench.db");
    let begun = Instant::now();
    // A folder that was filled before, with the same figures, is measured as it is.
    if !path.exists() {
        fill(&path, tasks, each, None).await?;
    }
    let filled = begun.elapsed().as_secs_f64();
    let database = Database::open(&path, 0).await?;
    let measured = measure(&database, u64::try_from(tasks)?, u64::try_from(each)?).await?;
    let problems = database.check().await?;
    database.close().await;
    let megabytes = std::fs::metadata(&path)?.len() / 1_000_000;
    let figures: BTreeMap<&str, serde_json::Value> = measured
        .iter()
        .map(|(name, (p50, p99))| (*name, serde_json::json!({ "p50_ms": p50, "p99_ms": p99 })))
        .collect();
    let report = serde_json::json!({
        "tasks": tasks, "experiments": tasks * each, "megabytes": megabytes,
        "filled_in_seconds": (filled * 10.0).round() / 10.0, "queries": figures,
    });
    writeln!(std::io::stdout(), "{report}")?;
    let ceiling = |name: &str| match TEXTS.contains(&name) {
        true => TEXT_CEILING_MS,
        false => CEILING_MS,
    };
    let slow = measured.iter().filter(|(name, (p50, _))| *p50 > ceiling(name));
    let slow: Vec<&str> = slow.map(|(name, _)| *name).collect();
    if !slow.is_empty() || !problems.is_empty() {
        return Err(format!("above the ceiling: {slow:?}; unsound: {problems:?}").into());
    }
    Ok(())
}

/// How many tasks, and how many experiments of each.
fn amounts(mut arguments: impl Iterator<Item = String>) -> Result<(i64, i64), Failure> {
    let mut number = |usual: i64| arguments.next().map_or(Ok(usual), |text| text.parse());
    Ok((number(10_000)?, number(100)?))
}

/// Makes the file. Where it is to look like one that was used until some time, that is when the
/// last task ended; else the first began in 1970 and some are running.
async fn fill(path: &Path, tasks: i64, each: i64, until_ms: Option<i64>) -> Result<(), Failure> {
    let database = Database::open(path, 0).await?;
    seed(&database).await?;
    database.close().await;
    multiply(path, tasks, each, until_ms).await
}

/// Two tasks by the verbs themselves: one with results of the usual size, one with small ones.
async fn seed(database: &Database) -> Result<(), Failure> {
    for (name, levels, requests) in [("usual", 3, 100), ("small", 1, 4)] {
        let task = NewTask {
            name: name.into(),
            description: None,
            base_runtime: "vllm".into(),
            deployment_mode: "docker".into(),
            document: serde_json::json!({ "task_name": name, "filler": "x".repeat(2000) }),
            slo: Some(serde_json::json!({ "ttft": { "threshold": 0.5 } })),
            max_iterations: 100,
        };
        let id = database.create_task(&made::act(), task).await?.summary.id;
        database.start_task(&made::act(), id).await?;
        let claim = database
            .claim("bench", 0, i64::MAX)
            .await?
            .ok_or("a task to claim")?;
        experiments(database, &claim, made::result(levels, requests, -1.5)).await?;
    }
    Ok(())
}

async fn experiments(database: &Database, claim: &Claim, result: Measured) -> Result<(), Failure> {
    let store = database.run_store(claim);
    for seqs in 0..100 {
        let next = Next {
            role: Role::Search,
            candidate: Candidate::new([
                (ParameterName::new("max-num-seqs"), Value::Int(seqs)),
                (ParameterName::new("gpu-memory-utilization"), Value::Float(0.9)),
            ]),
            reason: "the next point of the grid".into(),
            attempt: 1,
        };
        let number = store.begin_experiment(claim.task, next, 0).await?;
        let facts = LaunchFacts {
            command: ["vllm", "serve", "model", "--port", "8000"]
                .map(Into::into)
                .to_vec(),
            ..LaunchFacts::default()
        };
        store.record_launch(claim.task, number, facts).await?;
        for wanted in [ExperimentMove::Deploy, ExperimentMove::Benchmark] {
            store.move_experiment(claim.task, number, wanted).await?;
        }
        store
            .finish_experiment(claim.task, number, Ok(result.clone()), 300_000)
            .await?;
    }
    store
        .end_task(claim.task, TaskMove::Complete, "all was tried", 1)
        .await?;
    Ok(())
}

/// The small task again and again, past the verbs: a million of those would take an hour. The
/// triggers count all the same.
async fn multiply(path: &Path, tasks: i64, each: i64, until_ms: Option<i64>) -> Result<(), Failure> {
    let hour_ms = DAY_MS / 24;
    let start_ms = until_ms.map_or(0, |until_ms| until_ms - (tasks + 1) * hour_ms);
    let open = if until_ms.is_some() {
        "cancelled"
    } else {
        "running"
    };
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true);
    let mut connection = options.connect().await?;
    let steps = [
        format!(
            "INSERT INTO tasks (name, base_runtime, deployment_mode, slo, max_iterations, created_at_ms, run, \
             status, total_experiments, successful_experiments, best_experiment, started_at_ms, completed_at_ms) \
             WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < {tasks}) \
             SELECT 'task ' || i, base_runtime, deployment_mode, slo, max_iterations, {start_ms} + i * {hour_ms}, 1, \
             CASE i % 1000 WHEN 0 THEN '{open}' WHEN 1 THEN 'failed' ELSE 'completed' END, \
             {each}, {each}, best_experiment, {start_ms} + i * {hour_ms}, {start_ms} + (i + 1) * {hour_ms} FROM n, tasks WHERE tasks.id = 2"
        ),
        "INSERT INTO documents SELECT t.id, 1, d.document FROM tasks t, documents d WHERE t.id > 2 AND d.task = 2"
            .to_owned(),
        format!(
            "INSERT INTO experiments (task, run, number, role, attempt, status, candidate, reason, started_at_ms, \
             ended_at_ms, objective_score) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {each}) \
             SELECT t.id, 1, n.i, e.role, 1, e.status, e.candidate, e.reason, \
             t.started_at_ms + n.i * 30000, t.started_at_ms + n.i * 30000 + 25000, e.objective_score \
             FROM tasks t, n, experiments e WHERE t.id > 2 AND e.task = 2 AND e.number = 1 ORDER BY t.id, n.i"
        ),
        "INSERT INTO results SELECT e.id, r.launch, r.score, r.measured, NULL, NULL FROM experiments e, \
         (SELECT * FROM results ORDER BY experiment DESC LIMIT 1) r WHERE e.task > 2"
            .to_owned(),
    ];
    let mut transaction = connection.begin().await?;
    for step in steps {
        sqlx::query(AssertSqlSafe(step))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Median and 99th percentile of each query, milliseconds.
async fn measure(
    database: &Database,
    tasks: u64,
    each: u64,
) -> Result<BTreeMap<&'static str, (f64, f64)>, Failure> {
    let all = tasks * each;
    let now_ms = i64::try_from(tasks)? * 3_600_000;
    let mut spent: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    macro_rules! time {
        ($name:expr, $query:expr) => {{
            let begun = Instant::now();
            $query.await?;
            let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
            spent.entry($name).or_default().push(milliseconds);
        }};
    }
    for round in 0..ROUNDS {
        // A fixed walk over everything: no two rounds ask for the same.
        let at = |size: u64| round * 7919 % ROUNDS * size / ROUNDS;
        let page = |skip: u64| Page { skip, limit: 100 };
        let task = TaskId(i64::try_from(at(tasks.saturating_sub(3)) + 3)?);
        time!("tasks, first page", database.tasks(page(0), None));
        time!("tasks, any page", database.tasks(page(at(tasks)), None));
        time!(
            "tasks, any page of one status",
            database.tasks(page(at(tasks)), Some(TaskStatus::Completed))
        );
        time!("task", database.task(task));
        time!("experiments, first page", database.experiments(page(0)));
        time!("experiments, any page", database.experiments(page(at(all))));
        time!("experiments, last page", database.experiments(page(all - 100)));
        time!(
            "experiments of a task",
            database.experiments_of(task, None, page(0))
        );
        time!(
            "experiments of a task, usual results",
            database.experiments_of(TaskId(1), None, page(0))
        );
        time!(
            "experiment",
            database.experiment(ExperimentId(i64::try_from(at(all) + 1)?))
        );
        for (name, wanted) in task_queries() {
            time!(name, database.find_tasks(page(0), &wanted));
        }
        let mut experiment_queries = experiment_queries(task);
        // They take as long as all others together.
        experiment_queries.retain(|(name, _)| round % 10 == 0 || !TEXTS.contains(name));
        for (name, wanted) in experiment_queries {
            time!(name, database.find_experiments(page(0), &wanted));
        }
        let rows: Vec<TaskId> = (task.0..task.0 + 100).map(TaskId).collect();
        time!("tasks, verdicts of a page", database.standings(&rows));
        time!("tasks, blocks of a page", database.blocks(&rows, 60));
        time!("findings of a task", database.findings(task, None));
        time!("statistics", database.statistics(now_ms));
        time!("timeline of a week", database.timeline(now_ms - 7 * DAY_MS));
        time!("writing and reading", database.ping());
    }
    Ok(spent
        .into_iter()
        .map(|(name, times)| (name, percentiles(times)))
        .collect())
}

/// Lists of tasks as people ask for them.
fn task_queries() -> Vec<(&'static str, TaskQuery)> {
    let all = || TaskQuery::all(0);
    let sorted = |sort| TaskQuery { sort, ..all() };
    let text = Some("SK 77".to_owned());
    let statuses = vec![TaskStatus::Failed, TaskStatus::Running];
    vec![
        ("tasks, by text", TaskQuery { text, ..all() }),
        ("tasks, of two statuses", TaskQuery { statuses, ..all() }),
        ("tasks, by name", sorted(TaskSort::Name)),
        ("tasks, by duration", sorted(TaskSort::Elapsed)),
    ]
}

/// Lists of experiments as people ask for them.
fn experiment_queries(task: TaskId) -> Vec<(&'static str, ExperimentQuery)> {
    let all = ExperimentQuery::all;
    let of_status = |status| ExperimentQuery {
        statuses: vec![status],
        ..all()
    };
    let of_role = |role| ExperimentQuery {
        role: Some(role),
        ..all()
    };
    let sorted = |sort| ExperimentQuery { sort, ..all() };
    let of_task = |sort| ExperimentQuery {
        task: Some(task),
        sort,
        ..all()
    };
    let by_text = |text: &str| ExperimentQuery {
        text: Some(text.into()),
        ..all()
    };
    let failure = Some(FailureKind::OutOfMemory);
    let runtime = Some("vllm".to_owned());
    vec![
        ("experiments, succeeded", of_status(ExperimentStatus::Success)),
        ("experiments, failed", of_status(ExperimentStatus::Failed)),
        ("experiments, out of memory", ExperimentQuery { failure, ..all() }),
        ("experiments, searches", of_role(Role::Search)),
        ("experiments, replicates", of_role(Role::Replicate)),
        ("experiments, of an engine", ExperimentQuery { runtime, ..all() }),
        ("experiments, longest", sorted(ExperimentSort::Elapsed)),
        ("experiments, by start", sorted(ExperimentSort::Started)),
        ("experiments, best of a task", of_task(ExperimentSort::Score)),
        (TEXTS[0], by_text("seqs=99")),
        (TEXTS[1], by_text("max-num")),
    ]
}

fn percentiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| {
        let index = (times.len() * share / 100).min(times.len() - 1);
        (times[index] * 100.0).round() / 100.0
    };
    (at(50), at(99))
}
