//! What was started, as a line that a person can give to a shell.
//!
//! A container's line starts the same image with the same arguments, mounts and limits, and
//! publishes its port where the engine listens. What is secret is left out, as everywhere.

use autotuner_core::engine::{LaunchPlan, Limits};
use autotuner_core::experiment::{ImageFacts, LaunchFacts};
use autotuner_core::gpu::GpuVendor;

use super::words::quoted;

/// The port on which engines in containers listen, unless their command says another.
const USUAL_PORT: &str = "8000";

/// The line for an experiment that was started by this plan.
pub(crate) fn line(launch: &LaunchFacts, plan: &LaunchPlan) -> String {
    let words = match &launch.image {
        Some(image) => container(launch, image, plan),
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

fn container(launch: &LaunchFacts, image: &ImageFacts, plan: &LaunchPlan) -> Vec<String> {
    let port = after(&launch.command, "--port").unwrap_or(USUAL_PORT);
    let mut words: Vec<String> = ["docker", "run", "--rm", "--publish"].map(str::to_owned).to_vec();
    words.push(format!("127.0.0.1:{port}:{port}"));
    let Limits { cpus, memory_bytes } = plan.limits;
    words.extend(cpus.map(|cpus| format!("--cpus={cpus}")));
    words.extend(memory_bytes.map(|bytes| format!("--memory={bytes}")));
    let nvidia = launch.gpus.iter().filter(|gpu| gpu.vendor == GpuVendor::Nvidia);
    let numbers: Vec<String> = nvidia.map(|gpu| gpu.index.to_string()).collect();
    if !numbers.is_empty() {
        words.push("--shm-size=16g".to_owned());
        words.push(quoted(&format!("--gpus=\"device={}\"", numbers.join(","))));
    }
    for mount in &plan.mounts {
        let source = mount.source.display();
        let text = format!(
            "--mount=type=bind,source={source},target={},readonly",
            mount.target
        );
        words.push(quoted(&text));
    }
    for (name, value) in &launch.env {
        words.push("--env".to_owned());
        words.push(quoted(&format!("{name}={value}")));
    }
    let (program, arguments) = launch.command.split_first().unzip();
    words.extend(program.map(|program| format!("--entrypoint={}", quoted(program))));
    let image = image.digest.as_ref().unwrap_or(&image.reference);
    words.push(quoted(image));
    words.extend(arguments.unwrap_or_default().iter().map(|word| quoted(word)));
    words
}

/// The argument behind a flag.
fn after<'a>(command: &'a [String], flag: &str) -> Option<&'a str> {
    let at = command.iter().position(|word| word == flag)?;
    command.get(at + 1).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use autotuner_core::engine::{Mount, Program};
    use autotuner_core::gpu::GpuDevice;

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

    #[test]
    fn a_process_s_line_is_its_command() {
        assert_eq!(
            line(&launch(&["/bin/engine", "--flag", "a b"]), &plan()),
            "A='b c' /bin/engine --flag 'a b'"
        );
    }

    #[test]
    fn a_container_s_line_starts_the_same_container() {
        let mut facts = launch(&["vllm", "serve", "--port", "9000"]);
        facts.image = Some(ImageFacts {
            reference: "vllm/vllm-openai:v1".into(),
            id: "sha256:01".into(),
            digest: None,
        });
        assert_eq!(
            line(&facts, &plan()),
            "docker run --rm --publish 127.0.0.1:9000:9000 --env 'A=b c' --entrypoint=vllm \
             vllm/vllm-openai:v1 serve --port 9000"
        );
        facts.gpus = [0, 2]
            .map(|index| GpuDevice {
                index,
                uuid: format!("GPU-{index}"),
                name: "N".into(),
                vendor: GpuVendor::Nvidia,
                memory_bytes: 1,
            })
            .to_vec();
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
            ..plan()
        };
        assert_eq!(
            line(&facts, &plan),
            "docker run --rm --publish 127.0.0.1:9000:9000 --cpus=1.5 --memory=1073741824 --shm-size=16g \
             '--gpus=\"device=0,2\"' --mount=type=bind,source=/m/a,target=/models/a,readonly \
             --entrypoint=vllm vllm/vllm-openai:v1 serve --port 9000"
        );
    }
}
