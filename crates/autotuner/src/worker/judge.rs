//! From a benchmark's records to what they are worth, or to the reason why they are worthless.

use autotuner_core::experiment::Measured;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::measure::{LevelRecords, RequestOutcome};
use autotuner_core::metrics::{experiment_metrics, level_metrics};
use autotuner_core::score::score;
use autotuner_core::task::Task;
use autotuner_deploy::gpu::Sampled;
use autotuner_load::{MOST_FINGERPRINTS, Recording};

use super::chain;

/// Largest share of a benchmark's requests that may fail before its figures are worthless.
const TOLERATED_FAILURES: f64 = 0.1;

/// A window shorter than this, in seconds, is remarked upon: its figures are mostly noise.
const SHORT_WINDOW: f64 = 0.5;

/// From records to a score, or to the reason why there is none.
pub(super) fn judge(
    task: &Task,
    gpus: u32,
    recording: Recording,
    sampled: Sampled,
) -> Result<Measured, Failure> {
    let Recording {
        levels,
        notes,
        fingerprints,
    } = recording;
    check_one_engine(&fingerprints)?;
    let levels: Vec<_> = levels
        .iter()
        .map(|level| (level_metrics(level, &task.slos.bounds), first_error(level)))
        .collect();
    let error = levels.iter().find_map(|(_, error)| error.clone());
    let metrics = experiment_metrics(
        levels.into_iter().map(|(metrics, _)| metrics).collect(),
        task.level_weights.as_deref(),
        gpus,
    );
    let (started, _, failed) = metrics.request_totals();
    if f64::from(failed) > TOLERATED_FAILURES * f64::from(started) {
        let first = error
            .map(|error| format!("; the first error: {error}"))
            .unwrap_or_default();
        return Err(Failure::new(
            FailureKind::BenchmarkFailed,
            format!("{failed} of {started} requests did not succeed{first}"),
        ));
    }
    let score = score(&metrics, task.search.objective, &task.slos)
        .map_err(|error| Failure::new(FailureKind::BenchmarkFailed, chain(&error)))?;
    let mut remarks = notes;
    if failed > 0 {
        remarks.push(format!("{failed} of {started} requests did not succeed"));
    }
    if let Some(level) = metrics.levels.iter().find(|level| level.window < SHORT_WINDOW) {
        remarks.push(format!(
            "{} at concurrency {} was measured for only {:.2} s: ask for more requests",
            level.scenario, level.concurrency, level.window
        ));
    }
    if score.is_low_n() {
        remarks.push(format!(
            "an SLO percentile rests on only {} requests a level",
            metrics.least_n()
        ));
    }
    let Sampled { uses, note } = sampled;
    remarks.extend(note);
    Ok(Measured {
        metrics,
        score,
        remarks,
        gpu_use: uses,
        fingerprints,
    })
}

/// What several engines answered belongs to none of them. An engine with as many fingerprints
/// as are kept makes up new ones, which tells nothing.
fn check_one_engine(fingerprints: &[String]) -> Result<(), Failure> {
    if !(2..MOST_FINGERPRINTS).contains(&fingerprints.len()) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Infrastructure,
        format!(
            "answers came from more than one engine: {}",
            fingerprints.join(", ")
        ),
    ))
}

fn first_error(level: &LevelRecords) -> Option<String> {
    level.requests.iter().find_map(|request| match &request.outcome {
        RequestOutcome::Failed { error, detail } => Some(format!("{error:?}: {detail}")),
        RequestOutcome::CutOff => Some("a request was still open at the end".into()),
        RequestOutcome::Success => None,
    })
}
