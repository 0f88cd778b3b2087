//! A row of the experiments, with what belongs to it.

use autotuner_core::experiment::{Experiment, Measured};
use autotuner_core::failure::Failure;
use autotuner_core::ids::{ExperimentId, ExperimentNumber, TaskId};
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::score::Score;
use autotuner_core::search::Role;
use serde::{Deserialize, Serialize};

use super::metrics::Unscored;
use super::numbers::Real;
use super::{Kept, Strange, from_text, small, to_text};
use crate::StoreError;
use crate::records::{ExperimentRecord, ForeignResult};

/// What [`ExperimentRow`] is read from: `e` the experiments, `r` the results, `t` the tasks.
macro_rules! experiment_columns {
    () => {
        "e.id, e.task, t.name AS task_name, e.run, e.number, e.role, e.attempt, e.status, e.candidate, e.reason, \
         e.started_at_ms, e.ended_at_ms, r.launch, r.score, r.measured, r.failure, r.foreign_result"
    };
}
pub(crate) use experiment_columns;

/// An experiment as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ExperimentRow {
    pub(crate) id: i64,
    task: i64,
    task_name: String,
    run: i64,
    number: i64,
    role: String,
    attempt: i64,
    status: String,
    candidate: String,
    reason: String,
    started_at_ms: i64,
    ended_at_ms: Option<i64>,
    launch: Option<String>,
    score: Option<String>,
    measured: Option<String>,
    failure: Option<String>,
    foreign_result: Option<String>,
}

impl ExperimentRow {
    /// What it says.
    pub(crate) fn record(self) -> Result<ExperimentRecord, StoreError> {
        let Self {
            id,
            task,
            task_name,
            run,
            number,
            role,
            attempt,
            status,
            candidate,
            reason,
            started_at_ms,
            ended_at_ms,
            launch,
            score,
            measured,
            failure,
            foreign_result,
        } = self;
        let what = || format!("experiment {id}");
        let told = |strange: Strange| strange.of(what());
        let foreign: Option<ForeignResult> = foreign_result.map(|text| from_text(&text, what)).transpose()?;
        let stored = StoredResult {
            score,
            measured,
            failure,
            kind: None,
        };
        let experiment = Experiment {
            number: ExperimentNumber(small(number, "number of an experiment").map_err(told)?),
            role: Role::recall(role).map_err(told)?,
            candidate: from_text(&candidate, what)?,
            reason,
            attempt: small(attempt, "number of an attempt").map_err(told)?,
            status: ExperimentStatus::recall(status).map_err(told)?,
            launch: launch.map(|text| from_text(&text, what)).transpose()?,
            result: stored.recall(what)?,
            started_at_ms,
            ended_at_ms,
        };
        if !agrees(&experiment, foreign.is_some()) {
            let reason = format!("it is {} without the result for it", experiment.status);
            return Err(Strange(reason).of(what()));
        }
        Ok(ExperimentRecord {
            id: ExperimentId(id),
            task: TaskId(task),
            task_name,
            run: small(run, "number of a run").map_err(told)?,
            experiment,
            foreign,
        })
    }
}

/// Whether the status and the result tell the same.
fn agrees(experiment: &Experiment, is_foreign: bool) -> bool {
    match (experiment.status, &experiment.result) {
        (ExperimentStatus::Success, Some(Ok(_))) | (ExperimentStatus::Failed, Some(Err(_))) => true,
        (status, None) => status.is_ended() == is_foreign,
        _ => false,
    }
}

/// What came of an experiment, as it is stored.
#[derive(Debug, Default)]
pub(crate) struct StoredResult {
    /// The score of a success.
    pub(crate) score: Option<String>,
    /// All else of a success, or what was measured until it was given up.
    pub(crate) measured: Option<String>,
    /// A failure.
    pub(crate) failure: Option<String>,
    /// The word of its kind, by which lists are filtered.
    pub(crate) kind: Option<String>,
}

impl StoredResult {
    /// To be stored.
    pub(crate) fn keep(result: &Result<Measured, Failure>) -> Self {
        match result {
            Ok(Measured {
                metrics,
                score,
                remarks,
                gpu_use,
                fingerprints,
            }) => Self {
                score: Some(to_text(score)),
                measured: Some(to_text(&Unscored {
                    metrics: metrics.clone(),
                    remarks: remarks.clone(),
                    gpu_use: gpu_use.clone(),
                    fingerprints: fingerprints.clone(),
                })),
                failure: None,
                kind: None,
            },
            Err(failure) => Self {
                score: None,
                measured: failure.partial.as_deref().map(|metrics| {
                    to_text(&Unscored {
                        metrics: metrics.clone(),
                        remarks: Vec::new(),
                        gpu_use: Vec::new(),
                        fingerprints: Vec::new(),
                    })
                }),
                failure: Some(to_text(failure)),
                kind: Some(failure.kind.keep()),
            },
        }
    }

    fn recall(self, what: impl Fn() -> String) -> Result<Option<Result<Measured, Failure>>, StoreError> {
        match (self.score, self.measured, self.failure) {
            (None, None, None) => Ok(None),
            (None, measured, Some(failure)) => {
                let measured: Option<Unscored> = measured.map(|text| from_text(&text, &what)).transpose()?;
                Ok(Some(Err(Failure {
                    partial: measured.map(|unscored| Box::new(unscored.metrics)),
                    ..from_text(&failure, what)?
                })))
            }
            (Some(score), Some(measured), None) => {
                let score: Score = from_text(&score, &what)?;
                let Unscored {
                    metrics,
                    remarks,
                    gpu_use,
                    fingerprints,
                } = from_text(&measured, &what)?;
                Ok(Some(Ok(Measured {
                    metrics,
                    score,
                    remarks,
                    gpu_use,
                    fingerprints,
                })))
            }
            _ => Err(Strange("half a result, or two".into()).of(what())),
        }
    }
}

/// Its shape in JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForeignRow {
    metrics: Option<serde_json::Value>,
    objective_score: Option<Real>,
    error_message: Option<String>,
    elapsed_seconds: Option<Real>,
}

impl Kept for ForeignResult {
    type Row = ForeignRow;
    fn keep(&self) -> ForeignRow {
        let Self {
            metrics,
            objective_score,
            error_message,
            elapsed_seconds,
        } = self;
        ForeignRow {
            metrics: metrics.clone(),
            objective_score: objective_score.keep(),
            error_message: error_message.clone(),
            elapsed_seconds: elapsed_seconds.keep(),
        }
    }
    fn recall(row: ForeignRow) -> Result<Self, Strange> {
        let ForeignRow {
            metrics,
            objective_score,
            error_message,
            elapsed_seconds,
        } = row;
        Ok(Self {
            metrics,
            objective_score: Option::recall(objective_score)?,
            error_message,
            elapsed_seconds: Option::recall(elapsed_seconds)?,
        })
    }
}
