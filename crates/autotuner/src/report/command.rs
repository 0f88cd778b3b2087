//! What was started, as a line that a person can give to a shell.
//!
//! A container's line gives the same image the same arguments, mounts, limits and GPUs, and
//! publishes its port where the engine listens. What is secret, and what is the operator's
//! rather than the task's, is left out: proxies, tokens, labels.

use autotuner_core::engine::{LaunchPlan, Limits, Program};
use autotuner_core::experiment::LaunchFacts;
use autotuner_core::gpu::{GpuDevice, GpuVendor};
use autotuner_deploy::docker::{ENGINE_PORT, HUB_CACHE};

use super::package::{Containers, Gpus, Package, Shown};
use super::words::quoted;

/// The line for an experiment that was started by this plan.
pub(crate) fn line(launch: &LaunchFacts, plan: &LaunchPlan, containers: &Containers) -> String {
    match &launch.image {
        Some(image) => docker(&Package::of_launch(launch, image, plan, containers)),
        None => process(
            launch.env.iter().map(|(name, value)| (name, value)),
            &on_the_usual_port(&launch.command, plan),
        ),
    }
}

/// The command of an engine that was started by this plan, on the port that it would be given by
/// hand: the one of its measurement was whichever was free. What the plan does not know stays as
/// it was.
fn on_the_usual_port(command: &[String], plan: &LaunchPlan) -> Vec<String> {
    let on = |port| plan.arguments("127.0.0.1", port);
    let (usual, other) = (on(ENGINE_PORT), on(ENGINE_PORT + 1));
    let Some((program, arguments)) = command.split_first() else {
        return Vec::new();
    };
    if arguments.len() != usual.len() {
        return command.to_vec();
    }
    let words = arguments.iter().zip(usual.iter().zip(&other));
    let words = words.map(|(started, (usual, other))| if usual == other { started } else { usual });
    std::iter::once(program).chain(words).cloned().collect()
}

/// The line for what a plan would start, host and port chosen.
pub(crate) fn planned(plan: &LaunchPlan, containers: &Containers) -> String {
    match (&plan.program, Package::of_plan(plan, &[], containers)) {
        (_, Some(package)) => docker(&package),
        (Program::Local(program), None) => {
            let arguments = plan.arguments("127.0.0.1", ENGINE_PORT);
            let command: Vec<String> = std::iter::once(program.clone()).chain(arguments).collect();
            process(plan.env.iter(), &command)
        }
        (Program::Image { .. }, None) => String::new(),
    }
}

/// Variables, then the command. A secret is whoever calls the line to have set.
pub(crate) fn process<'a>(
    variables: impl Iterator<Item = (&'a String, &'a String)>,
    command: &[String],
) -> String {
    let variables = variables.map(|(name, value)| match Shown::of(name, value) {
        Shown::Value(value) => format!("{name}={}", quoted(&value)),
        Shown::Secret => format!("{name}=\"${name}\""),
    });
    let words = command.iter().map(|word| quoted(word));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

/// The line that starts the same container.
pub(crate) fn docker(package: &Package) -> String {
    let mut flags = vec![
        "--rm".to_owned(),
        format!("--publish=127.0.0.1:{ENGINE_PORT}:{ENGINE_PORT}"),
        format!("--shm-size={}", package.shm_bytes),
    ];
    let Limits { cpus, memory_bytes } = package.limits;
    flags.extend(cpus.map(|cpus| format!("--cpus={cpus}")));
    if let Some(bytes) = memory_bytes {
        // Both together: no swap, as in the experiment.
        flags.push(format!("--memory={bytes}"));
        flags.push(format!("--memory-swap={bytes}"));
    }
    flags.extend(gpus(&package.gpus));
    for mount in &package.mounts {
        let source = field("source", &mount.source.display().to_string());
        let target = field("target", &mount.target);
        flags.push(format!("--mount=type=bind,{source},{target},readonly"));
    }
    if let Some(cache) = &package.hub_cache {
        let source = field("source", &cache.display().to_string());
        flags.push(format!("--mount=type=bind,{source},target={HUB_CACHE}"));
    }
    let variables = package.all_variables();
    flags.extend(variables.iter().map(|(name, value)| match value {
        Shown::Value(value) => format!("--env={name}={value}"),
        // Taken from whoever calls the line.
        Shown::Secret => format!("--env={name}"),
    }));
    flags.extend(
        package
            .program
            .iter()
            .map(|program| format!("--entrypoint={program}")),
    );
    flags.push(package.image.clone());
    flags.extend_from_slice(&package.arguments);
    let begin = ["docker", "run"].map(str::to_owned);
    let words = begin.into_iter().chain(flags.iter().map(|flag| quoted(flag)));
    words.collect::<Vec<_>>().join(" ")
}

/// One field of a mount; Docker reads them as a line of CSV.
fn field(name: &str, value: &str) -> String {
    if value.contains([',', '"']) {
        format!("\"{name}={}\"", value.replace('"', "\"\""))
    } else {
        format!("{name}={value}")
    }
}

/// The flags that give a container these GPUs and no others.
fn gpus(gpus: &Gpus) -> Vec<String> {
    let held = match gpus {
        Gpus::None => return Vec::new(),
        Gpus::Any(count) => return vec![format!("--gpus={count}")],
        Gpus::Held(held) => held,
    };
    let list = |name: fn(&GpuDevice) -> String| held.iter().map(name).collect::<Vec<_>>().join(",");
    match gpus.vendor() {
        GpuVendor::Nvidia => vec![format!("--gpus=\"device={}\"", list(|gpu| gpu.uuid.clone()))],
        GpuVendor::Amd => [
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

    use autotuner_core::engine::Mount;
    use autotuner_core::experiment::ImageFacts;

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
    fn a_process_s_line_has_the_port_that_it_would_be_given_by_hand() {
        use autotuner_core::engine::Arg;

        let mut plan = plan();
        plan.args = vec![
            "--port".into(),
            Arg::Port,
            "--ctx-size".into(),
            "40001".into(),
            "--model".into(),
            "name".into(),
        ];
        let started = [
            "/bin/engine",
            "--port",
            "40001",
            "--ctx-size",
            "40001",
            "--model",
            "/m",
        ];
        assert_eq!(
            line(&launch(&started), &plan, &containers()),
            "A='b c' /bin/engine --port 8000 --ctx-size 40001 --model /m"
        );
        // Where the plan is another one by now, what was started is told.
        plan.args.pop();
        let told = line(&launch(&started), &plan, &containers());
        assert!(told.contains("--port 40001"), "{told}");
    }

    #[test]
    fn secrets_are_left_to_who_calls_the_line() {
        let mut facts = launch(&["engine"]);
        facts.env = vec![("HF_TOKEN".into(), "***".into()), ("B".into(), "1".into())];
        assert_eq!(
            line(&facts, &plan(), &containers()),
            "HF_TOKEN=\"$HF_TOKEN\" B=1 engine"
        );
        facts.image = Some(image());
        let told = line(&facts, &plan(), &containers());
        assert!(told.contains(" --env=HF_TOKEN --env=B=1 "), "{told}");
    }

    #[test]
    fn what_is_planned_reads_like_what_is_started() {
        let mut plan = plan();
        plan.args = vec!["--port".into(), autotuner_core::engine::Arg::Port, "it's".into()];
        plan.env.insert("API_KEY".into(), "secret".into());
        assert_eq!(
            planned(&plan, &containers()),
            r#"API_KEY="$API_KEY" engine --port 8000 'it'\''s'"#
        );
        plan.program = Program::Image {
            reference: "some/image:1".into(),
            entrypoint: Some(vec!["engine".into(), "serve".into()]),
        };
        plan.gpus = 2;
        assert_eq!(
            planned(&plan, &containers()),
            "docker run --rm --publish=127.0.0.1:8000:8000 --shm-size=1073741824 --gpus=2 --env=API_KEY \
             --entrypoint=engine some/image:1 serve --port 8000 'it'\\''s'"
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
