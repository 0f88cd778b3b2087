//! Statuses as both operators write them.

use serde_json::json;

use super::*;

fn waiting(text: &str) -> ServiceState {
    ServiceState::Waiting(text.into())
}

#[test]
fn a_service_tells_what_it_waits_for() {
    let check = |status: Value, expected: ServiceState| {
        let service = json!({ "metadata": { "generation": 2 }, "status": status });
        assert_eq!(read(&service), expected, "{status}");
    };
    let silent = waiting("its operator has said nothing of it yet; does it run?");
    check(Value::Null, silent.clone());
    check(json!({ "conditions": [] }), silent);
    let not_seen = waiting("the operator has not seen it as it is now");
    check(
        json!({ "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "True" }], "url": "http://x" }),
        not_seen,
    );
    // OME, as it starts.
    let not_yet = "Target service not ready for ingress creation";
    check(
        json!({
            "observedGeneration": 2,
            "conditions": [
                { "type": "EngineReady", "status": "False", "reason": "Initializing", "message": "engine component initializing" },
                { "type": "IngressReady", "status": "False", "reason": "ComponentNotReady", "message": not_yet },
                { "type": "Ready", "status": "False", "reason": "ComponentNotReady", "message": not_yet },
            ],
        }),
        waiting(
            "EngineReady: Initializing: engine component initializing; IngressReady: ComponentNotReady: Target \
             service not ready for ingress creation",
        ),
    );
    // KServe, with an engine that does not start.
    check(
        json!({
            "conditions": [
                { "type": "PredictorReady", "status": "Unknown", "reason": "ReplicaSetUpdated", "message": "ReplicaSet x is progressing." },
                { "type": "IngressReady", "status": "True" },
                { "type": "Ready", "status": "Unknown" },
            ],
            "modelStatus": {
                "transitionStatus": "BlockedByFailedLoad",
                "lastFailureInfo": { "reason": "ModelLoadFailed", "message": "exit 1", "exitCode": 1 },
            },
        }),
        waiting(
            "PredictorReady: ReplicaSetUpdated: ReplicaSet x is progressing.; last failure: ModelLoadFailed: exit 1",
        ),
    );
    check(
        json!({
            "conditions": [{ "type": "Ready", "status": "False" }],
            "modelStatus": {
                "transitionStatus": "InvalidSpec",
                "lastFailureInfo": { "reason": "RuntimeNotRecognized", "message": "Waiting for runtime to become available" },
            },
        }),
        ServiceState::Invalid(
            "last failure: RuntimeNotRecognized: Waiting for runtime to become available".into(),
        ),
    );
}

#[test]
fn a_service_that_is_ready_says_where() {
    let check = |addresses: Value, expected: Option<&str>| {
        let mut status = addresses;
        status["conditions"] = json!([{ "type": "Ready", "status": "True" }]);
        let service = json!({ "metadata": { "generation": 2 }, "status": status });
        let expected = expected.map_or(waiting("it is ready, and has no address yet"), |address| {
            ServiceState::Ready(address.into())
        });
        assert_eq!(read(&service), expected);
    };
    check(json!({ "observedGeneration": 2 }), None);
    check(json!({ "url": "http://a.example" }), Some("http://a.example"));
    check(
        json!({ "address": { "url": "http://a.ns.svc.cluster.local/" }, "url": "http://a.example" }),
        Some("http://a.ns.svc.cluster.local"),
    );
    check(
        json!({ "address": { "url": "http://a.ns.svc.cluster.local/v1/models/a:predict" } }),
        Some("http://a.ns.svc.cluster.local"),
    );
    check(
        json!({ "url": "https://gate.example/ns/a" }),
        Some("https://gate.example/ns/a"),
    );
}
