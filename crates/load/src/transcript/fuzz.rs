//! Streams of every style, mangled and cut at random, must never panic nor be read in two ways.
//!
//! A fraction of a million is read in every run of the tests; `AUTOTUNER_FUZZ=1000000` reads as
//! many. Case n is the same in every run, so a failure names all that is needed to see it again.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Cases of an ordinary run.
const CASES: u64 = 20_000;

const STYLES: [Api; 6] = [
    Api::Chat,
    Api::Completions,
    Api::LlamaCpp,
    Api::Tgi,
    Api::Embeddings,
    Api::Rerank,
];

/// Data of events as servers send them, and as none should.
const DATA: [&str; 24] = [
    "[DONE]",
    "",
    r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" a"},"logprobs":null,"finish_reason":null}]}"#,
    r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"漢é"},"logprobs":null,"finish_reason":null}]}"#,
    r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\"\n\u00e9"},"logprobs":null,"finish_reason":null}]}"#,
    r#"{"choices":[{"delta":{"reasoning_content":"hm","tool_calls":null}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
    r#"{"choices":[{"delta":{"reasoning":"hm"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}"#,
    r#"{"choices":[{"delta":{"refusal":"no"}},{"delta":{"content":"b"}}]}"#,
    r#"{"choices":[{"text":" b","index":0,"finish_reason":null}]}"#,
    r#"{"choices":[{"delta":{},"text":"","finish_reason":"length"}]}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":97,"completion_tokens":3,"total_tokens":100}}"#,
    r#"{"content":" a","stop":false,"tokens_predicted":1,"tokens_evaluated":9}"#,
    r#"{"content":"","stop":true,"tokens_predicted":2,"timings":{"prompt_n":9,"predicted_n":2}}"#,
    r#"{"index":1,"token":{"id":9,"text":" a","logprob":-1.5e-3,"special":false},"generated_text":null,"details":null}"#,
    r#"{"token":{"id":2,"text":"</s>","special":true},"generated_text":" a","details":{"generated_tokens":2}}"#,
    r#"{"error":"overloaded","error_type":"overloaded"}"#,
    r#"{"object":"error","message":"no memory"}"#,
    r#"{"object":"list","data":[{"embedding":[0.5,-1e-3]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#,
    r#"{"results":[{"index":0,"relevance_score":0.5}],"usage":{"total_tokens":7}}"#,
    r#"[{"score":0.5,"index":0}]"#,
    r#"{"choices":[{"text":3}],"usage":{"completion_tokens":99999999999999999999}}"#,
    r#"{"a":[[[[{"b":[]}]]]],"choices":null}"#,
];

const LINE_ENDS: [&str; 3] = ["\n", "\r\n", "\r"];
const NAMES: [&str; 4] = ["data: ", "data:", "data: ", "error: "];
const NOTES: [&str; 6] = [
    ": ping",
    "event: error",
    "event: x",
    "id: 3",
    "retry: 5",
    "\u{feff}data",
];

fn one_of<'a>(rng: &mut impl Rng, list: &[&'a str]) -> &'a str {
    list[rng.random_range(0..list.len())]
}

/// A stream; the most of them are good, or good at the beginning.
fn stream(rng: &mut impl Rng, api: Api) -> Vec<u8> {
    let mut stream = Vec::new();
    if matches!(api, Api::Embeddings | Api::Rerank) {
        stream.extend_from_slice(one_of(rng, &DATA[19..22]).as_bytes());
    } else {
        let line_end = one_of(rng, &LINE_ENDS);
        // A short choice of data, so that the same comes again and again as in life.
        let few: [&str; 3] = std::array::from_fn(|_| one_of(rng, &DATA[2..]));
        for _ in 0..rng.random_range(0..24) {
            if rng.random_ratio(1, 8) {
                stream.extend_from_slice(one_of(rng, &NOTES).as_bytes());
                stream.extend_from_slice(line_end.as_bytes());
            }
            let data = match rng.random_ratio(1, 10) {
                true => one_of(rng, &DATA),
                false => one_of(rng, &few),
            };
            let name = match rng.random_ratio(1, 30) {
                true => one_of(rng, &NAMES),
                false => NAMES[0],
            };
            for part in [name, data, line_end, line_end] {
                stream.extend_from_slice(part.as_bytes());
            }
        }
        if rng.random_ratio(1, 2) {
            stream.extend_from_slice(b"data: [DONE]\n\n");
        }
    }
    for _ in 0..rng.random_range(0_usize..4).saturating_sub(1) {
        mangle(rng, &mut stream);
    }
    stream
}

/// Changes, takes out, doubles or puts in some bytes.
fn mangle(rng: &mut impl Rng, stream: &mut Vec<u8>) {
    const ODD: [u8; 10] = [b'"', b'\\', b'{', b'}', b'\n', b'\r', b':', 0, 0xff, 0xc3];
    let at = rng.random_range(0..=stream.len());
    let end = (at + rng.random_range(0..40)).min(stream.len());
    match rng.random_range(0..5) {
        0 if at < stream.len() => stream[at] = rng.random(),
        1 => stream.insert(at, ODD[rng.random_range(0..ODD.len())]),
        2 => drop(stream.drain(at..end)),
        3 => {
            let part = stream[at..end].to_vec();
            stream.splice(at..at, part);
        }
        _ => stream.truncate(at),
    }
}

/// What came of a stream read in these parts, part n at stamp n; ends of the parts are places.
fn read(api: Api, stream: &[u8], ends: &[usize]) -> RequestRecord {
    let mut transcript = Transcript::new(api, 8);
    let mut from = 0;
    let mut counted = 0;
    let mut failure = None;
    for (stamp, end) in ends.iter().enumerate() {
        match transcript.feed(&stream[from..*end], stamp as u64) {
            Ok(chunks) => counted += chunks,
            Err(found) => {
                failure = Some(found);
                break;
            }
        }
        from = *end;
    }
    let now = ends.len() as u64;
    if failure.is_none() && !matches!(api, Api::Embeddings | Api::Rerank) {
        assert_eq!(counted, transcript.heard.chunks());
    }
    let ending = match failure {
        Some(failure) => Ending::Failed(failure),
        None => transcript.close(now),
    };
    assert!(
        transcript.held_bytes() <= 64 * 1024 + 8 * stream.len(),
        "{} bytes are held of {}",
        transcript.held_bytes(),
        stream.len()
    );
    if ending == Ending::Complete {
        assert!(transcript.heard.is_over());
    }
    let start = Start {
        intended_ns: 0,
        sent_ns: 0,
    };
    let lengths = Lengths { input: 5, output: 5 };
    transcript.into_record(start, now, lengths, ending)
}

fn check(record: &RequestRecord) {
    assert!(record.content_ns.is_sorted());
    assert!(
        record
            .content_ns
            .last()
            .is_none_or(|last| *last <= record.ended_ns)
    );
    assert!(record.chunk_tokens.is_empty() || record.chunk_tokens.len() == record.content_ns.len());
    if let Some(visible) = record.first_visible_ns {
        assert!(record.content_ns.contains(&visible));
    }
    match &record.outcome {
        RequestOutcome::Success => assert!(!record.content_ns.is_empty()),
        RequestOutcome::Failed { detail, .. } => assert!(detail.chars().count() <= DETAIL_CHARACTERS),
        RequestOutcome::CutOff => panic!("nothing was cut off"),
    }
}

/// A record without its stamps: those depend on how a stream is cut.
fn without_stamps(mut record: RequestRecord) -> RequestRecord {
    record.content_ns.fill(0);
    record.first_visible_ns = record.first_visible_ns.map(|_| 0);
    record.ended_ns = 0;
    record
}

#[test]
fn no_stream_panics_or_is_read_in_two_ways() {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it")]
    let asked = std::env::var("AUTOTUNER_FUZZ");
    let cases = asked.map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    let (mut good, mut failed) = (0_u64, 0_u64);
    for case in 0..cases {
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let api = STYLES[rng.random_range(0..STYLES.len())];
        let stream = stream(&mut rng, api);
        let whole = read(api, &stream, &[stream.len()]);
        let mut ends: Vec<usize> = (0..rng.random_range(0..12))
            .map(|_| rng.random_range(0..=stream.len()))
            .collect();
        ends.push(stream.len());
        ends.sort_unstable();
        let parts = read(api, &stream, &ends);
        check(&whole);
        check(&parts);
        match whole.outcome {
            RequestOutcome::Success => good += 1,
            _ => failed += 1,
        }
        let shown = String::from_utf8_lossy(&stream);
        assert_eq!(
            without_stamps(whole),
            without_stamps(parts),
            "case {case}: {api:?}, cut at {ends:?}: {shown}"
        );
    }
    assert!(
        good > cases / 10 && failed > cases / 10,
        "{good} good, {failed} failed"
    );
}
