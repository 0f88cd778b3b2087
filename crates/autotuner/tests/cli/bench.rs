//! `autotuner bench` as a tool of its own: where its results go, and what is made of two of them.

use serde_json::Value;

use super::commands::start_sim;
use super::support::Sandbox;

fn read(sandbox: &Sandbox, name: &str) -> Value {
    let text = std::fs::read_to_string(sandbox.path(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

#[test]
fn results_go_where_they_are_asked_for() {
    let sandbox = Sandbox::new();
    let (engine, url) = start_sim(&sandbox);
    let with_name = url.replace("http://", "http://me:sesame@");
    let measure = |more: &str| {
        let line = format!(
            "bench --url {url} --model sim --scenario D(8,4) --max-requests 6 --seed 3 --max-time 60 {more}"
        );
        let words: Vec<&str> = line.split_whitespace().collect();
        sandbox.run(&words)
    };
    let both = "--concurrency 1 --concurrency 2";

    let first = measure(&format!(
        "{both} --output before.json --html page.html --requests records.jsonl.zst"
    ))
    .expect(0);
    assert!(first.stdout.contains("TTFT mean"), "{}", first.stdout);
    first.says(&[
        "results: before.json",
        "report: page.html",
        "requests: records.jsonl.zst",
    ]);
    let summary = read(&sandbox, "before.json");
    assert_eq!(summary["schema_version"], 1);
    assert_eq!(summary["tool"], "inference-autotuner");
    assert_eq!(summary["url"], url.as_str());
    assert_eq!(summary["workload"]["scenarios"][0], "D(8,4)");
    assert_eq!(summary["raw_results"][1]["load"], "concurrency 2");
    assert!(summary["machine"]["cpus"].is_u64(), "{summary:#}");
    let zero = summary["clock_zero_monotonic_ns"].as_u64();
    assert!(zero.is_some_and(|zero| zero > 0), "{summary:#}");
    let page = std::fs::read_to_string(sandbox.path("page.html")).expect("a page");
    assert!(page.contains("</html>") && page.contains("concurrency 2"));
    let packed = std::fs::read(sandbox.path("records.jsonl.zst")).expect("records");
    let records = zstd::decode_all(&packed[..]).expect("packed");
    assert_eq!(records.split(|byte| *byte == b'\n').count(), 13);

    measure(&format!(
        "{both} --requests records.jsonl --format genai-bench -o folder"
    ))
    .expect(0);
    let plain = std::fs::read_to_string(sandbox.path("records.jsonl")).expect("records");
    assert!(plain.lines().all(|line| line.starts_with('{')));
    let mut names: Vec<String> = std::fs::read_dir(sandbox.path("folder"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(
        names[0].starts_with("D8_4_text-to-text_num_concurrency_1_time_"),
        "{names:?}"
    );
    assert_eq!(names[2], "experiment_metadata.json");

    let vllm = measure("--format vllm --detailed").expect(0).json();
    assert_eq!(vllm["completed"], 6);
    assert_eq!(vllm["ttfts"].as_array().map(Vec::len), Some(6));
    let lines = measure(&format!("{both} --format vllm")).expect(0).stdout;
    assert_eq!(lines.lines().count(), 2, "one document a line: {lines}");

    let hidden = sandbox.run(&["bench", "--url", &with_name, "--model", "sim", "--json"]);
    assert!(!hidden.stdout.contains("sesame"), "{}", hidden.stdout);

    measure(&format!("{both} --output after.json")).expect(0);
    drop(engine);
    let compared = sandbox
        .run(&["bench", "compare", "before.json", "after.json"])
        .expect(0);
    for part in [
        "after.json against before.json",
        "D(8,4) at concurrency 2",
        "TTFT mean",
        "cannot be told",
    ] {
        assert!(compared.stdout.contains(part), "no {part} in {}", compared.stdout);
    }
    let told = sandbox
        .run(&["bench", "compare", "before.json", "after.json", "--json"])
        .expect(0)
        .json();
    assert_eq!(told["comparisons"][0]["levels"].as_array().map(Vec::len), Some(2));
    sandbox.assert_nothing_left();
}

#[test]
fn what_cannot_be_written_or_compared_is_known_at_once() {
    let sandbox = Sandbox::new();
    let check = |line: &str, parts: &[&str]| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let finished = sandbox.run(&words).expect(2).says(parts);
        assert_eq!(finished.stdout, "");
    };
    // Nobody listens there: none of these gets so far as to notice.
    let server = "bench --url http://127.0.0.1:1 --model m";
    check(&format!("{server} --json --format vllm"), &["--output"]);
    check(
        &format!("{server} --format json --detailed"),
        &["--detailed", "vllm"],
    );
    check(
        &format!("{server} --concurrency 1 --concurrency 2 --format genai-bench -o x.json"),
        &["genai-bench", "folder", "x.json"],
    );
    check(&format!("{server} --html nowhere/"), &["nowhere/"]);
    check(&format!("{server} --format csv"), &["csv", "genai-bench"]);
    check("bench compare", &["BEFORE"]);
    check("bench compare a.json b.json", &["cannot read the summary a.json"]);
    sandbox.write("theirs.json", r#"{"mean_ttft_ms": 1}"#);
    check("bench compare theirs.json theirs.json", &["theirs.json", "vllm"]);
    let newer = r#"{"tool": "inference-autotuner", "schema_version": 99, "raw_results": []}"#;
    sandbox.write("newer.json", newer);
    check("bench compare newer.json newer.json", &["newer.json", "99"]);
    check("bench --selftest --url http://127.0.0.1:1", &["--model", "--url"]);
}

#[test]
fn the_load_generator_checks_itself_before_it_asks() {
    let sandbox = Sandbox::new();
    let load = "--scenario D(8,4) --concurrency 2 --max-requests 8 --seed 3 --max-time 60 \
                --selftest --selftest-ttft-ms 5 --selftest-itl-ms 2";
    let check = |line: String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        sandbox.run(&words).expect(0)
    };

    let alone = check(format!("bench {load} --output alone.json"));
    assert!(alone.stdout.contains("TTFT error p99"), "{}", alone.stdout);
    let alone = read(&sandbox, "alone.json");
    let found = &alone["calibration"][0];
    assert_eq!(found["requests"], 8, "{found:#}");
    assert_eq!(found["requests_not_received"], 0, "{found:#}");
    assert_eq!(found["requests_not_recorded"], 0, "{found:#}");
    assert_eq!(found["in_flight_seen"], 2, "{found:#}");

    let (_engine, url) = start_sim(&sandbox);
    let told = check(format!(
        "bench --url {url} --model sim {load} --output before.json --html page.html"
    ));
    told.says(&["a server of our own"]);
    let with = read(&sandbox, "before.json");
    assert_eq!(with["url"], url.as_str());
    assert_eq!(with["raw_results"][0]["num_concurrency"], 2, "{with:#}");
    assert_eq!(with["calibration"][0]["requests"], 8, "{with:#}");
    // One stamp may be as late as the check has found, or later by what the load threads saw.
    let found = with["calibration"][0]["ttft_error_seconds"]["p99"]
        .as_f64()
        .expect("an error");
    let held = with["raw_results"][0]["trust"]["stamp_error_p99"]
        .as_f64()
        .expect("a bound");
    assert!(held >= found, "{held} < {found}");
    let page = std::fs::read_to_string(sandbox.path("page.html")).expect("a page");
    assert!(page.contains("TTFT error p99"));
}
