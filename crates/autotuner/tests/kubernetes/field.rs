//! The cluster as a test sees it, and a sandbox whose Jobs go with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Running, Sandbox, experiments, wait_for};

/// The label by which a cluster knows whose folder of instances it is.
const OWNER: &str = "inference-autotuner.owner";

/// The kubeconfig and the agent's image, which is the simulated engine's, too.
#[derive(Clone)]
pub(crate) struct Cluster {
    kubeconfig: String,
    pub(crate) image: String,
}

/// What the environment says of what there is to test with.
#[expect(
    clippy::disallowed_methods,
    reason = "which cluster there is to test with is for the environment to say"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The cluster to test with, or nothing.
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so loudly"
)]
pub(crate) fn cluster() -> Option<Cluster> {
    let Some(kubeconfig) = environment("AUTOTUNER_TEST_KUBECONFIG") else {
        let is_required = environment("AUTOTUNER_REQUIRE_KUBERNETES").is_some_and(|value| value == "1");
        assert!(
            !is_required,
            "no AUTOTUNER_TEST_KUBECONFIG, and a cluster is required"
        );
        eprintln!("SKIPPED: no AUTOTUNER_TEST_KUBECONFIG, so nothing was proved with a cluster");
        return None;
    };
    let usual = format!("inference-autotuner/agent:{}", env!("CARGO_PKG_VERSION"));
    Some(Cluster {
        kubeconfig,
        image: environment("AUTOTUNER_AGENT_IMAGE").unwrap_or(usual),
    })
}

impl Cluster {
    /// The kubeconfig.
    pub(crate) fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// The folder that its kubeconfig lies in.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(&self.kubeconfig)
            .parent()
            .expect("a file is in a folder")
            .to_owned()
    }

    /// Applies a manifest.
    pub(crate) fn apply(&self, manifest: &Value) -> Result<(), String> {
        self.kubectl_with(&["apply", "--filename", "-"], &manifest.to_string())
            .map(drop)
    }

    /// What kubectl prints that is given this text.
    pub(crate) fn kubectl_with(&self, arguments: &[&str], text: &str) -> Result<String, String> {
        let mut child = Command::new("kubectl")
            .args(["--kubeconfig", self.kubeconfig()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut stdin = child.stdin.take().expect("it was asked for");
        stdin
            .write_all(text.as_bytes())
            .map_err(|error| error.to_string())?;
        drop(stdin);
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// What kubectl prints.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("kubectl")
            .args(["--kubeconfig", &self.kubeconfig])
            .args(arguments)
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// A sandbox and what it has in the cluster, which goes with it even when its test fails.
pub(crate) struct Field {
    pub(crate) sandbox: Sandbox,
    pub(crate) cluster: Cluster,
}

impl Field {
    pub(crate) fn new(cluster: Cluster) -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.config_file();
        std::fs::create_dir_all(file.parent().expect("below the sandbox")).expect("made");
        let field = Self { sandbox, cluster };
        field.configure("");
        field
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure(&self, further: &str) {
        let text = format!(
            "kubernetes_config = {:?}\nkubernetes_agent_image = {:?}\n{further}",
            self.cluster.kubeconfig, self.cluster.image
        );
        std::fs::write(self.sandbox.config_file(), text).expect("written");
    }

    /// Names of everything of a kind that is this sandbox's.
    pub(crate) fn ours(&self, kind: &str) -> Vec<String> {
        let path = self.sandbox.data_dir().join("instances/.cluster-owner");
        let Ok(owner) = std::fs::read_to_string(path) else {
            return Vec::new();
        };
        let label = format!("{OWNER}={owner}");
        let found = self
            .cluster
            .kubectl(&["get", kind, "--selector", &label, "--output", "name"]);
        let found = found.expect("the cluster answers");
        found.lines().map(str::to_owned).collect()
    }

    pub(crate) fn all_ours(&self) -> Vec<String> {
        let services = ["inferenceservices.ome.io", "inferenceservices.serving.kserve.io"];
        let services = services.iter().flat_map(|kind| self.ours_if_known(kind));
        let plain = ["jobs", "pods", "secrets"];
        let plain = plain.iter().flat_map(|kind| self.ours(kind));
        services.chain(plain).collect()
    }

    /// The same of a kind that the cluster may not know.
    fn ours_if_known(&self, kind: &str) -> Vec<String> {
        let name = format!("crd/{kind}");
        match self.cluster.kubectl(&["get", &name]) {
            Ok(_) => self.ours(kind),
            Err(_) => Vec::new(),
        }
    }

    /// Checks that nothing is left in the cluster, nor on this machine.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let left = self.all_ours();
        assert!(left.is_empty(), "left in the cluster: {left:?}");
        self.sandbox.assert_nothing_left();
    }

    /// Waits for a pod in which the engine runs.
    pub(crate) fn wait_for_running_pod(&self, running: &mut Running) -> String {
        wait_for("a running pod", || {
            assert!(!running.has_ended(), "ended before: {}", running.stderr());
            let pod = self.ours("pods").pop()?;
            let phase = self
                .cluster
                .kubectl(&["get", &pod, "--output", "jsonpath={.status.phase}"])
                .ok()?;
            (phase == "Running").then_some(pod)
        })
    }

    /// Checks that two experiments have run at the same time.
    #[track_caller]
    pub(crate) fn assert_overlap(&self, results: &Value) {
        let times = |experiment: &Value| {
            let text = |key: &str| experiment[key].as_str().unwrap_or_default().to_owned();
            (text("started_at"), text("completed_at"))
        };
        let mut times: Vec<(String, String)> = experiments(results).iter().map(times).collect();
        times.sort();
        let overlaps = times.windows(2).any(|pair| pair[1].0 < pair[0].1);
        assert!(overlaps, "no two experiments at once: {times:?}");
    }

    /// The task log of a run with these results.
    pub(crate) fn task_log(&self, results: &Value) -> String {
        let folder = results["logs"].as_str().expect("where the logs are");
        std::fs::read_to_string(Path::new(folder).join("task.log")).expect("readable")
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        for name in self.all_ours() {
            // One that is gone already is what is wanted.
            let _ = self
                .cluster
                .kubectl(&["delete", &name, "--wait=false", "--grace-period=0", "--force"]);
        }
    }
}

/// The kinds of failure of a run's experiments.
pub(crate) fn kinds(results: &Value) -> Vec<&str> {
    let failures = experiments(results).iter();
    failures
        .map(|experiment| experiment["failure_kind"].as_str().unwrap_or("none"))
        .collect()
}

/// A task for the simulated engine in a cluster that is over in a moment.
pub(crate) fn sim_task(cluster: &Cluster, parameters: &Value) -> Value {
    let mut task = crate::support::sim_task(parameters);
    task["deployment_mode"] = "kubernetes".into();
    task["engine"]["image"] = cluster.image.as_str().into();
    task
}

/// The same with a benchmark that takes as long as it may.
pub(crate) fn long_task(cluster: &Cluster, parameters: &Value) -> Value {
    let mut task = sim_task(cluster, parameters);
    task["benchmark"]["max_requests_per_iteration"] = json!(100_000);
    task["benchmark"]["max_time_per_iteration"] = json!(6);
    task
}
