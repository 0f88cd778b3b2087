//! An engine behind an agent: what the agent says, as what a worker would see itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::LaunchPlan;
use autotuner_core::experiment::ImageFacts;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::LevelRecords;
use autotuner_deploy::kubernetes::attend::{JobRun, News, Placed};
use autotuner_deploy::kubernetes::{Cluster, Ending};
use autotuner_deploy::{DeployError, Label, tail};
use autotuner_load::{Observer, Progress, Recording, Verdict};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::agent::said::{Said, failure};
use crate::worker::explain::not_deployed;
use crate::worker::teardown::ended;
use crate::worker::{Event, Worker, chain};

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

/// What is heard of a Job, and how far.
struct Hearing {
    run: JobRun,
    log: Option<File>,
    log_file: PathBuf,
    /// Whether the pod is over, and all of its log was heard.
    is_over: bool,
    /// Whether the agent has said what came of it.
    is_said: bool,
    /// Whether the agent was told to end, and not by us: the cluster takes its pod away.
    is_taken_away: bool,
    placed: Option<Placed>,
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
            hearing: Mutex::new(Hearing {
                run,
                log: None,
                log_file: label.log_file.clone(),
                is_over: false,
                is_said: false,
                is_taken_away: false,
                placed: None,
            }),
        }
    }

    /// Waits until the engine was started.
    pub(super) async fn launched(mut self, worker: &Worker) -> Result<Self, (Self, Failure)> {
        let said = self.hearing.get_mut().next(worker, self.number).await;
        let unexpected = |said: &Said| out_of_turn("before the engine was started", said);
        match said {
            Ok(Said::Launched { command }) => {
                self.command = command;
                let placed = self.hearing.get_mut().placed.clone();
                self.image = placed.and_then(|placed| placed.image).map(|id| ImageFacts {
                    reference: self.reference.clone(),
                    digest: id.contains('@').then(|| id.clone()),
                    id,
                });
                Ok(self)
            }
            Ok(said) => {
                let failure = unexpected(&said);
                Err((self, failure))
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
        let path = self.log_file.clone();
        let reading = tokio::task::spawn_blocking(move || tail(&path, lines));
        match reading.await {
            Ok(Ok(lines)) => Ok(lines),
            // It never came to print anything.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Ok(Err(source)) => Err(DeployError::File {
                action: "read",
                path: self.log_file.clone(),
                source,
            }),
            Err(_) => Err(DeployError::ShuttingDown),
        }
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

impl Hearing {
    /// What the agent says next that is worth deciding on.
    async fn next(&mut self, worker: &Worker, number: ExperimentNumber) -> Result<Said, Failure> {
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
    async fn drain(&mut self, worker: &Worker, number: ExperimentNumber) {
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

    async fn close(&mut self) {
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
