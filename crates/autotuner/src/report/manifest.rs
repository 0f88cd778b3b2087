//! An engine as a Kubernetes manifest: a deployment and the service before it.
//!
//! A pure function. A cluster puts variables in the place of `$(NAME)` in arguments and values, so
//! a `$(` that is meant as one is escaped. Secrets are taken from a secret of the cluster that is
//! named after the engine. Models that were on the tuning machine are expected on the node.

use autotuner_core::engine::Limits;
use autotuner_core::gpu::GpuVendor;
use autotuner_deploy::docker::{ENGINE_PORT, HUB_CACHE};
use serde_json::{Map, Value, json};

use super::package::{Gpus, Package, Shown};
use super::yaml;

/// Longest name of what a cluster keeps.
const LONGEST_NAME: usize = 50;

/// How often a cluster asks whether the engine is ready, seconds.
const PROBE_SECONDS: u64 = 5;

/// Both documents. `named` is what they are called after.
pub(crate) fn manifest(named: &str, package: &Package) -> String {
    let name = name(named);
    let labels =
        json!({ "app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "inference-autotuner" });
    let selector = json!({ "app.kubernetes.io/name": name });
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": selector },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [container(&name, package)], "volumes": volumes(package) },
            },
        },
    });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "selector": selector,
            "ports": [{ "name": "http", "port": ENGINE_PORT, "targetPort": "http" }],
        },
    });
    format!("{}---\n{}", yaml(&deployment), yaml(&service))
}

/// A name as clusters have them: small letters, digits and dashes, a letter first.
fn name(named: &str) -> String {
    let mut name = String::new();
    for letter in named.chars().map(|c| c.to_ascii_lowercase()) {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
        if name.len() >= LONGEST_NAME {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    match name.starts_with(|first: char| first.is_ascii_lowercase()) {
        true => name.to_owned(),
        false => format!("engine-{name}").trim_end_matches('-').to_owned(),
    }
}

/// A text that a cluster leaves as it is.
fn literal(text: &str) -> String {
    text.replace("$(", "$$(")
}

fn container(name: &str, package: &Package) -> Value {
    let Package {
        image,
        program,
        arguments,
        variables: _,
        gpus,
        mounts: _,
        hub_cache: _,
        shm_bytes: _,
        limits,
        ready_path,
        start_timeout,
    } = package;
    let mut container = Map::new();
    let mut set = |key: &str, value: Value| {
        container.insert(key.to_owned(), value);
    };
    set("name", json!("engine"));
    set("image", json!(image));
    if let Some(program) = program {
        set("command", json!([literal(program)]));
    }
    set("args", arguments.iter().map(|word| literal(word)).collect());
    let variables = variables(name, package);
    if !variables.is_empty() {
        set("env", variables.into());
    }
    set("ports", json!([{ "name": "http", "containerPort": ENGINE_PORT }]));
    set("resources", resources(*limits, gpus));
    if let Some(path) = ready_path {
        let probe = json!({ "path": path, "port": "http" });
        let attempts = start_timeout.as_secs().div_ceil(PROBE_SECONDS).max(1);
        let startup =
            json!({ "httpGet": probe, "periodSeconds": PROBE_SECONDS, "failureThreshold": attempts });
        set("startupProbe", startup);
        set(
            "readinessProbe",
            json!({ "httpGet": probe, "periodSeconds": PROBE_SECONDS }),
        );
    }
    set("volumeMounts", volume_mounts(package));
    Value::Object(container)
}

fn variables(name: &str, package: &Package) -> Vec<Value> {
    package
        .all_variables()
        .iter()
        .map(|(variable, value)| match value {
            Shown::Value(value) => json!({ "name": variable, "value": literal(value) }),
            Shown::Secret => {
                let key = json!({ "name": format!("{name}-secrets"), "key": variable });
                json!({ "name": variable, "valueFrom": { "secretKeyRef": key } })
            }
        })
        .collect()
}

/// GPUs are asked for as limits; requests follow from them.
fn resources(limits: Limits, gpus: &Gpus) -> Value {
    let Limits { cpus, memory_bytes } = limits;
    let mut limits = Map::new();
    if let Some(cpus) = cpus {
        limits.insert("cpu".into(), json!(cpus.to_string()));
    }
    if let Some(bytes) = memory_bytes {
        limits.insert("memory".into(), json!(bytes.to_string()));
    }
    if gpus.count() > 0 {
        let resource = match gpus.vendor() {
            GpuVendor::Nvidia => "nvidia.com/gpu",
            GpuVendor::Amd => "amd.com/gpu",
        };
        limits.insert(resource.into(), json!(gpus.count().to_string()));
    }
    if limits.is_empty() {
        return json!({});
    }
    json!({ "limits": limits })
}

fn volumes(package: &Package) -> Value {
    let shared = json!({
        "name": "shared-memory",
        "emptyDir": { "medium": "Memory", "sizeLimit": package.shm_bytes.to_string() },
    });
    let models = package.mounts.iter().enumerate().map(|(index, mount)| {
        json!({
            "name": format!("model-{index}"),
            "hostPath": { "path": mount.source.display().to_string() },
        })
    });
    let hub = package
        .hub_cache
        .as_ref()
        .map(|_| json!({ "name": "hub-cache", "emptyDir": {} }));
    std::iter::once(shared).chain(models).chain(hub).collect()
}

fn volume_mounts(package: &Package) -> Value {
    let shared = json!({ "name": "shared-memory", "mountPath": "/dev/shm" });
    let models = package.mounts.iter().enumerate().map(|(index, mount)| {
        json!({ "name": format!("model-{index}"), "mountPath": mount.target, "readOnly": true })
    });
    let hub = package
        .hub_cache
        .as_ref()
        .map(|_| json!({ "name": "hub-cache", "mountPath": HUB_CACHE }));
    std::iter::once(shared).chain(models).chain(hub).collect()
}

#[cfg(test)]
mod tests {
    use super::super::package::tests::package;
    use super::*;

    fn told(package: &Package) -> [Value; 2] {
        let text = manifest("Chat, p99: \"fast\"", package);
        let parts: Vec<&str> = text.split("---\n").collect();
        let [deployment, service] = parts.as_slice() else {
            panic!("two documents: {text}");
        };
        [deployment, service].map(|part| serde_saphyr::from_str(part).expect("YAML"))
    }

    #[test]
    fn a_manifest_starts_the_same_container() {
        let mut given = package();
        given.arguments.push("$(HOME)".into());
        let [deployment, service] = told(&given);
        let pod = &deployment["spec"]["template"]["spec"];
        let expected = json!([{
            "name": "engine",
            "image": "some/image@sha256:01",
            "command": ["engine"],
            "args": ["serve", "--text", "it's \"$HOME\" on", "on", "0777", "1e3", "$$(HOME)"],
            "env": [
                { "name": "HF_HOME", "value": "/root/.cache/huggingface" },
                { "name": "A", "value": "b $c" },
                { "name": "HF_TOKEN", "valueFrom": { "secretKeyRef": { "name": "chat-p99-fast-secrets", "key": "HF_TOKEN" } } },
            ],
            "ports": [{ "name": "http", "containerPort": 8000 }],
            "resources": { "limits": { "cpu": "1.5", "memory": "2147483648", "nvidia.com/gpu": "2" } },
            "startupProbe": { "httpGet": { "path": "/health", "port": "http" }, "periodSeconds": 5, "failureThreshold": 120 },
            "readinessProbe": { "httpGet": { "path": "/health", "port": "http" }, "periodSeconds": 5 },
            "volumeMounts": [
                { "name": "shared-memory", "mountPath": "/dev/shm" },
                { "name": "model-0", "mountPath": "/models/a b", "readOnly": true },
                { "name": "hub-cache", "mountPath": "/root/.cache/huggingface" },
            ],
        }]);
        assert_eq!(pod["containers"], expected);
        assert_eq!(pod["volumes"][1]["hostPath"]["path"], "/m/a b");
        assert_eq!(deployment["metadata"]["name"], "chat-p99-fast");
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        assert_eq!(&service["spec"]["selector"], selector);
    }

    #[test]
    fn names_are_those_of_a_cluster() {
        let check = |named: &str, expected: &str| assert_eq!(name(named), expected, "{named}");
        check("Qwen chat", "qwen-chat");
        check("2nd", "engine-2nd");
        check("???", "engine");
        check("ünï-x--y-", "n-x-y");
        check(&"a".repeat(80), &"a".repeat(LONGEST_NAME));
    }
}
