//! From a benchmark's records to what they are worth, or to the reason why they are worthless.

use autotuner_core::experiment::Measured;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::measure::{LevelRecords, RequestOutcome};
use autotuner_core::metrics::{
    ExperimentMetrics, LevelMetrics, TOLERATED_ERROR, Terms, experiment_metrics, level_metrics_for,
};
use autotuner_core::score::{Slo, SloMetric, Statistic, score};
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
        clock_zero_ns: _,
    } = recording;
    check_one_engine(&fingerprints)?;
    let terms = terms(task);
    let levels: Vec<_> = levels
        .iter()
        .map(|level| (level_metrics_for(level, &terms), first_error(level)))
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
    check_client(&metrics)?;
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
    remarks.extend(
        metrics
            .levels
            .iter()
            .flat_map(|level| doubts(level, &task.slos.bounds)),
    );
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

/// What levels are judged by.
pub(super) fn terms(task: &Task) -> Terms<'_> {
    Terms {
        slos: &task.slos.bounds,
        objective: Some(task.search.objective),
        calibration: None,
    }
}

/// What an experiment is that was given up, from what was measured until then.
pub(super) fn given_up_early(why: String, measured: Measured) -> Failure {
    Failure {
        partial: Some(Box::new(measured.metrics)),
        ..Failure::new(FailureKind::EarlyAborted, why)
    }
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

/// What the load generator itself has limited says nothing of the engine.
fn check_client(metrics: &ExperimentMetrics) -> Result<(), Failure> {
    let reasons = metrics.client_limits();
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(FailureKind::ClientLimited, reasons.join("; "))),
    }
}

/// What a reader of one level's figures should know.
fn doubts(level: &LevelMetrics, slos: &[Slo]) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(steadiness) = level.steadiness.filter(|steadiness| !steadiness.is_steady) {
        let ttft = steadiness
            .ttft_drift
            .map(|drift| format!(", the mean TTFT by {:+.0} %", drift * 100.0))
            .unwrap_or_default();
        doubts.push(format!(
            "{} did not run evenly: from its beginning to its end throughput changed by {:+.0} %{ttft}; a longer \
             warm-up or a longer level may help",
            level.label(),
            steadiness.throughput_drift * 100.0
        ));
    }
    if let Some(held_back) = level.schedule.as_ref().map(|schedule| schedule.held_back)
        && held_back > 0
    {
        doubts.push(format!(
            "{}: {held_back} requests waited until fewer than {} were in flight, which is the most allowed; their \
             latencies count that wait",
            level.label(),
            level.concurrency
        ));
    }
    let late = level.trust.as_ref().and_then(|trust| trust.stamp_error_p99);
    let blurred = slos.iter().filter(|slo| {
        let share = late.zip(percentile_of(level, slo.metric));
        share.is_some_and(|(late, value)| late > value * TOLERATED_ERROR)
    });
    doubts.extend(blurred.map(|slo| {
        format!(
            "{}: the load generator's own stamps may be late by more than {:.0} % of {}",
            level.label(),
            TOLERATED_ERROR * 100.0,
            slo.metric
        )
    }));
    doubts.extend(level.engine_remarks());
    doubts
}

/// The percentile that a bound looks at, where it looks at one of a wait.
fn percentile_of(level: &LevelMetrics, metric: SloMetric) -> Option<f64> {
    match metric {
        SloMetric::Latency(percentile) => level.scored_latency().map(|of| of.percentile(percentile)),
        SloMetric::Ttft(Statistic::At(percentile)) => level.scored_ttft().map(|of| of.percentile(percentile)),
        SloMetric::Ttft(Statistic::Mean) | SloMetric::Tpot(_) => None,
    }
}

fn first_error(level: &LevelRecords) -> Option<String> {
    level.requests.iter().find_map(|request| match &request.outcome {
        RequestOutcome::Failed { error, detail } => Some(format!("{error:?}: {detail}")),
        RequestOutcome::CutOff => Some("a request was still open at the end".into()),
        RequestOutcome::Success => None,
    })
}
