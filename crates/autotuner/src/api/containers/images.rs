//! Images of the daemon: which there are and who needs them, fetched with progress, removed.
//!
//! An image that runs is code, so who may have which fetched is judged before anything is asked,
//! and every fetch and removal is on record. A fetch goes on for as long as somebody listens.

mod pull;
mod view;

use std::sync::Arc;

use autotuner_deploy::containers::{ContainerError, ImageReference};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::view::{ImageView, Needs};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Admin, Json as Body, Operator, Query, Viewer, truth};
use crate::api::streaming;
use crate::images::may_fetch;
use crate::service::Service;
use crate::service::permits::Permits;

/// Tasks that are asked which image they name.
const MOST_TASKS: u32 = 1000;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(list_images, remove_image))
        .routes(routes!(pull_image))
}

/// The images of this machine
///
/// Newest first, with the containers that were made from each and the tasks whose engines start
/// from it. Of the tasks only the newest 1000 that use Docker are asked.
#[utoipa::path(get, path = "/api/docker/images", tag = "containers", responses(
    (status = 200, body = Vec<ImageView>),
    (status = 503, description = "The Docker daemon does not answer", body = ErrorBody),
))]
async fn list_images(
    State(service): State<Arc<Service>>,
    _caller: Viewer,
) -> Result<Json<Vec<ImageView>>, ApiError> {
    let images = service.containers.images().await?;
    let needs = Needs::of(service.database.wishes(MOST_TASKS).await?);
    let views = images.into_iter().map(|image| ImageView::of(image, &needs));
    Ok(Json(views.collect()))
}

/// Which image is to be fetched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PullRequest {
    /// Its name, with a tag or digest; `latest` where there is none.
    #[schema(example = "vllm/vllm-openai:v0.11.0")]
    reference: String,
}

/// Fetch an image
///
/// Unnamed server-sent events, each with one line of JSON: first and now and then
/// `{status: "fetching", layers_done, layers, bytes_done, bytes}`, in the end `{status: "done",
/// image}`, with the image as `GET /api/docker/images` lists it, or `{status: "failed", detail,
/// code}`. Who hangs up stops it. Operators may fetch every version of the images that engines use
/// by themselves and what `allowed_programs` of the configuration lists; admins any.
#[utoipa::path(post, path = "/api/docker/images/pull", tag = "containers", request_body = PullRequest, responses(
    (status = 200, description = "A stream", body = String, content_type = "text/event-stream"),
    (status = 403, description = "It is not for this caller to choose this image", body = ErrorBody),
    (status = 400, description = "That is no image reference", body = ErrorBody),
    (status = 503, description = "The Docker daemon does not answer", body = ErrorBody),
))]
async fn pull_image(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Body(PullRequest { reference }): Body<PullRequest>,
) -> Result<Response, ApiError> {
    let reference: ImageReference = reference.parse()?;
    if !may_fetch(&reference, caller.role, &Permits::of(&service.config)) {
        let text = format!("The image {reference} is not among those that operators may have fetched");
        let hint = "list it in allowed_programs of the server's configuration, or let an admin do it";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", text).with_hint(hint));
    }
    let hold = streaming::hold(&service, &caller)?;
    let pull = service.containers.pull_image(&reference).await?;
    note(&service, &caller, "image.pull", &reference, json!({})).await?;
    Ok(streaming::response(pull::frames(service, reference, pull, hold)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RemoveQuery {
    /// Its name with its tag or digest, or its id.
    #[param(example = "vllm/vllm-openai:v0.11.0")]
    reference: String,
    /// Whether ended containers that were made from it do not keep it.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    force: bool,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
struct Removed {
    /// In words.
    #[schema(example = "Image vllm/vllm-openai:v0.11.0 removed successfully")]
    message: String,
}

/// Remove an image
///
/// One of several names of an image goes alone, and the image stays.
#[utoipa::path(delete, path = "/api/docker/images", tag = "containers", params(RemoveQuery), responses(
    (status = 200, body = Removed),
    (status = 400, description = "That is no image reference", body = ErrorBody),
    (status = 404, description = "There is no such image", body = ErrorBody),
    (status = 409, description = "A container was made from it", body = ErrorBody),
    (status = 503, description = "The Docker daemon does not answer", body = ErrorBody),
))]
async fn remove_image(
    State(service): State<Arc<Service>>,
    Admin(caller): Admin,
    Query(RemoveQuery { reference, force }): Query<RemoveQuery>,
) -> Result<Json<Removed>, ApiError> {
    let reference: ImageReference = reference.parse()?;
    // On record first: nothing goes that nobody can be asked about.
    note(
        &service,
        &caller,
        "image.remove",
        &reference,
        json!({ "force": force }),
    )
    .await?;
    match service.containers.remove_image(&reference, force).await {
        Ok(()) => Ok(Json(Removed {
            message: format!("Image {reference} removed successfully"),
        })),
        Err(error @ ContainerError::Conflict { .. }) => {
            let hint = "remove the containers that were made from it first; with force=true, ended ones do not keep it";
            Err(ApiError::from(error).with_hint(hint))
        }
        Err(error) => Err(error.into()),
    }
}

async fn note(
    service: &Service,
    caller: &crate::service::access::Caller,
    action: &str,
    reference: &ImageReference,
    detail: serde_json::Value,
) -> Result<(), ApiError> {
    let act = caller.act(service.clock.now_ms());
    let target = format!("image {reference}");
    service.database.note(&act, action, &target, Some(detail)).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
