//! An engine as a compose file.
//!
//! A pure function. Compose puts variables in the place of `$NAME` everywhere, so a `$` that is
//! meant as one is doubled; that is also how secrets are asked for.

use autotuner_core::engine::{Limits, Mount};
use autotuner_core::gpu::{GpuDevice, GpuVendor};
use autotuner_deploy::docker::{ENGINE_PORT, HUB_CACHE};
use serde_json::{Map, Value, json};

use super::package::{Gpus, Package, Shown};
use super::yaml;

/// The compose file of a package.
pub(crate) fn compose(package: &Package) -> String {
    let Package {
        image,
        program,
        arguments,
        variables: _,
        gpus,
        mounts,
        hub_cache: _,
        shm_bytes,
        limits,
        ready_path: _,
        start_timeout: _,
    } = package;
    let mut service = Map::new();
    let mut set = |key: &str, value: Value| {
        service.insert(key.to_owned(), value);
    };
    set("image", literal(image).into());
    if let Some(program) = program {
        set("entrypoint", json!([literal(program)]));
    }
    set("command", arguments.iter().map(|word| literal(word)).collect());
    let variables = variables(package);
    if !variables.is_empty() {
        set("environment", variables.into());
    }
    set("ports", json!([format!("127.0.0.1:{ENGINE_PORT}:{ENGINE_PORT}")]));
    set("shm_size", json!(shm_bytes.to_string()));
    let Limits { cpus, memory_bytes } = limits;
    if let Some(cpus) = cpus {
        set("cpus", json!(cpus));
    }
    if let Some(bytes) = memory_bytes {
        // Both together: no swap, as in the experiment.
        set("mem_limit", json!(bytes.to_string()));
        set("memswap_limit", json!(bytes.to_string()));
    }
    let volumes = volumes(mounts, package);
    if !volumes.is_empty() {
        set("volumes", volumes.into());
    }
    for (key, value) in devices(gpus) {
        set(key, value);
    }
    set("restart", json!("unless-stopped"));
    yaml(&json!({ "services": { "engine": service } }))
}

/// A text that compose leaves as it is.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// As a list: a name that reads like something else stays a name.
fn variables(package: &Package) -> Vec<Value> {
    let mut variables: Vec<Value> = package
        .all_variables()
        .iter()
        .map(|(name, value)| match value {
            Shown::Value(value) => literal(&format!("{name}={value}")).into(),
            Shown::Secret => format!("{name}=${{{name}:?set it in the environment}}").into(),
        })
        .collect();
    if let Gpus::Held(held) = &package.gpus
        && package.gpus.vendor() == GpuVendor::Amd
    {
        let list: Vec<String> = held.iter().map(|gpu| gpu.index.to_string()).collect();
        variables.push(format!("ROCR_VISIBLE_DEVICES={}", list.join(",")).into());
    }
    variables
}

fn volumes(mounts: &[Mount], package: &Package) -> Vec<Value> {
    let bind = |source: String, target: &str, read_only: bool| {
        json!({
            "type": "bind",
            "source": literal(&source),
            "target": literal(target),
            "read_only": read_only,
        })
    };
    let given = mounts
        .iter()
        .map(|mount| bind(mount.source.display().to_string(), &mount.target, true));
    let hub = package
        .hub_cache
        .as_ref()
        .map(|cache| bind(cache.display().to_string(), HUB_CACHE, false));
    given.chain(hub).collect()
}

/// The keys that give the service its GPUs.
fn devices(gpus: &Gpus) -> Vec<(&'static str, Value)> {
    let reserved = |device: Value| {
        let reservations = json!({ "reservations": { "devices": [device] } });
        vec![("deploy", json!({ "resources": reservations }))]
    };
    let ids = |held: &[GpuDevice]| -> Vec<String> { held.iter().map(|gpu| gpu.uuid.clone()).collect() };
    match (gpus, gpus.vendor()) {
        (Gpus::None, _) => Vec::new(),
        (Gpus::Any(count), _) => {
            reserved(json!({ "driver": "nvidia", "count": count, "capabilities": ["gpu"] }))
        }
        (Gpus::Held(held), GpuVendor::Nvidia) => {
            reserved(json!({ "driver": "nvidia", "device_ids": ids(held), "capabilities": ["gpu"] }))
        }
        (Gpus::Held(_), GpuVendor::Amd) => vec![
            ("devices", json!(["/dev/kfd", "/dev/dri"])),
            ("group_add", json!(["video", "render"])),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::tests::package;
    use super::*;

    fn told(package: &Package) -> Value {
        serde_saphyr::from_str(&compose(package)).expect("YAML")
    }

    #[test]
    fn a_compose_file_starts_the_same_container() {
        let expected = json!({
            "services": { "engine": {
                "image": "some/image@sha256:01",
                "entrypoint": ["engine"],
                "command": ["serve", "--text", "it's \"$$HOME\" on", "on", "0777", "1e3"],
                "environment": ["HF_HOME=/root/.cache/huggingface", "A=b $$c", "HF_TOKEN=${HF_TOKEN:?set it in the environment}"],
                "ports": ["127.0.0.1:8000:8000"],
                "shm_size": "1073741824",
                "cpus": 1.5,
                "mem_limit": "2147483648",
                "memswap_limit": "2147483648",
                "volumes": [
                    { "type": "bind", "source": "/m/a b", "target": "/models/a b", "read_only": true },
                    { "type": "bind", "source": "/cache", "target": "/root/.cache/huggingface", "read_only": false },
                ],
                "deploy": { "resources": { "reservations": { "devices": [
                    { "driver": "nvidia", "device_ids": ["GPU-0", "GPU-2"], "capabilities": ["gpu"] },
                ] } } },
                "restart": "unless-stopped",
            } },
        });
        assert_eq!(told(&package()), expected);
    }

    #[test]
    fn texts_that_older_readers_take_for_something_else_are_in_quotes() {
        let text = compose(&package());
        for word in ["'on'", "'0777'", "'1e3'"] {
            assert!(text.contains(word), "{text}");
        }
    }
}
