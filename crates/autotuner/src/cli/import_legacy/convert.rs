//! What an original system's task and preset become here. Pure.
//!
//! Documents are read by the rules of today; one that does not hold them is kept word for word,
//! to be looked at and never to be started. What was measured stays in the original's own words:
//! its figures are not ours, and none of them is recomputed.

use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use autotuner_core::preset::import;
use autotuner_core::problem::Problem;
use autotuner_core::space::{Candidate, ParameterName, Value as Setting};
use autotuner_core::spec::TaskSpec;
use autotuner_store::legacy::{LegacyExperiment, LegacyPreset, LegacyTask};
use autotuner_store::{ForeignResult, ImportedExperiment, ImportedTask, NewPreset, NewTask};
use serde_json::{Map, Value, json};

/// What came to an end because it was taken over.
const WAS_RUNNING: &str = "was running when it was imported";

/// What had results and waited for another run.
const WAS_WAITING: &str = "was waiting for another run when it was imported";

/// A task as it will be kept.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) task: ImportedTask,
    /// What is worth knowing of it.
    pub(super) notes: Vec<String>,
    /// Whether it can be started here.
    pub(super) is_startable: bool,
    /// Whether its levels have a longest time, which counts in another unit here.
    pub(super) has_time: bool,
}

/// The moment that tells one task of a name from another of it.
pub(super) fn made_at_ms(task: &LegacyTask) -> i64 {
    task.created_at_ms
        .or(task.started_at_ms)
        .or(task.completed_at_ms)
        .unwrap_or(0)
}

/// The task under this name. With `in_minutes` the longest time of a level is what the original
/// made of it.
pub(super) fn task(legacy: &LegacyTask, name: &str, in_minutes: bool) -> Converted {
    let mut tree = document(legacy, name);
    let has_time = time_limit(&mut tree, in_minutes);
    let (kept, notes, is_startable) = judged(tree, legacy);
    let status = match legacy.status {
        TaskStatus::Running => TaskStatus::Failed,
        TaskStatus::Pending if !legacy.experiments.is_empty() => TaskStatus::Failed,
        status => status,
    };
    let ended_because = match legacy.status {
        TaskStatus::Running => Some(WAS_RUNNING.to_owned()),
        TaskStatus::Pending if !legacy.experiments.is_empty() => Some(WAS_WAITING.to_owned()),
        _ => None,
    };
    let created_at_ms = made_at_ms(legacy);
    let started_at_ms = legacy.started_at_ms.filter(|_| status.is_ended());
    let completed_at_ms = status.is_ended().then(|| ended_at_ms(legacy, created_at_ms));
    let best = legacy.best_experiment;
    Converted {
        task: ImportedTask {
            task: kept,
            status,
            created_at_ms,
            started_at_ms,
            completed_at_ms,
            ended_because,
            experiments: legacy
                .experiments
                .iter()
                .map(|legacy| experiment(legacy, created_at_ms))
                .collect(),
            best: best.and_then(|best| legacy.experiments.iter().position(|one| one.id == best)),
        },
        notes,
        is_startable,
        has_time,
    }
}

/// The document's parts in one tree, with today's names.
fn document(legacy: &LegacyTask, name: &str) -> Value {
    let mut tree = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            tree.insert(key.to_owned(), value);
        }
    };
    put("task_name", Some(name.into()));
    put("description", legacy.description.clone().map(Value::from));
    put("model", Some(legacy.model.clone()));
    put("base_runtime", Some(legacy.base_runtime.clone().into()));
    put(
        "runtime_image_tag",
        legacy.runtime_image_tag.clone().map(Value::from),
    );
    put("deployment_mode", legacy.deployment_mode.clone().map(Value::from));
    put("parameters", Some(legacy.parameters.clone()));
    put("optimization", Some(legacy.optimization.clone()));
    put("benchmark", Some(legacy.benchmark.clone()));
    put("slo", legacy.slo.clone().filter(is_said));
    put("quant_config", legacy.quant_config.clone().filter(is_said));
    put("parallel_config", legacy.parallel_config.clone().filter(is_said));
    Value::Object(tree)
}

/// The original stored `{}` where nothing was chosen.
fn is_said(value: &Value) -> bool {
    value.as_object().is_none_or(|object| !object.is_empty())
}

/// Whether there is a longest time of a level; counted in seconds from now on.
fn time_limit(tree: &mut Value, in_minutes: bool) -> bool {
    let Some(time) = tree
        .get_mut("benchmark")
        .and_then(|benchmark| benchmark.get_mut("max_time_per_iteration"))
    else {
        return false;
    };
    if let (true, Some(minutes)) = (in_minutes, time.as_f64()) {
        *time = json!(minutes * 60.0);
    }
    true
}

/// What is kept of a document, what to know of it, and whether it can be started.
fn judged(tree: Value, legacy: &LegacyTask) -> (NewTask, Vec<String>, bool) {
    let resolved = TaskSpec::from_value(&tree).and_then(|parsed| {
        let task = parsed.spec.resolve()?;
        Ok((parsed, task))
    });
    match resolved {
        Ok((parsed, task)) => {
            let document = parsed.spec.to_value();
            let kept = NewTask {
                name: task.name.clone(),
                description: task.description.clone(),
                base_runtime: parsed.spec.base_runtime.clone(),
                deployment_mode: task.deployment.as_str().to_owned(),
                slo: document.get("slo").cloned(),
                max_iterations: task.search.max_iterations,
                document,
            };
            let notes = parsed.warnings.iter().map(ToString::to_string).collect();
            (kept, notes, true)
        }
        Err(problems) => {
            let kept = NewTask {
                name: text_of(&tree, "task_name"),
                description: legacy.description.clone(),
                base_runtime: legacy.base_runtime.clone(),
                deployment_mode: legacy.deployment_mode.clone().unwrap_or_else(|| "docker".into()),
                slo: tree.get("slo").cloned(),
                max_iterations: max_iterations(&tree),
                document: tree,
            };
            let notes = problems.iter().map(Problem::to_string).collect();
            (kept, notes, false)
        }
    }
}

fn text_of(tree: &Value, key: &str) -> String {
    tree[key].as_str().unwrap_or_default().to_owned()
}

fn max_iterations(tree: &Value) -> u32 {
    let count = tree["optimization"]["max_iterations"].as_u64();
    count
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(1)
        .max(1)
}

/// When the run ended, as far as can be told.
fn ended_at_ms(legacy: &LegacyTask, created_at_ms: i64) -> i64 {
    let of_experiments = legacy
        .experiments
        .iter()
        .filter_map(|experiment| experiment.completed_at_ms.or(experiment.started_at_ms))
        .max();
    legacy
        .completed_at_ms
        .or(of_experiments)
        .or(legacy.started_at_ms)
        .unwrap_or(created_at_ms)
}

fn experiment(legacy: &LegacyExperiment, task_created_at_ms: i64) -> ImportedExperiment {
    let started_at_ms = legacy
        .started_at_ms
        .or(legacy.created_at_ms)
        .unwrap_or(task_created_at_ms);
    let elapsed_seconds = legacy
        .elapsed_seconds
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and no experiment takes as long"
    )]
    let took_ms = elapsed_seconds.map_or(0, |seconds| (seconds * 1e3) as i64);
    let ended_at_ms = legacy
        .completed_at_ms
        .unwrap_or_else(|| started_at_ms.saturating_add(took_ms));
    let error_message = match legacy.status {
        ExperimentStatus::Success | ExperimentStatus::Failed => legacy.error_message.clone(),
        _ => Some(WAS_RUNNING.to_owned()),
    };
    ImportedExperiment {
        candidate: candidate(&legacy.parameters),
        is_success: legacy.status == ExperimentStatus::Success,
        started_at_ms,
        ended_at_ms: ended_at_ms.max(started_at_ms),
        foreign: ForeignResult {
            metrics: legacy.metrics.clone(),
            objective_score: legacy.objective_score.filter(|score| score.is_finite()),
            error_message,
            elapsed_seconds,
        },
    }
}

/// What was tried. A list or an object, which no flag of ours is, is kept as its text.
fn candidate(parameters: &Value) -> Candidate {
    let settings = parameters.as_object().into_iter().flatten();
    Candidate::new(settings.map(|(name, value)| {
        let setting = Setting::from_json(value).unwrap_or_else(|_| Setting::Text(value.to_string()));
        (ParameterName::new(name), setting)
    }))
}

/// The preset under this name, or why it cannot be kept.
pub(super) fn preset(legacy: &LegacyPreset, name: &str) -> Result<NewPreset, Vec<Problem>> {
    let file = json!({
        "version": "1.0",
        "preset": {
            "name": name,
            "description": legacy.description,
            "category": legacy.category,
            "runtime": legacy.runtime,
            "parameters": legacy.parameters,
            "metadata": legacy.metadata,
        },
    });
    let preset = import(&file)?;
    let found = preset.check();
    if !found.problems.is_empty() {
        return Err(found.problems);
    }
    Ok(NewPreset {
        name: name.to_owned(),
        description: preset.description,
        category: preset.category,
        runtime: preset.engine.map(|engine| engine.as_str().to_owned()),
        is_system: false,
        parameters: preset.parameters.to_json(),
        metadata: preset.metadata.map(Value::Object),
    })
}

/// Names to be tried in turn: its own, then with what tells where it came from.
pub(super) fn names(name: &str) -> impl Iterator<Item = String> {
    let own = std::iter::once(name.to_owned());
    let first = std::iter::once(format!("{name}-imported"));
    let name = name.to_owned();
    own.chain(first)
        .chain((2_u32..).map(move |count| format!("{name}-imported-{count}")))
}

#[cfg(test)]
mod tests;
