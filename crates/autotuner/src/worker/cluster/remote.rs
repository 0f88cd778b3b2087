//! An engine behind an agent: what the agent says, as what a worker would see itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::ImageFacts;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::LevelRecords;
use autotuner_deploy::kubernetes::Cluster;
use autotuner_deploy::kubernetes::attend::JobRun;
use autotuner_deploy::{DeployError, Label, tail};
use autotuner_load::{Observer, Progress, Recording, Verdict};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::hearing::Hearing;
use crate::agent::said::Said;
use crate::worker::teardown::ended;
use crate::worker::{Worker, chain};

/// How much longer than its own deadlines an agent may take to say what came of them: its engine
/// has to be stopped first.
const LAG: Duration = Duration::from_secs(60);

/// How long an agent that has said what came of it may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long after its Job's removal what it has still said is waited for.
const ECHO: Duration = Duration::from_secs(2);

/// An engine in a cluster.
pub(in crate::worker) struct Remote {
    pub(in crate::worker) number: ExperimentNumber,
    /// The Job.
    pub(in crate::worker) name: String,
    /// What was started.
    pub(in crate::worker) command: Vec<String>,
    pub(in crate::worker) image: Option<ImageFacts>,
    cluster: Arc<Cluster>,
    log_file: PathBuf,
    reference: String,
    hearing: Mutex<Hearing>,
}

impl Remote {
    pub(super) fn hear(
        cluster: Arc<Cluster>,
        number: ExperimentNumber,
        run: JobRun,
        label: &Label,
        reference: String,
    ) -> Self {
        Self {
            number,
            name: run.name().to_owned(),
            command: Vec::new(),
            image: None,
            cluster,
            log_file: label.log_file.clone(),
            reference,
            hearing: Mutex::new(Hearing::new(run, label.log_file.clone())),
        }
    }

    /// Waits until the agent is ready to do what it is told; what it has started.
    pub(super) async fn until_launched(&self, worker: &Worker) -> Result<Vec<String>, Failure> {
        match self.hearing.lock().await.next(worker, self.number).await? {
            Said::Launched { command } => Ok(command),
            said => Err(out_of_turn("before the engine was started", &said)),
        }
    }

    /// Waits until the engine was started.
    pub(super) async fn launched(mut self, worker: &Worker) -> Result<Self, (Self, Failure)> {
        match self.until_launched(worker).await {
            Ok(command) => {
                self.command = command;
                let placed = self.hearing.get_mut().placed.clone();
                self.image = placed.and_then(|placed| placed.image).map(|id| ImageFacts {
                    reference: self.reference.clone(),
                    digest: id.contains('@').then(|| id.clone()),
                    id,
                });
                Ok(self)
            }
            Err(failure) => Err((self, failure)),
        }
    }

    /// Removes what never came to run; the failure that it was, or the one that it still is there.
    pub(super) async fn give_up(self, worker: &Arc<Worker>, failure: Failure) -> Failure {
        let mut failure = failure;
        failure.log_tail = self.tail(100).await.unwrap_or_default();
        let removing = ended(&self.name, &worker.stop.tokens, worker.stop_grace, |grace| {
            self.end(worker, grace)
        });
        if let Err(error) = removing.await {
            worker.warn(&format!("[Experiment {}] {}", self.number, chain(&error)));
        }
        failure
    }

    /// Waits until the engine answers.
    pub(in crate::worker) async fn ready(
        &self,
        worker: &Worker,
        plan: &LaunchPlan,
    ) -> Result<Duration, Failure> {
        let limit = plan.start_timeout + LAG;
        let mut hearing = self.hearing.lock().await;
        match timeout(limit, hearing.next(worker, self.number)).await {
            Ok(Ok(Said::Ready { after_ms })) => Ok(Duration::from_millis(after_ms)),
            Ok(Ok(said)) => Err(out_of_turn("before the engine was ready", &said)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(silent("whether the engine is ready", limit)),
        }
    }

    /// Hears how the engine is loaded. Whether it is worth finishing is asked here.
    pub(in crate::worker) async fn load(
        &self,
        worker: &Worker,
        observer: &mut dyn Observer,
    ) -> Result<Recording, Failure> {
        let limit = worker.task.search.timeout_per_iteration + LAG;
        let mut hearing = self.hearing.lock().await;
        let loading = async {
            let mut recording = Recording {
                levels: Vec::new(),
                notes: Vec::new(),
                fingerprints: Vec::new(),
                clock_zero_ns: 0,
            };
            loop {
                match hearing.next(worker, self.number).await? {
                    Said::Progress(said) => observer.progress(&Progress::from(said)),
                    Said::Level(said) => {
                        let level = LevelRecords::from(*said);
                        let verdict = observer.level_done(&level).await;
                        recording.levels.push(level);
                        if verdict == Verdict::Stop {
                            return Ok(recording);
                        }
                    }
                    Said::Measured {
                        notes,
                        fingerprints,
                        clock_zero_ns,
                    } => {
                        return Ok(Recording {
                            notes,
                            fingerprints,
                            clock_zero_ns,
                            ..recording
                        });
                    }
                    said => return Err(out_of_turn("while the engine was loaded", &said)),
                }
            }
        };
        let loaded = timeout(limit, loading).await;
        loaded.unwrap_or_else(|_| Err(silent("what was measured", limit)))
    }

    /// The last lines of the engine's output.
    pub(in crate::worker) async fn tail(&self, lines: usize) -> Result<Vec<String>, DeployError> {
        last_lines(self.log_file.clone(), lines).await
    }

    /// Removes the Job, once its agent has said all that it has to say.
    pub(in crate::worker) async fn end(&self, worker: &Worker, grace: Duration) -> Result<(), DeployError> {
        let mut hearing = self.hearing.lock().await;
        if !grace.is_zero() && hearing.is_said {
            drop(timeout(FAREWELL, hearing.drain(worker, self.number)).await);
        }
        let removing = self.cluster.remove(&self.name, grace);
        tokio::pin!(removing);
        let removed = tokio::select! {
            removed = &mut removing => removed,
            // Its last words are heard meanwhile, or its pipe would be full of them.
            () = async { hearing.drain(worker, self.number).await; std::future::pending().await } => {
                Ok(())
            }
        };
        drop(timeout(ECHO, hearing.drain(worker, self.number)).await);
        hearing.close().await;
        removed
    }
}

/// The last lines of an engine's log file, which there is none of while it has printed nothing.
///
/// # Errors
/// It cannot be read.
pub(super) async fn last_lines(path: PathBuf, lines: usize) -> Result<Vec<String>, DeployError> {
    let of = path.clone();
    let reading = tokio::task::spawn_blocking(move || tail(&of, lines));
    match reading.await {
        Ok(Ok(lines)) => Ok(lines),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Ok(Err(source)) => Err(DeployError::File {
            action: "read",
            path,
            source,
        }),
        Err(_) => Err(DeployError::ShuttingDown),
    }
}

fn out_of_turn(when: &str, said: &Said) -> Failure {
    let word = serde_json::to_value(said).ok();
    let word = word.and_then(|said| match said {
        serde_json::Value::Object(said) => said.keys().next().cloned(),
        serde_json::Value::String(word) => Some(word),
        _ => None,
    });
    Failure::new(
        FailureKind::Infrastructure,
        format!("the agent in the pod says {} {when}", word.unwrap_or_default()),
    )
}

fn silent(of: &str, limit: Duration) -> Failure {
    Failure::new(
        FailureKind::Infrastructure,
        format!(
            "the agent in the pod did not say {of} within {} s",
            limit.as_secs_f64()
        ),
    )
}
