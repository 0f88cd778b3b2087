//! Images against the real daemon and a real registry.

use std::sync::Mutex;

use autotuner_core::experiment::ImageFacts;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use rand_bytes::noise;
use tokio_util::sync::CancellationToken;

use super::proxy::{Gate, Proxy};
use super::registry::{Registry, always};
use super::*;
use crate::containers::{ContainerError, Containers, ImageReference, PullNews, Surroundings};
use crate::docker::image;
use crate::{DeployError, FetchProgress, Unwatched, Watcher};

/// Bytes that nothing can compress, so that a layer is as large on the way as it is here.
mod rand_bytes {
    pub(super) fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut step = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        std::iter::repeat_with(&mut step)
            .take(length / 8)
            .flatten()
            .collect()
    }
}

/// Takes down all it is told.
#[derive(Default)]
struct Seen(Mutex<Vec<FetchProgress>>);

impl Seen {
    fn all(&self) -> Vec<FetchProgress> {
        self.0.lock().unwrap().clone()
    }

    fn bytes(&self) -> u64 {
        self.all()
            .iter()
            .map(|progress| progress.bytes_done)
            .max()
            .unwrap_or(0)
    }
}

impl Watcher for Seen {
    fn fetching(&self, progress: &FetchProgress) {
        self.0.lock().unwrap().push(progress.clone());
    }
}

/// An image that is in a registry and not here.
struct Published {
    docker: Docker,
    registry: Registry,
    path: String,
    /// Its id while it was here.
    id: String,
}

impl Published {
    async fn new(layer_bytes: usize) -> Option<Self> {
        let docker = daemon().await?;
        let registry = Registry::start()?;
        let path = format!("{LABEL}/{}", unique());
        let mut published = Self {
            docker,
            registry,
            path,
            id: String::new(),
        };
        published.id = published.publish(layer_bytes).await;
        Some(published)
    }

    async fn publish(&self, layer_bytes: usize) -> String {
        let name = self.name();
        import(&self.docker, &name, layer(layer_bytes)).await;
        let options = PushImageOptionsBuilder::default().tag("v1").build();
        let repository = name.strip_suffix(":v1").unwrap();
        let pushed: Result<Vec<_>, _> = self
            .docker
            .push_image(repository, Some(options), None)
            .try_collect()
            .await;
        pushed.unwrap();
        let id = self.docker.inspect_image(&name).await.unwrap().id.unwrap();
        remove_image(&self.docker, &name).await;
        id
    }

    fn repository_at(&self, port: u16) -> String {
        format!("127.0.0.1:{port}/{}", self.path)
    }

    fn name(&self) -> String {
        format!("{}:v1", self.repository_at(self.registry.port))
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let id = self.id.clone();
        elsewhere(move |docker| async move { remove_image(&docker, &id).await });
    }
}

/// A tar with one file of so many bytes.
fn layer(bytes: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    // Another name each time, so that no layer is known from before.
    let mut content = unique().into_bytes();
    content.extend(noise(bytes));
    std::fs::write(folder.path().join("data"), content).unwrap();
    let tar = Command::new("tar")
        .arg("-C")
        .arg(folder.path())
        .args(["-cf", "-", "data"])
        .output()
        .unwrap();
    assert!(tar.status.success());
    tar.stdout
}

async fn ensure(docker: &Docker, reference: &str) -> Result<ImageFacts, DeployError> {
    image::ensure(docker, reference, &Unwatched).await
}

#[tokio::test]
async fn an_image_that_is_here_is_taken_as_it_is() {
    let Some(world) = World::new().await else { return };
    let seen = Seen::default();
    let facts = image::ensure(&world.docker, &world.image, &seen).await.unwrap();
    assert_eq!(seen.all(), []);
    assert_eq!(
        (facts.reference.as_str(), facts.digest.as_deref()),
        (world.image.as_str(), None)
    );
    let id = world
        .docker
        .inspect_image(&world.image)
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(facts.id, id);
    assert_eq!(
        image::facts(&world.docker, &world.image).await.unwrap(),
        Some(facts)
    );
    // By its id too.
    assert_eq!(ensure(&world.docker, &id).await.unwrap().id, id);
}

#[tokio::test]
async fn an_image_is_fetched_and_known_by_its_registrys_digest() {
    let Some(published) = Published::new(8_000_000).await else {
        return;
    };
    let (docker, name) = (&published.docker, published.name());
    assert_eq!(image::facts(docker, &name).await.unwrap(), None);
    let seen = Seen::default();
    let facts = image::ensure(docker, &name, &seen).await.unwrap();
    let digest = published.registry.digest(&published.path, "v1");
    let pinned = format!("{}@{digest}", published.repository_at(published.registry.port));
    assert_eq!(facts.reference, name);
    assert_eq!(facts.id, published.id);
    assert_eq!(facts.digest.as_deref(), Some(pinned.as_str()));

    let last = seen.all().pop().unwrap();
    assert_eq!((last.image, last.layers_done, last.layers), (name.clone(), 1, 1));
    assert!(
        last.bytes >= 8_000_000 && last.bytes_done == last.bytes,
        "{} of {}",
        last.bytes_done,
        last.bytes
    );

    // By its digest as well, from the registry again.
    remove_image(docker, &published.id).await;
    assert_eq!(image::facts(docker, &pinned).await.unwrap(), None);
    let by_digest = ensure(docker, &pinned).await.unwrap();
    assert_eq!(
        (by_digest.id, by_digest.digest.as_deref()),
        (published.id.clone(), Some(pinned.as_str()))
    );

    // Another name for the same image is in no registry.
    let options = TagImageOptionsBuilder::default()
        .repo("other.example:5000/name")
        .tag("x")
        .build();
    docker.tag_image(&published.id, Some(options)).await.unwrap();
    let other = ensure(docker, "other.example:5000/name:x").await.unwrap();
    assert_eq!((other.id, other.digest), (published.id.clone(), None));
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_missing() {
    let Some(published) = Published::new(1000).await else {
        return;
    };
    let repository = published.repository_at(published.registry.port);
    let unknown_path = format!("127.0.0.1:{}/no/such/image", published.registry.port);
    for name in [
        format!("{repository}:v2"),
        format!("{repository}@sha256:{}", "0".repeat(64)),
        repository,
        unknown_path,
    ] {
        let error = ensure(&published.docker, &name).await.unwrap_err();
        assert!(
            matches!(error, DeployError::ImageMissing { .. }),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn what_can_only_be_here_is_not_asked_for_elsewhere() {
    let Some(docker) = daemon().await else { return };
    for (name, hint) in [
        ("inference-autotuner/no-such-engine", "scripts/sim-image.sh"),
        (&format!("sha256:{}", "0".repeat(64)), "use its name"),
        ("No/Name", "lower-case"),
        ("a b", "lower-case"),
        ("../info", "lower-case"),
        ("x:", "tag"),
    ] {
        let error = ensure(&docker, name).await.unwrap_err();
        assert!(
            matches!(error, DeployError::ImageMissing { .. }),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[tokio::test]
async fn what_keeps_an_image_from_coming_is_said() {
    let Some(docker) = daemon().await else { return };
    let free_port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let locked = "Www-Authenticate: Basic realm=\"x\"\r\n";
    let errors = |code: &'static str| -> &'static str {
        match code {
            "429" => r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"toomanyrequests: rate limit"}]}"#,
            _ => r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
        }
    };
    for (port, hint) in [
        (free_port, "the registry runs"),
        (always("429 Too Many Requests", "", errors("429")), "limits"),
        (always("401 Unauthorized", locked, errors("401")), "docker login"),
        (always("500 Internal Server Error", "", "{}"), ""),
    ] {
        let error = ensure(&docker, &format!("127.0.0.1:{port}/some/image:v1"))
            .await
            .unwrap_err();
        assert!(matches!(error, DeployError::Fetch { .. }), "{error:?}");
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[tokio::test]
async fn a_cancelled_fetch_ends_here_and_at_the_registry() {
    let Some(published) = Published::new(60_000_000).await else {
        return;
    };
    let (proxy, port) = Proxy::tcp(published.registry.port).await;
    proxy.set(Gate::Stalls { after: 5_000_000 });
    let name = format!("{}:v1", published.repository_at(port));
    let (seen, cancel) = (Seen::default(), CancellationToken::new());
    let fetching = cancel.run_until_cancelled(image::ensure(&published.docker, &name, &seen));
    let cancelling = async {
        until("some of it is here", || async { seen.bytes() > 0 }).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(fetching, cancelling);
    assert!(result.is_none(), "{result:?}");
    // The daemon sees that nobody wants it any more when the next bytes come.
    proxy.set(Gate::Open);
    until("the daemon lets go of the registry", || async {
        proxy.connections() == 0
    })
    .await;
    assert!(proxy.answered_bytes() < 30_000_000, "{}", proxy.answered_bytes());
    assert_eq!(image::facts(&published.docker, &name).await.unwrap(), None);
}

#[tokio::test]
async fn a_registry_that_falls_silent_is_given_up() {
    let Some(published) = Published::new(20_000_000).await else {
        return;
    };
    let (proxy, port) = Proxy::tcp(published.registry.port).await;
    // In the middle of a layer, and before the first answer.
    for after in [5_000_000, 0] {
        proxy.set(Gate::Stalls { after });
        let name = format!("{}:v1", published.repository_at(port));
        let error = image::ensure_within(&published.docker, &name, &Unwatched, Duration::from_secs(3))
            .await
            .unwrap_err();
        assert!(matches!(error, DeployError::Fetch { .. }), "{error:?}");
        assert!(
            error.to_string().contains("nothing came for 3 seconds"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn people_fetch_list_and_remove_images() {
    let Some(published) = Published::new(2_000_000).await else {
        return;
    };
    let containers = Containers::new(Surroundings {
        host: None,
        instances: "/nonexistent/instances".into(),
        secrets: Vec::new(),
    });
    let reference: ImageReference = published.name().parse().unwrap();
    let mut pull = containers.pull_image(&reference).await.unwrap();
    let mut seen = Vec::new();
    while let Some(news) = pull.next().await {
        seen.push(news.unwrap());
    }
    assert_eq!(seen.last(), Some(&PullNews::Done));
    assert!(matches!(seen[0], PullNews::Progress(_)), "{seen:?}");
    assert!(pull.next().await.is_none());

    // A container that was never started uses it as well.
    let body = ContainerCreateBody {
        image: Some(published.name()),
        cmd: Some(vec!["/data".to_owned()]),
        labels: Some(HashMap::from([(LABEL.to_owned(), published.name())])),
        ..ContainerCreateBody::default()
    };
    let made = published
        .docker
        .create_container(None::<CreateContainerOptions>, body)
        .await
        .unwrap();
    let find = async || {
        let images = containers.images().await.unwrap();
        images.into_iter().find(|image| reference.is_of(image))
    };
    let image = find().await.unwrap();
    assert_eq!(image.id, published.id);
    assert!(image.size_bytes >= 2_000_000 && !image.is_ours, "{image:?}");
    assert!(image.digests[0].contains("@sha256:"), "{image:?}");
    let users: Vec<&str> = image.users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(users, [made.id.as_str()]);

    let kept = containers.remove_image(&reference, false).await;
    let Err(ContainerError::Conflict { message }) = kept else {
        panic!("{kept:?}");
    };
    assert!(message.contains("container"), "{message}");
    remove_container(&published.docker, &made.id).await;
    containers.remove_image(&reference, false).await.unwrap();
    assert_eq!(find().await, None);
    let gone = containers.remove_image(&reference, false).await;
    assert!(matches!(gone, Err(ContainerError::NoImage { .. })), "{gone:?}");

    let unknown: ImageReference = published.name().replace(":v1", ":v2").parse().unwrap();
    let mut pull = containers.pull_image(&unknown).await.unwrap();
    let end = async {
        loop {
            match pull.next().await {
                Some(Ok(PullNews::Progress(_))) => {}
                other => return other,
            }
        }
    };
    let end = end.await;
    assert!(
        matches!(&end, Some(Err(ContainerError::Refused { status: 404, .. }))),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_fetch_that_nobody_waits_for_ends() {
    let Some(published) = Published::new(60_000_000).await else {
        return;
    };
    let (proxy, port) = Proxy::tcp(published.registry.port).await;
    proxy.set(Gate::Stalls { after: 5_000_000 });
    let containers = Containers::new(Surroundings {
        host: None,
        instances: "/nonexistent/instances".into(),
        secrets: Vec::new(),
    });
    let name = format!("{}:v1", published.repository_at(port));
    let mut pull = containers.pull_image(&name.parse().unwrap()).await.unwrap();
    loop {
        let news = timeout(PATIENCE, pull.next()).await.unwrap().unwrap().unwrap();
        if matches!(news, PullNews::Progress(progress) if progress.bytes_done > 0) {
            break;
        }
    }
    drop(pull);
    proxy.set(Gate::Open);
    until("the daemon lets go of the registry", || async {
        proxy.connections() == 0
    })
    .await;
    assert_eq!(image::facts(&published.docker, &name).await.unwrap(), None);
}
