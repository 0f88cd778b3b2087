//! Runs that go well, on the simulated engine and on a real one.

use std::collections::BTreeSet;

use autotuner_tiny_model::{Recipe, write_gguf};
use serde_json::json;

use crate::harbour::{
    Harbour, assert_nothing_left, check_preserved, docker, llama_image, sim_image, sim_task, task_log,
};
use crate::support::experiments;

#[test]
fn the_simulated_engine_is_tuned_in_containers() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let space =
        json!({"max-num-seqs": [1, 2, 8], "kv-cache-dtype": ["auto", "fp8"], "enforce-eager": [true, false]});
    harbour.run_task(&sim_task(&image, &space)).expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    let log = task_log(&results);
    assert!(experiments(&results).len() >= 9, "{results:#}");
    let version = results["engine_version"].as_str().expect("it tells its version");
    assert!(!version.is_empty());
    let mut containers = BTreeSet::new();
    for experiment in experiments(&results) {
        assert_eq!(experiment["status"], "success", "{experiment:#}");
        assert_eq!(experiment["image"], image.as_str());
        let id = experiment["image_id"].as_str().expect("which image it was");
        assert!(id.starts_with("sha256:"), "{id}");
        let container = experiment["container_id"]
            .as_str()
            .expect("which container it was");
        assert_eq!(container.len(), 64, "{container}");
        assert!(containers.insert(container), "each in its own");
        let name = experiment["container_name"].as_str().expect("its name");
        assert!(name.starts_with("autotuner-"), "{name}");
        check_preserved(&log, experiment, "listening on");
        let arguments = experiment["effective_arguments"].to_string();
        assert!(
            arguments.contains("sim-engine") && arguments.contains("0.0.0.0"),
            "{arguments}"
        );
    }
}

#[test]
fn a_real_engine_is_tuned_in_containers() {
    let Some(image) = llama_image() else { return };
    let harbour = Harbour::new();
    let model = harbour.path("tiny.gguf");
    write_gguf(&Recipe::tiny(), &model).expect("a model");
    let task = json!({
        "task_name": "llama in docker",
        "deployment_mode": "docker",
        "base_runtime": "llamacpp",
        "model": {"id_or_path": model.display().to_string()},
        "parameters": {"parallel": [1, 2], "threads": [1, 2], "flash-attn": ["on", "off"]},
        "optimization": {"strategy": "grid_search", "timeout_per_iteration": 60, "max_replicates": 0},
        "benchmark": {
            "model_name": "tiny",
            "traffic_scenarios": ["D(8,4)"],
            "num_concurrency": [2],
            "max_requests_per_iteration": 8,
            "max_time_per_iteration": 5,
        },
        "resources": {"memory": "1GiB", "cpus": 2},
        "engine": {"image": image, "args": ["--ctx-size", "512"], "env": {"OMP_WAIT_POLICY": "PASSIVE"}},
    });
    harbour.run_task(&task).expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    let log = task_log(&results);
    assert!(experiments(&results).len() >= 9, "{results:#}");
    for experiment in experiments(&results) {
        assert_eq!(experiment["status"], "success", "{experiment:#}");
        assert!(experiment["image_id"].is_string(), "{experiment:#}");
        check_preserved(&log, experiment, "listening");
        let arguments = experiment["effective_arguments"].to_string();
        assert!(arguments.contains("/models/tiny.gguf"), "{arguments}");
    }
}

#[test]
fn all_experiments_of_a_task_run_on_the_image_that_it_began_with() {
    let (Some(image), Some(another)) = (sim_image(), llama_image()) else {
        return;
    };
    let harbour = Harbour::new();
    let name = format!("autotuner-test/moving:{}", std::process::id());
    docker(&["tag", &image, &name]).expect("tagged");
    let mut running = harbour.start_task(&sim_task(&name, &json!({"max-num-seqs": [1, 2, 4, 8]})));
    running.wait_for("the first experiment's end", |_| harbour.try_results());
    docker(&["tag", &another, &name]).expect("tagged again");
    let finished = running.wait();
    docker(&["rmi", &name]).expect("removed");
    finished.expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    let first = &experiments(&results)[0]["image_id"];
    for experiment in experiments(&results) {
        assert_eq!(experiment["status"], "success", "{experiment:#}");
        assert_eq!(&experiment["image_id"], first);
        assert_eq!(experiment["image"], name.as_str());
    }
}
