//! What a server may answer, well or badly, and what is recorded of it.

use std::time::Duration;

use crate::fake::{
    FINISH, FakeServer, ROLE, STREAM_HEAD, Seen, Step, TEXT, USAGE, chunk, event, good, measure, plain,
    records, send, stream, workload,
};
use autotuner_core::measure::{RequestError, RequestOutcome, RequestRecord, TokenSource};
use autotuner_core::workload::{Api, Workload};

/// The records of two requests, of which the first is answered like this.
async fn answered(answer: Vec<Step>, workload: &Workload) -> [RequestRecord; 2] {
    let script = move |seen: &Seen| match (seen.is_probe, seen.number) {
        // The warm-up, so that the endpoint is not given up.
        (true, _) | (_, 0) => good(),
        (_, 1) => answer.clone(),
        (..) => good(),
    };
    let server = FakeServer::start(script).await;
    let records = records(&server, workload).await;
    server.until_all_closed().await;
    records.try_into().unwrap()
}

async fn check_good(answer: Vec<Step>) -> RequestRecord {
    let [first, second] = answered(answer, &workload(1, 2)).await;
    assert_eq!(first.outcome, RequestOutcome::Success);
    assert_eq!(first.content_ns.len(), 2);
    assert_eq!(second.outcome, RequestOutcome::Success, "and the next one");
    check_order(&first);
    first
}

fn check_order(record: &RequestRecord) {
    assert!(record.intended_ns <= record.sent_ns, "{record:?}");
    assert!(
        record
            .content_ns
            .first()
            .is_none_or(|first| record.sent_ns <= *first),
        "{record:?}"
    );
    assert!(record.content_ns.is_sorted(), "{record:?}");
    assert!(
        record
            .content_ns
            .last()
            .is_none_or(|last| *last <= record.ended_ns),
        "{record:?}"
    );
}

async fn check_failed(expected: RequestError, expected_detail: &str, answer: Vec<Step>) -> RequestRecord {
    check_failed_with(&workload(1, 2), expected, expected_detail, answer).await
}

async fn check_failed_with(
    workload: &Workload,
    expected: RequestError,
    expected_detail: &str,
    answer: Vec<Step>,
) -> RequestRecord {
    let [first, second] = answered(answer, workload).await;
    let RequestOutcome::Failed { error, detail } = &first.outcome else {
        panic!("{first:?}")
    };
    assert_eq!(*error, expected, "{detail}");
    assert!(detail.contains(expected_detail), "{detail}");
    assert!(detail.chars().count() <= 300, "{detail}");
    assert_eq!(second.outcome, RequestOutcome::Success, "and the next one");
    check_order(&first);
    first
}

#[tokio::test]
async fn good_answers() {
    check_good(good()).await;
    check_good(stream(&[ROLE, "", TEXT, TEXT, FINISH, "[DONE]"])).await;
    check_good(stream(&[TEXT, TEXT, FINISH])).await;
    check_good(stream(&[TEXT, TEXT, "[DONE]"])).await;

    let in_one_read = [ROLE, TEXT, TEXT, FINISH, "[DONE]"].map(event).concat();
    let record = check_good(vec![send(
        [STREAM_HEAD.as_bytes(), &in_one_read, b"0\r\n\r\n"].concat(),
    )])
    .await;
    assert_eq!(record.content_ns[0], record.content_ns[1], "one read, one stamp");

    let carriage_returns =
        format!(": hello\r\n\r\ndata:{TEXT}\r\n\r\nid: 3\r\ndata: {TEXT}\r\n\r\ndata: [DONE]\r\n\r\n");
    check_good(vec![
        send(STREAM_HEAD),
        send([chunk(carriage_returns), chunk("")].concat()),
    ])
    .await;
}

#[tokio::test]
async fn answers_delimited_by_close_or_by_length() {
    let body = format!("data: {TEXT}\n\ndata: {TEXT}\n\ndata: [DONE]\n\n");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    check_good(vec![send(format!("{head}\r\n{body}")), Step::Close]).await;
    check_good(vec![
        send(format!("{head}connection: close\r\n\r\n{body}")),
        Step::Close,
    ])
    .await;
    check_good(vec![send(format!(
        "{head}content-length: {}\r\n\r\n{body}",
        body.len()
    ))])
    .await;
    // The last event lacks its blank line.
    check_good(vec![send(format!("{head}\r\n{}", body.trim_end())), Step::Close]).await;
}

#[tokio::test]
async fn an_answer_cut_at_every_byte() {
    let body = format!("data: {TEXT}\r\n\r\ndata: {TEXT}\n\ndata: [DONE]\n\n");
    let whole = [STREAM_HEAD.as_bytes(), &chunk(body), &chunk("")].concat();
    let size = whole.len();
    // One answer a place: the server pauses there, so that the client sees two reads.
    let script = move |seen: &Seen| match seen.is_probe || seen.number == 0 {
        true => good(),
        false => {
            let (head, tail) = whole.split_at(seen.number);
            vec![send(head), Step::Pause(Duration::from_millis(1)), send(tail)]
        }
    };
    let server = FakeServer::start(script).await;
    let mut workload = workload(1, u32::try_from(size).unwrap() - 1);
    workload.warmup_requests = 1;
    for record in records(&server, &workload).await {
        assert_eq!(
            (record.outcome, record.content_ns.len()),
            (RequestOutcome::Success, 2)
        );
    }
}

#[tokio::test]
async fn a_role_is_no_content() {
    let pause = Duration::from_millis(40);
    let answer = vec![
        send(STREAM_HEAD),
        send(event(ROLE)),
        Step::Pause(pause),
        send(event(TEXT)),
        Step::Pause(pause),
        send([event(TEXT), event(FINISH), event("[DONE]"), chunk("")].concat()),
    ];
    let record = check_good(answer).await;
    let [first, second] = record.content_ns[..] else {
        panic!("{record:?}")
    };
    // The server slept at least that long before each of them.
    assert!(first - record.sent_ns >= 40_000_000, "{record:?}");
    assert!(second > first, "{record:?}");
}

#[tokio::test]
async fn usage_of_both_apis() {
    let record = check_good(stream(&[TEXT, TEXT, FINISH, USAGE, "[DONE]"])).await;
    assert_eq!(
        (record.input_tokens.count, record.input_tokens.source),
        (97, TokenSource::Usage)
    );
    assert_eq!(
        (record.output_tokens.count, record.output_tokens.source),
        (2, TokenSource::Usage)
    );

    let text = r#"{"choices":[{"text":"a","finish_reason":null}]}"#;
    let last = r#"{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":97,"completion_tokens":2}}"#;
    let mut completions = workload(1, 2);
    completions.api = Api::Completions;
    let [record, _] = answered(stream(&[text, text, last, "[DONE]"]), &completions).await;
    assert_eq!(record.outcome, RequestOutcome::Success);
    assert_eq!((record.content_ns.len(), record.output_tokens.count), (2, 2));
    assert_eq!(record.input_tokens.source, TokenSource::Usage);

    let record = check_good(good()).await;
    assert_eq!(
        (record.input_tokens.count, record.input_tokens.source),
        (30, TokenSource::Requested)
    );
    assert_eq!(
        (record.output_tokens.count, record.output_tokens.source),
        (2, TokenSource::Chunks)
    );
}

#[tokio::test]
async fn refusals() {
    let long = "not ready\n".repeat(100);
    check_failed(
        RequestError::Status(500),
        "not ready not ready",
        plain("500 Oh", &long),
    )
    .await;
    check_failed(RequestError::Status(404), "", plain("404 No", "")).await;
    check_failed(RequestError::Status(302), "", plain("302 There", "")).await;
}

#[tokio::test]
async fn streams_that_break() {
    let begun = || vec![send(STREAM_HEAD), send(event(TEXT))];
    let with = |more: Step| [begun(), vec![more]].concat();
    let broken = check_failed(RequestError::Truncated, "broke off", with(Step::Close)).await;
    assert_eq!(broken.content_ns.len(), 1, "what came is kept");
    check_failed(
        RequestError::Truncated,
        "without a finish reason",
        stream(&[TEXT]),
    )
    .await;
    check_failed(
        RequestError::Truncated,
        "",
        vec![send(STREAM_HEAD), send(chunk(""))],
    )
    .await;
    check_failed(RequestError::Parse, "", with(send("no chunk size\r\n"))).await;
    let error = r#"{"error":{"message":"out of memory"}}"#;
    check_failed(RequestError::InBand, "out of memory", stream(&[TEXT, error])).await;
    check_failed(
        RequestError::Empty,
        "no content",
        stream(&[ROLE, FINISH, USAGE, "[DONE]"]),
    )
    .await;
    check_failed(
        RequestError::Parse,
        "garbage",
        stream(&[TEXT, "{garbage", FINISH]),
    )
    .await;
}

#[tokio::test]
async fn answers_that_are_no_stream() {
    let complete = r#"{"object":"chat.completion","choices":[{"message":{"content":"hello"}}]}"#;
    check_failed(RequestError::Parse, "chat.completion", plain("200 OK", complete)).await;
    check_failed(
        RequestError::Parse,
        "<html>",
        plain("200 OK", "<html>\n<p>hello\n</html>"),
    )
    .await;
    check_failed(
        RequestError::Parse,
        "",
        vec![send("SSH-2.0-what\r\n\r\n"), Step::Close],
    )
    .await;
    let endless = vec![send(STREAM_HEAD), send(chunk("x".repeat(2_000_000))), Step::Hold];
    check_failed(RequestError::Parse, "more than", endless).await;
}

#[tokio::test]
async fn connections_that_break_before_an_answer() {
    // Without a byte of an answer on the connection of the warm-up, and then on the new one that
    // replaces it; with some, once is enough.
    for (broken, times) in [
        (vec![Step::Close], 2),
        (vec![send("HTTP/1.1 20"), Step::Close], 1),
    ] {
        let script = move |seen: &Seen| match seen.number {
            number if (1..=times).contains(&number) => broken.clone(),
            _ => good(),
        };
        let server = FakeServer::start(script).await;
        let records = records(&server, &workload(1, 2)).await;
        let RequestOutcome::Failed { error, .. } = &records[0].outcome else {
            panic!("{records:?}")
        };
        assert_eq!(*error, RequestError::Connect);
        assert_eq!(records[1].outcome, RequestOutcome::Success);
        assert_eq!(server.asked(), 1 + times + 1);
    }
}

#[tokio::test]
async fn a_server_that_closes_without_saying_so_costs_no_request() {
    let script = |seen: &Seen| match seen.number {
        1 if !seen.is_probe => vec![Step::Close],
        _ => good(),
    };
    let server = FakeServer::start(script).await;
    let recording = measure(&server, &workload(1, 6)).await.unwrap();
    let requests = &recording.levels[0].requests;
    assert!(
        requests
            .iter()
            .all(|record| record.outcome == RequestOutcome::Success),
        "{requests:?}"
    );
    assert!(
        recording
            .notes
            .last()
            .unwrap()
            .contains("without saying so: 1 requests were sent twice"),
        "{:?}",
        recording.notes
    );
    // The probe's, the warm-up's on which a request was lost, and one for each of the rest.
    assert_eq!(server.connections(), 1 + 1 + 6);
}

#[tokio::test]
async fn a_request_that_is_sent_twice_is_timed_from_the_first_time() {
    let pause = Duration::from_millis(200);
    let script = move |seen: &Seen| match seen.number {
        1 if !seen.is_probe => vec![Step::Pause(pause), Step::Close],
        _ => good(),
    };
    let server = FakeServer::start(script).await;
    let records = records(&server, &workload(1, 2)).await;
    assert_eq!(server.asked(), 1 + 1 + 2, "warm-up, the lost one, and both again");
    assert_eq!(records.len(), 2, "it has one record");
    assert_eq!(records[0].outcome, RequestOutcome::Success);
    // The server slept at least that long before it closed the first connection.
    assert!(
        records[0].content_ns[0] - records[0].sent_ns >= 200_000_000,
        "{records:?}"
    );
}

#[tokio::test]
async fn a_request_that_is_dropped_after_a_while_has_failed() {
    let drop_it = vec![Step::Pause(Duration::from_millis(1200)), Step::Close];
    let record = check_failed(RequestError::Connect, "", drop_it).await;
    assert!(record.ended_ns - record.sent_ns >= 1_200_000_000, "{record:?}");
}

#[tokio::test]
async fn silence() {
    let mut impatient = workload(1, 2);
    impatient.request_timeout = Duration::from_secs(1);
    let check = async |stalled: Vec<Step>| {
        let answer = [stalled, vec![Step::Hold]].concat();
        check_failed_with(&impatient, RequestError::Timeout, "no byte for 1s", answer).await
    };
    let (_, _, begun, _) = tokio::join!(
        check(vec![]),
        check(vec![send(STREAM_HEAD)]),
        check(vec![send(STREAM_HEAD), send(event(TEXT))]),
        check(vec![send("HTTP/1.1 500 Oh\r\ncontent-length: 9\r\n\r\n")]),
    );
    assert_eq!(begun.content_ns.len(), 1, "what came is kept");
}

#[tokio::test]
async fn bytes_that_are_no_content_break_the_silence_too() {
    let mut steps = vec![send(STREAM_HEAD)];
    for _ in 0..10 {
        steps.extend([Step::Pause(Duration::from_millis(120)), send(chunk(": wait\n\n"))]);
    }
    steps.push(send(
        [event(TEXT), event(TEXT), event("[DONE]"), chunk("")].concat(),
    ));
    let mut impatient = workload(1, 2);
    // Shorter than the answer as a whole, far longer than each pause.
    impatient.request_timeout = Duration::from_secs(1);
    let [first, _] = answered(steps, &impatient).await;
    assert_eq!(first.outcome, RequestOutcome::Success);
}

#[tokio::test]
async fn an_answer_is_over_with_done_even_if_its_body_is_not() {
    let unended = vec![
        send(STREAM_HEAD),
        send([TEXT, TEXT, "[DONE]"].map(event).concat()),
        Step::Hold,
    ];
    check_good(unended).await;
}

#[tokio::test]
async fn keys_that_a_server_refuses_are_left_out() {
    let script = |refused: &'static [&'static str]| {
        move |seen: &Seen| match refused.iter().find(|key| seen.body.get(**key).is_some()) {
            Some(key) => plain("400 Bad Request", &format!("{{\"error\":\"unknown key {key}\"}}")),
            None => good(),
        }
    };
    for (refused, notes) in [
        (&[][..], &[][..]),
        (&["ignore_eos"], &["refuses ignore_eos"]),
        (&["stream_options"], &["refuses stream_options"]),
        (
            &["ignore_eos", "stream_options"],
            &["refuses ignore_eos", "refuses stream_options"],
        ),
    ] {
        let server = FakeServer::start(script(refused)).await;
        let recording = measure(&server, &workload(1, 2)).await.unwrap();
        for note in notes {
            assert!(
                recording.notes.iter().any(|text| text.contains(note)),
                "{refused:?}: {:?}",
                recording.notes
            );
        }
        let recorded = server.seen().into_iter().filter(|seen| !seen.is_probe);
        for seen in recorded {
            for key in ["ignore_eos", "stream_options"] {
                assert_eq!(
                    seen.body.get(key).is_none(),
                    refused.contains(&key),
                    "{key} of {refused:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn prompts_are_sized_by_the_servers_count() {
    let script = |seen: &Seen| {
        let tokens = 12 + seen.words() * 3 / 2;
        let usage = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":{tokens},"completion_tokens":1}}}}"#);
        stream(&[TEXT, FINISH, &usage, "[DONE]"])
    };
    let server = FakeServer::start(script).await;
    let mut workload = workload(1, 5);
    workload.scenarios = vec!["D(300,9)".parse().unwrap()];
    let recording = measure(&server, &workload).await.unwrap();
    for record in &recording.levels[0].requests {
        assert_eq!(
            (record.input_tokens.count, record.input_tokens.source),
            (300, TokenSource::Usage)
        );
    }
    assert!(
        recording.notes[0].contains("1.500 tokens a word and 12.0 around"),
        "{:?}",
        recording.notes
    );
}

/// A good answer that counts a prompt as its words and a half, and twelve around them.
fn counting(seen: &Seen) -> Vec<Step> {
    let tokens = 12 + seen.words() * 3 / 2;
    let usage = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":{tokens},"completion_tokens":1}}}}"#);
    stream(&[TEXT, FINISH, &usage, "[DONE]"])
}

#[tokio::test]
async fn a_probe_that_fails_once_changes_no_prompt() {
    let sound = FakeServer::start(counting).await;
    measure(&sound, &workload(1, 3)).await.unwrap();
    for failed in 0..6 {
        let probes = std::sync::atomic::AtomicUsize::new(0);
        let script = move |seen: &Seen| {
            let is_failed =
                seen.is_probe && probes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == failed;
            match is_failed {
                true => plain("503 Busy", "still loading"),
                false => counting(seen),
            }
        };
        let server = FakeServer::start(script).await;
        measure(&server, &workload(1, 3)).await.unwrap();
        assert_eq!(server.prompts(), sound.prompts(), "probe {failed} failed");
    }
}

#[tokio::test]
async fn a_probe_whose_answer_has_no_text_counts_all_the_same() {
    let sound = FakeServer::start(counting).await;
    measure(&sound, &workload(1, 3)).await.unwrap();
    let script = |seen: &Seen| match seen.is_probe {
        true => counting(seen).into_iter().filter(|step| !is_text(step)).collect(),
        false => counting(seen),
    };
    let server = FakeServer::start(script).await;
    measure(&server, &workload(1, 3)).await.unwrap();
    assert_eq!(server.prompts(), sound.prompts());
}

fn is_text(step: &Step) -> bool {
    matches!(step, Step::Send(bytes) if *bytes == event(TEXT))
}

#[tokio::test]
async fn probes_that_keep_failing_are_no_reason_to_guess() {
    let script = |seen: &Seen| match seen.is_probe && seen.words() > 10 {
        true => plain("500 Oh", "no memory"),
        false => counting(seen),
    };
    let server = FakeServer::start(script).await;
    let error = measure(&server, &workload(1, 3)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("counts tokens failed: HTTP status 500: no memory"),
        "{error}"
    );
    assert_eq!(server.asked(), 0);
}
