//! Who answered, and what becomes of answers without an end: against scripts, and against the
//! simulated engine.

use autotuner_core::engine::Endpoint;
use autotuner_core::measure::{RequestError, RequestOutcome};
use autotuner_load::{BenchError, Recording};
use autotuner_sim_engine::{LogLevel, Options, RunningSim, spawn_in_process};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake::{
    FINISH, FakeServer, STREAM_HEAD, Seen, Step, Watcher, chunk, event, good, measure, send, stream, watch,
    workload,
};

async fn start_sim(faults: &[&str]) -> RunningSim {
    let options = Options {
        time_scale: 0.01,
        noise: 0.0,
        log_level: LogLevel::Off,
        fault: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    };
    spawn_in_process(options).await.unwrap()
}

async fn measure_sim(sim: &RunningSim) -> Result<Recording, BenchError> {
    let endpoint = Endpoint {
        base_url: sim.base_url(),
        model: "sim".into(),
        api_key: None,
    };
    let mut watcher = Watcher::default();
    watch(
        &endpoint,
        &workload(2, 12),
        CancellationToken::new(),
        &mut watcher,
    )
    .await
}

/// What a server is measured as whose answers are from these senders in turn, and its model's
/// name; the server is asked for `the-model`.
async fn answered_by(senders: &'static [Option<&str>], model: &'static str) -> Recording {
    let script = move |seen: &Seen| {
        let sender = senders[seen.number % senders.len()];
        let text = json!({
            "model": model, "system_fingerprint": sender, "choices": [{"delta": {"content": "a"}}],
        });
        stream(&[&text.to_string(), FINISH, "[DONE]"])
    };
    let server = FakeServer::start(script).await;
    measure(&server, &workload(1, 10)).await.unwrap()
}

async fn check(
    senders: &'static [Option<&str>],
    model: &'static str,
    fingerprints: &[&str],
    note: Option<&str>,
) {
    let recording = answered_by(senders, model).await;
    assert_eq!(recording.fingerprints, fingerprints);
    let about_origins: Vec<_> = recording
        .notes
        .iter()
        .filter(|note| note.contains("engine") || note.contains("as model"))
        .collect();
    assert_eq!(about_origins, Vec::from_iter(note), "{:#?}", recording.notes);
}

#[tokio::test]
async fn whoever_answers_is_told() {
    check(&[None], "the-model", &[], None).await;
    check(&[Some("b6000")], "the-model", &["b6000"], None).await;
    check(
        &[Some("a"), Some("a"), Some("b")],
        "the-model",
        &["a", "b"],
        Some("answers came from more than one engine: a, b"),
    )
    .await;
    check(
        &[Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), Some("f")],
        "the-model",
        &["a", "b", "c", "d", "e"],
        Some("answers came from more than one engine: a, b, c, d and more"),
    )
    .await;
    check(
        &[Some("a"), None],
        "the-model",
        &["a"],
        Some("answers may have come from more than one engine: some are from a, some do not say from whom"),
    )
    .await;
    check(
        &[None],
        "a/path/of-its-own",
        &[],
        Some("the server answers as model a/path/of-its-own where the-model was asked for"),
    )
    .await;
}

#[tokio::test]
async fn a_simulated_engine_is_told_by_its_name() {
    let (one, other) = (start_sim(&[]).await, start_sim(&[]).await);
    let names = async |sim| measure_sim(sim).await.unwrap().fingerprints;
    assert_eq!(names(&one).await, [one.identity()]);
    assert_eq!(names(&other).await, [other.identity()]);
    assert_ne!(one.identity(), other.identity());
}

#[tokio::test]
async fn a_line_without_end_is_given_up_after_little_of_it() {
    const PIECES: usize = 1024;
    const PIECE: usize = 64 * 1024;
    let endless = || {
        let mut steps = vec![send(STREAM_HEAD), send(chunk("data: "))];
        steps.extend(std::iter::repeat_n(send(chunk([b'x'; PIECE])), PIECES));
        steps.push(Step::Close);
        steps
    };
    let script = move |seen: &Seen| match seen.is_probe || seen.number != 1 {
        true => good(),
        false => endless(),
    };
    let server = FakeServer::start(script).await;
    let recording = measure(&server, &workload(1, 3)).await.unwrap();
    let records = &recording.levels[0].requests;
    let RequestOutcome::Failed { error, detail } = &records[0].outcome else {
        panic!("{records:?}")
    };
    assert_eq!(*error, RequestError::Parse);
    assert!(detail.contains("more than 1048576 bytes"), "{detail}");
    assert_eq!(records[2].outcome, RequestOutcome::Success, "and the next one");
    server.until_all_closed().await;
    // One line of the longest length, and what the system holds for a connection.
    let written = server.written();
    assert!(written < PIECES * PIECE / 2, "{written} bytes were taken");
}

#[tokio::test]
async fn an_event_of_endless_lines_is_given_up_too() {
    const PIECES: usize = 1024;
    let line = format!("data: {}\n", "x".repeat(64 * 1024));
    let script = move |seen: &Seen| match seen.is_probe || seen.number != 1 {
        true => good(),
        false => {
            let mut steps = vec![send(STREAM_HEAD), send(event(FINISH))];
            steps.extend(std::iter::repeat_n(send(chunk(&line)), PIECES));
            steps.push(Step::Close);
            steps
        }
    };
    let server = FakeServer::start(script).await;
    let recording = measure(&server, &workload(1, 3)).await.unwrap();
    let outcome = &recording.levels[0].requests[0].outcome;
    assert!(
        matches!(
            outcome,
            RequestOutcome::Failed {
                error: RequestError::Parse,
                ..
            }
        ),
        "{outcome:?}"
    );
    server.until_all_closed().await;
    assert!(
        server.written() < PIECES * 64 * 1024 / 2,
        "{} bytes",
        server.written()
    );
}

#[tokio::test]
async fn a_simulated_line_without_end_is_a_request_that_failed() {
    // The six probes and the two requests of the warm-up come before the twelve.
    let sim = start_sim(&["endless-line=10"]).await;
    let recording = measure_sim(&sim).await.unwrap();
    let failed: Vec<_> = recording.levels[0]
        .requests
        .iter()
        .filter_map(|request| match &request.outcome {
            RequestOutcome::Failed { error, detail } => Some((*error, detail.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    for (error, detail) in failed {
        assert_eq!(error, RequestError::Parse);
        assert!(detail.contains("more than 1048576 bytes"), "{detail}");
    }
}
