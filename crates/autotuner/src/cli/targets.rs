//! Where engines run: the deployer that a task asks for, and what dead runs left there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::task::DeploymentMode;
use autotuner_deploy::docker::{DockerConfig, DockerDeployer, Policy};
use autotuner_deploy::gpu::{GpuPool, MACHINE_FOLDER, MachineGpus};
use autotuner_deploy::process::{ProcessConfig, ProcessDeployer};
use autotuner_deploy::{Deployer, Instance, SweepReport, sweep};

use super::session::{Session, context};
use super::{Refusal, say};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::worker::preflight::{not_there, own_program};

/// How long what was given up midway may take to be undone, before the program ends.
const LEAVING: Duration = Duration::from_secs(10);

/// Where a run's engines run.
pub(super) struct Target {
    pub(super) deployer: Arc<dyn Deployer>,
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
        let instance = Instance::claim(&config.instances_dir(), &instance_name("run"))
            .map_err(context("cannot keep a record of running engines"))?;
        let instance = Arc::new(instance);
        if session.task.deployment == DeploymentMode::Docker {
            let docker = DockerDeployer::connect(docker_config(config, instance)).await;
            let docker = docker.map_err(|error| Refusal::Problems {
                of: session.of.clone(),
                problems: vec![not_there(&session.task, &error)],
            })?;
            // Containers of dead runs whose records are lost, with the data directory perhaps.
            let cleared = docker.sweep(config.stop_grace, &shutdown.soft).await;
            tell(&cleared.map_err(context(
                "cannot look for containers that an earlier run left behind",
            ))?);
            let docker = Arc::new(docker);
            return Ok(Self {
                deployer: Arc::clone(&docker) as Arc<dyn Deployer>,
                docker: Some(docker),
            });
        }
        Ok(Self {
            deployer: local(config, instance)?,
            docker: None,
        })
    }

    /// Lets what was given up midway be undone. To be called when the run is over.
    pub(super) async fn leave(&self) {
        if let Some(docker) = &self.docker {
            docker.close(LEAVING).await;
        }
    }
}

fn local(config: &Config, instance: Arc<Instance>) -> Result<Arc<dyn Deployer>, Refusal> {
    let program = own_program().map_err(context("cannot tell our own program's path"))?;
    let deployer = ProcessDeployer::new(ProcessConfig {
        instance,
        search_path: config.search_path.clone(),
        launcher: Some(vec![program.into_os_string(), "engine-exec".into()]),
        withheld_variables: vec![],
    })
    .map_err(context("cannot prepare to start engines"))?;
    Ok(Arc::new(deployer))
}

fn docker_config(config: &Config, instance: Arc<Instance>) -> DockerConfig {
    DockerConfig {
        instance,
        host: config.docker_host.clone(),
        hub_cache: Some(config.hub_cache.clone()),
        environment: config.container_environment.clone(),
        shm_bytes: config.container_shm,
        policy: Policy::anything(),
    }
}

/// The GPUs of this machine, which all runs here share.
pub(super) fn gpu_pool(config: &Config) -> GpuPool {
    let source = Arc::new(MachineGpus::new(config.gpus.clone()));
    GpuPool::new(source, PathBuf::from(MACHINE_FOLDER))
}

/// Ends what killed runs of ours left behind, as far as it is on record.
pub(super) async fn clear_orphans(config: &Config, shutdown: &Shutdown) -> Result<(), Refusal> {
    let report = sweep(&config.instances_dir(), config.stop_grace, &shutdown.soft)
        .await
        .map_err(context("cannot look for engines that an earlier run left behind"))?;
    if !report.kept_alive_owner.is_empty() {
        say(&format!(
            "warning: another run is going on here ({}); each disturbs what the other measures",
            report.kept_alive_owner.join(", ")
        ));
    }
    tell(&report);
    Ok(())
}

fn tell(report: &SweepReport) {
    for swept in &report.stopped {
        say(&format!(
            "stopped an engine that a dead run left behind: task {}, experiment {}",
            swept.task, swept.experiment
        ));
    }
    for problem in &report.problems {
        say(&format!("warning: {problem}"));
    }
}

/// A connection to the daemon for looking after what is left there; `None` where there is
/// none to connect to. What is on record says so by itself.
pub(super) async fn docker_here(config: &Config) -> Option<DockerDeployer> {
    let instance = Instance::claim(&config.instances_dir(), &instance_name("doctor")).ok()?;
    let config = docker_config(config, Arc::new(instance));
    DockerDeployer::connect(config).await.ok()
}

fn instance_name(kind: &str) -> String {
    format!("{kind}-{}-{}", std::process::id(), SystemClock.now_ms())
}
