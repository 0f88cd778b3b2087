//! Starts one container and answers for it until somebody takes it over.
//!
//! A launch is a task of its own. Whoever asked for it may be dropped at any moment; the task
//! goes on to a point where it knows what there is, and takes it away again when nobody claims
//! it. What it makes is on record before it is made, so that not even our own death in the
//! middle leaves anything that the next sweep does not find.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use autotuner_core::engine::{LaunchPlan, Program};
use autotuner_core::experiment::ImageFacts;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::connect::{ACT, Daemon};
use super::container::{Life, Look};
use super::create::{Blueprint, OUR_HOST};
use super::end::{INSISTENCE, Output, discard, end};
use super::error::{Failed, Reason};
use super::gpu::{self, GpuParts, GpuSupport};
use super::image;
use super::journal::Journal;
use super::names::{self, NameHold};
use super::program;
use super::record::ContainerEntry;
use super::shared::{Live, Shared};
use crate::error::whole_story;
use crate::{DeployError, Deployment, Label, Placement, blocking, procfs};

/// How often a start is tried whose port turns out to be taken: Docker takes another each time.
const PORT_TRIES: u32 = 5;

/// How many names are tried when others have them.
const NAME_TRIES: u32 = 20;

/// How long a container may take to be told its port, and how long between two looks.
const PORT_PATIENCE: Duration = Duration::from_secs(10);
const PORT_PAUSE: Duration = Duration::from_millis(50);

/// How long after an unanswered request a container may still appear.
const LATE_CREATION: Duration = Duration::from_secs(5);

/// What is to be started.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) plan: LaunchPlan,
    pub(crate) placement: Placement,
    pub(crate) label: Label,
}

/// A started engine that is taken away again unless it is claimed.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) deployment: Deployment,
    pub(crate) claim: oneshot::Sender<()>,
}

/// A container that was made, with what is known of it.
struct Made {
    look: Look,
    journal: Journal,
    name: NameHold,
    memory_kills: Option<u64>,
}

/// Starts an engine, offers it, and ends it when nobody claims it.
pub(crate) async fn launch(
    shared: Arc<Shared>,
    order: Order,
    answer: oneshot::Sender<Result<Offer, DeployError>>,
) {
    let deployment = match start(&shared, &order).await {
        Ok(deployment) => deployment,
        Err(error) => {
            if answer.send(Err(error)).is_err() {
                tracing::debug!(order.label.task, "a launch failed that nobody waits for");
            }
            return;
        }
    };
    let id = deployment.id.clone();
    let (claim, claimed) = oneshot::channel();
    let is_claimed = answer.send(Ok(Offer { deployment, claim })).is_ok() && claimed.await.is_ok();
    if !is_claimed && let Err(error) = shared.stop(&id, Duration::ZERO).await {
        let error = whole_story(&error);
        tracing::warn!(
            container = id,
            error,
            "an engine that nobody wants could not be stopped"
        );
    }
}

async fn start(shared: &Arc<Shared>, order: &Order) -> Result<Deployment, DeployError> {
    let Order {
        plan,
        placement,
        label,
    } = order;
    let reference = reference(plan)?;
    let mounts = shared.allowed_mounts(plan).await?;
    let gpu = gpu_parts(shared, placement).await?;
    let (image, facts) =
        image::to_start(shared.daemon.docker(), reference, placement.image.as_deref()).await?;
    let hub_cache = hub_cache(shared, plan).await?;
    let intent = (
        Arc::clone(&shared.config.instance),
        shared.daemon.address().to_owned(),
        label.clone(),
    );
    let entry = blocking(move || ContainerEntry::intend(&intent.0, &intent.1, &intent.2)).await?;
    let blueprint = Blueprint {
        plan,
        mounts: &mounts,
        labels: shared.owner.labels_of(label, entry.number()),
        gpu,
        hub_cache: hub_cache.as_deref(),
        environment: &shared.config.environment,
        shm_bytes: shared.config.shm_bytes,
        extras: shared.lacks.extras(),
    };
    match bring_up(shared, blueprint, &image, label, &entry).await {
        Ok(made) => Ok(admit(shared, made, facts, label, entry)),
        Err(failed) => {
            let is_unsure = matches!(failed, Failed::Gone(_));
            undo(shared, &entry, is_unsure).await;
            Err(failed.telling("start a container", reference))
        }
    }
}

/// The image of a plan that can be started here.
pub(crate) fn reference(plan: &LaunchPlan) -> Result<&str, DeployError> {
    if plan.ready_paths.is_empty() {
        return Err(DeployError::Refused {
            action: "start an engine without a path to ask whether it is ready",
            message: "Docker itself accepts connections before the engine does".to_owned(),
        });
    }
    match &plan.program {
        Program::Image { reference, .. } => Ok(reference),
        Program::Local(_) => Err(DeployError::WrongTarget {
            wanted: "a local program",
            target: "Docker",
        }),
    }
}

/// How the container is given its GPUs. The daemon is asked only when there are some.
pub(crate) async fn gpu_parts(shared: &Shared, placement: &Placement) -> Result<GpuParts, DeployError> {
    if placement.gpus.is_empty() {
        return gpu::parts(&[], &GpuSupport::default());
    }
    gpu::parts(&placement.gpus, &gpu_support(shared).await?)
}

async fn gpu_support(shared: &Shared) -> Result<GpuSupport, DeployError> {
    let support = GpuSupport::of(&shared.daemon.info().await?);
    blocking(move || Ok(support.with_files())).await
}

/// Whether this machine can hand GPUs to containers at all.
pub(crate) async fn check_gpu_support(shared: &Shared) -> Result<(), DeployError> {
    let support = gpu_support(shared).await?;
    if support == GpuSupport::default() {
        return Err(gpu::missing());
    }
    Ok(())
}

/// The cache of models, for an engine that fetches its own.
pub(crate) async fn hub_cache(shared: &Shared, plan: &LaunchPlan) -> Result<Option<PathBuf>, DeployError> {
    let Some(folder) = shared.config.hub_cache.clone().filter(|_| plan.uses_hub) else {
        return Ok(None);
    };
    blocking(move || {
        std::fs::create_dir_all(&folder).map_err(DeployError::file("create", &folder))?;
        Ok(Some(names::whole_path(&folder)))
    })
    .await
}

/// Makes the container and starts it. What it leaves behind when it fails is on record.
async fn bring_up(
    shared: &Shared,
    mut blueprint: Blueprint<'_>,
    image: &str,
    label: &Label,
    entry: &ContainerEntry,
) -> Result<Made, Failed> {
    let reference = reference(blueprint.plan).map_err(Failed::Ours)?;
    let base = names::container_name(&shared.owner.instance, label);
    loop {
        let (id, name) = create(shared, &blueprint.body(image), &base).await?;
        let (record, made) = (entry.clone(), id.clone());
        blocking(move || record.complete(&made))
            .await
            .map_err(Failed::Ours)?;
        if blueprint.extras.init {
            program::check(&shared.daemon, &id, reference).await?;
        }
        let memory_kills = procfs::memory_kills();
        match run(&shared.daemon, &id).await {
            Ok(()) => {
                let docker = shared.daemon.docker().clone();
                let journal =
                    Journal::start(docker, id.clone(), label.log_file.clone()).map_err(Failed::Ours)?;
                let look = published(&shared.daemon, &id).await?;
                return Ok(Made {
                    look,
                    journal,
                    name,
                    memory_kills,
                });
            }
            Err(failed) if shared.lacks.learn(blueprint.extras, failed.reason()) => {
                blueprint.extras = shared.lacks.extras();
                discard(&shared.daemon, &id).await.map_err(Failed::Ours)?;
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// Makes the container under the first name that is free. A name that an earlier, dead
/// container of this very deployment still has is freed.
async fn create(
    shared: &Shared,
    body: &ContainerCreateBody,
    base: &str,
) -> Result<(String, NameHold), Failed> {
    let mut last = None;
    for number in 1..=NAME_TRIES {
        let name = match number {
            1 => base.to_owned(),
            number => format!("{base}-{number}"),
        };
        let Some(hold) = shared.names.hold(&name) else {
            continue;
        };
        let mut created = try_to_create(&shared.daemon, body, &name).await;
        if is_name_taken(&created) && free_name(shared, &name).await? {
            created = try_to_create(&shared.daemon, body, &name).await;
        }
        match created {
            Ok(id) => return Ok((id, hold)),
            Err(failed) if failed.reason() == Some(Reason::NameTaken) => last = Some(failed),
            Err(failed) => return Err(failed),
        }
    }
    Err(last.unwrap_or_else(|| {
        Failed::Ours(DeployError::Refused {
            action: "name a container",
            message: format!("too many containers are called {base}"),
        })
    }))
}

async fn try_to_create(daemon: &Daemon, body: &ContainerCreateBody, name: &str) -> Result<String, Failed> {
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let call = daemon.docker().create_container(Some(options), body.clone());
    Ok(daemon.call(ACT, call).await?.id)
}

fn is_name_taken(created: &Result<String, Failed>) -> bool {
    created
        .as_ref()
        .is_err_and(|failed| failed.reason() == Some(Reason::NameTaken))
}

/// Removes the container of a name that is ours to give, if it is a dead one of ours. Whether
/// the name is free now.
async fn free_name(shared: &Shared, name: &str) -> Result<bool, Failed> {
    let Some(look) = shared.daemon.look(name).await? else {
        return Ok(true);
    };
    let is_ours = look.labels.is_some_and(|labels| labels.owner == shared.owner);
    if !is_ours || look.life.is_alive() {
        return Ok(false);
    }
    let discarded = discard(&shared.daemon, &look.id).await;
    discarded.map(|()| true).map_err(Failed::Ours)
}

/// Starts the container. Its port is Docker's choice, made anew at each try.
async fn run(daemon: &Daemon, id: &str) -> Result<(), Failed> {
    let mut tries = 1;
    loop {
        let call = daemon.docker().start_container(id, None::<StartContainerOptions>);
        match daemon.call(ACT, call).await {
            Err(failed) if failed.reason() == Some(Reason::PortTaken) && tries < PORT_TRIES => tries += 1,
            other => return other,
        }
    }
}

/// The container with the port it was given, or with how it has ended already.
async fn published(daemon: &Daemon, id: &str) -> Result<Look, Failed> {
    let until = Instant::now() + PORT_PATIENCE;
    let refuse = |message: &str| {
        Err(Failed::Ours(DeployError::Refused {
            action: "start a container",
            message: message.to_owned(),
        }))
    };
    loop {
        match daemon.look(id).await? {
            None => return refuse("somebody removed it while it was started"),
            Some(look) if look.port.is_some() || matches!(look.life, Life::Ended(_)) => return Ok(look),
            Some(_) if Instant::now() >= until => return refuse("Docker has not given it a port"),
            Some(_) => sleep(PORT_PAUSE).await,
        }
    }
}

/// Counts the container among the living.
fn admit(shared: &Shared, made: Made, facts: ImageFacts, label: &Label, entry: ContainerEntry) -> Deployment {
    let Made {
        look,
        journal,
        name,
        memory_kills,
    } = made;
    let image = if facts.id == look.image {
        facts
    } else {
        // Its tag was moved in between.
        ImageFacts {
            id: look.image,
            digest: None,
            ..facts
        }
    };
    let container_name = Some(name.as_str().to_owned());
    let live = Live {
        journal,
        started_at: look.started_at,
        restarts: look.restarts,
        memory_kills,
        memory_kills_at_end: OnceLock::new(),
        entry,
        _name: name,
    };
    shared.add(&look.id, live);
    Deployment {
        id: look.id,
        // One that has ended has no port any more, and nobody answers at port 0.
        base_url: format!("http://{OUR_HOST}:{}", look.port.unwrap_or(0)),
        command: look.command,
        log_file: label.log_file.clone(),
        image: Some(image),
        container_name,
    }
}

/// Takes away what a failed start has left. What cannot be taken away stays on record.
async fn undo(shared: &Shared, entry: &ContainerEntry, is_unsure: bool) {
    let begun = Instant::now();
    let mut has_seen_it = false;
    loop {
        match remove_all(shared, entry.number()).await {
            Ok(0) if has_seen_it || !is_unsure => break,
            Ok(0) if begun.elapsed() >= LATE_CREATION => return,
            Ok(removed) => has_seen_it |= removed > 0,
            Err(error) if begun.elapsed() >= INSISTENCE => {
                let error = whole_story(&error);
                tracing::warn!(error, "what a failed start left behind could not be removed");
                return;
            }
            Err(_) => {}
        }
        sleep(PORT_PAUSE).await;
    }
    let record = entry.clone();
    if let Err(error) = blocking(move || record.remove()).await {
        tracing::warn!(%error, "the record of a failed start could not be removed");
    }
}

/// Removes every container of one deployment; how many there were.
async fn remove_all(shared: &Shared, number: u32) -> Result<usize, DeployError> {
    let number = number.to_string();
    let labels = [
        (names::INSTANCE, shared.owner.instance.as_str()),
        (names::DEPLOYMENT, number.as_str()),
    ];
    let found = shared.daemon.list(&labels).await;
    let found = found.map_err(|failed| failed.telling("list containers", ""))?;
    let ours = found.iter().filter(|found| found.labels.owner == shared.owner);
    let mut count = 0;
    for container in ours {
        end(&shared.daemon, &container.id, Duration::ZERO, &Output::Unwanted).await?;
        count += 1;
    }
    Ok(count)
}
