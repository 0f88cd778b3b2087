//! Whose log is asked for, and whether anybody still writes to it.

use std::path::PathBuf;

use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_store::{ExperimentRecord, Page, StoreError};

use crate::api::error::ApiError;
use crate::service::Service;
use crate::service::log_files::LogFiles;

/// Whose log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A task's.
    Task(TaskId),
    /// That of an experiment's engine.
    Experiment {
        /// The task.
        task: TaskId,
        /// The run of the task.
        run: u32,
        /// The number inside the run.
        number: ExperimentNumber,
    },
}

impl Subject {
    /// A task's log.
    ///
    /// # Errors
    /// There is no such task.
    pub(super) async fn task(service: &Service, task: TaskId) -> Result<Self, ApiError> {
        service.database.task(task).await?;
        Ok(Self::Task(task))
    }

    /// An experiment's log, of the current run where none is named.
    ///
    /// # Errors
    /// There is no such task, run or experiment.
    pub(super) async fn experiment(
        service: &Service,
        task: TaskId,
        number: ExperimentNumber,
        run: Option<u32>,
    ) -> Result<Self, ApiError> {
        let run = match run {
            None => service.database.experiment_numbered(task, number).await?.run,
            Some(run) => record(service, task, run, number).await?.run,
        };
        Ok(Self::Experiment { task, run, number })
    }

    /// Where its log is.
    pub(super) fn path(&self, logs: &LogFiles) -> PathBuf {
        match *self {
            Self::Task(task) => logs.task(task),
            Self::Experiment { task, run, number } => logs.experiment(task, run, number),
        }
    }

    /// The same, once what is there is as new as what its writer has let others know.
    pub(super) async fn fetched(&self, service: &Service) -> PathBuf {
        let path = self.path(&service.logs);
        let (Self::Task(task) | Self::Experiment { task, .. }) = *self;
        service.fetch_log(task, &path).await;
        path
    }

    /// What is said where there is no log.
    pub(super) fn no_log(&self) -> &'static str {
        match self {
            Self::Task(_) => "No logs available yet.",
            Self::Experiment { .. } => "No logs available yet for this experiment.",
        }
    }

    /// Whether its end is on record, so that nobody writes to the log. What cannot be known for
    /// the moment goes on.
    pub(super) async fn is_over(&self, service: &Service) -> bool {
        let is_over = match *self {
            Self::Task(task) => {
                let found = service.database.task(task).await;
                found.map(|task| task.summary.status.is_ended())
            }
            Self::Experiment { task, run, number } => {
                let found = record(service, task, run, number).await;
                found.map(|record| record.experiment.status.is_ended())
            }
        };
        is_over.unwrap_or_else(|error| {
            matches!(
                error,
                StoreError::NoSuchTask(_)
                    | StoreError::NoSuchRun { .. }
                    | StoreError::NoSuchExperiment { .. }
            )
        })
    }
}

async fn record(
    service: &Service,
    task: TaskId,
    run: u32,
    number: ExperimentNumber,
) -> Result<ExperimentRecord, StoreError> {
    let missing = StoreError::NoSuchExperiment { task, number };
    // Numbers count from 1 without a gap.
    let Some(skip) = u64::from(number.0).checked_sub(1) else {
        return Err(missing);
    };
    let page = Page { skip, limit: 1 };
    let mut found = service.database.experiments_of(task, Some(run), page).await?;
    found.rows.pop().ok_or(missing)
}
