//! Pods as people see them, from what clusters say of them.

use serde_json::{Value, json};

use k8s_openapi::api::core::v1::Event;

use super::super::detail::{containers, events};
use super::*;

fn pod(change: impl FnOnce(&mut Value)) -> ClusterPod {
    let mut pod = json!({
        "metadata": {
            "name": "at-chat-0123456789-e3-x7k2p",
            "namespace": "tuning",
            "uid": "u-1",
            "creationTimestamp": "2026-11-30T10:00:00Z",
            "labels": {
                "inference-autotuner.instance": "serve-41-1",
                "inference-autotuner.task": "Chat-",
                "inference-autotuner.experiment": "3",
                "inference-autotuner.attempt": "2",
            },
            "annotations": { "inference-autotuner.task": "Chat!" },
            "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": "at-chat-0123456789-e3", "uid": "j-1" }],
        },
        "spec": {
            "nodeName": "node-a",
            "initContainers": [{ "name": "agent", "image": "agent:1" }],
            "containers": [{
                "name": "engine",
                "image": "engine:1",
                "resources": { "requests": { "cpu": "1500m", "memory": "2Gi", "amd.com/gpu": "4" } },
            }],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [{
                "name": "engine", "image": "engine:1", "imageID": "", "ready": true, "restartCount": 1,
                "state": { "running": { "startedAt": "2026-11-30T10:00:07Z" } },
            }],
        },
    });
    change(&mut pod);
    serde_json::from_value(pod).expect("a pod")
}

fn described(change: impl FnOnce(&mut Value)) -> Pod {
    Described::of(&pod(change), "amd.com/gpu").whose_owner_lives(true)
}

#[test]
fn a_pod_says_whose_it_is_and_what_it_asks_for() {
    let found = described(|_| {});
    let at = |text: &str| text.parse::<Timestamp>().ok();
    let expected = Pod {
        name: "at-chat-0123456789-e3-x7k2p".into(),
        uid: "u-1".into(),
        namespace: "tuning".into(),
        node: Some("node-a".into()),
        phase: "Running".into(),
        state: PodState::Running,
        why: None,
        job: Some(JobName {
            name: "at-chat-0123456789-e3".into(),
            uid: "j-1".into(),
        }),
        instance: "serve-41-1".into(),
        owner_lives: true,
        task: "Chat!".into(),
        experiment: 3,
        attempt: 2,
        container: "engine".into(),
        image: "engine:1".into(),
        created_at: at("2026-11-30T10:00:00Z"),
        started_at: at("2026-11-30T10:00:07Z"),
        finished_at: None,
        exit_code: None,
        out_of_memory: false,
        restarts: 1,
        asked: Asked {
            gpus: 4,
            cpus: Some(1.5),
            memory_bytes: Some(2 << 30),
        },
    };
    assert_eq!(found, expected);
}

#[test]
fn what_a_pod_is_at_is_told_with_its_reason() {
    let check = |change: fn(&mut Value), state: PodState, why: Option<&str>| {
        let found = described(change);
        assert_eq!((found.state, found.why.as_deref()), (state, why));
    };
    check(|_| {}, PodState::Running, None);
    check(
        |pod| pod["metadata"]["deletionTimestamp"] = "2026-11-30T10:01:00Z".into(),
        PodState::Ending,
        None,
    );
    check(
        |pod| {
            pod["status"] = json!({
                "phase": "Pending",
                "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/1 nodes are available" }],
            });
        },
        PodState::Waiting,
        Some("Unschedulable: 0/1 nodes are available"),
    );
    check(
        |pod| {
            pod["status"]["phase"] = "Pending".into();
            pod["status"]["containerStatuses"][0]["state"] =
                json!({ "waiting": { "reason": "ImagePullBackOff", "message": "m" } });
        },
        PodState::Stuck,
        Some("container engine with image engine:1: ImagePullBackOff: m"),
    );
    check(
        |pod| pod["status"] = json!({ "phase": "Pending" }),
        PodState::Preparing,
        Some("images are fetched and containers created"),
    );
    check(
        |pod| {
            pod["status"]["containerStatuses"][0]["state"] =
                json!({ "terminated": { "exitCode": 0, "reason": "Completed" } });
        },
        PodState::Done,
        None,
    );
    check(
        |pod| {
            pod["status"]["containerStatuses"][0]["state"] =
                json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
            // One that is over is not told as being deleted.
            pod["metadata"]["deletionTimestamp"] = "2026-11-30T10:01:00Z".into();
        },
        PodState::Failed,
        Some("the container ran out of the memory that it may have"),
    );
}

#[test]
fn a_pod_that_another_controller_made_is_read_by_its_first_container() {
    let found = described(|pod| {
        pod["spec"]["containers"][0]["name"] = "ome-container".into();
        pod["status"]["containerStatuses"][0]["name"] = "ome-container".into();
    });
    assert_eq!(
        (found.container.as_str(), found.state, found.asked.gpus),
        ("ome-container", PodState::Running, 4)
    );
}

#[test]
fn containers_are_told_in_their_order_also_where_the_cluster_says_nothing_of_them_yet() {
    let pod = pod(|pod| {
        pod["status"]["initContainerStatuses"] = json!([{
            "name": "agent", "image": "agent:1", "imageID": "", "ready": true, "restartCount": 0,
            "state": { "terminated": { "exitCode": 1, "reason": "Error", "message": "no space",
                "startedAt": "2026-11-30T10:00:01Z", "finishedAt": "2026-11-30T10:00:02Z" } },
        }]);
        pod["status"]["containerStatuses"] = json!([]);
    });
    let found = containers(&pod);
    let told: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.is_first,
                one.state,
                one.why.as_deref(),
                one.exit_code,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("agent", true, "terminated", Some("Error: no space"), Some(1)),
            ("engine", false, "waiting", None, None),
        ]
    );
}

#[test]
fn events_of_old_and_new_clusters_are_in_order_of_their_time() {
    let event = |value: Value| serde_json::from_value::<Event>(value).expect("an event");
    let found = events(vec![
        event(json!({
            "metadata": {}, "involvedObject": {}, "reason": "Pulled", "message": "m", "type": "Normal", "count": 3,
            "firstTimestamp": "2026-11-30T10:00:00Z", "lastTimestamp": "2026-11-30T10:00:09Z",
            "source": { "component": "kubelet" },
        })),
        event(json!({
            "metadata": {}, "involvedObject": {}, "reason": "FailedScheduling", "message": "no", "type": "Warning",
            "eventTime": "2026-11-30T10:00:01.500000Z", "reportingComponent": "default-scheduler",
        })),
    ]);
    let told: Vec<_> = found
        .iter()
        .map(|event| {
            (
                event.reason.as_str(),
                event.is_warning,
                event.count,
                event.source.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("FailedScheduling", true, 1, Some("default-scheduler")),
            ("Pulled", false, 3, Some("kubelet")),
        ]
    );
}
