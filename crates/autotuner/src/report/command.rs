//! What was started, as a line that a person can give to a shell.
//!
//! A container's line gives the same image the same arguments, mounts, limits and GPUs, and
//! publishes its port where the engine listens. What is secret, and what is the operator's
//! rather than the task's, is left out: proxies, tokens, labels.

use std::path::PathBuf;

use autotuner_core::engine::{LaunchPlan, Limits};
use autotuner_core::experiment::{ImageFacts, LaunchFacts};
use autotuner_core::gpu::{GpuDevice, GpuVendor};
use autotuner_deploy::docker::{ENGINE_PORT, HUB_CACHE};

use super::words::quoted;

/// What containers are given here, whatever the task.
#[derive(Debug, Clone)]
pub(crate) struct Containers {
    /// Shared memory, in bytes.
    pub(crate) shm_bytes: u64,
    /// Where models from a hub are kept on this machine.
    pub(crate) hub_cache: PathBuf,
}

/// The line for an experiment that was started by this plan.
pub(crate) fn line(launch: &LaunchFacts, plan: &LaunchPlan, containers: &Containers) -> String {
    let words = match &launch.image {
        Some(image) => container(launch, image, plan, containers),
        None => process(launch),
    };
    words.join(" ")
}

/// Variables, then the command; host and port as they were.
fn process(launch: &LaunchFacts) -> Vec<String> {
    let variables = launch
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", quoted(value)));
    let words = launch.command.iter().map(|word| quoted(word));
    variables.chain(words).collect()
}

fn container(
    launch: &LaunchFacts,
    image: &ImageFacts,
    plan: &LaunchPlan,
    containers: &Containers,
) -> Vec<String> {
    let mut flags = vec![
        "--rm".to_owned(),
        format!("--publish=127.0.0.1:{ENGINE_PORT}:{ENGINE_PORT}"),
        format!("--shm-size={}", containers.shm_bytes),
    ];
    let Limits { cpus, memory_bytes } = plan.limits;
    flags.extend(cpus.map(|cpus| format!("--cpus={cpus}")));
    if let Some(bytes) = memory_bytes {
        // Both together: no swap, as in the experiment.
        flags.push(format!("--memory={bytes}"));
        flags.push(format!("--memory-swap={bytes}"));
    }
    flags.extend(gpus(&launch.gpus));
    for mount in &plan.mounts {
        let source = mount.source.display();
        flags.push(format!(
            "--mount=type=bind,source={source},target={},readonly",
            mount.target
        ));
    }
    if plan.uses_hub {
        let source = containers.hub_cache.display();
        flags.push(format!("--mount=type=bind,source={source},target={HUB_CACHE}"));
        flags.push(format!("--env=HF_HOME={HUB_CACHE}"));
    }
    flags.extend(
        launch
            .env
            .iter()
            .map(|(name, value)| format!("--env={name}={value}")),
    );
    let (program, arguments) = launch.command.split_first().unzip();
    flags.extend(program.map(|program| format!("--entrypoint={program}")));
    flags.push(image.digest.as_ref().unwrap_or(&image.reference).clone());
    flags.extend_from_slice(arguments.unwrap_or_default());
    let begin = ["docker", "run"].map(str::to_owned);
    begin
        .into_iter()
        .chain(flags.iter().map(|flag| quoted(flag)))
        .collect()
}

/// The flags that give a container these GPUs and no others.
fn gpus(held: &[GpuDevice]) -> Vec<String> {
    let list = |name: fn(&GpuDevice) -> String| held.iter().map(name).collect::<Vec<_>>().join(",");
    match held.first().map(|gpu| gpu.vendor) {
        None => Vec::new(),
        Some(GpuVendor::Nvidia) => vec![format!("--gpus=\"device={}\"", list(|gpu| gpu.uuid.clone()))],
        Some(GpuVendor::Amd) => [
            "--device=/dev/kfd".to_owned(),
            "--device=/dev/dri".to_owned(),
            "--group-add=video".to_owned(),
            "--group-add=render".to_owned(),
            format!("--env=ROCR_VISIBLE_DEVICES={}", list(|gpu| gpu.index.to_string())),
        ]
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use autotuner_core::engine::{Mount, Program};

    use super::*;

    fn plan() -> LaunchPlan {
        LaunchPlan {
            program: Program::Local("engine".into()),
            args: vec![],
            env: std::collections::BTreeMap::new(),
            gpus: 0,
            ready_paths: vec![],
            served_model_name: "m".into(),
            start_timeout: Duration::ZERO,
            mounts: vec![],
            uses_hub: false,
            limits: Limits::default(),
        }
    }

    fn launch(command: &[&str]) -> LaunchFacts {
        LaunchFacts {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            env: vec![("A".into(), "b c".into())],
            ..LaunchFacts::default()
        }
    }

    fn containers() -> Containers {
        Containers {
            shm_bytes: 1 << 30,
            hub_cache: "/cache".into(),
        }
    }

    fn image() -> ImageFacts {
        ImageFacts {
            reference: "vllm/vllm-openai:v1".into(),
            id: "sha256:01".into(),
            digest: None,
        }
    }

    fn gpu(index: u32, vendor: GpuVendor) -> GpuDevice {
        GpuDevice {
            index,
            uuid: format!("GPU-{index}"),
            name: "N".into(),
            vendor,
            memory_bytes: 1,
        }
    }

    #[test]
    fn a_process_s_line_is_its_command() {
        assert_eq!(
            line(&launch(&["/bin/engine", "--flag", "a b"]), &plan(), &containers()),
            "A='b c' /bin/engine --flag 'a b'"
        );
    }

    #[test]
    fn a_container_s_line_starts_the_same_container() {
        let mut facts = launch(&["vllm", "serve", "--port", "8000"]);
        facts.image = Some(image());
        assert_eq!(
            line(&facts, &plan(), &containers()),
            "docker run --rm --publish=127.0.0.1:8000:8000 --shm-size=1073741824 '--env=A=b c' \
             --entrypoint=vllm vllm/vllm-openai:v1 serve --port 8000"
        );
        facts.env.clear();
        let plan = LaunchPlan {
            mounts: vec![Mount {
                source: "/m/a".into(),
                target: "/models/a".into(),
            }],
            limits: Limits {
                cpus: Some(1.5),
                memory_bytes: Some(1 << 30),
            },
            uses_hub: true,
            ..plan()
        };
        assert_eq!(
            line(&facts, &plan, &containers()),
            "docker run --rm --publish=127.0.0.1:8000:8000 --shm-size=1073741824 --cpus=1.5 \
             --memory=1073741824 --memory-swap=1073741824 \
             --mount=type=bind,source=/m/a,target=/models/a,readonly \
             --mount=type=bind,source=/cache,target=/root/.cache/huggingface \
             --env=HF_HOME=/root/.cache/huggingface --entrypoint=vllm vllm/vllm-openai:v1 serve --port 8000"
        );
    }

    #[test]
    fn a_container_gets_the_gpus_that_it_had() {
        let check = |vendor: GpuVendor, expected: &str| {
            let mut facts = launch(&["engine"]);
            facts.image = Some(image());
            facts.gpus = vec![gpu(0, vendor), gpu(2, vendor)];
            let line = line(&facts, &plan(), &containers());
            assert!(line.contains(expected), "{line}");
        };
        check(GpuVendor::Nvidia, "'--gpus=\"device=GPU-0,GPU-2\"'");
        check(
            GpuVendor::Amd,
            "--device=/dev/kfd --device=/dev/dri --group-add=video --group-add=render \
             --env=ROCR_VISIBLE_DEVICES=0,2",
        );
    }
}
