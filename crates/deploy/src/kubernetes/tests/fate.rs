//! Pods in every state that a cluster has for them, as their own words have it.

use serde_json::{Value, json};

use super::*;

fn state(status: Value) -> PodState {
    let pod = json!({ "metadata": { "name": "p" }, "status": status });
    read(&serde_json::from_value(pod).expect("a pod"), false)
}

/// A container's state under the engine's name.
fn engine(state: Value) -> Value {
    json!([{ "name": "engine", "image": "i:1", "imageID": "", "ready": false, "restartCount": 0, "state": state }])
}

fn init(state: Value) -> Value {
    json!([{ "name": "agent", "image": "a:1", "imageID": "", "ready": false, "restartCount": 0, "state": state }])
}

#[test]
fn waiting_pods_say_what_they_wait_for() {
    let why = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.";
    let condition =
        json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why }]);
    assert_eq!(
        state(json!({ "phase": "Pending", "conditions": condition })),
        PodState::Unplaced(format!("Unschedulable: {why}"))
    );
    let usual = PodState::Preparing("images are fetched and containers created".into());
    assert_eq!(state(json!({})), usual);
    let creating = engine(json!({ "waiting": { "reason": "PodInitializing" } }));
    assert_eq!(
        state(json!({ "phase": "Pending", "containerStatuses": creating })),
        usual
    );
    let check = |reason: &str, is_stuck: bool| {
        let waits = engine(json!({ "waiting": { "reason": reason, "message": "m" } }));
        let why = format!("container engine with image i:1: {reason}: m");
        let expected = match is_stuck {
            true => PodState::Stuck(why),
            false => PodState::Preparing(why),
        };
        assert_eq!(
            state(json!({ "phase": "Pending", "containerStatuses": waits })),
            expected
        );
    };
    check("SetupNetworkError", false);
    check("ErrImagePull", true);
    check("ImagePullBackOff", true);
    check("InvalidImageName", true);
    check("ErrImageNeverPull", true);
    check("CreateContainerConfigError", true);
}

#[test]
fn running_is_running_until_somebody_takes_the_pod_away() {
    let runs = engine(json!({ "running": { "startedAt": "2026-11-30T00:00:00Z" } }));
    let status = json!({ "phase": "Running", "containerStatuses": runs });
    assert_eq!(state(status.clone()), PodState::Running);
    let pod =
        json!({ "metadata": { "name": "p", "deletionTimestamp": "2026-11-30T00:00:00Z" }, "status": status });
    let pod: Pod = serde_json::from_value(pod).expect("a pod");
    assert_eq!(read(&pod, true), PodState::Running);
    assert_eq!(
        read(&pod, false),
        PodState::Ended(Ending::Lost("its pod is being deleted".into()))
    );
}

#[test]
fn what_the_cluster_did_is_told_in_its_words_and_is_not_the_engines() {
    let lost = |status: Value, expected: &str| {
        assert_eq!(
            state(status),
            PodState::Ended(Ending::Lost(expected.into())),
            "{expected}"
        );
    };
    lost(
        json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory." }),
        "its pod has failed: Evicted: The node was low on resource: memory.",
    );
    lost(
        json!({ "phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active on the node longer" }),
        "its pod has failed: DeadlineExceeded: Pod was active on the node longer",
    );
    lost(
        json!({ "phase": "Failed", "reason": "NodeLost", "message": "Node n1 which was running it is unresponsive" }),
        "its pod has failed: NodeLost: Node n1 which was running it is unresponsive",
    );
    let condition = json!([{
        "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "preempted by p2",
    }]);
    lost(
        json!({ "phase": "Running", "conditions": condition }),
        "the cluster takes its pod away: PreemptionByScheduler: preempted by p2",
    );
    lost(
        json!({ "phase": "Failed", "initContainerStatuses": init(json!({ "terminated": { "exitCode": 2, "reason": "Error", "message": "no" } })) }),
        "our program was not put into its pod, exit code 2: Error: no",
    );
    let killed = json!({ "terminated": { "exitCode": 143, "reason": "Error" } });
    lost(
        json!({ "phase": "Failed", "containerStatuses": engine(killed) }),
        "its container ended with exit code 143: Error",
    );
    let start =
        json!({ "terminated": { "exitCode": 128, "reason": "StartError", "message": "exec: not found" } });
    lost(
        json!({ "phase": "Failed", "containerStatuses": engine(start) }),
        "its container ended with exit code 128: StartError: exec: not found",
    );
    lost(json!({ "phase": "Failed" }), "its pod ended and did not say why");
}

#[test]
fn an_agent_that_ended_has_said_why_and_memory_is_the_engines() {
    let ended = |state_: Value, expected: Ending| {
        let status = json!({ "phase": "Failed", "containerStatuses": engine(state_) });
        assert_eq!(state(status), PodState::Ended(expected));
    };
    ended(
        json!({ "terminated": { "exitCode": 0, "reason": "Completed" } }),
        Ending::Done,
    );
    ended(
        json!({ "terminated": { "exitCode": 1, "reason": "Error" } }),
        Ending::Done,
    );
    let memory = "the container ran out of the memory that it may have";
    ended(
        json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } }),
        Ending::OutOfMemory(memory.into()),
    );
}

#[test]
fn images_are_known_by_their_ids() {
    let check = |id: &str, expected: Option<&str>| {
        let container =
            json!([{ "name": "engine", "image": "i", "imageID": id, "ready": true, "restartCount": 0 }]);
        let pod = json!({ "status": { "containerStatuses": container } });
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        assert_eq!(image_id(&pod, ENGINE).as_deref(), expected);
    };
    check("docker://sha256:0a1b", Some("sha256:0a1b"));
    check(
        "docker-pullable://vllm/vllm-openai@sha256:0a",
        Some("vllm/vllm-openai@sha256:0a"),
    );
    check("registry/x@sha256:0a", Some("registry/x@sha256:0a"));
    check("", None);
}
