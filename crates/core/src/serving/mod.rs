//! Experiments as objects of a serving operator: what a task says of them, once it is checked.
//!
//! The one idea: OME and KServe both know an `InferenceService`, made of a model and a runtime that
//! people of the cluster have described before. What they call these things, and where each puts the
//! model, is data here; what is asked of a cluster is made from it elsewhere.

mod presets;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use presets::{BASE_MODELS, SERVING_RUNTIMES, preset};

/// Where an engine of OME finds its base model: the operator sets the variable, and the cluster puts
/// its value in place of this.
pub const OME_MODEL_PATH: &str = "$(MODEL_PATH)";

/// Where an engine of KServe finds what was fetched for it.
pub const KSERVE_MODEL_PATH: &str = "/mnt/models";

/// An operator that serves models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceKind {
    /// OME, the Open Model Engine.
    Ome,
    /// KServe.
    Kserve,
}

impl ServiceKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ome, Self::Kserve];

    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ome => "ome",
            Self::Kserve => "kserve",
        }
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ome => "OME",
            Self::Kserve => "KServe",
        }
    }

    /// The API group of its services.
    pub fn group(self) -> &'static str {
        match self {
            Self::Ome => "ome.io",
            Self::Kserve => "serving.kserve.io",
        }
    }

    /// The container that its engines run in.
    pub fn container(self) -> &'static str {
        match self {
            Self::Ome => "ome-container",
            Self::Kserve => "kserve-container",
        }
    }

    /// The label by which the pods of a service are known.
    pub fn pod_label(self) -> String {
        format!("{}/inferenceservice", self.group())
    }
}

/// How a task's experiments are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// By which operator.
    pub kind: ServiceKind,
    /// The runtime; the engine's container is ours alone when `None`.
    pub runtime: Option<String>,
    /// What the operator puts into the pod: a base model's name for OME, an address for KServe.
    /// The engine finds its model by itself when `None`.
    pub model: Option<String>,
    /// How KServe calls the kind of model that a runtime takes.
    pub model_format: String,
    /// Annotations of the service, by which operators are told more.
    pub annotations: BTreeMap<String, String>,
    /// What is made for all of the cluster where it is not there yet.
    pub objects: Vec<ClusterObject>,
}

impl Service {
    /// Where the engine finds a model that the operator has put there.
    pub fn model_path(&self) -> Option<&'static str> {
        self.model.as_ref().map(|_| match self.kind {
            ServiceKind::Ome => OME_MODEL_PATH,
            ServiceKind::Kserve => KSERVE_MODEL_PATH,
        })
    }
}

/// A kind of object of OME that is the whole cluster's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A model.
    BaseModel,
    /// How an engine is run.
    ServingRuntime,
}

impl ObjectKind {
    /// Its kind in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BaseModel => "ClusterBaseModel",
            Self::ServingRuntime => "ClusterServingRuntime",
        }
    }

    /// The key of a document that asks for one.
    pub fn key(self) -> &'static str {
        match self {
            Self::BaseModel => "clusterbasemodel_config",
            Self::ServingRuntime => "clusterservingruntime_config",
        }
    }
}

/// An object of the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterObject {
    /// What it is.
    pub kind: ObjectKind,
    /// What it is called.
    pub name: String,
    /// What it says.
    pub spec: Map<String, Value>,
    /// Its labels, beside ours.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What one specification becomes under another: objects key by key, all else replaced, and what is
/// null is left out.
pub fn overridden(base: &Map<String, Value>, over: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = base.clone();
    for (key, value) in over {
        match (merged.get(key), value) {
            (_, Value::Null) => drop(merged.remove(key)),
            (Some(Value::Object(under)), Value::Object(over)) => {
                let inner = overridden(under, over);
                merged.insert(key.clone(), Value::Object(inner));
            }
            _ => drop(merged.insert(key.clone(), value.clone())),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn overrides_reach_inside_and_leave_what_they_override_as_it_was() {
        let map = |value: Value| value.as_object().cloned().expect("an object");
        let check = |base: Value, over: Value, expected: Value| {
            let before = map(base);
            let kept = before.clone();
            assert_eq!(overridden(&before, &map(over)), map(expected));
            assert_eq!(before, kept);
        };
        check(
            json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2] }),
            json!({ "a": { "b": 3 }, "d": [4] }),
            json!({ "a": { "b": 3, "c": 2 }, "d": [4] }),
        );
        check(json!({ "a": 1, "b": 2 }), json!({ "a": null }), json!({ "b": 2 }));
        check(
            json!({ "a": 1 }),
            json!({ "a": { "b": 1 } }),
            json!({ "a": { "b": 1 } }),
        );
        check(json!({}), json!({}), json!({}));
    }

    #[test]
    fn a_preset_is_the_same_after_it_was_overridden() {
        let before = preset(ObjectKind::BaseModel, "deepseek-v3").expect("it is there");
        let over = json!({ "storage": { "path": "/elsewhere" } });
        let other = overridden(&before, over.as_object().expect("an object"));
        assert_eq!(other["storage"]["path"], "/elsewhere");
        let after = preset(ObjectKind::BaseModel, "deepseek-v3").expect("it is there");
        assert_eq!(before, after);
        assert_ne!(other, after);
    }
}
