//! `tune`: a task from a few flags, run or printed.

use serde_json::Value;

use crate::support::{Sandbox, experiments};

/// Flags that make a simulated experiment a matter of a moment.
const QUICK: [&str; 12] = [
    "--workload",
    "D(8,4)",
    "--concurrency",
    "2",
    "--max-requests",
    "8",
    "--max-time",
    "20",
    "--fix",
    "time-scale=0.05",
    "--fix",
    "startup-seconds=0",
];

fn tune<'a>(first: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    ["tune"].iter().chain(first).chain(rest).copied().collect()
}

#[test]
fn a_model_is_tuned_without_a_task_file() {
    let sandbox = Sandbox::new();
    let first = [
        "any-name", "--engine", "sim", "--budget", "3", "--slo", "ttft=30s", "--seed", "7", "--name", "mine",
    ];
    let finished = sandbox.run(&tune(&first, &QUICK)).expect(0).says(&[
        "mine: sim on local",
        "local mode, because the simulated engine is part of this program",
        "3 of endlessly many configurations",
    ]);
    assert!(finished.stdout.contains("defaults"), "{}", finished.stdout);

    let text = std::fs::read_to_string(sandbox.path("results/mine_results.json")).expect("a results file");
    let results: Value = serde_json::from_str(&text).expect("JSON");
    let experiments = experiments(&results);
    let searched = experiments
        .iter()
        .filter(|experiment| experiment["role"] == "search");
    assert_eq!(searched.count(), 3);
    for experiment in experiments {
        assert_eq!(experiment["status"], "success", "{experiment:#}");
        let command = experiment["effective_arguments"].to_string();
        assert!(command.contains("--time-scale"), "{command}");
    }
    sandbox.assert_nothing_left();
}

#[test]
fn a_budget_that_covers_the_space_tries_all_of_it() {
    let sandbox = Sandbox::new();
    let first = [
        "m",
        "--engine",
        "sim",
        "--set",
        "max-num-seqs=2,4",
        "--unset",
        "max-num-batched-tokens",
        "--unset",
        "kv-cache-dtype",
        "--unset",
        "gpu-memory-utilization",
        "--json",
        "--quiet",
        "--output",
        "results.json",
    ];
    let finished = sandbox.run(&tune(&first, &QUICK)).expect(0);
    assert!(!finished.stderr.contains("configurations"), "{}", finished.stderr);
    let seqs: Vec<Value> = experiments(&finished.json())
        .iter()
        .filter(|experiment| experiment["role"] == "search")
        .map(|experiment| experiment["parameters"]["max-num-seqs"].clone())
        .collect();
    assert_eq!(seqs.len(), 2, "{seqs:?}");
    assert_eq!(sandbox.results(), finished.json());
    sandbox.assert_nothing_left();
}

#[test]
fn a_printed_task_says_how_it_was_made() {
    let sandbox = Sandbox::new();
    let arguments = [
        "tune",
        "any-name",
        "--engine",
        "sim",
        "--slo",
        "ttft=0.5",
        "--workload",
        "D(512,128)",
        "--name",
        "it's mine",
        "--print",
    ];
    let finished = sandbox.run(&arguments).expect(0);
    assert_eq!(finished.stderr, "");
    insta::assert_snapshot!("tune-print", finished.stdout);
}

#[test]
fn every_printed_task_is_sound() {
    let sandbox = Sandbox::new();
    let engines = ["vllm", "sglang", "tensorrt-llm", "llamacpp", "sim"];
    let workloads = ["chat", "rag", "code", "summarise", "batch"];
    let mut files = Vec::new();
    for (engine, workload) in engines
        .iter()
        .zip(workloads)
        .chain(engines.iter().zip(["chat"; 5]))
    {
        let arguments = [
            "tune",
            "org/model",
            "--engine",
            engine,
            "--workload",
            workload,
            "--gpus",
            "2",
            "--print",
        ];
        let finished = sandbox.run(&arguments).expect(0);
        let name = format!("{engine}-{workload}.yaml");
        sandbox.write(&name, &finished.stdout);
        files.push(name);
    }
    let arguments: Vec<&str> = ["validate", "--json"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let told = sandbox.run(&arguments).expect(0).json();
    for file in told.as_array().expect("a list") {
        assert_eq!(file["valid"], true, "{file:#}");
        assert_eq!(file["warnings"], serde_json::json!([]), "{file:#}");
        assert_eq!(file["cannot_run_yet"], serde_json::json!([]), "{file:#}");
    }
}

#[test]
fn a_text_in_a_flag_cannot_leave_the_heading() {
    let sandbox = Sandbox::new();
    let model = "m\ntask_name: other";
    let finished = sandbox.run(&["tune", model, "--engine", "sim", "--print"]);
    let names = finished
        .stdout
        .lines()
        .filter(|line| line.starts_with("task_name:"));
    assert!(names.count() <= 1, "{}", finished.stdout);
}

#[test]
fn flags_that_make_no_sense_are_refused_before_anything_runs() {
    let sandbox = Sandbox::new();
    let check = |arguments: &[&str], parts: &[&str]| {
        let finished = sandbox.run(&tune(arguments, &[])).expect(2).says(parts);
        assert_eq!(finished.stdout, "");
    };
    check(&[], &["<MODEL>"]);
    check(
        &[
            "m",
            "--engine",
            "vlm",
            "--objective",
            "speed",
            "--slo",
            "ttft",
            "--workload",
            "talk",
        ],
        &[
            "the task has 4 problems",
            "--engine: unknown engine \"vlm\"; did you mean \"vllm\"?",
            "--objective: unknown objective \"speed\"; use throughput, latency, ttft or tpot",
            "--slo: \"ttft\" says no bound; write ttft=0.5",
            "--workload: \"talk\" is neither a workload nor a scenario",
        ],
    );
    check(
        &["m", "--engine", "tensorrt-llm", "--gpus", "0"],
        &["--gpus: tensorrt-llm runs on GPUs alone"],
    );
    check(
        &["m", "--engine", "sim", "--unset", "moon"],
        &["--unset: \"moon\" is not among the parameters"],
    );
    check(
        &["m", "--engine", "sim", "--set", "port=1"],
        &["--set: --port is set by the product"],
    );
    check(
        &["m", "--engine", "sim", "--fix", "port=1"],
        &["--fix: --port is set by the product"],
    );
    check(
        &["m", "--engine", "sim", "--fix", "time-scale"],
        &["--fix: --time-scale takes a value"],
    );
    check(
        &["m", "--image", "a", "--program", "b"],
        &["--image: an image is for docker"],
    );
    check(
        &["m", "--engine", "sim", "--budget", "0"],
        &["optimization.max_iterations"],
    );
    check(
        &["m", "--engine", "sim", "--concurrency", "1,x"],
        &["--concurrency"],
    );
    check(
        &["m", "--engine", "sim", "--print", "--json"],
        &["--print", "--json"],
    );
    check(&["m", "--mode", "moon"], &["moon", "local"]);
    sandbox.assert_nothing_left();
}

#[test]
fn what_is_printed_can_be_piped_into_validate() {
    let sandbox = Sandbox::new();
    let first = ["any-name", "--engine", "sim", "--print"];
    let printed = sandbox.run(&tune(&first, &[])).expect(0).stdout;
    let validate = |text: &str| {
        let file = sandbox.write("piped.txt", text);
        let mut command = sandbox.command(&["validate", "-"]);
        command.stdin(std::fs::File::open(file).expect("just written"));
        sandbox.start_command(command).wait()
    };
    let finished = validate(&printed).expect(0);
    assert!(
        finished.stdout.starts_with("-: ok, sim on local"),
        "{}",
        finished.stdout
    );
    let json = r#"{ "task_name": "a", "base_runtime": "sim" }"#;
    let finished = validate(json).expect(2);
    assert!(
        finished.stdout.contains("model: is missing"),
        "{}",
        finished.stdout
    );
}
