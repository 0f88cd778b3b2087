//! An operator for tests: it makes of each service of a sandbox what OME or KServe would, a pod and a
//! status, against the real API server.
//!
//! It does no more than that, and, told to, does it wrongly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::field::{Cluster, Field};

/// Pause between two looks at the services.
const PAUSE: Duration = Duration::from_millis(200);

/// Which operator it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ome,
    Kserve,
}

impl Kind {
    fn group(self) -> &'static str {
        match self {
            Self::Ome => "ome.io",
            Self::Kserve => "serving.kserve.io",
        }
    }

    /// How kubectl calls its services.
    pub(crate) fn services(self) -> String {
        format!("inferenceservices.{}", self.group())
    }

    /// The condition of the part that runs the engine.
    fn part(self) -> &'static str {
        match self {
            Self::Ome => "EngineReady",
            Self::Kserve => "PredictorReady",
        }
    }

    /// The engine's container, as the operator makes it of a service.
    fn container(self, spec: &Value) -> Value {
        let (mut container, name) = match self {
            Self::Ome => (spec["engine"]["runner"].clone(), "ome-container"),
            Self::Kserve if spec["predictor"]["model"].is_object() => {
                let mut container = spec["predictor"]["model"].clone();
                let keys = container.as_object_mut().expect("an object");
                for own in ["modelFormat", "runtime", "storageUri"] {
                    keys.remove(own);
                }
                (container, "kserve-container")
            }
            Self::Kserve => (spec["predictor"]["containers"][0].clone(), "kserve-container"),
        };
        container["name"] = name.into();
        container
    }

    /// What is around it.
    fn pod_spec(self, spec: &Value) -> Map<String, Value> {
        let part = match self {
            Self::Ome => &spec["engine"],
            Self::Kserve => &spec["predictor"],
        };
        let own = ["runner", "minReplicas", "maxReplicas", "model", "containers"];
        let mut pod = part.as_object().cloned().unwrap_or_default();
        pod.retain(|key, _| !own.contains(&key.as_str()));
        pod
    }
}

/// What it does with services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// What it is asked.
    Faithful,
    /// It leaves the arguments out but those without which the engine would not be reached.
    DropsArguments,
    /// It makes no pod, and says why.
    KnowsNoRuntime,
}

/// A thread that plays the operator for one sandbox. Dropped, it stops.
pub(crate) struct Operator {
    ends: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed already.
            drop(thread.join());
        }
    }
}

impl Operator {
    pub(crate) fn start(field: &Field, kind: Kind, habit: Habit) -> Self {
        install_apis(&field.cluster);
        let ends = Arc::new(AtomicBool::new(false));
        let seen = Arc::default();
        let work = Work {
            cluster: field.cluster.clone(),
            owner_file: field.sandbox.data_dir().join("instances/.cluster-owner"),
            kind,
            habit,
            seen: Arc::clone(&seen),
        };
        let is_over = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                work.look();
                thread::sleep(PAUSE);
            }
        });
        Self {
            ends,
            seen,
            thread: Some(thread),
        }
    }

    /// The arguments of the engine's container in each pod that was ready, by the experiment's number.
    pub(crate) fn arguments(&self) -> BTreeMap<String, Vec<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Work {
    cluster: Cluster,
    owner_file: std::path::PathBuf,
    kind: Kind,
    habit: Habit,
    seen: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl Work {
    fn look(&self) {
        let Ok(owner) = std::fs::read_to_string(&self.owner_file) else {
            return;
        };
        let ours = format!("inference-autotuner.owner={owner}");
        let services = self.cluster.get(&[&self.kind.services(), "--selector", &ours]);
        for service in services["items"].as_array().into_iter().flatten() {
            if service["metadata"]["deletionTimestamp"].is_null() {
                self.reconcile(service);
            }
        }
    }

    fn reconcile(&self, service: &Value) {
        let name = service["metadata"]["name"].as_str().expect("a name");
        if self.habit == Habit::KnowsNoRuntime {
            let message = "no runtime found to support it";
            self.say(service, &json!({
                "conditions": [condition(self.kind.part(), "False", Some(("NoSupportingRuntime", message)))],
            }));
            return;
        }
        let label = format!("{}/inferenceservice={name}", self.kind.group());
        let pods = self.cluster.get(&["pods", "--selector", &label]);
        let Some(pod) = pods["items"].get(0) else {
            self.cluster.create(&self.pod(service, name));
            let why = ("Initializing", "engine component initializing");
            self.say(service, &json!({
                "conditions": [condition(self.kind.part(), "False", Some(why)), condition("Ready", "False", None)],
            }));
            return;
        };
        let conditions = pod["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        let is_ready = conditions.any(|found| found["type"] == "Ready" && found["status"] == "True");
        let address = pod["status"]["podIP"].as_str();
        if let (true, Some(address)) = (is_ready, address) {
            let experiment = &service["metadata"]["labels"]["inference-autotuner.experiment"];
            let args = pod["spec"]["containers"][0]["args"].as_array();
            let args = args
                .into_iter()
                .flatten()
                .map(|text| text.as_str().expect("a text").to_owned());
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(experiment.as_str().expect("a text").to_owned(), args.collect());
            drop(seen);
            self.say(service, &json!({
                "conditions": [condition(self.kind.part(), "True", None), condition("Ready", "True", None)],
                "url": format!("http://{name}.example"),
                "address": { "url": format!("http://{address}:8080") },
            }));
        }
    }

    fn pod(&self, service: &Value, name: &str) -> Value {
        let spec = &service["spec"];
        let mut container = self.kind.container(spec);
        if self.habit == Habit::DropsArguments {
            container["args"] = json!([
                "sim-engine",
                "--host",
                "0.0.0.0",
                "--port",
                "8080",
                "--model",
                "sim-model"
            ]);
        }
        let mut pod = self.kind.pod_spec(spec);
        pod.insert("containers".into(), json!([container]));
        let mut labels = service["metadata"]["labels"].clone();
        labels[format!("{}/inferenceservice", self.kind.group())] = name.into();
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": format!("{name}-engine-0"),
                "labels": labels,
                "ownerReferences": [{
                    "apiVersion": service["apiVersion"],
                    "kind": service["kind"],
                    "name": name,
                    "uid": service["metadata"]["uid"],
                    "controller": true,
                }],
            },
            "spec": pod,
        })
    }

    fn say(&self, service: &Value, status: &Value) {
        let mut status = status.clone();
        status["observedGeneration"] = service["metadata"]["generation"].clone();
        let same = |key: &str| service["status"][key] == status[key];
        if ["conditions", "address", "observedGeneration"]
            .iter()
            .all(|key| same(key))
        {
            return;
        }
        let name = service["metadata"]["name"].as_str().expect("a name");
        let patch = json!({ "status": status }).to_string();
        // One that was deleted meanwhile needs none.
        drop(self.cluster.kubectl(&[
            "patch",
            &self.kind.services(),
            name,
            "--subresource=status",
            "--type=merge",
            "--patch",
            &patch,
        ]));
    }
}

fn condition(kind: &str, status: &str, why: Option<(&str, &str)>) -> Value {
    let mut condition = json!({ "type": kind, "status": status });
    if let Some((reason, message)) = why {
        condition["reason"] = reason.into();
        condition["message"] = message.into();
    }
    condition
}

impl Cluster {
    /// What kubectl finds, as JSON; nothing where it finds nothing.
    pub(crate) fn get(&self, what: &[&str]) -> Value {
        let mut arguments = vec!["get"];
        arguments.extend(what);
        arguments.extend(["--output", "json"]);
        let found = self.kubectl(&arguments).ok();
        found
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Creates something. What is there already stays as it is.
    pub(crate) fn create(&self, manifest: &Value) {
        if let Err(error) = self.kubectl_with(&["create", "--filename", "-"], &manifest.to_string()) {
            assert!(error.contains("AlreadyExists"), "{error}");
        }
    }
}

/// Sees to it that the cluster knows the APIs of both operators. They stay.
pub(crate) fn install_apis(cluster: &Cluster) {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        for text in [include_str!("crds/ome.yaml"), include_str!("crds/kserve.yaml")] {
            // What is there already stays as it is: it may be the real one.
            if let Err(error) = cluster.kubectl_with(&["create", "--filename", "-"], text) {
                let lines = error.lines();
                let mut other =
                    lines.filter(|line| line.contains("Error") && !line.contains("AlreadyExists"));
                assert_eq!(other.next(), None, "{error}");
            }
        }
        for group in ["ome.io", "serving.kserve.io"] {
            let name = format!("crd/inferenceservices.{group}");
            let waiting = cluster.kubectl(&["wait", "--for=condition=established", "--timeout=60s", &name]);
            waiting.expect("the API is there");
        }
    });
}
