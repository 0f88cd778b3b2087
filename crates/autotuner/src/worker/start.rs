//! From a plan to an engine that answers.
//!
//! The one idea: everything that may take long or be missing is settled before the engine is
//! started: what is stuck from before, the target itself, the program or image. Each wait is
//! told of, has a deadline and ends with a cancel.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::ImageFacts;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::gpu::ChoiceRules;
use autotuner_core::ids::ExperimentNumber;
use autotuner_deploy::gpu::{GpuError, HeldGpus};
use autotuner_deploy::ready::{NotReady, ReadyCheck, wait_until_ready};
use autotuner_deploy::{DeployError, Deployer, Deployment, FetchProgress, Label, Placement, Watcher};
use tokio::time::{Instant, sleep};

use super::explain::{exited, not_deployed};
use super::slots::{HeldSlots, SlotError};
use super::stop::RunStop;
use super::teardown::clear_stuck;
use super::{Event, Worker, chain};
use crate::fault::{FaultPoint, around};

/// Longest wait for a target that does not answer, such as a daemon that is being restarted.
const TARGET_PATIENCE: Duration = Duration::from_secs(120);

/// How long a launch may still take that was under way when the end was asked for.
const LAUNCH_PATIENCE: Duration = Duration::from_secs(2);

/// Pause between two questions whether it is back.
const TARGET_PAUSE: Duration = Duration::from_secs(1);

/// Longest wait for processors, which only our own experiments hold, and which are given out in
/// turn: it ends, though it may take as long as all that is before it.
const SLOT_PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// An engine that was started.
pub(super) struct Started {
    /// The experiment that it was started for.
    pub(super) number: ExperimentNumber,
    pub(super) deployment: Deployment,
    /// Who has started it.
    pub(super) deployer: Arc<dyn Deployer>,
    /// When, milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
    /// The GPUs that nobody else gets until the engine is gone.
    pub(super) gpus: HeldGpus,
    /// The processors that nobody else gets until then; none beside GPUs.
    #[expect(dead_code, reason = "held, never looked at")]
    slots: Option<HeldSlots>,
}

/// Starts an experiment's engine.
///
/// # Errors
/// Whatever kept it from starting; nothing runs then.
pub(super) async fn start(
    worker: &Arc<Worker>,
    deployer: Arc<dyn Deployer>,
    number: ExperimentNumber,
    plan: &LaunchPlan,
    label: &Label,
) -> Result<Started, Failure> {
    let preparing = prepare(worker, deployer.as_ref(), number, plan);
    around(FaultPoint::PrepareLaunch, preparing).await?;
    clear_stuck(worker).await?;
    if worker.stop.tokens.soft.is_cancelled() {
        return Err(Failure::new(
            FailureKind::Cancelled,
            "cancelled before the engine was started",
        ));
    }
    let (gpus, slots) = around(FaultPoint::Hold, hold(worker, number, plan)).await?;
    let placement = Placement {
        image: worker.image.get().map(|image| image.id.clone()),
        ..gpus.placement()
    };
    let launching = deployer.launch(plan, &placement, label);
    // Dropped midway, a launch undoes itself.
    let launched = tokio::select! {
        biased;
        launched = around(FaultPoint::Launch, launching) => launched,
        () = worker.given_up(LAUNCH_PATIENCE) => Err(DeployError::Cancelled),
    };
    let deployment = launched.map_err(|error| not_deployed(&error))?;
    Ok(Started {
        number,
        deployment,
        deployer: Arc::clone(&deployer),
        at_ms: worker.clock.now_ms(),
        gpus,
        slots,
    })
}

/// The image that an engine runs on, which must be the same for the whole task: figures of
/// different ones cannot be compared.
///
/// # Errors
/// It is another one.
pub(super) fn same_image(worker: &Worker, image: Option<&ImageFacts>) -> Result<Option<ImageFacts>, Failure> {
    let Some(image) = image else { return Ok(None) };
    let first = worker.image.get_or_init(|| image.clone());
    if first.id == image.id {
        return Ok(Some(first.clone()));
    }
    Err(Failure::new(
        FailureKind::Infrastructure,
        format!(
            "image {} is {} now, and the task began with {}",
            image.reference, image.id, first.id
        ),
    ))
}

/// Waits for what the engine needs of the machine: GPUs, or else processors.
async fn hold(
    worker: &Worker,
    number: ExperimentNumber,
    plan: &LaunchPlan,
) -> Result<(HeldGpus, Option<HeldSlots>), Failure> {
    let held = if plan.gpus > 0 {
        hold_gpus(worker, number, plan).await.map(|gpus| (gpus, None))
    } else {
        let slots = hold_slots(worker, number).await;
        slots.map(|slots| (HeldGpus::none(), Some(slots)))
    };
    worker.reporter.report(Event::Waiting { number, what: None });
    held
}

/// Waits for processors.
async fn hold_slots(worker: &Worker, number: ExperimentNumber) -> Result<HeldSlots, Failure> {
    let told = |what: &str| {
        worker.logs.line("INFO", &format!("[Experiment {number}] {what}"));
        let what = Some(what);
        worker.reporter.report(Event::Waiting { number, what });
    };
    let wanted = worker.slots.wanted(&worker.task);
    let held = worker
        .slots
        .hold(wanted, &told, SLOT_PATIENCE, &worker.stop.tokens.soft);
    held.await.map_err(|error| {
        let kind = match &error {
            SlotError::Cancelled => FailureKind::Cancelled,
            SlotError::TooLate { .. } => FailureKind::Infrastructure,
        };
        Failure::new(kind, chain(&error))
    })
}

/// Waits for the GPUs that the plan needs. All experiments of a task run on one model of GPU:
/// figures of different ones cannot be compared.
async fn hold_gpus(
    worker: &Worker,
    number: ExperimentNumber,
    plan: &LaunchPlan,
) -> Result<HeldGpus, Failure> {
    let rules = ChoiceRules {
        model: worker.gpu_model.get().cloned(),
        ..worker.gpus.rules().clone()
    };
    let told = |news: &str| {
        worker.warn(&format!("[Experiment {number}] {news}"));
        let what = Some(news);
        worker.reporter.report(Event::Waiting { number, what });
    };
    let held = worker
        .gpus
        .with_rules(rules)
        .hold(plan.gpus, &told, worker.gpu_patience, &worker.stop.tokens.soft)
        .await
        .map_err(|error| without_gpus(&error))?;
    if let Some(first) = held.devices().first() {
        worker.gpu_model.get_or_init(|| first.name.clone());
    }
    Ok(held)
}

/// The failure of an experiment whose GPUs could not be had. What the machine will never have
/// is the configuration's fault.
fn without_gpus(error: &GpuError) -> Failure {
    let (kind, advice) = match error {
        GpuError::Cancelled => (FailureKind::Cancelled, None),
        GpuError::Impossible(_) => (
            FailureKind::InvalidCandidate,
            Some("lower the parallel sizes to what this machine has"),
        ),
        GpuError::TooLate { .. } => (
            FailureKind::Infrastructure,
            Some("end what else uses the GPUs, or start the task when they are free"),
        ),
        _ => (
            FailureKind::Infrastructure,
            Some("see what `autotuner doctor` says of the GPUs"),
        ),
    };
    let mut failure = Failure::new(kind, chain(error));
    failure.advice = advice.map(str::to_owned);
    failure
}

/// Sees to it that the program or image is there. A target that does not answer is waited for:
/// a daemon that restarts is no reason to give a task up.
async fn prepare(
    worker: &Worker,
    deployer: &dyn Deployer,
    number: ExperimentNumber,
    plan: &LaunchPlan,
) -> Result<(), Failure> {
    let watcher = Fetching { worker, number };
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        match deployer.prepare(plan, &watcher, &worker.stop.tokens.soft).await {
            Ok(()) => return Ok(()),
            Err(error @ DeployError::TargetGone { .. }) if begun.elapsed() < TARGET_PATIENCE => {
                if !is_told {
                    let what = format!(
                        "waiting for up to {} s: {}",
                        TARGET_PATIENCE.as_secs(),
                        chain(&error)
                    );
                    worker.warn(&format!("[Experiment {number}] {what}"));
                    let what = Some(what.as_str());
                    worker.reporter.report(Event::Waiting { number, what });
                    is_told = true;
                }
            }
            Err(error) => return Err(not_deployed(&error)),
        }
        tokio::select! {
            () = sleep(TARGET_PAUSE) => {}
            () = worker.stop.tokens.soft.cancelled() => return Err(not_deployed(&DeployError::Cancelled)),
        }
    }
}

/// Passes on how far the fetching of an image is.
struct Fetching<'a> {
    worker: &'a Worker,
    number: ExperimentNumber,
}

impl Watcher for Fetching<'_> {
    fn fetching(&self, progress: &FetchProgress) {
        self.worker.reporter.report(Event::Fetching {
            number: Some(self.number),
            progress,
        });
    }
}

/// Waits until the engine answers; how long that took.
///
/// # Errors
/// It did not, and why.
pub(crate) async fn ready(
    deployer: &dyn Deployer,
    stop: &RunStop,
    plan: &LaunchPlan,
    deployment: &Deployment,
) -> Result<Duration, Failure> {
    let check = ReadyCheck::of(plan);
    let waiting = wait_until_ready(deployer, deployment, &check, &stop.tokens.soft);
    let error = match waiting.await {
        Ok(ready) => return Ok(ready.took),
        Err(error) => error,
    };
    let kind = match &error {
        NotReady::Exited { exit, .. } => return Err(exited(exit, "before it was ready")),
        NotReady::Target(error) => return Err(not_deployed(error)),
        NotReady::Deadline { .. } => FailureKind::NotReadyInTime,
        NotReady::Cancelled => FailureKind::Cancelled,
        NotReady::Gone { .. } => FailureKind::EngineCrashed,
    };
    Err(Failure::new(kind, chain(&error)))
}
