//! Requests of every shape, good and bad.

use serde_json::json;

use crate::client::{Client, quick, start, text, truth};

const CHUNKED: &str = "POST /v1/completions HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n";

#[test]
fn a_chunked_body_is_read_however_it_comes() {
    let server = start(&quick());
    let body = text(4).to_string();
    let (one, two) = body.split_at(11);
    let request = format!(
        "{CHUNKED}{:x}\r\n{one}\r\n{:X};extension=1\r\n{two}\r\n0\r\ntrailer: 1\r\n\r\n",
        one.len(),
        two.len()
    );
    let mut client = Client::new(&server);
    client.write(&request);
    assert_eq!(client.answer().events().len(), 6);
    for byte in request.as_bytes() {
        client.write([*byte]);
    }
    let usage = client.answer().events()[5]["usage"].clone();
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"]),
        (&json!(3), &json!(4))
    );
}

#[test]
fn a_long_prompt_is_read() {
    let server = start(&quick());
    let prompt = "word ".repeat(1_000_000);
    let body = json!({ "prompt": prompt, "max_tokens": 1, "stream": true });
    let mut client = Client::new(&server);
    client.post("/v1/completions", "", &body);
    assert_eq!(client.answer().events()[2]["usage"]["prompt_tokens"], 1_000_000);
    let body = body.to_string();
    client.write(format!("{CHUNKED}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
    assert_eq!(client.answer().events()[2]["usage"]["prompt_tokens"], 1_000_000);
}

#[test]
fn who_waits_to_be_asked_for_the_body_is_asked() {
    let server = start(&quick());
    let body = text(2).to_string();
    let mut client = Client::new(&server);
    client.write(format!(
        "POST /v1/completions HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ));
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write(body);
    assert_eq!(client.answer().events().len(), 4);
}

#[test]
fn what_else_is_to_be_had() {
    let server = start(&quick());
    let mut client = Client::new(&server);
    assert_eq!(client.get("/health").body, "");
    assert_eq!(client.get("/v1/models").json()["data"][0]["object"], "model");
    let version = client.get("/version?x=1").json();
    assert_eq!(version["version"], autotuner_sim_engine::VERSION);
    let metrics = client.get("/metrics");
    assert!(
        metrics.body.contains("vllm:num_requests_running 0\n"),
        "{}",
        metrics.body
    );
}

#[test]
fn a_request_that_asks_for_nonsense_is_refused_and_the_connection_lives() {
    let server = start(&quick());
    let mut client = Client::new(&server);
    for body in [json!([]), json!({}), json!({ "prompt": "a", "max_tokens": 0 })] {
        client.post("/v1/completions", "", &body);
        let answer = client.answer();
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json()["error"]["code"], 400, "{body}");
    }
    client.post("/v1/chat/completions", "", &text(1));
    assert_eq!(client.answer().status, 400);
    client.post("/v1/nothing", "", &text(1));
    assert_eq!(client.answer().status, 404);
    client.post("/truth", "", &text(1));
    assert_eq!(client.answer().status, 405);
    assert_eq!(client.get("/v1/completions").status, 405);
    assert_eq!(client.stream(1).events().len(), 3);
    assert_eq!(truth(&server).requests.len(), 1);
}

#[test]
fn what_is_no_request_is_refused_and_the_server_lives() {
    let server = start(&quick());
    let long = format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(70_000));
    for (bytes, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\n\r\n", 505),
        ("DELETE / HTTP/1.1\r\n\r\n", 404),
        ("HEAD /health HTTP/1.1\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n{", 413),
        ("POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", 501),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
            400,
        ),
        ("\u{0}\u{1}\r\n\r\n", 400),
        (&long, 431),
    ] {
        let mut client = Client::new(&server);
        client.write(bytes);
        let answer = client.answer();
        assert_eq!(answer.status, status, "{bytes:.40}");
        assert!(answer.head.contains("connection: close"), "{}", answer.head);
        assert!(client.is_closed(), "{bytes:.40}");
    }
    assert_eq!(Client::new(&server).stream(1).events().len(), 3);
}
