//! An image as it looks on the wire, and who needs it.

use autotuner_deploy::containers::{Image, ImageReference, ImageUser};
use autotuner_store::Wish;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::containers::stats::text;
use crate::clock::rfc3339;
use crate::images::named_by;

/// An image that the daemon has.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImageView {
    /// Its content's id.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    id: String,
    /// The first twelve digits of it.
    #[schema(example = "9f86d081884c")]
    short_id: String,
    /// Its names, each with a tag.
    tags: Vec<String>,
    /// Under which digests registries have it.
    digests: Vec<String>,
    /// What all its layers take, those that other images have too included.
    #[schema(example = "17.92 GB")]
    size: String,
    /// The same in bytes.
    size_bytes: u64,
    /// When it was made.
    #[schema(format = DateTime)]
    created: String,
    /// Whether it was made on this machine by this product's own scripts.
    is_ours: bool,
    /// The containers that were made from it, ended ones too.
    containers: Vec<ImageUserView>,
    /// The tasks whose engines start from it, newest first.
    tasks: Vec<ImageTaskView>,
}

/// A container that was made from an image.
#[derive(Debug, Serialize, ToSchema)]
struct ImageUserView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Docker's word for its state.
    #[schema(example = "running")]
    state: String,
}

/// A task that names an image.
#[derive(Debug, Serialize, ToSchema)]
struct ImageTaskView {
    /// Its id.
    id: i64,
    /// Its name.
    name: String,
}

/// Which images tasks name.
pub(super) struct Needs(Vec<(ImageReference, Wish)>);

impl Needs {
    pub(super) fn of(wishes: Vec<Wish>) -> Self {
        let named = |wish: Wish| Some((named_by(&wish.document)?.parse().ok()?, wish));
        Self(wishes.into_iter().filter_map(named).collect())
    }
}

impl ImageView {
    pub(super) fn of(image: Image, needs: &Needs) -> Self {
        let needing = needs.0.iter().filter(|(reference, _)| reference.is_of(&image));
        let tasks = needing.map(|(_, wish)| ImageTaskView {
            id: wish.task.0,
            name: wish.name.clone(),
        });
        let tasks = tasks.collect();
        let Image {
            id,
            tags,
            digests,
            size_bytes,
            created_at,
            is_ours,
            labels: _,
            users,
        } = image;
        Self {
            short_id: id.trim_start_matches("sha256:").chars().take(12).collect(),
            id,
            tags,
            digests,
            size: text(size_bytes),
            size_bytes,
            created: rfc3339(created_at.saturating_mul(1000)),
            is_ours,
            containers: users.into_iter().map(user).collect(),
            tasks,
        }
    }
}

fn user(user: ImageUser) -> ImageUserView {
    let ImageUser { id, name, state } = user;
    ImageUserView {
        id: id.to_string(),
        name,
        state,
    }
}
