//! The document as a whole: its keys in their order, and how they are read.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::benchmark::{self, BenchmarkSpec};
use super::engine::{self, EngineSpec};
use super::findings::Findings;
use super::kubernetes::{self, KubernetesSpec, StorageSpec};
use super::optimization::{self, OptimizationSpec};
use super::parallel::{self, ParallelSpec};
use super::parameters::{self, Parameters};
use super::quant::{self, QuantSpec};
use super::read::{Fields, Node, Words};
use super::resources::{self, ResourcesSpec};
use super::service::{self, ClusterResourceSpec};
use super::slo::{self, SloSpec};
use crate::problem::Problem;
use crate::task::DeploymentMode;

/// A task document: everything that one tuning job is told.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Task document", deny_unknown_fields)]
pub struct TaskSpec {
    /// Unique name of the task.
    #[schemars(length(min = 1, max = 200))]
    pub task_name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where engines run; `docker` when absent. `ome` is understood as `kubernetes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_mode: Option<DeploymentWord>,
    /// The engine: vllm, sglang, tensorrt-llm, llamacpp, sim or custom. A longer name that
    /// begins with an engine and a dash, such as `sglang-llama-small`, means that engine.
    pub base_runtime: String,
    /// Replaces the tag of the engine's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_image_tag: Option<String>,
    /// Another image for the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_image: Option<String>,
    /// What the engine serves.
    pub model: ModelSpec,
    /// The search space: flags of the engine, named without dashes, and environment
    /// variables, named `env.NAME`. Empty to measure the engine's defaults alone.
    pub parameters: Parameters,
    /// Conditions that every configuration must meet, parameter names in braces, for
    /// example `{max-num-batched-tokens} >= {max-num-seqs}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub constraints: Vec<String>,
    /// How to look for the best configuration.
    pub optimization: OptimizationSpec,
    /// What the benchmark sends.
    pub benchmark: BenchmarkSpec,
    /// Bounds that a good configuration meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<SloSpec>,
    /// What is fixed for every experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineSpec>,
    /// What one experiment may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesSpec>,
    /// Quantization to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quant_config: Option<QuantSpec>,
    /// Parallel sizes to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_config: Option<ParallelSpec>,
    /// What the pods of a cluster are like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesSpec>,
    /// Where a cluster finds the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// The base model of OME that experiments serve, made where it is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusterbasemodel_config: Option<ClusterResourceSpec>,
    /// The serving runtime of OME that experiments use, made where it is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusterservingruntime_config: Option<ClusterResourceSpec>,
}

/// What the engine serves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModelSpec {
    /// A path on this machine, the name of a directory below the model base path, or a hub id.
    #[schemars(length(min = 1))]
    pub id_or_path: String,
    /// The namespace in a cluster; `autotuner` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How the checkpoint is already quantized, for example `awq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
    /// The checkpoint's own quantization record, with its `quant_method`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization_config: Option<Map<String, Value>>,
}

/// The words for where engines run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentWord {
    /// In a container of this machine's Docker daemon.
    Docker,
    /// As a child process.
    Local,
    /// In a Kubernetes cluster.
    Kubernetes,
}

impl Words for DeploymentWord {
    const WHAT: &'static str = "deployment mode";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("docker", Self::Docker),
        ("local", Self::Local),
        ("kubernetes", Self::Kubernetes),
    ];
    const ALIASES: &'static [(&'static str, Self)] = &[("ome", Self::Kubernetes)];
    const ADVICE: &'static [(&'static str, &'static str)] = &[("k8s", "did you mean \"kubernetes\"?")];
}

impl From<DeploymentWord> for DeploymentMode {
    fn from(word: DeploymentWord) -> Self {
        match word {
            DeploymentWord::Docker => Self::Docker,
            DeploymentWord::Local => Self::Local,
            DeploymentWord::Kubernetes => Self::Kubernetes,
        }
    }
}

impl From<DeploymentMode> for DeploymentWord {
    fn from(mode: DeploymentMode) -> Self {
        match mode {
            DeploymentMode::Docker => Self::Docker,
            DeploymentMode::Local => Self::Local,
            DeploymentMode::Kubernetes => Self::Kubernetes,
        }
    }
}

impl TaskSpec {
    /// Whether engines are started from the image that is the engine's usual one, whose
    /// version we know.
    pub(crate) fn uses_usual_image(&self) -> bool {
        let is_local = self.deployment_mode == Some(DeploymentWord::Local);
        let has_image = self.engine.as_ref().is_some_and(|engine| engine.image.is_some());
        !(is_local || has_image || self.runtime_image.is_some() || self.runtime_image_tag.is_some())
    }
}

/// Reads a tree as a task document. `None` when it is something else altogether.
pub(super) fn read(value: &Value, findings: &Findings) -> Option<TaskSpec> {
    if let Some(problem) = manifest(value) {
        findings.report(problem);
        return None;
    }
    let root = Node {
        path: String::new(),
        value,
        findings,
    };
    if !value.is_object() {
        return root.expected("a task document: an object with keys such as task_name", None);
    }
    root.object(read_root)
}

fn read_root(fields: &mut Fields<'_>) -> TaskSpec {
    fields.require(&["task_name"], "give the task a name of its own");
    fields.require(
        &["base_runtime"],
        "name the engine: vllm, sglang, tensorrt-llm, llamacpp, sim or custom",
    );
    fields.require(&["model", "model_config"], "write model: { id_or_path: … }");
    fields.require(
        &["parameters"],
        "write parameters: {} to measure the engine's defaults",
    );
    fields.require(
        &["optimization", "optimization_config"],
        "write optimization: {} for a grid search for the lowest latency",
    );
    fields.require(
        &["benchmark", "benchmark_config"],
        "write benchmark: {} for one level of D(100,100)",
    );
    TaskSpec {
        task_name: fields.take("task_name", Node::text).unwrap_or_default(),
        description: fields.take("description", Node::text),
        deployment_mode: fields.take("deployment_mode", Node::word),
        base_runtime: fields.take("base_runtime", Node::text).unwrap_or_default(),
        runtime_image_tag: fields.take("runtime_image_tag", Node::text),
        runtime_image: fields.take("runtime_image", Node::text),
        model: fields
            .take_renamed("model", "model_config", read_model)
            .unwrap_or_default(),
        parameters: fields.take("parameters", parameters::read).unwrap_or_default(),
        constraints: fields
            .take("constraints", |node| node.list(Node::text))
            .unwrap_or_default(),
        optimization: fields
            .take_renamed("optimization", "optimization_config", optimization::read)
            .unwrap_or_default(),
        benchmark: fields
            .take_renamed("benchmark", "benchmark_config", benchmark::read)
            .unwrap_or_default(),
        slo: fields.take_renamed("slo", "slo_config", slo::read),
        engine: fields.take("engine", engine::read),
        resources: fields.take("resources", resources::read),
        quant_config: fields.take("quant_config", quant::read),
        parallel_config: fields.take("parallel_config", parallel::read),
        kubernetes: fields.take("kubernetes", kubernetes::read_pods),
        storage: fields.take("storage", kubernetes::read_storage),
        clusterbasemodel_config: fields.take("clusterbasemodel_config", service::read_resource),
        clusterservingruntime_config: fields.take("clusterservingruntime_config", service::read_resource),
    }
}

fn read_model(node: &Node<'_>) -> Option<ModelSpec> {
    if let Value::String(name) = node.value {
        let hint = format!("write {{ id_or_path: \"{}\" }}", super::read::shorten(name));
        return node.expected("an object with the key id_or_path", Some(&hint));
    }
    node.object(|fields| {
        fields.require(&["id_or_path", "name"], "name a path, a directory or a hub id");
        ModelSpec {
            id_or_path: fields
                .take_renamed("id_or_path", "name", Node::text)
                .unwrap_or_default(),
            namespace: fields.take("namespace", Node::text),
            quantization: fields.take("quantization", Node::text),
            quantization_config: fields.take("quantization_config", |node| node.free_object().cloned()),
        }
    })
}

/// What to say of a Kubernetes manifest, which is a frequent mix-up.
fn manifest(value: &Value) -> Option<Problem> {
    let kind = value.get("kind")?.as_str()?;
    value.get("apiVersion")?;
    let message = format!(
        "this is a Kubernetes manifest of kind {}, not a task document",
        super::read::shorten(kind)
    );
    Some(Problem::new("", message).with_hint("raw Kubernetes manifests are no task documents"))
}
