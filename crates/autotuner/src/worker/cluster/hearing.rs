//! What is heard of a Job: its waiting and its output are passed on, what its agent says is told.

use std::path::PathBuf;

use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_deploy::DeployError;
use autotuner_deploy::kubernetes::Ending;
use autotuner_deploy::kubernetes::attend::{JobRun, News, Placed};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use crate::agent::said::{Said, failure};
use crate::worker::explain::not_deployed;
use crate::worker::{Event, Worker};

/// What is heard of a Job, and how far.
pub(super) struct Hearing {
    run: JobRun,
    log: Option<File>,
    log_file: PathBuf,
    /// Whether the pod is over, and all of its log was heard.
    is_over: bool,
    /// Whether the agent has said what came of it.
    pub(super) is_said: bool,
    /// Whether the agent was told to end, and not by us: the cluster takes its pod away.
    is_taken_away: bool,
    pub(super) placed: Option<Placed>,
}

impl Hearing {
    /// Nothing was heard yet.
    pub(super) fn new(run: JobRun, log_file: PathBuf) -> Self {
        Self {
            run,
            log: None,
            log_file,
            is_over: false,
            is_said: false,
            is_taken_away: false,
            placed: None,
        }
    }

    /// What the agent says next that is worth deciding on.
    pub(super) async fn next(&mut self, worker: &Worker, number: ExperimentNumber) -> Result<Said, Failure> {
        loop {
            let news = tokio::select! {
                biased;
                () = worker.stop.tokens.soft.cancelled() => {
                    return Err(Failure::new(FailureKind::Cancelled, "cancelled"));
                }
                news = self.run.next() => news,
            };
            if let Some(said) = self.take(worker, number, news).await? {
                return Ok(said);
            }
        }
    }

    /// Hears all that is left to be heard.
    pub(super) async fn drain(&mut self, worker: &Worker, number: ExperimentNumber) {
        while !self.is_over {
            let news = self.run.next().await;
            drop(self.take(worker, number, news).await);
        }
    }

    async fn take(
        &mut self,
        worker: &Worker,
        number: ExperimentNumber,
        news: Option<News>,
    ) -> Result<Option<Said>, Failure> {
        match news {
            Some(News::Waiting(what)) => {
                worker
                    .logs
                    .line("INFO", &format!("[Experiment {number}] waiting: {what}"));
                let what = Some(what.as_str());
                worker.reporter.report(Event::Waiting { number, what });
                Ok(None)
            }
            Some(News::Running(placed)) => {
                let Placed { pod, node, .. } = &placed;
                worker.logs.line(
                    "INFO",
                    &format!("[Experiment {number}] runs in the pod {pod} on the node {node}"),
                );
                worker.reporter.report(Event::Waiting { number, what: None });
                self.placed = Some(placed);
                Ok(None)
            }
            Some(News::Output(bytes)) => {
                self.write(&bytes).await;
                Ok(None)
            }
            Some(News::Foreign(line)) => {
                worker
                    .logs
                    .line("INFO", &format!("[Experiment {number}] its pod: {line}"));
                Ok(None)
            }
            Some(News::Message(bytes)) => match Said::unpack(&bytes) {
                Some(said) => self.hear(said),
                None => Err(Failure::new(
                    FailureKind::Infrastructure,
                    "the agent in the pod says what is not understood here: its image is of another version",
                )),
            },
            Some(News::Ended(ending)) => {
                self.is_over = true;
                Err(lost(match ending {
                    Ending::Done if self.is_taken_away => {
                        Ending::Lost("its pod was told to end, and nobody here did".into())
                    }
                    ending => ending,
                }))
            }
            None => {
                self.is_over = true;
                Err(lost(Ending::Lost("it is heard no more".into())))
            }
        }
    }

    fn hear(&mut self, said: Said) -> Result<Option<Said>, Failure> {
        match said {
            Said::Hello { version } if version == env!("CARGO_PKG_VERSION") => Ok(None),
            Said::Hello { version } => Err(Failure {
                advice: Some("name the agent's image of this version in kubernetes_agent_image".into()),
                ..Failure::new(
                    FailureKind::Infrastructure,
                    format!(
                        "the agent's image is of version {version}, and this is {}",
                        env!("CARGO_PKG_VERSION")
                    ),
                )
            }),
            // Where it was our doing, nobody waits for the word of it any more. Why the cluster
            // did it is in the pod's last status.
            Said::Failed { kind, .. } if kind == FailureKind::Cancelled.as_str() => {
                self.is_taken_away = true;
                Ok(None)
            }
            Said::Over if self.is_taken_away => Ok(None),
            Said::Failed {
                kind,
                message,
                advice,
            } => {
                self.is_said = true;
                Err(failure(&kind, message, advice))
            }
            said => {
                self.is_said |= matches!(said, Said::Measured { .. } | Said::Over);
                Ok(Some(said))
            }
        }
    }

    /// Adds to the engine's log file. What cannot be written is lost, and the experiment goes on.
    async fn write(&mut self, bytes: &[u8]) {
        if self.log.is_none() {
            let mut how = OpenOptions::new();
            how.create(true).append(true);
            self.log = how.open(&self.log_file).await.ok();
        }
        if let Some(log) = &mut self.log
            && let Err(error) = log.write_all(bytes).await
        {
            tracing::warn!(%error, "cannot write to {}", self.log_file.display());
        }
    }

    pub(super) async fn close(&mut self) {
        if let Some(mut log) = self.log.take() {
            drop(log.flush().await);
        }
    }
}

/// The failure of an experiment whose pod has ended before its agent had said what came of it.
fn lost(ending: Ending) -> Failure {
    match ending {
        Ending::Done => Failure::new(
            FailureKind::Infrastructure,
            "the agent in the pod ended without a word of what came of it",
        ),
        Ending::OutOfMemory(what) => Failure::new(FailureKind::OutOfMemory, what),
        Ending::Lost(message) => not_deployed(&DeployError::Interrupted {
            target: "the experiment's Job".to_owned(),
            message,
        }),
    }
}
