//! The daemon as a test sees it: images to run, and the containers of one sandbox.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Sandbox, wait_for};

/// Names the image of the simulated engine.
const SIM: &str = "AUTOTUNER_SIM_IMAGE";

/// What the label of our containers with the folder of instances is called.
const INSTANCES: &str = "inference-autotuner.instances-dir";

/// The image of the simulated engine, or nothing where there is no daemon or no image.
pub(crate) fn sim_image() -> Option<String> {
    image(SIM, "inference-autotuner/sim-engine:latest")
}

/// The image of llama-server, or nothing.
pub(crate) fn llama_image() -> Option<String> {
    image("AUTOTUNER_LLAMA_IMAGE", "inference-autotuner/llama-server:latest")
}

#[expect(
    clippy::disallowed_methods,
    reason = "which images there are to test with is for the environment to say"
)]
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so loudly"
)]
fn image(variable: &str, usual: &str) -> Option<String> {
    let says = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|set| set == value);
    if says("AUTOTUNER_SKIP_DOCKER", "1") {
        eprintln!("SKIPPED: AUTOTUNER_SKIP_DOCKER is 1, so nothing was proved with containers");
        return None;
    }
    let named = std::env::var(variable).ok().filter(|name| !name.is_empty());
    // Whoever names an image wants it tested; whoever requires Docker has at least the usual one.
    let is_required = named.is_some() || (variable == SIM && says("AUTOTUNER_REQUIRE_DOCKER", "1"));
    let image = named.unwrap_or_else(|| usual.to_owned());
    if docker(&["image", "inspect", &image]).is_ok() {
        return Some(image);
    }
    assert!(
        !is_required,
        "no image {image}, or no daemon, and one is required"
    );
    eprintln!("SKIPPED: no image {image} or no Docker daemon, so nothing was proved with containers");
    None
}

/// What the docker command prints.
///
/// # Errors
/// What it complains of.
pub(crate) fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The ids of a sandbox's containers; `is_all` for those too that do not run.
pub(crate) fn containers(sandbox: &Sandbox, is_all: bool) -> Vec<String> {
    let folder = sandbox.data_dir().join("instances");
    let label = format!("label={INSTANCES}={}", folder.display());
    let mut arguments = vec!["ps", "--quiet", "--no-trunc", "--filter", &label];
    if is_all {
        arguments.push("--all");
    }
    let found = docker(&arguments).expect("the daemon answers");
    found.lines().map(str::to_owned).collect()
}

/// Checks that neither containers nor records nor processes of a sandbox are left.
#[track_caller]
pub(crate) fn assert_nothing_left(sandbox: &Sandbox) {
    let left = containers(sandbox, true);
    assert!(left.is_empty(), "containers left behind: {left:?}");
    sandbox.assert_nothing_left();
}

/// Waits for a sandbox's only running container.
pub(crate) fn wait_for_container(sandbox: &Sandbox) -> String {
    wait_for("a container", || containers(sandbox, false).pop())
}

/// A sandbox whose containers go with it, even when its test fails.
pub(crate) struct Harbour(pub(crate) Sandbox);

impl Harbour {
    pub(crate) fn new() -> Self {
        Self(Sandbox::new())
    }
}

impl std::ops::Deref for Harbour {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.0
    }
}

impl Drop for Harbour {
    fn drop(&mut self) {
        if docker(&["version"]).is_err() {
            return;
        }
        for id in containers(&self.0, true) {
            // One that is gone already is what is wanted.
            let _ = docker(&["rm", "--force", &id]);
        }
    }
}

/// A task for the simulated engine in containers that is over in a moment.
pub(crate) fn sim_task(image: &str, parameters: &Value) -> Value {
    let mut task = crate::support::sim_task(parameters);
    task["deployment_mode"] = "docker".into();
    task["engine"]["image"] = image.into();
    task["engine"]["args"] = json!(["--time-scale", "0.05", "--startup-seconds", "0"]);
    task
}

/// The task log of a run with these results.
pub(crate) fn task_log(results: &Value) -> String {
    let folder = results["logs"].as_str().expect("where the logs are");
    std::fs::read_to_string(std::path::Path::new(folder).join("task.log")).expect("readable")
}

/// Checks that an experiment's output stands between the delimiters in the task log.
#[track_caller]
pub(crate) fn check_preserved(log: &str, experiment: &Value, part: &str) {
    let number = &experiment["experiment_id"];
    let begin = format!("[Experiment {number}] ========== Container Logs ==========");
    let end = format!("[Experiment {number}] ========== End Container Logs ==========");
    let (_, after) = log
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no {begin} in {log}"));
    let (output, _) = after
        .split_once(&end)
        .unwrap_or_else(|| panic!("no {end} in {log}"));
    assert!(
        output.contains(part),
        "no {part:?} in the output of {number}: {output}"
    );
}
