//! One experiment: start → ready → benchmark → score → stop → preserve the log.

use std::sync::Arc;

use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::{LaunchFacts, Measured};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus};
use autotuner_core::plan::Next;
use autotuner_core::problem::Problem;
use autotuner_deploy::Label;
use autotuner_store::StoreError;
use tracing::Instrument as _;

use super::explain::explain;
use super::judge::{given_up_early, judge};
use super::levels::Levels;
use super::requests::keep_requests;
use super::site::Running;
use super::start::same_image;
use super::teardown::tear_down;
use super::{Event, Worker, chain};
use crate::fault::{self, FaultPoint, Side, around};

/// Runs one experiment and records what came of it.
///
/// # Errors
/// Only when the record cannot be kept.
pub(crate) async fn run_experiment(
    worker: Arc<Worker>,
    number: ExperimentNumber,
    next: Next,
) -> Result<(), StoreError> {
    worker.logs.line(
        "INFO",
        &format!(
            "[Experiment {number}] {}: {} ({})",
            next.role.as_str(),
            next.candidate,
            next.reason
        ),
    );
    let outcome = attempt(&worker, number, &next).await;
    conclude(&worker, number, outcome).await
}

/// Puts an experiment's end on record and tells of it.
///
/// # Errors
/// Only when the record cannot be kept.
pub(crate) async fn conclude(
    worker: &Worker,
    number: ExperimentNumber,
    outcome: Result<Measured, Failure>,
) -> Result<(), StoreError> {
    let outcome = outcome.map_err(|failure| worker.stop.on_record(failure));
    match &outcome {
        Ok(measured) => worker.logs.line(
            "INFO",
            &format!(
                "[Experiment {number}] Status: SUCCESS, {} {}",
                measured.score.objective().label(),
                measured.score.objective_value()
            ),
        ),
        Err(failure) if failure.kind == FailureKind::EarlyAborted => worker.logs.line(
            "INFO",
            &format!("[Experiment {number}] Status: {}", failure.message),
        ),
        Err(failure) => worker.logs.line(
            "ERROR",
            &format!(
                "[Experiment {number}] Status: FAILED, {}: {}",
                failure.kind, failure.message
            ),
        ),
    }
    let now = worker.clock.now_ms();
    let finishing = worker
        .store
        .finish_experiment(worker.task_id, number, outcome, now);
    around(FaultPoint::FinishExperiment, finishing).await?;
    fault::at(FaultPoint::Tell, Side::Before);
    let history = worker.store.history(worker.task_id).await?;
    if let Some(experiment) = history.iter().find(|experiment| experiment.number == number) {
        worker.reporter.report(Event::Ended { experiment });
    }
    fault::at(FaultPoint::Tell, Side::After);
    Ok(())
}

/// From candidate to measurement. Once an engine was started it is stopped on every path.
async fn attempt(worker: &Arc<Worker>, number: ExperimentNumber, next: &Next) -> Result<Measured, Failure> {
    let plan = worker.plan(&next.candidate).map_err(refused)?;
    if let Some(help) = &worker.facts.help {
        let problems = worker.engine.preflight(help, &plan);
        if !problems.is_empty() {
            return Err(refused(problems));
        }
    }
    moved(
        worker,
        number,
        ExperimentMove::Deploy,
        ExperimentStatus::Deploying,
    )
    .await?;
    let label = Label {
        task: worker.task.name.clone(),
        experiment: number.0,
        attempt: next.attempt,
        log_file: worker.logs.engine_log(number),
    };
    let running = Arc::new(Running::start(worker, number, &plan, &label).await?);
    // In a task of its own, so that even a panic in there comes back here, to the teardown.
    let measuring = measure(
        Arc::clone(worker),
        (number, next.clone()),
        plan,
        Arc::clone(&running),
    );
    let measuring = measuring.in_current_span();
    let outcome = tokio::spawn(measuring).await.unwrap_or_else(|fault| {
        Err(Failure::new(
            FailureKind::Infrastructure,
            format!("a fault of our own: {fault}"),
        ))
    });
    tear_down(worker, running).await;
    outcome
}

fn refused(problems: Vec<Problem>) -> Failure {
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::new(FailureKind::InvalidCandidate, text.join("; "))
}

async fn moved(
    worker: &Worker,
    number: ExperimentNumber,
    wanted: ExperimentMove,
    status: ExperimentStatus,
) -> Result<(), Failure> {
    let point = match wanted {
        ExperimentMove::Deploy => FaultPoint::MoveToDeploying,
        _ => FaultPoint::MoveToBenchmarking,
    };
    let moving = worker.store.move_experiment(worker.task_id, number, wanted);
    around(point, moving)
        .await
        .map_err(|error| Failure::new(FailureKind::Infrastructure, chain(&error)))?;
    worker.reporter.report(Event::Moved { number, status });
    Ok(())
}

/// Measures, or finds out why that failed while the engine can still be asked.
async fn measure(
    worker: Arc<Worker>,
    (number, next): (ExperimentNumber, Next),
    plan: LaunchPlan,
    running: Arc<Running>,
) -> Result<Measured, Failure> {
    match try_measure(&worker, (number, &next), &plan, &running).await {
        Ok(measured) => Ok(measured),
        Err(failure) => Err(explain(&worker, &running, failure).await),
    }
}

/// Waits for the engine, loads it, and judges what was recorded.
async fn try_measure(
    worker: &Arc<Worker>,
    (number, next): (ExperimentNumber, &Next),
    plan: &LaunchPlan,
    running: &Running,
) -> Result<Measured, Failure> {
    let launched = running.facts(worker, plan);
    let image = same_image(worker, launched.image.as_ref());
    let mut facts = LaunchFacts {
        // What was started is on record, also where it is not what it should have been.
        image: match &image {
            Ok(image) => image.clone(),
            Err(_) => launched.image.clone(),
        },
        ..launched
    };
    around(FaultPoint::RecordLaunch, record(worker, number, facts.clone())).await?;
    image?;
    let took = around(FaultPoint::Ready, running.ready(worker, plan)).await?;
    facts.ready_after_ms = u64::try_from(took.as_millis()).ok();
    running.add_to(&mut facts).await;
    around(FaultPoint::RecordReady, record(worker, number, facts)).await?;
    moved(
        worker,
        number,
        ExperimentMove::Benchmark,
        ExperimentStatus::Benchmarking,
    )
    .await?;
    let mut levels = Levels::new(worker, number, next, plan.gpus);
    let measuring = running.load(worker, plan, &mut levels);
    let (recording, sampled) = around(FaultPoint::Benchmark, measuring).await?;
    let given_up = levels.given_up();
    let recording = around(FaultPoint::WriteRecords, keep_requests(worker, number, recording)).await;
    fault::at(FaultPoint::Judge, Side::Before);
    let judged = judge(&worker.task, plan.gpus, recording, sampled);
    let judged = match given_up {
        Some(why) => judged.and_then(|judged| Err(given_up_early(why, judged))),
        None => judged,
    };
    fault::at(FaultPoint::Judge, Side::After);
    judged
}

async fn record(worker: &Worker, number: ExperimentNumber, facts: LaunchFacts) -> Result<(), Failure> {
    worker
        .store
        .record_launch(worker.task_id, number, facts)
        .await
        .map_err(|error| Failure::new(FailureKind::Infrastructure, chain(&error)))
}
