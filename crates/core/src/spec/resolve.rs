//! From document to task: every rule is held here or called from here.

use super::document::{ModelSpec, TaskSpec};
use super::engine::{self, EngineSpec};
use super::findings::Findings;
use super::kubernetes;
use super::read::shorten;
use super::room::{self, Surroundings};
use super::{flags, parallel, parameters, precision, quant, rules, service};
use crate::engine::EngineKind;
use crate::problem::Problem;
use crate::score::{Objective, SloMetric, SloPolicy};
use crate::serving::Service;
use crate::task::{DeploymentMode, EngineSettings, Model, SearchSettings, Task};
use crate::workload::{Scenario, Workload};

/// Prefix of names when the document gives none.
const USUAL_NAMESPACE: &str = "autotuner";

/// Longest task name, in characters.
const LONGEST_NAME: usize = 200;

/// Longest namespace: what a cluster allows.
const LONGEST_NAMESPACE: usize = 63;

/// The task that a document describes, if it has no problem.
pub(super) fn resolve(spec: &TaskSpec, findings: &Findings) -> Option<Task> {
    check_name(&spec.task_name, findings);
    let kind = engine::kind(&spec.base_runtime, findings);
    let model = model(&spec.model, spec.benchmark.model_name.as_deref(), findings);
    let settings = engine_settings(spec, kind, findings);
    let groups = [
        quant::group(spec, kind, findings),
        parallel::group(spec, kind, findings),
    ];
    let space = parameters::resolve(
        &spec.parameters,
        &spec.constraints,
        spec.optimization.strategy_kind(),
        groups.into_iter().flatten().collect(),
        findings,
    );
    flags::check(kind, &spec.parameters, findings);
    let deployment = spec
        .deployment_mode
        .map_or(DeploymentMode::Docker, DeploymentMode::from);
    let resources = spec.resources.as_ref().map(|given| given.resolve(findings));
    let resources = resources.unwrap_or_default();
    let service = service::resolve(spec, kind, findings);
    let model_path = service.as_ref().and_then(Service::model_path);
    let settings = EngineSettings {
        model_path: model_path.map(str::to_owned),
        ..settings
    };
    let cluster = kubernetes::resolve(spec.kubernetes.as_ref(), spec.storage.as_ref(), service, findings);
    let around = Surroundings {
        model: &model,
        settings: &settings,
        resources: &resources,
        deployment,
        constraints: &spec.constraints,
    };
    let fitted = space.map(|space| room::fitting(space, kind, &around, findings));
    let (space, refused) = fitted.unzip();
    let search = spec.optimization.resolve(space.as_ref(), findings);
    let mut workload = spec.benchmark.resolve(search.seed, findings);
    warn_of_short_timeout(&search, &workload, findings);
    warn_of_nothing_to_abort(&search, &workload, findings);
    let slos = spec.slo.as_ref().map(|slo| slo.resolve(findings));
    check_pace_is_measured(spec, &search, &workload, slos.as_ref(), findings);
    let no_bounds = SloPolicy::default();
    workload.precision = spec.benchmark.precision.map(|ratio| {
        let slos = slos.as_ref().unwrap_or(&no_bounds);
        precision::resolve(ratio, &search, slos, &workload, findings)
    });
    if let Some(storage) = &spec.storage {
        storage.check(findings);
    }
    if let Some(kind) = kind.filter(|_| findings.is_sound()) {
        room::check_plans(kind, &around, refused.unwrap_or_default(), findings);
    }
    if !findings.is_sound() {
        return None;
    }
    let mut level_weights = spec.benchmark.level_weights.clone();
    if search.early_abort {
        let even = vec![1.0; workload.level_count()];
        workload.run_heaviest_first(level_weights.get_or_insert(even));
    }
    Some(Task {
        name: spec.task_name.clone(),
        description: spec.description.clone(),
        deployment,
        engine: kind?,
        model,
        settings,
        resources,
        cluster,
        space: space?,
        search,
        workload,
        level_weights,
        tokenizer: spec.benchmark.model_tokenizer.clone(),
        slos: slos.unwrap_or_default(),
    })
}

/// The name becomes part of file names and addresses.
fn check_name(name: &str, findings: &Findings) {
    let path = "task_name";
    let count = name.chars().count();
    if name.trim().is_empty() {
        findings.refuse(Problem::new(path, "is empty").with_hint("give the task a name of its own"));
    } else if count > LONGEST_NAME {
        findings.refuse(Problem::new(
            path,
            format!("has {count} characters; at most {LONGEST_NAME}"),
        ));
    } else if name.contains(['/', '\\']) || name.contains(char::is_control) || name.starts_with('.') {
        let message = format!(
            "\"{}\" cannot be part of a file name",
            shorten(&name.escape_debug().to_string())
        );
        let hint = "leave out slashes, control characters and a leading dot";
        findings.refuse(Problem::new(path, message).with_hint(hint));
    } else if name.trim() != name {
        findings.refuse(Problem::new(path, "begins or ends with a space"));
    }
}

fn model(spec: &ModelSpec, served_name: Option<&str>, findings: &Findings) -> Model {
    rules::argument("model.id_or_path", &spec.id_or_path, findings);
    let namespace = spec.namespace.as_deref().unwrap_or(USUAL_NAMESPACE);
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_sound = namespace.starts_with(|c: char| c.is_ascii_alphanumeric())
        && namespace.chars().all(is_inside)
        && namespace.len() <= LONGEST_NAMESPACE;
    if !is_sound {
        let message = format!(
            "\"{}\" cannot be the prefix of a container name",
            shorten(namespace)
        );
        let hint = "use at most 63 letters, digits, dashes, dots and underscores, a letter or digit first";
        findings.refuse(Problem::new("model.namespace", message).with_hint(hint));
    }
    Model {
        id_or_path: spec.id_or_path.clone(),
        namespace: namespace.to_owned(),
        served_name: served_name.unwrap_or(&spec.id_or_path).to_owned(),
    }
}

fn engine_settings(spec: &TaskSpec, kind: Option<EngineKind>, findings: &Findings) -> EngineSettings {
    let nothing = EngineSpec::default();
    let given = spec.engine.as_ref().unwrap_or(&nothing);
    given.check(findings);
    if let Some(tag) = &spec.runtime_image_tag {
        engine::check_tag("runtime_image_tag", tag, findings);
    }
    if let Some(image) = &spec.runtime_image {
        rules::argument("runtime_image", image, findings);
        engine::check_image("runtime_image", image, findings);
        if given.image.as_ref().is_some_and(|other| other != image) {
            let problem = Problem::new("runtime_image", "differs from engine.image, which means the same");
            findings.refuse(problem.with_hint("leave one of them away"));
        }
    }
    let image = given.image.clone().or_else(|| spec.runtime_image.clone());
    if kind == Some(EngineKind::Custom) && given.program.is_none() && image.is_none() {
        let problem = Problem::new("engine.program", "is missing: custom has no usual program");
        findings
            .refuse(problem.with_hint("give engine.program for the local mode or engine.image for docker"));
    }
    EngineSettings {
        program: given.program.clone(),
        image,
        image_tag: spec.runtime_image_tag.clone(),
        args: given.args.clone().unwrap_or_default(),
        env: given.env.clone().unwrap_or_default(),
        ready_path: given.ready_path.clone(),
        start_timeout: given
            .start_timeout
            .map(|value| rules::seconds("engine.start_timeout", value, findings)),
        checkpoint: quant::said_of(&spec.model),
        model_path: None,
    }
}

/// An experiment that is cut off before its levels are through measures nothing.
fn warn_of_short_timeout(search: &SearchSettings, workload: &Workload, findings: &Findings) {
    let levels = u32::try_from(workload.level_count()).unwrap_or(u32::MAX);
    let longest = workload.max_time_per_level.saturating_mul(levels);
    if longest > search.timeout_per_iteration {
        let message = format!(
            "{levels} levels may measure for {} seconds, but an experiment ends after {}",
            longest.as_secs(),
            search.timeout_per_iteration.as_secs()
        );
        findings.warn(
            Problem::new("optimization.timeout_per_iteration", message)
                .with_hint("raise it, or lower benchmark.max_time_per_iteration"),
        );
    }
}

/// A measurement is only ever given up between two levels.
fn warn_of_nothing_to_abort(search: &SearchSettings, workload: &Workload, findings: &Findings) {
    if search.early_abort && workload.level_count() == 1 {
        findings.warn(
            Problem::new(
                "optimization.early_abort",
                "has no effect: there is only one level",
            )
            .with_hint("give benchmark.num_concurrency more than one value, or leave it out"),
        );
    }
}

/// A pace of tokens needs answers of two at least, at every level that counts.
fn check_pace_is_measured(
    spec: &TaskSpec,
    search: &SearchSettings,
    workload: &Workload,
    slos: Option<&SloPolicy>,
    findings: &Findings,
) {
    let is_sought = search.objective == Objective::MinimizeTpot;
    let is_compromise = search.pareto.contains(&Objective::MinimizeTpot);
    let bounds = slos.map_or(&[][..], |slos| &slos.bounds);
    let path = match bounds.iter().any(|slo| matches!(slo.metric, SloMetric::Tpot(_))) {
        _ if is_sought => "optimization.objective",
        _ if is_compromise => "optimization.pareto",
        true => "slo.tpot",
        false => return,
    };
    let weights = spec.benchmark.level_weights.as_deref().unwrap_or_default();
    let counts = |index: usize| {
        let levels = workload.loads().len();
        let weights = weights.get(index * levels..(index + 1) * levels);
        weights.is_none_or(|weights| weights.iter().any(|weight| *weight > 0.0))
    };
    let mut scenarios = workload.scenarios.iter().enumerate();
    let is_too_short = |scenario: &Scenario| matches!(scenario.most_output(), Some(0 | 1));
    if let Some((_, scenario)) = scenarios.find(|(index, it)| is_too_short(it) && counts(*index)) {
        let are = match scenario.most_output() {
            Some(0) => "are no text",
            _ => "are one token long",
        };
        let message = format!("answers of {scenario} {are}, so they have no time per token");
        let hint = "ask for longer answers, or for another metric";
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}
