//! A custom engine: a program or an image that the task describes itself.
//!
//! The one idea: `engine.args` is the command line with places left open, `{host}`, `{port}`,
//! `{model}` and `{served_model_name}`, as whole arguments or within them. Parameters follow
//! as `--name value`, spelt as the user spelt them. Of such a program we know nothing, so
//! nothing is run to ask for its version or flags.

use std::time::Duration;

use super::advice::Advice;
use super::assemble::{Problems, check_name, containered, local, ready_paths};
use super::dialect::{DashedValues, Dialect, Spelling};
use super::fixed::Group;
use super::flags::{Flag, path_of};
use super::parallel::Own;
use super::{
    Arg, Engine, EngineKind, LaunchPlan, Limits, PlanRequest, Program, checkpoint, environment, files, fixed,
    flags, portable,
};
use crate::problem::Problem;
use crate::space::{Candidate, Target};
use crate::task::{DeploymentMode, EngineSettings, Model};

/// The engine; it has no state.
#[derive(Debug)]
pub(crate) struct Custom;

static DIALECT: Dialect = Dialect {
    catalogue: &[],
    aliases: &[],
    reserved: &["host", "port", "api-key"],
    reserved_variables: &[],
    spelling: Spelling::AsWritten,
    dashed_values: DashedValues::Joined,
    abbreviates: false,
};

static ADVICE: Advice = Advice {
    device_memory: "let the engine use less GPU memory, or give it more GPUs",
    cache_memory: "shorten the longest context, or let the engine use more GPU memory",
    free_memory: "let the engine use less GPU memory, or free the GPU of other processes",
    host_memory: "raise resources.memory",
    precision: "choose types and a quantization that this GPU and model support",
    parallel: "check the GPUs' connection, or use fewer of them",
};

const READY_PATHS: &[&str] = &["/health", "/v1/models"];
const START_TIMEOUT: Duration = Duration::from_secs(600);

impl Engine for Custom {
    fn kind(&self) -> EngineKind {
        EngineKind::Custom
    }

    fn plan(&self, request: &PlanRequest<'_>) -> Result<LaunchPlan, Vec<Problem>> {
        let PlanRequest {
            model,
            settings,
            resources,
            candidate,
            deployment,
        } = *request;
        let mut problems = Problems::default();
        problems.check(check_name("model.id_or_path", "model", &model.id_or_path));
        problems.check(check_name(
            "benchmark.model_name",
            "served model name",
            &model.served_name,
        ));
        problems.0.extend(fixed::check_text(&settings.args));
        let groups = fixed::groups(&DIALECT, &settings.args);
        problems
            .0
            .extend(check_places(&settings.args, &groups, candidate));
        let own = problems.take(flags::compile(&DIALECT, candidate));
        let words = portable::compile(
            EngineKind::Custom,
            &DIALECT,
            checkpoint::method(&settings.checkpoint, &model.id_or_path),
            &Own::default(),
            candidate,
        );
        let flags = portable::beside(own, problems.take(words));
        let env = problems.take(environment::compile(&DIALECT, settings, candidate));
        let gpus = resources.gpus.unwrap_or(0);
        problems.check(environment::check_devices(settings, gpus));
        let ready_paths = problems.check(ready_paths(settings, READY_PATHS));
        let program = problems.finish(program(settings, deployment))?;
        let placed = files::place(request);
        Ok(LaunchPlan {
            program,
            args: arguments(model, &placed.name, groups, flags),
            env,
            gpus,
            ready_paths,
            served_model_name: model.served_name.clone(),
            start_timeout: settings.start_timeout.unwrap_or(START_TIMEOUT),
            mounts: placed.mounts,
            uses_hub: placed.from_hub && deployment != DeploymentMode::Local,
            limits: Limits::of(resources),
        })
    }

    fn version_args(&self) -> &'static [&'static str] {
        &[]
    }

    fn help_args(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn advice(&self) -> &'static Advice {
        &ADVICE
    }
}

fn program(settings: &EngineSettings, deployment: DeploymentMode) -> Result<Program, Problem> {
    match (deployment, &settings.program) {
        (DeploymentMode::Local, None) => Err(Problem::new(
            "engine.program",
            "a custom engine in local mode needs a program",
        )
        .with_hint("name it in engine.program")),
        (DeploymentMode::Local, Some(program)) => local(settings, program),
        (DeploymentMode::Docker | DeploymentMode::Kubernetes, None) => containered(settings, None, None),
        (DeploymentMode::Docker | DeploymentMode::Kubernetes, Some(program)) => {
            check_name("engine.program", "program", program)?;
            containered(settings, None, Some(&[program]))
        }
    }
}

/// The port must have a place, and what stands in a place is not for parameters to set.
fn check_places(arguments: &[String], groups: &[Group], candidate: &Candidate) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !arguments.iter().any(|argument| argument.contains("{port}")) {
        problems.push(
            Problem::new(fixed::PATH, "nothing tells the engine its port").with_hint(
                "write {port} where the port belongs, for example \"--port\", \"{port}\" or \"--listen={host}:{port}\"",
            ),
        );
    }
    for (parameter, _) in candidate.iter() {
        let Target::Flag(spelt) = parameter.target() else {
            continue;
        };
        let name = DIALECT.resolve(spelt).name;
        let is_taken = groups.iter().any(|group| {
            group.name.as_deref() == Some(&name) && group.arguments.iter().any(|argument| has_place(argument))
        });
        if is_taken && DIALECT.reserved(&name).is_none() {
            let message = format!("--{name} is filled in by the product, as engine.args says");
            problems.push(Problem::new(path_of(parameter), message).with_hint("leave the parameter out"));
        }
    }
    problems
}

fn arguments(model: &Model, placed: &str, groups: Vec<Group>, flags: Vec<Flag>) -> Vec<Arg> {
    let fixed = fixed::kept(groups, &flags)
        .into_iter()
        .flat_map(|group| group.arguments);
    let tuned = flags.into_iter().flat_map(|flag| flag.arguments);
    fixed
        .map(|argument| fill(model, placed, &argument))
        .chain(tuned.map(Arg::from))
        .collect()
}

const PLACES: [&str; 4] = ["{host}", "{port}", "{model}", "{served_model_name}"];

fn has_place(argument: &str) -> bool {
    PLACES.iter().any(|place| argument.contains(place))
}

/// The argument with model and name put in, and host and port left open.
fn fill(model: &Model, placed: &str, argument: &str) -> Arg {
    let mut parts: Vec<Arg> = Vec::new();
    let mut rest = argument;
    while let Some((at, place)) = next_place(rest) {
        append(&mut parts, &rest[..at]);
        match place {
            "{host}" => parts.push(Arg::Host),
            "{port}" => parts.push(Arg::Port),
            "{model}" => append(&mut parts, placed),
            _ => append(&mut parts, &model.served_name),
        }
        rest = &rest[at + place.len()..];
    }
    append(&mut parts, rest);
    match parts.len() {
        0 => "".into(),
        1 => parts.remove(0),
        _ => Arg::Template(parts),
    }
}

/// Adds text to the last part if that is text, so that equal arguments have equal parts.
fn append(parts: &mut Vec<Arg>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Arg::Literal(last)) => last.push_str(text),
        _ => parts.push(text.into()),
    }
}

fn next_place(text: &str) -> Option<(usize, &'static str)> {
    PLACES
        .into_iter()
        .filter_map(|place| text.find(place).map(|at| (at, place)))
        .min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_wherever_they_stand() {
        let model = Model {
            id_or_path: "/m/{port}".into(),
            namespace: "n".into(),
            served_name: "name".into(),
        };
        let check = |argument: &str, expected: Arg| {
            assert_eq!(fill(&model, &model.id_or_path, argument), expected, "{argument}");
        };
        check("{host}", Arg::Host);
        check("{port}", Arg::Port);
        check(
            "--listen={host}:{port}",
            Arg::Template(vec!["--listen=".into(), Arg::Host, ":".into(), Arg::Port]),
        );
        check("{model}", "/m/{port}".into());
        check("--model={model}", "--model=/m/{port}".into());
        check("{served_model_name}!", "name!".into());
        check("{\"a\": {}}", "{\"a\": {}}".into());
        check("", "".into());
    }
}
