//! Logs as text and as files.

use autotuner_store::{Page, Role};
use axum::http::Method;

use super::support::Fresh;

#[tokio::test]
async fn a_log_is_text() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let check = async |path: &str, expected: &str| {
        let answer = fresh.get(&format!("/api/tasks/{task}{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json(), serde_json::json!({ "logs": expected }), "{path}");
    };
    check("/logs", "No logs available yet.").await;
    std::fs::write(fresh.service.logs.task(task), b"one\ntwo \xff\r\nthree\n").expect("written");
    check("/logs", "one\ntwo \u{fffd}\r\nthree\n").await;
    check("/logs?follow=false&tail=1", "three\n").await;
    check("/logs?follow=0&tail=100", "one\ntwo \u{fffd}\r\nthree\n").await;
    std::fs::write(fresh.service.logs.task(task), b"").expect("emptied");
    check("/logs", "No logs available yet.").await;
    for bad in ["tail=0", "tail=-1", "tail=x", "follow=perhaps", "batch=2"] {
        let answer = fresh.get(&format!("/api/tasks/{task}/logs?{bad}")).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn experiments_have_logs_in_each_run() {
    let fresh = Fresh::new().await;
    let claim = fresh.running("one").await;
    let task = claim.task;
    let number = fresh.begin(&claim).await;
    let check = async |query: &str, expected: &str| {
        let path = format!("/api/tasks/{task}/experiments/1/logs{query}");
        assert_eq!(fresh.get(&path).await.json()["logs"], expected, "{query}");
    };
    check("", "No logs available yet for this experiment.").await;
    std::fs::write(fresh.service.logs.experiment(task, 1, number), "first run\n").expect("written");
    check("", "first run\n").await;
    fresh.break_down(&claim, number).await;
    let claim = fresh.run_again(&claim).await;
    fresh.begin(&claim).await;
    std::fs::write(fresh.service.logs.experiment(task, 2, number), "second run\n").expect("written");
    check("", "second run\n").await;
    check("?run=2", "second run\n").await;
    check("?run=1&tail=1", "first run\n").await;
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let fresh = Fresh::new().await;
    let claim = fresh.running("one").await;
    fresh.begin(&claim).await;
    let check = async |path: &str, expected: &str| {
        let answer = fresh.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["detail"], expected, "{path}");
    };
    for form in ["", "?follow=true", "/download"] {
        check(&format!("/api/tasks/9/logs{form}"), "Task 9 not found").await;
        check(
            &format!("/api/tasks/1/experiments/2/logs{form}"),
            "Experiment 2 not found for task 1",
        )
        .await;
        check(
            &format!("/api/tasks/1/experiments/0/logs{form}"),
            "Experiment 0 not found for task 1",
        )
        .await;
        check(
            &format!("/api/tasks/9/experiments/1/logs{form}"),
            "Task 9 not found",
        )
        .await;
    }
    check("/api/tasks/1/experiments/1/logs?run=2", "Task 1 has no run 2").await;
    check(
        "/api/tasks/1/experiments/2/logs?run=1",
        "Experiment 2 not found for task 1",
    )
    .await;
    check("/api/tasks/1/logs/download", "No logs available yet.").await;
    let answer = fresh
        .ask(Role::Operator, Method::DELETE, "/api/tasks/9/logs")
        .await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_log_is_downloaded_byte_by_byte() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let content: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(fresh.service.logs.task(task), &content).expect("written");
    let answer = fresh.get(&format!("/api/tasks/{task}/logs/download")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == content);
    assert_eq!(answer.headers["content-length"], "800000");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"task_1.log\""
    );
    let claim = fresh.run(task).await;
    let number = fresh.begin(&claim).await;
    std::fs::write(fresh.service.logs.experiment(task, 1, number), "engine").expect("written");
    let answer = fresh.get("/api/tasks/1/experiments/1/logs/download").await;
    assert_eq!(answer.body, b"engine");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"task_1_run_1_exp_1.log\""
    );
}

#[tokio::test]
async fn clearing_empties_the_file_and_is_on_record() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let path = fresh.service.logs.task(task);
    std::fs::write(&path, "one\n").expect("written");
    let answer = fresh.ask(Role::Viewer, Method::DELETE, "/api/tasks/1/logs").await;
    assert_eq!(answer.status, 403);
    assert_eq!(std::fs::read(&path).expect("there"), b"one\n");
    let answer = fresh
        .ask(Role::Operator, Method::DELETE, "/api/tasks/1/logs")
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(std::fs::read(&path).expect("there"), b"");
    let page = Page { skip: 0, limit: 1 };
    let audit = fresh.service.database.audit(page).await.expect("readable");
    let row = &audit.rows[0];
    assert_eq!(
        (row.action.as_str(), row.target.as_str(), row.act.actor.as_str()),
        ("task.clear_log", "task 1", "operator")
    );
}
