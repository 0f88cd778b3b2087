//! The steps that all engines share on the way from candidate to launch plan.
//!
//! The one idea: an engine is a [`Recipe`], its base arguments, and a rule for GPUs; the
//! order of arguments is always the engine's own, the task's, the candidate's. Every step's
//! problems are collected, so a user sees all at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dialect::Dialect;
use super::files::Placed;
use super::fixed::Group;
use super::flags::Flag;
use super::parallel::{Own, OwnSizes};
use super::text::has_control;
use super::world::{self, Settled};
use super::{
    Arg, EngineKind, LaunchPlan, Limits, PlanRequest, Program, checkpoint, environment, fixed, flags, image,
    portable,
};
use crate::problem::Problem;
use crate::task::{DeploymentMode, EngineSettings};

/// How one engine is started.
pub(crate) struct Recipe {
    /// Which engine it is.
    pub(crate) kind: EngineKind,
    /// How it spells its flags.
    pub(crate) dialect: &'static Dialect,
    /// The program in local mode, when the task names none.
    pub(crate) program: &'static str,
    /// Arguments before all others, in local mode and, after the image's own entrypoint, in
    /// an image without an entrypoint of ours.
    pub(crate) first_arguments: &'static [&'static str],
    /// The usual image for this many GPUs, if there is one.
    pub(crate) image: fn(gpus: u32) -> Option<&'static str>,
    /// Program and first arguments inside the image. Set wherever we know them: an image's
    /// own entrypoint may already be the program, or not, and changes between releases.
    pub(crate) entrypoint: Option<&'static [&'static str]>,
    /// Asked for readiness, after the task's own path.
    pub(crate) ready_paths: &'static [&'static str],
    /// Longest time from start to ready, when the task names none.
    pub(crate) start_timeout: Duration,
    /// Whether it fetches models that are not here from a hub.
    pub(crate) has_hub: bool,
    /// GPUs that the settled flags need.
    pub(crate) gpus: fn(&Settled) -> Result<u32, Problem>,
}

/// The plan for a request.
///
/// `base` holds what every configuration of the engine is told, model and address above all;
/// `placed` says how the model is there for it.
///
/// # Errors
/// Everything that is wrong with the request.
pub(crate) fn assemble(
    recipe: &Recipe,
    request: &PlanRequest<'_>,
    placed: Placed,
    base: Vec<Arg>,
    served_model_name: String,
) -> Result<LaunchPlan, Vec<Problem>> {
    let PlanRequest {
        model,
        settings,
        resources,
        candidate,
        deployment,
    } = *request;
    let dialect = recipe.dialect;
    let mut problems = Problems::default();
    problems.check(check_name("model.id_or_path", "model", &model.id_or_path));
    problems.check(check_name(
        "benchmark.model_name",
        "served model name",
        &served_model_name,
    ));
    problems.0.extend(fixed::check(dialect, &settings.args));
    let groups = fixed::groups(dialect, &settings.args);
    let own = problems.take(flags::compile(dialect, candidate));
    let sizes = own_sizes(recipe.kind, &groups, &own);
    let checkpoint = checkpoint::method(&settings.checkpoint, &model.id_or_path);
    let words = portable::compile(recipe.kind, dialect, checkpoint, &sizes, candidate);
    let words = problems.take(words);
    let flags = portable::beside(own, words);
    let env = problems.take(environment::compile(dialect, settings, candidate));
    let has_other_sources = has_other_sources(&groups, &flags, &env);
    let flags = portable::silent_defaults(recipe.kind, dialect, has_other_sources, flags);
    let ready_paths = problems.check(ready_paths(settings, recipe.ready_paths));

    let kept = fixed::kept(groups, &flags);
    let needed = problems.check((recipe.gpus)(&Settled::new(&kept, &flags)));
    let gpus = problems.check(world::gpus(resources, needed));
    problems.check(environment::check_devices(settings, gpus));
    let program = match deployment {
        DeploymentMode::Local => local(settings, recipe.program),
        DeploymentMode::Docker | DeploymentMode::Kubernetes => {
            containered(settings, (recipe.image)(gpus), recipe.entrypoint)
        }
    };
    let program = problems.finish(program)?;
    let has_entrypoint = matches!(
        program,
        Program::Image {
            entrypoint: Some(_),
            ..
        }
    );
    let first = if has_entrypoint {
        &[]
    } else {
        recipe.first_arguments
    };
    let first = first.iter().map(|argument| Arg::from(*argument));
    let fixed = kept.into_iter().flat_map(|group| group.arguments).map(Arg::from);
    let tuned = flags.into_iter().flat_map(|flag| flag.arguments).map(Arg::from);
    Ok(LaunchPlan {
        program,
        args: first.chain(base).chain(fixed).chain(tuned).collect(),
        env,
        gpus,
        ready_paths,
        served_model_name,
        start_timeout: settings.start_timeout.unwrap_or(recipe.start_timeout),
        mounts: placed.mounts,
        uses_hub: placed.from_hub && recipe.has_hub,
        limits: Limits::of(resources),
    })
}

/// Whether flags may be set by a file of options or by variables too.
fn has_other_sources(groups: &[Group], flags: &[Flag], env: &BTreeMap<String, String>) -> bool {
    const FILES: [&str; 2] = ["config", "extra-llm-api-options"];
    let fixed = groups.iter().filter_map(|group| group.name.as_deref());
    let mut names = fixed.chain(flags.iter().map(|flag| flag.name.as_str()));
    names.any(|name| FILES.contains(&name)) || env.keys().any(|name| name.starts_with("LLAMA_ARG_"))
}

/// The parallel sizes that the engine's own flags set.
fn own_sizes(kind: EngineKind, groups: &[Group], flags: &[Flag]) -> Own {
    let (fixed, tuned) = (Settled::new(groups, &[]), Settled::new(&[], flags));
    let kept = Settled::new(&fixed::kept(groups.to_vec(), flags), flags);
    Own {
        fixed: OwnSizes::of(kind, |flag| fixed.get(flag)),
        tuned: OwnSizes::of(kind, |flag| tuned.get(flag)),
        attention_copies: kept.is_on("enable-dp-attention"),
    }
}

/// Problems collected on the way, so that a user sees all of them.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    /// The value, or its default with the problems kept for the end.
    pub(crate) fn take<T: Default>(&mut self, step: Result<T, Vec<Problem>>) -> T {
        step.unwrap_or_else(|problems| {
            self.0.extend(problems);
            T::default()
        })
    }

    /// The same for a step with one problem at most.
    pub(crate) fn check<T: Default>(&mut self, step: Result<T, Problem>) -> T {
        self.take(step.map_err(|problem| vec![problem]))
    }

    /// The last step's value, if no step had a problem.
    pub(crate) fn finish<T>(mut self, step: Result<T, Problem>) -> Result<T, Vec<Problem>> {
        match step {
            Ok(value) if self.0.is_empty() => Ok(value),
            Ok(_) => Err(self.0),
            Err(problem) => {
                self.0.push(problem);
                Err(self.0)
            }
        }
    }
}

/// The paths to ask for readiness: the task's first, none twice.
pub(crate) fn ready_paths(settings: &EngineSettings, usual: &[&str]) -> Result<Vec<String>, Problem> {
    let mut paths: Vec<String> = Vec::new();
    if let Some(path) = &settings.ready_path {
        if !path.starts_with('/') || has_control(path) || path.contains(' ') {
            return Err(
                Problem::new("engine.ready_path", format!("{path:?} is not the path of a URL"))
                    .with_hint("write it like /health"),
            );
        }
        paths.push(path.clone());
    }
    for path in usual {
        if !paths.iter().any(|known| known == path) {
            paths.push((*path).to_owned());
        }
    }
    Ok(paths)
}

/// The program on this machine.
pub(crate) fn local(settings: &EngineSettings, usual: &str) -> Result<Program, Problem> {
    let program = settings.program.as_deref().unwrap_or(usual);
    check_name("engine.program", "program", program)?;
    Ok(Program::Local(program.to_owned()))
}

/// The image: the task's or the usual one, with the task's tag.
pub(crate) fn containered(
    settings: &EngineSettings,
    usual: Option<&str>,
    entrypoint: Option<&[&str]>,
) -> Result<Program, Problem> {
    let Some(reference) = settings.image.as_deref().or(usual) else {
        return Err(Problem::new("engine.image", "this engine has no usual image")
            .with_hint("name one in engine.image, or use deployment_mode local"));
    };
    image::check(reference)?;
    let reference = match &settings.image_tag {
        Some(tag) => image::with_tag(reference, tag)?,
        None => reference.to_owned(),
    };
    let entrypoint = entrypoint.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
    Ok(Program::Image {
        reference,
        entrypoint,
    })
}

/// Refuses what a program would not take for a name, a flag's look above all.
pub(crate) fn check_name(path: &str, what: &str, name: &str) -> Result<(), Problem> {
    let reason = if name.trim().is_empty() {
        "is empty"
    } else if has_control(name) {
        "holds a line break or another control character"
    } else if name.starts_with('-') {
        "begins with a dash, so the engine would take it for a flag"
    } else {
        return Ok(());
    };
    Err(Problem::new(path, format!("the {what} {name:?} {reason}"))
        .with_hint(format!("give the {what} by its name")))
}
