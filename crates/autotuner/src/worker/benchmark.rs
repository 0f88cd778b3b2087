//! An experiment's benchmark, and the watch over its engine meanwhile.
//!
//! The one idea: whatever ends first decides, and on every way out the load has ended.

use std::time::Duration;

use autotuner_core::engine::{Endpoint, LaunchPlan};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::{LevelRecords, RequestOutcome};
use autotuner_deploy::{Deployment, DeploymentStatus};
use autotuner_load::{BenchError, Observer, Progress, Recording, Verdict};

use super::explain::{exited, not_deployed};
use super::{Event, Worker, chain};

/// How often a running benchmark looks whether its engine still lives.
const WATCH: Duration = Duration::from_millis(250);

/// Loads the engine until the workload is done, the time is up, the engine dies or a person
/// stops it, whichever comes first. On every way out the load has ended.
pub(super) async fn benchmark(
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
            Err(error) => return not_deployed(&error),
        }
    }
}

fn bench_failure(error: BenchError) -> Failure {
    let kind = match &error {
        BenchError::Cancelled => FailureKind::Cancelled,
        _ => FailureKind::BenchmarkFailed,
    };
    Failure::new(kind, chain(&error))
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
