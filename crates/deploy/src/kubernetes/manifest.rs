//! What one experiment asks of a cluster: a Job, and the secret with what its agent is told.
//!
//! A pure function of the order. The pod has one container of the engine's image whose command is
//! our own program, put there by an init container; it starts the engine as its child and loads it
//! over the loopback. Nothing is restarted, nothing is exposed, no token of the cluster is mounted
//! unless the task names a service account.

use std::time::Duration;

use autotuner_core::engine::Limits;
use autotuner_core::task::ClusterSettings;
use serde_json::{Value, json};

use super::names::{self, Whose};
use super::pod;
use crate::Label;

/// The container that the engine runs in.
pub(crate) const ENGINE: &str = "engine";

/// Where our program is in the pod.
const PROGRAM: &str = "/autotuner/bin/autotuner";

/// Where the agent finds what it is told.
const ORDER_FOLDER: &str = "/autotuner/order";

/// The only file in there.
const ORDER_FILE: &str = "order.json";

/// Where the agent may write.
const WORK_FOLDER: &str = "/autotuner/work";

/// Where our program is in its own image.
const PROGRAM_IN_IMAGE: &str = "/bin/autotuner";

/// How long a finished Job stays for people to look at if we never come to remove it, seconds.
const KEPT: u64 = 3600;

/// Longer than the agent needs to pass on the last output of an engine that has ended, seconds.
const LAST_WORDS: u64 = 5;

/// What one experiment asks of a cluster.
#[derive(Debug, Clone)]
pub struct JobOrder {
    /// Which experiment.
    pub label: Label,
    /// The engine's image.
    pub image: String,
    /// What the agent is told; some of it is secret.
    pub order: Vec<u8>,
    /// GPUs that the engine needs.
    pub gpus: u32,
    /// What it may use beside them.
    pub limits: Limits,
    /// What the task says of its pods.
    pub settings: ClusterSettings,
    /// Longest time from the Job's creation to its end.
    pub deadline: Duration,
    /// How long the engine is given to end by itself.
    pub grace: Duration,
    /// Whether the engine is elsewhere, and this is only to load it.
    pub is_loader: bool,
}

/// What the operator says of all pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodPolicy {
    /// The image with our own program.
    pub agent_image: String,
    /// How the cluster calls its GPUs.
    pub gpu_resource: String,
}

/// The Job of an order.
pub(crate) fn job(order: &JobOrder, policy: &PodPolicy, whose: &Whose) -> Value {
    let name = names::job_name(whose, &order.label);
    let mut labels = names::labels(whose, &order.label);
    if order.is_loader {
        labels.insert(names::ROLE.into(), names::LOADER.into());
    }
    let annotations = names::annotations(&order.label);
    let mut job_labels = labels.clone();
    if let Some(queue) = &order.settings.queue {
        job_labels.insert("kueue.x-k8s.io/queue-name".into(), queue.clone());
    }
    let meta = json!({ "name": name, "labels": job_labels, "annotations": annotations });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": order.deadline.as_secs().max(1),
            "ttlSecondsAfterFinished": KEPT,
            "template": {
                "metadata": { "labels": labels, "annotations": annotations },
                "spec": pod(order, policy, &name),
            },
        },
    })
}

/// The secret of an order.
pub(crate) fn secret(order: &JobOrder, whose: &Whose) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": names::job_name(whose, &order.label),
            "labels": names::labels(whose, &order.label),
        },
        "type": "Opaque",
        "stringData": { ORDER_FILE: String::from_utf8_lossy(&order.order) },
    })
}

fn pod(order: &JobOrder, policy: &PodPolicy, secret: &str) -> Value {
    let mut volumes = vec![
        json!({ "name": "autotuner-bin", "emptyDir": {} }),
        json!({ "name": "autotuner-work", "emptyDir": {} }),
        json!({ "name": "autotuner-order", "secret": { "secretName": secret, "defaultMode": 0o444 } }),
    ];
    volumes.extend(pod::volumes(&order.settings));
    let mut pod = pod::place(&order.settings);
    let mut set = |name: &str, value: Value| drop(pod.insert(name.to_owned(), value));
    set("restartPolicy", json!("Never"));
    set(
        "terminationGracePeriodSeconds",
        json!(order.grace.as_secs() + LAST_WORDS),
    );
    set("initContainers", json!([agent(policy)]));
    set("containers", json!([engine(order, policy)]));
    set("volumes", Value::Array(volumes));
    Value::Object(pod)
}

/// Puts our program into the pod.
fn agent(policy: &PodPolicy) -> Value {
    json!({
        "name": "agent",
        "image": policy.agent_image,
        "imagePullPolicy": "IfNotPresent",
        "command": [PROGRAM_IN_IMAGE, "agent", "--install", PROGRAM],
        "volumeMounts": [{ "name": "autotuner-bin", "mountPath": "/autotuner/bin" }],
    })
}

fn engine(order: &JobOrder, policy: &PodPolicy) -> Value {
    let mut mounts = vec![
        json!({ "name": "autotuner-bin", "mountPath": "/autotuner/bin", "readOnly": true }),
        json!({ "name": "autotuner-work", "mountPath": WORK_FOLDER }),
        json!({ "name": "autotuner-order", "mountPath": ORDER_FOLDER, "readOnly": true }),
    ];
    mounts.extend(pod::mounts(&order.settings));
    let env: Vec<Value> = pod::hub_token(&order.settings).into_iter().collect();
    let amounts = pod::amounts(order.gpus, order.limits, policy);
    json!({
        "name": ENGINE,
        "image": order.image,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            PROGRAM, "agent",
            "--order", format!("{ORDER_FOLDER}/{ORDER_FILE}"),
            "--data-dir", WORK_FOLDER,
        ],
        "env": env,
        "volumeMounts": mounts,
        "resources": { "limits": amounts, "requests": amounts },
    })
}

#[cfg(test)]
#[path = "tests/manifest.rs"]
mod tests;
