//! How many requests are sent, which, and when a benchmark ends.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::fake::{
    DEADLINE, FakeServer, STREAM_HEAD, Seen, Step, TEXT, Watcher, event, good, measure, plain, send, stream,
    until, watch, workload,
};
use autotuner_core::measure::RequestOutcome;
use autotuner_load::BenchError;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_whole_benchmark() {
    let server = FakeServer::start(|_| good()).await;
    let mut workload = workload(1, 10);
    workload.scenarios.push("D(20,7)".parse().unwrap());
    workload.concurrency = vec![2, 3];
    workload.warmup_requests = 1;
    let mut watcher = Watcher::default();
    let recording = watch(
        &server.endpoint,
        &workload,
        CancellationToken::new(),
        &mut watcher,
    )
    .await
    .unwrap();

    let levels: Vec<_> = recording
        .levels
        .iter()
        .map(|level| (level.scenario.as_str(), level.concurrency))
        .collect();
    assert_eq!(
        levels,
        [("D(30,9)", 2), ("D(30,9)", 3), ("D(20,7)", 2), ("D(20,7)", 3)]
    );
    assert_eq!(watcher.levels, recording.levels);
    // A round of each level's concurrency warms up, though fewer requests are asked for.
    assert_eq!(server.asked(), 2 * (2 + 3) + 4 * 10);
    for level in &recording.levels {
        assert_eq!(level.requests.len(), 10);
        let last_end = level.requests.iter().map(|record| record.ended_ns).max().unwrap();
        assert_eq!(level.window_end_ns, last_end, "it ran out of requests");
        for record in &level.requests {
            assert_eq!(record.outcome, RequestOutcome::Success);
            assert!(level.window_start_ns <= record.intended_ns && record.intended_ns <= record.sent_ns);
        }
        assert!(
            level
                .requests
                .is_sorted_by_key(|record| record.input_tokens.count)
        );
    }
    let last = watcher.progress.last().unwrap();
    assert_eq!((last.level, last.levels, last.warming_up), (3, 4, false));
    assert_eq!((last.completed, last.failed, last.planned), (10, 0, 10));
    assert!(watcher.progress.iter().any(|progress| progress.warming_up));
    server.until_all_closed().await;
}

#[tokio::test]
async fn what_is_sent() {
    let server = FakeServer::start(|_| good()).await;
    measure(&server, &workload(1, 1)).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert!(
        seen.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{}",
        seen.head
    );
    for header in [
        "authorization: Bearer the-key",
        "content-type: application/json",
        "host: 127.0.0.1:",
    ] {
        assert!(seen.head.contains(header), "{}", seen.head);
    }
    assert_eq!(seen.words(), 30);
    let expected = serde_json::json!({
        "model": "the-model", "messages": [{"role": "user", "content": seen.prompt()}], "max_tokens": 9,
        "stream": true, "stream_options": {"include_usage": true}, "ignore_eos": true, "temperature": 0.0,
    });
    assert_eq!(seen.body, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_in_flight_than_asked_for() {
    let server = FakeServer::start(|seen| {
        let mut answer = good();
        answer.insert(1, Step::Pause(Duration::from_millis(seen.number as u64 % 5)));
        answer
    })
    .await;
    let mut workload = workload(7, 150);
    workload.warmup_requests = 20;
    let recording = measure(&server, &workload).await.unwrap();
    assert_eq!(recording.levels[0].requests.len(), 150);
    assert_eq!(server.asked(), 20 + 150);
    assert_eq!(server.most_in_flight(), 7);
    // One connection for each, kept open, and one for the probe.
    assert_eq!(server.connections(), 7 + 1);
}

#[tokio::test]
async fn the_same_requests_in_every_run_and_at_every_concurrency() {
    let prompts = async |concurrency: u32, seed: u64| {
        let server = FakeServer::start(|_| good()).await;
        let mut workload = workload(concurrency, 40);
        workload.scenarios = vec!["U(10,40)/(5,20)".parse().unwrap()];
        workload.warmup_requests = 0;
        workload.seed = seed;
        measure(&server, &workload).await.unwrap();
        server.prompts()
    };
    let alone = prompts(1, 5).await;
    assert_eq!(alone.len(), 40);
    assert_eq!(alone, prompts(1, 5).await, "in the same order");
    let set = |prompts: Vec<String>| prompts.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(alone.clone()).len(), 40, "all different");
    assert_eq!(set(alone.clone()), set(prompts(4, 5).await));
    assert!(set(alone).is_disjoint(&set(prompts(1, 6).await)), "another seed");
}

#[tokio::test]
async fn no_prompt_twice_in_a_benchmark() {
    let server = FakeServer::start(|_| good()).await;
    let mut workload = workload(2, 20);
    workload.concurrency = vec![2, 2];
    workload.warmup_requests = 10;
    measure(&server, &workload).await.unwrap();
    let prompts = server.seen().iter().map(Seen::prompt).collect::<BTreeSet<_>>();
    assert_eq!(prompts.len(), server.seen().len());
}

#[tokio::test]
async fn connections_are_kept_or_renewed() {
    let closing = |_: &Seen| {
        let body = format!("data: {TEXT}\n\ndata: [DONE]\n\n");
        vec![
            send(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}")),
            Step::Close,
        ]
    };
    let server = FakeServer::start(closing).await;
    let recording = measure(&server, &workload(1, 5)).await.unwrap();
    assert!(
        recording.levels[0]
            .requests
            .iter()
            .all(|record| record.outcome == RequestOutcome::Success)
    );
    assert_eq!(
        server.connections(),
        1 + 1 + 5,
        "probe, warm-up and window, each on its own"
    );

    let server = FakeServer::start(|_| good()).await;
    measure(&server, &workload(1, 5)).await.unwrap();
    assert_eq!(server.connections(), 1 + 1);
}

#[tokio::test]
async fn a_level_that_runs_out_of_time() {
    let server = FakeServer::start(|_| {
        let mut answer = good();
        answer.insert(1, Step::Pause(Duration::from_millis(5)));
        answer
    })
    .await;
    let mut workload = workload(2, u32::MAX);
    workload.max_time_per_level = Duration::from_millis(400);
    let recording = measure(&server, &workload).await.unwrap();
    let level = &recording.levels[0];
    assert_eq!(level.window_end_ns - level.window_start_ns, 400_000_000);
    assert_eq!(
        level.requests.len(),
        server.asked() - 2,
        "every request has a record"
    );
    for record in &level.requests {
        assert!(
            record.intended_ns <= level.window_end_ns,
            "none is started after the window"
        );
        assert_eq!(
            record.outcome,
            RequestOutcome::Success,
            "those in flight may finish"
        );
    }
}

#[tokio::test]
async fn what_is_open_after_the_drain_is_cut_off() {
    let script = |seen: &Seen| match seen.number % 2 {
        _ if seen.is_probe => good(),
        0 => good(),
        _ => vec![send(STREAM_HEAD), send(event(TEXT)), Step::Hold],
    };
    let server = FakeServer::start(script).await;
    let mut workload = workload(1, 10);
    workload.max_time_per_level = Duration::from_secs(1);
    workload.drain = Duration::from_millis(300);
    // So that the window's first request succeeds and its second hangs.
    workload.warmup_requests = 0;
    let recording = measure(&server, &workload).await.unwrap();
    let level = &recording.levels[0];
    assert_eq!(level.window_end_ns - level.window_start_ns, 1_000_000_000);
    let [good, cut] = &level.requests[..] else {
        panic!("{level:?}")
    };
    assert_eq!(good.outcome, RequestOutcome::Success);
    assert_eq!((&cut.outcome, cut.content_ns.len()), (&RequestOutcome::CutOff, 1));
    assert!(cut.ended_ns >= level.window_end_ns + 300_000_000);
    server.until_all_closed().await;
}

#[tokio::test]
async fn a_warm_up_that_hangs_is_bounded() {
    let script = |seen: &Seen| match seen.number {
        1 if !seen.is_probe => vec![Step::Hold],
        _ => good(),
    };
    let server = FakeServer::start(script).await;
    let mut workload = workload(2, 4);
    workload.max_warmup = Duration::from_millis(500);
    let recording = measure(&server, &workload).await.unwrap();
    assert_eq!(recording.levels[0].requests.len(), 4);
    assert!(
        recording.levels[0]
            .requests
            .iter()
            .all(|record| record.outcome == RequestOutcome::Success)
    );
}

#[tokio::test]
async fn an_observer_may_stop_after_a_level() {
    let server = FakeServer::start(|_| good()).await;
    let mut workload = workload(1, 3);
    workload.concurrency = vec![1, 2, 3];
    let mut watcher = Watcher {
        stop_after: Some(2),
        ..Watcher::default()
    };
    let recording = watch(
        &server.endpoint,
        &workload,
        CancellationToken::new(),
        &mut watcher,
    )
    .await
    .unwrap();
    assert_eq!(recording.levels.len(), 2);
    server.until_all_closed().await;
}

#[tokio::test]
async fn cancelling_closes_everything_at_once() {
    // In the probe, in the warm-up and in the window.
    for hold_from in [None, Some(0), Some(3)] {
        let script = move |seen: &Seen| match hold_from {
            None => vec![Step::Hold],
            Some(from) if !seen.is_probe && seen.number >= from => vec![Step::Hold],
            Some(_) => good(),
        };
        let server = FakeServer::start(script).await;
        let cancel = CancellationToken::new();
        let workload = workload(3, 20);
        let mut watcher = Watcher::default();
        let cancelling = async {
            let expected = if hold_from.is_none() { 1 } else { 3 };
            until("requests hang", || server.in_flight() == expected).await;
            cancel.cancel();
        };
        let measuring = watch(&server.endpoint, &workload, cancel.clone(), &mut watcher);
        let (result, ()) = tokio::join!(measuring, cancelling);
        assert!(
            matches!(result, Err(BenchError::Cancelled)),
            "{hold_from:?}: {result:?}"
        );
        server.until_all_closed().await;
    }
}

#[tokio::test]
async fn a_server_that_never_answers_well_is_given_up() {
    let server = FakeServer::start(|_| plain("503 Busy", "still loading")).await;
    let mut workload = workload(4, 1000);
    workload.warmup_requests = 1000;
    let error = measure(&server, &workload).await.unwrap_err();
    let BenchError::NothingSucceeded { first_error } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(first_error, "HTTP status 503: still loading");
    assert!(
        server.asked() <= 8,
        "it does not go on for long: {}",
        server.asked()
    );
    server.until_all_closed().await;

    // Without a warm-up the window itself shows it.
    workload.warmup_requests = 0;
    let error = measure(&server, &workload).await.unwrap_err();
    assert!(matches!(error, BenchError::NothingSucceeded { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_refuses_every_shape_is_given_up_by_the_probe() {
    let server = FakeServer::start(|_| plain("400 Bad Request", "no such model")).await;
    let error = measure(&server, &workload(1, 5)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no request succeeded: HTTP status 400: no such model"
    );
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn a_first_window_without_success_is_no_result() {
    let script = |seen: &Seen| match seen.is_probe || seen.number == 0 {
        true => good(),
        false => stream(&[r#"{"error":"out of memory"}"#]),
    };
    let server = FakeServer::start(script).await;
    let error = measure(&server, &workload(1, 4)).await.unwrap_err();
    let expected = "no request succeeded: the server reported an error inside the stream: out of memory";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_only_hangs_is_given_up_after_its_limits() {
    let script = |seen: &Seen| if seen.is_probe { good() } else { vec![Step::Hold] };
    let server = FakeServer::start(script).await;
    let mut workload = workload(1, 4);
    workload.max_warmup = Duration::from_millis(300);
    workload.request_timeout = DEADLINE;
    let error = measure(&server, &workload).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no request succeeded: no request ended within the warm-up's 300ms"
    );
}

#[tokio::test]
async fn an_endpoint_without_a_server() {
    let server = FakeServer::start(|_| good()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoint = server.endpoint.clone();
    endpoint.base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = watch(
        &endpoint,
        &workload(1, 5),
        CancellationToken::new(),
        &mut Watcher::default(),
    )
    .await;
    let Err(BenchError::EndpointGone { url, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(url, endpoint.base_url);
}

#[tokio::test]
async fn a_server_that_dies_under_load() {
    let kill = std::sync::Arc::new(std::sync::OnceLock::<CancellationToken>::new());
    let killer = std::sync::Arc::clone(&kill);
    let server = FakeServer::start(move |seen| {
        if seen.number == 20 {
            killer.get().unwrap().cancel();
        }
        good()
    })
    .await;
    kill.set(server.killer()).unwrap();
    let error = measure(&server, &workload(3, 1_000_000)).await.unwrap_err();
    assert!(matches!(error, BenchError::EndpointGone { .. }), "{error:?}");
}

#[tokio::test]
async fn workloads_that_send_nothing_are_refused() {
    let server = FakeServer::start(|_| good()).await;
    let check = async |change: fn(&mut autotuner_core::workload::Workload), expected: &str| {
        let mut workload = workload(1, 1);
        change(&mut workload);
        let error = measure(&server, &workload).await.unwrap_err();
        assert!(matches!(error, BenchError::BadWorkload { .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(|workload| workload.scenarios.clear(), "no scenario").await;
    check(|workload| workload.concurrency.clear(), "no concurrency").await;
    check(|workload| workload.concurrency.push(0), "concurrency of 0").await;
    check(|workload| workload.max_requests_per_level = 0, "no request").await;
    check(
        |workload| workload.max_time_per_level = Duration::ZERO,
        "no time for a level",
    )
    .await;
    check(
        |workload| workload.request_timeout = Duration::ZERO,
        "no time for an answer",
    )
    .await;
    assert_eq!(server.connections(), 0);
}
