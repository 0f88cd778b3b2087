//! A real engine, with its model on a volume of the cluster.

use std::process::{Command, Stdio};

use autotuner_tiny_model::{Recipe, write_gguf};
use serde_json::{Value, json};

use crate::field::{Cluster, Field, cluster, environment};
use crate::support::{experiments, wait_for};

/// A volume and the claim on it, which go with the test.
struct Volume {
    cluster: Cluster,
    name: String,
}

impl Volume {
    /// One whose content is a folder of the only node, which is this machine.
    fn of_folder(cluster: &Cluster, folder: &std::path::Path) -> Self {
        let name = format!("autotuner-test-{}", std::process::id());
        let common = json!({
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "volumeMode": "Filesystem",
        });
        let with = |further: &Value| {
            let mut spec = common.clone();
            for (key, value) in further.as_object().expect("an object") {
                spec[key] = value.clone();
            }
            spec
        };
        let volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name },
            "spec": with(&json!({
                "capacity": { "storage": "1Gi" },
                "hostPath": { "path": folder },
                "persistentVolumeReclaimPolicy": "Retain",
            })),
        });
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name },
            "spec": with(&json!({
                "volumeName": name,
                "resources": { "requests": { "storage": "1Gi" } },
            })),
        });
        let made = Self {
            cluster: cluster.clone(),
            name,
        };
        for manifest in [volume, claim] {
            cluster.apply(&manifest).expect("applied");
        }
        wait_for("the volume", || {
            let phase = [
                "get",
                "persistentvolumeclaim",
                &made.name,
                "--output",
                "jsonpath={.status.phase}",
            ];
            (cluster.kubectl(&phase).ok()? == "Bound").then_some(())
        });
        made
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        for kind in ["persistentvolumeclaim", "persistentvolume"] {
            // What is not there needs no removal.
            let _ = self
                .cluster
                .kubectl(&["delete", kind, &self.name, "--wait=false"]);
        }
    }
}

/// The image of llama-server, where this machine has it.
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so loudly"
)]
fn llama_image() -> Option<String> {
    let named = environment("AUTOTUNER_LLAMA_IMAGE");
    let image = named
        .clone()
        .unwrap_or_else(|| "inference-autotuner/llama-server:latest".into());
    let mut looking = Command::new("docker");
    looking.args(["image", "inspect", &image]);
    looking.stdout(Stdio::null()).stderr(Stdio::null());
    if looking.status().is_ok_and(|status| status.success()) {
        return Some(image);
    }
    assert!(
        named.is_none(),
        "no image {image}, which AUTOTUNER_LLAMA_IMAGE names"
    );
    eprintln!("SKIPPED: no image {image}, so nothing was proved with a real engine in a cluster");
    None
}

#[test]
fn eight_experiments_of_llama_server_two_at_a_time() {
    let (Some(cluster), Some(image)) = (cluster(), llama_image()) else {
        return;
    };
    let field = Field::new(cluster);
    let models = field.sandbox.path("volume");
    std::fs::create_dir(&models).expect("made");
    write_gguf(&Recipe::tiny(), &models.join("tiny.gguf")).expect("a model");
    let volume = Volume::of_folder(&field.cluster, &models);
    let task = json!({
        "task_name": "llama in a cluster",
        "deployment_mode": "kubernetes",
        "base_runtime": "llamacpp",
        "model": { "id_or_path": "/models/tiny.gguf" },
        "storage": { "type": "pvc", "pvc_name": volume.name },
        "parameters": { "parallel": [1, 2], "ubatch-size": [64, 128, 256], "flash-attn": ["on", "off"] },
        "optimization": {
            "strategy": "random",
            "max_iterations": 7,
            "max_parallel_experiments": 2,
            "timeout_per_iteration": 60,
            "max_replicates": 0,
        },
        "benchmark": {
            "model_name": "tiny",
            "traffic_scenarios": ["D(8,4)"],
            "num_concurrency": [2],
            "max_requests_per_iteration": 8,
            "max_time_per_iteration": 5,
        },
        "resources": { "memory": "512MiB" },
        "engine": {
            "image": image,
            "program": "/bin/llama-server",
            "args": ["--ctx-size", "512", "--threads", "1"],
            "env": { "OMP_WAIT_POLICY": "PASSIVE" },
        },
    });
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(results["successful_experiments"], 8, "{results:#}");
    let log = field.task_log(&results);
    for experiment in experiments(&results) {
        let number = &experiment["experiment_id"];
        let arguments = experiment["effective_arguments"].to_string();
        assert!(arguments.contains("/models/tiny.gguf"), "{arguments}");
        for (name, value) in experiment["parameters"].as_object().expect("parameters") {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(
                arguments.contains(&format!("\"--{name}\",\"{value}\"")),
                "{arguments}"
            );
        }
        let delimiter = |word: &str| format!("[Experiment {number}] ========== {word} ==========");
        let (_, rest) = log
            .split_once(&delimiter("Container Logs"))
            .unwrap_or_else(|| panic!("no output of {number} in {log}"));
        let (output, _) = rest
            .split_once(&delimiter("End Container Logs"))
            .unwrap_or_else(|| panic!("the output of {number} has no end in {log}"));
        assert!(output.contains("listening on"), "{output}");
    }
    field.assert_overlap(&results);
    field.assert_nothing_left();
}
