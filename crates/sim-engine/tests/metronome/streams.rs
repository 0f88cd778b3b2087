//! Answers are whole, in order, and shaped as a real engine's.

use std::io::Write as _;
use std::net::TcpStream;

use autotuner_sim_engine::metronome::MetronomeOptions;
use serde_json::{Value, json};

use crate::client::{Client, quick, start, text};

fn words(count: u32) -> String {
    (0..count).map(|place| format!(" w{place:06}")).collect()
}

#[test]
fn a_text_stream_is_whole_and_in_order() {
    for events_per_write in [1, 3, 10, 1024] {
        let server = start(&MetronomeOptions {
            events_per_write,
            ..quick()
        });
        let answer = Client::new(&server).stream(10);
        assert_eq!(answer.status, 200);
        assert!(
            answer.head.contains("content-type: text/event-stream"),
            "{}",
            answer.head
        );
        let content = answer.chunks.len() - 3;
        assert_eq!(content as u32, 10_u32.div_ceil(events_per_write));
        let events = answer.events();
        assert_eq!(events.len(), 12);
        let (usage, events) = events.split_last().unwrap();
        let (finish, tokens) = events.split_last().unwrap();
        let said: String = tokens
            .iter()
            .map(|event| event["choices"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(said, words(10));
        assert!(
            tokens
                .iter()
                .all(|event| event["choices"][0]["finish_reason"].is_null())
        );
        assert_eq!(finish["choices"][0]["finish_reason"], "length");
        assert_eq!(usage["choices"], json!([]));
        let expected = json!({ "prompt_tokens": 3, "total_tokens": 13, "completion_tokens": 10 });
        assert_eq!(usage["usage"], expected);
        let ids: Vec<&Value> = tokens
            .iter()
            .chain([finish, usage])
            .map(|event| &event["id"])
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert!(tokens.iter().all(|event| event["model"] == "mock"));
    }
}

#[test]
fn a_paced_chat_has_a_chunk_for_each_token() {
    let server = start(&MetronomeOptions {
        ttft_ms: 2.0,
        itl_ms: 0.5,
        role_chunk_ms: Some(1.0),
        tokens: 8,
        ..quick()
    });
    let body = json!({
        "model": "mock", "messages": [{ "role": "user", "content": "a b" }],
        "max_completion_tokens": 3, "stream": true,
    });
    let mut client = Client::new(&server);
    client.post("/v1/chat/completions", "", &body);
    let answer = client.answer();
    // The role, eight tokens, the finish reason, the usage and the end.
    assert_eq!(answer.chunks.len(), 12);
    let events = answer.events();
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({ "role": "assistant", "content": "" })
    );
    let said: String = events[1..9]
        .iter()
        .map(|event| event["choices"][0]["delta"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, words(8));
    assert_eq!(events[9]["choices"][0]["delta"], json!({}));
    assert_eq!(events[9]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[10]["usage"]["prompt_tokens"], 2);
    assert!(
        events
            .iter()
            .all(|event| event["object"] == "chat.completion.chunk")
    );
}

#[test]
fn an_answer_that_is_not_streamed_is_one_document() {
    let server = start(&quick());
    let mut client = Client::new(&server);
    let body = json!({ "model": "mock", "prompt": ["a", "b c"], "max_tokens": 4 });
    client.post("/v1/completions", "", &body);
    let answer = client.answer();
    assert_eq!(answer.json()["choices"][0]["text"], words(4));
    assert_eq!(answer.json()["usage"]["total_tokens"], 7);
    let body = json!({ "model": "mock", "messages": [{ "content": "a" }], "stream": false });
    client.post("/v1/chat/completions", "", &body);
    let answer = client.answer().json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["content"], words(16));
}

#[test]
fn a_connection_serves_one_request_after_another() {
    let server = start(&quick());
    let mut client = Client::new(&server);
    for tokens in 1..20 {
        assert_eq!(client.stream(tokens).events().len() as u32, tokens + 2);
    }
    // Sent ahead, answered in order.
    for tokens in 1..20 {
        client.post("/v1/completions", "", &text(tokens));
        client.write("GET /health HTTP/1.1\r\n\r\n");
    }
    for tokens in 1..20 {
        assert_eq!(client.answer().events().len() as u32, tokens + 2);
        assert_eq!(client.answer().status, 200);
    }
    client.post("/v1/completions", "connection: close\r\n", &text(2));
    let answer = client.answer();
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert_eq!(answer.events().len(), 4);
    assert!(client.is_closed());
}

#[test]
fn many_connections_are_served_at_once() {
    let server = start(&quick());
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut client = Client::new(&server);
                for _ in 0..20 {
                    let answer = client.stream(50);
                    assert_eq!(answer.chunks.len(), 53);
                    assert_eq!(answer.events()[49]["choices"][0]["text"], " w000049");
                }
            });
        }
    });
}

#[test]
fn who_does_not_read_holds_up_nobody_and_loses_nothing() {
    let server = start(&MetronomeOptions {
        events_per_write: 1024,
        ..quick()
    });
    let mut idle = Client::new(&server);
    // About 70 MB: more than the system's buffers take.
    let tokens = 400_000;
    idle.post("/v1/completions", "", &text(tokens));
    let mut other = Client::new(&server);
    for _ in 0..50 {
        assert_eq!(other.stream(100).events().len(), 102);
    }
    idle.head();
    let mut place = 0;
    while place < tokens {
        let chunk = idle.chunk().unwrap();
        for event in chunk.split_terminator("\n\n") {
            let word = format!("\" w{place:06}\"");
            assert!(event.contains(&word), "{place}: {event}");
            place += 1;
        }
    }
    for _ in 0..3 {
        idle.chunk().unwrap();
    }
    assert_eq!(idle.chunk(), None);
    assert_eq!(idle.stream(1).events().len(), 3);
}

#[test]
fn a_dropped_server_has_ended() {
    let server = start(&quick());
    let mut client = Client::new(&server);
    assert_eq!(client.get("/health").status, 200);
    let address = server.address();
    server.stop().unwrap();
    assert!(client.is_closed());
    let refused = TcpStream::connect(address).and_then(|mut stream| stream.write_all(b"GET"));
    assert!(refused.is_err());
}
