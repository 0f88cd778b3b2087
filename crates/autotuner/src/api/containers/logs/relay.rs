//! Sends a container's or a pod's log as far as the client takes it.
//!
//! The client pulls: what comes next is asked for when there is room for it, so that a client that
//! does not read costs a place in the log and no memory.

use std::sync::Arc;
use std::time::Duration;

use autotuner_deploy::containers::{Chunk, ContainerError, Item, Life, Viewer};
use autotuner_deploy::kubernetes::pods::{PodError, PodViewer};
use axum::body::Bytes;
use futures_core::Stream;
use futures_util::stream;
use tokio::time::{sleep, timeout};

use super::frames::Form;
use crate::api::streaming::{HEARTBEAT, HEARTBEAT_FRAME, Hold};
use crate::service::Service;

/// How long after a failed reading the next is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it may take to see that a log that has ended has nothing new.
const LOOK: Duration = Duration::from_secs(10);

/// A log that somebody follows.
pub(in crate::api) trait Followed: Send + 'static {
    /// Why what comes next cannot be told.
    type Error: Clone + PartialEq + std::fmt::Display + Send;

    /// What comes next, waited for; `None` when nothing more will ever come. May be dropped while
    /// it waits.
    fn next(&mut self) -> impl Future<Output = Result<Option<Arc<Chunk>>, Self::Error>> + Send;
}

impl Followed for Viewer {
    type Error = ContainerError;

    fn next(&mut self) -> impl Future<Output = Result<Option<Arc<Chunk>>, Self::Error>> + Send {
        self.next()
    }
}

impl Followed for PodViewer {
    type Error = PodError;

    fn next(&mut self) -> impl Future<Output = Result<Option<Arc<Chunk>>, Self::Error>> + Send {
        self.next()
    }
}

/// A log on its way to a client.
pub(in crate::api) struct Relay<F: Followed> {
    service: Arc<Service>,
    viewer: F,
    form: Form,
    /// What was taken from the viewer before the answer began.
    first: Option<Arc<Chunk>>,
    /// What went wrong last, which is told once.
    trouble: Option<F::Error>,
    has_ended: bool,
    _hold: Hold,
}

impl<F: Followed> Relay<F> {
    /// A stream; `None` where a client has come back to a log at its end, of which nothing new
    /// will come.
    pub(in crate::api) async fn open(
        service: Arc<Service>,
        hold: Hold,
        mut viewer: F,
        form: Form,
        may_be_over: bool,
    ) -> Option<Self> {
        let mut first = None;
        if may_be_over && let Ok(Ok(next)) = timeout(LOOK, viewer.next()).await {
            let chunk = next?;
            if chunk.lines() == 0 && chunk.items().iter().any(is_an_end) && form != Form::Batches {
                return None;
            }
            first = Some(chunk);
        }
        Some(Self {
            service,
            viewer,
            form,
            first,
            trouble: None,
            has_ended: false,
            _hold: hold,
        })
    }

    /// Its frames.
    pub(in crate::api) fn frames(self) -> impl Stream<Item = Bytes> + Send {
        stream::unfold(self, |mut relay| async {
            let end = relay.service.shutdown.soft.clone();
            let frames = end.run_until_cancelled_owned(relay.next()).await??;
            Some((frames, relay))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        loop {
            let next = match self.first.take() {
                Some(first) => Ok(Ok(Some(first))),
                None => timeout(HEARTBEAT, self.viewer.next()).await,
            };
            match next {
                Err(_) => return Some(Bytes::from_static(HEARTBEAT_FRAME.as_bytes())),
                Ok(Ok(None)) => {
                    self.has_ended = true;
                    return Some(self.form.end());
                }
                Ok(Ok(Some(chunk))) => {
                    self.trouble = None;
                    self.has_ended = self.form != Form::Batches && chunk.items().iter().any(is_an_end);
                    let frames = self.form.frames(&chunk);
                    if !frames.is_empty() {
                        return Some(frames);
                    }
                    if self.has_ended {
                        return None;
                    }
                }
                Ok(Err(error)) => {
                    let text = error.to_string();
                    if self.trouble.replace(error.clone()) != Some(error) {
                        return Some(self.form.trouble(&text));
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Whether what prints it has ended by it.
fn is_an_end(item: &Item) -> bool {
    matches!(item, Item::Life(Life::Stopped { .. } | Life::Removed))
}
