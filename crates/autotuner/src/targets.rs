//! Where engines run, set up as the configuration says: for a run from the terminal, and for
//! all runs of the server.
//!
//! It decides nothing and tells nobody: what is missing is its caller's to report.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use autotuner_deploy::containers::Surroundings;
use autotuner_deploy::docker::{DockerConfig, Policy};
use autotuner_deploy::gpu::{GpuPool, MACHINE_FOLDER, MachineGpus};
use autotuner_deploy::kubernetes::pods::PodSurroundings;
use autotuner_deploy::kubernetes::{self, Cluster, ClusterConfig, PodPolicy};
use autotuner_deploy::process::{ProcessConfig, ProcessDeployer};
use autotuner_deploy::{DeployError, Instance, Swept};

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Kubernetes};
use crate::worker::preflight::own_program;

/// Why engines cannot be started as child processes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    /// The program that becomes the engine is our own.
    #[error("cannot tell our own program's path")]
    OwnProgram(#[source] io::Error),
    /// The deployer could not be set up.
    #[error("cannot prepare to start engines")]
    Prepare(#[source] DeployError),
}

/// Makes this process known as one that may start engines.
///
/// # Errors
/// Nothing can be put on record in the data directory.
pub(crate) fn claim(config: &Config, purpose: &str) -> Result<Arc<Instance>, DeployError> {
    let name = format!("{purpose}-{}-{}", std::process::id(), SystemClock.now_ms());
    Instance::claim(&config.instances_dir(), &name).map(Arc::new)
}

/// Variables of ours that no engine inherits: what is meant for this process alone, and what may
/// be secret.
pub(crate) fn withheld() -> Vec<OsString> {
    let names = [
        "AUTOTUNER_FAULT",
        "AUTOTUNER_DATABASE",
        "AUTOTUNER_TOKEN",
        "PGPASSWORD",
        "PGPASSFILE",
    ];
    names.map(OsString::from).to_vec()
}

/// The deployer of child processes.
///
/// # Errors
/// [`LocalError`].
pub(crate) fn local(config: &Config, instance: Arc<Instance>) -> Result<ProcessDeployer, LocalError> {
    let program = own_program().map_err(LocalError::OwnProgram)?;
    ProcessDeployer::new(ProcessConfig {
        instance,
        search_path: config.search_path.clone(),
        launcher: Some(vec![program.into_os_string(), "engine-exec".into()]),
        withheld_variables: withheld(),
    })
    .map_err(LocalError::Prepare)
}

/// What the deployer of containers needs to know. What the operator's own configuration and
/// command line ask for, the operator allows.
pub(crate) fn docker_config(config: &Config, instance: Arc<Instance>) -> DockerConfig {
    DockerConfig {
        instance,
        host: config.docker_host.clone(),
        hub_cache: Some(config.hub_cache.clone()),
        environment: config.container_environment.clone(),
        shm_bytes: config.container_shm,
        policy: Policy::anything(),
    }
}

/// The cluster that the configuration names, which is not asked yet.
///
/// # Errors
/// It names none, or one that cannot be reached so.
pub(crate) async fn cluster(config: &Config, instance: Arc<Instance>) -> Result<Cluster, DeployError> {
    let Kubernetes {
        whereabouts,
        agent_image,
        gpu_resource,
        schedule_timeout,
        is_autoscaled,
    } = config.kubernetes.clone();
    let connecting = Cluster::connect(ClusterConfig {
        instance,
        whereabouts,
        policy: PodPolicy {
            agent_image,
            gpu_resource,
        },
        schedule_timeout,
        is_autoscaled,
    });
    connecting.await
}

/// Whether anything of ours may be in a cluster: whoever never made a Job asks none.
pub(crate) fn has_used_cluster(config: &Config) -> bool {
    kubernetes::was_used(&config.instances_dir())
}

/// What is needed to see the daemon's containers.
pub(crate) fn surroundings(config: &Config) -> Surroundings {
    let secrets = config
        .container_environment
        .iter()
        .map(|(_, value)| value.clone());
    Surroundings {
        host: config.docker_host.clone(),
        instances: config.instances_dir(),
        secrets: secrets.collect(),
    }
}

/// What is needed to see our pods.
pub(crate) fn pod_surroundings(config: &Config) -> PodSurroundings {
    PodSurroundings {
        whereabouts: config.kubernetes.whereabouts.clone(),
        instances: config.instances_dir(),
        gpu_resource: config.kubernetes.gpu_resource.clone(),
    }
}

/// The GPUs of this machine, which everything of ours here shares.
pub(crate) fn gpu_pool(config: &Config) -> GpuPool {
    let source = Arc::new(MachineGpus::new(config.gpus.clone()));
    GpuPool::new(source, PathBuf::from(MACHINE_FOLDER))
}

/// What a sweep has ended. What was asked something only has no task.
pub(crate) fn swept_in_words(swept: &Swept) -> String {
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
        Some(id) if id.chars().all(|letter| letter.is_ascii_hexdigit()) => {
            format!("{whose} (container {})", id.get(..12).unwrap_or(id))
        }
        Some(job) => format!("{whose} (Job {job})"),
        None => {
            let ids: Vec<String> = process_ids.iter().map(ToString::to_string).collect();
            format!("{whose} (processes {})", ids.join(", "))
        }
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
        check(&[], Some("at-chat-8000123-7-e2"), "Job at-chat-8000123-7-e2");
    }
}
