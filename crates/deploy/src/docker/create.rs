//! What an engine's container is like, as one description for the daemon.
//!
//! A pure function: from a plan and what was decided around it to the body of the request. A
//! container gets no privileges, no network of the host's, and nothing of the host's files but
//! what is named here. It is never removed or restarted by the daemon: its last words and how
//! it ended are ours to read first.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use autotuner_core::engine::{LaunchPlan, Mount, Program};
use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount as DockerMount, MountType, PortBinding,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use super::gpu::GpuParts;
use super::shared::Extras;

/// The port that an engine listens on inside its container, where all ports are free.
pub const ENGINE_PORT: u16 = 8000;

/// Every address of the container: its own loopback cannot be reached from outside.
pub(crate) const ENGINE_HOST: &str = "0.0.0.0";

/// Where our side of an engine's port is.
pub(crate) const OUR_HOST: &str = "127.0.0.1";

/// Where the engines of an image look for models that were fetched before.
pub const HUB_CACHE: &str = "/root/.cache/huggingface";

/// How much of its output the daemon keeps: so much that it drops none before we have read it.
const LOG_FILE_SIZE: &str = "100m";
const LOG_FILES: &str = "5";

/// All that decides what a container is like.
pub(crate) struct Blueprint<'a> {
    pub(crate) plan: &'a LaunchPlan,
    /// The plan's mounts, as the policy lets them pass.
    pub(crate) mounts: &'a [Mount],
    pub(crate) labels: HashMap<String, String>,
    pub(crate) gpu: GpuParts,
    /// The machine's cache of models, where this engine is to have it.
    pub(crate) hub_cache: Option<&'a Path>,
    /// Under the plan's own environment: proxies, and the token for the hub.
    pub(crate) environment: &'a [(String, String)],
    pub(crate) shm_bytes: u64,
    pub(crate) extras: Extras,
}

/// It holds secrets.
impl fmt::Debug for Blueprint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blueprint")
            .field("program", &self.plan.program)
            .finish_non_exhaustive()
    }
}

/// The port as Docker writes it.
pub(crate) fn port_key() -> String {
    format!("{ENGINE_PORT}/tcp")
}

impl Blueprint<'_> {
    /// The request's body.
    pub(crate) fn body(&self, image: &str) -> ContainerCreateBody {
        let entrypoint = match &self.plan.program {
            Program::Image { entrypoint, .. } => entrypoint.clone().filter(|words| !words.is_empty()),
            Program::Local(_) => None,
        };
        ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint,
            cmd: Some(self.plan.arguments(ENGINE_HOST, ENGINE_PORT)),
            env: Some(self.environment()),
            labels: Some(self.labels.clone()),
            exposed_ports: Some(vec![port_key()]),
            attach_stdin: Some(false),
            open_stdin: Some(false),
            tty: Some(false),
            host_config: Some(self.host_config()),
            ..ContainerCreateBody::default()
        }
    }

    /// The operator's, over it the plan's, over it what concerns GPUs.
    fn environment(&self) -> Vec<String> {
        let hub = self.hub_cache.map(|_| ("HF_HOME", HUB_CACHE));
        let mut all: BTreeMap<&str, &str> = BTreeMap::new();
        all.extend(self.environment.iter().map(as_text));
        all.extend(hub);
        all.extend(
            self.plan
                .env
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        all.extend(self.gpu.environment.iter().map(as_text));
        all.iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    fn host_config(&self) -> HostConfig {
        let limits = self.plan.limits;
        let memory = limits.memory_bytes.map(as_signed);
        let has_gpus = self.gpu.device_requests.is_some() || self.gpu.devices.is_some();
        let binding = PortBinding {
            host_ip: Some(OUR_HOST.to_owned()),
            host_port: Some("0".to_owned()),
        };
        HostConfig {
            port_bindings: Some(HashMap::from([(port_key(), Some(vec![binding]))])),
            mounts: Some(self.docker_mounts()),
            memory,
            // Both together: no swap.
            memory_swap: memory,
            nano_cpus: limits.cpus.map(|cpus| (cpus * 1e9).round() as i64),
            shm_size: Some(as_signed(self.shm_bytes)),
            ulimits: (has_gpus && self.extras.memlock).then(|| vec![unlimited_memlock()]),
            init: Some(self.extras.init),
            auto_remove: Some(false),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::NO),
                maximum_retry_count: None,
            }),
            log_config: Some(log_config()),
            device_requests: self.gpu.device_requests.clone(),
            devices: self.gpu.devices.clone(),
            group_add: self.gpu.group_add.clone(),
            ..HostConfig::default()
        }
    }

    fn docker_mounts(&self) -> Vec<DockerMount> {
        let bind = |source: &Path, target: &str, read_only: bool| DockerMount {
            typ: Some(MountType::BIND),
            source: Some(source.display().to_string()),
            target: Some(target.to_owned()),
            read_only: Some(read_only),
            ..DockerMount::default()
        };
        let given = self
            .mounts
            .iter()
            .map(|mount| bind(&mount.source, &mount.target, true));
        let hub = self.hub_cache.map(|folder| bind(folder, HUB_CACHE, false));
        given.chain(hub).collect()
    }
}

fn unlimited_memlock() -> ResourcesUlimits {
    ResourcesUlimits {
        name: Some("memlock".to_owned()),
        soft: Some(-1),
        hard: Some(-1),
    }
}

fn log_config() -> HostConfigLogConfig {
    let options = [("max-size", LOG_FILE_SIZE), ("max-file", LOG_FILES)];
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(
            options
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        ),
    }
}

fn as_text((name, value): &(String, String)) -> (&str, &str) {
    (name, value)
}

/// More bytes than fit are as good as no limit.
fn as_signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use autotuner_core::engine::{Arg, Limits};
    use serde_json::{Value, json};

    use super::*;
    use crate::docker::gpu;

    fn plan(entrypoint: Option<&[&str]>, limits: Limits) -> LaunchPlan {
        LaunchPlan {
            program: Program::Image {
                reference: "an/image:1".to_owned(),
                entrypoint: entrypoint.map(|words| words.iter().map(|word| (*word).to_owned()).collect()),
            },
            args: vec![
                "--host".into(),
                Arg::Host,
                "--port".into(),
                Arg::Port,
                "; rm -rf".into(),
            ],
            env: [("HTTP_PROXY", "plan"), ("NVIDIA_VISIBLE_DEVICES", "all")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            gpus: 0,
            ready_paths: vec![],
            served_model_name: String::new(),
            start_timeout: Duration::from_secs(1),
            mounts: vec![],
            uses_hub: true,
            limits,
        }
    }

    fn body(plan: &LaunchPlan) -> Value {
        let mounts = [Mount {
            source: "/models/a: b".into(),
            target: "/model".to_owned(),
        }];
        let environment = [("HF_TOKEN", "secret"), ("HTTP_PROXY", "ours")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let blueprint = Blueprint {
            plan,
            mounts: &mounts,
            labels: HashMap::from([("a".to_owned(), "b".to_owned())]),
            gpu: gpu::parts(&[], &gpu::GpuSupport::default()).unwrap(),
            hub_cache: Some(Path::new("/data/hub")),
            environment: &environment,
            shm_bytes: 1 << 34,
            extras: Extras {
                init: true,
                memlock: false,
            },
        };
        assert!(!format!("{blueprint:?}").contains("secret"));
        serde_json::to_value(blueprint.body("sha256:ab")).unwrap()
    }

    #[test]
    fn a_container_gets_what_the_plan_says_and_no_more() {
        let limits = Limits {
            cpus: Some(1.5),
            memory_bytes: Some(1 << 30),
        };
        let body = body(&plan(None, limits));
        let check = |pointer: &str, expected: Value| {
            assert_eq!(
                body.pointer(pointer).unwrap_or(&Value::Null),
                &expected,
                "{pointer}"
            );
        };
        check("/Image", json!("sha256:ab"));
        check("/Entrypoint", Value::Null);
        check("/Cmd", json!(["--host", "0.0.0.0", "--port", "8000", "; rm -rf"]));
        check(
            "/Env",
            json!([
                "HF_HOME=/root/.cache/huggingface",
                "HF_TOKEN=secret",
                "HTTP_PROXY=plan",
                "NVIDIA_VISIBLE_DEVICES=void"
            ]),
        );
        check("/Labels", json!({"a": "b"}));
        check(
            "/HostConfig/PortBindings",
            json!({"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}]}),
        );
        check(
            "/HostConfig/Mounts",
            json!([
                {"Type": "bind", "Source": "/models/a: b", "Target": "/model", "ReadOnly": true},
                {"Type": "bind", "Source": "/data/hub", "Target": "/root/.cache/huggingface", "ReadOnly": false},
            ]),
        );
        check("/HostConfig/Memory", json!(1 << 30));
        check("/HostConfig/MemorySwap", json!(1 << 30));
        check("/HostConfig/NanoCpus", json!(1_500_000_000_i64));
        check("/HostConfig/ShmSize", json!(1_i64 << 34));
        check("/HostConfig/Init", json!(true));
        check("/HostConfig/AutoRemove", json!(false));
        check("/HostConfig/RestartPolicy/Name", json!("no"));
        check("/HostConfig/LogConfig/Type", json!("json-file"));
        for absent in [
            "Privileged",
            "NetworkMode",
            "CapAdd",
            "PidMode",
            "IpcMode",
            "Binds",
            "SecurityOpt",
            "DeviceRequests",
            "Devices",
            "Ulimits",
        ] {
            check(&format!("/HostConfig/{absent}"), Value::Null);
        }
    }

    #[test]
    fn an_entrypoint_of_the_plans_own_replaces_the_images() {
        let words = ["python3", "-m", "server"];
        let own = body(&plan(Some(&words), Limits::default()));
        assert_eq!(own["Entrypoint"], json!(words));
        let empty = body(&plan(Some(&[]), Limits::default()));
        assert_eq!(empty.get("Entrypoint"), None);
    }

    #[test]
    fn without_limits_there_are_none() {
        let body = body(&plan(None, Limits::default()));
        for name in ["Memory", "MemorySwap", "NanoCpus"] {
            assert_eq!(body["HostConfig"].get(name), None, "{name}");
        }
    }
}
