//! The same for many tasks.

use serde_json::{Value, json};

use super::support::of;
use crate::api::testing::TestService;

fn oks(answer: &Value) -> Vec<(i64, bool)> {
    let results = answer["results"].as_array().expect("a list").iter();
    results
        .map(|result| {
            let id = result["id"].as_i64().expect("an id");
            (id, result["ok"].as_bool().expect("a switch"))
        })
        .collect()
}

#[tokio::test]
async fn each_task_has_its_own_result() {
    let test = TestService::start().await;
    let (a, b) = (test.made("a").await, test.made("b").await);
    let bulk = async |action: &str, ids: Vec<i64>| {
        let body = json!({"action": action, "ids": ids});
        test.post("/api/tasks/bulk", body).await.is(200).json()
    };
    let started = bulk("start", vec![a, 99, a, b]).await;
    assert_eq!(oks(&started), [(a, true), (99, false), (b, true)]);
    assert_eq!(started["results"][0]["status"], "running");
    assert_eq!(started["results"][1]["error"]["detail"], "Task 99 not found");
    assert_eq!(
        (&started["succeeded"], &started["failed"]),
        (&json!(2), &json!(1))
    );
    let cancelled = bulk("cancel", vec![b, a]).await;
    assert_eq!(oks(&cancelled), [(b, true), (a, true)]);
    let restarted = bulk("restart", vec![a]).await;
    assert_eq!(restarted["results"][0]["status"], "pending");
    let again = bulk("restart", vec![a]).await;
    assert_eq!(
        again["results"][0]["error"]["detail"],
        "Task must be completed, failed, or cancelled to restart. Current status: pending"
    );
    let deleted = bulk("delete", vec![a, b]).await;
    assert_eq!(oks(&deleted), [(a, true), (b, true)]);
    test.get(&of(a, "")).await.is(404);
    assert_eq!(oks(&bulk("delete", vec![]).await), []);
}

#[tokio::test]
async fn a_request_with_problems_does_nothing() {
    let test = TestService::start().await;
    let id = test.made("kept").await;
    let many: Vec<i64> = (0..1001).collect();
    for (body, path) in [
        (json!({"action": "strat", "ids": [id]}), "action"),
        (json!({"ids": [id]}), "action"),
        (json!({"action": "start"}), "ids"),
        (json!({"action": "start", "ids": many}), "ids"),
        (json!({"action": "start", "ids": [id, "x"]}), "ids[1]"),
        (json!({"action": "start", "ids": [1.5]}), "ids[0]"),
        (json!({"action": "start", "ids": [id], "force": true}), "force"),
        (json!([]), ""),
    ] {
        let refused = test.post("/api/tasks/bulk", body).await.is(422).json();
        assert_eq!(refused["problems"][0]["path"], path, "{refused}");
    }
    assert_eq!(test.get(&of(id, "")).await.json()["status"], "pending");
}
