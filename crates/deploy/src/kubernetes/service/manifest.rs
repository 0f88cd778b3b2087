//! What one experiment asks of an operator: an `InferenceService`, and the secret with those of its
//! variables that nobody else should read.
//!
//! A pure function of the order. The container that the operator runs the engine in has the whole of
//! the experiment in it: command, arguments, environment, GPUs. A runtime that is named is what is
//! around that.

use std::collections::BTreeMap;
use std::time::Duration;

use autotuner_core::engine::Limits;
use autotuner_core::serving::{OME_MODEL_PATH, Service, ServiceKind};
use autotuner_core::task::ClusterSettings;
use serde_json::{Map, Value, json};

use super::super::manifest::PodPolicy;
use super::super::names::{self, Whose};
use super::super::pod;
use crate::Label;

/// The annotation that says how KServe runs a service.
const KSERVE_MODE: &str = "serving.kserve.io/deploymentMode";

/// The port that an engine answers on in its pod: what both operators expect of a container.
pub const PORT: u16 = 8080;

/// The address that it listens on.
pub const HOST: &str = "0.0.0.0";

/// The version of both APIs.
pub(super) const VERSION: &str = "v1beta1";

/// The variable by which KServe is told what to fetch for a container without a runtime. In the pod
/// it holds where that was put.
pub(super) const STORAGE_URI: &str = "STORAGE_URI";

/// How often a container of ours without a runtime is asked whether it is ready, seconds.
const PROBE_PERIOD: u32 = 2;

/// How long its answer may take, seconds.
const PROBE_TIMEOUT: u32 = 5;

/// What one experiment asks of an operator.
#[derive(Debug, Clone)]
pub struct ServiceOrder {
    /// Which experiment.
    pub label: Label,
    /// How it is served.
    pub service: Service,
    /// The engine's image; the runtime's when `None`.
    pub image: Option<String>,
    /// The program and what its arguments begin with; the image's own when `None`.
    pub command: Option<Vec<String>>,
    /// The engine's arguments, host and port filled in.
    pub args: Vec<String>,
    /// Its environment, as anybody may read it.
    pub env: BTreeMap<String, String>,
    /// The part of it that is secret.
    pub secret_env: BTreeMap<String, String>,
    /// Asked whether the engine is ready, where no runtime says how to ask.
    pub ready_path: Option<String>,
    /// GPUs that the engine needs.
    pub gpus: u32,
    /// What it may use beside them.
    pub limits: Limits,
    /// What the task says of its pods.
    pub settings: ClusterSettings,
    /// How long the engine is given to end by itself.
    pub grace: Duration,
}

/// Of which kind the named objects are: the cluster's, or the namespace's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct References {
    pub(super) model: &'static str,
    pub(super) runtime: &'static str,
}

impl References {
    /// The whole cluster's, which both operators take when nothing is said.
    pub(super) const CLUSTER: Self = Self {
        model: "ClusterBaseModel",
        runtime: "ClusterServingRuntime",
    };
}

/// The service of an order.
pub(super) fn service(
    order: &ServiceOrder,
    policy: &PodPolicy,
    references: References,
    whose: &Whose,
) -> Value {
    let name = names::job_name(whose, &order.label);
    let mut labels = names::labels(whose, &order.label);
    if let Some(queue) = &order.settings.queue {
        labels.insert("kueue.x-k8s.io/queue-name".into(), queue.clone());
    }
    let mut annotations = order.service.annotations.clone();
    if order.service.kind == ServiceKind::Kserve {
        // Knative, which is the other way, refuses what is said here of where a pod runs and how it ends.
        let mode = annotations.entry(KSERVE_MODE.into());
        mode.or_insert_with(|| "RawDeployment".into());
    }
    annotations.extend(names::annotations(&order.label));
    let container = container(order, policy, &name);
    let spec = match order.service.kind {
        ServiceKind::Ome => ome(order, references, container),
        ServiceKind::Kserve => kserve(order, container),
    };
    json!({
        "apiVersion": format!("{}/{VERSION}", order.service.kind.group()),
        "kind": "InferenceService",
        "metadata": { "name": name, "labels": labels, "annotations": annotations },
        "spec": spec,
    })
}

/// The secret of an order, if it needs one.
pub(super) fn secret(order: &ServiceOrder, whose: &Whose) -> Option<Value> {
    (!order.secret_env.is_empty()).then(|| {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": names::job_name(whose, &order.label),
                "labels": names::labels(whose, &order.label),
            },
            "type": "Opaque",
            "stringData": order.secret_env,
        })
    })
}

fn ome(order: &ServiceOrder, references: References, container: Map<String, Value>) -> Value {
    let group = order.service.kind.group();
    let mut spec = Map::new();
    let named = [
        ("model", &order.service.model, references.model),
        ("runtime", &order.service.runtime, references.runtime),
    ];
    for (part, name, kind) in named {
        if let Some(name) = name {
            spec.insert(
                part.into(),
                json!({ "name": name, "kind": kind, "apiGroup": group }),
            );
        }
    }
    let mut engine = component(order);
    engine.insert("runner".into(), Value::Object(container));
    spec.insert("engine".into(), Value::Object(engine));
    Value::Object(spec)
}

fn kserve(order: &ServiceOrder, mut container: Map<String, Value>) -> Value {
    let mut predictor = component(order);
    if let Some(runtime) = &order.service.runtime {
        // Here the name is the runtime's to give, and KServe refuses another.
        container.remove("name");
        container.insert(
            "modelFormat".into(),
            json!({ "name": order.service.model_format }),
        );
        container.insert("runtime".into(), json!(runtime));
        if let Some(address) = &order.service.model {
            container.insert("storageUri".into(), json!(address));
        }
        predictor.insert("model".into(), Value::Object(container));
    } else {
        predictor.insert("containers".into(), json!([container]));
    }
    json!({ "predictor": predictor })
}

/// What is around the container: one pod, and where it may run.
fn component(order: &ServiceOrder) -> Map<String, Value> {
    let mut component = pod::place(&order.settings);
    let mut set = |name: &str, value: Value| drop(component.insert(name.to_owned(), value));
    set("minReplicas", json!(1));
    set("maxReplicas", json!(1));
    set(
        "terminationGracePeriodSeconds",
        json!(order.grace.as_secs().max(1)),
    );
    let volumes = pod::volumes(&order.settings);
    if !volumes.is_empty() {
        set("volumes", Value::Array(volumes));
    }
    component
}

/// The engine's container.
fn container(order: &ServiceOrder, policy: &PodPolicy, secret: &str) -> Map<String, Value> {
    let mut container = Map::new();
    let mut set = |name: &str, value: Value| drop(container.insert(name.to_owned(), value));
    set("name", json!(order.service.kind.container()));
    if let Some(image) = &order.image {
        set("image", json!(image));
        set("imagePullPolicy", json!("IfNotPresent"));
    }
    let literal = |text: &String| literal(text.as_str(), order.service.model_path());
    if let Some(command) = &order.command {
        set("command", command.iter().map(literal).collect());
    }
    set("args", order.args.iter().map(literal).collect());
    let mut env: Vec<Value> = pod::hub_token(&order.settings).into_iter().collect();
    let given = order.env.iter();
    env.extend(given.map(|(name, value)| json!({ "name": name, "value": literal(value) })));
    env.extend(order.secret_env.keys().map(|name| {
        let key = json!({ "secretKeyRef": { "name": secret, "key": name } });
        json!({ "name": name, "valueFrom": key })
    }));
    if let (ServiceKind::Kserve, None, Some(address)) =
        (order.service.kind, &order.service.runtime, &order.service.model)
    {
        env.push(json!({ "name": STORAGE_URI, "value": address }));
    }
    if !env.is_empty() {
        set("env", Value::Array(env));
    }
    set(
        "ports",
        json!([{ "containerPort": PORT, "name": "http1", "protocol": "TCP" }]),
    );
    let amounts = pod::amounts(order.gpus, order.limits, policy);
    if !amounts.is_empty() {
        set("resources", json!({ "limits": amounts, "requests": amounts }));
    }
    let mounts = pod::mounts(&order.settings);
    if !mounts.is_empty() {
        set("volumeMounts", Value::Array(mounts));
    }
    if let (None, Some(path)) = (&order.service.runtime, &order.ready_path) {
        set(
            "readinessProbe",
            json!({
                "httpGet": { "path": path, "port": PORT },
                "periodSeconds": PROBE_PERIOD,
                "timeoutSeconds": PROBE_TIMEOUT,
            }),
        );
    }
    container
}

/// A text that a container gets as it stands. A cluster puts variables in the place of `$(NAME)`,
/// and takes `$$` for `$`; only the place of a model that OME puts there is left to it.
fn literal(text: &str, model_path: Option<&str>) -> String {
    let escaped = |text: &str| text.replace('$', "$$");
    match model_path {
        Some(OME_MODEL_PATH) => {
            let pieces: Vec<String> = text.split(OME_MODEL_PATH).map(escaped).collect();
            pieces.join(OME_MODEL_PATH)
        }
        _ => escaped(text),
    }
}

#[cfg(test)]
#[path = "tests/manifest.rs"]
mod tests;
