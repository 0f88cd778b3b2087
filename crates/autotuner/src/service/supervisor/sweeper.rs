//! Clears away, at the start and every now and then, what dead processes of ours left behind.
//!
//! It goes on beside the loop that takes on tasks and never holds it up. Only the first look is
//! waited for, by runs, for a while: what a dead server left would disturb what is measured.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Supervisor;
use crate::fault::{FaultPoint, around};
use crate::targets::swept_in_words;

/// Pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(30);

/// Longest time that runs wait for the first one.
const FIRST_PATIENCE: Duration = Duration::from_secs(15);

/// Sweeps until the server ends.
pub(super) async fn sweep_now_and_then(supervisor: Arc<Supervisor>) {
    let end = supervisor.service.shutdown.soft.clone();
    while !end.is_cancelled() {
        let report = around(FaultPoint::Sweep, supervisor.targets.sweep(&end)).await;
        supervisor.swept.cancel();
        for swept in &report.stopped {
            tracing::warn!(
                "stopped an engine that a dead process of ours left behind: {}",
                swept_in_words(swept)
            );
        }
        for problem in report.problems.iter().filter(|_| !end.is_cancelled()) {
            tracing::warn!("while looking for engines that were left behind: {problem}");
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = end.cancelled() => {}
        }
    }
}

/// Waits until the first sweep is over.
pub(super) async fn first_sweep(supervisor: &Supervisor) {
    if timeout(FIRST_PATIENCE, supervisor.swept.cancelled())
        .await
        .is_err()
    {
        tracing::warn!("engines that a dead process of ours left behind may still run: a sweep takes long");
    }
}
