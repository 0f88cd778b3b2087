//! Ways to fail that only containers have, each told apart, and the task goes on.

use autotuner_tiny_model::{Recipe, write_gguf};
use serde_json::{Value, json};

use crate::harbour::{
    Harbour, assert_nothing_left, check_preserved, llama_image, sim_image, sim_task, task_log,
};
use crate::support::experiments;

#[track_caller]
fn check_failure<'a>(results: &'a Value, number: usize, kind: &str, part: &str) -> &'a Value {
    let experiment = &experiments(results)[number - 1];
    assert_eq!(experiment["failure_kind"], kind, "{experiment:#}");
    let message = experiment["error_message"].as_str().expect("a message");
    assert!(message.contains(part), "{message}");
    assert!(experiment["advice"].is_string(), "{experiment:#}");
    experiment
}

#[test]
fn a_configuration_that_needs_too_much_memory_is_killed_and_the_rest_goes_on() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let mut task = sim_task(
        &image,
        &json!({"fault": ["eat-memory=512", null], "max-num-seqs": [8]}),
    );
    task["resources"] = json!({"memory": "128MiB"});
    harbour.run_task(&task).expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    check_failure(&results, 2, "out_of_memory", "");
    assert_eq!(experiments(&results)[2]["status"], "success", "{results:#}");
}

#[test]
fn a_real_engine_runs_out_of_its_container_s_memory() {
    let Some(image) = llama_image() else { return };
    let harbour = Harbour::new();
    let model = harbour.path("tiny.gguf");
    write_gguf(&Recipe::tiny(), &model).expect("a model");
    let task = json!({
        "task_name": "llama out of memory",
        "deployment_mode": "docker",
        "base_runtime": "llamacpp",
        "model": {"id_or_path": model.display().to_string()},
        "parameters": {"ctx-size": [4_000_000, 512]},
        "optimization": {"strategy": "grid_search", "timeout_per_iteration": 60, "max_replicates": 0},
        "benchmark": {
            "model_name": "tiny",
            "traffic_scenarios": ["D(8,4)"],
            "num_concurrency": [1],
            "max_requests_per_iteration": 4,
        },
        "resources": {"memory": "96MiB"},
        "engine": {"image": image, "args": ["--ctx-size", "256"], "env": {"OMP_WAIT_POLICY": "PASSIVE"}},
    });
    harbour.run_task(&task).expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    check_failure(&results, 2, "out_of_memory", "");
    assert_eq!(experiments(&results)[2]["status"], "success", "{results:#}");
}

#[test]
fn a_wrong_flag_and_a_crash_are_told_apart() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let space = json!({"fault": [
        "exit-at-load", "exit-after-requests=3", "crash-under-load=1",
        "oom-under-load=1", "never-ready", "no-such-fault"
    ]});
    let mut task = sim_task(&image, &space);
    task["engine"]["start_timeout"] = 3.into();
    harbour.run_task(&task).expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    let log = task_log(&results);
    for (fault, kind, part) in [
        ("exit-at-load", "engine_crashed", "exit code 1"),
        ("exit-after-requests=3", "engine_crashed", "under load"),
        ("crash-under-load=1", "engine_crashed", "signal 11"),
        ("oom-under-load=1", "out_of_memory", "under load"),
        ("never-ready", "not_ready_in_time", "not ready after 3 s"),
        ("no-such-fault", "invalid_candidate", "no-such-fault"),
    ] {
        let is_it = |experiment: &&Value| experiment["parameters"]["fault"] == fault;
        let found = experiments(&results).iter().find(is_it);
        let found = found.unwrap_or_else(|| panic!("no {fault} in {results:#}"));
        assert_eq!(found["failure_kind"], kind, "{found:#}");
        let message = found["error_message"].as_str().expect("a message");
        assert!(message.contains(part), "{message}");
        assert!(found["advice"].is_string(), "{found:#}");
        check_preserved(&log, found, "");
    }
}

#[test]
fn an_image_that_is_nowhere_fails_the_task_before_any_experiment() {
    if sim_image().is_none() {
        return;
    }
    let harbour = Harbour::new();
    let task = sim_task(
        "inference-autotuner/no-such-image:1",
        &json!({"max-num-seqs": [8]}),
    );
    harbour
        .run_task(&task)
        .expect(2)
        .says(&["engine.image", "inference-autotuner/no-such-image:1"]);
    assert_nothing_left(&harbour);
    assert_eq!(harbour.try_results(), None);
}

#[test]
fn gpus_that_nobody_can_hand_over_fail_the_task_before_any_experiment() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let mut task = sim_task(&image, &json!({"max-num-seqs": [8]}));
    task["resources"] = json!({"gpus": 1});
    let finished = harbour.run_task(&task).expect(2);
    assert!(finished.stderr.contains("GPU"), "{}", finished.stderr);
    assert_nothing_left(&harbour);
}

#[test]
fn no_daemon_is_said_with_what_to_do() {
    let harbour = Harbour::new();
    let task = sim_task("any", &json!({"max-num-seqs": [8]}));
    harbour.write("task.json", &task.to_string());
    let mut command = harbour.command(&["run", "task.json", "--output", "results.json"]);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    harbour.start_command(command).wait().expect(2).says(&[
        "deployment_mode",
        "unix:///nowhere/docker.sock",
        "does not answer",
    ]);
    harbour.assert_nothing_left();
}

#[test]
fn limits_that_docker_does_not_keep_fail_the_task_before_any_experiment() {
    let Some(image) = sim_image() else { return };
    let check = |resources: Value, says: &str| {
        let harbour = Harbour::new();
        let mut task = sim_task(&image, &json!({"max-num-seqs": [8]}));
        task["resources"] = resources;
        harbour.run_task(&task).expect(2).says(&[says]);
        assert_nothing_left(&harbour);
        assert_eq!(harbour.try_results(), None);
    };
    check(
        json!({"cpus": 100_000}),
        "resources.cpus: resources.cpus cannot be kept here: 100000 are wanted",
    );
    check(
        json!({"memory": "1MiB"}),
        "resources.memory: resources.memory cannot be kept here: 1048576 bytes",
    );
}

#[test]
fn a_cache_of_models_that_cannot_be_fails_the_task_before_any_experiment() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    harbour.write("cache", "a file");
    let mut task = sim_task(&image, &json!({"max-num-seqs": [8]}));
    task["base_runtime"] = "vllm".into();
    task["model"] = json!({"id_or_path": "organisation/model"});
    task["resources"] = json!({"gpus": 0});
    harbour.write("task.json", &task.to_string());
    let mut command = harbour.command(&["run", "task.json", "--output", "results.json"]);
    command.env("HF_HOME", harbour.path("cache"));
    let finished = harbour.start_command(command).wait();
    finished
        .expect(2)
        .says(&["model.id_or_path: could not create", "cache"]);
    assert_nothing_left(&harbour);
}
