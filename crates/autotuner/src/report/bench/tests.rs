use std::time::Duration;

use autotuner_core::measure::{RequestError, TokenCount, TokenSource};
use autotuner_core::metrics::{experiment_metrics, level_metrics};
use autotuner_core::workload::{Api, Arrival, Content, FirstWave, Sources};
use serde_json::{Value, json};

use super::compare::{Word, compare, read};
use super::*;

const MS: u64 = 1_000_000;

fn tokens(count: u32) -> TokenCount {
    TokenCount {
        count,
        source: TokenSource::Usage,
    }
}

fn request(sent_ms: u64, content_ms: &[u64], ended_ms: u64, outcome: RequestOutcome) -> RequestRecord {
    RequestRecord {
        intended_ns: sent_ms * MS,
        sent_ns: sent_ms * MS,
        content_ns: content_ms.iter().map(|at| at * MS).collect(),
        first_chunk_tokens: 1,
        ended_ns: ended_ms * MS,
        input_tokens: tokens(10),
        output_tokens: tokens(3),
        outcome,
        ..RequestRecord::default()
    }
}

fn failed(error: RequestError, detail: &str) -> RequestOutcome {
    RequestOutcome::Failed {
        error,
        detail: detail.into(),
    }
}

/// Two that went well, one refused, one cut off.
fn level(concurrency: u32) -> LevelRecords {
    LevelRecords {
        scenario: "D(10,3)".into(),
        concurrency,
        window_start_ns: 0,
        window_end_ns: 2000 * MS,
        requests: vec![
            request(0, &[100, 200, 300], 310, RequestOutcome::Success),
            request(0, &[200, 600], 650, RequestOutcome::Success),
            request(
                1000,
                &[],
                1010,
                failed(RequestError::Status(429), "<b>slow down</b>"),
            ),
            request(1000, &[1100], 2500, RequestOutcome::CutOff),
        ],
        ..LevelRecords::default()
    }
}

fn workload() -> Workload {
    Workload {
        api: Api::Chat,
        scenarios: vec!["D(10,3)".parse().expect("a scenario")],
        concurrency: vec![2, 4],
        arrival: Arrival::Closed,
        first_wave: FirstWave::default(),
        max_time_per_level: Duration::from_secs(2),
        max_requests_per_level: 4,
        drain: Duration::from_secs(30),
        warmup_requests: 2,
        max_warmup: Duration::from_secs(60),
        request_timeout: Duration::from_secs(60),
        content: Content::default(),
        sources: Sources::default(),
        seed: 7,
        order: Vec::new(),
        precision: None,
        additional_params: serde_json::Map::new(),
    }
}

fn with_run<T>(model: &str, levels: Vec<LevelRecords>, look: impl FnOnce(&BenchRun<'_>) -> T) -> T {
    let workload = workload();
    let measured = levels.iter().map(|level| level_metrics(level, &[])).collect();
    let recording = Recording {
        levels,
        notes: vec!["a <note>".into()],
        fingerprints: vec![],
        clock_zero_ns: 5,
    };
    look(&BenchRun {
        url: "http://host:8".into(),
        model: model.into(),
        workload: &workload,
        started_at_ms: 1_700_000_000_123,
        ended_at_ms: 1_700_000_004_123,
        recording: &recording,
        measured: &experiment_metrics(measured, None, 0),
        command: "autotuner bench --model '<m>'".into(),
        host: None,
        search: None,
        calibration: Vec::new(),
    })
}

/// Every number of `expected` is in `found`, to the last digits of arithmetic.
fn assert_has(found: &Value, expected: &Value) {
    for (key, expected) in expected.as_object().expect("keys") {
        let found = &found[key];
        let is_equal = match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            _ => found == expected,
        };
        assert!(is_equal, "{key}: {found} instead of {expected}");
    }
}

#[test]
fn secrets_do_not_leave_an_address() {
    let check = |url: &str, expected: &str| assert_eq!(without_secrets(url), expected, "{url}");
    check("http://127.0.0.1:8080", "http://127.0.0.1:8080");
    check("http://user:pa@ss@host:8/a/b@c?key=x#y", "http://host:8/a/b@c");
    check("user@host", "host");
    check("", "");
}

#[test]
fn a_summary_tells_what_was_asked_and_what_came_of_it() {
    let told = with_run("m", vec![level(2), level(4)], summary::summary);
    assert_has(
        &told,
        &json!({
            "schema_version": 1,
            "tool": "inference-autotuner",
            "started_at": "2023-11-14T22:13:20.123Z",
            "url": "http://host:8",
            "model": "m",
            "seed": 7,
            "clock_zero_monotonic_ns": 5,
            "total_completed_requests": 4,
            "notes": ["a <note>"],
        }),
    );
    assert_eq!(told["workload"]["concurrency"], json!([2, 4]));
    assert_eq!(told["workload"]["api"], "/v1/chat/completions");
    assert_eq!(told["raw_results"][1]["load"], "concurrency 4");
    assert!(told.get("calibration").is_none());
}

#[test]
fn vllm_s_figures_are_by_its_definitions() {
    let documents = with_run("m", vec![level(2), level(4)], |run| vllm::documents(run, false));
    assert_eq!(documents.len(), 2);
    assert_has(
        &documents[0],
        &json!({
            "date": "20231114-221320",
            "backend": "openai-chat",
            "model_id": "m",
            "num_prompts": 4,
            "request_rate": "inf",
            "burstiness": 1.0,
            "max_concurrency": 2,
            "duration": 2.5,
            "completed": 2,
            "failed": 2,
            "total_input_tokens": 20,
            "total_output_tokens": 6,
            "request_throughput": 0.8,
            "request_goodput": null,
            "output_throughput": 2.4,
            "total_token_throughput": 10.4,
            "max_output_tokens_per_s": 5.0,
            "max_concurrent_requests": 2,
            "mean_ttft_ms": 150.0,
            "median_ttft_ms": 150.0,
            "std_ttft_ms": 50.0,
            "p99_ttft_ms": 199.0,
            "mean_tpot_ms": 150.0,
            "std_tpot_ms": 50.0,
            "mean_itl_ms": 200.0,
            "median_itl_ms": 100.0,
            "std_itl_ms": 141.421_356_237_309_5,
            "p99_itl_ms": 394.0,
            "mean_e2el_ms": 450.0,
            "p50_e2el_ms": 450.0,
        }),
    );
    assert!(documents[0].get("ttfts").is_none());
    let detailed = with_run("m", vec![level(2)], |run| vllm::documents(run, true));
    assert_has(
        &detailed[0],
        &json!({
            "input_lens": [10, 10, 10, 10],
            "output_lens": [3, 3, 0, 0],
            "ttfts": [0.1, 0.2, 0.0, 0.1],
            "itls": [[0.1, 0.1], [0.4], [], []],
            "start_times": [0.0, 0.0, 1.0, 1.0],
            "errors": ["", "", "<b>slow down</b>", "still open when the measurement ended"],
        }),
    );
}

#[test]
fn genai_bench_s_figures_are_by_its_definitions() {
    let documents = with_run("m", vec![level(2)], genai_bench::documents);
    let (name, document) = &documents[0];
    assert_eq!(name, "D10_3_text-to-text_num_concurrency_2_time_2s.json");
    let told = &document["aggregated_metrics"];
    assert_has(
        told,
        &json!({
            "scenario": "D(10,3)",
            "num_concurrency": 2.0,
            "iteration_type": "num_concurrency",
            "run_duration": 2.5,
            "mean_output_throughput_tokens_per_s": 2.4,
            "mean_input_throughput_tokens_per_s": 8.0,
            "mean_total_tokens_throughput_tokens_per_s": 10.4,
            "requests_per_second": 0.8,
            "error_codes_frequency": {"429": 1},
            "error_rate": 1.0 / 3.0,
            "num_error_requests": 1,
            "num_completed_requests": 2,
            "num_requests": 3,
            "total_arrivals": null,
        }),
    );
    assert_has(
        &told["stats"]["e2e_latency"],
        &json!({"mean": 0.48, "min": 0.31, "max": 0.65, "stddev": 0.17, "sum": 0.96, "p25": 0.395, "p99": 0.6466}),
    );
    assert_has(&told["stats"]["tpot"], &json!({"mean": 0.165, "min": 0.105}));
    assert_has(&told["stats"]["output_throughput"], &json!({"max": 2.0 / 0.21}));
    let requests = document["individual_request_metrics"].as_array().expect("a list");
    assert_eq!(requests.len(), 3);
    assert_has(
        &requests[0],
        &json!({
            "ttft": 0.1,
            "output_latency": 0.21,
            "input_throughput": 100.0,
            "num_output_tokens": 3,
            "total_tokens": 13,
            "error_code": null,
        }),
    );
    assert_has(
        &requests[2],
        &json!({"ttft": null, "total_tokens": null, "error_code": 429, "error_message": "<b>slow down</b>"}),
    );
    let metadata = with_run("m", vec![level(2)], genai_bench::metadata);
    assert_has(
        &metadata,
        &json!({"task": "text-to-text", "max_time_per_run_s": 2, "num_concurrency": [2, 4]}),
    );
}

#[test]
fn what_nobody_answered_is_told_without_figures() {
    let nothing = || LevelRecords {
        requests: vec![request(0, &[], 1, failed(RequestError::Timeout, "silence"))],
        ..level(2)
    };
    let documents = with_run("m", vec![nothing()], |run| vllm::documents(run, true));
    assert_has(&documents[0], &json!({"completed": 0, "mean_ttft_ms": 0.0}));
    let documents = with_run("m", vec![nothing()], genai_bench::documents);
    let told = &documents[0].1["aggregated_metrics"];
    assert_has(
        told,
        &json!({"num_completed_requests": 0, "error_codes_frequency": {"408": 1}}),
    );
    assert_eq!(told["stats"]["ttft"]["mean"], Value::Null);
    let page = with_run("m", vec![nothing()], html::page);
    assert!(page.contains("silence"));
    let page = with_run("m", vec![], html::page);
    assert!(page.contains("No request failed"));
}

#[test]
fn a_page_is_whole_and_takes_no_orders() {
    let model = "<script>alert(1)</script>\"'&";
    let page = with_run(model, vec![level(2), level(4)], html::page);
    for markup in [
        "<script",
        "<b>",
        "<note>",
        "'<m>'",
        "http://www",
        "https://",
        "url(",
    ] {
        assert!(!page.contains(markup), "{markup} is in the page");
    }
    for text in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;b&gt;slow down&lt;/b&gt;",
        "concurrency 4",
        "a &lt;note&gt;",
        "What throughput costs",
        "still open",
    ] {
        assert!(page.contains(text), "{text} is not in the page");
    }
    for tag in ["div", "table", "tr", "svg", "dl", "ul", "main", "p"] {
        let begun = page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
        assert_eq!(begun, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let single = with_run("m", vec![level(2)], html::page);
    assert!(
        !single.contains("What throughput costs"),
        "one level makes no curve"
    );
}

#[test]
fn the_page_is_told_of_calibration_where_there_is_one() {
    let truth = autotuner_core::calibration::Truth::default();
    let page = with_run("m", vec![level(2)], |run| {
        let calibration = autotuner_core::calibration::calibrate(0, &run.recording.levels[0], 0, &truth);
        let run = BenchRun {
            url: run.url.clone(),
            model: run.model.clone(),
            command: run.command.clone(),
            calibration: vec![calibration],
            ..*run
        };
        (html::page(&run), summary::summary(&run))
    });
    assert!(page.0.contains("How far from the truth"));
    assert_has(
        &page.1["calibration"][0],
        &json!({"requests": 0, "requests_not_received": 4, "ttft_error_seconds": null}),
    );
}

/// A summary as a file would hold it, changed by `change`.
fn summary_text(change: impl FnOnce(&mut Value)) -> String {
    let mut document = with_run("m", vec![level(2), level(4)], summary::summary);
    change(&mut document);
    document.to_string()
}

#[test]
fn differences_are_told_as_far_as_intervals_carry() {
    let set = |document: &mut Value, value: f64, interval: Value| {
        let level = &mut document["raw_results"][0];
        level["stats"]["ttft"]["mean"] = value.into();
        level["mean_output_throughput_tokens_per_s"] = (value * 1000.0).into();
        let rate = interval.as_array().map(|ends| {
            let ends = ends.iter().filter_map(Value::as_f64);
            ends.map(|end| end * 1000.0).collect::<Vec<_>>()
        });
        level["confidence"] = json!({"mean_ttft": interval, "mean_output_throughput": rate});
    };
    let check = |before: (f64, Value), after: (f64, Value), expected: [Word; 2]| {
        let before = read("a", &summary_text(|document| set(document, before.0, before.1))).expect("ours");
        let after = read("b", &summary_text(|document| set(document, after.0, after.1))).expect("ours");
        let found = compare(&before, &after);
        assert_eq!(found.levels.len(), 2);
        let line = |metric: &str| {
            let lines = found.levels[0].lines.iter();
            lines
                .into_iter()
                .find(|line| line.metric == metric)
                .expect(metric)
        };
        assert_eq!([line("TTFT mean").word, line("output tok/s").word], expected);
        line("TTFT mean").change()
    };
    use Word::{Better, CannotBeTold, WithinNoise, Worse};
    let change = check(
        (0.2, json!([0.19, 0.21])),
        (0.1, json!([0.09, 0.11])),
        [Better, Worse],
    );
    assert!((change.expect("a change") + 0.5).abs() < 1e-12);
    check(
        (0.1, json!([0.09, 0.11])),
        (0.2, json!([0.19, 0.21])),
        [Worse, Better],
    );
    check(
        (0.1, json!([0.05, 0.15])),
        (0.2, json!([0.15, 0.25])),
        [WithinNoise; 2],
    );
    check((0.1, json!([0.05, 0.15])), (0.2, Value::Null), [CannotBeTold; 2]);
    let change = check((0.0, Value::Null), (0.2, Value::Null), [CannotBeTold; 2]);
    assert_eq!(change, None, "nothing is so many times as much as nothing");
}

#[test]
fn waits_count_from_the_schedule_where_there_is_one() {
    let text = summary_text(|document| {
        document["raw_results"][0]["stats"]["ttft_from_schedule"] = json!({"mean": 9.0, "p99": 10.0});
    });
    let summary = read("a", &text).expect("ours");
    let found = compare(&summary, &summary);
    let means = found
        .levels
        .iter()
        .map(|level| level.lines[0].before.expect("a figure").value);
    let means: Vec<f64> = means.collect();
    assert!(
        (means[0] - 9.0).abs() < 1e-12 && (means[1] - 0.15).abs() < 1e-12,
        "{means:?}"
    );
}

#[test]
fn levels_are_matched_and_the_rest_is_told() {
    let before = read("a", &summary_text(|_| ())).expect("ours");
    let changed = summary_text(|document| {
        document["raw_results"][1]["load"] = "poisson at 10/s".into();
        document["model"] = "n".into();
        document["seed"] = 8.into();
        document["workload"]["max_requests_per_level"] = 9.into();
    });
    let after = read("b", &changed).expect("ours");
    let found = compare(&before, &after);
    assert_eq!(found.levels.len(), 1);
    assert_eq!(
        found.unmatched,
        [
            "D(10,3) at concurrency 4 is only in a",
            "D(10,3) at poisson at 10/s is only in b"
        ]
    );
    assert_eq!(
        found.warnings,
        [
            "the models differ: m against n",
            "the seeds differ: 7 against 8, so other prompts were sent",
            "the limits of a level differ: 4 against 9 requests",
        ]
    );
    let told = compare::json(&found);
    assert_eq!(told["levels"][0]["metrics"][0]["word"], "cannot_be_told");
    assert_eq!(compare(&before, &before).warnings, [""; 0]);
}

#[test]
fn files_that_are_not_ours_are_refused_by_name() {
    let refused = |text: &str, part: &str| {
        let why = read("x", text).expect_err(text);
        assert!(why.contains(part), "{why}");
    };
    refused("{", "not JSON");
    refused("[1]", "not a summary of autotuner bench");
    refused(r#"{"aggregated_metrics": {}}"#, "genai-bench");
    refused(r#"{"mean_ttft_ms": 1}"#, "vllm");
    refused(
        &summary_text(|document| document["schema_version"] = 2.into()),
        "schema_version is 2",
    );
    refused(
        &summary_text(|document| document["schema_version"] = "1".into()),
        "no schema_version that we know",
    );
    refused(
        &summary_text(|document| document["raw_results"] = Value::Null),
        "no raw_results",
    );
}
