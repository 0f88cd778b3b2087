//! GPUs for one engine at a time: waits until there are enough, and holds them.
//!
//! Everybody who waits looks again every two seconds, and at once when somebody of the same
//! process has let go. There is no queue: who needs one GPU does not wait behind who needs
//! eight. What another program does to a GPU is seen only by its memory and its load.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::gpu::{ChoiceRules, GpuDevice, GpuState, NotEnough, Obstacle, obstacle};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::lock::{self, Attempt};
use super::{GpuError, GpuSampler, GpuSource};
use crate::Placement;

/// Where GPUs of this machine are held, for all users.
pub const MACHINE_FOLDER: &str = "/tmp/inference-autotuner-gpus";

/// Pause between two looks while waiting.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// Pause before the gate is tried again, and for how long it is.
const GATE_PAUSE: Duration = Duration::from_millis(20);
const GATE_PATIENCE: Duration = Duration::from_secs(30);

/// Hands out GPUs. All pools with the same folder share them, in whatever process.
#[derive(Debug, Clone)]
pub struct GpuPool {
    source: Arc<dyn GpuSource>,
    folder: PathBuf,
    rules: ChoiceRules,
    released: Arc<Notify>,
}

/// GPUs that no other engine gets until this is dropped, or we end.
#[derive(Debug)]
pub struct HeldGpus {
    devices: Vec<GpuDevice>,
    locks: Vec<std::fs::File>,
    released: Option<Arc<Notify>>,
}

/// A GPU as the pool sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenGpu {
    /// How it is.
    pub state: GpuState,
    /// What stands between an engine and it; nothing where it is free.
    pub obstacle: Option<Obstacle>,
}

impl GpuPool {
    /// A pool of what the source knows. Two pools never hold one GPU as long as they are
    /// given one folder: [`MACHINE_FOLDER`], unless there is a reason. Asks and makes nothing
    /// yet.
    pub fn new(source: Arc<dyn GpuSource>, folder: PathBuf) -> Self {
        Self {
            source,
            folder,
            rules: ChoiceRules::default(),
            released: Arc::default(),
        }
    }

    /// The same pool, choosing by other rules.
    pub fn with_rules(&self, rules: ChoiceRules) -> Self {
        Self {
            rules,
            ..self.clone()
        }
    }

    /// The rules by which it chooses.
    pub fn rules(&self) -> &ChoiceRules {
        &self.rules
    }

    /// Every GPU, and whether it is free.
    ///
    /// # Errors
    /// As [`GpuSource::look`].
    pub async fn survey(&self, cancel: &CancellationToken) -> Result<Vec<SeenGpu>, GpuError> {
        let states = self.source.look(cancel).await?;
        let (folder, rules) = (self.folder.clone(), self.rules.clone());
        let seen = spawn_blocking(move || {
            let held = lock::held(&folder, &states);
            let seen = states.into_iter().map(|state| SeenGpu {
                obstacle: obstacle(&state, &held, &rules),
                state,
            });
            seen.collect()
        });
        seen.await.map_err(|_| GpuError::ShuttingDown)
    }

    /// Waits until so many GPUs are free that go together, and holds them. Says through
    /// `told` that it waits and for what, and again when the reason changes. None wanted is
    /// none held, and nothing is asked.
    ///
    /// # Errors
    /// [`GpuError::Impossible`] at once where no waiting can help, [`GpuError::TooLate`] when
    /// the deadline has passed, [`GpuError::Cancelled`], and whatever kept us from looking or
    /// locking.
    pub async fn hold(
        &self,
        wanted: u32,
        told: &(dyn Fn(&str) + Send + Sync),
        deadline: Duration,
        cancel: &CancellationToken,
    ) -> Result<HeldGpus, GpuError> {
        if wanted == 0 {
            return Ok(HeldGpus::none());
        }
        let began = Instant::now();
        let mut last: Option<NotEnough> = None;
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            // From here on no release is missed.
            released.as_mut().enable();
            let why = match self.try_hold(wanted, cancel).await? {
                Ok(held) => return Ok(held),
                Err(why) if !why.can_waiting_help => return Err(GpuError::Impossible(why)),
                Err(why) => why,
            };
            let waited = began.elapsed();
            let Some(left) = deadline.checked_sub(waited).filter(|left| !left.is_zero()) else {
                return Err(GpuError::TooLate { waited, why });
            };
            if !last.as_ref().is_some_and(|last| last.is_like(&why)) {
                told(&format!("waiting for GPUs: {why}"));
            }
            last = Some(why);
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(GpuError::Cancelled),
                () = released => {}
                () = sleep(LOOK_PAUSE.min(left)) => {}
            }
        }
    }

    /// Watches GPUs that are held while something is measured on them.
    pub fn sample(&self, held: &HeldGpus) -> GpuSampler {
        GpuSampler::start(Arc::clone(&self.source), held.devices())
    }

    /// One look and one attempt.
    async fn try_hold(
        &self,
        wanted: u32,
        cancel: &CancellationToken,
    ) -> Result<Result<HeldGpus, NotEnough>, GpuError> {
        let states: Arc<[GpuState]> = self.source.look(cancel).await?.into();
        let gate_closes = Instant::now() + GATE_PATIENCE;
        loop {
            if cancel.is_cancelled() {
                return Err(GpuError::Cancelled);
            }
            let (folder, states, rules) = (self.folder.clone(), Arc::clone(&states), self.rules.clone());
            let attempt = spawn_blocking(move || lock::take(&folder, &states, wanted, &rules)).await;
            match attempt.map_err(|_| GpuError::ShuttingDown)?? {
                Attempt::Taken(devices, locks) => {
                    return Ok(Ok(HeldGpus {
                        devices,
                        locks,
                        released: Some(Arc::clone(&self.released)),
                    }));
                }
                Attempt::NotEnough(why) => return Ok(Err(why)),
                Attempt::GateClosed if Instant::now() < gate_closes => {
                    sleep_until(Instant::now() + GATE_PAUSE).await;
                }
                Attempt::GateClosed => {
                    let held = "another process has held it for long: is one of ours stopped?";
                    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, held);
                    return Err(GpuError::file("lock", &self.folder)(error));
                }
            }
        }
    }
}

impl HeldGpus {
    /// No GPUs, for an engine that needs none.
    pub fn none() -> Self {
        Self {
            devices: Vec::new(),
            locks: Vec::new(),
            released: None,
        }
    }

    /// Which they are, best first.
    pub fn devices(&self) -> &[GpuDevice] {
        &self.devices
    }

    /// For the deployer.
    pub fn placement(&self) -> Placement {
        Placement {
            gpus: self.devices.clone(),
            ..Placement::default()
        }
    }
}

impl Drop for HeldGpus {
    fn drop(&mut self) {
        self.locks.clear();
        if let Some(released) = &self.released {
            released.notify_waiters();
        }
    }
}
