//! Runs that are cut off leave nothing in the cluster, and those of a server go on.

use std::collections::BTreeMap;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Act, Database, NewTask, Page, Role};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::field::{Field, cluster, long_task, sim_task};
use crate::support::{Running, wait_for};

#[test]
fn a_cancel_takes_the_job_away() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = long_task(&field.cluster, &json!({}));
    task["benchmark"]["max_time_per_iteration"] = json!(100);
    let mut running = field.sandbox.start_task(&task);
    field.wait_for_running_pod(&mut running);
    running.signal(Signal::SIGINT);
    let finished = running.wait();
    assert_eq!(finished.code, Some(130), "{}", finished.stderr);
    field.assert_nothing_left();
}

#[test]
fn what_a_killed_run_leaves_is_taken_away_by_the_next() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = long_task(&field.cluster, &json!({}));
    task["benchmark"]["max_time_per_iteration"] = json!(100);
    let mut running = field.sandbox.start_task(&task);
    field.wait_for_running_pod(&mut running);
    running.signal(Signal::SIGKILL);
    assert_eq!(running.wait().signal, Some(9));
    assert!(!field.ours("jobs").is_empty(), "the Job lives on without us");
    let finished = field.sandbox.run_task(&sim_task(&field.cluster, &json!({})));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("stopped an engine that a dead run left behind: task sim-test, experiment 1"),
        "{}",
        finished.stderr
    );
    wait_for("nothing in the cluster", || {
        field.all_ours().is_empty().then_some(())
    });
    field.sandbox.assert_nothing_left();
}

/// Does something with a server's database, beside whoever else has it open.
pub(crate) fn with_database<T>(field: &Field, act: impl AsyncFnOnce(&Database) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = field.sandbox.data_dir();
    std::fs::create_dir_all(&folder).expect("made");
    runtime.block_on(async {
        let database = Database::open(&folder.join("autotuner.db"), 0)
            .await
            .expect("the database opens");
        let done = act(&database).await;
        database.close().await;
        done
    })
}

/// Puts a task on record, and starts it.
pub(crate) fn create(field: &Field, document: &Value) -> TaskId {
    let text = |name: &str| document[name].as_str().expect("a text").to_owned();
    let task = NewTask {
        name: text("task_name"),
        description: None,
        base_runtime: text("base_runtime"),
        deployment_mode: text("deployment_mode"),
        document: document.clone(),
        slo: None,
        max_iterations: 100,
    };
    let act = Act {
        actor: "test".into(),
        role: Role::Admin,
        address: None,
        at_ms: 1,
    };
    with_database(field, async |database| {
        let id = database
            .create_task(&act, task)
            .await
            .expect("a new task")
            .summary
            .id;
        database.start_task(&act, id).await.expect("it is pending");
        id
    })
}

/// A server over them, once it listens.
pub(crate) fn serve(field: &Field) -> Running {
    let mut server = field.sandbox.start(&["serve", "--port", "0", "--no-auth"]);
    server.wait_for("the address", |running| {
        running.stderr().contains("listening on").then_some(())
    });
    server
}

#[test]
fn a_server_that_is_killed_goes_on_with_the_run_and_leaves_nothing() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let task = long_task(&field.cluster, &json!({ "max-num-seqs": [8, 16] }));
    let id = create(&field, &task);
    let mut server = serve(&field);
    field.wait_for_running_pod(&mut server);
    let orphans = field.ours("jobs");
    server.signal(Signal::SIGKILL);
    assert_eq!(server.wait().signal, Some(9));

    let mut server = serve(&field);
    wait_for("the end of what the dead server left", || {
        let left = field.ours("jobs");
        orphans.iter().all(|orphan| !left.contains(orphan)).then_some(())
    });
    server.wait_for("the task's end", |_| {
        let task = with_database(&field, async |database| {
            database.task(id).await.expect("it is there")
        });
        (task.summary.status == TaskStatus::Completed).then_some(())
    });
    server.signal(Signal::SIGTERM);
    server.wait();
    let experiments: Vec<Experiment> = with_database(&field, async |database| {
        let page = Page { skip: 0, limit: 100 };
        let rows = database
            .experiments_of(id, None, page)
            .await
            .expect("readable")
            .rows;
        rows.into_iter().map(|row| row.experiment).collect()
    });
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for experiment in &experiments {
        let end = experiment
            .failure()
            .map_or("success", |failure| failure.kind.as_str());
        *ends.entry(end.to_owned()).or_default() += 1;
    }
    assert_eq!(
        ends,
        BTreeMap::from([("success".to_owned(), 3), ("worker_lost".to_owned(), 1)])
    );
    field.assert_nothing_left();
}
