//! Watches GPUs while something is measured on them.
//!
//! One look a second, in a task that belongs to a guard: it ends when the guard is asked for
//! what was seen, or dropped. A source that fails costs samples, never the measurement.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::gpu::{GpuDevice, GpuUse, UseRecorder};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{GpuError, GpuSource};
use crate::error::whole_story;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many looks in a row that fail, and no more are taken.
const MOST_FAILURES: u32 = 3;

/// Watches GPUs. Dropped, it stops.
#[derive(Debug)]
pub struct GpuSampler {
    stop: CancellationToken,
    task: Option<AbortOnDropHandle<Sampled>>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampled {
    /// What each GPU did, of those that were seen.
    pub uses: Vec<GpuUse>,
    /// What a reader should know: that some looks failed, and why.
    pub note: Option<String>,
}

impl GpuSampler {
    /// Begins to watch; must be called inside a runtime. No GPUs are watched by nobody.
    pub fn start(source: Arc<dyn GpuSource>, devices: &[GpuDevice]) -> Self {
        let stop = CancellationToken::new();
        let task = (!devices.is_empty()).then(|| {
            let watching = watch(source, devices.to_vec(), stop.clone());
            AbortOnDropHandle::new(tokio::spawn(watching))
        });
        Self { stop, task }
    }

    /// Takes a last look, stops, and tells what was seen.
    pub async fn finish(self) -> Sampled {
        self.stop.cancel();
        let Some(task) = self.task else {
            return Sampled::default();
        };
        task.await.unwrap_or_else(|_| Sampled {
            uses: Vec::new(),
            note: Some("the GPUs could not be watched: the watching failed".to_owned()),
        })
    }
}

async fn watch(source: Arc<dyn GpuSource>, devices: Vec<GpuDevice>, stop: CancellationToken) -> Sampled {
    let mut watch = Watch {
        began: Instant::now(),
        recorder: UseRecorder::new(&devices),
        failed: 0,
        in_a_row: 0,
        first_failure: None,
    };
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while watch.in_a_row < MOST_FAILURES {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = ticks.tick() => watch.look(source.as_ref(), &stop).await,
        }
    }
    if watch.in_a_row < MOST_FAILURES {
        watch.look(source.as_ref(), &CancellationToken::new()).await;
    }
    // Whoever began it says when it is over.
    stop.cancelled().await;
    watch.finish(&devices)
}

struct Watch {
    began: Instant,
    recorder: UseRecorder,
    failed: u32,
    in_a_row: u32,
    first_failure: Option<String>,
}

impl Watch {
    async fn look(&mut self, source: &dyn GpuSource, stop: &CancellationToken) {
        let seen = match timeout(PATIENCE, source.look(stop)).await {
            Ok(Err(GpuError::Cancelled)) if stop.is_cancelled() => return,
            Ok(Ok(states)) => Ok(states),
            Ok(Err(error)) => Err(whole_story(&error)),
            Err(_) => Err("the driver took too long to answer".to_owned()),
        };
        match seen {
            Ok(states) => {
                self.in_a_row = 0;
                self.recorder.add(self.began.elapsed(), &states);
            }
            Err(why) => {
                self.failed += 1;
                self.in_a_row += 1;
                self.first_failure.get_or_insert(why);
            }
        }
    }

    fn finish(self, devices: &[GpuDevice]) -> Sampled {
        let uses = self.recorder.finish();
        let unseen = devices.len() - uses.len();
        let note = match self.first_failure {
            Some(why) => Some(format!("{} looks at the GPUs failed: {why}", self.failed)),
            None if unseen > 0 => Some(format!("{unseen} of the GPUs could not be watched")),
            None => None,
        };
        Sampled { uses, note }
    }
}
