//! What a task says of pods, in a cluster's words: the same for Jobs and for services.
//!
//! Pure, and only what a task and the operator's policy say; what else a pod is made of is for who
//! makes it.

use std::collections::BTreeMap;

use autotuner_core::engine::Limits;
use autotuner_core::problem::Problem;
use autotuner_core::task::{ClusterSettings, Toleration, VolumeClaim};
use k8s_openapi::api::core::v1::Affinity;
use serde_json::{Map, Value, json};

use super::manifest::PodPolicy;

/// How long a node may be away before its pods count as lost, seconds. A cluster's own default is
/// five minutes, which is as long as many experiments.
const NODE_PATIENCE: u64 = 30;

/// Where a pod may run and as whom.
pub(super) fn place(settings: &ClusterSettings) -> Map<String, Value> {
    let ClusterSettings {
        node_selector,
        tolerations,
        affinity,
        runtime_class,
        shared_memory_bytes: _,
        service_account,
        priority_class,
        queue: _,
        image_pull_secrets,
        hub_token: _,
        claim: _,
        service: _,
    } = settings;
    let mut pod = Map::new();
    let mut set = |name: &str, value: Value| drop(pod.insert(name.to_owned(), value));
    set("enableServiceLinks", json!(false));
    set("automountServiceAccountToken", json!(service_account.is_some()));
    set("tolerations", all_tolerations(tolerations));
    if !node_selector.is_empty() {
        set("nodeSelector", json!(node_selector));
    }
    if !affinity.is_empty() {
        set("affinity", json!(affinity));
    }
    let named = [
        ("runtimeClassName", runtime_class),
        ("serviceAccountName", service_account),
        ("priorityClassName", priority_class),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            set(name, json!(value));
        }
    }
    if !image_pull_secrets.is_empty() {
        let names = image_pull_secrets.iter().map(|name| json!({ "name": name }));
        set("imagePullSecrets", names.collect());
    }
    pod
}

/// What of a task's affinity a pod has no word for: a cluster would leave that out.
///
/// # Errors
/// The problem.
pub fn check_affinity(settings: &ClusterSettings) -> Result<(), Problem> {
    let asked = Value::Object(settings.affinity.clone());
    let understood = serde_json::from_value::<Affinity>(asked.clone())
        .map_err(|error| error.to_string())
        .and_then(|affinity| serde_json::to_value(affinity).map_err(|error| error.to_string()));
    let message = match understood {
        Ok(understood) if understood == asked => return Ok(()),
        Ok(understood) => format!("a pod has words for no more of it than {understood}"),
        Err(error) => format!("is no affinity of a pod: {error}"),
    };
    let hint = "write it as the affinity of a pod is written";
    Err(Problem::new("kubernetes.affinity", message).with_hint(hint))
}

/// The volumes that the engine sees.
pub(super) fn volumes(settings: &ClusterSettings) -> Vec<Value> {
    let mut volumes = Vec::new();
    if let Some(bytes) = settings.shared_memory_bytes {
        let folder = json!({ "medium": "Memory", "sizeLimit": bytes.to_string() });
        volumes.push(json!({ "name": "shared-memory", "emptyDir": folder }));
    }
    if let Some(VolumeClaim { name, .. }) = &settings.claim {
        let claim = json!({ "claimName": name, "readOnly": true });
        volumes.push(json!({ "name": "model", "persistentVolumeClaim": claim }));
    }
    volumes
}

/// Where it sees them.
pub(super) fn mounts(settings: &ClusterSettings) -> Vec<Value> {
    let mut mounts = Vec::new();
    if settings.shared_memory_bytes.is_some() {
        mounts.push(json!({ "name": "shared-memory", "mountPath": "/dev/shm" }));
    }
    if let Some(claim) = &settings.claim {
        let mut mount = json!({ "name": "model", "mountPath": claim.mount_path, "readOnly": true });
        if let Some(folder) = &claim.sub_path {
            mount["subPath"] = json!(folder);
        }
        mounts.push(mount);
    }
    mounts
}

/// The variable with the token for the model hub.
pub(super) fn hub_token(settings: &ClusterSettings) -> Option<Value> {
    let token = settings.hub_token.as_ref()?;
    let key = json!({ "secretKeyRef": { "name": token.secret, "key": token.key } });
    Some(json!({ "name": "HF_TOKEN", "valueFrom": key }))
}

/// What is asked for and what is the most: the same, so that nobody else disturbs what is measured.
pub(super) fn amounts(gpus: u32, limits: Limits, policy: &PodPolicy) -> BTreeMap<String, String> {
    let mut amounts = BTreeMap::new();
    if gpus > 0 {
        amounts.insert(policy.gpu_resource.clone(), gpus.to_string());
    }
    if let Some(cpus) = limits.cpus {
        amounts.insert("cpu".into(), format!("{}m", (cpus * 1000.0).ceil()));
    }
    if let Some(bytes) = limits.memory_bytes {
        amounts.insert("memory".into(), bytes.to_string());
    }
    amounts
}

/// The task's, and how long a node may be away.
fn all_tolerations(of_task: &[Toleration]) -> Value {
    let away = ["not-ready", "unreachable"].map(|what| {
        json!({
            "key": format!("node.kubernetes.io/{what}"),
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": NODE_PATIENCE,
        })
    });
    let wanted = of_task.iter().map(|toleration| {
        let Toleration { key, value, effect } = toleration;
        let mut written = Map::new();
        let operator = if value.is_some() { "Equal" } else { "Exists" };
        written.insert("operator".into(), json!(operator));
        for (name, text) in [("key", key), ("value", value), ("effect", effect)] {
            if let Some(text) = text {
                written.insert(name.into(), json!(text));
            }
        }
        Value::Object(written)
    });
    wanted.chain(away).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_affinity_that_a_cluster_would_not_take_whole_is_refused() {
        let check = |affinity: Value, expected: Option<&str>| {
            let settings = ClusterSettings {
                affinity: serde_json::from_value(affinity).unwrap(),
                ..ClusterSettings::default()
            };
            let found = check_affinity(&settings).err().map(|problem| problem.to_string());
            match expected {
                None => assert_eq!(found, None),
                Some(part) => assert!(
                    found.as_ref().is_some_and(|found| found.contains(part)),
                    "{found:?}"
                ),
            }
        };
        let terms = |name: &str, key: &str| {
            json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                name: [{ "matchExpressions": [{ key: "gpu", "operator": "Exists" }] }],
            } } })
        };
        check(json!({}), None);
        check(terms("nodeSelectorTerms", "key"), None);
        check(terms("nodeSelectorTerm", "key"), Some("no more of it than"));
        check(terms("nodeSelectorTerms", "keys"), Some("kubernetes.affinity"));
        check(json!({ "podAffinity": 3 }), Some("is no affinity of a pod"));
    }
}
