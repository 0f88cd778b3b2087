//! An experiment's benchmark, and the watch over its engine meanwhile.
//!
//! The one idea: whatever ends first decides, and on every way out the load has ended.

use std::time::Duration;

use autotuner_core::engine::Endpoint;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::measure::RequestOutcome;
use autotuner_core::workload::Workload;
use autotuner_deploy::{Deployer, Deployment, DeploymentStatus};
use autotuner_load::{Bench, BenchError, Observer, Recording};

use super::chain;
use super::explain::{exited, not_deployed};
use super::stop::RunStop;

/// How often a running benchmark looks whether its engine still lives.
const WATCH: Duration = Duration::from_millis(250);

/// How long an engine's death may take to show after its requests have failed of it.
const AFTERMATH: Duration = Duration::from_secs(2);

/// How long the last look at an engine may take that has answered everything.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// An engine to be loaded, and who does it.
pub(crate) struct Loading<'a> {
    /// Who has started it.
    pub(crate) deployer: &'a dyn Deployer,
    /// Which it is.
    pub(crate) deployment: &'a Deployment,
    /// Who loads it.
    pub(crate) bench: &'a dyn Bench,
    /// With what.
    pub(crate) workload: &'a Workload,
    /// For how long at most.
    pub(crate) limit: Duration,
    /// The name under which it serves the model.
    pub(crate) model: &'a str,
}

/// Loads the engine until the workload is done or not worth finishing, the time is up, the engine
/// dies or a person stops it, whichever comes first. On every way out the load has ended.
///
/// # Errors
/// Why there is nothing to judge.
pub(crate) async fn benchmark(
    loading: &Loading<'_>,
    stop: &RunStop,
    observer: &mut dyn Observer,
) -> Result<Recording, Failure> {
    let endpoint = Endpoint {
        base_url: loading.deployment.base_url.clone(),
        model: loading.model.to_owned(),
        api_key: None,
    };
    let cancel = stop.tokens.soft.child_token();
    let limit = loading.limit;
    let mut measuring = loading
        .bench
        .measure(&endpoint, loading.workload, cancel.clone(), observer);
    let interrupted = tokio::select! {
        result = &mut measuring => {
            drop(measuring);
            return survived(loading, result).await;
        }
        failure = watch(loading) => failure,
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
    loading: &Loading<'_>,
    result: Result<Recording, BenchError>,
) -> Result<Recording, Failure> {
    let death = match &result {
        Err(BenchError::Cancelled) => None,
        Ok(recording) if is_clean(recording) => {
            let seen = tokio::time::timeout(LAST_LOOK, last_look(loading)).await;
            seen.ok().flatten()
        }
        _ => tokio::time::timeout(AFTERMATH, watch(loading)).await.ok(),
    };
    death.map_or_else(|| result.map_err(bench_failure), Err)
}

fn is_clean(recording: &Recording) -> bool {
    let mut requests = recording.levels.iter().flat_map(|level| &level.requests);
    requests.all(|request| matches!(request.outcome, RequestOutcome::Success))
}

/// Ends when the engine does.
async fn watch(loading: &Loading<'_>) -> Failure {
    loop {
        match look(loading).await {
            None => tokio::time::sleep(WATCH).await,
            Some(failure) => return failure,
        }
    }
}

/// What keeps an engine's figures from being its own, though all was answered.
async fn last_look(loading: &Loading<'_>) -> Option<Failure> {
    match look(loading).await {
        None => {
            let disturbed = loading.deployer.undisturbed(loading.deployment).await.err();
            disturbed.map(|error| not_deployed(&error))
        }
        failure => failure,
    }
}

/// What has become of the engine, if it does not simply run.
async fn look(loading: &Loading<'_>) -> Option<Failure> {
    match loading.deployer.status(loading.deployment).await {
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
