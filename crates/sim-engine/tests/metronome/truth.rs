//! What the server writes down.

use autotuner_sim_engine::metronome::{MetronomeOptions, Outcome, Stamps};
use serde_json::{Value, json};

use crate::client::{Client, endless, quick, start, text, truth, until};

#[test]
fn every_chunk_has_its_stamp() {
    let server = start(&MetronomeOptions {
        ttft_ms: 1.0,
        itl_ms: 0.1,
        ..quick()
    });
    let mut client = Client::new(&server);
    client.post("/v1/completions", "x-request-id: r 1\r\n", &text(40));
    client.answer();
    client.stream(5);
    let truth = truth(&server);
    let [first, second] = [&truth.requests[0], &truth.requests[1]];
    assert_eq!(truth.requests.len(), 2);
    assert_eq!(
        (first.request_id.as_str(), second.request_id.as_str()),
        ("r 1", "")
    );
    assert_eq!((first.chunks, second.chunks), (40, 5));
    for record in [first, second] {
        assert_eq!(record.outcome, Outcome::Complete);
        assert_eq!(record.chunk_ns.len(), record.chunks as usize);
        assert_eq!(record.first_ns, record.chunk_ns.first().copied());
        assert_eq!(record.last_ns, record.chunk_ns.last().copied());
        // Writes go one after another, and none comes before its deadline.
        assert!(record.chunk_ns.is_sorted_by(|one, next| one < next), "{record:?}");
        for (place, stamp) in (0..).zip(&record.chunk_ns) {
            assert!(
                *stamp >= record.received_ns + 1_000_000 + place * 100_000,
                "{record:?}"
            );
        }
        assert!(record.ended_ns >= record.last_ns, "{record:?}");
    }
    assert!(first.ended_ns.unwrap() <= second.received_ns);
    assert_eq!(truth.peak_in_flight, 1);
    assert_eq!(truth.connections_accepted, 2);
    assert!(truth.cpu_ns > 0);
}

#[test]
fn chunks_of_one_write_share_their_stamp() {
    let server = start(&MetronomeOptions {
        events_per_write: 4,
        ..quick()
    });
    Client::new(&server).stream(10);
    let truth = truth(&server);
    let stamps = &truth.requests[0].chunk_ns;
    let runs: Vec<usize> = stamps
        .chunk_by(|one, next| one == next)
        .map(<[u64]>::len)
        .collect();
    assert_eq!(runs, [4, 4, 2]);
}

#[test]
fn the_shape_of_the_document_is_a_promise() {
    let server = start(&MetronomeOptions {
        stamps: Stamps::FirstLast,
        ..quick()
    });
    let mut client = Client::new(&server);
    let body = json!({ "prompt": "a", "max_tokens": 7 });
    client.post("/v1/completions", "", &body);
    client.answer();
    client.stream(7);
    let document = client.get("/truth").json();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        keys(&document),
        "peak_in_flight connections_accepted cpu_ns requests"
    );
    let requests = document["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 2);
    for (request, chunks) in requests.iter().zip([1, 7]) {
        let expected = "request_id received_ns first_ns last_ns chunks chunk_ns ended_ns outcome";
        assert_eq!(keys(request), expected);
        assert_eq!(request["outcome"], "complete");
        assert_eq!(request["chunks"], chunks);
        assert_eq!(request["chunk_ns"], json!([]));
        assert!(request["first_ns"].is_u64() && request["last_ns"].is_u64());
    }
}

#[test]
fn open_requests_are_told_and_counted() {
    let server = start(&endless());
    let mut clients: Vec<Client> = (0..8).map(|_| Client::new(&server)).collect();
    for client in &mut clients {
        client.post("/v1/completions", "", &text(3));
        // The head waits for nothing.
        assert!(client.head().starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let seen = truth(&server);
    assert_eq!(seen.peak_in_flight, 8);
    assert!(seen.requests.iter().all(|record| record.outcome == Outcome::Open));
    assert!(seen.requests.iter().all(|record| record.first_ns.is_none()));
    let metrics = Client::new(&server).get("/metrics").body;
    assert!(metrics.contains("vllm:num_requests_running 8\n"), "{metrics}");
    clients.truncate(3);
    until(&server, |truth| {
        let gone = truth
            .requests
            .iter()
            .filter(|record| record.outcome == Outcome::Aborted);
        gone.count() == 5
    });
    let document = Client::new(&server).get("/truth").json();
    assert_eq!(document["requests"][0]["outcome"], "open");
    assert_eq!(document["requests"][0]["first_ns"], Value::Null);
    assert_eq!(document["requests"][0]["ended_ns"], Value::Null);
}

#[test]
fn a_reset_forgets() {
    let server = start(&endless());
    let mut waiting = Client::new(&server);
    waiting.post("/v1/completions", "", &text(3));
    waiting.head();
    let mut client = Client::new(&server);
    assert_eq!(truth(&server).requests.len(), 1);
    client.post("/truth/reset", "", &json!({}));
    assert_eq!(client.answer().status, 200);
    let seen = truth(&server);
    assert!(seen.requests.is_empty());
    // What is in flight still is, and only the connection that asked for the truth is new.
    assert_eq!((seen.peak_in_flight, seen.connections_accepted), (1, 1));
    drop(waiting);
    until(&server, |_| {
        let metrics = Client::new(&server).get("/metrics").body;
        metrics.contains("vllm:num_requests_running 0\n")
    });
    assert!(truth(&server).requests.is_empty());
}
