//! `autotuner bench` looking for the highest load, and asking what files say.
//!
//! The simulated engine answers four at a time here: with more in flight the others wait for
//! whole answers, however fast or slow this machine is.

use nix::sys::signal::Signal;
use serde_json::Value;

use super::commands::{start_sim, url_of};
use super::support::{Running, Sandbox};

/// An engine whose answers take long enough that a wait for one is no matter of chance.
fn start_four_at_a_time(sandbox: &Sandbox) -> (Running, String) {
    let mut engine = sandbox.start(&[
        "sim-engine",
        "--startup-seconds",
        "0",
        "--max-num-seqs",
        "4",
        "--time-scale",
        "1",
    ]);
    let url = url_of(&mut engine);
    (engine, url)
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn read(sandbox: &Sandbox, name: &str) -> Value {
    let text = std::fs::read_to_string(sandbox.path(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

fn loads(search: &Value) -> Vec<f64> {
    let looks = search["looks"].as_array().expect("looks");
    looks.iter().filter_map(|look| look["load"].as_f64()).collect()
}

#[test]
fn the_highest_load_that_meets_a_bound_is_found() {
    let sandbox = Sandbox::new();
    let (_engine, url) = start_four_at_a_time(&sandbox);
    let bench = format!("bench --url {url} --model sim --seed 3");
    // Half of an answer: nobody waits so long for a free place, or everybody does.
    let line = format!(
        "{bench} --scenario D(8,64) --max-time 60 --max-requests 16 --find concurrency --slo p50.ttft=0.15 --from 2 --to 8 \
         --resolution 1 --output found.json --html page.html --requests records.jsonl"
    );
    let found = sandbox.run(&words(&line)).expect(0);
    for part in [
        "highest load that meets p50 TTFT ≤ 150 ms: 4 requests in flight (8 ",
        "outcome",
    ] {
        assert!(found.stdout.contains(part), "no {part} in {}", found.stdout);
    }
    found.says(&[
        "look 1: D(8,64) at concurrency 2",
        "look 3: 8 requests in flight: ",
    ]);
    let summary = read(&sandbox, "found.json");
    assert_eq!(summary["schema_version"], 1);
    let search = &summary["search"];
    assert_eq!(
        (&search["find"], &search["end"]),
        (&"concurrency".into(), &"found".into())
    );
    assert_eq!(
        (&search["highest_met"], &search["lowest_missed"]),
        (&4.0.into(), &8.0.into())
    );
    assert_eq!(loads(search), [2.0, 4.0, 8.0]);
    assert_eq!(summary["raw_results"][2]["load"], "concurrency 8");
    assert!(
        summary["command"]
            .as_str()
            .is_some_and(|line| line.contains("--find concurrency"))
    );
    let page = std::fs::read_to_string(sandbox.path("page.html")).expect("a page");
    assert!(
        page.contains("The highest load") && page.contains("over-saturated"),
        "{page}"
    );
    // Every look's stamps are of one clock.
    let records = std::fs::read_to_string(sandbox.path("records.jsonl")).expect("records");
    let sent: Vec<u64> = records
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["sent_ns"].as_u64())
        .collect();
    assert_eq!(sent.len(), 48);
    assert!(sent[..16].iter().max() < sent[16..32].iter().min());

    let short = format!("{bench} --scenario D(8,4) --max-requests 8 --json");
    let all = sandbox
        .run(&words(&format!(
            "{short} --find concurrency --slo e2e:p90<=1h --slo ttft=3600 --to 2"
        )))
        .expect(2)
        .says(&["1h"]);
    assert_eq!(all.stdout, "");
    let all = format!("{short} --find concurrency --slo e2e:p90<=3600 --slo ttft=3600 --to 2");
    let all = sandbox.run(&words(&all)).expect(0).json();
    assert_eq!(
        (&all["search"]["end"], &all["search"]["highest_met"]),
        (&"all_met".into(), &2.0.into())
    );
    let none = format!("{short} --find rate --slo ttft=0.000001 --arrival constant:1 --from 4 --max-time 1");
    let none = sandbox.run(&words(&none)).expect(1).json();
    let search = &none["search"];
    assert_eq!(
        (&search["end"], &search["highest_met"]),
        (&"none_met".into(), &Value::Null)
    );
    assert_eq!(none["raw_results"][0]["load"], "constant at 4/s");
}

#[test]
fn a_search_that_is_stopped_keeps_its_looks() {
    let sandbox = Sandbox::new();
    let (_engine, url) = start_four_at_a_time(&sandbox);
    let line = format!(
        "bench --url {url} --model sim --scenario D(8,64) --max-time 5 --find rate --slo ttft=3600 --from 0.5 \
         --to 0.6 --resolution 0.01 --arrival constant:1 --output looks.json"
    );
    let mut search = sandbox.start(&words(&line));
    search.wait_for("the second look", |search| {
        search.stderr().contains("look 2: D(8,64)").then_some(())
    });
    search.signal(Signal::SIGINT);
    let stopped = search.wait().expect(130);
    assert!(
        stopped
            .stdout
            .contains("cancelled after 1 look; the highest load"),
        "{stopped:#?}"
    );
    let search = &read(&sandbox, "looks.json")["search"];
    assert_eq!(
        (&search["end"], &search["highest_met"]),
        (&"cancelled".into(), &0.5.into())
    );
    assert_eq!(loads(search), [0.5]);
}

#[test]
fn a_server_that_dies_ends_a_search_with_what_was_seen() {
    let sandbox = Sandbox::new();
    let (engine, url) = start_four_at_a_time(&sandbox);
    let line = format!(
        "bench --url {url} --model sim --scenario D(8,64) --max-time 60 --max-requests 16 --find concurrency \
         --slo ttft=3600 --to 8 --json"
    );
    let mut search = sandbox.start(&words(&line));
    search.wait_for("the second look", |search| {
        search.stderr().contains("look 2: D(8,64)").then_some(())
    });
    drop(engine);
    let broken = search.wait().expect(0).json();
    let search = &broken["search"];
    assert_eq!(search["highest_met"], 1.0, "{search:#}");
    assert_eq!(search["end"], "broken", "{search:#}");
}

#[test]
fn files_say_what_is_asked() {
    let sandbox = Sandbox::new();
    let (_engine, url) = start_sim(&sandbox);
    sandbox.write("set.csv", "prompt,output_tokens\nwho are you,3\nwhere am I,4\n");
    sandbox.write(
        "trace.jsonl",
        "{\"timestamp\": 0, \"input_length\": 8, \"output_length\": 3}\n\
         {\"timestamp\": 40, \"input_length\": 9, \"output_length\": 4}\n",
    );
    sandbox.write(
        "task.yaml",
        "task_name: x\nbase_runtime: sim\nslo: {ttft: {threshold: 3600}}\n\
         benchmark:\n  num_concurrency: [3]\n  max_requests_per_iteration: 6\n  \
         prefix_sharing: {prefix_tokens: 4}\n  traffic_scenarios: [\"D(8,4)\"]\n",
    );
    let bench = format!("bench --url {url} --model sim --max-time 60 --seed 3 --json");
    let asked = |more: &str| sandbox.run(&words(&format!("{bench} {more}"))).expect(0).json();

    let set = asked("--dataset set.csv --max-requests 4");
    assert_eq!(set["workload"]["content"]["dataset"], "set.csv");
    assert_eq!(set["raw_results"][0]["scenario"], "dataset");
    let trace = asked("--arrival trace:trace.jsonl");
    assert_eq!(trace["workload"]["arrival"]["kind"], "trace");
    assert_eq!(trace["total_requests"], 2);
    let file = asked("--workload task.yaml --concurrency 2");
    assert_eq!(file["workload"]["concurrency"][0], 2);
    assert_eq!(file["workload"]["content"]["prefix_sharing"]["prefix_tokens"], 4);
    assert_eq!(file["total_requests"], 6);
    assert!(
        file["command"]
            .as_str()
            .is_some_and(|line| line.contains("--workload task.yaml --concurrency 2"))
    );
    let found = asked("--workload task.yaml --find concurrency --to 2");
    assert_eq!(found["search"]["bounds"][0]["metric"], "ttft");

    let refused = |more: &str, parts: &[&str]| {
        let line = format!("{bench} {more}");
        let refused = sandbox.run(&words(&line)).expect(2).says(parts);
        assert_eq!(refused.stdout, "");
    };
    refused("--dataset nowhere.csv", &["--dataset", "nowhere.csv"]);
    refused("--arrival trace:nowhere.jsonl", &["--arrival", "nowhere.jsonl"]);
    sandbox.write("wrong.yaml", "benchmark: {num_concurency: [3]}\n");
    refused(
        "--workload wrong.yaml",
        &["wrong.yaml", "benchmark.num_concurency", "num_concurrency"],
    );
    refused("--slo ttft=1", &["--find"]);
    refused(
        "--find concurrency --slo ttft=1 --scenario dataset",
        &["--dataset"],
    );
}
