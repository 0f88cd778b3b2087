//! Parts of the document that only a Kubernetes cluster needs. Understood and checked, not
//! yet applied.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::findings::Findings;
use super::quant::check_words;
use super::read::{Node, Words};
use super::rules;
use crate::problem::Problem;

const BASE_MODEL_PRESETS: [&str; 7] = [
    "llama-3-2-1b-instruct",
    "llama-3-2-3b-instruct",
    "llama-3-1-70b-instruct",
    "llama-3-3-70b-instruct",
    "mistral-7b-instruct",
    "mixtral-8x7b-instruct",
    "deepseek-v3",
];
const SERVING_RUNTIME_PRESETS: [&str; 5] = [
    "sglang-llama-small",
    "sglang-llama-large",
    "vllm-llama-small",
    "vllm-llama-large",
    "sglang-mixtral-moe",
];

/// Where a cluster finds the model's files. Understood, not yet applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StorageSpec {
    /// The kind of storage.
    #[serde(rename = "type")]
    pub kind: StorageWord,
    /// Name of the persistent volume claim.
    pub pvc_name: String,
    /// Directory inside the volume; its root when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc_subpath: Option<String>,
    /// Where the engine sees the volume, for example `/raid/models`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
}

/// The words for kinds of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageWord {
    /// A persistent volume claim.
    Pvc,
}

impl Words for StorageWord {
    const WHAT: &'static str = "storage type";
    const WORDS: &'static [(&'static str, Self)] = &[("pvc", Self::Pvc)];
}

/// A cluster resource: a preset, or a name with its own specification. Understood, not yet
/// applied.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClusterResourceSpec {
    /// A resource that is known by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Name of an own resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Specification of an own resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Map<String, Value>>,
    /// Replaces parts of the preset's specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Map<String, Value>>,
    /// Labels of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Map<String, Value>>,
    /// Annotations of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Map<String, Value>>,
}

/// Reads the `storage` object.
pub(super) fn read_storage(node: &Node<'_>) -> Option<StorageSpec> {
    node.object(|fields| {
        fields.require(&["type"], "use pvc");
        fields.require(&["pvc_name"], "name the persistent volume claim");
        let kind = fields.take("type", Node::word);
        let pvc_name = fields.take("pvc_name", Node::text);
        let pvc_subpath = fields.take("pvc_subpath", Node::text);
        let mount_path = fields.take("mount_path", Node::text);
        Some(StorageSpec {
            kind: kind?,
            pvc_name: pvc_name?,
            pvc_subpath,
            mount_path,
        })
    })?
}

/// Reads a cluster resource.
pub(super) fn read_resource(node: &Node<'_>) -> Option<ClusterResourceSpec> {
    let free = |node: &Node<'_>| node.free_object().cloned();
    node.object(|fields| ClusterResourceSpec {
        preset: fields.take("preset", Node::text),
        name: fields.take("name", Node::text),
        spec: fields.take("spec", free),
        overrides: fields.take("overrides", free),
        labels: fields.take("labels", free),
        annotations: fields.take("annotations", free),
    })
}

impl StorageSpec {
    /// Holds the rules.
    pub(super) fn check(&self, findings: &Findings) {
        rules::argument("storage.pvc_name", &self.pvc_name, findings);
        if self
            .mount_path
            .as_ref()
            .is_some_and(|path| !path.starts_with('/'))
        {
            let problem = Problem::new("storage.mount_path", "is not an absolute path");
            findings.refuse(problem.with_hint("for example /raid/models"));
        }
    }

    /// Why this cannot be applied yet.
    pub(super) fn not_built(&self) -> Problem {
        not_built("storage")
    }
}

impl ClusterResourceSpec {
    /// Holds the rules of a base model.
    pub(super) fn check_base_model(&self, findings: &Findings) {
        self.check("clusterbasemodel_config", &BASE_MODEL_PRESETS, findings);
    }

    /// Holds the rules of a serving runtime.
    pub(super) fn check_serving_runtime(&self, findings: &Findings) {
        self.check("clusterservingruntime_config", &SERVING_RUNTIME_PRESETS, findings);
    }

    fn check(&self, path: &str, presets: &[&str], findings: &Findings) {
        let preset = self.preset.clone().map(|preset| vec![preset]);
        check_words(&format!("{path}.preset"), &preset, presets, "preset", findings);
        if self.preset.is_none() && self.name.is_none() {
            let problem = Problem::new(path, "has neither a preset nor a name");
            findings.refuse(problem.with_hint("give a preset, or a name and a spec"));
        }
        if self.preset.is_none() && self.name.is_some() && self.spec.is_none() {
            let problem = Problem::new(format!("{path}.spec"), "is missing");
            findings.refuse(problem.with_hint("a resource without a preset needs its own spec"));
        }
    }
}

/// Why a part for clusters cannot be applied yet.
pub(super) fn not_built(path: &str) -> Problem {
    Problem::new(
        path,
        "is understood but cannot be applied yet: it needs a Kubernetes cluster",
    )
    .with_hint("leave it out and use the deployment mode docker or local")
}
