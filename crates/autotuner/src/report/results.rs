//! The results file: the original system's shape, and ours beside it.

use std::io;
use std::path::{Path, PathBuf};

use autotuner_core::experiment::{Experiment, LaunchFacts};
use autotuner_core::failure::Failure;
use autotuner_core::gpu::{GpuDevice, GpuUse, Span};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::score::{Objective, Score};
use autotuner_core::task::Task;
use autotuner_core::verdict::{Judged, Verdict, verdict};
use serde_json::{Value, json};

use super::{claims, files, metrics, pareto};
use crate::clock::rfc3339;
use crate::host::Host;

/// Raised when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// Everything that a results file tells of, experiments apart.
pub(crate) struct RunFacts<'a> {
    /// The task.
    pub(crate) task: TaskFacts,
    /// How it ended, or `Running`.
    pub(crate) status: TaskStatus,
    /// Why it ended, for people.
    pub(crate) ended_because: Option<String>,
    /// Where it ran, where that is known.
    pub(crate) host: Option<&'a Host>,
    /// What the engine says its version is.
    pub(crate) engine_version: Option<&'a str>,
    /// Where its logs are.
    pub(crate) logs: &'a Path,
    /// Where an experiment's log is.
    pub(crate) log_file: &'a dyn Fn(ExperimentNumber) -> PathBuf,
    /// When it began, milliseconds since the Unix epoch.
    pub(crate) started_at_ms: i64,
    /// When it ended, or now.
    pub(crate) ended_at_ms: i64,
}

/// What a results file says of the task itself. What a document of an older kind does not
/// say is `None`.
pub(crate) struct TaskFacts {
    pub(crate) name: String,
    pub(crate) strategy: Option<String>,
    pub(crate) objective: Option<String>,
    /// All objectives, where there are several.
    pub(crate) objectives: Vec<Objective>,
    pub(crate) seed: Option<u64>,
    pub(crate) base_runtime: String,
    pub(crate) deployment_mode: String,
    pub(crate) model: Option<String>,
}

impl From<&Task> for TaskFacts {
    fn from(task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            strategy: Some(task.search.strategy.as_str().to_owned()),
            objective: Some(task.search.objective.as_str().to_owned()),
            objectives: pareto::objectives(task),
            seed: Some(task.search.seed),
            base_runtime: task.engine.as_str().to_owned(),
            deployment_mode: task.deployment.as_str().to_owned(),
            model: Some(task.model.id_or_path.clone()),
        }
    }
}

/// The whole document.
pub(crate) fn document(facts: &RunFacts<'_>, experiments: &[Experiment]) -> Value {
    let verdict = verdict(experiments);
    let result = |experiment: &Experiment| result(facts, experiment);
    let of = |judged: &Judged| experiments.iter().find(|each| each.number == judged.number);
    let succeeded = experiments
        .iter()
        .filter(|experiment| experiment.score().is_some())
        .count();
    json!({
        "schema_version": SCHEMA_VERSION,
        "task_name": facts.task.name,
        "status": facts.status.as_str(),
        "ended_because": facts.ended_because,
        "strategy": facts.task.strategy,
        "objective": facts.task.objective,
        "seed": facts.task.seed,
        "base_runtime": facts.task.base_runtime,
        "engine_version": facts.engine_version,
        "deployment_mode": facts.task.deployment_mode,
        "model": facts.task.model,
        "total_experiments": experiments.len(),
        "successful_experiments": succeeded,
        "started_at": rfc3339(facts.started_at_ms),
        "completed_at": rfc3339(facts.ended_at_ms),
        "elapsed_time": seconds(facts.started_at_ms, facts.ended_at_ms),
        "verdict": verdict_value(&verdict),
        "pareto_front": pareto::front(experiments, &facts.task.objectives),
        "host": facts.host,
        "logs": facts.logs,
        "best_result": verdict.best.as_ref().and_then(of).map(result),
        "baseline_result": verdict.baseline.as_ref().and_then(of).map(result),
        "all_results": experiments.iter().map(result).collect::<Vec<_>>(),
    })
}

fn verdict_value(verdict: &Verdict) -> Value {
    let number = |judged: &Option<Judged>| judged.as_ref().map(|judged| judged.number.0);
    let comparison = verdict.comparison;
    json!({
        "claim": verdict.claim.as_str(),
        "gain_over_defaults": verdict.claim.gain(),
        "gain_low": comparison.map(|comparison| comparison.low),
        "gain_high": comparison.map(|comparison| comparison.high),
        "best_experiment_id": number(&verdict.best),
        "best_runs": verdict.best.as_ref().map(|best| best.runs),
        "baseline_experiment_id": number(&verdict.baseline),
        "baseline_runs": verdict.baseline.as_ref().map(|baseline| baseline.runs),
        "closest_experiment_id": number(&verdict.closest),
        "sentence": claims::sentence(verdict),
    })
}

/// Which way the objective's own value is better.
pub(crate) fn direction(score: &Score) -> &'static str {
    match score.objective().is_maximized() {
        true => "maximize",
        false => "minimize",
    }
}

/// A GPU.
pub(crate) fn gpu(device: &GpuDevice) -> Value {
    let GpuDevice {
        index,
        uuid,
        name,
        vendor,
        memory_bytes,
    } = device;
    json!({
        "index": index,
        "uuid": uuid,
        "name": name,
        "vendor": vendor.as_str(),
        "memory_bytes": memory_bytes,
    })
}

/// The original system's shape and keys, with energy beside them; nothing where no GPU was seen.
pub(crate) fn gpu_monitoring(uses: &[GpuUse]) -> Value {
    if uses.is_empty() {
        return Value::Null;
    }
    let seconds = uses.iter().map(|gpu| gpu.seconds).fold(0.0, f64::max);
    let stats: serde_json::Map<String, Value> = uses
        .iter()
        .map(|gpu| (gpu_key(uses, &gpu.device), gpu_use(gpu)))
        .collect();
    json!({
        "monitoring_duration_seconds": seconds,
        "sample_count": uses.iter().map(|gpu| gpu.samples).max(),
        "gpu_stats": stats,
    })
}

/// The GPU's number; with its maker where two of them count their own.
fn gpu_key(uses: &[GpuUse], device: &GpuDevice) -> String {
    let is_taken = |gpu: &GpuUse| gpu.device.index == device.index && gpu.device.uuid != device.uuid;
    if uses.iter().any(is_taken) {
        format!("{}-{}", device.vendor.as_str(), device.index)
    } else {
        device.index.to_string()
    }
}

fn gpu_use(gpu: &GpuUse) -> Value {
    const BYTES_OF_A_MEGABYTE: f64 = 1024.0 * 1024.0;
    let GpuUse {
        device,
        samples,
        seconds: _,
        utilization_percent,
        memory_used_bytes,
        memory_percent,
        temperature_c,
        power_w,
        energy_j,
    } = gpu;
    let span = |span: &Option<Span>, unit: f64| {
        span.map(|Span { min, mean, max }| json!({"min": min / unit, "mean": mean / unit, "max": max / unit}))
    };
    json!({
        "uuid": device.uuid,
        "name": device.name,
        "samples": samples,
        "utilization": span(utilization_percent, 1.0),
        "memory_used_mb": span(memory_used_bytes, BYTES_OF_A_MEGABYTE),
        "memory_usage_percent": span(memory_percent, 1.0),
        "temperature_c": span(temperature_c, 1.0),
        "power_draw_w": span(power_w, 1.0),
        "energy_j": energy_j,
    })
}

fn result(facts: &RunFacts<'_>, experiment: &Experiment) -> Value {
    let Experiment {
        number,
        role,
        candidate,
        reason,
        attempt,
        status,
        launch,
        result: _,
        started_at_ms,
        ended_at_ms,
    } = experiment;
    let measured = experiment.measured();
    let failure = experiment.failure();
    let LaunchFacts {
        command,
        env,
        engine_version,
        ready_after_ms,
        image,
        gpus,
        base_url: _,
        container,
    } = launch.clone().unwrap_or_default();
    json!({
        "experiment_id": number.0,
        "role": role.as_str(),
        "attempt": attempt,
        "reason": reason,
        "parameters": candidate.to_json(),
        "status": status.as_str(),
        "objective_score": experiment.score().map(Score::lower_is_better),
        "score": experiment.score().map(score),
        "metrics": experiment.metrics().map(metrics::experiment),
        "remarks": measured.map(|measured| measured.remarks.clone()).unwrap_or_default(),
        "error_message": failure.map(error_message),
        "failure_kind": failure.map(|failure| failure.kind.as_str()),
        "advice": failure.and_then(|failure| failure.advice.clone()),
        "container_logs": failure.map(|failure| failure.log_tail.join("\n")),
        "log_file": (facts.log_file)(*number),
        "effective_arguments": command,
        "environment": env.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "engine_version": engine_version,
        "engine_fingerprints": measured.map(|measured| measured.fingerprints.clone()).unwrap_or_default(),
        "container_id": container.as_ref().map(|container| container.id.clone()),
        "container_name": container.map(|container| container.name),
        "image": image.as_ref().map(|image| image.reference.clone()),
        "image_id": image.as_ref().map(|image| image.id.clone()),
        "image_digest": image.and_then(|image| image.digest),
        "gpus": gpus.iter().map(gpu).collect::<Vec<_>>(),
        "gpu_monitoring": measured.map(|measured| gpu_monitoring(&measured.gpu_use)),
        "host_fingerprint": facts.host.map(|host| &host.fingerprint),
        "ready_after": ready_after_ms.map(|ms| std::time::Duration::from_millis(ms).as_secs_f64()),
        "started_at": rfc3339(*started_at_ms),
        "completed_at": ended_at_ms.map(rfc3339),
        "elapsed_time": ended_at_ms.map(|ended| seconds(*started_at_ms, ended)),
    })
}

fn score(score: &Score) -> Value {
    let violations: Vec<Value> = score
        .violations()
        .iter()
        .map(|violation| {
            json!({
                "metric": violation.metric.to_string(),
                "threshold": violation.threshold,
                "actual": violation.actual,
                "violation_ratio": violation.ratio,
            })
        })
        .collect();
    json!({
        "objective_value": score.objective_value(),
        "direction": direction(score),
        "feasible": score.is_feasible(),
        "penalty": score.penalty(),
        "violations": violations,
        "low_n": score.is_low_n(),
    })
}

/// What happened, with advice where there is any.
pub(crate) fn error_message(failure: &Failure) -> String {
    match &failure.advice {
        Some(advice) => format!("{}; {advice}", failure.message),
        None => failure.message.clone(),
    }
}

/// Seconds between two times.
pub(crate) fn seconds(from_ms: i64, to_ms: i64) -> f64 {
    let ms = u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0);
    std::time::Duration::from_millis(ms).as_secs_f64()
}

/// Writes a document so that a reader sees the old file or the new one, never half of one.
///
/// # Errors
/// The directory or the file cannot be written.
///
/// A device is written to, not replaced; a symbolic link's target is replaced, not the link.
pub(crate) fn write(path: &Path, document: &Value) -> io::Result<()> {
    files::write_with(path, |file| writeln!(file, "{document:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_through_links() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let longest = "n".repeat(255);
        for name in ["new.json", "there.json", "link.json", &longest] {
            let path = folder.path().join(name);
            match name {
                "there.json" => std::fs::write(&path, "an old and longer text").expect("written"),
                "link.json" => {
                    std::os::unix::fs::symlink(folder.path().join("there.json"), &path).expect("linked");
                }
                _ => {}
            }
            write(&path, &json!([name])).expect(name);
            let text = std::fs::read_to_string(&path).expect("readable");
            assert_eq!(text, format!("[\n  \"{name}\"\n]\n"));
        }
        let link = folder.path().join("link.json");
        assert!(link.symlink_metadata().expect("there").is_symlink());
        let left = std::fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(left, 4, "no temporary file is left");
    }

    #[test]
    fn a_device_is_written_to() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let link = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &link).expect("linked");
        assert!(files::is_device(&link) && !files::is_device(folder.path()));
        write(&link, &json!({})).expect("written");
        assert!(files::is_device(&link), "it is still what it was");
    }

    #[test]
    fn what_gpus_did_is_told_in_the_original_systems_words() {
        use autotuner_core::gpu::{GpuState, GpuVendor, UseRecorder};
        let device = |vendor: GpuVendor, index: u32| GpuDevice {
            index,
            uuid: format!("GPU-{}-{index}", vendor.as_str()),
            name: "A GPU".into(),
            vendor,
            memory_bytes: 4 << 30,
        };
        let used = |devices: &[GpuDevice]| {
            let mut recorder = UseRecorder::new(devices);
            for second in 0..3_u8 {
                let states: Vec<GpuState> = devices
                    .iter()
                    .map(|device| GpuState {
                        memory_used_bytes: Some(1 << 30),
                        utilization_percent: Some(second * 10),
                        power_w: Some(100.0),
                        ..GpuState::unknown(device.clone())
                    })
                    .collect();
                recorder.add(std::time::Duration::from_secs(second.into()), &states);
            }
            gpu_monitoring(&recorder.finish())
        };
        let told = used(&[device(GpuVendor::Nvidia, 1)]);
        let expected = json!({
            "monitoring_duration_seconds": 2.0,
            "sample_count": 3,
            "gpu_stats": {
                "1": {
                    "uuid": "GPU-nvidia-1",
                    "name": "A GPU",
                    "samples": 3,
                    "utilization": {"min": 0.0, "mean": 10.0, "max": 20.0},
                    "memory_used_mb": {"min": 1024.0, "mean": 1024.0, "max": 1024.0},
                    "memory_usage_percent": {"min": 25.0, "mean": 25.0, "max": 25.0},
                    "temperature_c": null,
                    "power_draw_w": {"min": 100.0, "mean": 100.0, "max": 100.0},
                    "energy_j": 200.0,
                },
            },
        });
        assert_eq!(told, expected);
        let both = used(&[device(GpuVendor::Nvidia, 0), device(GpuVendor::Amd, 0)]);
        let keys: Vec<&String> = both["gpu_stats"].as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["nvidia-0", "amd-0"]);
        assert_eq!(used(&[]), Value::Null);
    }
}
