//! `run` and `demo`: what is measured, printed and written when all goes well.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::support::{Sandbox, experiments, sim_task};

/// The keys and kinds of a document, without its figures: of a list its first element, and
/// nothing of what hangs on how the measuring went.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => "switch".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(keys) => {
            let kinds: Map<String, Value> = keys
                .iter()
                .map(|(key, value)| match key.as_str() {
                    "remarks" | "violations" | "gpus" if value.is_array() => (key.clone(), json!("list")),
                    // None where a level was short.
                    "time_series" => (key.clone(), json!("series or nothing")),
                    _ => (key.clone(), shape(value)),
                })
                .collect();
            Value::Object(kinds)
        }
    }
}

/// Whether `words` stand in the command one after the other.
fn has_arguments(experiment: &Value, words: &[&str]) -> bool {
    let command: Vec<&str> = experiment["effective_arguments"]
        .as_array()
        .expect("a command")
        .iter()
        .map(|word| word.as_str().expect("text"))
        .collect();
    command.windows(words.len()).any(|window| window == words)
}

#[test]
fn a_task_is_measured_and_all_of_it_is_written_down() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"max-num-seqs": [2, 8], "env.TUNED_BY_TEST": ["yes"]}));
    task["engine"]["env"] = json!({"FIXED_BY_TEST": "also"});
    let finished = sandbox.run_task(&task).expect(0);
    sandbox.assert_nothing_left();

    let results = sandbox.results();
    assert_eq!(results["status"], "completed");
    assert_eq!(results["task_name"], "sim-test");
    assert_eq!(results["total_experiments"], 3);
    assert_eq!(results["successful_experiments"], 3);
    let all = experiments(&results);
    let roles: Vec<&Value> = all.iter().map(|experiment| &experiment["role"]).collect();
    assert_eq!(roles, ["baseline", "search", "search"]);
    assert_eq!(results["baseline_result"], all[0]);
    let best = results["verdict"]["best_experiment_id"].as_u64().expect("a best");
    assert_eq!(results["best_result"]["experiment_id"], best);

    assert_eq!(all[0]["parameters"], json!({}));
    assert_eq!(
        all[1]["parameters"],
        json!({"max-num-seqs": 2, "env.TUNED_BY_TEST": "yes"})
    );
    assert_eq!(all[2]["parameters"]["max-num-seqs"], 8);
    for experiment in all {
        assert!(has_arguments(experiment, &["sim-engine", "--host", "127.0.0.1"]));
        assert!(has_arguments(experiment, &["--time-scale", "0.05"]));
        assert_eq!(experiment["metrics"]["total_completed_requests"], 8);
        assert_eq!(experiment["host_fingerprint"], results["host"]["fingerprint"]);
        assert_eq!(experiment["engine_version"], results["engine_version"]);
    }
    let engines: std::collections::BTreeSet<&str> = all
        .iter()
        .map(|experiment| match experiment["engine_fingerprints"].as_array() {
            Some(names) if names.len() == 1 => names[0].as_str().expect("text"),
            names => panic!("one engine answered: {names:?}"),
        })
        .collect();
    assert_eq!(engines.len(), 3, "an engine of its own for each: {engines:?}");
    assert!(!has_arguments(&all[0], &["--max-num-seqs"]));
    assert!(has_arguments(&all[1], &["--max-num-seqs", "2"]));
    assert!(has_arguments(&all[2], &["--max-num-seqs", "8"]));
    assert_eq!(all[0]["environment"], json!({"FIXED_BY_TEST": "also"}));
    assert_eq!(all[1]["environment"]["TUNED_BY_TEST"], "yes");
    let version = results["engine_version"].as_str().expect("the engine tells it");
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");

    let sentence = results["verdict"]["sentence"].as_str().expect("a sentence");
    assert!(finished.stdout.contains(sentence), "{}", finished.stdout);
    assert!(finished.stdout.contains("Best command: "), "{}", finished.stdout);
    finished.says(&["results: results.json", "[1] defaults: "]);
}

#[test]
fn results_keep_the_originals_keys_and_have_ours() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"kv-cache-dtype": ["fp8", "fp4"]}));
    // Slow enough that no answer's tokens are all there at one look, which leaves no TPOT.
    task["engine"]["args"][1] = json!("1");
    sandbox.run_task(&task).expect(0);
    let results = sandbox.results();
    for key in [
        "task_name",
        "total_experiments",
        "successful_experiments",
        "elapsed_time",
        "best_result",
        "all_results",
    ] {
        assert!(results.get(key).is_some(), "no {key}");
    }
    let [baseline, _, failed] = &experiments(&results)[..] else {
        panic!("three experiments in {results:#}");
    };
    for key in [
        "experiment_id",
        "parameters",
        "status",
        "metrics",
        "objective_score",
        "error_message",
        "container_logs",
    ] {
        assert!(baseline.get(key).is_some(), "no {key}");
    }
    let mut document = shape(&results);
    for part in ["best_result", "baseline_result", "all_results"] {
        document[part] = "results".into();
    }
    insta::assert_json_snapshot!("document", document);
    insta::assert_json_snapshot!("success", shape(baseline));
    insta::assert_json_snapshot!("failure", shape(failed));
}

#[test]
fn the_engines_whole_output_is_kept() {
    let sandbox = Sandbox::new();
    sandbox
        .run_task(&sim_task(&json!({"max-num-seqs": [8]})))
        .expect(0);
    let results = sandbox.results();
    let logs = Path::new(results["logs"].as_str().expect("a directory"));
    assert!(logs.starts_with(sandbox.data_dir()), "{}", logs.display());
    let task_log = std::fs::read_to_string(logs.join("task.log")).expect("a task log");
    for experiment in experiments(&results) {
        let number = &experiment["experiment_id"];
        let file = experiment["log_file"].as_str().expect("a path");
        let output = std::fs::read_to_string(file).expect("the engine's log");
        assert!(output.contains("listening on http://127.0.0.1:"), "{output}");
        let begin = format!("[Experiment {number}] ========== Container Logs ==========");
        let end = format!("[Experiment {number}] ========== End Container Logs ==========");
        let (_, rest) = task_log.split_once(&begin).expect("a beginning");
        let (copied, _) = rest.split_once(&end).expect("an end");
        for line in output.lines() {
            let line = format!("[Experiment {number}] {line}");
            assert!(copied.contains(&line), "no {line:?} in {copied}");
        }
        assert!(
            task_log.contains(&format!("[Experiment {number}] Status: SUCCESS")),
            "{task_log}"
        );
    }
}

#[test]
fn json_is_all_that_json_mode_prints_and_the_usual_file_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("task.json", &sim_task(&json!({})).to_string());
    let finished = sandbox.run(&["run", "task.json", "--json"]).expect(0);
    let written = sandbox.path("results/sim-test_results.json");
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(written).expect("written")).expect("JSON");
    assert_eq!(finished.json(), written);
    assert_eq!(experiments(&written).len(), 1, "no parameter: the defaults alone");
    finished.says(&["[1] defaults: "]);
}

#[test]
fn quiet_says_no_progress() {
    let sandbox = Sandbox::new();
    sandbox.write("task.json", &sim_task(&json!({})).to_string());
    let finished = sandbox
        .run(&["run", "task.json", "--quiet", "-o", "made/for/it.json"])
        .expect(0);
    assert!(!finished.stderr.contains("[1]"), "{}", finished.stderr);
    assert!(finished.stdout.contains("defaults"), "{}", finished.stdout);
    assert!(sandbox.path("made/for/it.json").is_file());
}

#[test]
fn a_cluster_that_nobody_names_is_refused_before_anything_starts() {
    let sandbox = Sandbox::new();
    sandbox.write("task.json", &sim_task(&json!({"max-num-seqs": [8]})).to_string());
    for mode in ["kubernetes", "ome"] {
        let finished = sandbox
            .run(&["run", "task.json", "--mode", mode, "--output", "results.json"])
            .expect(2)
            .says(&[
                "deployment_mode",
                "Kubernetes",
                "kubernetes_config",
                "deployment_mode: local",
            ]);
        assert_eq!(finished.stdout, "");
    }
    assert_eq!(sandbox.try_results(), None);
    sandbox.assert_nothing_left();
}

#[test]
fn the_command_line_chooses_where_engines_run() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({}));
    task["deployment_mode"] = "docker".into();
    sandbox.write("task.json", &task.to_string());
    sandbox
        .run(&["run", "task.json", "--mode", "local", "-o", "results.json"])
        .expect(0);
    assert_eq!(sandbox.results()["deployment_mode"], "local");
}

#[test]
fn a_listener_who_has_gone_away_does_not_end_a_run() {
    let sandbox = Sandbox::new();
    sandbox.write("task.json", &sim_task(&json!({"max-num-seqs": [8]})).to_string());
    let mut command = sandbox.command(&["run", "task.json", "--output", "results.json"]);
    for stream in [0, 1] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        match stream {
            0 => command.stdout(writer),
            _ => command.stderr(writer),
        };
    }
    let status = command.status().expect("it starts");
    assert_eq!(status.code(), Some(0));
    sandbox.assert_nothing_left();
    assert_eq!(sandbox.results()["successful_experiments"], 2);
}

#[test]
fn names_cannot_lead_out_of_the_results_directory() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({}));
    task["task_name"] = "größer: $HOME & co".into();
    sandbox.write("task.json", &task.to_string());
    let finished = sandbox.run(&["run", "task.json", "--json"]).expect(0);
    assert_eq!(finished.json()["task_name"], task["task_name"]);
    assert!(sandbox.path("results/größer___HOME___co_results.json").is_file());
    for name in ["../x", ".x", "a/b"] {
        task["task_name"] = name.into();
        sandbox.write("task.json", &task.to_string());
        sandbox.run(&["run", "task.json"]).expect(2).says(&["task_name"]);
    }
}

#[test]
fn several_experiments_run_at_once_where_the_task_says_so() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"max-num-seqs": [1, 2, 4, 8]}));
    task["optimization"]["max_parallel_experiments"] = 2.into();
    sandbox.run_task(&task).expect(0);
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    assert_eq!(results["successful_experiments"], 5);
    let numbers: Vec<Option<u64>> = experiments(&results)
        .iter()
        .map(|experiment| experiment["experiment_id"].as_u64())
        .collect();
    assert_eq!(numbers, (1..=5).map(Some).collect::<Vec<_>>());
}

#[test]
fn the_best_is_measured_again_in_turn_with_the_defaults() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({ "time-scale": [3, 0.01] }));
    task["optimization"]["max_replicates"] = 6.into();
    task["engine"]["args"] = json!(["--time-scale", "1", "--startup-seconds", "0"]);
    sandbox.run_task(&task).expect(0);
    let results = sandbox.results();
    let roles: Vec<(&str, &str)> = experiments(&results)
        .iter()
        .map(|experiment| {
            let of = |key: &str| experiment[key].as_str().unwrap_or_default();
            (of("role"), of("reason").split(',').next().unwrap_or_default())
        })
        .collect();
    let again = |what| ("replicate", what);
    let begin = [
        again("the engine's defaults"),
        again("the best so far"),
        again("the best so far"),
        again("the engine's defaults"),
    ];
    assert_eq!(
        roles[3..].iter().take(4).collect::<Vec<_>>(),
        begin.iter().take(roles.len() - 3).collect::<Vec<_>>(),
        "{roles:?}"
    );
    let verdict = &results["verdict"];
    assert_eq!(verdict["claim"], "gain", "{verdict:#}");
    assert_eq!(verdict["best_experiment_id"], 3, "{verdict:#}");
    assert_eq!(results["best_result"]["experiment_id"], 3);
    let low = verdict["gain_low"].as_f64().expect("an interval");
    let high = verdict["gain_high"].as_f64().expect("an interval");
    let gain = verdict["gain_over_defaults"].as_f64().expect("a gain");
    assert!(0.0 < low && low <= gain && gain <= high, "{verdict:#}");
    let sentence = verdict["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("90 % interval"), "{sentence}");
    sandbox.assert_nothing_left();
}

#[test]
fn the_same_seed_repeats_the_same_choices() {
    let tried = |seed: u64| -> Vec<Value> {
        let sandbox = Sandbox::new();
        let mut task = sim_task(&json!({
            "max-num-seqs": {"type": "integer", "low": 1, "high": 64},
            "gpu-memory-utilization": {"type": "continuous", "low": 0.6, "high": 0.9},
        }));
        task["optimization"]["strategy"] = "random_search".into();
        task["optimization"]["max_iterations"] = 3.into();
        task["optimization"]["seed"] = seed.into();
        sandbox.run_task(&task).expect(0);
        let results = sandbox.results();
        let parameters = experiments(&results).iter().map(|one| one["parameters"].clone());
        parameters.collect()
    };
    let first = tried(7);
    assert_eq!(first.len(), 4);
    assert_eq!(first, tried(7));
    assert_ne!(first, tried(8));
}

#[test]
fn a_model_decides_after_a_spread_beginning() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({
        "max-num-seqs": [2, 4, 8, 16, 32],
        "max-num-batched-tokens": [256, 1024],
        "gpu-memory-utilization": {"type": "continuous", "low": 0.6, "high": 0.9},
    }));
    task["optimization"]["strategy"] = "bayesian".into();
    task["optimization"]["max_iterations"] = 5.into();
    task["optimization"]["n_initial_random"] = 3.into();
    sandbox.run_task(&task).expect(0);
    let results = sandbox.results();
    let reasons: Vec<&str> = experiments(&results)
        .iter()
        .map(|experiment| experiment["reason"].as_str().expect("a reason"))
        .collect();
    assert_eq!(reasons.len(), 6, "{reasons:?}");
    assert_eq!(reasons[1..4], ["spread over the space"; 3]);
    for reason in &reasons[4..] {
        assert!(reason.contains("expected gain"), "{reasons:?}");
    }
}

#[test]
fn slos_that_nothing_meets_are_said_to_be_missed() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"max-num-seqs": [8]}));
    task["slo"] = json!({"ttft": {"threshold": 1e-9}});
    let finished = sandbox.run_task(&task).expect(0);
    let results = sandbox.results();
    assert_eq!(results["verdict"]["claim"], "nothing_feasible");
    assert_eq!(results["verdict"]["gain_over_defaults"], Value::Null);
    for experiment in experiments(&results) {
        assert_eq!(experiment["score"]["feasible"], false);
        assert_eq!(
            experiment["score"]["violations"].as_array().map(Vec::len),
            Some(1)
        );
    }
    assert!(
        finished.stdout.contains("No configuration meets every SLO"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_results_file_that_cannot_be_written_is_known_before_the_first_engine() {
    let sandbox = Sandbox::new();
    sandbox.write("task.json", &sim_task(&json!({})).to_string());
    sandbox.write("file", "in the way");
    sandbox
        .run(&["run", "task.json", "--output", "file/results.json"])
        .expect(2)
        .says(&["cannot write results into file"]);
    assert!(!sandbox.data_dir().join("logs").exists());
}

#[test]
fn an_earlier_runs_results_are_moved_aside() {
    let sandbox = Sandbox::new();
    let task = sim_task(&json!({"max-num-seqs": [8]}));
    sandbox.run_task(&task).expect(0);
    let first = sandbox.results();
    sandbox
        .run_task(&task)
        .expect(0)
        .says(&["earlier results: ", "previous.json"]);
    let text = std::fs::read_to_string(sandbox.path("results.previous.json"));
    let kept: Value = serde_json::from_str(&text.expect("kept")).expect("JSON");
    assert_eq!(kept, first);
    assert_ne!(sandbox.results()["started_at"], first["started_at"]);
}
