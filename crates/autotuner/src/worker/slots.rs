//! Processors for engines that hold no GPU: shared by all tasks, first come, first served.
//!
//! The one idea: an engine without a bound uses the whole machine, and whatever runs beside it
//! is disturbed. So it takes all slots; one that says what it needs takes that many. Who asked
//! first gets first, so that an engine that needs all is not held off by many that need one.
//! A slot is no processor in particular, and nothing here pins a process.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::EngineKind;
use autotuner_core::task::Task;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The slots of this machine. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct CpuSlots {
    free: Arc<Semaphore>,
    total: u32,
}

/// Slots that nobody else gets until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldSlots(#[expect(dead_code, reason = "held, never looked at")] OwnedSemaphorePermit);

/// Why slots could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SlotError {
    /// Somebody asked for the end.
    #[error("cancelled while waiting for processors")]
    Cancelled,
    /// They did not become free in time.
    #[error("{wanted} of {total} processors did not become free within {} s", waited.as_secs())]
    TooLate {
        /// How many were wanted.
        wanted: u32,
        /// How many there are.
        total: u32,
        /// For how long they were waited for.
        waited: Duration,
    },
}

impl CpuSlots {
    /// So many slots, at least one.
    pub(crate) fn new(total: u32) -> Self {
        let total = total.max(1);
        Self {
            free: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// As many slots as are configured, or as the machine has processors.
    pub(crate) fn of_machine(configured: Option<u32>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(configured.unwrap_or_else(|| u32::try_from(processors).unwrap_or(u32::MAX)))
    }

    /// How many are free.
    pub(crate) fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// How many an experiment takes whose engine holds no GPU.
    pub(crate) fn wanted(&self, task: &Task) -> u32 {
        match (task.resources.cpus, task.engine) {
            (Some(cpus), _) => whole(cpus).clamp(1, self.total),
            (None, EngineKind::Sim) => 1,
            (None, _) => self.total,
        }
    }

    /// Waits for so many slots, and holds them. Says through `told` that it waits, and for what.
    ///
    /// # Errors
    /// [`SlotError`].
    pub(crate) async fn hold(
        &self,
        wanted: u32,
        told: &(dyn Fn(&str) + Send + Sync),
        deadline: Duration,
        cancel: &CancellationToken,
    ) -> Result<HeldSlots, SlotError> {
        let wanted = wanted.clamp(1, self.total);
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(wanted) {
            return Ok(HeldSlots(permit));
        }
        let total = self.total;
        told(&format!(
            "waiting for processors: needs {wanted} of {total}, {} free",
            self.free()
        ));
        let waiting = timeout(deadline, Arc::clone(&self.free).acquire_many_owned(wanted));
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SlotError::Cancelled),
            held = waiting => match held {
                // Nobody ever closes it.
                Ok(permit) => permit.map(HeldSlots).map_err(|_| SlotError::Cancelled),
                Err(_) => Err(SlotError::TooLate { wanted, total, waited: deadline }),
            },
        }
    }
}

/// That many processors, as whole ones. Resources are above zero and of a machine's size.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates, and the result is clamped"
)]
fn whole(cpus: f64) -> u32 {
    cpus.ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::spec::TaskSpec;
    use serde_json::json;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn silent(_: &str) {}

    #[test]
    fn an_engine_without_a_bound_takes_all() {
        let check = |engine: &str, cpus: Option<f64>, expected: u32| {
            let mut document = json!({
                "task_name": "t",
                "base_runtime": engine,
                "deployment_mode": "docker",
                "model": {"id_or_path": "/m"},
                "parameters": {},
                "optimization": {"strategy": "grid_search"},
                "benchmark": {},
            });
            if engine == "custom" {
                document["engine"] = json!({"image": "x", "args": ["--port", "{port}"]});
            }
            if let Some(cpus) = cpus {
                document["resources"] = json!({"cpus": cpus});
            }
            let parsed = TaskSpec::from_value(&document).expect("sound");
            let task = parsed.spec.resolve().expect("sound");
            assert_eq!(CpuSlots::new(4).wanted(&task), expected, "{engine} {cpus:?}");
        };
        check("custom", None, 4);
        check("sim", None, 1);
        check("sim", Some(2.0), 2);
        check("custom", Some(0.5), 1);
        check("custom", Some(1.5), 2);
        check("custom", Some(64.0), 4);
    }

    #[tokio::test]
    async fn who_asked_first_gets_first() {
        let slots = CpuSlots::new(2);
        let cancel = CancellationToken::new();
        let first = slots.hold(1, &silent, PATIENCE, &cancel).await.expect("free");
        let order = std::sync::Mutex::new(Vec::new());
        let whole = async {
            let held = slots.hold(2, &silent, PATIENCE, &cancel).await.expect("in time");
            order.lock().expect("whole").push("all");
            drop(held);
        };
        let small = async {
            // One is free, and does not go to who came later.
            let held = slots.hold(1, &silent, PATIENCE, &cancel).await.expect("in time");
            order.lock().expect("whole").push("one");
            drop(held);
        };
        let release = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        tokio::join!(whole, small, release);
        assert_eq!(*order.lock().expect("whole"), ["all", "one"]);
        assert_eq!(slots.free(), 2);
    }

    #[tokio::test]
    async fn waiting_is_told_and_ends() {
        let slots = CpuSlots::new(1);
        let cancel = CancellationToken::new();
        let held = slots.hold(9, &silent, PATIENCE, &cancel).await.expect("clamped");
        let said = std::sync::Mutex::new(String::new());
        let told = |text: &str| *said.lock().expect("whole") = text.to_owned();
        let no_time = Duration::from_millis(1);
        let late = slots.hold(1, &told, no_time, &cancel).await.expect_err("taken");
        assert!(matches!(late, SlotError::TooLate { .. }), "{late}");
        assert_eq!(
            *said.lock().expect("whole"),
            "waiting for processors: needs 1 of 1, 0 free"
        );
        cancel.cancel();
        let cancelled = slots.hold(1, &silent, PATIENCE, &cancel).await;
        assert!(matches!(cancelled, Err(SlotError::Cancelled)));
        drop(held);
        assert_eq!(slots.free(), 1);
    }
}
