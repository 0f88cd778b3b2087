//! Images of a daemon that says what a test wants.

use autotuner_store::{Page, Role};
use axum::http::Method;
use serde_json::{Value, json};

use crate::api::containers::stub::{CONTAINER, IMAGE, Stub};
use crate::api::testing::TestService;

async fn task(test: &TestService, name: &str, mode: &str, image: Value) {
    let mut document = json!({
        "task_name": name,
        "base_runtime": "vllm",
        "deployment_mode": mode,
        "model": {"id_or_path": "org/model"},
        "parameters": {"max-num-seqs": [4]},
        "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
        "benchmark": {"traffic_scenarios": ["D(64,64)"], "num_concurrency": [1], "max_time_per_iteration": 10.0},
    });
    let keys = document.as_object_mut().unwrap();
    keys.extend(image.as_object().unwrap().clone());
    test.call(Role::Admin, Method::POST, "/api/tasks", Some(document))
        .await
        .is(201);
}

async fn audited(test: &TestService) -> Vec<(String, String)> {
    let page = Page { skip: 0, limit: 100 };
    let audit = test.service.database.audit(page).await.unwrap();
    let rows = audit.rows.into_iter().map(|row| (row.action, row.target));
    rows.filter(|(action, _)| action.starts_with("image.")).collect()
}

#[tokio::test]
async fn images_are_told_with_who_needs_them() {
    let test = TestService::start().await;
    let _daemon = Stub::serve(&test);
    task(&test, "by tag", "docker", json!({"runtime_image_tag": "v9"})).await;
    task(&test, "another", "docker", json!({"runtime_image_tag": "v8"})).await;
    task(
        &test,
        "by name",
        "docker",
        json!({"runtime_image": "host:5000/x:1"}),
    )
    .await;
    task(&test, "local", "local", json!({})).await;
    let images = test.get("/api/docker/images").await.is(200).json();
    assert_eq!(
        images,
        json!([{
            "id": IMAGE, "short_id": "1e1e1e1e1e1e",
            "tags": ["vllm/vllm-openai:v9", "host:5000/x:1"], "digests": [],
            "size": "12.34 MB", "size_bytes": 12_939_428,
            "created": "2023-11-14T22:13:20.000Z", "is_ours": true,
            "containers": [{"id": CONTAINER, "name": "user", "state": "exited"}],
            "tasks": [{"id": 3, "name": "by name"}, {"id": 1, "name": "by tag"}],
        }])
    );
}

#[tokio::test]
async fn a_fetch_is_told_to_its_end_and_is_on_record() {
    let test = TestService::start().await;
    let daemon = Stub::serve(&test);
    let body = json!({"reference": "vllm/vllm-openai:v9"});
    let feeding = async {
        daemon.heard(1).await;
        daemon.say(&json!({"id": "v9", "status": "Pulling from vllm/vllm-openai"}));
        daemon.say(
            &json!({"id": "a", "status": "Downloading", "progressDetail": {"current": 10, "total": 100}}),
        );
        daemon.say(&json!({"id": "a", "status": "Pull complete"}));
        daemon.say(&Value::Null);
    };
    let (answer, ()) = tokio::join!(test.post("/api/docker/images/pull", body), feeding);
    let answer = answer.is(200);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let events: Vec<Value> = answer
        .text
        .split_terminator("\n\n")
        .map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    assert_eq!(events[0]["status"], "fetching");
    let last = events.last().unwrap();
    assert_eq!(
        (&last["status"], &last["image"]["id"]),
        (&json!("done"), &json!(IMAGE))
    );
    assert_eq!(
        audited(&test).await,
        [("image.pull".to_owned(), "image vllm/vllm-openai:v9".to_owned())]
    );
    let asked = daemon.changes();
    assert!(
        asked.len() == 1 && asked[0].contains("fromImage=docker.io%2Fvllm%2Fvllm-openai&tag=v9"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_fetch_that_fails_says_why() {
    let test = TestService::start().await;
    let daemon = Stub::serve(&test);
    let body = json!({"reference": "vllm/vllm-openai:none"});
    let feeding = async {
        daemon.heard(1).await;
        daemon.say(&json!({"errorDetail": {"message": "manifest unknown: manifest unknown"}}));
    };
    let (answer, ()) = tokio::join!(test.post("/api/docker/images/pull", body), feeding);
    let text = answer.is(200).text;
    let last = text.trim_end().lines().last().unwrap();
    let last: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(
        (&last["status"], &last["code"]),
        (&json!("failed"), &json!("not_found")),
        "{text}"
    );
    assert!(
        last["detail"]
            .as_str()
            .unwrap()
            .contains("check its name and tag"),
        "{text}"
    );
}

#[tokio::test]
async fn who_may_not_choose_an_image_fetches_nothing() {
    let test = TestService::start().await;
    let daemon = Stub::serve(&test);
    let path = "/api/docker/images/pull";
    let check = async |role: Role, body: Value, expected: u16| {
        test.call(role, Method::POST, path, Some(body)).await.is(expected)
    };
    let refused = check(Role::Operator, json!({"reference": "stranger/image:1"}), 403)
        .await
        .json();
    assert!(
        refused["hint"].as_str().unwrap().contains("allowed_programs"),
        "{refused}"
    );
    check(Role::Viewer, json!({"reference": "vllm/vllm-openai:v9"}), 403).await;
    check(Role::Admin, json!({"reference": "a b"}), 400).await;
    check(Role::Admin, json!({"reference": "../containers"}), 400).await;
    check(Role::Admin, json!({}), 422).await;
    check(Role::Admin, json!({"reference": "a", "tag": "b"}), 422).await;
    assert_eq!(audited(&test).await, []);
    assert_eq!(daemon.changes(), [""; 0]);
}

#[tokio::test]
async fn an_image_is_removed_by_an_admin_and_not_while_it_is_used() {
    let test = TestService::start().await;
    let daemon = Stub::serve(&test);
    let remove = async |role: Role, query: &str| {
        let path = format!("/api/docker/images?{query}");
        test.call(role, Method::DELETE, &path, None).await
    };
    remove(Role::Operator, "reference=idle:1").await.is(403);
    remove(Role::Admin, "").await.is(422);
    remove(Role::Admin, "reference=a%20b").await.is(400);
    assert_eq!(daemon.changes(), [""; 0]);
    let removed = remove(Role::Admin, "reference=host:5000/team/idle:1")
        .await
        .is(200)
        .json();
    assert_eq!(
        removed["message"],
        "Image host:5000/team/idle:1 removed successfully"
    );
    let busy = remove(Role::Admin, "reference=busy:1&force=true")
        .await
        .is(409)
        .json();
    assert!(
        busy["detail"]
            .as_str()
            .unwrap()
            .contains("is using its referenced image"),
        "{busy}"
    );
    assert!(busy["hint"].as_str().unwrap().contains("force=true"), "{busy}");
    let gone = remove(Role::Admin, "reference=nothing").await.is(404).json();
    assert_eq!(gone["detail"], "Image nothing not found");
    assert_eq!(
        daemon.changes(),
        [
            "DELETE /images/host:5000/team/idle:1?force=false&noprune=false",
            "DELETE /images/busy:1?force=true&noprune=false",
            "DELETE /images/nothing?force=false&noprune=false",
        ]
    );
    let audited: Vec<String> = audited(&test)
        .await
        .into_iter()
        .map(|(action, _)| action)
        .collect();
    assert_eq!(audited, ["image.remove"; 3]);
}
