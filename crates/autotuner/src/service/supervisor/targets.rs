//! Where the server's engines run: one deployer of each kind for all of its tasks.
//!
//! The Docker daemon is reached when a task first needs it, and again after it was not there:
//! a server is started before its daemon as often as after it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::task::DeploymentMode;
use autotuner_deploy::docker::DockerDeployer;
use autotuner_deploy::kubernetes::Cluster;
use autotuner_deploy::process::ProcessDeployer;
use autotuner_deploy::{DeployError, Deployer, Instance, SweepReport, sweep};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::targets::{LocalError, claim, cluster, docker_config, has_used_cluster, local};
use crate::worker::chain;
use crate::worker::site::Ground;

/// How long what was given up midway may take to be undone, before the server ends.
const LEAVING: Duration = Duration::from_secs(2);

/// Longest time that a daemon may take to say that it is there.
const ASKING: Duration = Duration::from_secs(10);

/// Where engines run.
#[async_trait]
pub(crate) trait Targets: Send + Sync {
    /// The deployer of a mode, which answers at this moment.
    ///
    /// # Errors
    /// Its target cannot be reached.
    async fn reach(&self, mode: DeploymentMode) -> Result<Ground, DeployError>;

    /// Ends what dead processes of ours left behind on this machine.
    async fn sweep(&self, cancel: &CancellationToken) -> SweepReport;

    /// Lets what was given up midway be undone.
    async fn close(&self);
}

/// This machine: its processes, and its Docker daemon.
pub(crate) struct Machine {
    config: Config,
    instance: Arc<Instance>,
    processes: Arc<ProcessDeployer>,
    docker: Mutex<Option<Arc<DockerDeployer>>>,
    cluster: Mutex<Option<Arc<Cluster>>>,
}

/// Why the server cannot start engines at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    /// Nothing could be put on record.
    #[error("cannot keep a record of running engines")]
    Record(#[source] DeployError),
    /// No process could be started.
    #[error(transparent)]
    Local(#[from] LocalError),
}

impl Machine {
    /// Puts this process on record as one that may start engines.
    ///
    /// # Errors
    /// [`MachineError`].
    pub(crate) fn open(config: &Config) -> Result<Self, MachineError> {
        let instance = claim(config, "serve").map_err(MachineError::Record)?;
        Ok(Self {
            config: config.clone(),
            processes: Arc::new(local(config, Arc::clone(&instance))?),
            instance,
            docker: Mutex::default(),
            cluster: Mutex::default(),
        })
    }

    /// The daemon, connected anew where it was not.
    async fn docker(&self) -> Result<Arc<DockerDeployer>, DeployError> {
        let mut docker = self.docker.lock().await;
        if let Some(docker) = &*docker {
            return Ok(Arc::clone(docker));
        }
        let config = docker_config(&self.config, Arc::clone(&self.instance));
        let connected = Arc::new(DockerDeployer::connect(config).await?);
        Ok(Arc::clone(docker.insert(connected)))
    }
}

impl Machine {
    /// The cluster, whose configuration is read anew where it could not be.
    async fn cluster(&self) -> Result<Arc<Cluster>, DeployError> {
        let mut known = self.cluster.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let reached = Arc::new(cluster(&self.config, Arc::clone(&self.instance)).await?);
        Ok(Arc::clone(known.insert(reached)))
    }
}

#[async_trait]
impl Targets for Machine {
    async fn reach(&self, mode: DeploymentMode) -> Result<Ground, DeployError> {
        let target = match mode {
            DeploymentMode::Local => {
                return Ok(Ground::Machine(Arc::clone(&self.processes) as Arc<dyn Deployer>));
            }
            DeploymentMode::Docker => "the Docker daemon",
            DeploymentMode::Kubernetes => "the Kubernetes cluster",
        };
        // One that was there once may be away by now.
        let reaching = async {
            if mode == DeploymentMode::Kubernetes {
                let cluster = self.cluster().await?;
                cluster.reach().version().await?;
                return Ok(Ground::Cluster(cluster));
            }
            let docker = self.docker().await?;
            docker.list_ours().await?;
            Ok(Ground::Machine(docker as Arc<dyn Deployer>))
        };
        timeout(ASKING, reaching).await.unwrap_or_else(|_| {
            Err(DeployError::TargetGone {
                target: target.to_owned(),
                message: format!("it has not answered within {} s", ASKING.as_secs()),
            })
        })
    }

    async fn sweep(&self, cancel: &CancellationToken) -> SweepReport {
        let grace = self.config.stop_grace;
        let on_record = sweep(&self.config.instances_dir(), grace, cancel).await;
        let mut report = on_record.unwrap_or_else(|error| failed(&error));
        // No daemon is no problem of a sweep: its containers wait for it, too.
        if let Ok(Ok(docker)) = timeout(ASKING, self.docker()).await {
            match docker.sweep(grace, cancel).await {
                Ok(swept) => report.merge(swept),
                Err(error) => tracing::debug!(error = chain(&error), "containers are not looked at"),
            }
        }
        // Nor is no cluster, which removes by itself what nobody wants any more.
        if has_used_cluster(&self.config)
            && let Ok(Ok(cluster)) = timeout(ASKING, self.cluster()).await
        {
            match cluster.sweep(grace, cancel).await {
                Ok(swept) => report.merge(swept),
                Err(error) => tracing::debug!(error = chain(&error), "Jobs are not looked at"),
            }
        }
        report
    }

    async fn close(&self) {
        if let Some(docker) = self.docker.lock().await.as_ref() {
            docker.close(LEAVING).await;
        }
    }
}

fn failed(error: &DeployError) -> SweepReport {
    SweepReport {
        problems: vec![chain(error)],
        ..SweepReport::default()
    }
}
