//! A fetch on its way, as frames.
//!
//! The client pulls: what is fetched is fetched while frames are asked for, and a stream that is
//! dropped takes the fetch with it.

use std::sync::Arc;

use autotuner_deploy::FetchProgress;
use autotuner_deploy::containers::{ContainerError, ImagePull, ImageReference, PullNews};
use futures_core::Stream;
use futures_util::stream;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::MOST_TASKS;
use super::view::{ImageView, Needs};
use crate::api::error::ApiError;
use crate::api::streaming::{self, HEARTBEAT, HEARTBEAT_FRAME, Hold};
use crate::service::Service;

/// What a fetch has to tell, until its end.
pub(super) fn frames(
    service: Arc<Service>,
    reference: ImageReference,
    pull: ImagePull,
    hold: Hold,
) -> impl Stream<Item = String> + Send {
    let frames = Frames {
        pull: Some(pull),
        end: service.shutdown.soft.clone(),
        service,
        reference,
        _hold: hold,
    };
    stream::unfold(frames, |mut frames| async {
        Some((frames.next().await?, frames))
    })
}

struct Frames {
    /// Gone once the last frame was given.
    pull: Option<ImagePull>,
    end: CancellationToken,
    service: Arc<Service>,
    reference: ImageReference,
    _hold: Hold,
}

impl Frames {
    async fn next(&mut self) -> Option<String> {
        let pull = self.pull.as_mut()?;
        let news = tokio::select! {
            biased;
            () = self.end.cancelled() => return None,
            news = pull.next() => news?,
            () = tokio::time::sleep(HEARTBEAT) => return Some(HEARTBEAT_FRAME.to_owned()),
        };
        let told = match news {
            Ok(PullNews::Progress(progress)) => return Some(frame(&fetching(&progress))),
            Ok(PullNews::Done) => done(&self.service, &self.reference).await,
            Err(error) => Err(failure(error)),
        };
        self.pull = None;
        let told = told.unwrap_or_else(
            |ApiError { body, .. }| json!({ "status": "failed", "detail": body.detail, "code": body.code }),
        );
        Some(frame(&told))
    }
}

/// The image as it is now.
async fn done(service: &Service, reference: &ImageReference) -> Result<Value, ApiError> {
    let images = service.containers.images().await?;
    let image = match images.into_iter().find(|image| reference.is_of(image)) {
        Some(image) => {
            let needs = Needs::of(service.database.wishes(MOST_TASKS).await?);
            Some(ImageView::of(image, &needs))
        }
        None => None,
    };
    Ok(json!({ "status": "done", "image": image }))
}

/// A missing image is no fault of the daemon's.
fn failure(error: ContainerError) -> ApiError {
    match error {
        ContainerError::Refused { status: 404, message } => ApiError::not_found(message),
        error => error.into(),
    }
}

fn fetching(progress: &FetchProgress) -> Value {
    let FetchProgress {
        image: _,
        layers_done,
        layers,
        bytes_done,
        bytes,
    } = progress;
    json!({
        "status": "fetching",
        "layers_done": layers_done,
        "layers": layers,
        "bytes_done": bytes_done,
        "bytes": bytes,
    })
}

fn frame(data: &Value) -> String {
    let mut frame = String::new();
    streaming::write_frame(&mut frame, None, &data.to_string());
    frame
}
