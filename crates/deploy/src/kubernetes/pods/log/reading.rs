//! One reading of a pod's log: a stream of the cluster's, as lines.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt as _};
use jiff::Timestamp;
use kube::api::LogParams;
use tokio::time::timeout;

use super::decode::Decoder;
use crate::containers::Line;
use crate::error::whole_story;
use crate::kubernetes::Reach;
use crate::kubernetes::error::cluster_at;
use crate::kubernetes::manifest::ENGINE;
use crate::kubernetes::pods::{Pod, PodError};

/// Longest wait for a log to be opened: less than a client is left without a sign of life.
const OPENING: Duration = Duration::from_secs(10);

/// Longest wait for more of a log that is there.
const MORE: Duration = Duration::from_secs(30);

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// What of a log is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    /// Whether to go on with what comes.
    pub(super) is_following: bool,
    /// Only so many of the last lines, an agent's messages among them.
    pub(super) raw_lines: Option<usize>,
    /// Only what came in this second or later.
    pub(super) since: Option<Timestamp>,
}

/// A reading under way.
pub(super) struct Reading {
    stream: Pin<Box<dyn AsyncRead + Send>>,
    chunk: Vec<u8>,
    decoder: Decoder,
    server: String,
}

/// What a reading brings.
#[derive(Debug)]
pub(super) enum Brought {
    /// Lines, perhaps none.
    Lines(Vec<Line>),
    /// That was all.
    End,
}

impl Reading {
    /// Begins one; `None` where the engine's container has not been started, so that there is no
    /// log.
    ///
    /// # Errors
    /// [`PodError`].
    pub(super) async fn open(reach: &Reach, pod: &Pod, range: Range) -> Result<Option<Self>, PodError> {
        let parameters = LogParams {
            container: Some(pod.container.clone()),
            follow: range.is_following,
            timestamps: true,
            since_time: range.since.and_then(whole_second),
            tail_lines: range
                .raw_lines
                .map(|lines| i64::try_from(lines).unwrap_or(i64::MAX)),
            ..LogParams::default()
        };
        let pods = reach.pods();
        let opened = match timeout(OPENING, pods.log_stream(&pod.name, &parameters)).await {
            Ok(opened) => opened,
            Err(_) => return Err(silent(reach.server(), OPENING)),
        };
        match opened {
            Ok(stream) => Ok(Some(Self {
                stream: Box::pin(stream),
                chunk: vec![0; CHUNK],
                decoder: Decoder::of(pod.container == ENGINE),
                server: reach.server().to_owned(),
            })),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(PodError::NotFound {
                name: pod.name.clone(),
            }),
            // "container "engine" in pod … is waiting to start: PodInitializing", and before a node
            // has taken it "pod … does not have a host assigned".
            Err(kube::Error::Api(status)) if status.code == 400 => Ok(None),
            Err(error) => {
                Err(crate::kubernetes::error::refused("read a pod's log", reach.server(), error).into())
            }
        }
    }

    /// What comes next, waited for. May be dropped while it waits.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) async fn wait(&mut self) -> Result<Brought, PodError> {
        match self.stream.read(&mut self.chunk).await {
            Ok(0) => Ok(Brought::End),
            Ok(count) => Ok(Brought::Lines(self.decoder.feed(&self.chunk[..count]))),
            Err(error) => Err(PodError::Unreachable {
                reason: format!(
                    "{} broke off a log: {}",
                    cluster_at(&self.server),
                    whole_story(&error)
                ),
            }),
        }
    }

    /// The same of a log that is there and has to come.
    ///
    /// # Errors
    /// The connection broke, or is silent.
    pub(super) async fn next(&mut self) -> Result<Brought, PodError> {
        match timeout(MORE, self.wait()).await {
            Ok(brought) => brought,
            Err(_) => Err(silent(&self.server, MORE)),
        }
    }

    /// Lines that have no end, after which nothing comes.
    pub(super) fn finish(&mut self) -> Vec<Line> {
        self.decoder.finish()
    }

    /// How many lines of the log came, an agent's messages among them.
    pub(super) fn raw_lines(&self) -> usize {
        self.decoder.raw_lines()
    }
}

/// The second that a time is in, which is all that a cluster is asked for.
fn whole_second(at: Timestamp) -> Option<k8s_openapi::jiff::Timestamp> {
    k8s_openapi::jiff::Timestamp::from_second(at.as_second().max(0)).ok()
}

fn silent(server: &str, patience: Duration) -> PodError {
    PodError::Unreachable {
        reason: format!(
            "{} has not answered within {} s",
            cluster_at(server),
            patience.as_secs()
        ),
    }
}
