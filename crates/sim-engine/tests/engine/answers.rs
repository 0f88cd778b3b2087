//! What a client gets.

use autotuner_sim_engine::{Options, Outcome, RunningSim};
use http_body_util::Full;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::*;

fn chat(max_tokens: u32, is_streaming: bool) -> Value {
    json!({
        "model": "sim", "max_tokens": max_tokens, "stream": is_streaming,
        "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "one two three" }],
    })
}

/// The choices (without logprobs) and the usage of each chunk.
fn outline(read: &Read) -> Vec<(Value, Value)> {
    let mut chunks = read.chunks();
    for chunk in &mut chunks {
        for choice in chunk["choices"].as_array_mut().unwrap() {
            choice.as_object_mut().unwrap().remove("logprobs");
        }
    }
    chunks
        .iter_mut()
        .map(|chunk| (chunk["choices"].take(), chunk["usage"].take()))
        .collect()
}

#[tokio::test]
async fn a_chat_stream_is_role_tokens_finish_usage() {
    let sim = start(quick()).await;
    let read = post(&sim, "/v1/chat/completions", &chat(2, true)).await;
    assert_eq!(read.headers["content-type"], "text/event-stream; charset=utf-8");
    let outline = outline(&read);
    let word = |index: usize| {
        outline[index].0[0]["delta"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let expected = [
        (
            json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }]),
            Value::Null,
        ),
        (
            json!([{ "index": 0, "delta": { "content": word(1) }, "finish_reason": null }]),
            Value::Null,
        ),
        (
            json!([{ "index": 0, "delta": { "content": word(2) }, "finish_reason": null }]),
            Value::Null,
        ),
        (
            json!([{ "index": 0, "delta": {}, "finish_reason": "length" }]),
            Value::Null,
        ),
        (
            json!([]),
            json!({
                "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
                "prompt_tokens_details": { "cached_tokens": 0 },
            }),
        ),
    ];
    assert_eq!(outline, expected);
    assert!(
        read.is_whole && !word(1).is_empty() && word(2).starts_with(' '),
        "{}",
        read.body
    );
    assert_eq!(read.chunks()[0]["object"], "chat.completion.chunk");
}

#[tokio::test]
async fn a_text_stream_is_tokens_finish_usage() {
    let sim = start(quick()).await;
    let read = complete(&sim, "one two three", 2, true).await;
    let outline = outline(&read);
    assert_eq!(outline.len(), 4, "{}", read.body);
    assert!(
        outline[..2]
            .iter()
            .all(|(choices, _)| !choices[0]["text"].as_str().unwrap().is_empty())
    );
    assert_eq!(
        outline[2].0,
        json!([{ "index": 0, "text": "", "finish_reason": "length" }])
    );
    assert_eq!(
        (&outline[3].0, &outline[3].1["completion_tokens"]),
        (&json!([]), &json!(2))
    );
}

#[tokio::test]
async fn usage_is_streamed_only_when_asked_for() {
    let sim = start(quick()).await;
    let body = json!({ "model": "sim", "prompt": "a", "max_tokens": 2, "stream": true });
    let read = post(&sim, "/v1/completions", &body).await;
    assert!(!read.body.contains("usage"), "{}", read.body);
    assert_eq!(read.chunks().len(), 3);
}

#[tokio::test]
async fn a_whole_answer_is_the_stream_joined() {
    let sim = start(quick()).await;
    let streamed: String = complete(&sim, "one two", 30, true)
        .await
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["text"].as_str().map(str::to_owned))
        .collect();
    let whole = complete(&sim, "one two", 30, false).await.json();
    assert_eq!(whole["choices"][0]["text"], streamed);
    assert_eq!(whole["usage"]["completion_tokens"], 30);
    assert_eq!(streamed.split_whitespace().count(), 30);
    let chatted = post(&sim, "/v1/chat/completions", &chat(4, false)).await.json();
    assert_eq!(chatted["choices"][0]["message"]["role"], "assistant");
    assert_eq!(chatted["object"], "chat.completion");
}

#[tokio::test]
async fn the_seed_decides_the_words() {
    let answer = async |seed| {
        let sim = start(Options { seed, ..quick() }).await;
        complete(&sim, "one", 10, false).await.json()["choices"][0]["text"].clone()
    };
    assert_eq!(answer(1).await, answer(1).await);
    assert_ne!(answer(1).await, answer(2).await);
}

async fn check_refused(sim: &RunningSim, path: &str, body: &str, status: StatusCode, expected: &str) {
    let read = send(sim.address(), Method::POST, path, body.to_owned())
        .await
        .read()
        .await;
    assert_eq!(read.status, status, "{}", read.body);
    assert!(read.error_message().contains(expected), "{}", read.body);
    assert_eq!(read.json()["error"]["code"], status.as_u16());
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_in_the_usual_shape() {
    let sim = start(Options {
        served_model_name: Some("mine".to_owned()),
        ..quick()
    })
    .await;
    let unknown = r#"{"model":"sim","prompt":"a"}"#;
    check_refused(
        &sim,
        "/v1/completions",
        unknown,
        StatusCode::NOT_FOUND,
        "`sim` does not exist",
    )
    .await;
    check_refused(
        &sim,
        "/v1/chat/completions",
        "{",
        StatusCode::BAD_REQUEST,
        "not valid JSON",
    )
    .await;
    let long = r#"{"model":"mine","prompt":"a","max_tokens":4096}"#;
    check_refused(
        &sim,
        "/v1/completions",
        long,
        StatusCode::BAD_REQUEST,
        "maximum context length is 4096",
    )
    .await;
    assert_eq!(sim.truth(), [], "what is refused is not counted");
}

#[tokio::test]
async fn many_at_once_each_get_exactly_what_they_asked_for() {
    let sim = start(quick()).await;
    let mut asked = JoinSet::new();
    for number in 1..=40_u32 {
        let address = sim.address();
        let body = text(&format!("prompt {number}"), number * 3, true).to_string();
        asked.spawn(async move {
            let read = send(address, Method::POST, "/v1/completions", body)
                .await
                .read()
                .await;
            (number * 3, read)
        });
    }
    while let Some(answered) = within(asked.join_next()).await {
        let (expected, read) = answered.unwrap();
        let chunks = read.chunks();
        assert_eq!(chunks.len(), usize::try_from(expected).unwrap() + 2);
        assert_eq!(chunks.last().unwrap()["usage"]["completion_tokens"], expected);
    }
    let truth = sim.truth();
    assert_eq!(truth.len(), 40);
    assert!(
        truth.iter().all(|truth| truth.outcome == Outcome::Complete),
        "{truth:?}"
    );
    assert_eq!(metric(&sim, "vllm:request_success_total").await, 40.0);
    assert_eq!(
        metric(&sim, "vllm:generation_tokens_total").await,
        f64::from((1..=40).map(|n| n * 3).sum::<u32>())
    );
    assert_eq!(metric(&sim, "vllm:num_requests_running").await, 0.0);
}

#[tokio::test]
async fn the_truth_knows_when_each_chunk_was_written() {
    let sim = start(quick()).await;
    let body = text("one two three", 20, true).to_string();
    let request = Request::post("/v1/completions")
        .header("host", "sim")
        .header("x-request-id", "mine-7");
    let reply = send_request(sim.address(), request.body(Full::from(body)).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.headers["x-request-id"], "mine-7");
    let seen = reply.read_times().await;
    let truth = truth(&sim, 1);
    assert_eq!(
        (
            truth.request_id.as_str(),
            truth.prompt_tokens,
            truth.completion_tokens
        ),
        ("mine-7", 3, 20)
    );
    assert_eq!(truth.chunk_ns.len(), 20);
    assert_eq!(truth.first_content_ns, truth.chunk_ns.first().copied());
    assert!(truth.chunk_ns.is_sorted());
    assert!(truth.received_ns <= truth.admitted_ns.unwrap());
    assert!(truth.admitted_ns.unwrap() <= truth.chunk_ns[0]);
    for (written, seen) in truth.chunk_ns.iter().zip(seen) {
        let written = sim.epoch() + std::time::Duration::from_nanos(*written);
        assert!(written <= seen, "seen before it was written");
    }
}

#[tokio::test]
async fn the_truth_is_read_and_cleared_over_http() {
    let sim = start(quick()).await;
    complete(&sim, "one", 3, true).await;
    complete(&sim, "one", 4, false).await;
    let truth = get(&sim, "/sim/truth").await.json();
    assert_eq!(truth["requests"][0]["request_id"], "sim-1");
    assert_eq!(truth["requests"][0]["chunk_ns"].as_array().unwrap().len(), 3);
    assert_eq!(
        truth["requests"][1]["chunk_ns"].as_array().unwrap().len(),
        1,
        "not streamed: one chunk"
    );
    assert_eq!(truth["requests"][1]["completion_tokens"], 4);
    assert!(truth["now_ns"].as_u64() >= truth["requests"][1]["ended_ns"].as_u64());
    let cleared = send(sim.address(), Method::DELETE, "/sim/truth", String::new())
        .await
        .read()
        .await;
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&sim, "/sim/truth").await.json()["requests"], json!([]));
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place() {
    // At full speed and one at a time, the first answer would take minutes.
    let sim = start(Options {
        max_num_seqs: 1,
        time_scale: 10.0,
        startup_seconds: 0.0,
        ..quick()
    })
    .await;
    let body = text("one", 4000, true).to_string();
    let mut leaving = send(sim.address(), Method::POST, "/v1/completions", body).await;
    leaving.read_events(1).await;
    drop(leaving);
    let read = complete(&sim, "two", 2, true).await;
    assert_eq!(read.chunks().len(), 4);
    let left = truth(&sim, 1);
    assert_eq!(left.outcome, Outcome::Aborted);
    assert!(left.completion_tokens < 4000);
}

#[tokio::test]
async fn a_client_that_waits_unstreamed_and_goes_away_frees_its_place() {
    let sim = start(Options {
        max_num_seqs: 1,
        time_scale: 10.0,
        startup_seconds: 0.0,
        ..quick()
    })
    .await;
    let body = text("one", 4000, false).to_string();
    let waiting = tokio::spawn(send(sim.address(), Method::POST, "/v1/completions", body));
    until(async || metric(&sim, "vllm:num_requests_running").await == 1.0).await;
    waiting.abort();
    complete(&sim, "two", 2, true).await;
    assert_eq!(truth(&sim, 1).outcome, Outcome::Aborted);
}

#[tokio::test]
async fn a_known_beginning_is_told_in_the_usage() {
    let cached = async |options| {
        let sim = start(options).await;
        let prompt = "word ".repeat(40);
        complete(&sim, &prompt, 2, true).await;
        complete(&sim, &prompt, 2, false).await.json()["usage"]["prompt_tokens_details"]["cached_tokens"]
            .clone()
    };
    assert_eq!(cached(quick()).await, 32, "two blocks of 16");
    assert_eq!(
        cached(Options {
            no_enable_prefix_caching: true,
            ..quick()
        })
        .await,
        0
    );
}

#[tokio::test]
async fn model_and_version_are_told() {
    let sim = start(Options {
        model: "org/model".to_owned(),
        max_model_len: 2048,
        ..quick()
    })
    .await;
    let models = get(&sim, "/v1/models").await.json();
    assert_eq!(
        (&models["data"][0]["id"], &models["data"][0]["max_model_len"]),
        (&json!("org/model"), &json!(2048))
    );
    assert_eq!(
        get(&sim, "/version").await.json()["version"],
        autotuner_sim_engine::VERSION
    );
}

#[tokio::test]
async fn every_answer_names_its_engine() {
    let (one, other) = (start(quick()).await, start(quick()).await);
    for sim in [&one, &other] {
        let name = |answer: &Value| answer["system_fingerprint"].as_str().unwrap().to_owned();
        let mut chunks = complete(sim, "one", 3, true).await.chunks();
        chunks.extend(post(sim, "/v1/chat/completions", &chat(2, true)).await.chunks());
        chunks.push(complete(sim, "one", 3, false).await.json());
        assert!(
            chunks.iter().all(|chunk| name(chunk) == sim.identity()),
            "{chunks:#?}"
        );
        assert_eq!(get(sim, "/sim/truth").await.json()["identity"], sim.identity());
    }
    assert_ne!(one.identity(), other.identity());
}
