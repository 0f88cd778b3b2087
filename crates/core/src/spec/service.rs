//! Experiments that an operator of the cluster serves: `kubernetes.service`, and the original
//! system's configurations of cluster-wide objects, which ask for OME.
//!
//! What a document says in either way becomes one [`Service`]; where both say something, they must
//! say the same.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::document::TaskSpec;
use super::findings::Findings;
use super::kubernetes::{check_name, read_texts};
use super::quant::check_words;
use super::read::{Fields, Node, Words, shorten};
use super::rules;
use crate::engine::EngineKind;
use crate::problem::Problem;
use crate::serving::{
    BASE_MODELS, ClusterObject, ObjectKind, SERVING_RUNTIMES, Service, ServiceKind, overridden, preset,
};

/// The model format of KServe when the document does not say.
const USUAL_FORMAT: &str = "huggingface";

/// How many letters tell an overridden preset from the preset itself.
const MARK: usize = 6;

/// Experiments as services of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServiceSpec {
    /// The operator.
    pub kind: ServiceWord,
    /// Name of the serving runtime; the engine's own container alone when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// What the operator puts into the pod: the name of a base model of OME, or an address that
    /// KServe fetches, such as `hf://org/name`. When absent the engine finds `model.id_or_path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model format that a runtime of KServe is asked for; `huggingface` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_format: Option<String>,
    /// Annotations of the services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// The words for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceWord {
    /// OME.
    Ome,
    /// KServe.
    Kserve,
}

impl Words for ServiceWord {
    const WHAT: &'static str = "kind of service";
    const WORDS: &'static [(&'static str, Self)] = &[("ome", Self::Ome), ("kserve", Self::Kserve)];
}

impl From<ServiceWord> for ServiceKind {
    fn from(word: ServiceWord) -> Self {
        match word {
            ServiceWord::Ome => Self::Ome,
            ServiceWord::Kserve => Self::Kserve,
        }
    }
}

/// An object of the whole cluster: a preset, or a name with its own specification.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClusterResourceSpec {
    /// A specification that is known by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// The object's name; the preset's when absent, with a mark of its own where there are overrides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An own specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Map<String, Value>>,
    /// Replaces parts of the specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Map<String, Value>>,
    /// Labels of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Map<String, Value>>,
    /// Annotations of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Map<String, Value>>,
}

/// Reads `kubernetes.service`.
pub(super) fn read(node: &Node<'_>) -> Option<ServiceSpec> {
    if let Value::String(word) = node.value {
        let hint = format!("write {{ kind: {} }}", shorten(word));
        return node.expected("an object with the key kind", Some(&hint));
    }
    node.object(|fields: &mut Fields<'_>| {
        fields.require(&["kind"], "name the operator: ome or kserve");
        let kind = fields.take("kind", Node::word);
        let runtime = fields.take("runtime", Node::text);
        let model = fields.take("model", Node::text);
        let model_format = fields.take("model_format", Node::text);
        let annotations = fields.take("annotations", read_texts);
        Some(ServiceSpec {
            kind: kind?,
            runtime,
            model,
            model_format,
            annotations,
        })
    })?
}

/// Reads an object of the whole cluster.
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

/// How a task's experiments are served, if an operator does it.
pub(super) fn resolve(spec: &TaskSpec, kind: Option<EngineKind>, findings: &Findings) -> Option<Service> {
    let given = spec.kubernetes.as_ref().and_then(|pods| pods.service.as_ref());
    let base_model = object(
        ObjectKind::BaseModel,
        spec.clusterbasemodel_config.as_ref(),
        findings,
    );
    let runtime = object(
        ObjectKind::ServingRuntime,
        spec.clusterservingruntime_config.as_ref(),
        findings,
    );
    let objects = [&base_model, &runtime];
    let operator = match given {
        Some(given) => given.kind.into(),
        None if objects.iter().any(|object| object.is_some()) => ServiceKind::Ome,
        None => return None,
    };
    for object in objects.into_iter().flatten() {
        if operator != ServiceKind::Ome {
            let problem = Problem::new(
                object.kind.key(),
                "is for OME, and kubernetes.service is of KServe",
            );
            findings.refuse(problem.with_hint("leave one of them out"));
        }
    }
    let named = |key: &str, given: Option<&String>, object: Option<&ClusterObject>| match (given, object) {
        (Some(given), Some(object)) if *given != object.name => {
            let message = format!(
                "is \"{}\", and {} means {}",
                shorten(given),
                object.kind.key(),
                object.name
            );
            let problem = Problem::new(format!("kubernetes.service.{key}"), message);
            findings.refuse(problem.with_hint("leave one of them out"));
            Some(given.clone())
        }
        (given, object) => given.or(object.map(|object| &object.name)).cloned(),
    };
    let service = Service {
        kind: operator,
        runtime: named(
            "runtime",
            given.and_then(|given| given.runtime.as_ref()),
            runtime.as_ref(),
        ),
        model: named(
            "model",
            given.and_then(|given| given.model.as_ref()),
            base_model.as_ref(),
        ),
        model_format: given
            .and_then(|given| given.model_format.clone())
            .unwrap_or_else(|| USUAL_FORMAT.to_owned()),
        annotations: given
            .and_then(|given| given.annotations.clone())
            .unwrap_or_default(),
        objects: [base_model, runtime].into_iter().flatten().collect(),
    };
    check(&service, given, kind, findings);
    Some(service)
}

fn check(service: &Service, given: Option<&ServiceSpec>, kind: Option<EngineKind>, findings: &Findings) {
    let at = |key: &str| format!("kubernetes.service.{key}");
    if let Some(runtime) = given.and_then(|given| given.runtime.as_ref()) {
        check_name(&at("runtime"), runtime, findings);
    }
    match (service.kind, &service.model) {
        (_, None) => {}
        (ServiceKind::Ome, Some(_)) => {
            if let Some(model) = given.and_then(|given| given.model.as_ref()) {
                check_name(&at("model"), model, findings);
            }
            if kind == Some(EngineKind::TensorRtLlm) {
                let message =
                    "TensorRT-LLM calls a model by the path that OME puts it at, which is not known";
                let hint = "leave it out, and name the model in model.id_or_path";
                findings.refuse(Problem::new(at("model"), message).with_hint(hint));
            }
        }
        (ServiceKind::Kserve, Some(model)) => {
            rules::argument(&at("model"), model, findings);
            if !model.contains("://") {
                let message = format!("\"{}\" is no address that KServe fetches from", shorten(model));
                let hint = "write it like hf://org/name, pvc://claim/folder or s3://bucket/folder";
                findings.refuse(Problem::new(at("model"), message).with_hint(hint));
            }
        }
    }
    if let Some(format) = given.and_then(|given| given.model_format.as_ref()) {
        rules::argument(&at("model_format"), format, findings);
        if service.kind == ServiceKind::Ome || service.runtime.is_none() {
            let problem = Problem::new(at("model_format"), "has no effect without a runtime of KServe");
            findings.warn(problem.with_hint("leave it out"));
        }
    }
}

/// The object that a configuration asks for, its preset filled in.
fn object(
    kind: ObjectKind,
    given: Option<&ClusterResourceSpec>,
    findings: &Findings,
) -> Option<ClusterObject> {
    let (given, path) = (given?, kind.key());
    let ClusterResourceSpec {
        preset: wanted,
        name,
        spec,
        overrides,
        labels,
        annotations,
    } = given;
    let presets = match kind {
        ObjectKind::BaseModel => BASE_MODELS.as_slice(),
        ObjectKind::ServingRuntime => SERVING_RUNTIMES.as_slice(),
    };
    let words = wanted.clone().map(|wanted| vec![wanted]);
    check_words(&format!("{path}.preset"), &words, presets, "preset", findings);
    let texts = |key: &str, given: &Option<Map<String, Value>>| {
        let at = format!("{path}.{key}");
        given
            .as_ref()
            .map(|given| all_texts(&at, given, findings))
            .unwrap_or_default()
    };
    let (labels, annotations) = (texts("labels", labels), texts("annotations", annotations));
    let (base, usual_name) = match (wanted, name, spec) {
        (Some(_), _, Some(_)) => {
            let problem = Problem::new(format!("{path}.spec"), "is given, and so is a preset");
            findings.refuse(problem.with_hint("leave one of them out, or put what differs into overrides"));
            return None;
        }
        (Some(wanted), _, None) => (preset(kind, wanted)?, wanted.as_str()),
        (None, Some(name), Some(spec)) => (spec.clone(), name.as_str()),
        (None, Some(_), None) => {
            let problem = Problem::new(format!("{path}.spec"), "is missing");
            findings.refuse(problem.with_hint("an object without a preset needs its own spec"));
            return None;
        }
        (None, None, _) => {
            let problem = Problem::new(path, "has neither a preset nor a name");
            findings.refuse(problem.with_hint("give a preset, or a name and a spec"));
            return None;
        }
    };
    let spec = overrides
        .as_ref()
        .map_or_else(|| base.clone(), |overrides| overridden(&base, overrides));
    check_one_node(kind, &spec, findings);
    if let Some(name) = name {
        check_name(&format!("{path}.name"), name, findings);
    }
    let name = match name {
        Some(name) => name.clone(),
        // Under the preset's own name it would be taken for the preset by whoever asks for that.
        None if spec != base => format!("{usual_name}-{}", mark(&spec)),
        None => usual_name.to_owned(),
    };
    Some(ClusterObject {
        kind,
        name,
        spec,
        labels,
        annotations,
    })
}

/// An engine of several pods is another kind of deployment.
fn check_one_node(kind: ObjectKind, spec: &Map<String, Value>, findings: &Findings) {
    let engine = spec.get("engineConfig").unwrap_or(&Value::Null);
    let parts = ["leader", "worker"];
    if let Some(part) = parts.iter().find(|part| engine.get(part).is_some()) {
        let path = format!("{}.spec.engineConfig.{part}", kind.key());
        let problem = Problem::new(
            path,
            "is for engines over several nodes, which cannot be tuned yet",
        );
        findings.refuse(problem.with_hint("describe the engine of one pod in engineConfig.runner"));
    }
}

fn all_texts(path: &str, given: &Map<String, Value>, findings: &Findings) -> BTreeMap<String, String> {
    let texts = given.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => {
                let path = format!("{path}.{}", shorten(name));
                findings.refuse(Problem::new(path, "is no text").with_hint("put it in quotes"));
                return None;
            }
        };
        Some((name.clone(), text))
    });
    texts.collect()
}

/// A few letters that are the same for the same specification (FNV-1a over its text).
fn mark(spec: &Map<String, Value>) -> String {
    let text = Value::Object(spec.clone()).to_string();
    let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut letters = format!("{sum:016x}");
    letters.truncate(MARK);
    letters
}
