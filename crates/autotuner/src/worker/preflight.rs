//! Before the first experiment: everything that would fail each of them the same way.
//!
//! A missing model, a missing program, a mode or a strategy that this version does not have:
//! the task fails at once, with every problem told, and no engine is started.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use autotuner_core::engine::{Diagnosis, Engine, EngineKind};
use autotuner_core::problem::Problem;
use autotuner_core::search::Strategy;
use autotuner_core::space::{Candidate, Size};
use autotuner_core::task::{DeploymentMode, Resources, Task};
use autotuner_deploy::gpu::GpuPool;
use autotuner_deploy::{DeployError, Watcher};
use tokio_util::sync::CancellationToken;

use super::cluster::misplaced;
use super::cluster::preflight as cluster_preflight;
use super::explain::remedy;
use super::probe::{EngineFacts, LONGEST_PROBE, probe};
use super::site::Ground;
use super::{chain, plan_request};
use crate::config::Config;
use crate::datasets::Library;

impl Places {
    /// The places of a server, to which its own current directory says nothing of what a task
    /// means by a relative path: everything is below the model directory.
    ///
    /// # Errors
    /// The system does not tell our own program's path.
    pub(crate) fn of_server(config: &Config) -> std::io::Result<Self> {
        Ok(Self {
            model_dir: config.model_dir.clone(),
            current_dir: config.model_dir.clone(),
            own_program: own_program()?,
            library: Library::of_server(&config.data_dir, &config.model_dir),
        })
    }
}

/// A task that can be started.
pub(crate) struct Prepared {
    /// The task, its model and program resolved.
    pub(crate) task: Task,
    /// Its engine.
    pub(crate) engine: &'static dyn Engine,
    /// Its strategy.
    pub(crate) strategy: &'static dyn Strategy,
    /// What the engine's program says of itself.
    pub(crate) facts: EngineFacts,
}

/// Where models and our own program are.
pub(crate) struct Places {
    /// Directory below which a model named without a slash is looked for.
    pub(crate) model_dir: PathBuf,
    /// What relative paths start from.
    pub(crate) current_dir: PathBuf,
    /// Our own program, which is also the simulated engine.
    pub(crate) own_program: PathBuf,
    /// From where data sets are read.
    pub(crate) library: Library,
}

/// Checks everything that a start needs.
///
/// # Errors
/// Every reason not to start.
pub(crate) async fn prepare(
    mut task: Task,
    places: &Places,
    ground: &Ground,
    gpus: &GpuPool,
    watcher: &dyn Watcher,
    cancel: &CancellationToken,
) -> Result<Prepared, Vec<Problem>> {
    let mut problems = misplaced(&task);
    match resolve_model(&task, places) {
        Ok(path) => task.model.id_or_path = path,
        Err(problem) => problems.push(problem),
    }
    let is_local = task.deployment == DeploymentMode::Local;
    if is_local && task.engine == EngineKind::Sim && task.settings.program.is_none() {
        task.settings.program = Some(places.own_program.display().to_string());
    }
    let engine = task.engine.engine();
    let plan = engine
        .plan(&plan_request(&task, &Candidate::engine_default()))
        .map_err(|refused| problems.extend(refused));
    let (Ok(plan), true) = (plan, problems.is_empty()) else {
        return Err(problems);
    };
    let strategy = task.search.strategy.strategy();
    let filling = places.library.fill(&mut task.workload, cancel);
    filling.await.map_err(|problem| vec![problem])?;
    let facts = match ground {
        Ground::Machine(deployer) => {
            if let Some(problem) = too_few_gpus(gpus, plan.gpus, cancel).await {
                return Err(vec![problem]);
            }
            if let Err(error) = deployer.prepare(&plan, watcher, cancel).await {
                return Err(vec![not_there(&task, &error)]);
            }
            probe(engine, |arguments| {
                deployer.ask(&plan, arguments, LONGEST_PROBE, cancel)
            })
            .await
        }
        Ground::Cluster(cluster) => {
            cluster_preflight::check(&task, engine, &plan, cluster).await?;
            // What the program says of itself could only be asked in the cluster.
            EngineFacts::default()
        }
    };
    if let Some(Diagnosis { evidence, advice, .. }) = &facts.unfit {
        let problem = Problem::new("engine.program", format!("cannot run here: {evidence}"));
        let advice = advice
            .as_deref()
            .unwrap_or("name another program in engine.program");
        return Err(vec![problem.with_hint(advice)]);
    }
    Ok(Prepared {
        task,
        engine,
        strategy,
        facts,
    })
}

/// GPUs that the engine's defaults already need and that this machine does not have.
async fn too_few_gpus(pool: &GpuPool, wanted: u32, cancel: &CancellationToken) -> Option<Problem> {
    if wanted == 0 {
        return None;
    }
    let (has, why) = match pool.survey(cancel).await {
        Ok(seen) => (seen.len(), String::new()),
        Err(error) => (0, format!(" ({})", chain(&error))),
    };
    if has >= usize::try_from(wanted).unwrap_or(usize::MAX) {
        return None;
    }
    let noun = if wanted == 1 { "GPU" } else { "GPUs" };
    let message = format!("the engine needs {wanted} {noun}, and this machine has {has}{why}");
    let hint = "lower the parallel sizes, or run on the CPU with resources.gpus: 0 where the engine can";
    Some(Problem::new("resources.gpus", message).with_hint(hint))
}

/// What is said of a target, a program or an image that is not there.
pub(crate) fn not_there(task: &Task, error: &DeployError) -> Problem {
    let is_local = task.deployment == DeploymentMode::Local;
    let path = match error {
        DeployError::TargetGone { .. } => "deployment_mode",
        DeployError::GpuRuntimeMissing { .. } => "resources.gpus",
        DeployError::Limit { option, .. } => option,
        // The cache of models that are fetched.
        DeployError::File { .. } if !is_local => "model.id_or_path",
        _ if is_local => "engine.program",
        _ => "engine.image",
    };
    let problem = Problem::new(path, chain(error));
    match (error, &task.settings.program) {
        (DeployError::ProgramMissing { .. } | DeployError::NotExecutable { .. }, Some(_)) if is_local => {
            problem.with_hint("check the path in engine.program")
        }
        _ => match remedy(error) {
            Some(remedy) => problem.with_hint(remedy),
            None => problem,
        },
    }
}

/// Largest space whose configurations are compared before a run.
const MOST_COMPARED: u128 = 5_000;

/// How many configurations of a small space start the engine exactly as another one of them,
/// or as its defaults do. Each such start is measured once; a user should know.
pub(crate) fn alike(prepared: &Prepared) -> Option<String> {
    let Prepared { task, engine, .. } = prepared;
    let Size::Finite(size @ 1..=MOST_COMPARED) = task.space.size() else {
        return None;
    };
    let identity = |candidate: &Candidate| {
        let plan = engine.plan(&plan_request(task, candidate)).ok()?;
        Some(plan.identity())
    };
    let mut seen: HashSet<String> = identity(&Candidate::engine_default()).into_iter().collect();
    let allowed = (0..size)
        .filter_map(|rank| task.space.nth(rank))
        .filter(|candidate| task.space.allows(candidate));
    let folded = allowed
        .filter_map(|candidate| identity(&candidate))
        .filter(|identity| !seen.insert(identity.clone()))
        .count();
    (folded > 0).then(|| {
        format!(
            "{folded} of {size} configurations start the engine exactly as another one or as its \
             defaults do; each start is measured once"
        )
    })
}

/// Limits that the task sets and that a local process is not held to.
pub(crate) fn unheeded(task: &Task) -> Option<String> {
    if task.deployment != DeploymentMode::Local {
        return None;
    }
    let Resources {
        gpus: _,
        cpus,
        memory_bytes,
    } = &task.resources;
    let limits: Vec<&str> = [
        cpus.map(|_| "resources.cpus"),
        memory_bytes.map(|_| "resources.memory"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!limits.is_empty()).then(|| format!("{} not applied to local processes", limits.join(" and ")))
}

/// Everything in a sound task for which it would be refused at its start: what its target cannot
/// do.
pub(crate) fn cannot_run_yet(task: &Task) -> Vec<Problem> {
    misplaced(task)
}

/// What the engine is to be given as its model: an existing path, or a hub id.
pub(crate) fn resolve_model(task: &Task, places: &Places) -> Result<String, Problem> {
    let named = task.model.id_or_path.as_str();
    let is_elsewhere = task.deployment == DeploymentMode::Kubernetes;
    if is_elsewhere || matches!(task.engine, EngineKind::Sim | EngineKind::Custom) {
        return Ok(named.to_owned());
    }
    let is_plain_path = named.starts_with(['/', '.']);
    let mut tried = vec![places.current_dir.join(named)];
    if !is_plain_path && !named.contains('/') {
        tried.insert(0, places.model_dir.join(named));
        // A server looks for everything below the same folder.
        tried.dedup();
    }
    let wants_file = task.engine == EngineKind::LlamaCpp;
    let fits = |path: &&PathBuf| if wants_file { path.is_file() } else { path.exists() };
    if let Some(found) = tried.iter().find(fits) {
        return Ok(found.display().to_string());
    }
    if !wants_file && !is_plain_path && is_hub_id(named) {
        return Ok(named.to_owned());
    }
    let what = if wants_file { "model file" } else { "model" };
    let tried: Vec<String> = tried.iter().map(|path| path.display().to_string()).collect();
    Err(Problem::new(
        "model.id_or_path",
        format!("{what} {named} does not exist (looked at {})", tried.join(", ")),
    )
    .with_hint(if wants_file {
        "give the path of a GGUF file"
    } else {
        "give an existing path, a directory below --model-dir, or a hub id such as org/name"
    }))
}

/// `organisation/name`, both of letters, digits, `-`, `_` and `.`.
fn is_hub_id(named: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    matches!(named.split_once('/'), Some((organisation, name)) if is_part(organisation) && is_part(name))
}

/// Our own program, or the reason why it cannot be told.
///
/// # Errors
/// The operating system does not say.
pub(crate) fn own_program() -> std::io::Result<PathBuf> {
    std::env::current_exe().map(|path| strip_deleted(&path))
}

/// A program that was replaced while it runs is shown with this mark behind its path.
fn strip_deleted(path: &Path) -> PathBuf {
    let text = path.display().to_string();
    PathBuf::from(text.strip_suffix(" (deleted)").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::spec::TaskSpec;

    fn resolved(engine: &str, model: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("canonical");
        std::fs::create_dir_all(root.join("models/base")).expect("made");
        std::fs::write(root.join("models/tiny.gguf"), b"GGUF").expect("written");
        let places = Places {
            model_dir: root.join("models"),
            current_dir: root.clone(),
            own_program: "autotuner".into(),
            library: Library::of_server(&root, &root),
        };
        let document = serde_json::json!({
            "task_name": "t",
            "base_runtime": engine,
            "model": {"id_or_path": model},
            "parameters": {"threads": [1]},
            "optimization": {"strategy": "grid_search"},
            "benchmark": {},
        });
        let task = TaskSpec::from_value(&document)
            .expect("sound")
            .spec
            .resolve()
            .expect("sound");
        let root = root.display().to_string();
        resolve_model(&task, &places)
            .map(|path| path.replace(&root, "ROOT"))
            .map_err(|problem| problem.to_string().replace(&root, "ROOT"))
    }

    #[test]
    fn models_are_paths_directories_or_hub_ids() {
        let check = |engine: &str, model: &str, expected: &str| {
            assert_eq!(
                resolved(engine, model).as_deref(),
                Ok(expected),
                "{engine} {model}"
            );
        };
        check("llamacpp", "models/tiny.gguf", "ROOT/models/tiny.gguf");
        check("llamacpp", "tiny.gguf", "ROOT/models/tiny.gguf");
        check("vllm", "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct");
        check("vllm", "base", "ROOT/models/base");
        check("sim", "anything at all", "anything at all");
    }

    #[test]
    fn a_model_that_is_not_there_is_named_with_the_places() {
        let check = |engine: &str, model: &str, part: &str| {
            let problem = resolved(engine, model).expect_err(model);
            assert!(problem.contains(part), "{problem}");
        };
        check(
            "llamacpp",
            "no/such.gguf",
            "model file no/such.gguf does not exist (looked at ROOT/no/such.gguf)",
        );
        check("llamacpp", "models/base", "does not exist");
        check("vllm", "/no/such/model", "looked at /no/such/model");
        check("vllm", "missing", "ROOT/models/missing, ROOT/missing");
    }
}
