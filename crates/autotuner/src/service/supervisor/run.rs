//! One claimed task: from its document to its last status, or as far as it gets.
//!
//! Every way out is one of four: it ended, the server ends and leaves it running, it is another
//! worker's by now, or its record cannot be kept; then its claim expires and it is tried again.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::lifecycle::TaskMove;
use autotuner_core::spec::TaskSpec;
use autotuner_core::task::Task;
use autotuner_store::{Claim, Store, StoreError};
use futures_util::FutureExt as _;
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::super::Service;
use super::Supervisor;
use super::board::RunShown;
use super::failed::{Failed, log_problems};
use super::lease::keep;
use super::patient::Patient;
use super::reporter::Teller;
use super::sweeper::first_sweep;
use super::told;
use crate::fault::{self, FaultPoint, Side, around};
use crate::service::shared_logs::Flush;
use crate::worker::logs::TaskLogs;
use crate::worker::preflight::{Prepared, alike, not_there, prepare, unheeded};
use crate::worker::site::Ground;
use crate::worker::stop::{RunStop, StopCause};
use crate::worker::{
    GPU_PATIENCE_BEHIND_TASKS, Reporter, RunError, Stuck, Worker, chain, end, panic_text, work,
};

/// Longest wait for a target that does not answer when a task begins.
const TARGET_PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two questions whether it is back.
const TARGET_PAUSE: Duration = Duration::from_secs(1);

/// How a claimed task ended here.
enum Ended {
    /// With its last status.
    Whole,
    /// The server ends: the next start goes on with it.
    LeftRunning,
    /// It is another worker's.
    Lost,
}

/// Runs a claimed task, with its claim kept alive; begins when `earlier` has ended, which is
/// the same task under a claim that was lost.
pub(super) async fn run(
    supervisor: Arc<Supervisor>,
    claim: Claim,
    stop: RunStop,
    earlier: Option<CancellationToken>,
    rung: watch::Receiver<()>,
) {
    let running = async {
        if let Some(earlier) = earlier {
            earlier.cancelled().await;
        }
        match supervisor.carrier(&claim) {
            None => Run::new(&supervisor, &claim, &stop, None).whole().await,
            Some((mut carrier, flush)) => {
                if let Err(error) = carrier.begin().await {
                    tracing::warn!("logs that are cleared elsewhere stay here: {}", chain(&error));
                }
                let run = Run::new(&supervisor, &claim, &stop, Some(flush));
                tokio::join!(run.whole_and_gone(), carrier.carry_on());
            }
        }
    };
    let span = tracing::info_span!("task", task.id = claim.task.0, task.name = claim.name);
    let keeping = async {
        keep(&supervisor, &claim, &stop, rung).await;
        // It is lost; the run ends by itself.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = running.instrument(span) => {}
        () = keeping => {}
    }
}

struct Run<'a> {
    supervisor: &'a Supervisor,
    service: &'a Arc<Service>,
    claim: &'a Claim,
    stop: &'a RunStop,
    store: Arc<dyn Store>,
    /// What has its logs carried to where others can read them.
    flush: Option<Flush>,
}

impl<'a> Run<'a> {
    fn new(supervisor: &'a Supervisor, claim: &'a Claim, stop: &'a RunStop, flush: Option<Flush>) -> Self {
        let service = &supervisor.service;
        let (board, task) = (Arc::clone(service), claim.task);
        let store = Patient {
            inner: service.database.run_store(claim),
            stop: stop.clone(),
            told: Box::new(move |why| {
                let what = why.map(|why| format!("waiting for the database: {why}"));
                if let Some(what) = &what {
                    tracing::warn!(task.id = task.0, "{what}");
                }
                board.board.wait(task, what);
            }),
        };
        Self {
            supervisor,
            service,
            claim,
            stop,
            store: Arc::new(store),
            flush,
        }
    }

    /// The same, once nothing is left that could want its logs to be carried.
    async fn whole_and_gone(self) {
        self.whole().await;
    }

    /// Runs it, tells of its begin and its end, and gives it back where it goes on elsewhere.
    async fn whole(&self) {
        let Claim { task, name, run, .. } = self.claim;
        let shown = RunShown {
            name: name.clone(),
            run: *run,
            since_ms: self.service.clock.now_ms(),
            waits_for: None,
            figures: None,
            experiments: std::collections::BTreeMap::new(),
        };
        self.service.board.begin(*task, shown);
        let running = AssertUnwindSafe(self.to_some_end()).catch_unwind();
        let ended = match running.await {
            Ok(ended) => ended,
            Err(panic) => {
                let text = format!("a fault of our own: {}", panic_text(&*panic));
                self.fail(&text).await
            }
        };
        // Before anybody else may go on with it, or hears that it has ended.
        if let Some(flush) = &self.flush {
            flush.flush().await;
        }
        match ended {
            Ok(Ended::Whole) => {
                told::end(self.service, self.claim.task, self.store.as_ref()).await;
                let Claim { task, run, .. } = self.claim;
                self.service
                    .wishes
                    .note(&self.service.database, *task, *run)
                    .await;
            }
            Ok(Ended::LeftRunning) => self.release().await,
            Ok(Ended::Lost) => tracing::warn!("the task is another worker's by now"),
            // Its claim expires, which is the pause before the next attempt.
            Err(error) => tracing::error!("the run broke off: {}", chain(&error)),
        }
        self.service.board.end(*task);
    }

    async fn to_some_end(&self) -> Result<Ended, StoreError> {
        let failed = match self.attempt().await {
            Ok(ended) => return Ok(ended),
            Err(failed) => failed,
        };
        match (self.stop.cause(), failed) {
            (_, Failed::Run(RunError::Record(StoreError::LeaseLost(_) | StoreError::NoSuchTask(_)))) => {
                Ok(Ended::Lost)
            }
            (Some(StopCause::ServerEnds), _) => Ok(Ended::LeftRunning),
            (Some(StopCause::Person), Failed::Refused(_)) => self.cancelled().await,
            (
                _,
                Failed::Run(RunError::Record(
                    error @ (StoreError::Busy { .. } | StoreError::CannotWrite { .. }),
                )),
            ) => Err(error),
            (_, failed) => self.fail(&chain(&failed)).await,
        }
    }

    /// Everything from the document to the last experiment.
    async fn attempt(&self) -> Result<Ended, Failed> {
        let logs = self.open_log().map_err(Failed::Log)?;
        if self.is_cancelled() {
            self.stop.stop(StopCause::Person);
            return Ok(self.cancelled().await?);
        }
        let history = self.store.history(self.claim.task).await?;
        self.log_begin(&logs, &history);
        let task = self.task().inspect_err(|refused| log_problems(&logs, refused))?;
        let teller = Arc::new(Teller::new(
            Arc::clone(self.service),
            self.claim.task,
            &task,
            &history,
        ));
        told::begin(self.service, self.claim, &task, &history);
        first_sweep(self.supervisor).await;
        let preparing = self.prepare(task, &teller, &logs);
        let (prepared, ground) = around(FaultPoint::Prepare, preparing)
            .await
            .inspect_err(|refused| log_problems(&logs, refused))?;
        for note in [unheeded(&prepared.task), alike(&prepared)].into_iter().flatten() {
            logs.line("INFO", &format!("note: {note}"));
        }
        let worker = Arc::new(self.worker(prepared, ground, teller, logs, &history));
        let finish = work(&worker).await?;
        match self.stop.cause() {
            Some(StopCause::ServerEnds) => return Ok(Ended::LeftRunning),
            Some(StopCause::GivenUp) => return Ok(Ended::Lost),
            Some(StopCause::Person) | None => {}
        }
        end(&worker, &finish).await?;
        worker.logs.line("INFO", &format!("Task ended: {finish}"));
        Ok(Ended::Whole)
    }

    fn open_log(&self) -> std::io::Result<TaskLogs> {
        fault::at(FaultPoint::OpenLog, Side::Before);
        let clock = Arc::clone(&self.service.clock);
        let files = self.service.own_logs.clone();
        let logs = TaskLogs::open_on_server(files, self.claim.task, self.claim.run, clock);
        fault::at(FaultPoint::OpenLog, Side::After);
        logs
    }

    fn log_begin(&self, logs: &TaskLogs, history: &[Experiment]) {
        let Claim { name, run, lost, .. } = self.claim;
        for number in lost {
            let text = "was under way when the server ended; it is tried again";
            logs.line("WARNING", &format!("[Experiment {number}] {text}"));
        }
        let text = match history.len() {
            0 => format!("Task {name} begins, run {run}"),
            made => format!("Task {name} goes on, run {run}, after {made} experiments"),
        };
        logs.line("INFO", &text);
    }

    /// The task of the stored document.
    fn task(&self) -> Result<Task, Failed> {
        let parsed = TaskSpec::from_value(&self.claim.document).map_err(Failed::Refused)?;
        parsed.spec.resolve().map_err(Failed::Refused)
    }

    /// Checks everything that a start needs, once there is a target to ask.
    async fn prepare(
        &self,
        task: Task,
        teller: &Teller,
        logs: &TaskLogs,
    ) -> Result<(Prepared, Ground), Failed> {
        let ground = self.reach(&task, logs).await?;
        let preparing = prepare(
            task,
            &self.supervisor.places,
            &ground,
            &self.service.gpus,
            teller,
            &self.stop.tokens.soft,
        );
        let prepared = preparing.await;
        self.service.board.wait(self.claim.task, None);
        Ok((prepared.map_err(Failed::Refused)?, ground))
    }

    /// The task's target, which is waited for: a daemon that restarts is no reason to fail.
    async fn reach(&self, task: &Task, logs: &TaskLogs) -> Result<Ground, Failed> {
        let begun = Instant::now();
        let mut is_told = false;
        loop {
            let error = match self.supervisor.targets.reach(task.deployment).await {
                Ok(ground) => return Ok(ground),
                Err(error) => error,
            };
            if begun.elapsed() >= TARGET_PATIENCE {
                return Err(Failed::Refused(vec![not_there(task, &error)]));
            }
            let what = format!(
                "waiting for up to {} s: {}",
                TARGET_PATIENCE.as_secs(),
                chain(&error)
            );
            if !is_told {
                logs.line("WARNING", &what);
                is_told = true;
            }
            self.service.board.wait(self.claim.task, Some(what));
            tokio::select! {
                () = sleep(TARGET_PAUSE) => {}
                () = self.stop.tokens.soft.cancelled() => {
                    return Err(Failed::Refused(vec![not_there(task, &error)]));
                }
            }
        }
    }

    fn worker(
        &self,
        prepared: Prepared,
        ground: Ground,
        teller: Arc<Teller>,
        logs: TaskLogs,
        history: &[Experiment],
    ) -> Worker {
        let Prepared {
            task,
            engine,
            strategy,
            facts,
        } = prepared;
        // What this run began with, before a restart, holds for all of it.
        let launches = || history.iter().filter_map(|experiment| experiment.launch.as_ref());
        let image = launches().find_map(|launch| launch.image.clone());
        let gpu = launches().find_map(|launch| launch.gpus.first());
        Worker {
            task,
            task_id: self.claim.task,
            engine,
            strategy,
            ground,
            document: self.claim.document.clone(),
            bench: Arc::clone(&self.supervisor.bench),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.service.clock),
            reporter: teller as Arc<dyn Reporter>,
            logs,
            facts,
            stop_grace: self.service.config.stop_grace,
            stop: self.stop.clone(),
            stuck: Stuck::default(),
            gpus: self.service.gpus.clone(),
            gpu_patience: GPU_PATIENCE_BEHIND_TASKS,
            slots: self.supervisor.slots.clone(),
            gpu_model: gpu
                .map(|gpu| gpu.name.clone())
                .map_or_else(OnceLock::new, OnceLock::from),
            image: image.map_or_else(OnceLock::new, OnceLock::from),
            earlier: OnceCell::new(),
        }
    }

    /// Whether its end was asked for before it was claimed.
    fn is_cancelled(&self) -> bool {
        let Claim { task, run, .. } = self.claim;
        self.claim.is_cancel_requested || self.service.wishes.is_cancelled(*task, *run)
    }

    async fn cancelled(&self) -> Result<Ended, StoreError> {
        self.end_as(TaskMove::Cancel, "cancelled").await
    }

    async fn fail(&self, because: &str) -> Result<Ended, StoreError> {
        tracing::error!("the task has failed: {because}");
        self.end_as(TaskMove::Fail, because).await
    }

    async fn end_as(&self, wanted: TaskMove, because: &str) -> Result<Ended, StoreError> {
        let now = self.service.clock.now_ms();
        let ending = self.store.end_task(self.claim.task, wanted, because, now);
        match around(FaultPoint::EndTask, ending).await {
            Ok(_) => Ok(Ended::Whole),
            Err(StoreError::LeaseLost(_) | StoreError::NoSuchTask(_)) => Ok(Ended::Lost),
            Err(error) => Err(error),
        }
    }

    async fn release(&self) {
        let releasing = self.service.database.release(self.claim);
        if let Err(error) = around(FaultPoint::Release, releasing).await {
            tracing::warn!("the claim is not given back: {}", chain(&error));
        }
    }
}
