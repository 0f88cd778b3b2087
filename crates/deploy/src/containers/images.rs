//! The images of a daemon: listed with who uses them, fetched while somebody waits, removed.
//!
//! The idea: an image is asked for by a reference that was read strictly, because it becomes part
//! of a path of the daemon's API. An image that runs is code; whether somebody may have one is
//! not decided here.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use bollard::models::{ContainerSummary, ImageSummary};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
};
use tokio::sync::watch;

use super::{ContainerError, ContainerId, Containers};
use crate::docker::image::{ImageName, Named, fetch};
use crate::{DeployError, FetchProgress, Watcher};

/// The label of the images that this product's scripts make.
const OURS: &str = "inference-autotuner.image.content";

/// How long the daemon may take to remove an image: layers of 20 GB are many files.
const REMOVAL: Duration = Duration::from_secs(120);

/// An image that the daemon has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its content's id: `sha256:…`.
    pub id: String,
    /// Its names, each with a tag.
    pub tags: Vec<String>,
    /// Under which digests registries have it: `name@sha256:…`.
    pub digests: Vec<String>,
    /// Bytes of all its layers, those that others have too included.
    pub size_bytes: u64,
    /// When it was made, in seconds since the Unix epoch.
    pub created_at: i64,
    /// Whether this product's scripts have made it.
    pub is_ours: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The containers that were made from it, ended ones too.
    pub users: Vec<ImageUser>,
}

/// A container that was made from an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUser {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// Docker's word for its state.
    pub state: String,
}

/// What an image is asked for by: a name with or without a tag or digest, or an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    text: String,
    name: ImageName,
}

/// An image that is being fetched. Dropped, it is not fetched any further.
pub struct ImagePull {
    progress: watch::Receiver<FetchProgress>,
    pulling: Option<Pulling>,
}

/// A fetch under way.
type Pulling = Pin<Box<dyn Future<Output = Result<(), ContainerError>> + Send>>;

/// What there is to tell of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullNews {
    /// It is so far.
    Progress(FetchProgress),
    /// It is here.
    Done,
}

/// # Errors
/// [`ContainerError::Invalid`]: no image can be called so.
impl FromStr for ImageReference {
    type Err = ContainerError;

    fn from_str(text: &str) -> Result<Self, ContainerError> {
        let name = ImageName::parse(text).map_err(|why| ContainerError::Invalid {
            message: format!(
                "{:?} is not an image reference: {why}",
                text.chars().take(300).collect::<String>()
            ),
        })?;
        Ok(Self {
            text: text.to_owned(),
            name,
        })
    }
}

impl ImageReference {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its registry and path, the same for every spelling: `docker.io/library/busybox`. `None`
    /// for an id.
    #[must_use]
    pub fn repository(&self) -> Option<String> {
        match &self.name {
            ImageName::Id => None,
            ImageName::Named(name) => Some(name.repository()),
        }
    }

    /// Whether this means the image that has these names, digests and this id.
    #[must_use]
    pub fn is_of(&self, image: &Image) -> bool {
        let ImageName::Named(own) = &self.name else {
            return image.id == self.text;
        };
        let is_it = |text: &String| match ImageName::parse(text) {
            Ok(ImageName::Named(other)) => is_same(own, &other),
            _ => false,
        };
        image.tags.iter().any(is_it) || image.digests.iter().any(is_it)
    }
}

fn is_same(own: &Named, other: &Named) -> bool {
    own.repository() == other.repository() && own.version() == other.version()
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ImagePull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImagePull").finish_non_exhaustive()
    }
}

impl Containers {
    /// Every image that has a name or is used, newest first.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn images(&self) -> Result<Vec<Image>, ContainerError> {
        let reach = &self.shared.reach;
        let daemon = reach.daemon().await?;
        let options = ListImagesOptionsBuilder::default().all(false).build();
        let listed = reach
            .look(&daemon, "", daemon.docker().list_images(Some(options)))
            .await?;
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let containers = reach
            .look(&daemon, "", daemon.docker().list_containers(Some(options)))
            .await?;
        let mut users = users(containers);
        let mut images: Vec<Image> = listed.into_iter().map(|image| of(image, &mut users)).collect();
        images.sort_by(|one, other| (other.created_at, &one.id).cmp(&(one.created_at, &other.id)));
        Ok(images)
    }

    /// Begins to fetch an image, also one that is here: the registry may have a newer one by the
    /// same name. It is fetched only while somebody waits for [`ImagePull::next`].
    ///
    /// # Errors
    /// [`ContainerError::Unreachable`].
    pub async fn pull_image(&self, reference: &ImageReference) -> Result<ImagePull, ContainerError> {
        let daemon = self.shared.reach.daemon().await?;
        let (sender, progress) = watch::channel(FetchProgress::default());
        let reference = reference.text.clone();
        let pulling = async move {
            let teller = Teller(sender);
            let fetched = fetch(daemon.docker(), &reference, &teller).await;
            fetched.map_err(|error| refused(&error, &|text| daemon.redact(text)))
        };
        Ok(ImagePull {
            progress,
            pulling: Some(Box::pin(pulling)),
        })
    }

    /// Removes an image, or one of its names where it has several. With `force`, names go that
    /// stand in the way, and ended containers that were made from it do not keep it.
    ///
    /// # Errors
    /// [`ContainerError::Conflict`]: it is used. [`ContainerError::NoImage`].
    pub async fn remove_image(&self, reference: &ImageReference, force: bool) -> Result<(), ContainerError> {
        let reach = &self.shared.reach;
        let daemon = reach.daemon().await?;
        let options = RemoveImageOptionsBuilder::default().force(force).build();
        let removing = daemon.docker().remove_image(&reference.text, Some(options), None);
        let removed = reach.call(&daemon, &reference.text, REMOVAL, removing).await;
        removed.map(drop)
    }
}

impl ImagePull {
    /// How far it is, whenever that changes; in the end that it is here. `None` after that, and
    /// after an error.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn next(&mut self) -> Option<Result<PullNews, ContainerError>> {
        let pulling = self.pulling.as_mut()?;
        let told = tokio::select! {
            biased;
            Ok(()) = self.progress.changed() => {
                let progress = self.progress.borrow_and_update().clone();
                return Some(Ok(PullNews::Progress(progress)));
            }
            end = pulling => end,
        };
        self.pulling = None;
        Some(told.map(|()| PullNews::Done))
    }
}

/// Passes on how far it is. Who is slow misses steps, and never the end.
struct Teller(watch::Sender<FetchProgress>);

impl Watcher for Teller {
    fn fetching(&self, progress: &FetchProgress) {
        self.0.send_replace(progress.clone());
    }
}

/// What kept an image from coming.
fn refused(error: &DeployError, redact: &dyn Fn(&str) -> String) -> ContainerError {
    let status = match error {
        DeployError::TargetGone { .. } => return ContainerError::gone(error),
        DeployError::ImageMissing { .. } => 404,
        _ => 500,
    };
    ContainerError::Refused {
        status,
        message: redact(&crate::error::whole_story(error)),
    }
}

/// The containers of each image, by its id.
fn users(containers: Vec<ContainerSummary>) -> HashMap<String, Vec<ImageUser>> {
    let mut users: HashMap<String, Vec<ImageUser>> = HashMap::new();
    for container in containers {
        let id = container.id.as_deref().and_then(ContainerId::read);
        let (Some(id), Some(image)) = (id, container.image_id) else {
            continue;
        };
        let names = container.names.unwrap_or_default();
        let name = names.first().map(|name| name.trim_start_matches('/').to_owned());
        users.entry(image).or_default().push(ImageUser {
            id,
            name: name.unwrap_or_default(),
            state: container.state.map(|state| state.to_string()).unwrap_or_default(),
        });
    }
    users
}

fn of(image: ImageSummary, users: &mut HashMap<String, Vec<ImageUser>>) -> Image {
    // The daemon's way of saying that there is none.
    let is_one = |name: &String| !name.contains("<none>");
    Image {
        tags: image.repo_tags.into_iter().filter(is_one).collect(),
        digests: image.repo_digests.into_iter().filter(is_one).collect(),
        size_bytes: u64::try_from(image.size).unwrap_or(0),
        created_at: image.created,
        is_ours: image.labels.contains_key(OURS),
        labels: image.labels.into_iter().collect(),
        users: users.remove(&image.id).unwrap_or_default(),
        id: image.id,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn image() -> Image {
        let listed = serde_json::from_value(json!({
            "Id": DIGEST, "ParentId": "", "Created": 7, "Size": 9, "SharedSize": -1, "Containers": -1,
            "RepoTags": ["busybox:1.36", "<none>:<none>", "host:5000/a/b:latest"],
            "RepoDigests": ["<none>@<none>", format!("a/b@{DIGEST}")],
            "Labels": {OURS: "x"},
        }));
        let containers = json!([
            {"Id": "a".repeat(64), "Names": ["/one"], "ImageID": DIGEST, "State": "exited"},
            {"Id": "b".repeat(64), "Names": ["/two"], "ImageID": "sha256:other", "State": "running"},
        ]);
        let mut users = users(serde_json::from_value(containers).unwrap());
        of(listed.unwrap(), &mut users)
    }

    #[test]
    fn an_image_is_told_with_who_uses_it_and_without_names_that_are_none() {
        let image = image();
        assert_eq!(image.tags, ["busybox:1.36", "host:5000/a/b:latest"]);
        assert_eq!(image.digests, [format!("a/b@{DIGEST}")]);
        assert!(image.is_ours);
        let users: Vec<_> = image
            .users
            .iter()
            .map(|user| (user.name.as_str(), user.state.as_str()))
            .collect();
        assert_eq!(users, [("one", "exited")]);
    }

    #[test]
    fn every_spelling_of_a_name_means_the_same_image() {
        let image = image();
        let check = |reference: &str, expected: bool| {
            let reference: ImageReference = reference.replace("DIGEST", DIGEST).parse().unwrap();
            assert_eq!(reference.is_of(&image), expected, "{reference}");
        };
        check("busybox:1.36", true);
        check("docker.io/library/busybox:1.36", true);
        check("busybox", false);
        check("host:5000/a/b", true);
        check("a/b", false);
        check("a/b@DIGEST", true);
        check("DIGEST", true);
    }

    #[test]
    fn what_is_no_reference_never_reaches_the_daemon() {
        for wrong in [
            "",
            "../x",
            "a?b=c",
            "a#b",
            "a%2fb",
            "A",
            "a b",
            "a\n",
            "x/../../containers/y",
        ] {
            let read = wrong.parse::<ImageReference>();
            assert!(matches!(read, Err(ContainerError::Invalid { .. })), "{wrong:?}");
        }
    }
}
