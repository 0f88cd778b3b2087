//! Servers that mean harm: they send without end, or next to nothing for ever, or go in the worst
//! way. Each costs one request, which is classed, and little memory; the next one is answered.

use std::time::Duration;

use autotuner_core::measure::{RequestError, RequestOutcome, RequestRecord};

use crate::fake::{FakeServer, STREAM_HEAD, Seen, Step, TEXT, event, good, records, send, workload};

/// More than any machine of a test would hold.
const TEN_GIGABYTES: u64 = 10 << 30;

/// What may have left the server before it sees that the client has gone: what the client takes
/// from a line or an answer, and what both sides' sockets hold.
const MOST_WRITTEN: usize = 48 << 20;

/// By how much the memory of this process may have grown, bytes.
const MOST_GROWTH: u64 = 256 << 20;

/// The record of a request that is answered like this, between two that are answered well.
async fn struck(answer: Vec<Step>, time_limit: Option<Duration>) -> (RequestRecord, usize) {
    let before = memory();
    let script = move |seen: &Seen| match (seen.is_probe, seen.number) {
        (false, 2) => answer.clone(),
        _ => good(),
    };
    let server = FakeServer::start(script).await;
    let mut workload = workload(1, 3);
    if let Some(limit) = time_limit {
        workload.max_time_per_level = limit;
        workload.drain = limit;
    }
    let mut records = records(&server, &workload).await.into_iter();
    server.until_all_closed().await;
    let grown = memory().saturating_sub(before);
    assert!(grown < MOST_GROWTH, "{grown} bytes more than before");
    assert_eq!(records.next().unwrap().outcome, RequestOutcome::Success);
    let struck = records.next().unwrap();
    if time_limit.is_none() {
        let next = records.next().unwrap();
        assert_eq!(next.outcome, RequestOutcome::Success, "and the next one");
    }
    (struck, server.written())
}

/// The most memory that this process has had until now, bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024
}

#[track_caller]
fn check(record: &RequestRecord, expected: RequestError, expected_detail: &str) {
    let RequestOutcome::Failed { error, detail } = &record.outcome else {
        panic!("{:?}", record.outcome)
    };
    assert_eq!(*error, expected, "{detail}");
    assert!(detail.contains(expected_detail), "{detail}");
    assert!(detail.chars().count() <= 300, "{detail}");
}

/// A server that floods loses its client long before it is done.
async fn check_flood(before: Vec<Step>, piece: Vec<u8>, expected: RequestError, expected_detail: &str) {
    let flood = Step::Flood(piece, TEN_GIGABYTES);
    let (record, written) = struck([before, vec![flood]].concat(), None).await;
    check(&record, expected, expected_detail);
    assert!(written < MOST_WRITTEN, "{written} bytes were taken");
}

#[tokio::test]
async fn a_line_without_end() {
    let head = || {
        vec![
            send(plain_head()),
            send("data: {\"choices\":[{\"delta\":{\"content\":\""),
        ]
    };
    check_flood(head(), vec![b'x'; 64 * 1024], RequestError::Parse, "more than").await;
    check_flood(head(), b"\\u0000".repeat(1000), RequestError::Parse, "more than").await;
}

#[tokio::test]
async fn an_event_without_end() {
    let lines = b"data: {\n".repeat(1000);
    check_flood(vec![send(plain_head())], lines, RequestError::Parse, "more than").await;
}

#[tokio::test]
async fn a_head_without_end() {
    let begun = || vec![send("HTTP/1.1 200 OK\r\n")];
    check_flood(
        begun(),
        b"x-more: and more\r\n".repeat(100),
        RequestError::Parse,
        "",
    )
    .await;
    check_flood(begun(), vec![b'x'; 4096], RequestError::Parse, "").await;
}

#[tokio::test]
async fn a_chunk_s_size_without_end() {
    check_flood(vec![send(STREAM_HEAD)], vec![b'0'; 4096], RequestError::Parse, "").await;
    let extended = vec![send(STREAM_HEAD), send("5;")];
    check_flood(extended, vec![b'x'; 4096], RequestError::Parse, "").await;
}

#[tokio::test]
async fn a_refusal_without_end() {
    let head = format!("HTTP/1.1 500 Oh\r\ncontent-length: {TEN_GIGABYTES}\r\n\r\n");
    let words = b"no memory ".repeat(1000);
    check_flood(vec![send(head)], words, RequestError::Status(500), "no memory").await;
}

/// Each event is as it should be; there are only too many of them.
#[tokio::test]
async fn content_without_end() {
    let piece = event(TEXT).repeat(500);
    let flood = vec![send(STREAM_HEAD), Step::Flood(piece, TEN_GIGABYTES)];
    let (record, _) = struck(flood, None).await;
    check(&record, RequestError::Parse, "more than");
}

/// Something comes now and then, so silence does not end it; the level's time does.
#[tokio::test]
async fn a_trickle_that_never_amounts_to_anything() {
    let pause = Duration::from_millis(20);
    let limit = Some(Duration::from_millis(400));
    for (before, piece) in [
        (vec![send("HTTP/1.1 200 OK\r\nx: ")], b"x".to_vec()),
        (vec![send(STREAM_HEAD)], b"1\r\n:\r\n".to_vec()),
        (vec![send(STREAM_HEAD), send(event(TEXT))], event("{}")),
    ] {
        let (record, _) = struck([before, vec![Step::Drip(piece, pause)]].concat(), limit).await;
        assert_eq!(record.outcome, RequestOutcome::CutOff);
    }
}

#[tokio::test]
async fn a_reset_at_any_point() {
    let check_reset = async |before: Vec<Step>, expected| {
        let pause = Step::Pause(Duration::from_millis(20));
        let (record, _) = struck([before, vec![pause, Step::Reset]].concat(), None).await;
        check(&record, expected, "");
    };
    check_reset(vec![send("HTTP/1.1 200")], RequestError::Connect).await;
    check_reset(vec![send(STREAM_HEAD)], RequestError::Truncated).await;
    check_reset(
        vec![send(STREAM_HEAD), send(event(TEXT))],
        RequestError::Truncated,
    )
    .await;
    check_reset(
        vec![send(STREAM_HEAD), send(&event(TEXT)[..9])],
        RequestError::Truncated,
    )
    .await;
}

/// It has said that nothing more comes and keeps its connection all the same.
#[tokio::test]
async fn a_connection_that_is_half_open() {
    let half_open = |before: Vec<Step>| [before, vec![Step::HalfClose, Step::Hold]].concat();
    let (record, _) = struck(half_open(vec![send(STREAM_HEAD), send(event(TEXT))]), None).await;
    check(&record, RequestError::Truncated, "");
    let (record, _) = struck(half_open(vec![send("HTTP/1.1 200 OK\r\n")]), None).await;
    check(&record, RequestError::Connect, "");
}

fn plain_head() -> &'static str {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
}
