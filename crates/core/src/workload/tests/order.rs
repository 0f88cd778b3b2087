//! Levels that run heaviest first.

use serde_json::json;

use crate::spec::TaskSpec;
use crate::task::Task;

/// A task with these loads and weights that gives up what is hopeless.
fn task(benchmark: &serde_json::Value) -> Task {
    let document = json!({
        "task_name": "order",
        "deployment_mode": "local",
        "base_runtime": "vllm",
        "model": { "id_or_path": "m" },
        "parameters": { "max-num-seqs": [1, 2] },
        "optimization": { "strategy": "grid_search", "early_abort": true },
        "benchmark": benchmark,
    });
    let parsed = TaskSpec::from_value(&document).expect("readable");
    parsed.spec.resolve().expect("sound")
}

#[track_caller]
fn check(benchmark: serde_json::Value, levels: &[&str], weights: &[f64]) {
    let task = task(&benchmark);
    let told = task.workload.levels();
    let told: Vec<String> = told
        .iter()
        .map(|level| format!("{} {}", level.scenario, level.load))
        .collect();
    assert_eq!(told, levels);
    assert_eq!(task.weights(), weights);
}

#[test]
fn the_greatest_load_runs_first_and_weights_follow_their_levels() {
    let scenarios = json!(["D(5,6)", "D(7,8)"]);
    check(
        json!({ "traffic_scenarios": scenarios, "num_concurrency": [1, 8] }),
        &[
            "D(5,6) concurrency 8",
            "D(7,8) concurrency 8",
            "D(5,6) concurrency 1",
            "D(7,8) concurrency 1",
        ],
        &[1.0; 4],
    );
    check(
        json!({ "traffic_scenarios": scenarios, "num_concurrency": [1, 8], "level_weights": [1, 2, 4, 0] }),
        &[
            "D(7,8) concurrency 1",
            "D(5,6) concurrency 8",
            "D(5,6) concurrency 1",
            "D(7,8) concurrency 8",
        ],
        &[4.0, 2.0, 1.0, 0.0],
    );
    check(
        json!({ "traffic_scenarios": ["D(5,6)"], "arrival": { "type": "poisson", "rate": [2, 0.5, 4] } }),
        &[
            "D(5,6) poisson at 4/s",
            "D(5,6) poisson at 2/s",
            "D(5,6) poisson at 0.5/s",
        ],
        &[1.0; 3],
    );
}
