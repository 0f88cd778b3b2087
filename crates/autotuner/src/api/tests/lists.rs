//! Lists of tasks and experiments.

use autotuner_core::experiment::{ContainerFacts, LaunchFacts};
use autotuner_core::lifecycle::TaskMove;
use autotuner_store::Store as _;
use serde_json::{Value, json};

use super::support::{image, launched, of};
use crate::api::testing::TestService;

fn ids(list: &Value) -> Vec<i64> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row["id"].as_i64().expect("an id")).collect()
}

#[tokio::test]
async fn lists_are_newest_first_in_pages_with_a_total() {
    let test = TestService::start().await;
    for index in 1..=5 {
        test.made(&format!("t{index}")).await;
    }
    test.act(&of(2, "/start")).await.is(200);
    let check = async |query: &str, expected: &[i64], total: &str| {
        let answer = test.get(&format!("/api/tasks{query}")).await.is(200);
        assert_eq!(ids(&answer.json()), expected, "{query}");
        assert_eq!(answer.headers["x-total-count"], total, "{query}");
    };
    check("", &[5, 4, 3, 2, 1], "5").await;
    check("?skip=1&limit=2", &[4, 3], "5").await;
    check("?skip=9223372036854775807", &[], "5").await;
    check("?status_filter=running", &[2], "1").await;
    check("?status_filter=", &[5, 4, 3, 2, 1], "5").await;
    check("?status_filter=failed", &[], "0").await;
}

#[tokio::test]
async fn experiments_are_told_of_in_full() {
    let test = TestService::start().await;
    let id = test.made("told").await;
    test.ran(id).await;
    let all = test.get("/api/experiments").await.is(200);
    assert_eq!(all.headers["x-total-count"], "3");
    assert_eq!(ids(&all.json()), [3, 2, 1]);
    let of_task = test.get(&format!("/api/experiments/task/{id}")).await.is(200);
    assert_eq!(of_task.headers["x-total-count"], "3");
    assert_eq!(ids(&of_task.json()), [1, 2, 3]);
    assert_eq!(of_task.json()[0].get("log_tail"), None);
    let best = test.get("/api/experiments/2").await.is(200).json();
    insta::assert_json_snapshot!("experiment_measured", best);
    let failed = test.get("/api/experiments/3").await.is(200).json();
    insta::assert_json_snapshot!("experiment_failed", failed);
    assert_eq!(failed["log_tail"], json!(["line 1", "line 2"]));
}

#[tokio::test]
async fn an_experiment_names_its_container_and_where_it_answers() {
    let test = TestService::start().await;
    let id = test.made("contained").await;
    let claim = test.claimed(id).await;
    let number = test.begun(&claim, None).await;
    let store = test.service.database.run_store(&claim);
    let launch = LaunchFacts {
        image: Some(image()),
        container: Some(ContainerFacts {
            id: "ab".repeat(32),
            name: "autotuner-contained-exp1".into(),
            started_at_ms: 1_700_000_000_000,
        }),
        ..launched()
    };
    let recorded = store.record_launch(claim.task, number, launch).await;
    recorded.expect("held");
    let one = test.get("/api/experiments/1").await.is(200).json();
    assert_eq!(one["service_name"], "autotuner-contained-exp1");
    assert_eq!(one["service_url"], "http://127.0.0.1:40001");
    assert_eq!(one["container_id"], "ab".repeat(32));
    assert_eq!(
        one["containers"],
        json!([{
            "id": "ab".repeat(32),
            "name": "autotuner-contained-exp1",
            "attempt": 1,
            "image": image().reference,
            "started_at": "2023-11-14T22:13:20.000Z",
            "ended_at": null,
        }])
    );
    let stopped = store.record_stop(claim.task, number, 1_700_000_001_000).await;
    stopped.expect("held");
    test.ended(&claim, TaskMove::Cancel).await;
    test.act(&of(id, "/restart")).await.is(200);
    let one = test.get("/api/experiments/1").await.is(200).json();
    assert_eq!(
        one["containers"][0]["ended_at"], "2023-11-14T22:13:21.000Z",
        "of an earlier run, too"
    );
    let listed = test.get("/api/experiments").await.is(200).json();
    assert_eq!(listed[0]["container_name"], "autotuner-contained-exp1");
    assert_eq!(listed[0].get("containers"), None);
}

#[tokio::test]
async fn what_a_running_task_waits_for_is_said() {
    let test = TestService::start().await;
    let id = test.made("waits").await;
    let shown = test.get(&of(id, "")).await.json();
    assert_eq!(shown["waiting_for"], Value::Null);
    test.act(&of(id, "/start")).await.is(200);
    let claim = test.taken().await;
    test.begun(&claim, None).await;
    let shown = test.get(&of(id, "")).await.json();
    assert_eq!(shown["status"], "running");
    assert_eq!(shown["total_experiments"], 1);
    assert_eq!(shown["verdict"]["claim"], "nothing_measured");
}
