//! Pods of a cluster that says what a test wants.

use autotuner_deploy::Instance;
use autotuner_store::{Page, Role};
use axum::http::Method;
use serde_json::{Value, json};

use crate::api::kubernetes::stub::{Stub, of_others, pod};
use crate::api::testing::{Answer, TestService};

const PODS: &str = "/api/kubernetes/pods";

/// The process of ours that lives while a test holds it.
fn living(test: &TestService) -> Instance {
    Instance::claim(&test.service.config.instances_dir(), "serve-1-1").expect("claimed")
}

async fn delete(test: &TestService, role: Role, rest: &str) -> Answer {
    test.call(role, Method::DELETE, &format!("{PODS}/{rest}"), None)
        .await
}

async fn audited(test: &TestService) -> Vec<(String, String)> {
    let page = Page { skip: 0, limit: 100 };
    let audit = test.service.database.audit(page).await.expect("readable");
    let rows = audit.rows.into_iter().map(|row| (row.action, row.target));
    rows.filter(|(action, _)| action.starts_with("pod.")).collect()
}

#[tokio::test]
async fn pods_are_told_with_the_experiment_that_needs_them() {
    let test = TestService::start().await;
    let cluster = Stub::serve(&test).await;
    let _we = living(&test);
    let _run = Instance::claim(&test.service.config.instances_dir(), "run-1-1").expect("claimed");
    let id = test.made("chat").await;
    let claim = test.claimed(id).await;
    let number = test.begun(&claim, Some(4)).await;
    let ours =
        |name: &str, instance: &str, task: &str, experiment: u32| pod(name, instance, task, experiment);
    let mut over = ours("over", "serve-1-1", "chat", number.0);
    over["status"]["containerStatuses"][0]["state"] =
        json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    cluster.says().pods = vec![
        ours("live", "serve-1-1", "chat", number.0),
        ours("earlier", "serve-1-1", "chat", number.0 + 1),
        ours("orphan", "serve-9-9", "chat", number.0),
        ours("of-a-command", "serve-1-1", "not-on-record", 1),
        ours("of-a-run", "run-1-1", "chat", number.0 + 1),
        over,
        of_others(ours("theirs", "serve-1-1", "chat", number.0)),
    ];
    let listed = test.get(PODS).await.is(200).json();
    let mut told: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|pod| {
            let text = |key: &str| pod[key].as_str().unwrap_or("-").to_owned();
            (
                text("name"),
                text("state"),
                pod["task_id"].as_i64(),
                pod["is_needed"] == true,
            )
        })
        .collect();
    told.sort();
    let row = |name: &str, state: &str, task, is_needed| (name.to_owned(), state.to_owned(), task, is_needed);
    assert_eq!(
        told,
        [
            row("earlier", "running", Some(id), false),
            row("live", "running", Some(id), true),
            row("of-a-command", "running", None, true),
            row("of-a-run", "running", None, true),
            row("orphan", "running", Some(id), false),
            row("over", "failed", Some(id), false),
        ]
    );
    let one = listed
        .as_array()
        .and_then(|pods| pods.iter().find(|pod| pod["name"] == "live"));
    let one = one.expect("the live one");
    assert_eq!(
        (&one["gpus"], &one["cpus"], &one["memory_bytes"], &one["node"]),
        (
            &json!(2),
            &json!(8.0),
            &json!(34_359_738_368_u64),
            &json!("node-a")
        )
    );
}

#[tokio::test]
async fn one_pod_is_told_whole_also_where_events_may_not_be_seen() {
    let test = TestService::start().await;
    let cluster = Stub::serve(&test).await;
    cluster.says().pods = vec![
        pod("ours", "serve-9-9", "chat", 1),
        of_others(pod("theirs", "serve-9-9", "chat", 1)),
    ];
    cluster.says().events = vec![json!({
        "metadata": {}, "involvedObject": {}, "type": "Warning", "reason": "FailedScheduling",
        "message": "no room", "lastTimestamp": "2023-11-14T22:13:20Z", "count": 2,
        "source": { "component": "default-scheduler" },
    })];
    let one = test.get(&format!("{PODS}/ours")).await.is(200).json();
    assert_eq!(
        one["events"],
        json!([{ "at": "2023-11-14T22:13:20Z", "is_warning": true, "reason": "FailedScheduling",
            "message": "no room", "source": "default-scheduler", "count": 2 }])
    );
    let names: Vec<_> = one["containers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["agent", "engine"]);
    assert_eq!(one["conditions"][0]["type"], "PodScheduled");
    cluster.says().forbidden = vec!["events"];
    let one = test.get(&format!("{PODS}/ours")).await.is(200).json();
    assert_eq!(
        (&one["events"], &one["without_events"]),
        (&json!([]), &json!("events is forbidden"))
    );
    for rest in [
        "theirs",
        "none",
        "theirs/logs",
        "theirs/logs/download",
        "theirs/logs?follow=true",
    ] {
        let answer = test.get(&format!("{PODS}/{rest}")).await.is(404).json();
        let name = rest.split('/').next().expect("a name");
        assert_eq!(answer["detail"], format!("Pod {name} not found"), "{rest}");
    }
    let odd = test.get(&format!("{PODS}/..%2Fsecrets%2Fx")).await.is(422).json();
    assert_eq!(odd["code"], "bad_path");
}

#[tokio::test]
async fn a_pod_that_an_experiment_needs_goes_only_when_that_is_meant() {
    let test = TestService::start().await;
    let cluster = Stub::serve(&test).await;
    let we = living(&test);
    cluster.says().pods = vec![
        pod("live", "serve-1-1", "of-a-command", 3),
        of_others(pod("theirs", "serve-1-1", "chat", 1)),
    ];
    delete(&test, Role::Viewer, "live").await.is(403);
    let refused = delete(&test, Role::Operator, "live").await.is(409).json();
    assert_eq!(
        refused["detail"],
        "Experiment 3 of the running task 'of-a-command' needs the pod live"
    );
    delete(&test, Role::Admin, "theirs?force=true").await.is(404);
    assert_eq!(cluster.says().deleted, [""; 0]);
    assert_eq!(audited(&test).await, []);

    let done = delete(&test, Role::Operator, "live?force=true")
        .await
        .is(200)
        .json();
    assert_eq!(done["message"], "Pod live is being deleted");
    let warning = done["warning"].as_str().expect("a warning");
    assert!(
        warning.contains("the attempt is lost and made again"),
        "{warning}"
    );
    // Its Job is the worker's to remove, and only this very pod was meant.
    let pod_path = "/api/v1/namespaces/tuning/pods/live \"uid-live\"";
    assert_eq!(cluster.says().deleted, [pod_path]);

    // Once nobody needs it, it goes with its Job, or that would make another.
    drop(we);
    cluster.says().deleted.clear();
    let done = delete(&test, Role::Operator, "live").await.is(200).json();
    assert_eq!(done["warning"], Value::Null);
    let job_path = "/apis/batch/v1/namespaces/tuning/jobs/job-live \"j\"";
    assert_eq!(cluster.says().deleted, [job_path, pod_path]);
    let noted = ("pod.delete".to_owned(), "pod live".to_owned());
    assert_eq!(audited(&test).await, [noted.clone(), noted]);

    cluster.says().forbidden = vec!["jobs"];
    let refused = delete(&test, Role::Operator, "live").await.is(500).json();
    assert_eq!(
        refused["detail"],
        "Kubernetes API error: could not delete a Job: jobs is forbidden"
    );
    assert_eq!(audited(&test).await[0].0, "pod.delete.failed");
}

#[tokio::test]
async fn a_log_is_the_engines_words_and_is_asked_for_as_a_containers() {
    let test = TestService::start().await;
    let cluster = Stub::serve(&test).await;
    let mut over = pod("over", "serve-9-9", "chat", 1);
    over["status"]["containerStatuses"][0]["state"] =
        json!({ "terminated": { "exitCode": 3, "reason": "Error" } });
    cluster.says().pods = vec![over];
    cluster.says().log = "2026-11-30T00:00:01Z autotuner1 n 0 m e3f690ca x\n\
        2026-11-30T00:00:02Z panicked at the beginning\n\
        2026-11-30T00:00:03Z and at the end\n"
        .to_owned();
    let log = |rest: &str| format!("{PODS}/over/logs{rest}");
    let found = test.get(&log("?batch=true&search=pan")).await.is(200).json();
    assert_eq!(
        (&found["logs"], &found["matching"], &found["entries"]),
        (
            &json!("panicked at the beginning\n"),
            &json!(1),
            &json!([{ "t": "2026-11-30T00:00:02.000000000Z", "s": "e", "l": "panicked at the beginning" }])
        )
    );
    test.get(&log("?tail=abc")).await.is(422);
    let whole = test
        .get(&log(
            "/download?timestamps=true&stream=stderr&until=2026-11-30T00:00:02Z",
        ))
        .await
        .is(200);
    assert_eq!(
        whole.headers["content-disposition"],
        "attachment; filename=\"over.log\""
    );
    assert_eq!(
        whole.text.lines().last(),
        Some("2026-11-30T00:00:02.000000000Z panicked at the beginning")
    );
    let followed = test
        .get(&log("?follow=true&batch=true&tail=1"))
        .await
        .is(200)
        .text;
    assert!(
        followed.starts_with("event: log\ndata: [{\"t\":\"2026-11-30T00:00:03"),
        "{followed}"
    );
    assert!(followed.contains("\"life\":\"stopped\""), "{followed}");
    assert!(followed.contains("\"exit_code\":3"), "{followed}");
    assert!(
        followed.trim_end().ends_with("event: end\ndata: {}"),
        "{followed}"
    );
    let lines = followed.matches("\"l\":").count();
    assert_eq!(lines, 1, "{followed}");
    // Whoever comes back gets what follows, and at the end nothing but that it is the end.
    let ids = |text: &str| -> Vec<String> {
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(str::to_owned).collect()
    };
    let back = async |id: &str| {
        let path = log(&format!("?follow=true&batch=true&last_event_id={id}"));
        test.get(&path).await.is(200).text
    };
    let end = ids(&followed).pop().expect("an id");
    assert_eq!(back(&end).await.matches("\"l\":").count(), 0);
    let first = test.get(&log("?follow=true&batch=true")).await.is(200).text;
    assert_eq!(first.matches("\"l\":").count(), 2, "{first}");
    let lines = test.get(&log("?follow=true")).await.is(200).text;
    let after_first = ids(&lines).first().cloned().expect("an id");
    let rest = back(&after_first).await;
    assert_eq!(rest.matches("\"l\":").count(), 1, "{rest}");
    assert!(rest.contains("and at the end"), "{rest}");
    let none = test.get(&log(&format!("?follow=true&last_event_id={end}"))).await;
    none.is(204);
}

#[tokio::test]
async fn a_cluster_that_is_away_or_was_never_named_is_said_to_be() {
    let test = TestService::start().await;
    let away = test.get(PODS).await.is(503);
    assert_eq!(away.json()["code"], "cluster_unreachable");
    let detail = away.json()["detail"].as_str().expect("a text").to_owned();
    assert!(
        detail.starts_with("Unable to reach the Kubernetes cluster: "),
        "{detail}"
    );
    assert!(detail.contains("/kubeconfig does not answer"), "{detail}");
    // Once it is there, it is found.
    let cluster = Stub::serve(&test).await;
    assert_eq!(test.get(PODS).await.is(200).json(), json!([]));
    assert_eq!(
        test.get("/api/kubernetes/info").await.is(200).json()["version"],
        "v1.33.1"
    );
    drop(cluster);
    test.get(PODS).await.is(503);
    assert_eq!(
        test.get("/api/system/info").await.is(200).json()["kubernetes"],
        true
    );
}
