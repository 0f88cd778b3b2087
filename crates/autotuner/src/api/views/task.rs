//! Tasks: whole, and as rows of a list.

use autotuner_core::verdict::{Judged, Verdict};
use autotuner_store::TaskRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::hidden::masked;
use super::task_row::{BesideRow, TaskRow};
use crate::report::claims;

/// A task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskView {
    /// Its id.
    id: i64,
    /// Unique name.
    task_name: String,
    /// For people.
    description: Option<String>,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    status: &'static str,
    /// What the engine serves.
    model: Value,
    /// Which engine.
    base_runtime: String,
    /// Replaces the tag of the engine's image.
    runtime_image_tag: Value,
    /// Another image for the engine.
    runtime_image: Value,
    /// The search space.
    parameters: Value,
    /// Conditions that every configuration meets.
    constraints: Value,
    /// How the best configuration is looked for.
    optimization: Value,
    /// What the benchmark sends.
    benchmark: Value,
    /// Bounds that a good configuration meets.
    slo: Value,
    /// What is fixed for every experiment; secrets are shown as `***`.
    engine: Value,
    /// What one experiment may use.
    resources: Value,
    /// Quantization to try.
    quant_config: Value,
    /// Parallel sizes to try.
    parallel_config: Value,
    /// Where a cluster finds the model.
    storage: Value,
    /// The cluster's base model.
    clusterbasemodel_config: Value,
    /// The cluster's serving runtime.
    clusterservingruntime_config: Value,
    /// Where engines run: `docker`, `local` or `kubernetes`.
    deployment_mode: String,
    /// The current run, from 1. Counts, times and the verdict are this run's.
    run: u32,
    /// Distinct search candidates to be measured at most.
    max_iterations: u32,
    /// Experiments on record.
    total_experiments: u32,
    /// Experiments that have a score.
    successful_experiments: u32,
    /// The best experiment, by its global id.
    best_experiment_id: Option<i64>,
    /// The best experiment, by its number inside the run.
    best_experiment_number: Option<u32>,
    /// When the task was made.
    created_at: String,
    /// When the run was started.
    started_at: Option<String>,
    /// When it ended.
    completed_at: Option<String>,
    /// How long it took, seconds.
    elapsed_time: Option<f64>,
    /// Why it ended, for people.
    ended_because: Option<String>,
    /// Whether somebody has asked for the end of a run that still goes on.
    is_cancel_requested: bool,
    /// What a running task waits for, for people.
    waiting_for: Option<String>,
    /// What the run has found out; nothing before its first experiment.
    verdict: Option<VerdictView>,
    /// The same as `model`.
    #[schema(deprecated)]
    model_config: Value,
    /// The same as `optimization`.
    #[schema(deprecated)]
    optimization_config: Value,
    /// The same as `benchmark`.
    #[schema(deprecated)]
    benchmark_config: Value,
}

/// What a run has found out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerdictView {
    /// `gain`, `meets_slos`, `no_gain`, `undecided`, `unconfirmed`, `only_defaults`, `no_baseline`,
    /// `nothing_feasible` or `nothing_measured`.
    claim: &'static str,
    /// By which ratio of the objective the best beats the engine's defaults: 0.25 is a quarter
    /// better.
    gain_over_defaults: Option<f64>,
    /// Lower end of the interval that holds the true gain in at least 90 of 100 runs; only where
    /// both were measured again.
    gain_low: Option<f64>,
    /// Upper end of it.
    gain_high: Option<f64>,
    /// The best experiment, by its number inside the run.
    best_experiment_number: Option<u32>,
    /// How often the best configuration was measured.
    best_runs: Option<usize>,
    /// The experiment that measured the engine's defaults, by its number inside the run.
    baseline_experiment_number: Option<u32>,
    /// How often the engine's defaults were measured.
    baseline_runs: Option<usize>,
    /// Where nothing meets every SLO: what misses them by least, by its number inside the run.
    closest_experiment_number: Option<u32>,
    /// The whole in one sentence, for people.
    sentence: String,
}

impl VerdictView {
    /// The view of a verdict.
    pub(crate) fn of(verdict: &Verdict) -> Self {
        let Verdict {
            best,
            baseline,
            claim,
            comparison,
            closest,
        } = verdict;
        let number = |judged: &Judged| judged.number.0;
        let runs = |judged: &Judged| judged.runs;
        Self {
            claim: claim.as_str(),
            gain_over_defaults: claim.gain(),
            gain_low: comparison.map(|comparison| comparison.low),
            gain_high: comparison.map(|comparison| comparison.high),
            best_experiment_number: best.as_ref().map(number),
            best_runs: best.as_ref().map(runs),
            baseline_experiment_number: baseline.as_ref().map(number),
            baseline_runs: baseline.as_ref().map(runs),
            closest_experiment_number: closest.as_ref().map(number),
            sentence: claims::sentence(verdict),
        }
    }
}

/// What is known of a task beside its record.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// What a running task waits for.
    pub(crate) waiting_for: Option<String>,
    /// What the run has found out.
    pub(crate) verdict: Option<VerdictView>,
    /// The number of the best experiment.
    pub(crate) best_number: Option<u32>,
}

impl TaskView {
    /// The view of a task.
    pub(crate) fn of(record: TaskRecord, beside: Beside) -> Self {
        let document = document(&record);
        let TaskRecord {
            summary,
            deployment_mode,
            document: _,
        } = record;
        let TaskRow {
            id,
            task_name,
            description,
            status,
            base_runtime,
            run,
            max_iterations,
            total_experiments,
            successful_experiments,
            best_experiment_id,
            created_at,
            started_at,
            completed_at,
            elapsed_time,
            is_cancel_requested,
            waiting_for,
            slo,
            best_experiment_number: _,
            gain_over_defaults: _,
            gain_low: _,
            gain_high: _,
            claim: _,
            blocks: _,
        } = TaskRow::of(
            &summary,
            BesideRow {
                waiting_for: beside.waiting_for,
                ..BesideRow::default()
            },
        );
        let part = |key: &str| document.get(key).cloned().unwrap_or_default();
        let list = |key: &str| document.get(key).cloned().unwrap_or(Value::Array(Vec::new()));
        Self {
            id,
            task_name,
            description,
            status,
            model: part("model"),
            base_runtime,
            runtime_image_tag: part("runtime_image_tag"),
            runtime_image: part("runtime_image"),
            parameters: part("parameters"),
            constraints: list("constraints"),
            optimization: part("optimization"),
            benchmark: part("benchmark"),
            slo: slo.unwrap_or_default(),
            engine: part("engine"),
            resources: part("resources"),
            quant_config: part("quant_config"),
            parallel_config: part("parallel_config"),
            storage: part("storage"),
            clusterbasemodel_config: part("clusterbasemodel_config"),
            clusterservingruntime_config: part("clusterservingruntime_config"),
            deployment_mode,
            run,
            max_iterations,
            total_experiments,
            successful_experiments,
            best_experiment_id,
            best_experiment_number: beside.best_number,
            created_at,
            started_at,
            completed_at,
            elapsed_time,
            ended_because: summary.ended_because,
            is_cancel_requested,
            waiting_for,
            verdict: beside.verdict,
            model_config: part("model"),
            optimization_config: part("optimization"),
            benchmark_config: part("benchmark"),
        }
    }
}

/// A task's document as it may be shown, with its name and description as they are now.
pub(crate) fn document(record: &TaskRecord) -> Value {
    masked(&current(record))
}

/// A task's document with its name and description as they are now, secrets and all.
pub(crate) fn current(record: &TaskRecord) -> Value {
    let mut document = record.document.clone();
    if let Value::Object(keys) = &mut document {
        keys.insert("task_name".into(), record.summary.name.clone().into());
        match &record.summary.description {
            Some(text) if keys.contains_key("description") => {
                keys.insert("description".into(), text.clone().into());
            }
            Some(text) => {
                // Where documents have it: behind the name.
                keys.shift_insert(1, "description".into(), text.clone().into());
            }
            None => {
                keys.shift_remove("description");
            }
        }
    }
    document
}
