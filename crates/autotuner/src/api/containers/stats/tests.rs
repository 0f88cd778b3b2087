//! What is answered of a container that a daemon tells of.

use autotuner_store::Role;
use axum::http::Method;
use serde_json::json;

use crate::api::containers::stub::{CONTAINER, Stub, figures};
use crate::api::testing::TestService;

#[tokio::test]
async fn a_container_s_figures_are_told_once_lately_and_live() {
    let test = TestService::start().await;
    let daemon = Stub::serve(&test);
    let path = "/api/docker/containers/user/stats";
    let feeding = async {
        daemon.heard(1).await;
        daemon.say(&figures(1, 1000));
        daemon.say(&figures(3, 2500));
    };
    let (answer, ()) = tokio::join!(test.get(path), feeding);
    let stats = answer.is(200).json();
    // A quarter of the time that one processor had.
    let expected = json!({
        "cpu_percent": 25.0, "memory_usage": "2.00 MB", "memory_usage_bytes": 2 << 20,
        "memory_limit": "1.00 GB", "memory_percent": 0.2, "memory_is_limited": true,
        "network_rx": "3.00 KB", "network_rx_bytes": 3072, "network_rx_per_second": 1024.0,
        "network_tx": "0.00 B", "block_read": "0.00 B", "block_write": "0.00 B",
        "network": "bridge", "pids": 2, "online_cpus": 1, "is_running": true, "gpus": null,
        "sampled_at": "2026-01-01T00:00:03.000Z",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&stats[key], value, "{key}");
    }
    let history = test.get(&format!("{path}/history")).await.is(200).json();
    assert_eq!(history, json!([stats]));

    // A stream ends with the service.
    let path = format!("{path}/stream");
    let stop = async {
        daemon.heard(1).await;
        test.service.shutdown.soft.cancel();
    };
    let (answer, ()) = tokio::join!(test.get(&path), stop);
    assert_eq!(answer.is(200).headers["content-type"], "text/event-stream");
    assert_eq!(
        test.service.containers.usage_history(&id()).unwrap()[0].cpu_percent,
        Some(25.0)
    );
}

fn id() -> autotuner_deploy::containers::ContainerId {
    autotuner_deploy::containers::ContainerId::read(CONTAINER).unwrap()
}

#[tokio::test]
async fn a_stream_tells_when_the_daemon_is_gone() {
    let test = TestService::start().await;
    let daemon = Stub::serve(&test);
    let path = format!("/api/docker/containers/{CONTAINER}/stats/stream");
    let going = async {
        daemon.heard(1).await;
        daemon.say(&figures(1, 0));
        daemon.say(&figures(2, 3000));
        let containers = test.service.containers.clone();
        containers.usage(&id()).await.unwrap();
        drop(daemon);
    };
    let (answer, ()) = tokio::join!(test.get(&path), going);
    let text = answer.is(200).text;
    let frames: Vec<&str> = text.split_terminator("\n\n").collect();
    assert!(frames[0].starts_with("data: {\"cpu_percent\":100.0"), "{text}");
    let last = frames.last().unwrap();
    assert!(last.starts_with("event: failed\ndata: {"), "{text}");
    assert!(last.contains("docker_unreachable"), "{text}");
    // And it is said before a stream begins.
    let answer = test.get(&path).await.is(503);
    assert_eq!(answer.headers["retry-after"], "5");
}

#[tokio::test]
async fn what_is_not_there_is_said_before_a_stream_begins() {
    let test = TestService::start().await;
    let _daemon = Stub::serve(&test);
    for form in ["", "/history", "/stream"] {
        let answer = test
            .get(&format!("/api/docker/containers/nobody/stats{form}"))
            .await;
        assert_eq!(answer.is(404).json()["detail"], "Container nobody not found");
        let answer = test
            .get(&format!("/api/docker/containers/a%20b/stats{form}"))
            .await;
        assert_eq!(answer.is(422).json()["code"], "bad_path");
        let path = format!("/api/docker/containers/user/stats{form}");
        test.call(Role::Viewer, Method::POST, &path, None).await.is(405);
    }
}
