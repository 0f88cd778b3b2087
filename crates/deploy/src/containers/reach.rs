//! The way to the daemon: found when it is first needed, and kept.
//!
//! The idea: a server is started before its daemon as often as after it, so nothing is asked
//! before somebody wants to know something, and what failed once is tried again the next time.
//! Who waits for a daemon that hangs waits for one attempt, together with everybody else.

use std::time::Duration;

use bollard::errors::Error as ClientError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ContainerError;
use crate::docker::{Daemon, LOOK};

/// The way to one daemon.
pub(super) struct Reach {
    host: Option<String>,
    secrets: Vec<String>,
    daemon: Mutex<Kept>,
}

/// What came of the last attempt.
#[derive(Default)]
enum Kept {
    #[default]
    Nothing,
    Daemon(Daemon),
    /// It failed, then.
    Failure(Instant, ContainerError),
}

impl Reach {
    pub(super) fn new(host: Option<String>, secrets: Vec<String>) -> Self {
        Self {
            host,
            secrets,
            daemon: Mutex::default(),
        }
    }

    /// The daemon, which has answered once.
    ///
    /// # Errors
    /// [`ContainerError::Unreachable`].
    pub(super) async fn daemon(&self) -> Result<Daemon, ContainerError> {
        let asked_at = Instant::now();
        let mut kept = self.daemon.lock().await;
        match &*kept {
            Kept::Daemon(daemon) => return Ok(daemon.clone()),
            // The attempt that was waited for.
            Kept::Failure(at, error) if *at >= asked_at => return Err(error.clone()),
            Kept::Nothing | Kept::Failure(..) => {}
        }
        match Daemon::connect_anywhere(self.host.as_deref()).await {
            Ok(daemon) => {
                let daemon = daemon.keeping_secret(self.secrets.iter().cloned());
                *kept = Kept::Daemon(daemon.clone());
                Ok(daemon)
            }
            Err(error) => {
                let error = ContainerError::gone(&error);
                *kept = Kept::Failure(Instant::now(), error.clone());
                Err(error)
            }
        }
    }

    /// A text without any of the values that must not be told.
    pub(super) fn redact(&self, text: &str) -> String {
        // Short values are no secrets, and blanking them out would garble texts.
        let secrets = self.secrets.iter().filter(|secret| secret.len() >= 6);
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "***")
        })
    }

    /// Forgets what was agreed on with the daemon: another one may answer there by now, which
    /// speaks another version.
    pub(super) async fn forget(&self) {
        let mut kept = self.daemon.lock().await;
        if matches!(*kept, Kept::Daemon(_)) {
            *kept = Kept::Nothing;
        }
    }

    /// Waits for an answer that is there at once, and reads it.
    pub(super) async fn look<T>(
        &self,
        daemon: &Daemon,
        name: &str,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ContainerError> {
        self.call(daemon, name, LOOK, call).await
    }

    /// Waits for an answer, and reads it: a refusal concerns what is called `name`.
    pub(super) async fn call<T>(
        &self,
        daemon: &Daemon,
        name: &str,
        deadline: Duration,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ContainerError> {
        let answer = match tokio::time::timeout(deadline, call).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::RequestTimeoutError),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let failed = ContainerError::of_client(name, &error, daemon.address());
                if is_of_version(&error) {
                    self.forget().await;
                }
                Err(failed.redacted(daemon))
            }
        }
    }
}

fn is_of_version(error: &ClientError) -> bool {
    matches!(error, ClientError::DockerResponseServerError { status_code: 400, message } if message.contains("client version"))
}

impl ContainerError {
    /// The same without any secret that the daemon repeats.
    fn redacted(self, daemon: &Daemon) -> Self {
        match self {
            Self::Conflict { message } => Self::Conflict {
                message: daemon.redact(&message),
            },
            Self::Invalid { message } => Self::Invalid {
                message: daemon.redact(&message),
            },
            Self::Refused { status, message } => Self::Refused {
                status,
                message: daemon.redact(&message),
            },
            other => other,
        }
    }
}
