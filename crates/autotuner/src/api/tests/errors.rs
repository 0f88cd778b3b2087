//! Every error text of the contract, to the letter.

use autotuner_store::Role;
use axum::http::Method;
use serde_json::json;

use super::support::{document, of};
use crate::api::testing::TestService;

struct Table {
    test: TestService,
}

impl Table {
    #[track_caller]
    fn told(&self, answer: crate::api::testing::Answer, status: u16, detail: &str) {
        let body = answer.is(status).json();
        assert_eq!(body["detail"], detail);
        assert!(
            body["code"].as_str().is_some_and(|code| !code.is_empty()),
            "{body}"
        );
    }

    async fn say(&self, method: Method, path: &str, status: u16, detail: &str) {
        let body = match (&method, path) {
            (&Method::PUT, _) => Some(document("another")),
            (&Method::PATCH, _) => Some(json!({"description": "x"})),
            (_, path) if path.ends_with("/replace") => Some(document("another")),
            _ => None,
        };
        let answer = self.test.call(Role::Operator, method, path, body).await;
        self.told(answer, status, detail);
    }
}

#[tokio::test]
async fn texts_that_old_clients_show_are_kept() {
    let test = TestService::start().await;
    let pending = test.made("pending").await;
    let running = test.made("running").await;
    test.act(&of(running, "/start")).await.is(200);
    let ended = test.made("ended").await;
    test.act(&of(ended, "/start")).await.is(200);
    test.act(&of(ended, "/cancel")).await.is(200);
    let table = Table { test };

    let taken = table.test.post("/api/tasks", document("pending")).await;
    table.told(taken, 400, "Task 'pending' already exists");
    let taken = table.test.put(&of(ended, ""), document("pending")).await;
    table.told(taken, 400, "Task 'pending' already exists");
    let (get, post, put, patch, delete) = (
        || Method::GET,
        || Method::POST,
        || Method::PUT,
        || Method::PATCH,
        || Method::DELETE,
    );
    for (method, rest) in [
        (get(), ""),
        (patch(), ""),
        (put(), ""),
        (delete(), ""),
        (post(), "/replace"),
        (post(), "/start"),
        (post(), "/cancel"),
        (post(), "/restart"),
        (post(), "/clear"),
        (post(), "/duplicate"),
        (get(), "/runs"),
        (get(), "/runs/1/experiments"),
        (get(), "/export"),
        (get(), "/results"),
        (get(), "/best"),
    ] {
        table.say(method, &of(99, rest), 404, "Task 99 not found").await;
    }
    table
        .say(
            get(),
            "/api/tasks/name/nobody%20here",
            404,
            "Task 'nobody here' not found",
        )
        .await;
    table
        .say(get(), "/api/experiments/77", 404, "Experiment 77 not found")
        .await;
    table
        .say(get(), "/api/experiments/task/99", 404, "Task 99 not found")
        .await;
    table
        .say(
            get(),
            &of(pending, "/runs/5/experiments"),
            404,
            "Task 1 has no run 5",
        )
        .await;

    let start = "Task must be in PENDING status to start";
    table.say(post(), &of(running, "/start"), 400, start).await;
    table.say(post(), &of(ended, "/start"), 400, start).await;
    let hint = table.test.act(&of(ended, "/start")).await.json();
    assert_eq!(hint["hint"], "the task is cancelled");
    for id in [pending, ended] {
        table
            .say(post(), &of(id, "/cancel"), 400, "Task is not running")
            .await;
    }
    for (id, status) in [(pending, "pending"), (running, "running")] {
        let text =
            format!("Task must be completed, failed, or cancelled to restart. Current status: {status}");
        table.say(post(), &of(id, "/restart"), 400, &text).await;
    }
    for (id, status) in [(running, "running"), (ended, "cancelled")] {
        let text = format!("Only pending tasks can be edited. Current status: {status}");
        table.say(post(), &of(id, "/replace"), 400, &text).await;
    }
    table
        .say(put(), &of(running, ""), 400, "Cannot edit a running task")
        .await;
    table
        .say(
            delete(),
            &of(running, ""),
            400,
            "Cannot delete running task. Cancel it first.",
        )
        .await;
    table
        .say(
            post(),
            &of(running, "/clear"),
            400,
            "Cannot clear running task. Cancel it first.",
        )
        .await;
    // Nothing of all this has changed anything.
    let statuses = |answer: crate::api::testing::Answer| answer.json()["status"].clone();
    assert_eq!(statuses(table.test.get(&of(pending, "")).await), "pending");
    assert_eq!(statuses(table.test.get(&of(running, "")).await), "running");
    assert_eq!(statuses(table.test.get(&of(ended, "")).await), "cancelled");
}

#[tokio::test]
async fn nobody_changes_anything_who_may_only_look() {
    let test = TestService::start().await;
    let id = test.made("kept").await;
    for (method, path) in [
        (Method::POST, "/api/tasks".to_owned()),
        (Method::PATCH, of(id, "")),
        (Method::PUT, of(id, "")),
        (Method::DELETE, of(id, "")),
        (Method::POST, of(id, "/replace")),
        (Method::POST, of(id, "/start")),
        (Method::POST, of(id, "/cancel")),
        (Method::POST, of(id, "/restart")),
        (Method::POST, of(id, "/clear")),
        (Method::POST, of(id, "/duplicate")),
        (Method::POST, "/api/tasks/bulk".to_owned()),
        (Method::POST, "/api/tasks/import".to_owned()),
    ] {
        let body = Some(json!({}));
        test.call(Role::Viewer, method, &path, body).await.is(403);
    }
    assert_eq!(test.get(&of(id, "")).await.json()["status"], "pending");
}

#[tokio::test]
async fn what_cannot_be_an_id_or_a_page_is_422() {
    let test = TestService::start().await;
    for path in [
        "/api/tasks/x",
        "/api/tasks/1.5",
        "/api/tasks/99999999999999999999",
        "/api/tasks/%00",
        "/api/tasks/1/runs/-1/experiments",
        "/api/experiments/x",
        "/api/tasks?skip=-1",
        "/api/tasks?limit=0",
        "/api/tasks?limit=1001",
        "/api/tasks?limit=x",
        "/api/tasks?status_filter=done",
        "/api/experiments?limit=0",
        "/api/tasks/1/export?format=xml",
        "/api/tasks/1/results?format=xml",
        "/api/tasks/1/best?format=helm",
    ] {
        let body = test.get(path).await.is(422).json();
        assert!(body["detail"].is_string(), "{path}: {body}");
    }
}
