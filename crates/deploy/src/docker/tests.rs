//! The parts of the Docker target against the real daemon.
//!
//! Each test makes what it needs, under names that nobody else has, and takes it away again.
//! Where no daemon answers they say so and pass, unless `AUTOTUNER_REQUIRE_DOCKER` is `1`.

mod ask;
mod image;
mod journal;
mod proxy;
mod registry;
mod stats;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptions, CreateImageOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, WaitContainerOptions,
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::time::{sleep, timeout};

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Marks what these tests make.
const LABEL: &str = "autotuner-deploy-test";

/// The programs in the test image: what a shell script needs.
const PROGRAMS: [&str; 8] = ["sh", "seq", "sleep", "cat", "head", "tr", "yes", "mawk"];

/// The daemon with an image that has a shell, both ready for use.
struct World {
    docker: Docker,
    image: String,
}

impl World {
    /// `None` where there is no daemon, and that may be so.
    async fn new() -> Option<Self> {
        let docker = daemon().await?;
        let image = format!("{LABEL}/shell:{}", unique());
        import(&docker, &image, shell_tar()).await;
        Some(Self { docker, image })
    }

    /// A container that runs the script, not started yet.
    async fn create(&self, script: &str) -> String {
        self.create_as(script, false).await
    }

    async fn create_as(&self, script: &str, tty: bool) -> String {
        let body = ContainerCreateBody {
            image: Some(self.image.clone()),
            entrypoint: Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec()),
            env: Some(vec!["PATH=/usr/bin:/bin".to_owned()]),
            labels: Some(HashMap::from([(LABEL.to_owned(), self.image.clone())])),
            tty: Some(tty),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let created = self
            .docker
            .create_container(None::<CreateContainerOptions>, body)
            .await;
        created.unwrap().id
    }

    async fn start(&self, id: &str) {
        self.docker.start_container(id, None).await.unwrap();
    }

    /// Waits until the container has ended.
    async fn ended(&self, id: &str) {
        let mut ends = self.docker.wait_container(id, None::<WaitContainerOptions>);
        timeout(PATIENCE, ends.next())
            .await
            .expect("the container ends")
            .unwrap()
            .ok();
    }

    async fn remove(&self, id: &str) {
        remove_container(&self.docker, id).await;
    }

    /// How many containers there are of this world's image.
    async fn containers(&self) -> usize {
        ours(&self.docker, &self.image).await.len()
    }
}

impl Drop for World {
    /// Takes away everything of its own, also after a test that failed.
    fn drop(&mut self) {
        let image = self.image.clone();
        elsewhere(move |docker| async move {
            for id in ours(&docker, &image).await {
                remove_container(&docker, &id).await;
            }
            remove_image(&docker, &image).await;
        });
    }
}

/// The daemon, where it answers.
async fn daemon() -> Option<Docker> {
    let why = match Docker::connect_with_unix_defaults() {
        Ok(docker) => match docker.ping().await {
            Ok(_) => return Some(docker),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    skipped(&format!("no Docker daemon answers: {why}"));
    None
}

/// Says that a test is left out, where one may be.
fn skipped(why: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "whether a test may be left out is said by whoever runs it"
    )]
    let required = std::env::var_os("AUTOTUNER_REQUIRE_DOCKER").is_some_and(|value| value == "1");
    assert!(!required, "{why}, and AUTOTUNER_REQUIRE_DOCKER is 1");
    eprintln!("SKIPPED: {why}");
}

/// Does something with a daemon's client of its own on a runtime of its own, for where
/// nothing can be awaited.
fn elsewhere<F: Future<Output = ()>>(work: impl FnOnce(Docker) -> F + Send + 'static) {
    let worker = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let docker = Docker::connect_with_unix_defaults().unwrap();
            work(docker).await;
        });
    });
    // A failure here would hide the one that led here.
    let _ = worker.join();
}

async fn ours(docker: &Docker, image: &str) -> Vec<String> {
    let filters = HashMap::from([("label", vec![format!("{LABEL}={image}")])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let listed = docker.list_containers(Some(options)).await.unwrap();
    listed.into_iter().filter_map(|container| container.id).collect()
}

async fn remove_container(docker: &Docker, id: &str) {
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    let _ = docker.remove_container(id, Some(options)).await;
}

async fn remove_image(docker: &Docker, image: &str) {
    let options = RemoveImageOptionsBuilder::default().force(true).build();
    let _ = docker.remove_image(image, Some(options), None).await;
}

/// An image of one layer with these files.
async fn import(docker: &Docker, name: &str, tar: Vec<u8>) {
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(name)
        .build();
    let body = bollard::body_full(tar.into());
    let messages: Vec<_> = docker
        .create_image(Some(options), Some(body), None)
        .try_collect()
        .await
        .unwrap();
    assert!(!messages.is_empty());
}

/// A tar of a shell, some programs, and the libraries that they need.
fn shell_tar() -> Vec<u8> {
    let programs = PROGRAMS.map(|program| format!("/usr/bin/{program}"));
    let libraries = Command::new("ldd").args(&programs).output().unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    let files = libraries
        .split_whitespace()
        .filter(|word| word.starts_with("/lib"))
        .chain(PROGRAMS)
        .map(|word| match word.strip_prefix('/') {
            Some(library) => library.to_owned(),
            None => format!("bin/{word}"),
        });
    let mut files: Vec<String> = files.collect();
    files.sort();
    files.dedup();
    let tar = Command::new("tar")
        .args(["-C", "/", "-chf", "-"])
        .args(files)
        .output()
        .unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    tar.stdout
}

/// A name that no other test has, now or later on this machine while it runs.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let wait = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never came true: {what}"));
}
