//! Start, cancel, restart, clear, delete.

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskMove;
use autotuner_store::{Database, Role};
use axum::http::Method;
use serde_json::{Value, json};

use super::support::{document, of, task};
use crate::api::testing::TestService;
use crate::service::access::Settings;
use crate::service::testing::{self, START_MS};

#[tokio::test]
async fn a_task_goes_its_way() {
    let test = TestService::start().await;
    let id = test.made("way").await;
    let started = test.act(&of(id, "/start")).await.is(200).json();
    assert_eq!(started["status"], "running");
    assert_eq!(started["started_at"], "2023-11-14T22:13:20.000Z");
    // Nobody has it, so it ends at once.
    let cancelled = test.act(&of(id, "/cancel")).await.is(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    let again = test.act(&of(id, "/restart")).await.is(200).json();
    assert_eq!(
        (&again["status"], &again["started_at"]),
        (&json!("pending"), &Value::Null)
    );
    test.act(&of(id, "/start")).await.is(200);
    let claim = test.taken().await;
    let asked = test.act(&of(id, "/cancel")).await.is(200).json();
    assert_eq!(
        (&asked["status"], &asked["is_cancel_requested"]),
        (&json!("running"), &json!(true))
    );
    test.ended(&claim, TaskMove::Cancel).await;
    assert_eq!(test.get(&of(id, "")).await.json()["status"], "cancelled");
    test.call(Role::Operator, Method::DELETE, &of(id, ""), None)
        .await
        .is(204);
    test.get(&of(id, "")).await.is(404);
}

#[tokio::test]
async fn whoever_has_something_to_do_is_rung_for() {
    let test = TestService::start().await;
    let id = test.made("bell").await;
    for action in ["/start", "/cancel", "/restart"] {
        test.act(&of(id, action)).await.is(200);
        let rung = tokio::time::timeout(std::time::Duration::from_secs(10), test.service.bell.notified());
        rung.await.expect(action);
    }
}

#[tokio::test]
async fn a_finished_task_is_told_with_its_verdict() {
    let test = TestService::start().await;
    let id = test.made("finished").await;
    test.ran(id).await;
    insta::assert_json_snapshot!("task_completed", test.get(&of(id, "")).await.is(200).json());
    insta::assert_json_snapshot!("task_rows", test.get("/api/tasks").await.is(200).json());
    insta::assert_json_snapshot!("runs", test.get(&of(id, "/runs")).await.is(200).json());
}

#[tokio::test]
async fn a_restart_can_change_the_task() {
    let test = TestService::start().await;
    let id = test.made("changed").await;
    test.ran(id).await;
    let body = json!({"parameters": {"max-num-seqs": [32]}, "optimization_config": {"seed": 3}});
    let again = test.post(&of(id, "/restart"), body).await.is(200).json();
    assert_eq!(again["parameters"], json!({"max-num-seqs": [32]}));
    assert_eq!(again["optimization"]["seed"], 3);
    assert_eq!((&again["run"], &again["status"]), (&json!(2), &json!("pending")));
    assert_eq!(again["description"], "for tests");
    for field in [
        "started_at",
        "completed_at",
        "elapsed_time",
        "best_experiment_id",
        "verdict",
    ] {
        assert_eq!(again[field], Value::Null, "{field}");
    }
    let runs = test.get(&of(id, "/runs")).await.json();
    assert_eq!(
        runs[1]["document"]["parameters"],
        json!({"max-num-seqs": [4, 8, 16]})
    );
    test.act(&of(id, "/start")).await.is(200);
    test.act(&of(id, "/cancel")).await.is(200);
    let whole = test
        .post(&of(id, "/restart"), document("renamed"))
        .await
        .is(200)
        .json();
    assert_eq!(whole["task_name"], "renamed");
    test.act(&of(id, "/start")).await.is(200);
    test.act(&of(id, "/cancel")).await.is(200);
    let wrong = test
        .post(&of(id, "/restart"), json!({"colour": "red"}))
        .await
        .is(422)
        .json();
    assert_eq!(wrong["problems"][0]["path"], "colour");
    test.post(&of(id, "/restart"), json!({})).await.is(200);
}

#[tokio::test]
async fn clearing_empties_experiments_and_logs() {
    let test = TestService::start().await;
    let id = test.made("cleared").await;
    test.ran(id).await;
    let log = test.service.logs.task(task(id));
    std::fs::create_dir_all(log.parent().expect("a folder")).expect("made");
    std::fs::write(&log, "what happened").expect("written");
    let cleared = test.act(&of(id, "/clear")).await.is(200).json();
    assert_eq!(cleared["status"], "pending");
    assert_eq!(cleared["total_experiments"], 0);
    assert_eq!(std::fs::read_to_string(&log).expect("kept"), "");
    test.call(Role::Operator, Method::DELETE, &of(id, ""), None)
        .await
        .is(204);
    assert!(!log.exists());
}

#[tokio::test]
async fn what_cannot_be_run_says_so_when_it_is_started() {
    let test = TestService::start().await;
    let mut cluster = document("cluster");
    cluster["storage"] = json!({"type": "pvc", "pvc_name": "models"});
    let id = test.made_of(cluster).await;
    let refused = test.act(&of(id, "/start")).await.is(422).json();
    assert_eq!(refused["problems"][0]["path"], "storage");
    assert_eq!(test.get(&of(id, "")).await.json()["status"], "pending");
}

#[tokio::test]
async fn a_cancel_that_cannot_be_written_reaches_the_worker_all_the_same() {
    let mut inner = testing::TestService::new(Settings::default()).await;
    let running = TaskId(inner.something_to_lose().await.0);
    let act = inner.act();
    let database = inner.service.database.clone();
    database.start_task(&act, running).await.expect("pending");
    let claim = database.claim("worker", START_MS, 60_000).await;
    claim.expect("an answer").expect("a task to run");
    // A database that is only looked at refuses to be written, as one on a full disk does.
    let looked_at = Database::look_at(&inner.folder().join("autotuner.db")).await;
    let service = std::sync::Arc::get_mut(&mut inner.service).expect("nobody else has it yet");
    service.database = looked_at.expect("today's");
    let test = TestService::over(inner);
    let told = test.act(&of(running.0, "/cancel")).await.is(503).json();
    assert_eq!(told["code"], "cannot_write");
    assert_eq!(
        told["detail"],
        "Task 1 is being stopped, but the database cannot be written to say so"
    );
    assert!(test.service.wishes.is_cancelled(running, 1));
    let rung = tokio::time::timeout(std::time::Duration::ZERO, test.service.bell.notified());
    rung.await.expect("it was rung");
    // Nothing is wished of what does not run, or of another task.
    let told = test.act(&of(running.0, "/start")).await.is(503).json();
    let detail = told["detail"].as_str().expect("a text");
    assert!(detail.starts_with("the database cannot be written"), "{detail}");
    test.act(&of(9, "/cancel")).await.is(503);
    assert!(!test.service.wishes.is_cancelled(TaskId(9), 1));
}
