//! The end of an engine, on every path: stopped, its output kept, what it held given back.
//!
//! The one idea: an engine that could not be stopped is remembered, because whatever is
//! measured beside it is disturbed; before each start it is tried again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_deploy::DeployError;

use super::site::Running;
use super::{Worker, chain};
use crate::fault::{FaultPoint, around};
use crate::shutdown::Shutdown;

/// How long an end may take that a person is in a hurry for. What is left then is on record,
/// and the next sweep ends it.
const HURRIED: Duration = Duration::from_secs(6);

/// Engines that could not be stopped, each with the reason. Their GPUs stay held.
#[derive(Default)]
pub(crate) struct Stuck(Mutex<Vec<(Arc<Running>, String)>>);

impl Stuck {
    fn remember(&self, running: Arc<Running>, why: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((running, why));
    }

    fn take(&self) -> Vec<(Arc<Running>, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stops the engine and keeps its output. A cancel does not cut this short; a second signal
/// only takes away the time that the engine is given to end by itself.
pub(super) async fn tear_down(worker: &Arc<Worker>, running: Arc<Running>) {
    let number = running.number();
    let stopping = stop(worker, &running);
    match around(FaultPoint::Stop, stopping).await {
        Ok(()) => around(FaultPoint::RecordStop, record_stop(worker, number)).await,
        Err(error) => {
            let message = format!("[Experiment {number}] {}", chain(&error));
            worker.warn(&message);
            worker.stuck.remember(running, message);
        }
    }
    // A long log takes its time, which must not be another experiment's.
    let keeper = Arc::clone(worker);
    let keeping = tokio::task::spawn_blocking(move || keeper.logs.preserve(number));
    if let Err(fault) = around(FaultPoint::PreserveLog, keeping).await {
        tracing::warn!(%fault, "an engine's output was not copied into the task log");
    }
}

/// Puts on record that an experiment's engine is gone. What cannot be put there changes nothing
/// of what was measured.
async fn record_stop(worker: &Worker, number: ExperimentNumber) {
    let now = worker.clock.now_ms();
    if let Err(error) = worker.store.record_stop(worker.task_id, number, now).await {
        tracing::warn!("the stop of an engine is not on record: {}", chain(&error));
    }
}

/// Tries again to stop what could not be stopped before.
///
/// # Errors
/// Something still runs and would disturb what is measured beside it.
pub(super) async fn clear_stuck(worker: &Worker) -> Result<(), Failure> {
    let mut left = Vec::new();
    for (running, why) in worker.stuck.take() {
        if stop(worker, &running).await.is_ok() {
            record_stop(worker, running.number()).await;
        } else {
            left.push(why.clone());
            worker.stuck.remember(running, why);
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(
        FailureKind::Infrastructure,
        format!(
            "an earlier engine still runs and would disturb the measurement: {}",
            left.join("; ")
        ),
    );
    failure.advice = Some("end it by hand, then start the task again; `autotuner doctor` shows it".into());
    Err(failure)
}

async fn stop(worker: &Worker, running: &Running) -> Result<(), DeployError> {
    let tokens = &worker.stop.tokens;
    ended(&running.id(), tokens, worker.stop_grace, |grace| {
        running.end(worker, grace)
    })
    .await
}

/// Ends what `end` ends, within the grace that it is told; without any once somebody hurries.
///
/// # Errors
/// It could not be ended.
pub(crate) async fn ended<Ending>(
    id: &str,
    tokens: &Shutdown,
    grace: Duration,
    end: impl Fn(Duration) -> Ending,
) -> Result<(), DeployError>
where
    Ending: Future<Output = Result<(), DeployError>>,
{
    tokio::select! {
        biased;
        () = tokens.hard.cancelled() => {}
        stopped = end(grace) => return stopped,
    }
    let stopped = tokio::time::timeout(HURRIED, end(Duration::ZERO)).await;
    stopped.unwrap_or_else(|_| Err(DeployError::StillRunning { id: id.to_owned() }))
}
