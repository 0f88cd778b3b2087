use super::heard::MOST_CHUNKS;
use super::*;
use autotuner_core::measure::{TokenCount, TokenSource};

const LENGTHS: Lengths = Lengths {
    input: 100,
    output: 20,
};
const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#;
const TEXT: &str = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#;
const FINISH: &str = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":97,"completion_tokens":3}}"#;
const RIDING: &str = r#"{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":97,"completion_tokens":3}}"#;
const ERROR: &str = r#"{"error":{"message":"out of memory"}}"#;

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// The record of an answer whose reads come at these stamps, closed at `closed_at`.
fn record<B: AsRef<[u8]>>(reads: &[(u64, B)], closed_at: u64) -> RequestRecord {
    let mut transcript = Transcript::new(Api::Chat, LENGTHS.output);
    let start = Start {
        intended_ns: 1,
        sent_ns: 2,
    };
    for (stamp, bytes) in reads {
        if let Err(failure) = transcript.feed(bytes.as_ref(), *stamp) {
            return transcript.into_record(start, *stamp, LENGTHS, Ending::Failed(failure));
        }
    }
    let ending = transcript.close(closed_at);
    let ended = transcript.done_ns().unwrap_or(closed_at);
    transcript.into_record(start, ended, LENGTHS, ending)
}

fn failed(events: &[&str]) -> (RequestError, String) {
    let reads: Vec<_> = events.iter().map(|data| (1, event(data))).collect();
    match record(&reads, 9).outcome {
        RequestOutcome::Failed { error, detail } => (error, detail),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_answer_to_the_nanosecond() {
    let reads = [
        (10, event(ROLE)),
        (25, event(TEXT)),
        (31, event(TEXT) + &event(TEXT)),
        (40, event(FINISH)),
        (41, event(USAGE)),
        (47, event("[DONE]")),
        (50, event(TEXT)),
    ];
    assert_eq!(
        record(&reads, 60),
        RequestRecord {
            intended_ns: 1,
            sent_ns: 2,
            content_ns: vec![25, 31, 31],
            first_visible_ns: Some(25),
            first_chunk_tokens: 1,
            ended_ns: 47,
            input_tokens: TokenCount {
                count: 97,
                source: TokenSource::Usage
            },
            output_tokens: TokenCount {
                count: 3,
                source: TokenSource::Usage
            },
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }
    );
}

#[test]
fn an_event_has_the_stamp_of_the_read_that_completed_it() {
    let stream: String = [ROLE, TEXT, TEXT, FINISH, USAGE, "[DONE]"].map(event).concat();
    let second_text_ends = [ROLE, TEXT, TEXT].map(event).concat().len();
    let first_text_ends = [ROLE, TEXT].map(event).concat().len();
    for at in 1..stream.len() {
        let (head, tail) = stream.split_at(at);
        let record = record(&[(10, head), (20, tail)], 30);
        let stamp = |end: usize| if at >= end { 10 } else { 20 };
        assert_eq!(
            record.content_ns,
            [stamp(first_text_ends), stamp(second_text_ends)],
            "cut at {at}"
        );
        assert_eq!(
            (record.ended_ns, record.outcome),
            (20, RequestOutcome::Success),
            "cut at {at}"
        );
    }
}

#[test]
fn cuts_inside_a_character_change_nothing() {
    let text = r#"{"choices":[{"delta":{"content":"漢é"}}]}"#;
    let stream = event(text) + &event(FINISH);
    for at in 0..=stream.len() {
        let (head, tail) = stream.as_bytes().split_at(at);
        let record = record(&[(1, head), (2, tail)], 3);
        assert_eq!(
            (record.content_ns.len(), record.outcome),
            (1, RequestOutcome::Success),
            "cut at {at}"
        );
    }
}

#[test]
fn who_counted_the_tokens() {
    let counts = |events: &[&str]| {
        let reads: Vec<_> = events.iter().map(|data| (1, event(data))).collect();
        let record = record(&reads, 9);
        let TokenCount { count, source } = record.output_tokens;
        (
            record.input_tokens.count,
            record.input_tokens.source,
            count,
            source,
        )
    };
    use TokenSource::{Chunks, Requested, Usage};
    assert_eq!(counts(&[TEXT, FINISH, USAGE]), (97, Usage, 3, Usage));
    assert_eq!(counts(&[TEXT, RIDING]), (97, Usage, 3, Usage));
    assert_eq!(counts(&[TEXT, TEXT, FINISH]), (100, Requested, 2, Chunks));
    let zeros = r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"#;
    assert_eq!(counts(&[TEXT, FINISH, zeros]), (100, Requested, 1, Chunks));
    assert_eq!(
        counts(&[FINISH, USAGE]),
        (97, Usage, 3, Usage),
        "even without content"
    );
}

#[test]
fn usage_in_every_chunk_tells_the_first_chunks_tokens() {
    let chunk = |tokens: u32| {
        let json =
            r#"{"choices":[{"delta":{"content":"abc"}}],"usage":{"prompt_tokens":97,"completion_tokens":N}}"#;
        (u64::from(tokens), event(&json.replace('N', &tokens.to_string())))
    };
    let record = record(&[chunk(4), chunk(7), (8, event("[DONE]"))], 9);
    assert_eq!((record.first_chunk_tokens, record.output_tokens.count), (4, 7));
}

#[test]
fn success_needs_a_finish_and_content_and_no_error() {
    assert_eq!(failed(&[TEXT]).0, RequestError::Truncated);
    assert_eq!(failed(&[]).0, RequestError::Truncated);
    assert_eq!(failed(&[ROLE, FINISH, "[DONE]"]).0, RequestError::Empty);
    assert_eq!(failed(&["[DONE]"]).0, RequestError::Empty);
    assert_eq!(
        failed(&[TEXT, ERROR]),
        (RequestError::InBand, "out of memory".into())
    );
    assert_eq!(failed(&[TEXT, FINISH, ERROR, "[DONE]"]).0, RequestError::InBand);
    assert_eq!(failed(&[TEXT, "{garbage"]).0, RequestError::Parse);
    for good in [
        &[TEXT, FINISH][..],
        &[TEXT, "[DONE]"],
        &[TEXT, "[DONE]", ERROR],
        &["", TEXT, FINISH],
    ] {
        let reads: Vec<_> = good.iter().map(|data| (1, event(data))).collect();
        assert_eq!(record(&reads, 9).outcome, RequestOutcome::Success, "{good:?}");
    }
}

#[test]
fn the_end_of_the_stream_may_lack_its_blank_line() {
    let done = record(&[(1, event(TEXT)), (2, "data: [DONE]".to_owned())], 9);
    assert_eq!((done.outcome, done.ended_ns), (RequestOutcome::Success, 9));
    let half = record(
        &[(1, event(TEXT)), (2, "data: {\"choices\":[{\"fin".to_owned())],
        9,
    );
    let RequestOutcome::Failed { error, .. } = half.outcome else {
        panic!("{half:?}")
    };
    assert_eq!(error, RequestError::Truncated, "half an event is no garbage");
}

#[test]
fn what_does_not_stream_is_quoted() {
    let answer = record(&[(1, "{\"object\":\"chat.completion\"}\n")], 2);
    let RequestOutcome::Failed { error, detail } = answer.outcome else {
        panic!("{answer:?}")
    };
    assert_eq!(error, RequestError::Parse);
    assert!(detail.ends_with("{\"object\":\"chat.completion\"}"), "{detail}");
}

#[test]
fn details_are_short_and_on_one_line() {
    let failure = RequestFailure::new(RequestError::Parse, &"é\r\n ".repeat(1000));
    assert_eq!(failure.detail.chars().count(), 300);
    assert!(failure.detail.starts_with("é é"));
}

/// The record of an answer in this style, all of it in one read, closed at 9.
fn record_of(api: Api, body: &[u8]) -> RequestRecord {
    let mut transcript = Transcript::new(api, LENGTHS.output);
    let start = Start {
        intended_ns: 1,
        sent_ns: 2,
    };
    let ending = match transcript.feed(body, 5) {
        Ok(_) => transcript.close(9),
        Err(failure) => Ending::Failed(failure),
    };
    transcript.into_record(start, 9, LENGTHS, ending)
}

fn events(data: &[&str]) -> Vec<u8> {
    data.iter()
        .map(|data| event(data))
        .collect::<String>()
        .into_bytes()
}

fn class(record: &RequestRecord) -> Option<RequestError> {
    match record.outcome {
        RequestOutcome::Failed { error, .. } => Some(error),
        _ => None,
    }
}

#[test]
fn feeding_tells_how_many_chunks_came() {
    let mut transcript = Transcript::new(Api::Chat, 0);
    let several = event(ROLE) + &event(TEXT) + &event(TEXT) + "data: {\"choi";
    assert_eq!(transcript.feed(several.as_bytes(), 1), Ok(2));
    assert_eq!(transcript.feed(b"ces\":[{\"text\":\"a\"}]}\n\n", 2), Ok(1));
    assert_eq!(transcript.feed(event(USAGE).as_bytes(), 3), Ok(0));
    assert_eq!(transcript.feed(b"", 4), Ok(0));
}

#[test]
fn the_first_text_that_a_user_sees() {
    let reasoning = r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#;
    let tool = r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{"}}]}}]}"#;
    let first_visible = |second: &str| {
        let reads = [(3, event(reasoning)), (5, event(second)), (7, event(FINISH))];
        let record = record(&reads, 9);
        assert_eq!(record.content_ns, [3, 5]);
        record.first_visible_ns
    };
    assert_eq!(first_visible(TEXT), Some(5));
    assert_eq!(first_visible(tool), Some(5));
    assert_eq!(first_visible(reasoning), None);
}

#[test]
fn usage_in_every_chunk_tells_every_chunks_tokens() {
    let chunk = |text: &str, tokens: u32| {
        format!(
            r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}],"usage":{{"prompt_tokens":97,"completion_tokens":{tokens}}}}}"#
        )
    };
    let tokens = |chunks: &[String]| {
        let data: Vec<&str> = chunks.iter().map(String::as_str).chain(["[DONE]"]).collect();
        let record = record_of(Api::Chat, &events(&data));
        assert_eq!(record.outcome, RequestOutcome::Success);
        (record.chunk_tokens, record.first_chunk_tokens)
    };
    let (a, b) = (chunk("a", 2), chunk("b", 5));
    assert_eq!(tokens(&[chunk("", 0), a.clone(), b.clone()]), (vec![2, 3], 2));
    // A token whose text is held back is counted with the text that brings it.
    let held = [a.clone(), chunk("", 3), chunk("c", 4), chunk("", 9)];
    assert_eq!(tokens(&held), (vec![2, 2], 2));
    assert_eq!(tokens(&[a.clone(), a.clone()]), (vec![2, 0], 2));
    // A chunk without a count, a count that falls, one that stays 0: nobody counts chunks.
    assert_eq!(tokens(&[a.clone(), TEXT.into(), b.clone()]), (vec![], 2));
    assert_eq!(tokens(&[b, a]), (vec![], 5));
    assert_eq!(tokens(&[chunk("a", 0), chunk("b", 0)]), (vec![], 1));
    assert_eq!(tokens(&[TEXT.into(), TEXT.into(), RIDING.into()]), (vec![], 1));
}

#[test]
fn llamacpp_and_its_counts() {
    let first = r#"{"index":0,"content":"a","tokens":[9],"stop":false,"id_slot":0,"tokens_predicted":1,"tokens_evaluated":7}"#;
    let second = r#"{"index":0,"content":"b","tokens":[8],"stop":false,"id_slot":0,"tokens_predicted":3,"tokens_evaluated":7}"#;
    let last = r#"{"index":0,"content":"","stop":true,"tokens_predicted":3,"tokens_evaluated":7,"timings":{"prompt_n":7,"predicted_n":3}}"#;
    let record = record_of(Api::LlamaCpp, &events(&[first, second, last]));
    assert_eq!(record.outcome, RequestOutcome::Success, "no [DONE] is needed");
    assert_eq!(record.chunk_tokens, [1, 2]);
    assert_eq!((record.input_tokens.count, record.output_tokens.count), (7, 3));
    assert_eq!(record.output_tokens.source, TokenSource::Usage);

    let broken = record_of(Api::LlamaCpp, &events(&[first, second]));
    assert_eq!(class(&broken), Some(RequestError::Truncated));
    let error = b"error: {\"code\":500,\"message\":\"no slot\"}\n\n";
    assert_eq!(
        class(&record_of(Api::LlamaCpp, error)),
        Some(RequestError::InBand)
    );
}

#[test]
fn llamacpp_counts_where_nobody_asked() {
    let timed = r#"{"choices":[{"finish_reason":"length","delta":{}}],"timings":{"cache_n":3,"prompt_n":4,"predicted_n":2}}"#;
    let record = record_of(Api::Chat, &events(&[TEXT, TEXT, timed, "[DONE]"]));
    assert_eq!((record.input_tokens.count, record.output_tokens.count), (7, 2));
    assert_eq!(record.input_tokens.source, TokenSource::Usage);
    assert!(
        record.chunk_tokens.is_empty(),
        "one chunk says nothing of the others"
    );
}

#[test]
fn text_generation_inference() {
    let token = r#"{"index":1,"token":{"id":9,"text":" a","logprob":-0.5,"special":false},"top_tokens":[],"generated_text":null,"details":null}"#;
    let last = r#"{"index":3,"token":{"id":2,"text":"</s>","logprob":0.0,"special":true},"generated_text":" a a","details":{"finish_reason":"eos_token","generated_tokens":3,"input_length":7}}"#;
    let body = [token, token, last]
        .map(|data| format!("data:{data}\n\n"))
        .concat();
    let record = record_of(Api::Tgi, body.as_bytes());
    assert_eq!(record.outcome, RequestOutcome::Success);
    assert_eq!(record.content_ns.len(), 2);
    assert_eq!((record.input_tokens.count, record.output_tokens.count), (7, 3));

    let error = r#"{"error":"Request failed during generation","error_type":"generation"}"#;
    assert_eq!(
        class(&record_of(Api::Tgi, &events(&[token, error]))),
        Some(RequestError::InBand)
    );
}

#[test]
fn answers_that_come_whole() {
    let body = br#"{"object":"list","data":[{"embedding":[0.5]}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}"#;
    let record = record_of(Api::Embeddings, body);
    assert_eq!(record.outcome, RequestOutcome::Success);
    assert_eq!(
        (&record.content_ns[..], record.first_visible_ns),
        (&[9][..], Some(9))
    );
    assert_eq!((record.input_tokens.count, record.output_tokens.count), (7, 0));
    let ranks = br#"{"results":[{"index":0,"relevance_score":0.5}],"usage":{"total_tokens":7}}"#;
    assert_eq!(record_of(Api::Rerank, ranks).outcome, RequestOutcome::Success);

    for (body, expected) in [
        (&br#"{"data":[]}"#[..], RequestError::Empty),
        (br#"{"error":{"message":"too long"}}"#, RequestError::InBand),
        (br#"{"data":[{"embe"#, RequestError::Parse),
        (b"", RequestError::Parse),
        (b"data: {}\n\n", RequestError::Parse),
    ] {
        assert_eq!(class(&record_of(Api::Embeddings, body)), Some(expected));
    }

    let mut cut = Transcript::new(Api::Embeddings, 1);
    cut.feed(body, 3).unwrap();
    assert!(matches!(
        cut.break_off("it broke off"),
        Ending::Failed(failure) if failure.error == RequestError::Truncated
    ));
}

/// Feeds `part` until it is refused, or as often as this; how it ended, and most bytes held.
fn feed_again_and_again(api: Api, part: &[u8], times: usize) -> (Option<RequestFailure>, usize) {
    let mut transcript = Transcript::new(api, 128);
    let mut most_held = 0;
    for stamp in 0..times {
        let fed = transcript.feed(part, stamp as u64);
        most_held = most_held.max(transcript.held_bytes());
        if let Err(failure) = fed {
            return (Some(failure), most_held);
        }
    }
    (None, most_held)
}

#[test]
fn what_never_ends_is_bounded() {
    const GIB: usize = 1 << 30;
    /// A vector may have room for twice what it holds.
    const MOST_HELD: usize = 4 * 1024 * 1024;
    let block = vec![b'x'; 64 * 1024];
    let data_lines = b"data: 0123456789\n".repeat(4096);
    let comment = [b": ".as_slice(), &block, b"\n\n"].concat();
    let begun = [event(TEXT).as_bytes(), &comment].concat();
    for (api, part, expected) in [
        (Api::Chat, &block[..], Some(RequestError::Parse)),
        (Api::Chat, &data_lines, Some(RequestError::Parse)),
        (Api::Chat, &comment, Some(RequestError::Parse)),
        (Api::Tgi, &block, Some(RequestError::Parse)),
        // A server may say for ever that it is alive.
        (Api::Chat, &begun, None),
    ] {
        let (failure, held) = feed_again_and_again(api, part, GIB / part.len());
        assert_eq!(failure.map(|failure| failure.error), expected);
        assert!(held <= MOST_HELD, "{held} bytes are held");
    }

    let texts = event(TEXT).repeat(4096);
    let (failure, held) = feed_again_and_again(Api::Chat, texts.as_bytes(), GIB / texts.len());
    assert!(failure.unwrap().detail.contains(&MOST_CHUNKS.to_string()));
    assert!(held <= 4 * 8 * MOST_CHUNKS, "{held} bytes are held");

    let (failure, held) = feed_again_and_again(Api::Embeddings, &block, GIB / block.len());
    assert_eq!(failure.unwrap().error, RequestError::Parse);
    assert!(held <= 2 * LONGEST_BODY, "{held} bytes are held");
}

#[test]
fn hostile_json_has_a_class() {
    let nested = |depth: usize, key: &str| format!("{{\"{key}\":{}", "[".repeat(depth));
    for (data, expected) in [
        (nested(200_000, "other"), RequestError::Parse),
        (nested(200_000, "error"), RequestError::Parse),
        (nested(200_000, "choices"), RequestError::Parse),
        ("[".repeat(200_000), RequestError::Parse),
        (
            r#"{"choices":[{"text":"a\u0000b\ud800"}]}"#.into(),
            RequestError::Parse,
        ),
        (
            "{\"choices\":[{\"text\":\"a\u{0}\"}]}".into(),
            RequestError::Parse,
        ),
        ("\u{0}".repeat(1000), RequestError::Parse),
        (
            r#"{"usage":{"completion_tokens":true}}"#.into(),
            RequestError::Parse,
        ),
        (
            format!("{{\"error\":\"{}\"}}", "x".repeat(500_000)),
            RequestError::InBand,
        ),
    ] {
        let record = record_of(Api::Chat, &events(&[&data]));
        let RequestOutcome::Failed { error, detail } = record.outcome else {
            panic!("{}", &data[..100.min(data.len())])
        };
        assert_eq!(error, expected, "{detail}");
        assert!(detail.chars().count() <= 300, "{detail}");
    }
    let invalid = b"data: {\"choices\":[{\"text\":\"\xff\xfe\"}]}\n\n";
    assert_eq!(class(&record_of(Api::Chat, invalid)), Some(RequestError::Parse));

    let closed = format!(
        "{{\"a\":{}{},\"choices\":[{{\"text\":\"a\"}}]}}",
        "[".repeat(9999),
        "]".repeat(9999)
    );
    let huge = format!(
        r#"{{"choices":[],"n":1{},"usage":{{"completion_tokens":{}}}}}"#,
        "0".repeat(9999),
        u64::MAX
    );
    let record = record_of(Api::Chat, &events(&[&closed, &huge, "[DONE]"]));
    assert_eq!(
        record.outcome,
        RequestOutcome::Success,
        "what is not looked at may be odd"
    );
    assert_eq!(record.output_tokens.source, TokenSource::Chunks);
}
