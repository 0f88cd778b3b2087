//! Where engines run: the deployer that a task asks for, and what dead runs left there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::task::DeploymentMode;
use autotuner_deploy::docker::{DockerConfig, DockerDeployer, Policy};
use autotuner_deploy::gpu::{GpuPool, MACHINE_FOLDER, MachineGpus};
use autotuner_deploy::process::{ProcessConfig, ProcessDeployer};
use autotuner_deploy::{DeployError, Deployer, Instance, SweepReport, Swept, sweep};
use tokio_util::sync::CancellationToken;

use super::session::{Session, context};
use super::{Refusal, say};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::worker::chain;
use crate::worker::preflight::{not_there, own_program};

/// How long what was given up midway may take to be undone, before the program ends.
const LEAVING: Duration = Duration::from_secs(6);

/// How long when somebody is in a hurry. A daemon that answers needs less.
const HURRIED: Duration = Duration::from_secs(2);

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
        let instance = claim(config, "run").map_err(context("cannot keep a record of running engines"))?;
        if session.task.deployment == DeploymentMode::Docker {
            let docker = DockerDeployer::connect(docker_config(config, instance)).await;
            let docker = docker.map_err(|error| Refusal::Problems {
                of: session.of.clone(),
                problems: vec![not_there(&session.task, &error)],
            })?;
            let docker = Arc::new(docker);
            clear_unrecorded(&docker, config, shutdown).await;
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

/// The daemon, for looking at it and for clearing away.
///
/// # Errors
/// It cannot be reached, or nothing can be put on record.
pub(super) async fn reach_docker(config: &Config, purpose: &str) -> Result<DockerDeployer, DeployError> {
    let instance = claim(config, purpose)?;
    DockerDeployer::connect(docker_config(config, instance)).await
}

/// Makes this process known as one that may start engines.
fn claim(config: &Config, purpose: &str) -> Result<Arc<Instance>, DeployError> {
    let name = format!("{purpose}-{}-{}", std::process::id(), SystemClock.now_ms());
    Instance::claim(&config.instances_dir(), &name).map(Arc::new)
}

/// What a sweep has ended. What was asked something only has no task.
pub(super) fn swept_in_words(swept: &Swept) -> String {
    let Swept {
        task,
        experiment,
        process_ids,
        container,
        ..
    } = swept;
    let whose = match task.as_str() {
        "" => "no known task".to_owned(),
        task => format!("task {task}, experiment {experiment}"),
    };
    match container {
        Some(id) => format!("{whose} (container {})", id.get(..12).unwrap_or(id)),
        None => {
            let ids: Vec<String> = process_ids.iter().map(ToString::to_string).collect();
            format!("{whose} (processes {})", ids.join(", "))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stopped_is_named_as_its_target_knows_it() {
        let check = |process_ids: &[i32], container: Option<&str>, expected: &str| {
            let swept = Swept {
                instance: "run-1".into(),
                task: "chat".into(),
                experiment: 2,
                process_ids: process_ids.to_vec(),
                container: container.map(str::to_owned),
            };
            let expected = format!("task chat, experiment 2 ({expected})");
            assert_eq!(swept_in_words(&swept), expected);
        };
        check(&[41, 42], None, "processes 41, 42");
        check(&[], Some("1e0f5599a437f06b"), "container 1e0f5599a437");
    }
}
