//! `kubectl apply -k kubernetes/base`: the service as a pod, and its experiments as Jobs beside it.
//!
//! A one-node cluster for tests has no storage, no DNS and no addresses of Services. What these
//! would do is done by an overlay, as it would be by anybody: the service shares the node's network,
//! is told where the API is, and has its data directory in the test's own folder.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::field::{Cluster, cluster, long_task, sim_task};
use crate::support::{Sandbox, wait_for};

/// A namespace with the service in it, which goes with its test.
struct Installed {
    cluster: Cluster,
    namespace: String,
    folder: PathBuf,
    /// Keeps the data directory.
    _sandbox: Sandbox,
}

impl Installed {
    /// Installs the service and waits until it is ready.
    fn new(cluster: Cluster) -> Self {
        let sandbox = Sandbox::new();
        let folder = sandbox.path("overlay");
        let data = sandbox.path("volume");
        for (folder, mode) in [(&folder, 0o755), (&data, 0o777)] {
            std::fs::create_dir(folder).expect("made");
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).expect("set");
        }
        let mut above = data.parent();
        while let Some(folder) = above.filter(|folder| folder.starts_with(std::env::temp_dir())) {
            // Others than we may pass, but not look.
            let may_pass = std::fs::Permissions::from_mode(0o711);
            if folder != std::env::temp_dir() {
                std::fs::set_permissions(folder, may_pass).expect("set");
            }
            above = folder.parent();
        }
        let installed = Self {
            namespace: format!("autotuner-test-{}", std::process::id()),
            cluster,
            folder,
            _sandbox: sandbox,
        };
        installed.write_overlay(&data);
        installed
            .kubectl(&["apply", "-k", installed.folder.to_str().expect("a text")])
            .expect("applied");
        installed.wait_until_ready();
        installed
    }

    fn write_overlay(&self, data: &Path) {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kubernetes/base");
        let base = base.canonicalize().expect("the manifests");
        let up = "../".repeat(self.folder.components().count() - 1);
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace,
            "resources": [format!("{up}{}", base.display().to_string().trim_start_matches('/'))],
            "images": [{ "name": "inference-autotuner/agent", "newName": self.image().0, "newTag": self.image().1 }],
            "patches": [{ "path": "patch.yaml" }],
        });
        let server = self.cluster.kubectl(&[
            "config",
            "view",
            "--output",
            "jsonpath={.clusters[0].cluster.server}",
        ]);
        let server = server.expect("an address");
        let (host, api_port) = server
            .trim_start_matches("https://")
            .rsplit_once(':')
            .expect("a port");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let probe = json!({ "httpGet": {
            "host": "127.0.0.1", "httpHeaders": [{ "name": "Host", "value": format!("127.0.0.1:{port}") }],
        } });
        let patch = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "inference-autotuner" },
            "spec": { "template": { "spec": {
                "hostNetwork": true,
                "containers": [{
                    "name": "server",
                    "args": ["serve", "--port", port.to_string()],
                    "env": [
                        { "name": "KUBERNETES_SERVICE_HOST", "value": host },
                        { "name": "KUBERNETES_SERVICE_PORT", "value": api_port },
                        { "name": "AUTOTUNER_KUBERNETES_AGENT_IMAGE", "value": self.cluster.image },
                    ],
                    "ports": [
                        { "containerPort": 8000, "$patch": "delete" },
                        { "name": "http", "containerPort": port },
                    ],
                    "readinessProbe": probe, "livenessProbe": probe,
                }],
                "volumes": [{ "name": "data", "persistentVolumeClaim": null, "hostPath": { "path": data } }],
            } } },
        });
        for (name, manifest) in [("kustomization.yaml", kustomization), ("patch.yaml", patch)] {
            std::fs::write(self.folder.join(name), manifest.to_string()).expect("written");
        }
    }

    /// Name and tag of the image.
    fn image(&self) -> (&str, &str) {
        self.cluster.image.rsplit_once(':').expect("a tag")
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        self.cluster.kubectl(arguments)
    }

    fn ours(&self, arguments: &[&str]) -> String {
        let here = ["--namespace", &self.namespace];
        let found = self.kubectl(&[&here, arguments].concat());
        found.unwrap_or_else(|error| panic!("kubectl {arguments:?}: {error}"))
    }

    fn wait_until_ready(&self) {
        wait_for("the service", || {
            let ready = "jsonpath={.status.readyReplicas}";
            let ready = self.ours(&["get", "deployment", "inference-autotuner", "--output", ready]);
            (ready == "1").then_some(())
        });
    }

    /// The program in the service's pod, with this on its standard input.
    fn exec(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut child = Command::new("kubectl")
            .args([
                "--kubeconfig",
                self.cluster.kubeconfig(),
                "--namespace",
                &self.namespace,
                "exec",
                "--stdin",
                "deployment/inference-autotuner",
                "--",
                "/bin/autotuner",
            ])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(input.as_bytes()).expect("written");
        drop(pipe);
        let output = child.wait_with_output().expect("it ends");
        let all = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&all).into_owned(),
        )
    }

    fn results(&self, task: &str) -> Value {
        let (is_good, text) = self.exec(&["tasks", "show", task, "--json"], "");
        assert!(is_good, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[track_caller]
    fn assert_no_experiment_left(&self) {
        for kind in ["jobs", "secrets", "pods"] {
            let labelled = [
                "get",
                kind,
                "--selector",
                "inference-autotuner.owner",
                "--output",
                "name",
            ];
            wait_for("nothing of an experiment", || {
                self.ours(&labelled).is_empty().then_some(())
            });
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // All that is in it goes with it; its folder must not go before its pods do.
        let _ = self.kubectl(&[
            "delete",
            "namespace",
            &self.namespace,
            "--wait=true",
            "--timeout=60s",
        ]);
    }
}

#[test]
fn the_service_in_a_pod_tunes_beside_itself_and_goes_on_after_it_was_deleted() {
    let Some(cluster) = cluster() else { return };
    let task = sim_task(&cluster, &json!({ "max-num-seqs": [4, 8] }));
    let mut long = long_task(&cluster, &json!({ "max-num-seqs": [8] }));
    long["task_name"] = "long".into();
    let installed = Installed::new(cluster);
    let log = installed.ours(&["logs", "deployment/inference-autotuner"]);
    assert!(log.contains("listening on") && !log.contains("token="), "{log}");

    let (is_good, said) = installed.exec(&["tasks", "create", "-", "--start", "--wait"], &task.to_string());
    assert!(is_good, "{said}");
    let shown = installed.results("sim-test");
    assert_eq!(shown["status"], "completed", "{shown:#}");
    assert_eq!(shown["successful_experiments"], 3, "{shown:#}");
    installed.assert_no_experiment_left();

    let (is_good, said) = installed.exec(&["tasks", "create", "-", "--start"], &long.to_string());
    assert!(is_good, "{said}");
    let running = ["get", "pods", "--selector", "inference-autotuner.owner"];
    let running = [
        &running[..],
        &["--field-selector", "status.phase=Running", "--output", "name"],
    ]
    .concat();
    wait_for("an experiment's pod", || {
        (!installed.ours(&running).is_empty()).then_some(())
    });
    let ours = "app.kubernetes.io/name=inference-autotuner";
    installed.ours(&[
        "delete",
        "pods",
        "--selector",
        ours,
        "--grace-period=0",
        "--force",
    ]);
    let shown = wait_for("the end of the task", || {
        installed.wait_until_ready();
        let (is_good, text) = installed.exec(&["tasks", "show", "long", "--json"], "");
        let shown: Value = is_good.then(|| serde_json::from_str(&text).ok()).flatten()?;
        (shown["status"] == "completed").then_some(shown)
    });
    assert_eq!(shown["successful_experiments"], 2, "{shown:#}");
    installed.assert_no_experiment_left();
}
