//! The loop of a task: read the history, plan, act, repeat.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::TaskMove;
use autotuner_core::plan::{Decision, Finish, Next, Situation, plan};
use autotuner_store::StoreError;
use tokio::task::{Id, JoinSet};
use tracing::Instrument as _;

use super::earlier::find_earlier;
use super::experiment::{conclude, run_experiment};
use super::stop::StopCause;
use super::{Event, Worker};
use crate::fault::{self, FaultPoint, Side, around};

/// Why a task could not be run to any end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The record could not be kept.
    #[error("the run could not be recorded")]
    Record(#[from] StoreError),
    /// The planner has a fault.
    #[error("the next experiment could not be planned, which is a fault of our own: {0}")]
    Planner(String),
    /// The planner waits for experiments, and none is running.
    #[error("nothing runs and nothing is to be started; please report this")]
    Stuck,
}

/// Runs a started task to its end and moves it to its last status.
///
/// # Errors
/// Only when the record cannot be kept; failures of experiments are part of the record.
pub(crate) async fn run_task(worker: Arc<Worker>) -> Result<Finish, RunError> {
    let finish = work(&worker).await?;
    end(&worker, &finish).await?;
    Ok(finish)
}

/// Makes experiments until there is no more to do, or the run is stopped from outside. No
/// experiment runs afterwards and every engine was torn down, also where it failed.
///
/// # Errors
/// Only when the record cannot be kept; failures of experiments are part of the record.
pub(crate) async fn work(worker: &Arc<Worker>) -> Result<Finish, RunError> {
    let mut running = Running::default();
    let worked = make_experiments(worker, &mut running).await;
    if worked.is_err() {
        worker.stop.stop(StopCause::GivenUp);
    }
    // An experiment that is on record as ended may still be telling of it.
    let drained = running.drain(worker).await;
    let finish = worked?;
    drained?;
    Ok(finish)
}

/// Moves a task to its last status.
///
/// # Errors
/// When the record cannot be kept.
pub(crate) async fn end(worker: &Worker, finish: &Finish) -> Result<(), RunError> {
    let history = worker.store.history(worker.task_id).await?;
    let wanted = match finish {
        Finish::Cancelled => TaskMove::Cancel,
        _ if history.iter().any(|experiment| experiment.score().is_some()) => TaskMove::Complete,
        _ => TaskMove::Fail,
    };
    let now = worker.clock.now_ms();
    let because = finish.to_string();
    let ending = worker.store.end_task(worker.task_id, wanted, &because, now);
    around(FaultPoint::EndTask, ending).await?;
    Ok(())
}

async fn make_experiments(worker: &Arc<Worker>, running: &mut Running) -> Result<Finish, RunError> {
    loop {
        if worker.stop.tokens.soft.is_cancelled() {
            return Ok(Finish::Cancelled);
        }
        match next(worker).await? {
            Decision::Start(nexts) => {
                for next in nexts {
                    running.begin(worker, next).await?;
                }
            }
            Decision::Wait if running.is_empty() => return Err(RunError::Stuck),
            Decision::Wait => running.next_end(worker).await?,
            Decision::Finish(finish) => return Ok(finish),
        }
    }
}

/// What to do next.
async fn next(worker: &Arc<Worker>) -> Result<Decision, RunError> {
    fault::at(FaultPoint::Plan, Side::Before);
    let now_ms = worker.clock.now_ms();
    let decision = considered(worker, move |situation| plan(situation, now_ms)).await?;
    fault::at(FaultPoint::Plan, Side::After);
    Ok(decision)
}

/// Answers a question by all that is known. A model takes its time over that, so it has a thread of
/// its own; a panic of the planner must not take the engines that run out of our hands.
pub(super) async fn considered<T: Send + 'static>(
    worker: &Arc<Worker>,
    question: impl FnOnce(&Situation<'_>) -> T + Send + 'static,
) -> Result<T, RunError> {
    find_earlier(worker).await?;
    let history = worker.store.history(worker.task_id).await?;
    let planner = Arc::clone(worker);
    let considering = tokio::task::spawn_blocking(move || {
        let identity = |candidate: &_| planner.identity(candidate);
        question(&Situation {
            task: &planner.task,
            experiments: &history,
            earlier: planner.earlier.get().map_or(&[], Vec::as_slice),
            strategy: planner.strategy,
            identity: &identity,
        })
    });
    considering.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => RunError::Planner(panic_text(&*panic)),
        Err(error) => RunError::Planner(error.to_string()),
    })
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it said nothing".to_owned())
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
        let beginning = worker.store.begin_experiment(worker.task_id, next.clone(), now);
        let number = around(FaultPoint::BeginExperiment, beginning).await?;
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

    /// Waits for all of them, and answers with the first failure.
    async fn drain(&mut self, worker: &Worker) -> Result<(), RunError> {
        let mut first = Ok(());
        while !self.is_empty() {
            let ended = self.next_end(worker).await;
            first = first.and(ended);
        }
        first
    }
}
