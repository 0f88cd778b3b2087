//! Images: here already, or fetched; and what they are.
//!
//! The idea: what is here is used as it is, and no registry is asked whether it has a newer
//! one, so that every experiment of a task runs the same image. What is not here is fetched
//! with a deadline on silence rather than on the whole: an image of 20 GB on a slow line is
//! no failure, a registry that says nothing for minutes is. Nothing in here builds an image
//! or deletes one.

mod name;
mod pull;

use std::time::Duration;

use autotuner_core::experiment::ImageFacts;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ImageInspect;

pub(crate) use self::name::{ImageName, Named};
use self::pull::{LONGEST_SILENCE, pull};
use crate::error::whole_story;
use crate::{DeployError, Watcher};

/// Sees to it that the image is here, and says which it is. One that is here already is
/// taken as it is; one of ours is never looked for anywhere else, because it is only ever
/// built here.
///
/// Dropped, it ends at once.
///
/// # Errors
/// [`DeployError::ImageMissing`], [`DeployError::Fetch`], [`DeployError::TargetGone`].
pub(crate) async fn ensure(
    docker: &Docker,
    reference: &str,
    watcher: &dyn Watcher,
) -> Result<ImageFacts, DeployError> {
    ensure_within(docker, reference, watcher, LONGEST_SILENCE).await
}

/// Like [`ensure`], for a registry that may be silent for so long.
pub(super) async fn ensure_within(
    docker: &Docker,
    reference: &str,
    watcher: &dyn Watcher,
    longest_silence: Duration,
) -> Result<ImageFacts, DeployError> {
    let missing = |message: &str| DeployError::ImageMissing {
        image: reference.to_owned(),
        message: message.to_owned(),
    };
    let name = ImageName::parse(reference).map_err(missing)?;
    if let Some(facts) = facts(docker, reference).await? {
        return Ok(facts);
    }
    let name = match name {
        ImageName::Named(name) => name,
        ImageName::Id => {
            return Err(missing(
                "an image's id names one that is here and cannot be fetched: use its name",
            ));
        }
    };
    fetch_named(docker, reference, &name, watcher, longest_silence).await?;
    facts(docker, reference).await?.ok_or_else(|| DeployError::Fetch {
        image: reference.to_owned(),
        message: "the daemon says that it fetched it, and does not have it".to_owned(),
    })
}

/// Asks the registry for the image, whatever is here. Dropped, it ends at once.
///
/// # Errors
/// As [`ensure`].
pub(crate) async fn fetch(
    docker: &Docker,
    reference: &str,
    watcher: &dyn Watcher,
) -> Result<(), DeployError> {
    let missing = |message: &str| DeployError::ImageMissing {
        image: reference.to_owned(),
        message: message.to_owned(),
    };
    match ImageName::parse(reference).map_err(missing)? {
        ImageName::Named(name) => fetch_named(docker, reference, &name, watcher, LONGEST_SILENCE).await,
        ImageName::Id => Err(missing("an image's id cannot be fetched: use its name")),
    }
}

async fn fetch_named(
    docker: &Docker,
    reference: &str,
    name: &Named,
    watcher: &dyn Watcher,
    longest_silence: Duration,
) -> Result<(), DeployError> {
    if name.is_ours() {
        return Err(DeployError::ImageMissing {
            image: reference.to_owned(),
            message: "it is made on this machine and in no registry: make it with scripts/sim-image.sh or \
                      scripts/llama-image.sh"
                .to_owned(),
        });
    }
    pull(docker, reference, name, watcher, longest_silence).await
}

/// The image's id and the digest under which the reference's own repository has it; `None`
/// when it is not here.
///
/// # Errors
/// [`DeployError::TargetGone`], or [`DeployError::Refused`] with what the daemon said.
pub(crate) async fn facts(docker: &Docker, reference: &str) -> Result<Option<ImageFacts>, DeployError> {
    Ok(inspect(docker, reference).await?.map(|image| ImageFacts {
        reference: reference.to_owned(),
        digest: ImageName::parse(reference)
            .ok()
            .and_then(|name| name.own_digest(image.repo_digests.as_deref().unwrap_or_default())),
        id: image.id.unwrap_or_default(),
    }))
}

/// What to start from, and what that is: the plan's image by its name, or by the id that is
/// already settled when the name has come to mean another.
///
/// # Errors
/// [`DeployError::ImageMissing`], or what keeps the daemon from looking.
pub(crate) async fn to_start(
    docker: &Docker,
    reference: &str,
    settled: Option<&str>,
) -> Result<(String, ImageFacts), DeployError> {
    let missing = |message: String| DeployError::ImageMissing {
        image: reference.to_owned(),
        message,
    };
    let named = facts(docker, reference).await?;
    match (named, settled) {
        (Some(named), Some(id)) if named.id == id => Ok((reference.to_owned(), named)),
        (_, Some(id)) => {
            let found = facts(docker, id).await?.ok_or_else(|| {
                missing(format!(
                    "it means another image by now, and {id}, with which was begun, is gone"
                ))
            })?;
            let reference = reference.to_owned();
            Ok((id.to_owned(), ImageFacts { reference, ..found }))
        }
        (Some(named), None) => Ok((reference.to_owned(), named)),
        (None, None) => Err(missing(
            "it was not fetched, or has been removed since".to_owned(),
        )),
    }
}

async fn inspect(docker: &Docker, reference: &str) -> Result<Option<ImageInspect>, DeployError> {
    match docker.inspect_image(reference).await {
        Ok(image) => Ok(Some(image)),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(refusal("look at an image", error)),
    }
}

/// What it means when the daemon does not do what is neither here nor there to an image.
pub(super) fn refusal(action: &'static str, error: Error) -> DeployError {
    match error {
        Error::DockerResponseServerError { message, .. } | Error::DockerStreamError { error: message } => {
            DeployError::Refused { action, message }
        }
        error => DeployError::TargetGone {
            target: "the Docker daemon".to_owned(),
            message: whole_story(&error),
        },
    }
}
