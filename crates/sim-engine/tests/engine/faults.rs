//! How it misbehaves on demand.

use autotuner_sim_engine::{Outcome, SimError, spawn_in_process};
use hyper::{Method, StatusCode};

use crate::support::*;

async fn check_fails_to_start(fault: &str, is_expected: fn(&SimError) -> bool) {
    let error = within(spawn_in_process(faulty(&[fault]))).await.unwrap_err();
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
    assert_eq!(get(&sim, "/health").await.status, StatusCode::SERVICE_UNAVAILABLE);
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
        tokio::time::timeout(silent, reply.read_events(6)).await.is_err(),
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
        .filter(|(_, event)| **event != "[DONE]" && serde_json::from_str::<serde_json::Value>(event).is_err())
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

#[tokio::test]
async fn the_first_token_is_late() {
    // Ten seconds at full speed; the engine is a hundred times as fast.
    let sim = start(faulty(&["slow-first-token=2"])).await;
    for is_streaming in [true, false] {
        complete(&sim, "one", 5, is_streaming).await;
        assert!(complete(&sim, "two", 5, is_streaming).await.is_whole);
    }
    for (ordinal, is_late) in [(1, false), (2, true), (4, true)] {
        let truth = truth(&sim, ordinal);
        let waited = truth.first_content_ns.unwrap() - truth.admitted_ns.unwrap();
        assert!(!is_late || waited >= 100_000_000, "{waited} ns");
        assert_eq!(
            (truth.completion_tokens, truth.outcome),
            (5, Outcome::Complete),
            "{ordinal}"
        );
    }
}

#[tokio::test]
async fn a_line_does_not_end() {
    let sim = start(faulty(&["endless-line"])).await;
    let reply = complete(&sim, "one", 10, true).await;
    assert!(!reply.is_whole, "it ends after all, but not well");
    let last = reply.body.rsplit('\n').next().unwrap();
    // What the connection still held when it closed is lost.
    assert!(last.len() > 28 << 20, "{} bytes", last.len());
    assert_eq!(reply.events().len(), 5, "five tokens came before it");
    assert_eq!(truth(&sim, 1).outcome, Outcome::Faulted);
    assert!(
        complete(&sim, "one", 10, false).await.is_whole,
        "a whole answer has no lines"
    );
}

#[tokio::test]
async fn an_endless_line_costs_nothing_when_the_client_goes_away() {
    let sim = start(faulty(&["endless-line=2"])).await;
    complete(&sim, "one", 10, true).await;
    let body = text("two", 10, true).to_string();
    let mut leaving = send(sim.address(), Method::POST, "/v1/completions", body).await;
    leaving.read_events(5).await;
    drop(leaving);
    assert!(complete(&sim, "three", 10, true).await.is_whole);
    until(async || metric(&sim, "vllm:num_requests_running").await == 0.0).await;
}

#[tokio::test]
async fn more_than_so_many_at_once_are_refused() {
    let slow = autotuner_sim_engine::Options {
        time_scale: 10.0,
        startup_seconds: 0.0,
        ..faulty(&["503-at-high-load=2"])
    };
    let sim = start(slow).await;
    let ask = async || {
        let body = text("one", 4000, true).to_string();
        let mut reply = send(sim.address(), Method::POST, "/v1/completions", body).await;
        reply.read_events(1).await;
        reply
    };
    let (one, two) = (ask().await, ask().await);
    let refused = complete(&sim, "three", 2, true).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.error_message().contains("503-at-high-load"));
    assert_eq!(get(&sim, "/health").await.status, StatusCode::OK);
    drop(one);
    until(async || complete(&sim, "four", 1, true).await.status == StatusCode::OK).await;
    drop(two);
}

#[tokio::test]
async fn inside_another_process_a_crash_is_an_error() {
    for (fault, is_expected) in [
        (
            "crash-under-load=1",
            (|error| matches!(error, SimError::SegmentationFault)) as fn(&SimError) -> bool,
        ),
        ("abort-under-load=1", |error| matches!(error, SimError::Abort)),
        (
            "oom-under-load=1",
            |error| matches!(error, SimError::OutOfMemoryUnderLoad { needed, available } if needed > available),
        ),
    ] {
        let sim = start(faulty(&[fault, "forks-children"])).await;
        assert!(!complete(&sim, "one", 5, true).await.is_whole, "{fault}");
        let error = within(sim.ended()).await.unwrap_err();
        assert!(is_expected(&error), "{fault}: {error:?}");
    }
}
