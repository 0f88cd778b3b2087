//! What is asked of a cluster, as a whole and key by key.

use std::collections::BTreeMap;

use autotuner_core::task::{SecretKey, Toleration, VolumeClaim};
use serde_json::json;

use super::*;

fn order(settings: ClusterSettings) -> JobOrder {
    JobOrder {
        label: Label {
            task: "tune it".into(),
            experiment: 3,
            attempt: 1,
            log_file: "/data/logs/experiment_3.log".into(),
        },
        image: "vllm/vllm-openai:v0.11.0".into(),
        order: b"{\"nonce\":\"n\"}".to_vec(),
        gpus: 0,
        limits: Limits::default(),
        settings,
        deadline: Duration::from_secs(7_560),
        grace: Duration::from_secs(5),
        is_loader: false,
    }
}

fn made(order: &JobOrder) -> Value {
    let whose = Whose {
        owner: "0a1b".into(),
        instance: "run-41-1764468000123".into(),
        number: 7,
        drawn: "0123456789abcdef".into(),
    };
    let policy = PodPolicy {
        agent_image: "inference-autotuner/agent:0.1.0".into(),
        gpu_resource: "nvidia.com/gpu".into(),
    };
    json!([job(order, &policy, &whose), secret(order, &whose)])
}

fn everything() -> JobOrder {
    let mut order = order(ClusterSettings {
        node_selector: BTreeMap::from([("gpu".into(), "h200".into())]),
        tolerations: vec![
            Toleration {
                key: Some("nvidia.com/gpu".into()),
                ..Toleration::default()
            },
            Toleration {
                key: Some("team".into()),
                value: Some("infer".into()),
                effect: Some("NoSchedule".into()),
            },
        ],
        affinity: serde_json::from_value(json!({ "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                { "matchExpressions": [{ "key": "gpu", "operator": "In", "values": ["h200", "b200"] }] },
            ] },
        } }))
        .expect("an object"),
        runtime_class: Some("nvidia".into()),
        shared_memory_bytes: Some(16 << 30),
        service_account: Some("engines".into()),
        priority_class: Some("low".into()),
        queue: Some("tuning".into()),
        image_pull_secrets: vec!["registry".into()],
        hub_token: Some(SecretKey {
            secret: "hub".into(),
            key: "token".into(),
        }),
        claim: Some(VolumeClaim {
            name: "models".into(),
            sub_path: Some("llama".into()),
            mount_path: "/models".into(),
        }),
        service: None,
    });
    order.gpus = 2;
    order.limits = Limits {
        cpus: Some(7.5),
        memory_bytes: Some(64 << 30),
    };
    order
}

#[test]
fn the_plainest_job() {
    insta::assert_json_snapshot!(made(&order(ClusterSettings::default())));
}

#[test]
fn a_job_with_everything_that_a_task_may_say() {
    insta::assert_json_snapshot!(made(&everything()));
}

#[test]
fn a_cluster_takes_both_for_what_they_are() {
    for order in [order(ClusterSettings::default()), everything()] {
        let made = made(&order);
        let job: k8s_openapi::api::batch::v1::Job = serde_json::from_value(made[0].clone()).expect("a Job");
        // A key that is misspelt would be missing by now.
        assert_eq!(serde_json::to_value(&job).expect("JSON"), made[0]);
        let secret: k8s_openapi::api::core::v1::Secret =
            serde_json::from_value(made[1].clone()).expect("a secret");
        assert_eq!(serde_json::to_value(&secret).expect("JSON"), made[1]);
    }
}

#[test]
fn nothing_is_exposed_and_nothing_is_run_twice() {
    for order in [order(ClusterSettings::default()), everything()] {
        let text = made(&order).to_string();
        for absent in ["\"ports\"", "hostNetwork", "hostPath", "privileged", "hostPID"] {
            assert!(!text.contains(absent), "{absent} in {text}");
        }
        assert!(text.contains("\"restartPolicy\":\"Never\"") && text.contains("\"backoffLimit\":0"));
    }
}
