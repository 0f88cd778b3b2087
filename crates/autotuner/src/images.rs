//! Which images engines start from, and who may have which fetched.
//!
//! An image that runs is code. Operators may fetch what the product's own engines use and what the
//! configuration lists; anything else is an admin's choice. Whether an image is here is not looked
//! at.

use autotuner_core::engine::{EngineKind, LaunchPlan, PlanRequest, Program};
use autotuner_core::space::Candidate;
use autotuner_core::task::{DeploymentMode, EngineSettings, Model, Resources};
use autotuner_deploy::containers::ImageReference;
use autotuner_store::Role;
use serde_json::Value;

use crate::service::permits::Permits;

/// How an engine is started whose model does not matter.
pub(crate) fn usual_plan(
    kind: EngineKind,
    settings: &EngineSettings,
    deployment: DeploymentMode,
) -> Option<LaunchPlan> {
    let model = Model {
        id_or_path: "MODEL".into(),
        namespace: "autotuner".into(),
        served_name: "MODEL".into(),
    };
    let request = PlanRequest {
        model: &model,
        settings,
        resources: &Resources::default(),
        candidate: &Candidate::engine_default(),
        deployment,
    };
    kind.engine().plan(&request).ok()
}

/// The image that an engine starts from where a task names none.
pub(crate) fn usual_image(kind: EngineKind) -> Option<String> {
    image_of(kind, &EngineSettings::default())
}

fn image_of(kind: EngineKind, settings: &EngineSettings) -> Option<String> {
    let plan = usual_plan(kind, settings, DeploymentMode::Docker)?;
    match plan.program {
        Program::Image { reference, .. } => Some(reference),
        Program::Local(_) => None,
    }
}

/// The image that a task's engines start from, as far as its document says; `None` where it can
/// start from none.
pub(crate) fn named_by(document: &Value) -> Option<String> {
    let text = |pointer: &str| Some(document.pointer(pointer)?.as_str()?.to_owned());
    let kind = EngineKind::from_word(document.get("base_runtime")?.as_str()?)?;
    let settings = EngineSettings {
        image: text("/engine/image").or_else(|| text("/runtime_image")),
        image_tag: text("/runtime_image_tag"),
        program: text("/engine/program"),
        ..EngineSettings::default()
    };
    // Of a custom engine nothing is usual; what its image is called is read as for any other.
    let read_as = match kind {
        EngineKind::Custom if settings.image.is_some() => EngineKind::Sim,
        kind => kind,
    };
    image_of(read_as, &settings)
}

/// Whether somebody of this role may have an image fetched: an admin any; an operator every
/// version of the images that engines use by themselves, and what the configuration lists.
pub(crate) fn may_fetch(reference: &ImageReference, role: Role, permits: &Permits) -> bool {
    let is_usual = |kind: EngineKind| {
        let usual = usual_image(kind).and_then(|usual| usual.parse::<ImageReference>().ok());
        usual.is_some_and(|usual| usual.repository() == reference.repository())
    };
    let is_listed = permits.programs.iter().any(|listed| listed == reference.as_str());
    role >= Role::Admin
        || (role >= Role::Operator
            && reference.repository().is_some()
            && (is_listed || EngineKind::ALL.into_iter().any(is_usual)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_names_an_image_in_one_of_four_ways() {
        let check = |document: Value, expected: Option<&str>| {
            assert_eq!(named_by(&document).as_deref(), expected, "{document}");
        };
        let usual = usual_image(EngineKind::Vllm).unwrap();
        check(json!({"base_runtime": "vllm"}), Some(&usual));
        check(
            json!({"base_runtime": "vllm", "runtime_image_tag": "v9"}),
            Some("vllm/vllm-openai:v9"),
        );
        check(
            json!({"base_runtime": "vllm", "runtime_image": "host:5000/x"}),
            Some("host:5000/x"),
        );
        check(
            json!({"base_runtime": "vllm", "runtime_image": "a/b:1", "runtime_image_tag": "2"}),
            Some("a/b:2"),
        );
        check(
            json!({"base_runtime": "sim", "engine": {"image": "a/b:1"}}),
            Some("a/b:1"),
        );
        check(
            json!({"base_runtime": "custom", "engine": {"image": "a/b:1"}}),
            Some("a/b:1"),
        );
        check(json!({"base_runtime": "custom"}), None);
        check(json!({"base_runtime": "nothing"}), None);
        check(json!({"base_runtime": "vllm", "runtime_image": "-v"}), None);
        check(json!({}), None);
        check(json!([]), None);
    }

    #[test]
    fn an_operator_has_fetched_what_engines_use_and_what_is_listed() {
        let permits = Permits {
            programs: vec!["registry.example/engine:1".into(), "/usr/bin/engine".into()],
            directories: Vec::new(),
        };
        let check = |reference: &str, expected: bool| {
            let parsed: ImageReference = reference.parse().unwrap();
            assert_eq!(
                may_fetch(&parsed, Role::Operator, &permits),
                expected,
                "{reference}"
            );
            assert!(may_fetch(&parsed, Role::Admin, &permits));
            assert!(!may_fetch(&parsed, Role::Viewer, &permits));
        };
        check("vllm/vllm-openai:latest", true);
        check("docker.io/vllm/vllm-openai:v0.11.0", true);
        check("lmsysorg/sglang", true);
        check("registry.example/engine:1", true);
        check("registry.example/engine:2", false);
        check("registry.example/vllm/vllm-openai:latest", false);
        check("vllm/vllm-openai2", false);
        check("busybox", false);
        check(&format!("sha256:{}", "0".repeat(64)), false);
    }
}
