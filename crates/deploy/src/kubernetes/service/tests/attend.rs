//! Pods of services whose engines have ended, in the cluster's own words.

use serde_json::{Value, json};

use super::*;

fn ended_as(status: Value, meta: Value) -> Option<Trouble> {
    let pod = json!({ "metadata": meta, "status": status });
    exited(&serde_json::from_value(pod).expect("a pod"), "ome-container")
}

/// A status of the engine's container with this state now and this one before.
fn engine(state: &Value, before: &Value, restarts: u32) -> Value {
    json!([{
        "name": "ome-container", "image": "i", "imageID": "", "ready": false,
        "restartCount": restarts, "state": state, "lastState": before,
    }])
}

#[test]
fn an_engine_that_has_ended_once_has_ended() {
    let check = |containers: Value, expected: Option<(i32, bool)>| {
        let found = ended_as(
            json!({ "phase": "Running", "containerStatuses": containers }),
            json!({}),
        );
        let found = found.map(|trouble| match trouble {
            Trouble::Exited(exit) => (exit.code.expect("a code"), exit.out_of_memory),
            other => panic!("{other:?}"),
        });
        assert_eq!(found, expected);
    };
    let running = json!({ "running": { "startedAt": "2026-11-30T00:00:00Z" } });
    let crashed = json!({ "terminated": { "exitCode": 139, "reason": "Error" } });
    let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let looping = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 10s" } });
    check(engine(&running, &json!({}), 0), None);
    check(engine(&crashed, &json!({}), 0), Some((139, false)));
    check(engine(&looping, &crashed, 1), Some((139, false)));
    check(engine(&running, &killed, 1), Some((137, true)));
    check(json!([]), None);
}

#[test]
fn what_the_cluster_stops_has_not_ended_by_itself() {
    let crashed = json!({ "terminated": { "exitCode": 137, "reason": "Error" } });
    let containers = engine(&crashed, &json!({}), 0);
    let evicted = json!({ "phase": "Failed", "reason": "Evicted", "containerStatuses": containers });
    assert_eq!(ended_as(evicted, json!({})), None);
    let running = json!({ "phase": "Running", "containerStatuses": containers });
    let deleted = json!({ "deletionTimestamp": "2026-11-30T00:00:00Z" });
    assert_eq!(ended_as(running, deleted), None);
    let preempted = json!({
        "phase": "Running", "containerStatuses": containers,
        "conditions": [{ "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler" }],
    });
    assert_eq!(ended_as(preempted, json!({})), None);
}
