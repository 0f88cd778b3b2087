//! The dashboard's figures as a client sees them.

use autotuner_deploy::gpu::FixedGpus;
use autotuner_store::{Act, NewTask, Role};
use axum::http::Method;
use serde_json::{Value, json};

use crate::api::testing::{NOW_MS, TestService};
use crate::service::supervisor::Snapshot;

async fn a_running_task(test: &TestService) {
    let act = Act {
        actor: "test".into(),
        role: Role::Operator,
        address: None,
        at_ms: NOW_MS,
    };
    let task = NewTask {
        name: "chat".into(),
        description: None,
        base_runtime: "sim".into(),
        deployment_mode: "local".into(),
        document: json!({}),
        slo: None,
        max_iterations: 12,
    };
    let task = test.service.database.create_task(&act, task).await.expect("made");
    let started = test.service.database.start_task(&act, task.summary.id).await;
    started.expect("started");
}

#[tokio::test]
async fn a_machine_without_gpus_says_so() {
    let test = TestService::start().await;
    let answer = test.get("/api/dashboard/gpu-status").await.is(200).json();
    assert_eq!(answer["available"], false);
    assert!(
        answer["error"]
            .as_str()
            .is_some_and(|text| text.starts_with("no GPU"))
    );
    assert_eq!(answer.get("gpus"), None);
    let answer = test.get("/api/dashboard/cluster-gpu-status").await.is(200).json();
    assert_eq!(answer["available"], false);
    assert_eq!(answer["nodes"], json!([]));
}

#[tokio::test]
async fn gpus_are_shown_with_what_is_known_of_them() {
    let test = TestService::start().await;
    let mut states = FixedGpus::idle(2).states();
    let total = states[0].device.memory_bytes;
    states[0].memory_used_bytes = Some(total / 4);
    states[0].utilization_percent = Some(97);
    states[1].temperature_c = None;
    test.gpus.set(states);
    let answer = test.get("/api/dashboard/gpu-status").await.is(200).json();
    assert_eq!(answer["available"], true);
    let busy = &answer["gpus"][0];
    assert_eq!(busy["index"], 0);
    assert_eq!(busy["memory_usage_percent"], 25.0);
    assert_eq!(busy["memory_total_mb"], 81_920.0);
    assert_eq!(busy["utilization_percent"], 97);
    assert_eq!(busy["is_free"], false);
    assert_eq!(answer["gpus"][1]["temperature_c"], Value::Null);
    assert_eq!(answer["gpus"][1]["is_free"], true);
    assert_eq!(answer["timestamp"], "2023-11-14T22:13:20.000Z");

    let answer = test.get("/api/dashboard/cluster-gpu-status").await.is(200).json();
    assert_eq!(answer["mode"], "local");
    assert_eq!(answer["total_gpus"], 2);
    assert_eq!(answer["total_allocatable_gpus"], 1);
    assert_eq!(answer["nodes"][0]["allocatable"], 0);
    assert_eq!(answer["nodes"][1]["node_name"], answer["local_hostname"]);

    test.gpus.fail("it fell off the bus");
    let answer = test.get("/api/dashboard/gpu-status").await.is(200).json();
    assert!(
        answer["error"]
            .as_str()
            .is_some_and(|text| text.contains("fell off"))
    );
}

#[tokio::test]
async fn the_database_is_summed_up() {
    let test = TestService::start().await;
    a_running_task(&test).await;
    let answer = test.get("/api/dashboard/db-statistics").await.is(200).json();
    assert_eq!(answer["total_tasks"], 1);
    assert_eq!(answer["tasks_by_status"]["running"], 1);
    assert_eq!(answer["total_experiments"], 0);
    assert_eq!(answer["tasks_last_24h"], 1);
    assert_eq!(answer["avg_experiment_duration_seconds"], Value::Null);
    let task = &answer["running_tasks"][0];
    assert_eq!(task["name"], "chat");
    assert_eq!(task["max_iterations"], 12);
    assert_eq!(task["started_at"], "2023-11-14T22:13:20.000Z");
}

#[tokio::test]
async fn the_worker_is_described() {
    let test = TestService::start().await;
    let answer = test.get("/api/dashboard/worker-status").await.is(200).json();
    assert_eq!(answer["worker_running"], false);
    assert_eq!(answer["worker_pid"], std::process::id());
    assert_eq!(answer["worker_uptime_seconds"], 90.0);
    assert!(
        answer["worker_memory_mb"]
            .as_f64()
            .is_some_and(|mebibytes| mebibytes > 1.0)
    );
    assert_eq!(answer["redis_available"], false);
    assert_eq!(answer["workers"], json!([]));
}

#[tokio::test]
async fn workers_of_other_machines_are_told_beside_ours() {
    let test = TestService::start().await;
    test.service.board.tick(1_000, 8);
    let there = Snapshot {
        last_tick_ms: Some(2_000),
        places: 2,
        problem: Some("no disk".into()),
        ..Snapshot::default()
    };
    test.service.board.show_others(vec![("gpu-7".into(), there)]);
    let answer = test.get("/api/dashboard/worker-status").await.is(200).json();
    let told = |index: usize, key: &str| answer["workers"][index][key].clone();
    assert_eq!((told(0, "places"), told(0, "running")), (json!(8), json!(0)));
    assert_eq!(
        answer["workers"][1],
        json!({
            "hostname": "gpu-7", "places": 2, "running": 0, "problem": "no disk",
            "last_tick_at": "1970-01-01T00:00:02.000Z",
        })
    );
}

#[tokio::test]
async fn the_timeline_looks_back_between_an_hour_and_a_year() {
    let test = TestService::start().await;
    let check = async |query: &str, status: u16| {
        test.get(&format!("/api/dashboard/experiment-timeline{query}"))
            .await
            .is(status)
    };
    assert_eq!(check("", 200).await.json(), json!([]));
    for query in ["?hours=1", "?hours=8760"] {
        check(query, 200).await;
    }
    for query in ["?hours=0", "?hours=8761", "?hours=-1", "?hours=day", "?hours=1.5"] {
        check(query, 422).await;
    }
}

#[tokio::test]
async fn the_machine_is_described_and_its_directory_named_to_administrators_only() {
    let test = TestService::start().await;
    let look = async |role| {
        let answer = test.call(role, Method::GET, "/api/dashboard/host-status", None);
        answer.await.is(200).json()
    };
    let [viewer, operator, admin] = [
        look(Role::Viewer).await,
        look(Role::Operator).await,
        look(Role::Admin).await,
    ];
    assert!(viewer["hostname"].as_str().is_some_and(|name| !name.is_empty()));
    assert!(viewer["cpus"].as_u64().is_some_and(|cpus| cpus > 0));
    for share in ["cpu_percent", "memory_percent"] {
        let percent = viewer[share].as_f64().expect(share);
        assert!((0.0..=100.0).contains(&percent), "{share}: {percent}");
    }
    let bytes = |name: &str| {
        viewer[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} in {viewer}"))
    };
    assert!(bytes("memory_used_bytes") < bytes("memory_total_bytes"));
    assert!(bytes("disk_free_bytes") <= bytes("disk_total_bytes"));
    assert!(viewer["load_1m"].is_number() && viewer["uptime_seconds"].is_number());
    assert_eq!(viewer["timestamp"], "2023-11-14T22:13:20.000Z");
    for other in [&viewer, &operator] {
        assert_eq!(other.get("data_dir"), None);
    }
    let data_dir = test.service.config.data_dir.display().to_string();
    assert_eq!(admin["data_dir"], data_dir);
}
