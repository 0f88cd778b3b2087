//! The Docker target: an engine is a container of ours.
//!
//! This file is the wiring. What a container is like is in `create`, how one is started in
//! `launch`, how it ends in `end`, what is on record in `record`, what a task may ask for in
//! `policy`. The daemon is not ours: it may be away, be restarted, be asked by others. What is
//! ours is told by labels alone, and whatever we hold may have changed by the time we look.

mod ask;
mod connect;
mod container;
mod create;
mod describe;
mod end;
mod error;
mod gpu;
pub(crate) mod image;
mod journal;
mod launch;
mod limits;
pub(crate) mod names;
pub(crate) mod piece;
mod policy;
mod program;
pub(crate) mod record;
mod shared;
pub(crate) mod sweep;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::{LaunchPlan, Limits};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::connect::Daemon;
use self::container::{Life, Look};
pub(crate) use self::error::Failed;
use self::launch::{Order, launch};
use self::names::Names;
pub(crate) use self::names::Owner;
use self::record::ContainerEntry;
use self::shared::{Lacks, Shared};
use crate::instance::{Instance, OwnerState, Place, owner_state};
use crate::{
    DeployError, Deployer, Deployment, DeploymentStatus, Label, Listener, Owned, Placement, SweepReport,
    Watcher, blocking, logs,
};

pub(crate) use self::connect::{ACT, LOOK};
pub use self::create::{ENGINE_PORT, HUB_CACHE};
pub use self::describe::{DaemonFacts, describe};
pub(crate) use self::error::{Refusal, too_long, unreachable};
pub(crate) use self::names::Labels;
pub use self::policy::Policy;

/// How long reading the rest of an ended engine's output may take, when somebody wants to see
/// its last lines.
const READING: Duration = Duration::from_secs(30);

/// What a [`DockerDeployer`] needs to know of its surroundings.
#[derive(Clone)]
pub struct DockerConfig {
    /// Who we are.
    pub instance: Arc<Instance>,
    /// Where the daemon listens, as `DOCKER_HOST` has it: `unix:///var/run/docker.sock`, which
    /// is also what `None` means, or `tcp://` and `http://` with an address of this machine.
    pub host: Option<String>,
    /// The machine's cache of models from the hub. Engines that fetch their model get it,
    /// writable, at `/root/.cache/huggingface`; created when it is not there.
    pub hub_cache: Option<PathBuf>,
    /// Variables for every engine, under its plan's own: proxies, the token for the hub. Their
    /// values appear in no command, message or log of ours.
    pub environment: Vec<(String, String)>,
    /// The size of an engine's shared memory, by which its processes and GPUs exchange data.
    pub shm_bytes: u64,
    /// What tasks may ask of this machine.
    pub policy: Policy,
}

/// It holds secrets.
impl fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.environment.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("DockerConfig")
            .field("instance", &self.instance.name())
            .field("host", &self.host)
            .field("hub_cache", &self.hub_cache)
            .field("environment", &names)
            .field("shm_bytes", &self.shm_bytes)
            .field("policy", &self.policy)
            .finish()
    }
}

/// Starts engines as containers. Dropped, it leaves them as they are: they are stopped before,
/// or found by the next sweep.
#[derive(Debug)]
pub struct DockerDeployer {
    shared: Arc<Shared>,
    /// Launches, and questions to images, which go on to a good end when nobody waits for them.
    tasks: TaskTracker,
}

impl DockerDeployer {
    /// Connects to the daemon, and agrees with it on a version of its API.
    ///
    /// # Errors
    /// [`DeployError::TargetGone`] with what to do about it: its socket is absent, nobody
    /// listens, we have no permission, it does not answer, its address is none we can use.
    pub async fn connect(config: DockerConfig) -> Result<Self, DeployError> {
        let secrets = config.environment.iter().map(|(_, value)| value.clone());
        let daemon = Daemon::connect(config.host.as_deref())
            .await?
            .keeping_secret(secrets);
        let here = Place::here().map_err(DeployError::ListProcesses)?;
        let owner = Owner::of(&config.instance, &here.hostname);
        Ok(Self {
            shared: Arc::new(Shared {
                daemon,
                config,
                owner,
                names: Names::default(),
                lacks: Lacks::default(),
                live: Mutex::default(),
            }),
            tasks: TaskTracker::new(),
        })
    }

    /// Waits for launches that were given up to have left nothing behind, but for no longer
    /// than `patience`. To be called before the program ends; starts nothing more.
    pub async fn close(&self, patience: Duration) {
        self.tasks.close();
        if timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("launches that were given up are not all undone: the next sweep does it");
        }
    }

    /// Ends the containers at this daemon whose owners, instances of the same folder on this
    /// machine, are dead, whether or not anything of them is on record: also those whose
    /// records were lost. [`crate::sweep`] does it for what is on record.
    ///
    /// # Errors
    /// When the daemon cannot be asked.
    pub async fn sweep(
        &self,
        grace: Duration,
        cancel: &CancellationToken,
    ) -> Result<SweepReport, DeployError> {
        sweep::sweep_daemon(&self.shared, grace, cancel).await
    }

    /// Whether the plan may be started, and whether there is a daemon to do it.
    async fn check(&self, plan: &LaunchPlan) -> Result<(), DeployError> {
        self.shared.allowed_mounts(plan).await?;
        self.shared.daemon.ping().await
    }

    /// Everything that a launch of this plan needs, its image last: that may take long.
    async fn make_ready(&self, plan: &LaunchPlan, watcher: &dyn Watcher) -> Result<(), DeployError> {
        let reference = launch::reference(plan)?;
        self.check(plan).await?;
        if plan.gpus > 0 {
            launch::check_gpu_support(&self.shared).await?;
        }
        if plan.limits != Limits::default() {
            limits::check(&plan.limits, &self.shared.daemon.info().await?)?;
        }
        launch::hub_cache(&self.shared, plan).await?;
        let docker = self.shared.daemon.docker();
        image::ensure(docker, reference, watcher).await.map(drop)
    }

    /// A task that goes on when its caller is dropped.
    async fn owned<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.tasks.spawn(task).await.ok()
    }
}

#[async_trait]
impl Deployer for DockerDeployer {
    async fn prepare(
        &self,
        plan: &LaunchPlan,
        watcher: &dyn Watcher,
        cancel: &CancellationToken,
    ) -> Result<(), DeployError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(DeployError::Cancelled),
            prepared = self.make_ready(plan, watcher) => prepared,
        }
    }

    async fn ask(
        &self,
        plan: &LaunchPlan,
        arguments: &[&str],
        patience: Duration,
        cancel: &CancellationToken,
    ) -> Option<String> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return None,
            checked = self.check(plan) => checked.ok()?,
        }
        let shared = Arc::clone(&self.shared);
        let (plan, arguments) = (plan.clone(), arguments.iter().map(|word| (*word).to_owned()));
        let arguments: Vec<String> = arguments.collect();
        let enough = cancel.child_token();
        let _guard = enough.clone().drop_guard();
        let question = async move {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            ask_on_record(&shared, &plan, &words, patience, &enough).await
        };
        // The question comes to its end without us: a daemon that hangs keeps nobody waiting.
        tokio::select! {
            answer = self.owned(question) => answer?,
            () = cancel.cancelled() => None,
        }
    }

    async fn launch(
        &self,
        plan: &LaunchPlan,
        placement: &Placement,
        label: &Label,
    ) -> Result<Deployment, DeployError> {
        if self.tasks.is_closed() {
            return Err(DeployError::ShuttingDown);
        }
        let order = Order {
            plan: plan.clone(),
            placement: placement.clone(),
            label: label.clone(),
        };
        let (answer, offered) = oneshot::channel();
        self.tasks.spawn(launch(Arc::clone(&self.shared), order, answer));
        let offer = offered.await.unwrap_or(Err(DeployError::ShuttingDown))?;
        match offer.claim.send(()) {
            Ok(()) => Ok(offer.deployment),
            Err(()) => Err(DeployError::ShuttingDown),
        }
    }

    async fn status(&self, deployment: &Deployment) -> Result<DeploymentStatus, DeployError> {
        let look = self.shared.look(&deployment.id).await?;
        let Some(live) = self.shared.live(&deployment.id) else {
            return Ok(look.map_or(DeploymentStatus::Gone, |look| as_status(&look)));
        };
        let interrupted = |message: String| DeployError::Interrupted {
            target: self.shared.daemon.target(),
            message,
        };
        let Some(look) = look.filter(|look| look.life != Life::Going) else {
            return Err(interrupted("somebody removed the engine's container".to_owned()));
        };
        if let Some(message) = live.disturbance(&look) {
            return Err(interrupted(message));
        }
        let Life::Ended(exit) = look.life else {
            return Ok(as_status(&look));
        };
        if let Some(message) = self.shared.ended_by_somebody(&look).await? {
            return Err(interrupted(message));
        }
        let exit = live.exit(exit);
        Ok(DeploymentStatus::Exited(
            self.shared.with_memory(exit, &look).await?,
        ))
    }

    async fn undisturbed(&self, deployment: &Deployment) -> Result<(), DeployError> {
        let daemon = &self.shared.daemon;
        let held_up = daemon.held_up_by_somebody(&deployment.id).await;
        match held_up.map_err(|failed| failed.telling("ask what became of a container", ""))? {
            None => Ok(()),
            Some(what) => Err(DeployError::Interrupted {
                target: daemon.target(),
                message: format!("somebody had the engine's container held up: {what}"),
            }),
        }
    }

    /// The port on this machine is Docker's own, whoever listens behind it.
    async fn listener(&self, deployment: &Deployment) -> Result<Listener, DeployError> {
        let look = self.shared.look(&deployment.id).await?;
        Ok(match look {
            Some(look) if look.life.is_alive() => Listener::Unknown,
            _ => Listener::Nobody,
        })
    }

    async fn logs(&self, deployment: &Deployment, lines: usize) -> Result<Vec<String>, DeployError> {
        if let Some(live) = self.shared.live(&deployment.id) {
            let has_ended = self.shared.look(&deployment.id).await;
            // What is in the file is better than nothing, should the daemon not answer.
            if has_ended.is_ok_and(|look| look.is_none_or(|look| !look.life.is_alive()))
                && let Err(error) = live.journal.complete(READING).await
            {
                tracing::warn!(%error, "the end of an engine's output is not there yet");
            }
        }
        let path = deployment.log_file.clone();
        blocking(move || logs::tail(&path, lines).map_err(DeployError::file("read", &path))).await
    }

    async fn stop(&self, deployment: &Deployment, grace: Duration) -> Result<(), DeployError> {
        self.shared.stop(&deployment.id, grace).await
    }

    async fn list_ours(&self) -> Result<Vec<Owned>, DeployError> {
        let listed = self.shared.daemon.list(&[(names::INSTANCE, "")]).await;
        let listed = listed.map_err(|failed| failed.telling("list containers", ""))?;
        let owner = self.shared.owner.clone();
        let instances = self.shared.config.instance.instances().to_owned();
        blocking(move || {
            let mut states: HashMap<String, bool> = HashMap::new();
            let mut found = Vec::new();
            let ours = listed
                .into_iter()
                .filter(|found| found.labels.owner.is_beside(&owner));
            for container in ours {
                let name = container.labels.owner.instance;
                let owner_alive = match states.get(&name) {
                    Some(state) => *state,
                    None => owner_state(&instances, &name)? == OwnerState::Alive,
                };
                states.insert(name, owner_alive);
                found.push(Owned {
                    id: container.id,
                    task: container.labels.task,
                    experiment: container.labels.experiment,
                    owner_alive,
                    alive: container.is_running,
                });
            }
            Ok(found)
        })
        .await
    }
}

fn as_status(look: &Look) -> DeploymentStatus {
    match look.life {
        Life::Running | Life::Paused => DeploymentStatus::Running,
        Life::Ended(exit) => DeploymentStatus::Exited(exit),
        Life::Created | Life::Going => DeploymentStatus::Gone,
    }
}

/// Asks an image's program something, on record as long as there is a container for it.
async fn ask_on_record(
    shared: &Shared,
    plan: &LaunchPlan,
    arguments: &[&str],
    patience: Duration,
    enough: &CancellationToken,
) -> Option<String> {
    let (instance, daemon) = (
        Arc::clone(&shared.config.instance),
        shared.daemon.address().to_owned(),
    );
    let nobody = Label {
        task: String::new(),
        experiment: 0,
        attempt: 0,
        log_file: PathBuf::new(),
    };
    let entry = blocking(move || ContainerEntry::intend(&instance, &daemon, &nobody)).await;
    let entry = entry.ok()?;
    let labels = shared.owner.labels();
    let asked = ask::ask(shared.daemon.docker(), plan, arguments, patience, enough, labels).await;
    // What may still be there stays on record, for the next sweep.
    if asked.is_gone
        && let Err(error) = blocking(move || entry.remove()).await
    {
        tracing::warn!(%error, "the record of a question to an image could not be removed");
    }
    asked.said
}
