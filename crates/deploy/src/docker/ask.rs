//! Asks an image's program a short question and takes down what it says: its version, its help.
//!
//! The idea: a question is one future from before its container exists until it is gone, and is
//! to be run as a task of its own, which goes on when nobody waits for the answer any more. The
//! container sees no network, no GPU and none of this machine's files, and it carries the
//! owner's labels in case the whole program dies. How much of the answer is kept is bounded.

use std::collections::HashMap;
use std::time::Duration;

use autotuner_core::engine::{LaunchPlan, Program};
use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    CreateContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder, WaitContainerOptions,
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::whole_story;

/// Most that is kept of what a program prints; the longest help we know has a third of it.
const MOST_BYTES: usize = 1024 * 1024;

/// Most that the daemon keeps of it on disk meanwhile, should it never stop printing. Then
/// what is told is not the beginning.
const MOST_STORED: &str = "64m";

/// How long reading the answer of a program that has ended may take.
const READING: Duration = Duration::from_secs(30);

/// What the runtime that hands out GPUs reads, and what makes it hand out none.
const GPUS_VARIABLE: &str = "NVIDIA_VISIBLE_DEVICES";
const NO_GPUS: &str = "void";

/// How often a container's removal is tried, and how long between two tries.
const REMOVALS: u32 = 5;
const REMOVAL_PAUSE: Duration = Duration::from_secs(1);

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What the program said.
    pub(crate) said: Option<String>,
    /// Whether there is no container for it any more. Where the daemon did not answer, nobody
    /// knows.
    pub(crate) is_gone: bool,
}

/// Everything that the image's program prints when it is run with these arguments, both
/// streams as the daemon orders them; `None` when it prints nothing, could not be run, took
/// longer than `patience`, or was cancelled. When this returns the container is gone, or has
/// withstood every attempt to remove it. Not to be dropped midway: cancelled, it soon ends.
///
/// The program is the first word of the plan's entrypoint, or the image's own entrypoint. The
/// image must be here already.
pub(crate) async fn ask(
    docker: &Docker,
    plan: &LaunchPlan,
    arguments: &[&str],
    patience: Duration,
    cancel: &CancellationToken,
    labels: HashMap<String, String>,
) -> Asked {
    let Some(body) = body(plan, arguments, labels) else {
        return Asked {
            said: None,
            is_gone: true,
        };
    };
    let question = Question {
        docker: docker.clone(),
        enough: cancel.clone(),
        patience,
    };
    question.run(body).await
}

struct Question {
    docker: Docker,
    enough: CancellationToken,
    patience: Duration,
}

impl Question {
    async fn run(self, body: ContainerCreateBody) -> Asked {
        // Not cut short: a request that was sent and not waited for may still make a container.
        let created = self
            .docker
            .create_container(None::<CreateContainerOptions>, body)
            .await;
        let was_refused = matches!(&created, Err(Error::DockerResponseServerError { .. }));
        let Some(created) = told("create", created) else {
            return Asked {
                said: None,
                is_gone: was_refused,
            };
        };
        let id = created.id;
        let answer = tokio::select! {
            biased;
            () = self.enough.cancelled() => None,
            answer = timeout(self.patience, self.answer(&id)) => told("ask", answer.unwrap_or(Err(Error::RequestTimeoutError))),
        };
        let is_gone = self.remove(&id).await;
        let answer = answer.filter(|answer| !answer.is_empty());
        Asked {
            said: answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()),
            is_gone,
        }
    }

    async fn answer(&self, id: &str) -> Result<Vec<u8>, Error> {
        self.docker.start_container(id, None).await?;
        let ended = self
            .docker
            .wait_container(id, None::<WaitContainerOptions>)
            .next()
            .await;
        match ended {
            // An exit code says nothing about an answer.
            None | Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => {}
            Some(Err(error)) => return Err(error),
        }
        // Read when it has ended: what is read while it runs may end too early.
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
        let mut outputs = self.docker.logs(id, Some(options));
        let mut said = Vec::new();
        let reading = async {
            while let Some(output) = outputs.try_next().await? {
                let text = LogOutput::into_bytes(output);
                let room = MOST_BYTES - said.len();
                said.extend_from_slice(&text[..text.len().min(room)]);
                if said.len() == MOST_BYTES {
                    break;
                }
            }
            Ok(())
        };
        timeout(READING, reading)
            .await
            .unwrap_or(Err(Error::RequestTimeoutError))?;
        Ok(said)
    }

    async fn remove(&self, id: &str) -> bool {
        let options = || {
            RemoveContainerOptionsBuilder::default()
                .force(true)
                .v(true)
                .build()
        };
        for _ in 0..REMOVALS {
            match self.docker.remove_container(id, Some(options())).await {
                Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => return true,
                // Somebody else is at it: it is gone when the daemon says 404.
                Err(error) => {
                    tracing::debug!(
                        container = id,
                        error = whole_story(&error),
                        "a container is not removed yet"
                    );
                }
            }
            sleep(REMOVAL_PAUSE).await;
        }
        tracing::warn!(
            container = id,
            "a container that was asked something could not be removed"
        );
        false
    }
}

fn body(
    plan: &LaunchPlan,
    arguments: &[&str],
    labels: HashMap<String, String>,
) -> Option<ContainerCreateBody> {
    let Program::Image {
        reference,
        entrypoint,
    } = &plan.program
    else {
        return None;
    };
    let program = entrypoint.as_ref().and_then(|words| words.first());
    let mut variables = plan.env.clone();
    // Where GPUs are handed out by default, an image can ask for all of them by itself.
    variables.insert(GPUS_VARIABLE.to_owned(), NO_GPUS.to_owned());
    let env = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let logs = HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::from([("max-size".to_owned(), MOST_STORED.to_owned())])),
    };
    Some(ContainerCreateBody {
        image: Some(reference.clone()),
        entrypoint: program.map(|program| vec![program.clone()]),
        cmd: Some(arguments.iter().map(|&word| word.to_owned()).collect()),
        env: Some(env),
        labels: Some(labels),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            log_config: Some(logs),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    })
}

fn told<T>(action: &'static str, result: Result<T, Error>) -> Option<T> {
    result
        .inspect_err(|error| {
            tracing::debug!(action, error = whole_story(error), "an image could not be asked");
        })
        .ok()
}
