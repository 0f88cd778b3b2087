//! What goes wrong in a cluster is told in its own words, and is whose fault it is.

use serde_json::json;

use crate::field::{Field, cluster, kinds, long_task, sim_task};
use crate::support::experiments;

#[test]
fn a_pod_that_no_node_takes_says_why_within_its_deadline() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    field.configure("kubernetes_autoscaled = true\nkubernetes_schedule_timeout_seconds = 3\n");
    let mut task = sim_task(&field.cluster, &json!({}));
    task["resources"] = json!({ "gpus": 1 });
    let begun = tokio::time::Instant::now();
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let results = field.sandbox.results();
    assert!(
        kinds(&results).iter().all(|kind| *kind == "infrastructure"),
        "{results:#}"
    );
    let message = experiments(&results)[0]["error_message"]
        .as_str()
        .expect("a message");
    assert!(
        message.contains("no node has taken its pod within 3 s")
            && message.contains("Insufficient nvidia.com/gpu"),
        "{message}"
    );
    field.assert_nothing_left();
}

#[test]
fn a_task_that_fits_on_no_node_does_not_begin() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = sim_task(&field.cluster, &json!({}));
    task["resources"] = json!({ "gpus": 1 });
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("resources.gpus: an experiment needs 1 of nvidia.com/gpu"),
        "{}",
        finished.stderr
    );
    field.assert_nothing_left();
}

#[test]
fn a_task_that_a_quota_never_lets_be_does_not_begin() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let namespace = format!("autotuner-test-quota-{}", std::process::id());
    let of_namespace = |arguments: &[&str]| field.cluster.kubectl(arguments);
    of_namespace(&["create", "namespace", &namespace]).expect("made");
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": "team", "namespace": namespace },
        "spec": { "hard": { "requests.memory": "64Mi" } },
    });
    field.cluster.apply(&quota).expect("applied");
    field.configure(&format!("kubernetes_namespace = {namespace:?}\n"));
    let mut task = sim_task(&field.cluster, &json!({}));
    task["resources"] = json!({ "memory": "128MiB" });
    let finished = field.sandbox.run_task(&task);
    of_namespace(&["delete", "namespace", &namespace, "--wait=false"]).expect("deleted");
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(
        finished.stderr.contains(
            "resources.memory: an experiment needs 134217728 of requests.memory, and the quota team gives 67108864"
        ),
        "{}",
        finished.stderr
    );
    field.sandbox.assert_nothing_left();
}

#[test]
fn an_image_that_cannot_be_had_is_the_clusters_failure() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = sim_task(&field.cluster, &json!({}));
    task["engine"]["image"] = "registry.invalid/no/such:image".into();
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert!(
        kinds(&results).iter().all(|kind| *kind == "infrastructure"),
        "{results:#}"
    );
    let message = experiments(&results)[0]["error_message"]
        .as_str()
        .expect("a message");
    assert!(message.contains("registry.invalid/no/such:image"), "{message}");
    field.assert_nothing_left();
}

#[test]
fn a_pod_that_is_taken_away_is_tried_again_and_leaves_nothing() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = long_task(&field.cluster, &json!({}));
    // Longer than it takes to find the pod and take it away.
    task["benchmark"]["max_time_per_iteration"] = json!(20);
    task["benchmark"]["max_requests_per_iteration"] = json!(1_000_000);
    let mut running = field.sandbox.start_task(&task);
    let pod = field.wait_for_running_pod(&mut running);
    let deleting = field
        .cluster
        .kubectl(&["delete", &pod, "--wait=false", "--grace-period=0", "--force"]);
    deleting.expect("deleted");
    let finished = running.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(kinds(&results), ["infrastructure", "none"], "{results:#}");
    assert_eq!(experiments(&results)[1]["attempt"], 2);
    field.assert_nothing_left();
}

#[test]
fn an_engine_that_crashes_is_the_engines_failure_with_its_last_words() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = sim_task(&field.cluster, &json!({}));
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
    let experiment = &experiments(&results)[0];
    let message = experiment["error_message"].as_str().expect("a message");
    assert!(message.contains("signal 11"), "{message}");
    let tail = experiment["container_logs"].as_str().expect("its last lines");
    assert!(!tail.is_empty(), "{results:#}");
    field.assert_nothing_left();
}

#[test]
fn an_engine_that_uses_up_its_memory_is_told_so() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = sim_task(&field.cluster, &json!({}));
    // The agent itself is in the same container and lives in it.
    task["resources"] = json!({ "memory": "160MiB" });
    task["parameters"] = json!({ "fault": ["eat-memory=512", null], "max-num-seqs": [8] });
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(kinds(&results), ["none", "out_of_memory", "none"], "{results:#}");
    field.assert_nothing_left();
}
