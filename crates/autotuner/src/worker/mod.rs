//! Runs a task: asks the planner, carries out what it says, and asks again.
//!
//! One [`Worker`] runs one task. All judgement is `autotuner_core`'s; this only connects the
//! hands, and sees to it that every engine it starts is stopped.

pub(crate) mod benchmark;
pub(crate) mod cluster;
mod earlier;
mod experiment;
pub(crate) mod explain;
mod judge;
mod levels;
pub(crate) mod logs;
pub(crate) mod preflight;
pub(crate) mod probe;
mod requests;
pub(crate) mod secret;
pub(crate) mod site;
pub(crate) mod slots;
pub(crate) mod start;
pub(crate) mod stop;
mod task;
pub(crate) mod teardown;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use autotuner_core::engine::{Engine, LaunchPlan, PlanRequest};
use autotuner_core::experiment::{Experiment, ImageFacts};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::plan::Next;
use autotuner_core::problem::Problem;
use autotuner_core::search::Strategy;
use autotuner_core::space::{Candidate, CandidateKey};
use autotuner_core::task::Task;
use autotuner_deploy::FetchProgress;
use autotuner_deploy::gpu::GpuPool;
use autotuner_load::{Bench, Progress};
use autotuner_store::Store;
use tokio::sync::OnceCell;

use crate::clock::Clock;
use logs::TaskLogs;
use probe::EngineFacts;
use site::Ground;
use slots::CpuSlots;
use stop::RunStop;

pub(crate) use task::{RunError, end, panic_text, run_task, work};
pub(crate) use teardown::Stuck;

/// Longest wait for GPUs in a run of its own: who waits for it wants to be told.
pub(crate) const GPU_PATIENCE: Duration = Duration::from_secs(3600);

/// Longest wait for GPUs behind other tasks of a service, which are no fault of the one that
/// waits: as long as all that is before it may take. A cancel ends it at any moment.
pub(crate) const GPU_PATIENCE_BEHIND_TASKS: Duration = Duration::from_secs(7 * 24 * 3600);

/// Everything that running one task needs.
pub(crate) struct Worker {
    pub(crate) task: Task,
    pub(crate) task_id: TaskId,
    pub(crate) engine: &'static dyn Engine,
    pub(crate) strategy: &'static dyn Strategy,
    /// Where its engines run.
    pub(crate) ground: Ground,
    /// The task as it was written, for who has to read it elsewhere.
    pub(crate) document: serde_json::Value,
    pub(crate) bench: Arc<dyn Bench>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) logs: TaskLogs,
    pub(crate) facts: EngineFacts,
    pub(crate) stop_grace: Duration,
    /// What ends the run before its own end.
    pub(crate) stop: RunStop,
    /// Engines that could not be stopped: whatever is measured beside them is disturbed.
    pub(crate) stuck: Stuck,
    /// The machine's GPUs, shared with everything else of ours that runs here.
    pub(crate) gpus: GpuPool,
    /// How long an experiment waits for them.
    pub(crate) gpu_patience: Duration,
    /// The machine's processors for engines without a GPU, shared likewise.
    pub(crate) slots: CpuSlots,
    /// The model of the task's first GPU.
    pub(crate) gpu_model: OnceLock<String>,
    /// The image of the task's first engine, where it was one. All others run on the same.
    pub(crate) image: OnceLock<ImageFacts>,
    /// The histories of earlier runs that the search begins with.
    pub(crate) earlier: OnceCell<Vec<Vec<Experiment>>>,
}

/// Told of everything that happens while a task runs. Must be quick: the worker waits.
pub(crate) trait Reporter: Send + Sync {
    /// Something happened.
    fn report(&self, event: Event<'_>);
}

/// Something that happened.
pub(crate) enum Event<'a> {
    /// An experiment was decided and given its number.
    Begun {
        number: ExperimentNumber,
        next: &'a Next,
    },
    /// An experiment moved on.
    Moved {
        number: ExperimentNumber,
        status: ExperimentStatus,
    },
    /// An experiment waits for something, or, with nothing, waits no more.
    Waiting {
        number: ExperimentNumber,
        what: Option<&'a str>,
    },
    /// An image is being fetched, for an experiment or before the first.
    Fetching {
        number: Option<ExperimentNumber>,
        progress: &'a FetchProgress,
    },
    /// An experiment's benchmark went on.
    Measuring {
        number: ExperimentNumber,
        progress: &'a Progress,
    },
    /// An experiment ended.
    Ended { experiment: &'a Experiment },
    /// Something went wrong that was coped with, or that a person should know.
    Warned { message: &'a str },
}

impl Worker {
    /// What to start for a candidate.
    ///
    /// # Errors
    /// Every reason why the engine would refuse it.
    pub(crate) fn plan(&self, candidate: &Candidate) -> Result<LaunchPlan, Vec<Problem>> {
        self.engine.plan(&plan_request(&self.task, candidate))
    }

    /// Tells of something that went wrong, to the task log and to whoever watches.
    fn warn(&self, message: &str) {
        self.logs.line("WARNING", message);
        self.reporter.report(Event::Warned { message });
    }

    /// Ends when what takes long is to be waited for no more: `patience` after somebody asked
    /// for the end, at once when they asked twice.
    async fn given_up(&self, patience: Duration) {
        self.stop.tokens.soft.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(patience) => {}
            () = self.stop.tokens.hard.cancelled() => {}
        }
    }

    /// What makes two candidates one configuration to the engine: what it would be started
    /// with. Candidates that it refuses are told apart by what was asked for.
    pub(crate) fn identity(&self, candidate: &Candidate) -> CandidateKey {
        match self.plan(candidate) {
            Ok(plan) => CandidateKey(plan.identity()),
            Err(_) => candidate.key(),
        }
    }
}

/// The request for a plan of this task's engine.
pub(crate) fn plan_request<'a>(task: &'a Task, candidate: &'a Candidate) -> PlanRequest<'a> {
    PlanRequest {
        model: &task.model,
        settings: &task.settings,
        resources: &task.resources,
        candidate,
        deployment: task.deployment,
    }
}

/// An error with everything that caused it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
