//! Where an experiment's engine runs, and the one way to use it wherever that is.
//!
//! The seam of a run: what is above it plans, records and judges, and knows of an experiment only
//! that it is started, becomes ready, is loaded, and ends. On this machine the worker itself does
//! that; in a cluster an agent does, by the very same functions, and what it says is passed on; or an
//! operator of the cluster starts the engine, and the agent only loads it.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::{ContainerFacts, LaunchFacts};
use autotuner_core::failure::Failure;
use autotuner_core::ids::ExperimentNumber;
use autotuner_deploy::gpu::Sampled;
use autotuner_deploy::kubernetes::Cluster;
use autotuner_deploy::{DeployError, Deployer, Label};
use autotuner_load::{Observer, Recording};

use super::Worker;
use super::benchmark::{Loading, benchmark};
use super::cluster::{self, Remote, Served};
use super::secret::without_secret;
use super::start::{Started, ready, start};
use super::teardown::clear_stuck;

/// Where engines run.
#[derive(Clone)]
pub(crate) enum Ground {
    /// On this machine: as child processes, or as containers of its Docker daemon.
    Machine(Arc<dyn Deployer>),
    /// In a Kubernetes cluster.
    Cluster(Arc<Cluster>),
}

/// An engine that was started.
pub(super) enum Running {
    /// On this machine.
    Machine(Started),
    /// In a cluster, behind an agent.
    Cluster(Remote),
    /// In a cluster, by an operator.
    Service(Box<Served>),
}

impl Running {
    /// Starts an experiment's engine.
    ///
    /// # Errors
    /// Whatever kept it from starting; nothing runs then.
    pub(super) async fn start(
        worker: &Arc<Worker>,
        number: ExperimentNumber,
        plan: &LaunchPlan,
        label: &Label,
    ) -> Result<Self, Failure> {
        match &worker.ground {
            Ground::Machine(deployer) => start(worker, Arc::clone(deployer), number, plan, label)
                .await
                .map(Self::Machine),
            Ground::Cluster(cluster) => {
                clear_stuck(worker).await?;
                if let Some(service) = &worker.task.cluster.service {
                    let serving = cluster::serve(worker, cluster, service, number, plan, label);
                    return serving.await.map(|served| Self::Service(Box::new(served)));
                }
                cluster::start(worker, cluster, number, plan, label)
                    .await
                    .map(Self::Cluster)
            }
        }
    }

    /// The experiment that it was started for.
    pub(super) fn number(&self) -> ExperimentNumber {
        match self {
            Self::Machine(started) => started.number,
            Self::Cluster(remote) => remote.number,
            Self::Service(served) => served.number,
        }
    }

    /// What it is called where it runs.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Machine(started) => started.deployment.id.clone(),
            Self::Cluster(remote) => remote.name.clone(),
            Self::Service(served) => served.name().to_owned(),
        }
    }

    /// What was started, as it is told at once.
    pub(super) fn facts(&self, worker: &Worker, plan: &LaunchPlan) -> LaunchFacts {
        let env = plan.env.iter().map(without_secret).collect();
        match self {
            Self::Machine(started) => {
                let deployment = &started.deployment;
                let container = deployment.container_name.as_ref().map(|name| ContainerFacts {
                    id: deployment.id.clone(),
                    name: name.clone(),
                    started_at_ms: started.at_ms,
                });
                LaunchFacts {
                    command: deployment.command.clone(),
                    env,
                    engine_version: worker.facts.version.clone(),
                    ready_after_ms: None,
                    image: deployment.image.clone(),
                    gpus: started.gpus.devices().to_vec(),
                    base_url: Some(deployment.base_url.clone()),
                    container,
                }
            }
            Self::Cluster(remote) => LaunchFacts {
                command: remote.command.clone(),
                env,
                image: remote.image.clone(),
                ..LaunchFacts::default()
            },
            Self::Service(served) => LaunchFacts {
                command: served.command.clone(),
                env,
                ..LaunchFacts::default()
            },
        }
    }

    /// Adds what is known only once the engine was ready.
    pub(super) async fn add_to(&self, facts: &mut LaunchFacts) {
        if let Self::Service(served) = self {
            served.add_to(facts).await;
        }
    }

    /// Waits until the engine answers; how long that took.
    ///
    /// # Errors
    /// It did not, and why.
    pub(super) async fn ready(&self, worker: &Worker, plan: &LaunchPlan) -> Result<Duration, Failure> {
        match self {
            Self::Machine(started) => {
                let deployer = started.deployer.as_ref();
                ready(deployer, &worker.stop, plan, &started.deployment).await
            }
            Self::Cluster(remote) => remote.ready(worker, plan).await,
            Self::Service(served) => served.ready(worker, plan).await,
        }
    }

    /// Loads it; what was recorded, and what its GPUs did meanwhile.
    ///
    /// # Errors
    /// Why there is nothing to judge.
    pub(super) async fn load(
        &self,
        worker: &Worker,
        plan: &LaunchPlan,
        observer: &mut dyn Observer,
    ) -> Result<(Recording, Sampled), Failure> {
        match self {
            Self::Machine(started) => {
                let sampler = worker.gpus.sample(&started.gpus);
                let loading = Loading {
                    deployer: started.deployer.as_ref(),
                    deployment: &started.deployment,
                    bench: worker.bench.as_ref(),
                    workload: &worker.task.workload,
                    limit: worker.task.search.timeout_per_iteration,
                    model: &plan.served_model_name,
                };
                let recording = benchmark(&loading, &worker.stop, observer).await?;
                Ok((recording, sampler.finish().await))
            }
            Self::Cluster(remote) => {
                let recording = remote.load(worker, observer).await?;
                Ok((recording, cluster::not_sampled(plan)))
            }
            Self::Service(served) => {
                let recording = served.load(worker, observer).await?;
                Ok((recording, cluster::not_sampled(plan)))
            }
        }
    }

    /// The last lines of the engine's output, oldest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) async fn tail(&self, lines: usize) -> Result<Vec<String>, DeployError> {
        match self {
            Self::Machine(started) => started.deployer.logs(&started.deployment, lines).await,
            Self::Cluster(remote) => remote.tail(lines).await,
            Self::Service(served) => served.tail(lines).await,
        }
    }

    /// Ends it. Returns only when it is gone and its log file holds all of its output.
    ///
    /// # Errors
    /// It could not be ended.
    pub(super) async fn end(&self, worker: &Worker, grace: Duration) -> Result<(), DeployError> {
        match self {
            Self::Machine(started) => started.deployer.stop(&started.deployment, grace).await,
            Self::Cluster(remote) => remote.end(worker, grace).await,
            Self::Service(served) => served.end(worker, grace).await,
        }
    }
}
