//! Clients that go away, at any moment.

use autotuner_sim_engine::metronome::{MetronomeOptions, Outcome};

use crate::client::{Client, endless, quick, start, text, until};

/// A server whose streams end in an hour.
fn slow() -> MetronomeOptions {
    MetronomeOptions {
        ttft_ms: 0.0,
        itl_ms: 1.0,
        tokens: 1_000_000,
        ..MetronomeOptions::default()
    }
}

#[test]
fn a_client_that_goes_in_the_middle_has_aborted() {
    let server = start(&slow());
    let mut client = Client::new(&server);
    client.post("/v1/completions", "", &text(1));
    client.head();
    for _ in 0..3 {
        client.chunk().unwrap();
    }
    drop(client);
    let truth = until(&server, |truth| truth.requests[0].outcome == Outcome::Aborted);
    let record = &truth.requests[0];
    assert!(record.chunks >= 3, "{record:?}");
    assert!(record.ended_ns >= record.last_ns, "{record:?}");
}

#[test]
fn a_client_that_closes_its_side_has_gone_too() {
    for options in [slow(), endless()] {
        let server = start(&options);
        let mut client = Client::new(&server);
        client.post("/v1/completions", "", &text(1));
        client.head();
        client.end();
        until(&server, |truth| truth.requests[0].outcome == Outcome::Aborted);
    }
}

#[test]
fn a_client_that_never_reads_and_goes_has_aborted() {
    let server = start(&MetronomeOptions {
        tokens: 1_000_000,
        events_per_write: 1024,
        ..quick()
    });
    let mut client = Client::new(&server);
    client.post("/v1/completions", "", &text(1));
    until(&server, |truth| {
        truth.requests.iter().any(|record| record.chunks > 10_000)
    });
    drop(client);
    let truth = until(&server, |truth| truth.requests[0].outcome == Outcome::Aborted);
    assert!(truth.requests[0].chunks < 1_000_000);
}

#[test]
fn half_a_request_is_no_request() {
    let server = start(&quick());
    for part in [
        "",
        "POST",
        "POST /v1/completions HTTP/1.1\r\n",
        "POST /v1/completions HTTP/1.1\r\ncontent-length: 100\r\n\r\n{",
        "POST /v1/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    ] {
        let mut client = Client::new(&server);
        client.write(part);
        client.end();
        assert!(client.is_closed(), "{part}");
    }
    assert_eq!(until(&server, |_| true).requests.len(), 0);
}

#[test]
fn an_answer_that_can_be_given_at_once_reaches_who_closes_their_side() {
    let server = start(&quick());
    let mut client = Client::new(&server);
    client.write("GET /health HTTP/1.1\r\n\r\n");
    client.end();
    assert_eq!(client.answer().status, 200);
    assert!(client.is_closed());
}
