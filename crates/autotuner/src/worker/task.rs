//! The loop of a task: read the history, plan, act, repeat.

use std::collections::HashMap;
use std::sync::Arc;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::TaskMove;
use autotuner_core::plan::{Decision, Finish, Next, plan};
use autotuner_store::StoreError;
use tokio::task::{Id, JoinSet};
use tracing::Instrument as _;

use super::experiment::{conclude, run_experiment};
use super::{Event, Worker};

/// Why a task could not be run to any end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The record could not be kept.
    #[error("the run could not be recorded")]
    Record(#[from] StoreError),
    /// The planner waits for experiments, and none is running.
    #[error("nothing runs and nothing is to be started; please report this")]
    Stuck,
}

/// Runs a started task to its end and moves it to its last status.
///
/// # Errors
/// Only when the record cannot be kept; failures of experiments are part of the record.
pub(crate) async fn run_task(worker: Arc<Worker>) -> Result<Finish, RunError> {
    let mut running = Running::default();
    let finish = loop {
        if worker.shutdown.soft.is_cancelled() {
            break Finish::Cancelled;
        }
        let history = worker.store.history(worker.task_id).await?;
        let identity = |candidate: &_| worker.identity(candidate);
        match plan(&worker.task, &history, worker.strategy, &identity) {
            Decision::Start(nexts) => {
                for next in nexts {
                    running.begin(&worker, next).await?;
                }
            }
            Decision::Wait if running.is_empty() => return Err(RunError::Stuck),
            Decision::Wait => running.next_end(&worker).await?,
            Decision::Finish(finish) => break finish,
        }
    };
    // An experiment that is on record as ended may still be telling of it.
    running.drain(&worker).await?;
    let history = worker.store.history(worker.task_id).await?;
    let wanted = match &finish {
        Finish::Cancelled => TaskMove::Cancel,
        _ if history.iter().any(|experiment| experiment.score().is_some()) => TaskMove::Complete,
        _ => TaskMove::Fail,
    };
    let now = worker.clock.now_ms();
    worker
        .store
        .end_task(worker.task_id, wanted, &finish.to_string(), now)
        .await?;
    Ok(finish)
}

/// The experiments that run now.
#[derive(Default)]
struct Running {
    set: JoinSet<Result<(), StoreError>>,
    numbers: HashMap<Id, ExperimentNumber>,
}

impl Running {
    fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    async fn begin(&mut self, worker: &Arc<Worker>, next: Next) -> Result<(), RunError> {
        let now = worker.clock.now_ms();
        let number = worker
            .store
            .begin_experiment(worker.task_id, next.clone(), now)
            .await?;
        worker.reporter.report(Event::Begun { number, next: &next });
        let span = tracing::info_span!("experiment", experiment.number = number.0);
        let running = run_experiment(Arc::clone(worker), number, next).instrument(span);
        let handle = self.set.spawn(running);
        self.numbers.insert(handle.id(), number);
        Ok(())
    }

    /// Waits for one experiment to end. One that panicked is put on record as lost, so that
    /// the planner can have it tried again.
    async fn next_end(&mut self, worker: &Worker) -> Result<(), RunError> {
        match self.set.join_next_with_id().await {
            None => Ok(()),
            Some(Ok((id, result))) => {
                self.numbers.remove(&id);
                Ok(result?)
            }
            Some(Err(error)) => {
                let Some(number) = self.numbers.remove(&error.id()) else {
                    return Ok(());
                };
                let failure = Failure::new(
                    FailureKind::Infrastructure,
                    format!("the experiment's task ended: {error}"),
                );
                Ok(conclude(worker, number, Err(failure)).await?)
            }
        }
    }

    async fn drain(&mut self, worker: &Worker) -> Result<(), RunError> {
        while !self.is_empty() {
            self.next_end(worker).await?;
        }
        Ok(())
    }
}
