//! A task whose document has been checked: types that cannot be wrong.
//!
//! [`crate::spec`] reads what a user wrote and turns it into this; everything after works
//! on this alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::engine::EngineKind;
use crate::score::{Objective, SloPolicy};
use crate::search::StrategyKind;
use crate::serving::Service;
use crate::space::Space;
use crate::workload::Workload;

/// One tuning job, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Unique name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Where engines run.
    pub deployment: DeploymentMode,
    /// Which engine.
    pub engine: EngineKind,
    /// What it serves.
    pub model: Model,
    /// What is fixed for every experiment.
    pub settings: EngineSettings,
    /// What one experiment may use.
    pub resources: Resources,
    /// What its pods are like, where engines run in a cluster.
    pub cluster: ClusterSettings,
    /// What varies.
    pub space: Space,
    /// How to look for the best.
    pub search: SearchSettings,
    /// What the benchmark sends.
    pub workload: Workload,
    /// One weight a level, in the workload's order of levels; all equal when `None`.
    pub level_weights: Option<Vec<f64>>,
    /// The tokenizer named for the benchmark, when one is named.
    pub tokenizer: Option<String>,
    /// What must hold.
    pub slos: SloPolicy,
}

/// Where engines run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeploymentMode {
    /// In a container of the local Docker daemon.
    Docker,
    /// As a child process.
    Local,
    /// In a Kubernetes cluster.
    Kubernetes,
}

/// What the engine serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// A local path, a directory name below the model base path, or a hub id.
    pub id_or_path: String,
    /// Prefix of names; the Kubernetes namespace.
    pub namespace: String,
    /// The name under which benchmark requests ask for it.
    pub served_name: String,
}

/// What is fixed for every experiment of a task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EngineSettings {
    /// Program for local mode; the engine's usual one when `None`.
    pub program: Option<String>,
    /// Whole image reference; the engine's usual one when `None`.
    pub image: Option<String>,
    /// Replaces the tag of the image.
    pub image_tag: Option<String>,
    /// Added to every configuration's arguments.
    pub args: Vec<String>,
    /// Environment of every configuration.
    pub env: BTreeMap<String, String>,
    /// Asked first when waiting for readiness.
    pub ready_path: Option<String>,
    /// Longest time from start to ready; the engine's usual one when `None`.
    pub start_timeout: Option<Duration>,
    /// How the model's weights are said to be quantized already.
    pub checkpoint: Checkpoint,
    /// Where the engine finds a model that somebody else puts there; by the model's own name when
    /// `None`.
    pub model_path: Option<String>,
}

/// How a model's weights are quantized already, as far as the task document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Checkpoint {
    /// It does not say: the model's name may.
    #[default]
    Unsaid,
    /// Not at all, whatever the model's name.
    Plain,
    /// By this method, in lower case.
    Quantized(String),
}

/// What one experiment may use.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// GPUs; follows from the parallel sizes when `None`.
    pub gpus: Option<u32>,
    /// CPUs, possibly a fraction.
    pub cpus: Option<f64>,
    /// Host memory in bytes.
    pub memory_bytes: Option<u64>,
}

/// What a task's pods are like in a cluster, beside image and resources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterSettings {
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that a node may have.
    pub tolerations: Vec<Toleration>,
    /// Which nodes are wanted and which pods beside, in the cluster's own words.
    pub affinity: Map<String, Value>,
    /// The runtime class.
    pub runtime_class: Option<String>,
    /// Size of `/dev/shm` in bytes; the cluster's own, which is small, when `None`.
    pub shared_memory_bytes: Option<u64>,
    /// The service account, whose token the engine sees; none when `None`.
    pub service_account: Option<String>,
    /// The priority class.
    pub priority_class: Option<String>,
    /// The Kueue queue that Jobs wait in.
    pub queue: Option<String>,
    /// Secrets with which images are fetched.
    pub image_pull_secrets: Vec<String>,
    /// Where the token for the model hub is.
    pub hub_token: Option<SecretKey>,
    /// The volume that the model is on.
    pub claim: Option<VolumeClaim>,
    /// How experiments are served by an operator of the cluster; each is a Job when `None`.
    pub service: Option<Service>,
}

/// A taint that a pod takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toleration {
    /// Its key; any when `None`.
    pub key: Option<String>,
    /// Its value; any when `None`.
    pub value: Option<String>,
    /// Its effect; any when `None`.
    pub effect: Option<String>,
}

/// One entry of a secret of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKey {
    /// The secret's name.
    pub secret: String,
    /// The entry.
    pub key: String,
}

/// A persistent volume that pods see, read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeClaim {
    /// Name of the claim.
    pub name: String,
    /// Folder inside the volume; its root when `None`.
    pub sub_path: Option<String>,
    /// Where the engine sees it.
    pub mount_path: String,
}

/// How to look for the best.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSettings {
    /// Who proposes.
    pub strategy: StrategyKind,
    /// What to improve.
    pub objective: Objective,
    /// What else is to be improved: the search looks for compromises as well.
    pub pareto: Vec<Objective>,
    /// Distinct search candidates to measure at most, at least 1. Baseline, replicates and
    /// lost attempts do not count.
    pub max_iterations: u32,
    /// Starts beyond these, at most, that measure the best and the engine's defaults again.
    pub max_replicates: u32,
    /// The search ends once a further gain of this ratio is improbable; never where `None`.
    pub min_gain: Option<f64>,
    /// Longest time in which experiments may run, all together; no limit when `None`.
    pub max_time: Option<Duration>,
    /// Most hours for which GPUs may be held, each GPU counted; no limit when `None`.
    pub max_gpu_hours: Option<f64>,
    /// Longest time for one experiment after the engine is ready.
    pub timeout_per_iteration: Duration,
    /// Random candidates before a model decides.
    pub initial_random: u32,
    /// Experiments that may run at once, at least 1.
    pub max_parallel_experiments: u32,
    /// Whether a measurement ends after a level that shows that it all but certainly does not beat
    /// the best.
    pub early_abort: bool,
    /// Whether the search begins with what earlier tasks of the same engine and model found.
    pub warm_start: bool,
    /// Seed of everything random in the task.
    pub seed: u64,
}

impl Task {
    /// What each level counts, in the workload's order of levels: one number each.
    pub fn weights(&self) -> Vec<f64> {
        let even = || vec![1.0; self.workload.level_count()];
        self.level_weights.clone().unwrap_or_else(even)
    }

    /// Whether what another task has found may tell something of this one: the same engine serves
    /// the same model, the same parameters vary, and it is measured under the same loads in the same
    /// order. What differs beside that, such as lengths of prompts or the machine, is for the model
    /// to find out.
    pub fn is_told_of_by(&self, other: &Self) -> bool {
        let names = |task: &Self| {
            let parameters = task.space.parameters().iter();
            let mut names: Vec<String> = parameters
                .map(|parameter| parameter.name.as_str().to_owned())
                .collect();
            names.sort_unstable();
            names
        };
        let loads = |task: &Self| {
            let levels = task.workload.levels().into_iter();
            levels.map(|level| level.load).collect::<Vec<_>>()
        };
        self.engine == other.engine
            && self.model.id_or_path == other.model.id_or_path
            && loads(self) == loads(other)
            && names(self) == names(other)
    }

    /// Starts, at most, that measure something again: none where nothing is tried beside the
    /// engine's defaults.
    pub fn most_replicates(&self) -> u32 {
        match self.space.parameters() {
            [] => 0,
            _ => self.search.max_replicates,
        }
    }
}

impl DeploymentMode {
    /// The word in task documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Local => "local",
            Self::Kubernetes => "kubernetes",
        }
    }
}
