//! What a task may ask for depends on who asks.
//!
//! The one idea: an operator tunes engines and is given no other power over the machine. So a
//! task that comes over the network may not choose which code runs (programs, plugins, pickled
//! weights, variables of loaders), which files are read or written, or whom the engine talks to,
//! unless an admin sends it or the configuration lists it. Address and keys are nobody's to set.
//!
//! A pure judgement of a document. Whether a path is really where it seems to be is for who
//! opens it; what an image may be is the deployer's own policy.

mod table;
#[cfg(test)]
mod tests;

use std::path::{Component, Path, PathBuf};

use autotuner_core::engine::{Engine, EngineKind};
use autotuner_core::problem::Problem;
use autotuner_core::serving::{Service, ServiceKind};
use autotuner_core::space::{ParameterName, Target};
use autotuner_core::spec::{EngineSpec, ParameterSpec, ParameterValues, TaskSpec};
use autotuner_core::task::{DeploymentMode, Task};
use autotuner_core::workload::Sources;
use autotuner_store::Role;
use serde_json::Value;

use crate::config::Config;
use crate::datasets;
use crate::worker::secret::is_secret;
use table::Verdict;

/// What the configuration lets operators name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permits {
    /// Programs, and images for the engine `custom`, exactly as tasks name them.
    pub(crate) programs: Vec<String>,
    /// Directories whose files a task may name.
    pub(crate) directories: Vec<PathBuf>,
}

impl Permits {
    /// What this configuration lets operators name.
    pub(crate) fn of(config: &Config) -> Self {
        let own = std::iter::once(&config.model_dir);
        Self {
            programs: config.allowed_programs.clone(),
            directories: own.chain(&config.allowed_model_dirs).cloned().collect(),
        }
    }
}

/// Everything that a task asks for and that who asks may not.
pub(crate) fn check(spec: &TaskSpec, task: &Task, role: Role, permits: &Permits) -> Vec<Problem> {
    let asked = Asked {
        engine: task.engine.engine(),
        role,
        permits,
    };
    let mut problems = Vec::new();
    if role < Role::Admin {
        problems.extend(asked.program(spec, task));
        problems.extend(asked.model(task));
        problems.extend(asked.sources(task));
        problems.extend(asked.cluster(task));
    }
    for (written, values) in &spec.parameters.0 {
        asked.parameter(written, values, &mut problems);
    }
    let nothing = EngineSpec::default();
    let engine = spec.engine.as_ref().unwrap_or(&nothing);
    asked.arguments(engine.args.as_deref().unwrap_or_default(), &mut problems);
    for (name, value) in engine.env.iter().flatten() {
        let path = format!("engine.env.{name}");
        problems.extend(asked.variable(&path, name, [value.as_str()]));
    }
    problems
}

/// A question about one task.
struct Asked<'a> {
    engine: &'static dyn Engine,
    role: Role,
    permits: &'a Permits,
}

impl Asked<'_> {
    fn is_admin(&self) -> bool {
        self.role >= Role::Admin
    }

    /// Programs run on this machine itself, and of a custom engine nothing at all is known.
    fn program(&self, spec: &TaskSpec, task: &Task) -> Option<Problem> {
        let is_listed = |name: &str| self.permits.programs.iter().any(|listed| listed == name);
        let refuse = |path: &str, what: &str, name: &str| {
            let message = format!("the {what} {name:?} is not among those that operators may name");
            let hint = "list it in allowed_programs of the server's configuration, or let an admin do it";
            Some(Problem::new(path, message).with_hint(hint))
        };
        if let Some(program) = &task.settings.program
            && !is_listed(program)
        {
            return refuse("engine.program", "program", program);
        }
        let is_contained = task.deployment != DeploymentMode::Local;
        match &task.settings.image {
            Some(image) if is_contained && task.engine == EngineKind::Custom && !is_listed(image) => {
                let path = match spec.runtime_image {
                    Some(_) => "runtime_image",
                    None => "engine.image",
                };
                refuse(path, "image", image)
            }
            _ => None,
        }
    }

    /// A model is a file that the engine reads, and some formats are code.
    fn model(&self, task: &Task) -> Option<Problem> {
        let named = task.model.id_or_path.as_str();
        let is_plain_name = !named.contains(['/', '\\']) && named != "." && named != "..";
        let claim = task.cluster.claim.as_ref();
        let is_claimed = task.deployment == DeploymentMode::Kubernetes
            && claim.is_some_and(|claim| Path::new(named).starts_with(&claim.mount_path))
            && !Path::new(named)
                .components()
                .any(|part| part == Component::ParentDir);
        let is_of_hub = task.engine != EngineKind::LlamaCpp && is_hub_id(named);
        if is_plain_name || is_of_hub || is_claimed || self.is_inside(named) {
            return None;
        }
        let is_path = named.starts_with(['/', '.', '~']) || task.engine != EngineKind::Sim;
        is_path.then(|| {
            let message = format!("{named:?} is no model that operators may name");
            Problem::new("model.id_or_path", message).with_hint(self.places())
        })
    }

    /// What in a cluster gives an engine rights or secrets, or a place before others.
    fn cluster(&self, task: &Task) -> Vec<Problem> {
        let settings = &task.cluster;
        let asked = [
            ("service_account", settings.service_account.is_some()),
            ("hub_token", settings.hub_token.is_some()),
            ("image_pull_secrets", !settings.image_pull_secrets.is_empty()),
            ("priority_class", settings.priority_class.is_some()),
        ];
        let asked = asked.into_iter().filter(|(_, is_asked)| *is_asked);
        let asked = asked.map(|(key, _)| format!("kubernetes.{key}"));
        let of_service = settings.service.iter().flat_map(for_admins_in);
        let refused = asked.chain(of_service).map(|path| {
            Problem::new(path, "is for admins to name")
                .with_hint("leave it out, or let an admin send the task")
        });
        refused.collect()
    }

    /// Files of prompts and of recorded starts: their texts go to the engine.
    fn sources(&self, task: &Task) -> Vec<Problem> {
        let Sources { dataset, trace } = &task.workload.sources;
        let named = [
            ("benchmark.dataset_url", dataset),
            ("benchmark.arrival.trace", trace),
        ];
        let refused = named.iter().filter_map(|(path, source)| {
            let place = source.as_ref().map(|source| source.place.as_str())?;
            let file = Path::new(datasets::path_of(place));
            let is_plain = file.components().all(|part| matches!(part, Component::Normal(_)));
            // What has no beginning is looked for below the model directory.
            let is_permitted = !datasets::is_file(place)
                || is_plain
                || file.to_str().is_some_and(|file| self.is_inside(file));
            (!is_permitted).then(|| {
                let message = format!("{place:?} is no file that operators may name");
                Problem::new(*path, message).with_hint(self.places())
            })
        });
        refused.collect()
    }

    fn places(&self) -> String {
        let places: Vec<String> = self
            .permits
            .directories
            .iter()
            .map(|directory| directory.display().to_string())
            .collect();
        format!(
            "name a path below {}, the server's model_dir and allowed_model_dirs; an admin may name others",
            places.join(" or ")
        )
    }

    fn parameter(&self, written: &str, spec: &ParameterSpec, problems: &mut Vec<Problem>) {
        let name = ParameterName::new(written);
        let path = format!("parameters.{written}");
        let values: Vec<&Value> = match &spec.values {
            ParameterValues::List(values) => values.iter().collect(),
            ParameterValues::Range(_) => Vec::new(),
        };
        let texts: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
        match name.target() {
            Target::Environment(variable) if is_secret(variable) => {
                let message =
                    format!("{variable} reads like a secret, and what is tuned is shown to everybody");
                let problem = Problem::new(path, message);
                problems.push(problem.with_hint("set it in engine.env, where it is not shown"));
            }
            Target::Environment(variable) => problems.extend(self.variable(&path, variable, texts)),
            Target::Flag(flag) => problems.extend(self.flag(&path, flag, &texts)),
            Target::Quantization(_) | Target::Parallel(_) => {}
        }
    }

    /// The task's own arguments: every flag with the arguments up to the next one.
    fn arguments(&self, arguments: &[String], problems: &mut Vec<Problem>) {
        let mut rest = arguments.iter().enumerate().peekable();
        while let Some((index, argument)) = rest.next() {
            let path = format!("engine.args[{index}]");
            if !is_flag(argument) {
                problems.extend(self.text(&path, argument));
                continue;
            }
            let (flag, joined) = match argument.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (argument.as_str(), None),
            };
            let mut values: Vec<&str> = joined.into_iter().collect();
            while joined.is_none()
                && let Some((_, value)) = rest.next_if(|(_, next)| !is_flag(next))
            {
                values.push(value);
            }
            problems.extend(self.flag(&path, flag, &values));
        }
    }

    /// One flag, and the texts that it is given.
    fn flag(&self, path: &str, spelt: &str, values: &[&str]) -> Option<Problem> {
        let name = self.engine.flag_name(spelt);
        let whole = name.split_once('.').map_or(name.as_str(), |(whole, _)| whole);
        let key = name.split_once('.').map(|(_, key)| key);
        match table::flag(self.engine, whole, values) {
            // A custom engine is told of its address in its arguments, with a place left open.
            Verdict::Never(_) if values.iter().any(|value| matches!(*value, "{host}" | "{port}")) => {}
            Verdict::Never(why) => {
                let problem = Problem::new(path, format!("--{whole} is nobody's to set: {why}"));
                return Some(problem.with_hint("leave it out"));
            }
            Verdict::Admin(why) if !self.is_admin() => {
                return Some(for_admins(path, format!("--{whole} {why}")));
            }
            Verdict::Admin(_) | Verdict::Anybody => {}
        }
        if let Some(why) = key.and_then(|key| key.rsplit('.').next()).and_then(table::key)
            && !self.is_admin()
        {
            return Some(for_admins(path, format!("--{name} {why}")));
        }
        values.iter().find_map(|value| self.text(path, value))
    }

    fn variable<'b>(
        &self,
        path: &str,
        name: &str,
        values: impl IntoIterator<Item = &'b str>,
    ) -> Option<Problem> {
        let values: Vec<&str> = values.into_iter().collect();
        // llama.cpp reads its flags from variables, too.
        if let Some(flag) = name.strip_prefix("LLAMA_ARG_") {
            return self.flag(path, &flag.to_ascii_lowercase(), &values);
        }
        match table::variable(name) {
            Some(why) if !self.is_admin() => Some(for_admins(path, format!("{name} {why}"))),
            _ if is_secret(name) => None,
            _ => values.iter().find_map(|value| self.text(path, value)),
        }
    }

    /// A text that an engine is given: a path of a file elsewhere, or settings as JSON with
    /// something in them that is not for operators.
    fn text(&self, path: &str, text: &str) -> Option<Problem> {
        if self.is_admin() {
            return None;
        }
        if text.trim_start().starts_with(['{', '['])
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            return self.settings(path, &value);
        }
        let outside = paths_in(text).find(|named| !self.is_inside(named))?;
        let message = format!("{outside:?} is no file that operators may name");
        Some(Problem::new(path, message).with_hint(self.places()))
    }

    fn settings(&self, path: &str, value: &Value) -> Option<Problem> {
        match value {
            Value::Object(keys) => keys.iter().find_map(|(name, value)| match table::key(name) {
                Some(why) => Some(for_admins(path, format!("its key {name} {why}"))),
                None => self.settings(path, value),
            }),
            Value::Array(values) => values.iter().find_map(|value| self.settings(path, value)),
            Value::String(text) => self.text(path, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn is_inside(&self, named: &str) -> bool {
        let path = Path::new(named);
        let is_plain = path
            .components()
            .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        path.is_absolute()
            && is_plain
            && self
                .permits
                .directories
                .iter()
                .any(|directory| path.starts_with(directory))
    }
}

/// What of a service reaches beyond its own pod: what is made for the whole cluster, what operators
/// are told to do, and addresses that they fetch from with rights of their own.
fn for_admins_in(service: &Service) -> Vec<String> {
    let objects = service.objects.iter().map(|object| object.kind.key().to_owned());
    let mut paths: Vec<String> = objects.collect();
    if !service.annotations.is_empty() {
        paths.push("kubernetes.service.annotations".into());
    }
    let is_of_hub = |address: &str| address.strip_prefix("hf://").is_some_and(is_hub_id);
    if let (ServiceKind::Kserve, Some(address)) = (service.kind, &service.model)
        && !is_of_hub(address)
    {
        paths.push("kubernetes.service.model".into());
    }
    paths
}

fn for_admins(path: &str, message: String) -> Problem {
    Problem::new(path, message).with_hint("only an admin may set it")
}

/// Whether an argument reads as a flag: dashes and then a letter.
fn is_flag(argument: &str) -> bool {
    argument.starts_with('-')
        && argument
            .trim_start_matches('-')
            .starts_with(|first: char| first.is_ascii_alphabetic())
}

/// What in a text reads as the path of a file: `name=/path`, lists of paths, `file:` URLs.
fn paths_in(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_whitespace() || "=,;|\"'@".contains(c);
    let pieces = text.split(is_between).flat_map(|piece| {
        let is_url = piece.contains("://") && !piece.to_ascii_lowercase().contains("file:");
        let rest = (!is_url).then(|| piece.split(':')).into_iter().flatten();
        rest.filter(|part| !part.is_empty())
    });
    pieces.filter(|part| is_path(part))
}

fn is_path(text: &str) -> bool {
    text.starts_with(['/', '~'])
        || text == ".."
        || text.starts_with("./")
        || text.starts_with("../")
        || text.contains("/../")
        || text.ends_with("/..")
}

/// `organisation/name`, both of letters, digits, `-`, `_` and `.`.
fn is_hub_id(named: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    matches!(named.split_once('/'), Some((organisation, name)) if is_part(organisation) && is_part(name))
}
