//! Waits until an engine is ready: it answers, it ends, or time runs out.
//!
//! One loop for every target. Two things are watched at once, each at its own pace: how the
//! engine is, and what its address answers. So an engine that ends is noticed while a
//! question to its address still hangs, and an answer counts only while the engine runs and
//! the socket that answers is not known to be a stranger's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use autotuner_core::engine::LaunchPlan;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::whole_story;
use crate::{DeployError, Deployer, Deployment, DeploymentStatus, Exit, Listener, http};

/// How many last lines of output a failure carries.
const TAIL_LINES: usize = 100;

/// First and longest pause between two questions of one kind.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The longest pause between two looks at how the engine is: an end must be seen soon.
const LONGEST_STATUS_PAUSE: Duration = Duration::from_millis(200);

/// What makes an engine ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyCheck {
    /// Paths of which one must answer 2xx. With none, accepting a connection is enough.
    pub paths: Vec<String>,
    /// How long one question may take.
    pub question_timeout: Duration,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// The engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// How long it took from the call.
    pub took: Duration,
}

/// Why an engine is not ready, and never will be or not in time.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It ended.
    #[error("the engine ended before it was ready: {exit}")]
    Exited {
        /// How.
        exit: Exit,
        /// Its last lines, oldest first.
        log_tail: Vec<String>,
    },
    /// It runs and does not answer.
    #[error("the engine was not ready after {} s: {last_answer}", waited.as_secs())]
    Deadline {
        /// How long was waited.
        waited: Duration,
        /// What came of the last question.
        last_answer: String,
        /// Its last lines, oldest first.
        log_tail: Vec<String>,
    },
    /// Waiting was given up.
    #[error("waiting for the engine was cancelled")]
    Cancelled,
    /// The target does not know it any more.
    #[error("the engine disappeared before it was ready")]
    Gone {
        /// Its last lines, oldest first, where they are left.
        log_tail: Vec<String>,
    },
    /// The target could not be asked.
    #[error("could not ask how the engine is")]
    Target(#[source] DeployError),
}

impl ReadyCheck {
    /// What the plan asks for.
    pub fn of(plan: &LaunchPlan) -> Self {
        Self {
            paths: plan.ready_paths.clone(),
            question_timeout: Duration::from_secs(2),
            timeout: plan.start_timeout,
        }
    }
}

/// Waits until the engine is ready. It is left as it is whatever comes of it: the caller
/// stops it.
///
/// # Errors
/// Each way of not being ready is one of [`NotReady`].
pub async fn wait_until_ready(
    deployer: &dyn Deployer,
    deployment: &Deployment,
    check: &ReadyCheck,
    cancel: &CancellationToken,
) -> Result<Ready, NotReady> {
    let begun = Instant::now();
    let last_answer = Mutex::new("nothing was asked yet".to_owned());
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(NotReady::Cancelled),
        end = until_ended(deployer, deployment) => Err(end),
        answered = until_answered(deployer, deployment, check, &last_answer) => {
            answered?;
            Ok(Ready { took: begun.elapsed() })
        }
        () = sleep_until(begun + check.timeout) => {
            let last_answer = last_answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Err(NotReady::Deadline {
                waited: begun.elapsed(),
                last_answer,
                log_tail: log_tail(deployer, deployment).await,
            })
        }
    }
}

/// Waits for the engine to end.
async fn until_ended(deployer: &dyn Deployer, deployment: &Deployment) -> NotReady {
    let mut pause = PAUSE.0;
    loop {
        if let Some(end) = ended(deployer, deployment).await {
            return end;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_STATUS_PAUSE);
    }
}

async fn ended(deployer: &dyn Deployer, deployment: &Deployment) -> Option<NotReady> {
    match deployer.status(deployment).await {
        Ok(DeploymentStatus::Running) => None,
        Ok(DeploymentStatus::Exited(exit)) => Some(NotReady::Exited {
            exit,
            log_tail: log_tail(deployer, deployment).await,
        }),
        Ok(DeploymentStatus::Gone) => Some(NotReady::Gone {
            log_tail: log_tail(deployer, deployment).await,
        }),
        Err(error) => Some(NotReady::Target(error)),
    }
}

/// Asks until there is an answer that counts.
async fn until_answered(
    deployer: &dyn Deployer,
    deployment: &Deployment,
    check: &ReadyCheck,
    last_answer: &Mutex<String>,
) -> Result<(), NotReady> {
    let mut pause = PAUSE.0;
    loop {
        let answer = match ask_all(&deployment.base_url, check).await {
            Err(answer) => answer,
            Ok(()) => match deployer.listener(deployment).await.map_err(NotReady::Target)? {
                Listener::Ours | Listener::Unknown => {
                    // The answer may be the last word of an engine that has ended since.
                    return ended(deployer, deployment).await.map_or(Ok(()), Err);
                }
                Listener::Foreign => "another program answers on the engine's port".to_owned(),
                Listener::Nobody => "whoever answered on the engine's port is gone".to_owned(),
            },
        };
        *last_answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Asks every path in turn. Without a 2xx, what became of it in words.
async fn ask_all(base_url: &str, check: &ReadyCheck) -> Result<(), String> {
    let too_long = || format!("no answer within {} ms", check.question_timeout.as_millis());
    if check.paths.is_empty() {
        let accepted = timeout(check.question_timeout, http::accepts(base_url)).await;
        return accepted
            .map_err(|_| too_long())?
            .map_err(|error| whole_story(&error));
    }
    let mut answers = Vec::new();
    for path in &check.paths {
        let answer = match timeout(check.question_timeout, http::get_status(base_url, path)).await {
            Ok(Ok(status)) if status.is_success() => return Ok(()),
            Ok(Ok(status)) => format!("status {}", status.as_u16()),
            Ok(Err(error)) => whole_story(&error),
            Err(_) => too_long(),
        };
        answers.push(format!("{path}: {answer}"));
    }
    Err(answers.join("; "))
}

/// The last lines of output, as far as they can be read: they are an extra here.
async fn log_tail(deployer: &dyn Deployer, deployment: &Deployment) -> Vec<String> {
    match deployer.logs(deployment, TAIL_LINES).await {
        Ok(lines) => lines,
        Err(error) => {
            tracing::warn!(deployment.id = deployment.id, %error, "could not read an engine's last lines");
            Vec::new()
        }
    }
}
