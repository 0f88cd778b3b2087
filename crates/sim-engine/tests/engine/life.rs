//! How it starts and ends.

use std::error::Error as _;

use autotuner_sim_engine::{Options, Outcome, SimError, run, spawn_in_process};
use http_body_util::Full;
use hyper::{Method, Request, StatusCode};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::*;

async fn check_fails_to_start(options: Options, is_expected: fn(&SimError) -> bool) {
    let error = within(spawn_in_process(options)).await.unwrap_err();
    assert!(is_expected(&error), "{error:?}");
}

#[tokio::test]
async fn a_ready_engine_is_healthy() {
    let sim = start(quick()).await;
    assert_eq!(get(&sim, "/health").await.status, StatusCode::OK);
    assert_eq!(sim.base_url(), format!("http://{}", sim.address()));
}

#[tokio::test]
async fn flags_that_cannot_work_end_it_before_it_listens() {
    let contradiction = Options {
        max_num_seqs: 1000,
        ..quick()
    };
    check_fails_to_start(contradiction, |error| {
        matches!(
            error,
            SimError::InvalidConfiguration {
                flag: "--max-num-batched-tokens",
                ..
            }
        )
    })
    .await;
}

#[tokio::test]
async fn too_little_memory_ends_it_at_load() {
    let tight = Options {
        gpu_memory_utilization: 0.6,
        ..quick()
    };
    check_fails_to_start(tight, |error| {
        matches!(error, SimError::OutOfMemory { needed: 2_147_483_648, available } if *available < 2_147_483_648)
    })
    .await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let sim = start(quick()).await;
    let same = Options {
        port: sim.address().port(),
        ..quick()
    };
    let error = within(spawn_in_process(same)).await.unwrap_err();
    assert!(
        error.to_string().contains(&sim.address().to_string()),
        "{error}"
    );
    assert!(error.source().is_some(), "the system's own words are kept");
}

#[tokio::test]
async fn a_host_that_is_unknown_is_named() {
    let error = within(spawn_in_process(Options {
        host: "no host".to_owned(),
        ..quick()
    }))
    .await
    .unwrap_err();
    assert!(error.to_string().contains("`no host`"), "{error}");
}

#[tokio::test]
async fn stopping_cuts_answers_and_frees_the_port() {
    let sim = start(Options {
        time_scale: 10.0,
        startup_seconds: 0.0,
        ..quick()
    })
    .await;
    let address = sim.address();
    let mut reply = send(
        address,
        Method::POST,
        "/v1/completions",
        text("one", 4000, true).to_string(),
    )
    .await;
    reply.read_events(1).await;
    within(sim.shutdown()).await.unwrap();
    assert!(!reply.read().await.is_whole);
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it still listens"
    );
}

#[tokio::test]
async fn an_engine_that_is_dropped_is_gone() {
    let sim = start(quick()).await;
    let address = sim.address();
    drop(sim);
    until(async || TcpStream::connect(address).await.is_err()).await;
}

#[tokio::test]
async fn a_stop_is_heard_while_loading() {
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let slow = Options {
        startup_seconds: 80_000.0,
        time_scale: 1.0,
        ..quick()
    };
    within(run(slow, shutdown)).await.unwrap();
}

#[tokio::test]
async fn memory_that_runs_out_under_load_ends_it() {
    let options = Options {
        gpu_memory_utilization: 0.98,
        max_num_seqs: 64,
        ..quick()
    };
    let sim = start(options).await;
    assert!(complete(&sim, "a few are fine", 5, true).await.is_whole);
    let mut asked = JoinSet::new();
    for number in 0..64 {
        let address = sim.address();
        let body = text(&format!("prompt {number}"), 2000, true).to_string();
        let request = Request::post("/v1/completions")
            .header("host", "sim")
            .body(Full::from(body))
            .unwrap();
        asked.spawn(async move {
            match send_request(address, request).await {
                Ok(reply) => reply.read().await.status_if_whole(),
                Err(_) => None,
            }
        });
    }
    while let Some(status) = within(asked.join_next()).await {
        // Cut, or came too late; nobody got an answer of two thousand tokens.
        assert_ne!(status.unwrap(), Some(StatusCode::OK));
    }
    let truth = sim.truth();
    let error = within(sim.ended()).await.unwrap_err();
    assert!(
        matches!(error, SimError::OutOfMemoryUnderLoad { needed, available } if needed > available),
        "{error:?}"
    );
    assert_eq!(truth[0].outcome, Outcome::Complete);
}
