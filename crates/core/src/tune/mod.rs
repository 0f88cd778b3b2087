//! From a few words to a whole task: which engine, which goal, which traffic, how much.
//!
//! The one idea: everything that a task document must say and a user did not is chosen here,
//! from the engine and the machine, and every choice that matters is told in a note. What
//! comes out is an ordinary [`TaskSpec`], which can be printed, changed and run like any
//! other. Nothing here looks at the machine: the [`Hardware`] is handed in.

mod adjust;
mod draft;
mod goal;
mod place;
mod slo;
mod space;
#[cfg(test)]
mod tests;
mod values;
mod workloads;

pub use workloads::NamedWorkload;

use crate::engine::EngineKind;
use crate::gpu::GpuDevice;
use crate::problem::Problem;
use crate::space::Size;
use crate::spec::{
    EngineSpec, ModelSpec, ObjectiveWord, OptimizationSpec, Parameters, ResourcesSpec, SloSpec, StrategyWord,
    TaskSpec,
};
use crate::task::DeploymentMode;

use adjust::Changes;
use draft::Draft;
use space::Circumstances;
use workloads::{Load, Traffic};

/// What a user asks for. Everything but the model has a default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// What to serve: a path, a directory below the model base path, or a hub id.
    pub model: String,
    /// The engine's word; guessed from the model when absent.
    pub engine: Option<String>,
    /// `throughput`, `latency`, `ttft`, `tpot`, or an objective of task documents;
    /// throughput when absent.
    pub objective: Option<String>,
    /// Bounds such as `ttft=0.5`, `p99.latency=5` or `tpot=50ms`.
    pub slos: Vec<String>,
    /// One named workload, or scenarios such as `D(512,128)`; `chat` when empty.
    pub workload: Vec<String>,
    /// Requests in flight at once, one level each; the workload's own when empty.
    pub concurrency: Vec<u32>,
    /// Longest measuring time of a level, in seconds; chosen so that an experiment takes a
    /// minute or two when absent.
    pub seconds_per_level: Option<f64>,
    /// Most measured requests of a level; the workload's own when absent.
    pub requests_per_level: Option<u32>,
    /// Configurations to measure at most, the engine's defaults not counted; 20 when absent.
    pub budget: Option<u32>,
    /// Where engines run; chosen when absent.
    pub deployment: Option<DeploymentMode>,
    /// Another image than the engine's usual one. Means docker, unless kubernetes is asked for.
    pub image: Option<String>,
    /// Another program than the engine's usual one, in a cluster one inside of the image. Means
    /// local, unless kubernetes is asked for.
    pub program: Option<String>,
    /// Processors that each engine may use; no limit when absent.
    pub cpus: Option<f64>,
    /// Memory that each engine may use, such as `32GiB`; no limit when absent.
    pub memory: Option<String>,
    /// GPUs to tune for, instead of those of [`Request::hardware`]; 0 for the CPU alone.
    pub gpus: Option<u32>,
    /// Seed of everything random.
    pub seed: Option<u64>,
    /// The task's name; made from model, engine and workload when absent.
    pub name: Option<String>,
    /// Longest time for one experiment once its engine is ready, in seconds.
    pub timeout: Option<f64>,
    /// `NAME=V1,V2` or `NAME=LOW..HIGH`: parameters to try otherwise, or in addition.
    pub set: Vec<String>,
    /// `FLAG=VALUE`, or a switch alone: the same in every configuration.
    pub fix: Vec<String>,
    /// Parameters to leave to the engine.
    pub unset: Vec<String>,
    /// The machine that the task is for.
    pub hardware: Hardware,
    /// Engines whose usual program is on this machine.
    pub programs_here: Vec<EngineKind>,
}

/// What a machine has to offer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hardware {
    /// Its GPUs.
    pub gpus: Vec<GpuDevice>,
    /// Its logical processors; 0 where unknown.
    pub cpus: u32,
    /// Its memory in bytes; 0 where unknown.
    pub memory_bytes: u64,
}

/// A task made from a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// The task document, without problems.
    pub spec: TaskSpec,
    /// What was chosen and why, one line each, for people.
    pub notes: Vec<String>,
}

/// Configurations measured when the request does not say.
const USUAL_BUDGET: u32 = 20;

/// A model that decides needs some configurations to learn from and some to decide on.
const LEAST_FOR_A_MODEL: u32 = 10;

/// Bounds in short, such as `ttft=0.5`, `p99.latency=5` or `tpot=50ms`; `None` without any.
///
/// # Errors
/// Every text that is no bound, and every bound that is given twice.
pub fn bounds(texts: &[String]) -> Result<Option<SloSpec>, Vec<Problem>> {
    slo::parse(texts)
}

/// The task that a request describes.
///
/// # Errors
/// Everything that is wrong with the request; each path is the name of one of its parts (such
/// as `slo`), or a path of the document that would have come out.
pub fn tune(request: &Request) -> Result<Tuning, Vec<Problem>> {
    let mut notes = Vec::new();
    let asked = Asked::read(request, &mut notes)?;
    let mut problems = Vec::new();
    let deployment =
        place::deployment(request, asked.engine, &mut notes).map_err(|problem| problems.push(problem));
    let Ok(deployment) = deployment else {
        return Err(problems);
    };
    let machine = place::machine(request, deployment, asked.engine, &mut notes)
        .map_err(|problem| problems.push(problem));
    let Ok(machine) = machine else {
        return Err(problems);
    };
    let load = Load::new(&asked.traffic, &machine, request);
    let circumstances = Circumstances {
        objective: asked.objective,
        machine: &machine,
        load: &load,
        longest: asked.changes.fixed_whole("max-model-len"),
    };
    let mut draft = space::draft(asked.engine, &circumstances);
    asked.changes.apply(&mut draft, &mut notes)?;
    space::settle(&mut draft, &load);
    notes.extend(space::caution(&draft));
    let mut spec = asked.document(request, deployment, draft, &load)?;
    // How many GPUs an experiment takes follows from its parallel sizes; that it takes none
    // has to be said where the engine would expect one.
    let resources = ResourcesSpec {
        gpus: (machine.gpus == 0 && place::wants_gpu(asked.engine)).then_some(0),
        cpus: request.cpus,
        memory: request.memory.clone(),
    };
    spec.resources = Some(resources).filter(|resources| *resources != ResourcesSpec::default());
    choose_strategy(&mut spec, &mut notes)?;
    notes.extend(place::doubts(&spec, asked.engine, &machine)?);
    Ok(Tuning { spec, notes })
}

/// A request whose words are understood.
struct Asked {
    engine: EngineKind,
    objective: ObjectiveWord,
    slo: Option<SloSpec>,
    traffic: Traffic,
    changes: Changes,
}

impl Asked {
    fn read(request: &Request, notes: &mut Vec<String>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let engine = goal::engine(request, notes).map_err(|problem| problems.push(problem));
        let objective =
            goal::objective(request.objective.as_deref()).map_err(|problem| problems.push(problem));
        let slo = slo::parse(&request.slos).map_err(|found| problems.extend(found));
        let traffic = workloads::traffic(&request.workload).map_err(|problem| problems.push(problem));
        let changes = Changes::parse(request).map_err(|found| problems.extend(found));
        match (engine, objective, slo, traffic, changes) {
            (Ok(engine), Ok(objective), Ok(slo), Ok(traffic), Ok(changes)) => Ok(Self {
                engine,
                objective,
                slo,
                traffic,
                changes,
            }),
            _ => Err(problems),
        }
    }

    /// The document, with a strategy to begin with.
    fn document(
        &self,
        request: &Request,
        deployment: DeploymentMode,
        draft: Draft,
        load: &Load,
    ) -> Result<TaskSpec, Vec<Problem>> {
        let (model, engine) = (&request.model, self.engine.as_str());
        let (goal, traffic) = (goal::words(self.objective), self.traffic.label());
        let settings = EngineSpec {
            program: place::program(request, deployment, self.engine),
            image: request.image.clone(),
            ..draft.fixed_settings()?
        };
        Ok(TaskSpec {
            task_name: name(request, self.engine, &self.traffic),
            description: Some(format!("{model} on {engine}: {goal} under {traffic}")),
            deployment_mode: Some(deployment.into()),
            base_runtime: engine.to_owned(),
            runtime_image_tag: None,
            runtime_image: None,
            model: ModelSpec {
                id_or_path: model.clone(),
                ..ModelSpec::default()
            },
            parameters: Parameters(draft.parameters),
            constraints: draft.constraints,
            optimization: OptimizationSpec {
                strategy: Some(StrategyWord::RandomSearch),
                objective: Some(self.objective),
                max_iterations: Some(request.budget.unwrap_or(USUAL_BUDGET)),
                timeout_per_iteration: Some(request.timeout.unwrap_or_else(|| load.longest_experiment())),
                seed: request.seed,
                ..OptimizationSpec::default()
            },
            benchmark: load.spec(),
            slo: self.slo.clone(),
            engine: Some(settings).filter(|settings| *settings != EngineSpec::default()),
            resources: None,
            quant_config: None,
            parallel_config: None,
            kubernetes: None,
            storage: None,
            clusterbasemodel_config: None,
            clusterservingruntime_config: None,
        })
    }
}

/// Every configuration where there are no more than the budget allows, else a model decides
/// where the budget lets it learn something.
///
/// # Errors
/// Every problem of the document: what the request said and its parts could not judge alone.
fn choose_strategy(spec: &mut TaskSpec, notes: &mut Vec<String>) -> Result<(), Vec<Problem>> {
    let task = spec.resolve()?;
    let budget = task.search.max_iterations;
    let size = task.space.size();
    let fits = matches!(size, Size::Finite(size) if size <= u128::from(budget));
    let strategy = if fits {
        StrategyWord::GridSearch
    } else if budget >= LEAST_FOR_A_MODEL {
        StrategyWord::Bayesian
    } else {
        StrategyWord::RandomSearch
    };
    spec.optimization.strategy = Some(strategy);
    let word = strategy.kind().as_str();
    notes.push(match size {
        Size::Finite(1) => format!("{word}: nothing varies, so there is one configuration"),
        Size::Finite(size) if fits => {
            format!("{word}: the budget of {budget} covers all {size} configurations")
        }
        Size::Finite(size) => format!("{word}: {budget} of {size} configurations"),
        Size::Infinite => format!("{word}: {budget} of endlessly many configurations"),
    });
    spec.resolve().map(drop)
}

/// A name for the task that can also name a file.
fn name(request: &Request, engine: EngineKind, traffic: &Traffic) -> String {
    if let Some(name) = &request.name {
        return name.clone();
    }
    let model = request.model.trim_end_matches('/');
    let model = model.rsplit('/').next().unwrap_or(model);
    let model = model.strip_suffix(".gguf").unwrap_or(model);
    let safe: String = model
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '.' | '_') {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    let safe = safe.trim_matches(['-', '.']);
    let safe = if safe.is_empty() { "model" } else { safe };
    format!("{safe}-{}-{}", engine.as_str(), traffic.word())
}
