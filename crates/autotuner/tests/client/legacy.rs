//! What the original system kept is taken over, once.

use serde_json::{Value, json};

use crate::original::{Original, Version};
use crate::support::Sandbox;

/// Two runs, one that goes on, one that waits, one that nobody can read, three presets.
async fn late(sandbox: &Sandbox) {
    let mut original = Original::make(&sandbox.path("old.db"), Version::Late).await;
    original.task(1, "measured", "COMPLETED", |_| {}).await;
    original.experiment(11, 1, 1, "FAILED").await;
    original.experiment(12, 1, 2, "SUCCESS").await;
    original
        .change("UPDATE tasks SET best_experiment_id = 12, slo_config = '{\"ttft\": {\"threshold\": 0.5}}'")
        .await;
    original.task(2, "going-on", "RUNNING", |_| {}).await;
    original.experiment(13, 2, 1, "SUCCESS").await;
    original.experiment(14, 2, 2, "BENCHMARKING").await;
    original.task(3, "waiting", "PENDING", |_| {}).await;
    original
        .task(4, "odd", "FAILED", |task| {
            task["optimization_config"]["objective"] = "balanced".into();
        })
        .await;
    original
        .preset("mine", false, &json!({"max-num-seqs": [1, 2]}))
        .await;
    original
        .preset("vLLM Performance Tuning", true, &json!({"max-num-seqs": [64]}))
        .await;
    original.close().await;
}

fn find<'a>(list: &'a Value, name: &str) -> &'a Value {
    let list = list.as_array().expect("a list");
    list.iter()
        .find(|one| one["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {list:?}"))
}

fn show(sandbox: &Sandbox, name: &str) -> Value {
    sandbox.run(&["tasks", "show", name, "--json"]).expect(0).json()
}

#[tokio::test]
async fn everything_is_taken_over_and_nothing_twice() {
    let sandbox = Sandbox::new();
    late(&sandbox).await;
    let before = std::fs::read(sandbox.path("old.db")).expect("there");
    let dry = sandbox.run(&["import-legacy", "old.db", "--dry-run"]).expect(0);
    let dry = dry.says(&["would import 4 tasks with 4 experiments and 1 preset, left out 1"]);
    assert!(!sandbox.data_dir().join("autotuner.db").exists());
    let told = sandbox.run(&["import-legacy", "old.db"]).expect(0).says(&[
        "imported 4 tasks with 4 experiments and 1 preset, left out 1",
        "max_time_per_iteration counts seconds here",
    ]);
    assert_eq!(dry.stdout, told.stdout);
    for part in [
        "task measured: completed, 2 experiments",
        "task going-on: failed, 2 experiments",
        "task odd: failed, 0 experiments\n  warning: it is kept as it was and cannot be started:",
        "preset vLLM Performance Tuning: left out, it comes with the product",
    ] {
        assert!(told.stdout.contains(part), "no {part:?} in {}", told.stdout);
    }
    let again = sandbox.run(&["import-legacy", "old.db", "--json"]).expect(0);
    let again = again
        .says(&["imported 0 tasks with 0 experiments and 0 presets, left out 6"])
        .json();
    assert_eq!(
        find(&again["tasks"], "odd")["skipped_because"],
        "it is here already"
    );
    assert_eq!(std::fs::read(sandbox.path("old.db")).expect("there"), before);

    let measured = show(&sandbox, "measured");
    assert_eq!(measured["status"], "completed");
    assert_eq!(measured["created_at"], "2025-11-01T10:00:00.250Z");
    assert_eq!(measured["successful_experiments"], 1);
    assert_eq!(measured["slo"], json!({"ttft": {"threshold": 0.5}}));
    assert_eq!(
        measured["benchmark"]["max_time_per_iteration"].as_f64(),
        Some(10.0)
    );
    let path = format!("{}", measured["best_experiment_id"]);
    let best = sandbox.run(&["best", "measured", "--json"]).expect(0).json();
    assert_eq!(
        (best["id"].to_string(), &best["experiment_id"]),
        (path, &json!(2))
    );
    assert_eq!(best["metrics"]["mean_e2e_latency"], 1.25);
    assert_eq!(best["objective_score"], 1.25);

    let stopped = show(&sandbox, "going-on");
    assert_eq!(stopped["status"], "failed");
    assert_eq!(stopped["ended_because"], "was running when it was imported");
    assert_eq!(show(&sandbox, "waiting")["status"], "pending");
    sandbox.run(&["tasks", "restart", "odd"]).expect(0);
    sandbox.run(&["db", "check"]).expect(0);
}

#[tokio::test]
async fn an_early_database_is_read_and_minutes_are_kept_on_request() {
    let sandbox = Sandbox::new();
    let mut original = Original::make(&sandbox.path("old.db"), Version::Early).await;
    let named = |task: &mut Value| task["model_config"] = json!({"name": "Qwen/Qwen2.5-0.5B"});
    original.task(1, "early", "PENDING", named).await;
    original.task(2, "kept", "PENDING", |_| {}).await;
    original.experiment(1, 2, 1, "SUCCESS").await;
    original.close().await;
    let told = sandbox.run(&["import-legacy", "old.db", "--minutes"]).expect(0);
    assert!(!told.stderr.contains("counts seconds"), "{told:?}");
    let early = show(&sandbox, "early");
    assert_eq!(early["benchmark"]["max_time_per_iteration"].as_f64(), Some(600.0));
    assert_eq!(early["model"]["id_or_path"], "Qwen/Qwen2.5-0.5B");
    // What was measured is no part of a run that has yet to begin.
    let kept = show(&sandbox, "kept");
    assert_eq!(
        (&kept["status"], &kept["total_experiments"]),
        (&json!("failed"), &json!(1))
    );
}

#[tokio::test]
async fn a_name_that_is_anothers_gets_another() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "task.json",
        &crate::support::sim_task(&json!({"max-num-seqs": [4]})).to_string(),
    );
    sandbox.run(&["tasks", "create", "task.json"]).expect(0);
    let mut original = Original::make(&sandbox.path("old.db"), Version::Early).await;
    original.task(1, "sim-test", "COMPLETED", |_| {}).await;
    original.close().await;
    let told = sandbox.run(&["import-legacy", "old.db"]).expect(0);
    assert_eq!(
        told.stdout,
        "task sim-test as sim-test-imported: completed, 0 experiments\n"
    );
    let told = sandbox.run(&["import-legacy", "old.db"]).expect(0);
    assert_eq!(
        told.stdout,
        "task sim-test: left out, it is here already, as sim-test-imported\n"
    );
    assert_eq!(show(&sandbox, "sim-test")["base_runtime"], "sim");
}

#[test]
fn what_is_no_database_of_the_original_is_refused() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["import-legacy", "none.db"])
        .expect(2)
        .says(&["none.db"]);
    sandbox.write(
        "text.db",
        "this is no database at all, and long enough to be taken for one",
    );
    sandbox
        .run(&["import-legacy", "text.db"])
        .expect(2)
        .says(&["text.db"]);
    assert!(!sandbox.data_dir().join("autotuner.db").exists());
}
