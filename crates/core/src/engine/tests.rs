//! What the engines promise together; what one file promises alone is tested in that file.

mod commands;
mod diagnosis;
mod help;
mod portable;
mod properties;
mod refusals;

use crate::engine::{EngineKind, LaunchPlan, PlanRequest};
use crate::problem::Problem;
use crate::space::{Candidate, ParameterName, Value};
use crate::task::{DeploymentMode, EngineSettings, Model, Resources};

/// One request under construction: everything usual until said otherwise.
#[derive(Debug, Clone)]
struct Case {
    kind: EngineKind,
    model: Model,
    settings: EngineSettings,
    resources: Resources,
    parameters: Vec<(String, Value)>,
    deployment: DeploymentMode,
}

fn a(kind: EngineKind) -> Case {
    let mut settings = EngineSettings::default();
    if kind == EngineKind::Custom {
        settings.program = Some("/opt/engine".into());
        settings.args = ["--listen={host}:{port}", "--weights", "{model}"]
            .map(str::to_owned)
            .to_vec();
    }
    Case {
        kind,
        model: Model {
            id_or_path: "org/model".into(),
            namespace: "autotuner".into(),
            served_name: "served".into(),
        },
        settings,
        resources: Resources::default(),
        parameters: Vec::new(),
        deployment: DeploymentMode::Local,
    }
}

impl Case {
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.push((name.to_owned(), value.into()));
        self
    }

    fn model(mut self, id_or_path: &str) -> Self {
        self.model.id_or_path = id_or_path.to_owned();
        self
    }

    fn args(mut self, args: &[&str]) -> Self {
        self.settings
            .args
            .extend(args.iter().map(|argument| (*argument).to_owned()));
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.settings.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn settings(mut self, change: impl FnOnce(&mut EngineSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn gpus(mut self, gpus: u32) -> Self {
        self.resources.gpus = Some(gpus);
        self
    }

    fn docker(mut self) -> Self {
        self.deployment = DeploymentMode::Docker;
        self
    }

    fn try_plan(&self) -> Result<LaunchPlan, Vec<Problem>> {
        let parameters = self.parameters.iter();
        let candidate =
            Candidate::new(parameters.map(|(name, value)| (ParameterName::new(name), value.clone())));
        self.kind.engine().plan(&PlanRequest {
            model: &self.model,
            settings: &self.settings,
            resources: &self.resources,
            candidate: &candidate,
            deployment: self.deployment,
        })
    }

    fn plan(&self) -> LaunchPlan {
        self.try_plan()
            .unwrap_or_else(|problems| panic!("{self:?}: {problems:?}"))
    }

    /// What follows the arguments that the engine gets without any of the task's own.
    fn tail(&self) -> Vec<String> {
        let bare = a(self.kind).model(&self.model.id_or_path).plan();
        let arguments = self.plan().arguments("H", 1);
        let base = bare.arguments("H", 1);
        assert_eq!(arguments[..base.len()], base, "base arguments come first");
        arguments[base.len()..].to_vec()
    }
}
