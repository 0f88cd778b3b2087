//! Where engines run: the deployer that a task asks for, and what dead runs left there.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::task::DeploymentMode;
use autotuner_deploy::docker::DockerDeployer;
use autotuner_deploy::kubernetes::Cluster;
use autotuner_deploy::{DeployError, Deployer, SweepReport, sweep};
use tokio_util::sync::CancellationToken;

use super::session::{Session, context};
use super::{Refusal, say};
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::targets::{claim, cluster, docker_config, local, swept_in_words};
use crate::worker::chain;
use crate::worker::preflight::not_there;
use crate::worker::site::Ground;

/// How long what was given up midway may take to be undone, before the program ends.
const LEAVING: Duration = Duration::from_secs(6);

/// How long when somebody is in a hurry. A daemon that answers needs less.
const HURRIED: Duration = Duration::from_secs(2);

/// Where a run's engines run.
pub(super) struct Target {
    pub(super) ground: Ground,
    docker: Option<Arc<DockerDeployer>>,
}

impl Target {
    /// The target of a task of this mode. What the operator's own command line asks for, the
    /// operator allows.
    ///
    /// # Errors
    /// It cannot be reached, in the words of a task's problem, or nothing can be put on record.
    pub(super) async fn reach(
        config: &Config,
        session: &Session,
        shutdown: &Shutdown,
    ) -> Result<Self, Refusal> {
        let instance = claim(config, "run").map_err(context("cannot keep a record of running engines"))?;
        let gone = |error: DeployError| Refusal::Problems {
            of: session.of.clone(),
            problems: vec![not_there(&session.task, &error)],
        };
        if session.task.deployment == DeploymentMode::Kubernetes {
            let cluster = Arc::new(cluster(config, instance).await.map_err(gone)?);
            clear_jobs(&cluster, config, shutdown).await;
            return Ok(Self {
                ground: Ground::Cluster(cluster),
                docker: None,
            });
        }
        if session.task.deployment == DeploymentMode::Docker {
            let docker = DockerDeployer::connect(docker_config(config, instance)).await;
            let docker = Arc::new(docker.map_err(gone)?);
            clear_unrecorded(&docker, config, shutdown).await;
            return Ok(Self {
                ground: Ground::Machine(Arc::clone(&docker) as Arc<dyn Deployer>),
                docker: Some(docker),
            });
        }
        let local = local(config, instance).map_err(anyhow::Error::from)?;
        Ok(Self {
            ground: Ground::Machine(Arc::new(local)),
            docker: None,
        })
    }

    /// Lets what was given up midway be undone. To be called when the run is over.
    pub(super) async fn leave(&self, hard: &CancellationToken) {
        let Some(docker) = &self.docker else { return };
        tokio::select! {
            () = docker.close(LEAVING) => {}
            () = async {
                hard.cancelled().await;
                docker.close(HURRIED).await;
            } => {}
        }
    }
}

/// The daemon, for looking at it and for clearing away.
///
/// # Errors
/// It cannot be reached, or nothing can be put on record.
pub(super) async fn reach_docker(config: &Config, purpose: &str) -> Result<DockerDeployer, DeployError> {
    let instance = claim(config, purpose)?;
    DockerDeployer::connect(docker_config(config, instance)).await
}

/// Ends what killed runs of ours left behind, as far as it is on record.
pub(super) async fn clear_orphans(config: &Config, shutdown: &Shutdown) -> Result<(), Refusal> {
    let report = sweep(&config.instances_dir(), config.stop_grace, &shutdown.soft)
        .await
        .map_err(context("cannot look for engines that an earlier run left behind"))?;
    tell(&report);
    if !report.kept_alive_owner.is_empty() {
        say(&format!(
            "warning: another run is going on here ({}); each disturbs what the other measures",
            report.kept_alive_owner.join(", ")
        ));
    }
    Ok(())
}

/// Ends containers of killed runs that are on no record any more.
async fn clear_unrecorded(docker: &DockerDeployer, config: &Config, shutdown: &Shutdown) {
    match docker.sweep(config.stop_grace, &shutdown.soft).await {
        Ok(report) => tell(&report),
        Err(error) => say(&format!("warning: {}", chain(&error))),
    }
}

/// Removes Jobs of killed runs.
async fn clear_jobs(cluster: &Cluster, config: &Config, shutdown: &Shutdown) {
    match cluster.sweep(config.stop_grace, &shutdown.soft).await {
        Ok(report) => tell(&report),
        Err(error) => say(&format!("warning: {}", chain(&error))),
    }
}

fn tell(report: &SweepReport) {
    for swept in &report.stopped {
        say(&format!(
            "stopped an engine that a dead run left behind: {}",
            swept_in_words(swept)
        ));
    }
    for problem in &report.problems {
        say(&format!("warning: {problem}"));
    }
}
