//! What runs a cluster is killed in the middle of an experiment.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::field::{Field, cluster, kinds, long_task};
use crate::support::{experiments, wait_for};

/// How long the API is away: more looks than one fall into it, and a request that waits.
const AWAY: Duration = Duration::from_secs(6);

/// The process that answers for a cluster, where it is one of this machine.
struct ApiServer {
    /// The file with its process id.
    file: PathBuf,
}

impl ApiServer {
    /// That of the one-node cluster for tests, whose folder holds the process ids.
    #[expect(
        clippy::print_stderr,
        reason = "a test that proves nothing must say so loudly"
    )]
    fn of(field: &Field) -> Option<Self> {
        let file = field.cluster.folder().join("pid/kube-apiserver");
        if file.exists() {
            return Some(Self { file });
        }
        eprintln!("SKIPPED: the cluster's API server is not a process of this machine, so it was not killed");
        None
    }

    fn id(&self) -> i32 {
        let text = std::fs::read_to_string(&self.file).expect("a process id");
        text.trim().parse().expect("a number")
    }

    /// Kills it, and starts another like it after a while.
    fn kill_and_start_again(&self, field: &Field) {
        let command = std::fs::read(format!("/proc/{}/cmdline", self.id())).expect("it runs");
        let mut words = command
            .split(|byte| *byte == 0)
            .map(|word| OsString::from_vec(word.to_vec()));
        let program = words.next().expect("a program");
        let arguments: Vec<OsString> = words.filter(|word| !word.is_empty()).collect();
        kill(Pid::from_raw(self.id()), Signal::SIGKILL).expect("killed");
        std::thread::sleep(AWAY);
        // It is the cluster's from here on, and outlives this test.
        let mut starting = Command::new("setsid");
        starting.arg("--fork").arg("sh").arg("-c");
        starting.arg("echo $$ >\"$0\"; exec \"$@\"").arg(&self.file);
        starting.arg(program).args(arguments);
        starting
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert!(starting.status().expect("setsid").success());
        wait_for("the API server", || {
            field.cluster.kubectl(&["get", "--raw", "/readyz"]).ok()
        });
    }
}

#[test]
fn an_api_server_that_is_killed_costs_no_experiment() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let Some(server) = ApiServer::of(&field) else {
        return;
    };
    let mut task = long_task(&field.cluster, &json!({ "max-num-seqs": [8] }));
    task["benchmark"]["max_time_per_iteration"] = json!(15);
    task["benchmark"]["max_requests_per_iteration"] = json!(1_000_000);
    let mut running = field.sandbox.start_task(&task);
    field.wait_for_running_pod(&mut running);
    server.kill_and_start_again(&field);
    let finished = running.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(kinds(&results), ["none", "none"], "{results:#}");
    // Every request of every experiment has come through, whatever the log was cut into.
    for experiment in experiments(&results) {
        let metrics = &experiment["metrics"];
        assert_eq!(metrics["total_error_requests"], 0, "{metrics:#}");
        assert!(
            metrics["total_completed_requests"].as_u64() > Some(100),
            "{metrics:#}"
        );
    }
    field.assert_nothing_left();
}

/// The Docker container that the kubelet has made of a pod's engine, where it is on this machine.
fn container_of(pod: &str) -> Option<String> {
    let pod = pod.trim_start_matches("pod/");
    let mut looking = Command::new("docker");
    looking.args(["ps", "--quiet", "--no-trunc"]).args([
        "--filter",
        &format!("label=io.kubernetes.pod.name={pod}"),
        "--filter",
        "label=io.kubernetes.container.name=engine",
    ]);
    let output = looking.output().ok()?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!id.is_empty()).then_some(id)
}

#[test]
fn a_container_that_is_killed_under_the_kubelet_is_tried_again() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let mut task = long_task(&field.cluster, &json!({}));
    task["benchmark"]["max_time_per_iteration"] = json!(20);
    task["benchmark"]["max_requests_per_iteration"] = json!(1_000_000);
    let mut running = field.sandbox.start_task(&task);
    let pod = field.wait_for_running_pod(&mut running);
    let Some(container) = container_of(&pod) else {
        eprintln!("SKIPPED: the cluster's containers are not this machine's, so none was killed");
        return;
    };
    let killing = Command::new("docker").args(["kill", &container]).output();
    assert!(killing.is_ok_and(|output| output.status.success()));
    let finished = running.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(kinds(&results), ["infrastructure", "none"], "{results:#}");
    let message = experiments(&results)[0]["error_message"]
        .as_str()
        .expect("a message");
    assert!(message.contains("exit code 137"), "{message}");
    assert_eq!(experiments(&results)[1]["attempt"], 2);
    field.assert_nothing_left();
}
