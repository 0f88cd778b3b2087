//! What is asked of each operator, as a whole and part by part.

use autotuner_core::task::{SecretKey, Toleration, VolumeClaim};

use super::*;

fn order(kind: ServiceKind, runtime: Option<&str>, model: Option<&str>) -> ServiceOrder {
    ServiceOrder {
        label: Label {
            task: "tune it".into(),
            experiment: 3,
            attempt: 1,
            log_file: "/data/logs/experiment_3.log".into(),
        },
        service: Service {
            kind,
            runtime: runtime.map(str::to_owned),
            model: model.map(str::to_owned),
            model_format: "huggingface".into(),
            annotations: BTreeMap::new(),
            objects: Vec::new(),
        },
        image: Some("vllm/vllm-openai:v0.11.0".into()),
        command: Some(vec!["vllm".into(), "serve".into()]),
        args: vec!["org/model".into(), "--max-num-seqs".into(), "8".into()],
        env: BTreeMap::new(),
        secret_env: BTreeMap::new(),
        ready_path: Some("/health".into()),
        gpus: 0,
        limits: Limits::default(),
        settings: ClusterSettings::default(),
        grace: Duration::from_secs(5),
    }
}

/// With everything that a task may say.
fn everything(kind: ServiceKind, runtime: Option<&str>, model: &str) -> ServiceOrder {
    let plain = order(kind, runtime, Some(model));
    ServiceOrder {
        args: vec![OME_MODEL_PATH.into(), "--price".into(), "$(MONEY) and $5".into()],
        env: BTreeMap::from([("VLLM_USE_V1".into(), "1".into())]),
        secret_env: BTreeMap::from([("API_TOKEN".into(), "hush".into())]),
        gpus: 2,
        limits: Limits {
            cpus: Some(7.5),
            memory_bytes: Some(64 << 30),
        },
        service: Service {
            annotations: BTreeMap::from([("ome.io/deploymentMode".into(), "RawDeployment".into())]),
            ..plain.service
        },
        settings: ClusterSettings {
            affinity: Map::new(),
            node_selector: BTreeMap::from([("gpu".into(), "h200".into())]),
            tolerations: vec![Toleration {
                key: Some("nvidia.com/gpu".into()),
                ..Toleration::default()
            }],
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
        },
        ..plain
    }
}

fn made(order: &ServiceOrder) -> Value {
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
    let references = References {
        model: "ClusterBaseModel",
        runtime: "ServingRuntime",
    };
    let service = service(order, &policy, references, &whose);
    json!([service, secret(order, &whose)])
}

#[test]
fn the_plainest_service_of_ome() {
    insta::assert_json_snapshot!(made(&order(ServiceKind::Ome, None, None)));
}

#[test]
fn the_plainest_service_of_kserve() {
    insta::assert_json_snapshot!(made(&order(ServiceKind::Kserve, None, None)));
}

#[test]
fn a_service_of_ome_with_everything() {
    let order = everything(ServiceKind::Ome, Some("srt-small"), "llama-3-2-1b-instruct");
    insta::assert_json_snapshot!(made(&order));
}

#[test]
fn a_service_of_kserve_with_everything() {
    let order = everything(ServiceKind::Kserve, Some("kserve-vllm"), "hf://org/model");
    insta::assert_json_snapshot!(made(&order));
}

#[test]
fn an_image_is_the_runtimes_where_the_task_names_none() {
    let mut order = order(ServiceKind::Ome, Some("srt-small"), None);
    order.image = None;
    let runner = &made(&order)[0]["spec"]["engine"]["runner"];
    assert_eq!(runner["image"], Value::Null);
    assert_eq!(runner["readinessProbe"], Value::Null);
}

#[test]
fn kserve_fetches_for_a_container_of_ours_too() {
    let made = made(&order(ServiceKind::Kserve, None, Some("pvc://claim/model")));
    let env = &made[0]["spec"]["predictor"]["containers"][0]["env"];
    assert_eq!(
        *env,
        json!([{ "name": "STORAGE_URI", "value": "pvc://claim/model" }])
    );
}

#[test]
fn a_cluster_takes_the_container_for_what_it_is() {
    for kind in ServiceKind::ALL {
        let made = made(&everything(kind, None, "hf://a/b"));
        let spec = &made[0]["spec"];
        let container = match kind {
            ServiceKind::Ome => &spec["engine"]["runner"],
            ServiceKind::Kserve => &spec["predictor"]["containers"][0],
        };
        let read: k8s_openapi::api::core::v1::Container =
            serde_json::from_value(container.clone()).expect("a container");
        // A key that is misspelt would be missing by now.
        assert_eq!(serde_json::to_value(&read).expect("JSON"), *container);
    }
}

#[test]
fn the_secret_part_is_in_no_service() {
    for kind in ServiceKind::ALL {
        let made = made(&everything(kind, Some("r"), "hf://a/b"));
        assert!(!made[0].to_string().contains("hush"));
        assert_eq!(made[1]["stringData"]["API_TOKEN"], "hush");
    }
}

#[test]
fn texts_reach_a_container_as_they_stand() {
    let check = |text: &str, model_path: Option<&str>, expected: &str| {
        assert_eq!(literal(text, model_path), expected, "{text}");
    };
    check("plain", None, "plain");
    check("$5", None, "$$5");
    check("$(HOME)", None, "$$(HOME)");
    check("$(MODEL_PATH)", None, "$$(MODEL_PATH)");
    check("$(MODEL_PATH)", Some("/mnt/models"), "$$(MODEL_PATH)");
    check(
        "--m=$(MODEL_PATH)/$x",
        Some(OME_MODEL_PATH),
        "--m=$(MODEL_PATH)/$$x",
    );
}
