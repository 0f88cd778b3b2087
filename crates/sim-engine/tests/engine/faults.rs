//! How it misbehaves on demand.

use autotuner_sim_engine::{Outcome, SimError, spawn_in_process};
use hyper::{Method, StatusCode};

use crate::support::*;

async fn check_fails_to_start(fault: &str, is_expected: fn(&SimError) -> bool) {
    let error = within(spawn_in_process(faulty(&[fault])))
        .await
        .unwrap_err();
    assert!(is_expected(&error), "{error:?}");
}

#[tokio::test]
async fn loading_fails() {
    check_fails_to_start("exit-at-load", |error| {
        matches!(error, SimError::LoadModel { .. })
    })
    .await;
    check_fails_to_start("oom-at-load", |error| {
        matches!(error, SimError::OutOfMemory { .. })
    })
    .await;
}

#[tokio::test]
async fn it_never_becomes_ready() {
    let sim = start(faulty(&["never-ready"])).await;
    assert_eq!(
        get(&sim, "/health").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let read = complete(&sim, "one", 2, true).await;
    assert_eq!(read.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(read.error_message().contains("loading"));
    within(sim.shutdown()).await.unwrap();
}

#[tokio::test]
async fn completions_answer_500() {
    let sim = start(faulty(&["http-500"])).await;
    let read = complete(&sim, "one", 2, true).await;
    assert_eq!(read.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(read.json()["error"]["type"], "InternalServerError");
    assert_eq!(get(&sim, "/health").await.status, StatusCode::OK);
    assert_eq!(truth(&sim, 1).outcome, Outcome::Faulted);
}

#[tokio::test]
async fn completions_answer_a_web_page() {
    let sim = start(faulty(&["garbage"])).await;
    for is_streaming in [true, false] {
        let read = complete(&sim, "one", 2, is_streaming).await;
        assert_eq!(read.status, StatusCode::OK);
        assert!(read.body.starts_with("<!DOCTYPE html>"), "{}", read.body);
    }
}

#[tokio::test]
async fn the_connection_closes_halfway() {
    let sim = start(faulty(&["cut-stream"])).await;
    let streamed = complete(&sim, "one", 10, true).await;
    assert!(!streamed.is_whole);
    assert_eq!(streamed.events().len(), 5, "{}", streamed.body);
    assert!(!complete(&sim, "one", 10, false).await.is_whole);
    assert_eq!(truth(&sim, 1).completion_tokens, 5);
    assert_eq!(truth(&sim, 1).outcome, Outcome::Faulted);
    until(async || metric(&sim, "vllm:num_requests_running").await == 0.0).await;
}

#[tokio::test]
async fn the_answer_stops_halfway_and_the_connection_stays() {
    let sim = start(faulty(&["stall"])).await;
    let mut reply = send(
        sim.address(),
        Method::POST,
        "/v1/completions",
        text("one", 10, true).to_string(),
    )
    .await;
    reply.read_events(5).await;
    until(async || truth(&sim, 1).outcome == Outcome::Faulted).await;
    let silent = std::time::Duration::from_millis(50);
    assert!(
        tokio::time::timeout(silent, reply.read_events(6))
            .await
            .is_err(),
        "it went on"
    );
    within(sim.shutdown()).await.unwrap();
}

#[tokio::test]
async fn one_event_is_broken_json() {
    let sim = start(faulty(&["bad-json"])).await;
    let read = complete(&sim, "one", 10, true).await;
    assert!(read.is_whole);
    let broken: Vec<usize> = read
        .events()
        .iter()
        .enumerate()
        .filter(|(_, event)| {
            **event != "[DONE]" && serde_json::from_str::<serde_json::Value>(event).is_err()
        })
        .map(|(index, _)| index)
        .collect();
    assert_eq!(broken, [5], "{}", read.body);
    let whole = complete(&sim, "one", 10, false).await;
    assert!(
        serde_json::from_str::<serde_json::Value>(&whole.body).is_err(),
        "{}",
        whole.body
    );
}

#[tokio::test]
async fn a_fault_may_strike_every_nth_request_only() {
    let sim = start(faulty(&["http-500=3"])).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(complete(&sim, "one", 2, true).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500]);
}

#[tokio::test]
async fn it_ends_after_some_requests_which_are_answered() {
    let sim = start(faulty(&["exit-after-requests=2"])).await;
    assert!(complete(&sim, "one", 5, true).await.is_whole);
    assert_eq!(complete(&sim, "one", 5, true).await.chunks().len(), 7);
    let error = within(sim.ended()).await.unwrap_err();
    assert!(
        matches!(error, SimError::ExitAfterRequests { requests: 2 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_request_to_stop_is_not_heard() {
    let sim = start(faulty(&["ignore-sigterm"])).await;
    let address = sim.address();
    let mut stopping = std::pin::pin!(sim.shutdown());
    for _ in 0..3 {
        let asking = async {
            send(address, Method::GET, "/health", String::new())
                .await
                .read()
                .await
        };
        tokio::select! {
            biased;
            result = &mut stopping => panic!("it stopped: {result:?}"),
            read = asking => assert_eq!(read.status, StatusCode::OK),
        }
    }
}
