//! One experiment: deploy → ready → benchmark → score → preserve the log → stop.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{Endpoint, LaunchPlan};
use autotuner_core::experiment::{LaunchFacts, Measured};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::ExperimentMove;
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::measure::{LevelRecords, RequestOutcome};
use autotuner_core::plan::Next;
use autotuner_core::problem::Problem;
use autotuner_deploy::ready::{NotReady, ReadyCheck, wait_until_ready};
use autotuner_deploy::{Deployment, DeploymentStatus, Exit, Label, Placement};
use autotuner_load::{BenchError, Observer, Progress, Recording, Verdict};
use autotuner_store::StoreError;

use tracing::Instrument as _;

use super::judge::judge;
use super::secret::without_secret;
use super::{Event, Worker, chain};

/// How often a running benchmark looks whether its engine still lives.
const WATCH: Duration = Duration::from_millis(250);

/// Lines of the engine's output that a failure keeps.
const TAIL: usize = 100;

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
    match &outcome {
        Ok(measured) => worker.logs.line(
            "INFO",
            &format!(
                "[Experiment {number}] Status: SUCCESS, {} {}",
                measured.score.objective().label(),
                measured.score.objective_value()
            ),
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
    worker
        .store
        .finish_experiment(worker.task_id, number, outcome, now)
        .await?;
    let history = worker.store.history(worker.task_id).await?;
    if let Some(experiment) = history.iter().find(|experiment| experiment.number == number) {
        worker.reporter.report(Event::Ended { experiment });
    }
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
    if worker.shutdown.soft.is_cancelled() {
        let message = "cancelled before the engine was started";
        return Err(Failure::new(FailureKind::Cancelled, message));
    }
    if let Some(why) = worker.stuck.get() {
        let message = format!("an earlier engine still runs and would disturb the measurement: {why}");
        return Err(Failure::new(FailureKind::Infrastructure, message));
    }
    let label = Label {
        task: worker.task.name.clone(),
        experiment: number.0,
        attempt: next.attempt,
        log_file: worker.logs.engine_log(number),
    };
    let deployment = worker
        .deployer
        .launch(&plan, &Placement::default(), &label)
        .await
        .map_err(|error| Failure::new(FailureKind::Infrastructure, chain(&error)))?;
    // In a task of its own, so that even a panic in there comes back here, to the teardown.
    let measuring = measure(Arc::clone(worker), number, plan, deployment.clone()).in_current_span();
    let outcome = tokio::spawn(measuring).await.unwrap_or_else(|fault| {
        Err(Failure::new(
            FailureKind::WorkerLost,
            format!("a fault of our own: {fault}"),
        ))
    });
    tear_down(worker, number, &deployment).await;
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
    worker
        .store
        .move_experiment(worker.task_id, number, wanted)
        .await
        .map_err(|error| Failure::new(FailureKind::Infrastructure, chain(&error)))?;
    worker.reporter.report(Event::Moved { number, status });
    Ok(())
}

/// Measures, or finds out why that failed while the engine can still be asked.
async fn measure(
    worker: Arc<Worker>,
    number: ExperimentNumber,
    plan: LaunchPlan,
    deployment: Deployment,
) -> Result<Measured, Failure> {
    match try_measure(&worker, number, &plan, &deployment).await {
        Ok(measured) => Ok(measured),
        Err(failure) => Err(explain(&worker, &deployment, failure).await),
    }
}

/// Waits for the engine, loads it, and judges what was recorded.
async fn try_measure(
    worker: &Worker,
    number: ExperimentNumber,
    plan: &LaunchPlan,
    deployment: &Deployment,
) -> Result<Measured, Failure> {
    let mut facts = LaunchFacts {
        command: deployment.command.clone(),
        env: plan.env.iter().map(without_secret).collect(),
        engine_version: worker.facts.version.clone(),
        ready_after_ms: None,
        image: deployment.image.clone(),
        gpus: Vec::new(),
    };
    record(worker, number, facts.clone()).await?;
    let took = ready(worker, plan, deployment).await?;
    facts.ready_after_ms = u64::try_from(took.as_millis()).ok();
    record(worker, number, facts).await?;
    moved(
        worker,
        number,
        ExperimentMove::Benchmark,
        ExperimentStatus::Benchmarking,
    )
    .await?;
    let recording = benchmark(worker, number, plan, deployment).await?;
    judge(&worker.task, plan.gpus, recording)
}

/// Waits until the engine answers; how long that took.
async fn ready(worker: &Worker, plan: &LaunchPlan, deployment: &Deployment) -> Result<Duration, Failure> {
    let check = ReadyCheck::of(plan);
    let waiting = wait_until_ready(
        worker.deployer.as_ref(),
        deployment,
        &check,
        &worker.shutdown.soft,
    );
    let kind = match waiting.await {
        Ok(ready) => return Ok(ready.took),
        Err(NotReady::Exited { exit, .. }) => return Err(exited(&exit, "before it was ready")),
        Err(error) => (
            match error {
                NotReady::Deadline { .. } => FailureKind::NotReadyInTime,
                NotReady::Cancelled => FailureKind::Cancelled,
                NotReady::Gone { .. } | NotReady::Exited { .. } => FailureKind::EngineCrashed,
                NotReady::Target(_) => FailureKind::Infrastructure,
            },
            chain(&error),
        ),
    };
    Err(Failure::new(kind.0, kind.1))
}

async fn record(worker: &Worker, number: ExperimentNumber, facts: LaunchFacts) -> Result<(), Failure> {
    worker
        .store
        .record_launch(worker.task_id, number, facts)
        .await
        .map_err(|error| Failure::new(FailureKind::Infrastructure, chain(&error)))
}

/// Loads the engine until the workload is done, the time is up, the engine dies or a person
/// stops it, whichever comes first. On every way out the load has ended.
async fn benchmark(
    worker: &Worker,
    number: ExperimentNumber,
    plan: &LaunchPlan,
    deployment: &Deployment,
) -> Result<Recording, Failure> {
    let endpoint = Endpoint {
        base_url: deployment.base_url.clone(),
        model: plan.served_model_name.clone(),
        api_key: None,
    };
    let cancel = worker.shutdown.soft.child_token();
    let mut observer = Told { worker, number };
    let limit = worker.task.search.timeout_per_iteration;
    let measuring = worker
        .bench
        .measure(&endpoint, &worker.task.workload, cancel.clone(), &mut observer);
    tokio::pin!(measuring);
    let interrupted = tokio::select! {
        result = &mut measuring => return survived(worker, deployment, result).await,
        failure = watch(worker, deployment) => failure,
        () = tokio::time::sleep(limit) => Failure::new(
            FailureKind::BenchmarkFailed,
            format!("the benchmark did not end within {} s", limit.as_secs_f64()),
        ),
    };
    cancel.cancel();
    // Lets the load generator close its connections; bounded, since it may not listen.
    drop(tokio::time::timeout(Duration::from_secs(2), measuring).await);
    Err(interrupted)
}

/// What was measured, unless the engine died of it. An engine's death shows in its requests
/// before it shows in its status, so a benchmark that was not clean is given a moment.
async fn survived(
    worker: &Worker,
    deployment: &Deployment,
    result: Result<Recording, BenchError>,
) -> Result<Recording, Failure> {
    let moment = match &result {
        Err(BenchError::Cancelled) => return result.map_err(bench_failure),
        Ok(recording) if is_clean(recording) => Duration::ZERO,
        _ => WATCH,
    };
    match tokio::time::timeout(moment, watch(worker, deployment)).await {
        Ok(death) => Err(death),
        Err(_lives) => result.map_err(bench_failure),
    }
}

fn is_clean(recording: &Recording) -> bool {
    let mut requests = recording.levels.iter().flat_map(|level| &level.requests);
    requests.all(|request| matches!(request.outcome, RequestOutcome::Success))
}

/// Ends when the engine does.
async fn watch(worker: &Worker, deployment: &Deployment) -> Failure {
    loop {
        match worker.deployer.status(deployment).await {
            Ok(DeploymentStatus::Running) => tokio::time::sleep(WATCH).await,
            Ok(DeploymentStatus::Exited(exit)) => return exited(&exit, "under load"),
            Ok(DeploymentStatus::Gone) => {
                return Failure::new(FailureKind::EngineCrashed, "the engine disappeared under load");
            }
            Err(error) => return Failure::new(FailureKind::Infrastructure, chain(&error)),
        }
    }
}

/// The failure of an engine that ended by itself.
fn exited(exit: &Exit, when: &str) -> Failure {
    let how = match (exit.code, exit.signal) {
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "for a reason that nobody told".into(),
    };
    let (kind, extra) = match autotuner_core::engine::diagnose_exit(exit.code, exit.signal) {
        _ if exit.out_of_memory => (FailureKind::OutOfMemory, String::new()),
        Some((kind, text)) => (kind, format!(": {text}")),
        None => (FailureKind::EngineCrashed, String::new()),
    };
    Failure::new(kind, format!("the engine ended {when} {how}{extra}"))
}

fn bench_failure(error: BenchError) -> Failure {
    let kind = match &error {
        BenchError::Cancelled => FailureKind::Cancelled,
        _ => FailureKind::BenchmarkFailed,
    };
    Failure::new(kind, chain(&error))
}

/// Adds the end of the engine's output to a failure, and what it says about the cause.
async fn explain(worker: &Worker, deployment: &Deployment, mut failure: Failure) -> Failure {
    if failure.kind == FailureKind::Cancelled {
        return failure;
    }
    failure.log_tail = worker
        .deployer
        .logs(deployment, TAIL)
        .await
        .unwrap_or_else(|error| vec![chain(&error)]);
    if let Some(diagnosis) = worker.engine.diagnose(&failure.log_tail) {
        // What the engine said outranks how it looked from outside, but a failure of the
        // world stays one: it says nothing of the candidate.
        if failure.kind != FailureKind::Infrastructure {
            failure.kind = diagnosis.kind;
        }
        failure.message = format!("{}: {}", failure.message, diagnosis.evidence);
        failure.advice = diagnosis.advice;
    }
    failure
}

/// Stops the engine and keeps its output. A cancel does not cut this short; a second signal
/// only takes away the time that the engine is given to end by itself.
async fn tear_down(worker: &Arc<Worker>, number: ExperimentNumber, deployment: &Deployment) {
    let grace = if worker.shutdown.hard.is_cancelled() {
        Duration::ZERO
    } else {
        worker.stop_grace
    };
    let stopped = tokio::select! {
        stopped = worker.deployer.stop(deployment, grace) => stopped,
        () = worker.shutdown.hard.cancelled() => worker.deployer.stop(deployment, Duration::ZERO).await,
    };
    if let Err(error) = stopped {
        let message = format!("[Experiment {number}] {}", chain(&error));
        worker.logs.line("ERROR", &message);
        worker.reporter.report(Event::Warned { message: &message });
        worker.stuck.get_or_init(|| message);
    }
    // A long log takes its time, which must not be another experiment's.
    let keeper = Arc::clone(worker);
    if let Err(fault) = tokio::task::spawn_blocking(move || keeper.logs.preserve(number)).await {
        tracing::warn!(%fault, "an engine's output was not copied into the task log");
    }
}

/// Passes a benchmark's progress on.
struct Told<'a> {
    worker: &'a Worker,
    number: ExperimentNumber,
}

impl Observer for Told<'_> {
    fn progress(&mut self, progress: &Progress) {
        self.worker.reporter.report(Event::Measuring {
            number: self.number,
            progress,
        });
    }

    fn level_done(&mut self, _records: &LevelRecords) -> Verdict {
        Verdict::Continue
    }
}
