//! Runs whose experiments an operator serves.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::field::{Cluster, Field, cluster, kinds, long_task, sim_task};
use crate::operator::{Habit, Kind, Operator, install_apis};
use crate::support::{experiments, wait_for};

fn served(task: Value, service: Value) -> Value {
    let mut task = task;
    task["kubernetes"] = json!({ "service": service });
    task
}

fn task(cluster: &Cluster, service: Value) -> Value {
    served(sim_task(cluster, &json!({ "max-num-seqs": [2, 4, 8] })), service)
}

fn message(results: &Value) -> &str {
    experiments(results)[0]["error_message"]
        .as_str()
        .expect("a message")
}

/// Checks that every experiment was measured with its own arguments, which were in its pod.
#[track_caller]
fn assert_each_ran_its_own(results: &Value, operator: &Operator) {
    let arguments = operator.arguments();
    for experiment in experiments(results) {
        assert_eq!(experiment["status"], "success", "{experiment:#}");
        let number = experiment["experiment_id"].to_string();
        let ran = &arguments[&number];
        let given = experiment["parameters"]["max-num-seqs"].as_i64();
        let at = ran.iter().position(|argument| argument == "--max-num-seqs");
        let found = at.map(|at| ran[at + 1].parse::<i64>().expect("a number"));
        assert_eq!(found, given, "experiment {number} ran {ran:?}");
        assert!(ran.contains(&"--time-scale".to_owned()), "{ran:?}");
    }
    let different: BTreeSet<_> = arguments.values().collect();
    assert_eq!(different.len(), experiments(results).len(), "{arguments:?}");
}

/// An object of the whole cluster that goes with its test.
struct Object(Cluster, String);

impl Drop for Object {
    fn drop(&mut self) {
        // One that was never made is as good as gone.
        drop(
            self.0
                .kubectl(&["delete", &self.1, "--ignore-not-found", "--wait=false"]),
        );
    }
}

/// A name that no other test has, each of which is a process of its own.
fn unique(what: &str) -> String {
    format!("at-test-{what}-{}", std::process::id())
}

#[test]
fn a_task_whose_experiments_are_services_of_ome() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let operator = Operator::start(&field, Kind::Ome, Habit::Faithful);
    let (model, runtime) = (unique("model"), unique("runtime"));
    let _made = [
        Object(field.cluster.clone(), format!("clusterbasemodels.ome.io/{model}")),
        Object(
            field.cluster.clone(),
            format!("clusterservingruntimes.ome.io/{runtime}"),
        ),
    ];
    let mut task = task(&field.cluster, json!({ "kind": "ome" }));
    task["clusterbasemodel_config"] = json!({
        "preset": "mixtral-8x7b-instruct", "name": model,
        "overrides": { "storage": { "path": "/elsewhere" } }, "labels": { "team": 7 },
    });
    task["clusterservingruntime_config"] = json!({ "preset": "sglang-mixtral-moe", "name": runtime });
    task["engine"]["env"] = json!({ "EXAMPLE_TOKEN": "hush", "EXAMPLE": "plain" });
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(results["successful_experiments"], 4, "{results:#}");
    assert_each_ran_its_own(&results, &operator);

    // What was made for the whole cluster is what was asked for, and stays.
    let made = field.cluster.get(&[&format!("clusterbasemodels.ome.io/{model}")]);
    assert_eq!(made["spec"]["modelArchitecture"], "MixtralForCausalLM");
    assert_eq!(made["spec"]["storage"]["path"], "/elsewhere");
    assert_eq!(made["metadata"]["labels"]["team"], "7");
    let made = field
        .cluster
        .get(&[&format!("clusterservingruntimes.ome.io/{runtime}")]);
    assert_eq!(made["spec"]["engineConfig"]["runner"]["name"], "ome-container");

    // The engine's output was read in the cluster.
    let log = field.task_log(&results);
    for number in 1..=4 {
        let begin = format!("[Experiment {number}] ========== Container Logs ==========");
        let (_, output) = log
            .split_once(&begin)
            .unwrap_or_else(|| panic!("no {begin} in {log}"));
        assert!(output.contains("INFO"), "{output}");
        assert!(log.contains(&format!(
            "[Experiment {number}] is the InferenceService at-sim-test-"
        )));
    }
    assert!(!log.contains("hush"), "{log}");
    field.assert_nothing_left();
}

#[test]
fn a_task_whose_experiments_are_services_of_kserve() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let operator = Operator::start(&field, Kind::Kserve, Habit::Faithful);
    let mut task = task(&field.cluster, json!({ "kind": "kserve" }));
    task["optimization"]["max_parallel_experiments"] = 2.into();
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(results["successful_experiments"], 4, "{results:#}");
    assert_each_ran_its_own(&results, &operator);
    let experiment = &experiments(&results)[0];
    assert!(experiment["metrics"].is_object(), "{experiment:#}");
    field.assert_nothing_left();
}

#[test]
fn a_service_of_kserve_with_a_runtime_of_the_namespace() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let operator = Operator::start(&field, Kind::Kserve, Habit::Faithful);
    let runtime = unique("runtime");
    let _made = Object(
        field.cluster.clone(),
        format!("servingruntimes.serving.kserve.io/{runtime}"),
    );
    field.cluster.create(&json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": { "name": runtime },
        "spec": { "supportedModelFormats": [{ "name": "huggingface" }], "containers": [] },
    }));
    let service = json!({ "kind": "kserve", "runtime": runtime, "model": "hf://org/model" });
    let finished = field.sandbox.run_task(&task(&field.cluster, service));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_each_ran_its_own(&field.sandbox.results(), &operator);
    field.assert_nothing_left();
}

#[test]
fn what_an_operator_makes_without_the_arguments_is_never_scored() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let _operator = Operator::start(&field, Kind::Ome, Habit::DropsArguments);
    let finished = field
        .sandbox
        .run_task(&task(&field.cluster, json!({ "kind": "ome" })));
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert!(
        kinds(&results).iter().all(|kind| *kind == "infrastructure"),
        "{results:#}"
    );
    assert_eq!(results["successful_experiments"], 0, "{results:#}");
    for experiment in experiments(&results) {
        assert!(
            experiment["objective_score"].is_null() && experiment["metrics"].is_null(),
            "{experiment:#}"
        );
    }
    let message = message(&results);
    assert!(
        message.contains("OME does not run what was asked for: its arguments lack")
            && message.contains("--time-scale"),
        "{message}"
    );
    field.assert_nothing_left();
}

#[test]
fn a_service_that_does_not_come_to_be_says_why_within_its_deadline() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let _operator = Operator::start(&field, Kind::Kserve, Habit::KnowsNoRuntime);
    let mut task = task(&field.cluster, json!({ "kind": "kserve" }));
    task["engine"]["start_timeout"] = 4.into();
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert!(
        kinds(&results).iter().all(|kind| *kind == "infrastructure"),
        "{results:#}"
    );
    let message = message(&results);
    assert!(
        message.contains(
            "KServe made no pod of it within 4 s: PredictorReady: NoSupportingRuntime: no runtime found to support it"
        ),
        "{message}"
    );
    field.assert_nothing_left();
}

#[test]
fn an_engine_that_crashes_under_load_is_the_engines_failure_with_its_last_words() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let _operator = Operator::start(&field, Kind::Ome, Habit::Faithful);
    let mut task = served(sim_task(&field.cluster, &json!({})), json!({ "kind": "ome" }));
    task["engine"]["args"] = json!([
        "--time-scale",
        "0.05",
        "--startup-seconds",
        "0",
        "--fault",
        "crash-under-load=1"
    ]);
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(kinds(&results), ["engine_crashed"], "{results:#}");
    let message = message(&results);
    assert!(
        message.contains("the engine ended") && message.contains("with exit code 139"),
        "{message}"
    );
    let tail = experiments(&results)[0]["container_logs"]
        .as_str()
        .expect("its last lines");
    assert!(!tail.is_empty(), "{results:#}");
    field.assert_nothing_left();
}

#[test]
fn what_two_pods_answer_is_never_scored() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let _operator = Operator::start(&field, Kind::Kserve, Habit::Faithful);
    let mut task = served(long_task(&field.cluster, &json!({})), json!({ "kind": "kserve" }));
    task["benchmark"]["max_time_per_iteration"] = json!(12);
    let mut running = field.sandbox.start_task(&task);
    running.wait_for("the load", |_| (field.ours("pods").len() == 2).then_some(()));
    // Somebody scales what is measured.
    let label = "serving.kserve.io/inferenceservice";
    let pods = field
        .ours("pods")
        .into_iter()
        .map(|name| field.cluster.get(&[&name]));
    let mut of_service = pods.filter(|pod| pod["metadata"]["labels"][label].is_string());
    let engine = of_service.next().expect("the engine's pod");
    let mut spec = engine["spec"].clone();
    spec["nodeName"] = Value::Null;
    field.cluster.create(&json!({
        "apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {
            "name": unique("scaled"),
            "labels": engine["metadata"]["labels"],
            "ownerReferences": engine["metadata"]["ownerReferences"],
        },
    }));
    let finished = running.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(kinds(&results), ["infrastructure", "none"], "{results:#}");
    let message = message(&results);
    assert!(message.contains("another pod of it is there"), "{message}");
    field.assert_nothing_left();
}

#[test]
fn a_runtime_that_is_not_there_is_told_before_anything_starts() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    install_apis(&field.cluster);
    let service = json!({ "kind": "ome", "runtime": "no-such-runtime", "model": "no-such-model" });
    let finished = field.sandbox.run_task(&task(&field.cluster, service));
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    for part in [
        "kubernetes.service.runtime: the cluster has no ClusterServingRuntime",
        "called no-such-runtime",
        "kubernetes.service.model: the cluster has no ClusterBaseModel",
    ] {
        assert!(finished.stderr.contains(part), "{}", finished.stderr);
    }
    field.assert_nothing_left();
}

#[test]
fn a_cancel_takes_the_service_away() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let _operator = Operator::start(&field, Kind::Ome, Habit::Faithful);
    let mut task = served(long_task(&field.cluster, &json!({})), json!({ "kind": "ome" }));
    task["benchmark"]["max_time_per_iteration"] = json!(100);
    let mut running = field.sandbox.start_task(&task);
    running.wait_for("the load", |_| (field.ours("pods").len() == 2).then_some(()));
    running.signal(Signal::SIGINT);
    let finished = running.wait();
    assert_eq!(finished.code, Some(130), "{}", finished.stderr);
    field.assert_nothing_left();
}

#[test]
fn a_service_that_a_killed_run_leaves_is_taken_away_by_the_next() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let _operator = Operator::start(&field, Kind::Kserve, Habit::Faithful);
    let mut task = served(long_task(&field.cluster, &json!({})), json!({ "kind": "kserve" }));
    task["benchmark"]["max_time_per_iteration"] = json!(100);
    let mut running = field.sandbox.start_task(&task);
    running.wait_for("the load", |_| (field.ours("pods").len() == 2).then_some(()));
    running.signal(Signal::SIGKILL);
    assert_eq!(running.wait().signal, Some(9));
    let left = field.ours(&Kind::Kserve.services());
    assert_eq!(left.len(), 1, "the service lives on without us");
    // If nobody came back it would go when its Job does.
    let owner = &field.cluster.get(&[&left[0]])["metadata"]["ownerReferences"][0];
    assert_eq!(owner["kind"], "Job", "{owner}");
    let finished = field.sandbox.run_task(&served(
        sim_task(&field.cluster, &json!({})),
        json!({ "kind": "kserve" }),
    ));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("stopped an engine that a dead run left behind: task sim-test, experiment 1"),
        "{}",
        finished.stderr
    );
    wait_for("nothing in the cluster", || {
        field.all_ours().is_empty().then_some(())
    });
    field.sandbox.assert_nothing_left();
}
