//! An agent whose engine somebody else has started, and which it reaches over the cluster's network.
//!
//! It does the same as beside an engine, by the same functions, but starts and stops nothing: whether
//! the engine lives is seen by who asked for it, in the cluster, and here only by its answers.

use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::LaunchPlan;
use autotuner_core::failure::Failure;
use autotuner_core::task::Task;
use autotuner_deploy::{
    DeployError, Deployer, Deployment, DeploymentStatus, Label, Owned, Placement, Watcher,
};
use autotuner_load::Recording;
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use tokio_util::sync::CancellationToken;

use super::Levels;
use super::said::Said;
use super::voice::Voice;
use crate::worker::benchmark::{Loading, benchmark};
use crate::worker::start::ready;
use crate::worker::stop::RunStop;

/// Waits for the engine at this address, and loads it.
///
/// # Errors
/// Why there is nothing to judge.
pub(super) async fn attempt(
    url: &str,
    task: &Task,
    plan: &LaunchPlan,
    stop: &RunStop,
    voice: &Voice,
) -> Result<Recording, Failure> {
    let deployment = Deployment {
        id: url.to_owned(),
        base_url: url.to_owned(),
        command: Vec::new(),
        log_file: "/dev/null".into(),
        image: None,
        container_name: None,
    };
    voice.say(&Said::Launched { command: Vec::new() }).await;
    // Who answers over TLS was asked by its operator; here only the load itself speaks it.
    let took = match url.starts_with("http://") {
        true => ready(&Elsewhere, stop, plan, &deployment).await?,
        false => Duration::ZERO,
    };
    voice.say(&Said::ready(took)).await;
    let bench = LoadGenerator::new(LoadOptions::default());
    let loading = Loading {
        deployer: &Elsewhere,
        deployment: &deployment,
        bench: &bench,
        workload: &task.workload,
        limit: task.search.timeout_per_iteration,
        model: &plan.served_model_name,
    };
    let mut levels = Levels { voice, told_at: None };
    benchmark(&loading, stop, &mut levels).await
}

/// An engine that is not ours to start or to stop.
struct Elsewhere;

/// What nobody asks of it here.
fn not_ours<T>() -> Result<T, DeployError> {
    Err(DeployError::WrongTarget {
        wanted: "an engine of our own",
        target: "elsewhere",
    })
}

#[async_trait]
impl Deployer for Elsewhere {
    async fn prepare(
        &self,
        _plan: &LaunchPlan,
        _watcher: &dyn Watcher,
        _cancel: &CancellationToken,
    ) -> Result<(), DeployError> {
        Ok(())
    }

    async fn ask(
        &self,
        _plan: &LaunchPlan,
        _arguments: &[&str],
        _patience: Duration,
        _cancel: &CancellationToken,
    ) -> Option<String> {
        None
    }

    async fn launch(
        &self,
        _plan: &LaunchPlan,
        _placement: &Placement,
        _label: &Label,
    ) -> Result<Deployment, DeployError> {
        not_ours()
    }

    /// That it has ended is seen in the cluster, by who has asked for it.
    async fn status(&self, _deployment: &Deployment) -> Result<DeploymentStatus, DeployError> {
        Ok(DeploymentStatus::Running)
    }

    async fn logs(&self, _deployment: &Deployment, _lines: usize) -> Result<Vec<String>, DeployError> {
        Ok(Vec::new())
    }

    async fn stop(&self, _deployment: &Deployment, _grace: Duration) -> Result<(), DeployError> {
        not_ours()
    }

    async fn list_ours(&self) -> Result<Vec<Owned>, DeployError> {
        Ok(Vec::new())
    }
}
