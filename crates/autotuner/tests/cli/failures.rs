//! Engines that fail, each in its own way: the experiment says how, and the task goes on.

use serde_json::{Value, json};

use crate::support::{PROGRAM, Sandbox, experiments, sim_task};

/// Runs a task, which must end with this code and leave nothing behind.
#[track_caller]
fn results_of(sandbox: &Sandbox, task: &Value, code: i32) -> Value {
    sandbox.run_task(task).expect(code);
    sandbox.assert_nothing_left();
    sandbox.results()
}

/// The experiment with this value of this parameter.
#[track_caller]
fn with_value<'a>(results: &'a Value, parameter: &str, value: &Value) -> &'a Value {
    experiments(results)
        .iter()
        .find(|experiment| experiment["parameters"][parameter] == *value)
        .unwrap_or_else(|| panic!("no {parameter} of {value} in {results:#}"))
}

/// Checks how an experiment failed: its kind, and what its message contains.
#[track_caller]
fn check_failed(experiment: &Value, kind: &str, parts: &[&str]) {
    assert_eq!(experiment["status"], "failed", "{experiment:#}");
    assert_eq!(experiment["failure_kind"], kind, "{experiment:#}");
    assert_eq!(experiment["objective_score"], Value::Null);
    assert_eq!(experiment["metrics"], Value::Null);
    let message = experiment["error_message"].as_str().expect("a message");
    for part in parts {
        assert!(message.contains(part), "no {part:?} in {message}");
    }
}

/// Tunes the simulated engine's `--fault` over these values; the results, after what holds for
/// all of them was checked: the defaults were measured, and no failure ended the task.
#[track_caller]
fn results_of_faults(sandbox: &Sandbox, faults: &[&str]) -> Value {
    let mut task = sim_task(&json!({"fault": faults}));
    task["benchmark"]["request_timeout_seconds"] = 3.into();
    task["benchmark"]["max_time_per_iteration"] = 10.into();
    let results = results_of(sandbox, &task, 0);
    assert_eq!(results["status"], "completed");
    assert_eq!(experiments(&results).len(), faults.len() + 1, "{results:#}");
    assert_eq!(results["baseline_result"]["status"], "success", "{results:#}");
    results
}

#[test]
fn engines_that_fail_to_load() {
    let sandbox = Sandbox::new();
    let results = results_of_faults(&sandbox, &["exit-at-load", "oom-at-load"]);
    let check = |fault: &str, kind, parts: &[&str]| {
        check_failed(with_value(&results, "fault", &fault.into()), kind, parts);
    };
    check(
        "exit-at-load",
        "engine_crashed",
        &["before it was ready", "exit code 1"],
    );
    check("oom-at-load", "out_of_memory", &["before it was ready", "memory"]);
    assert_eq!(results["successful_experiments"], 1);
    assert_eq!(results["verdict"]["best_experiment_id"], 1);
    assert_eq!(results["verdict"]["claim"], "only_defaults");
    let failed = with_value(&results, "fault", &"exit-at-load".into());
    let tail = failed["container_logs"]
        .as_str()
        .expect("the engine's last words");
    assert!(tail.contains("listening on"), "{tail}");
}

#[test]
fn engines_that_answer_nonsense() {
    let faults = ["garbage", "http-500", "bad-json", "cut-stream"];
    let sandbox = Sandbox::new();
    let results = results_of_faults(&sandbox, &faults);
    for fault in faults {
        let experiment = with_value(&results, "fault", &fault.into());
        check_failed(experiment, "benchmark_failed", &[]);
    }
    let check = |fault: &str, parts: &[&str]| {
        check_failed(
            with_value(&results, "fault", &fault.into()),
            "benchmark_failed",
            parts,
        );
    };
    check("http-500", &["500"]);
}

#[test]
fn engines_that_stall_or_die_under_load() {
    let sandbox = Sandbox::new();
    let results = results_of_faults(&sandbox, &["stall", "exit-after-requests=8"]);
    let check = |fault: &str, kind, parts: &[&str]| {
        check_failed(with_value(&results, "fault", &fault.into()), kind, parts);
    };
    check("stall", "benchmark_failed", &[]);
    check("exit-after-requests=8", "engine_crashed", &["exit code 1"]);
}

#[test]
fn a_few_failed_requests_are_tolerated_and_told() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"fault": ["http-500=20"]}));
    task["benchmark"]["max_requests_per_iteration"] = 30.into();
    let results = results_of(&sandbox, &task, 0);
    let experiment = with_value(&results, "fault", &"http-500=20".into());
    assert_eq!(experiment["status"], "success", "{experiment:#}");
    let metrics = &experiment["metrics"];
    let failed = metrics["total_error_requests"].as_u64().expect("a number");
    assert!((1..=3).contains(&failed), "{failed}");
    assert_eq!(metrics["raw_results"][0]["error_codes_frequency"]["500"], failed);
    let remark = format!("{failed} of 30 requests did not succeed");
    let remarks = experiment["remarks"].as_array().expect("a list");
    assert!(remarks.contains(&json!(remark)), "{remarks:?}");
}

#[test]
fn an_engine_that_ignores_the_request_to_stop_is_ended_all_the_same() {
    let sandbox = Sandbox::new();
    let results = results_of_faults(&sandbox, &["ignore-sigterm"]);
    assert_eq!(results["successful_experiments"], 2);
}

#[test]
fn configurations_without_enough_memory() {
    let sandbox = Sandbox::new();
    let task = sim_task(&json!({"gpu-memory-utilization": [0.1, 0.999]}));
    let results = results_of(&sandbox, &task, 0);
    for value in [0.1, 0.999] {
        let experiment = with_value(&results, "gpu-memory-utilization", &value.into());
        check_failed(experiment, "out_of_memory", &["memory"]);
        let advice = experiment["advice"].as_str().expect("advice");
        assert!(advice.contains("gpu-memory-utilization"), "{advice}");
    }
}

#[test]
fn flags_and_values_that_the_engine_does_not_know() {
    let sandbox = Sandbox::new();
    let task = sim_task(&json!({"max-num-seq": [8]}));
    let results = results_of(&sandbox, &task, 0);
    let experiment = with_value(&results, "max-num-seq", &8.into());
    check_failed(
        experiment,
        "invalid_candidate",
        &["does not know --max-num-seq;", "did you mean --max-num-seqs?"],
    );
    assert_eq!(
        experiment["effective_arguments"],
        json!([]),
        "it was never started"
    );

    let task = sim_task(&json!({"kv-cache-dtype": ["fp4"], "tensor-parallel-size": [3]}));
    let results = results_of(&sandbox, &task, 0);
    let experiment = with_value(&results, "kv-cache-dtype", &"fp4".into());
    check_failed(experiment, "invalid_candidate", &["fp4", "--kv-cache-dtype"]);
}

#[test]
fn engines_that_never_get_ready_fail_the_task_when_all_do() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"max-num-seqs": [8]}));
    task["engine"]["args"] = json!(["--fault", "never-ready"]);
    task["engine"]["start_timeout"] = 1.into();
    let finished = sandbox.run_task(&task).expect(1);
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    assert_eq!(results["status"], "failed");
    assert_eq!(results["verdict"]["claim"], "nothing_measured");
    assert_eq!(results["best_result"], Value::Null);
    for experiment in experiments(&results) {
        check_failed(experiment, "not_ready_in_time", &["not ready after", "503"]);
    }
    assert_eq!(experiments(&results).len(), 2);
    assert!(
        finished.stdout.contains("Nothing was measured"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_benchmark_that_does_not_end_is_ended() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({}));
    task["engine"]["args"] = json!(["--time-scale", "50000", "--startup-seconds", "0"]);
    task["benchmark"]["request_timeout_seconds"] = 3600.into();
    task["benchmark"]["max_time_per_iteration"] = 3600.into();
    task["optimization"]["timeout_per_iteration"] = 1.into();
    let results = results_of(&sandbox, &task, 1);
    check_failed(
        &experiments(&results)[0],
        "benchmark_failed",
        &["did not end within 1 s"],
    );
}

#[test]
fn no_gain_is_claimed_over_defaults_that_could_not_be_measured() {
    let sandbox = Sandbox::new();
    // The candidate's flag takes the place of the fixed one, so only the defaults fail.
    let mut task = sim_task(&json!({"fault": ["http-500=1000000"]}));
    let arguments = task["engine"]["args"].as_array_mut().expect("a list");
    arguments.extend([json!("--fault"), json!("exit-at-load")]);
    let finished = sandbox.run_task(&task).expect(0);
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    check_failed(&experiments(&results)[0], "engine_crashed", &[]);
    assert_eq!(results["verdict"]["claim"], "no_baseline");
    assert_eq!(results["verdict"]["gain_over_defaults"], Value::Null);
    assert_eq!(results["verdict"]["best_experiment_id"], 2);
    let said = "defaults could not be measured, so no gain is claimed";
    assert!(finished.stdout.contains(said), "{}", finished.stdout);
    assert!(!finished.stdout.contains('+'), "{}", finished.stdout);
}

/// A task whose engine is described by its command line.
fn custom_task(sandbox: &Sandbox, script: &str) -> Value {
    let path = sandbox.write("engine.sh", script);
    let mut task = sim_task(&json!({}));
    task["base_runtime"] = "custom".into();
    task["engine"] = json!({
        "program": "/bin/sh",
        "args": [path, "--host", "{host}", "--port", "{port}", "--model", "{model}"],
    });
    task
}

#[test]
fn an_engine_of_ones_own_is_measured() {
    let sandbox = Sandbox::new();
    let script = format!("echo 'its own words'\nexec '{PROGRAM}' sim-engine --startup-seconds 0 \"$@\"\n");
    let mut task = custom_task(&sandbox, &script);
    task["parameters"] = json!({"time-scale": [0.05]});
    let results = results_of(&sandbox, &task, 0);
    assert_eq!(results["successful_experiments"], 2, "{results:#}");
    let log = results["best_result"]["log_file"].as_str().expect("a path");
    let log = std::fs::read_to_string(log).expect("readable");
    assert!(log.contains("its own words"), "{log}");
}

#[test]
fn an_engine_may_say_much_and_in_any_bytes() {
    let sandbox = Sandbox::new();
    let script = format!(
        "head -c 3000000 /dev/urandom\nexec '{PROGRAM}' sim-engine --startup-seconds 0 --time-scale 0.05 \"$@\"\n"
    );
    let results = results_of(&sandbox, &custom_task(&sandbox, &script), 0);
    assert_eq!(results["successful_experiments"], 1, "{results:#}");
    let log = results["best_result"]["log_file"].as_str().expect("a path");
    let size = std::fs::metadata(log).expect("the engine's log").len();
    assert!(size >= 3_000_000, "{size}");
}

#[test]
fn a_program_in_the_current_directory_is_found_and_started_once() {
    let sandbox = Sandbox::new();
    let script = format!(
        "#!/bin/sh\necho \"$#\" >> \"$0.starts\"\nexec '{PROGRAM}' sim-engine --startup-seconds 0 \"$@\"\n"
    );
    let mut task = custom_task(&sandbox, "");
    sandbox.write_program("my-server", &script);
    task["engine"]["program"] = "./my-server".into();
    let arguments = task["engine"]["args"].as_array_mut().expect("a list");
    arguments.remove(0);
    let results = results_of(&sandbox, &task, 0);
    assert_eq!(results["successful_experiments"], 1, "{results:#}");
    // Nothing is asked of a program that we know nothing about.
    let starts = std::fs::read_to_string(sandbox.path("my-server.starts")).expect("it was started");
    assert_eq!(starts, "6\n", "started once, with its arguments");
}

#[test]
fn a_program_that_ends_by_itself_has_its_last_words_kept() {
    let sandbox = Sandbox::new();
    let task = custom_task(&sandbox, "echo 'the flux is out of phase' >&2\nexit 3\n");
    let results = results_of(&sandbox, &task, 1);
    let [experiment] = &experiments(&results)[..] else {
        panic!("one experiment in {results:#}");
    };
    check_failed(
        experiment,
        "engine_crashed",
        &["before it was ready", "exit code 3"],
    );
    assert_eq!(experiment["container_logs"], "the flux is out of phase");
}

#[test]
fn what_an_engine_leaves_running_is_ended_with_it() {
    let sandbox = Sandbox::new();
    let script =
        format!("sleep 1000 &\nexec '{PROGRAM}' sim-engine --startup-seconds 0 --time-scale 0.05 \"$@\"\n");
    let results = results_of(&sandbox, &custom_task(&sandbox, &script), 0);
    assert_eq!(results["successful_experiments"], 1);
}

/// A task that cannot be started: nothing is, and the problem says what is missing.
#[track_caller]
fn check_refused(task: &Value, parts: &[&str]) {
    let sandbox = Sandbox::new();
    let finished = sandbox.run_task(task).expect(2).says(parts);
    assert_eq!(finished.stdout, "");
    assert_eq!(sandbox.try_results(), None);
    assert!(
        !sandbox.data_dir().join("logs").exists(),
        "an experiment was begun"
    );
    sandbox.assert_nothing_left();
}

#[test]
fn what_would_fail_every_experiment_fails_the_task_at_once() {
    let mut task = sim_task(&json!({"max-num-seqs": [8]}));
    task["engine"]["program"] = "/no/such/engine".into();
    check_refused(&task, &["engine.program", "/no/such/engine"]);

    task["engine"]["program"] = "no-such-engine-on-the-path".into();
    check_refused(&task, &["engine.program", "no-such-engine-on-the-path"]);

    let mut task = sim_task(&json!({"threads": [1]}));
    task["base_runtime"] = "llamacpp".into();
    task["model"]["id_or_path"] = "no/such.gguf".into();
    task["engine"] = json!({"program": "/bin/sh"});
    check_refused(&task, &["model.id_or_path", "no/such.gguf", "GGUF"]);

    let mut task = sim_task(&json!({"max-num-seqs": []}));
    task["benchmark"]["num_concurrency"] = json!([0]);
    check_refused(
        &task,
        &[
            "2 problems",
            "parameters.max-num-seqs",
            "benchmark.num_concurrency[0]",
        ],
    );
}
