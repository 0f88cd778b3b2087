//! What the deployer and the tasks it starts have in common: the daemon, and which containers
//! live.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use autotuner_core::engine::{LaunchPlan, Mount};

use super::DockerConfig;
use super::connect::Daemon;
use super::container::{Life, Look};
use super::end::{Output, end};
use super::error::Reason;
use super::journal::Journal;
use super::names::{NameHold, Names, Owner};
use super::record::ContainerEntry;
use crate::{DeployError, Exit, blocking, procfs};

/// The signal by which the kernel takes memory back.
const SIGKILL: i32 = 9;

/// What the deployer and its tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) daemon: Daemon,
    pub(crate) config: DockerConfig,
    pub(crate) owner: Owner,
    pub(crate) names: Names,
    pub(crate) lacks: Lacks,
    pub(crate) live: Mutex<HashMap<String, Arc<Live>>>,
}

/// What a container is given gladly and can do without, and what the daemon was seen not to
/// have of it.
#[derive(Debug, Default)]
pub(crate) struct Lacks {
    init: AtomicBool,
    memlock: AtomicBool,
}

/// What a container is given of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extras {
    /// The daemon's little init program is the first process. It passes signals on to engines
    /// that would not heed them as the first process, and reaps what they orphan.
    pub(crate) init: bool,
    /// It may lock as much memory as it likes, as transfers between GPUs want to; asked for
    /// only where it has some.
    pub(crate) memlock: bool,
}

impl Lacks {
    /// What a container can be given.
    pub(crate) fn extras(&self) -> Extras {
        Extras {
            init: !self.init.load(Ordering::Relaxed),
            memlock: !self.memlock.load(Ordering::Relaxed),
        }
    }

    /// Learns from a refused start. Whether it is worth another try, with less.
    pub(crate) fn learn(&self, tried: Extras, reason: Option<Reason>) -> bool {
        let (flag, what) = match reason {
            Some(Reason::NoInit) if tried.init => (&self.init, "its docker-init is not installed"),
            Some(Reason::NoMemlock) if tried.memlock => {
                (&self.memlock, "it may not raise the limit of locked memory")
            }
            _ => return false,
        };
        if !flag.swap(true, Ordering::Relaxed) {
            tracing::warn!("Docker starts engines with less than they should have: {what}");
        }
        true
    }
}

/// An engine's container that has not been stopped yet.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) journal: Journal,
    pub(crate) started_at: String,
    pub(crate) restarts: i64,
    /// The kernel's count of processes it killed for want of memory, before this one began.
    pub(crate) memory_kills: Option<u64>,
    /// The same count when its end was first seen.
    pub(crate) memory_kills_at_end: OnceLock<Option<u64>>,
    pub(crate) entry: ContainerEntry,
    /// Held as long as the container has it.
    pub(crate) _name: NameHold,
}

impl Shared {
    /// Counts a container among the living.
    pub(crate) fn add(&self, id: &str, live: Live) {
        self.all().insert(id.to_owned(), Arc::new(live));
    }

    /// A living container.
    pub(crate) fn live(&self, id: &str) -> Option<Arc<Live>> {
        self.all().get(id).map(Arc::clone)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What of the plan's mounts the policy lets pass.
    pub(crate) async fn allowed_mounts(&self, plan: &LaunchPlan) -> Result<Vec<Mount>, DeployError> {
        let (policy, plan) = (self.config.policy.clone(), plan.clone());
        blocking(move || policy.check(&plan)).await
    }

    /// How a container is.
    pub(crate) async fn look(&self, id: &str) -> Result<Option<Look>, DeployError> {
        let look = self.daemon.look(id).await;
        look.map_err(|failed| failed.telling("look at a container", ""))
    }

    /// What is to be said when a container that we have not stopped was ended by a request to
    /// the daemon: that tells nothing of the engine.
    pub(crate) async fn ended_by_somebody(&self, look: &Look) -> Result<Option<String>, DeployError> {
        let signal = self.daemon.killed_by_somebody(look).await;
        let signal = signal.map_err(|failed| failed.telling("ask how a container ended", ""))?;
        Ok(signal
            .map(|signal| format!("somebody else had the engine's container ended, with signal {signal}")))
    }

    /// How an engine ended, with what the daemon knows of its memory beside its state.
    pub(crate) async fn with_memory(&self, exit: Exit, look: &Look) -> Result<Exit, DeployError> {
        // Out of memory the kernel ends processes so, and no other way.
        let may_be = !exit.out_of_memory && exit.signal == Some(SIGKILL);
        if !may_be {
            return Ok(exit);
        }
        let out_of_memory = self.daemon.ran_out_of_memory(look).await;
        let out_of_memory =
            out_of_memory.map_err(|failed| failed.telling("ask how a container ended", ""))?;
        Ok(Exit {
            out_of_memory,
            ..exit
        })
    }

    /// Ends a container of ours and forgets it. One that is gone already is no error.
    pub(crate) async fn stop(&self, id: &str, grace: Duration) -> Result<(), DeployError> {
        let Some(live) = self.live(id) else {
            return self.stop_forgotten(id, grace).await;
        };
        end(&self.daemon, id, grace, &Output::Journal(&live.journal)).await?;
        let entry = live.entry.clone();
        blocking(move || entry.remove()).await?;
        self.all().remove(id);
        Ok(())
    }

    /// One that was stopped before, or that we have never started.
    async fn stop_forgotten(&self, id: &str, grace: Duration) -> Result<(), DeployError> {
        let look = self.look(id).await?;
        match look.and_then(|look| look.labels) {
            Some(labels) if labels.owner == self.owner => {
                end(&self.daemon, id, grace, &Output::File(&labels.log_file)).await
            }
            _ => Ok(()),
        }
    }
}

impl Live {
    /// How it ended, with what Docker may have missed: word of a lack of memory that reaches
    /// it after word of the end is lost for ever. The kernel has counted the kill by then.
    pub(crate) fn exit(&self, told: Exit) -> Exit {
        let at_end = *self.memory_kills_at_end.get_or_init(procfs::memory_kills);
        let has_grown = matches!((self.memory_kills, at_end), (Some(before), Some(after)) if after > before);
        let is_killed = told.signal == Some(SIGKILL);
        Exit {
            out_of_memory: told.out_of_memory || (is_killed && has_grown),
            ..told
        }
    }

    /// What has disturbed the engine, if anything has.
    pub(crate) fn disturbance(&self, look: &Look) -> Option<String> {
        if look.life == Life::Paused {
            return Some("somebody paused the engine's container".to_owned());
        }
        if look.restarts != self.restarts || look.started_at != self.started_at {
            return Some("somebody restarted the engine's container".to_owned());
        }
        self.journal.interruption()
    }
}
