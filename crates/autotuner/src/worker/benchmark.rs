//! An experiment's benchmark, and the watch over its engine meanwhile.
//!
//! The one idea: whatever ends first decides, and on every way out the load has ended.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{Endpoint, LaunchPlan};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::RequestOutcome;
use autotuner_core::plan::Next;
use autotuner_deploy::{Deployment, DeploymentStatus};
use autotuner_load::{BenchError, Recording};

use super::explain::{exited, not_deployed};
use super::levels::Levels;
use super::{Worker, chain};

/// How often a running benchmark looks whether its engine still lives.
const WATCH: Duration = Duration::from_millis(250);

/// How long an engine's death may take to show after its requests have failed of it.
const AFTERMATH: Duration = Duration::from_secs(2);

/// How long the last look at an engine may take that has answered everything.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// What a benchmark has recorded.
pub(super) struct Loaded {
    pub(super) recording: Recording,
    /// Why it was not carried to its end, if it was not.
    pub(super) given_up: Option<String>,
}

/// Loads the engine until the workload is done or not worth finishing, the time is up, the engine
/// dies or a person stops it, whichever comes first. On every way out the load has ended.
pub(super) async fn benchmark(
    worker: &Arc<Worker>,
    (number, next): (ExperimentNumber, &Next),
    plan: &LaunchPlan,
    deployment: &Deployment,
) -> Result<Loaded, Failure> {
    let endpoint = Endpoint {
        base_url: deployment.base_url.clone(),
        model: plan.served_model_name.clone(),
        api_key: None,
    };
    let cancel = worker.stop.tokens.soft.child_token();
    let mut levels = Levels::new(worker, number, next, plan.gpus);
    let limit = worker.task.search.timeout_per_iteration;
    let mut measuring = worker
        .bench
        .measure(&endpoint, &worker.task.workload, cancel.clone(), &mut levels);
    let interrupted = tokio::select! {
        result = &mut measuring => {
            drop(measuring);
            let recording = survived(worker, deployment, result).await?;
            return Ok(Loaded { recording, given_up: levels.given_up() });
        }
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
    let death = match &result {
        Err(BenchError::Cancelled) => None,
        Ok(recording) if is_clean(recording) => {
            let seen = tokio::time::timeout(LAST_LOOK, last_look(worker, deployment)).await;
            seen.ok().flatten()
        }
        _ => tokio::time::timeout(AFTERMATH, watch(worker, deployment))
            .await
            .ok(),
    };
    death.map_or_else(|| result.map_err(bench_failure), Err)
}

fn is_clean(recording: &Recording) -> bool {
    let mut requests = recording.levels.iter().flat_map(|level| &level.requests);
    requests.all(|request| matches!(request.outcome, RequestOutcome::Success))
}

/// Ends when the engine does.
async fn watch(worker: &Worker, deployment: &Deployment) -> Failure {
    loop {
        match look(worker, deployment).await {
            None => tokio::time::sleep(WATCH).await,
            Some(failure) => return failure,
        }
    }
}

/// What keeps an engine's figures from being its own, though all was answered.
async fn last_look(worker: &Worker, deployment: &Deployment) -> Option<Failure> {
    match look(worker, deployment).await {
        None => {
            let disturbed = worker.deployer.undisturbed(deployment).await.err();
            disturbed.map(|error| not_deployed(&error))
        }
        failure => failure,
    }
}

/// What has become of the engine, if it does not simply run.
async fn look(worker: &Worker, deployment: &Deployment) -> Option<Failure> {
    match worker.deployer.status(deployment).await {
        Ok(DeploymentStatus::Running) => None,
        Ok(DeploymentStatus::Exited(exit)) => Some(exited(&exit, "under load")),
        Ok(DeploymentStatus::Gone) => Some(Failure::new(
            FailureKind::EngineCrashed,
            "the engine disappeared under load",
        )),
        Err(error) => Some(not_deployed(&error)),
    }
}

fn bench_failure(error: BenchError) -> Failure {
    let kind = match &error {
        BenchError::Cancelled => FailureKind::Cancelled,
        _ => FailureKind::BenchmarkFailed,
    };
    Failure::new(kind, chain(&error))
}
