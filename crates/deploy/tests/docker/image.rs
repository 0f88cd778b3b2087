//! The test engine as an image from nothing: its program and the libraries it wants.
//!
//! The image is named after its content, so that it is made once for each build of the engine.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bollard::Docker;
use bollard::query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions};
use bytes::Bytes;
use futures_util::TryStreamExt as _;

const ENGINE: &str = env!("CARGO_BIN_EXE_deploy-test-engine");
const REPOSITORY: &str = "autotuner-deploy-test";

/// Which build of the engine an image is of, so that older ones of the same can go.
const BUILD_LABEL: &str = "autotuner-deploy-test.build";

/// The image's name. It is made if it is not there, and its predecessors are taken away.
pub(crate) async fn engine_image(docker: &Docker) -> String {
    let content = std::fs::read(ENGINE).unwrap();
    let mut hash = DefaultHasher::new();
    hash.write(&content);
    let tag = format!("{:016x}", hash.finish());
    let name = format!("{REPOSITORY}:{tag}");
    // Only one process makes it.
    let lock = File::create(std::env::temp_dir().join(format!("{REPOSITORY}.lock"))).unwrap();
    let lock = tokio::task::spawn_blocking(move || {
        lock.lock().unwrap();
        lock
    });
    let _lock = lock.await.unwrap();
    if docker.inspect_image(&name).await.is_err() {
        make(docker, &tag).await;
        remove_older(docker, &name).await;
    }
    name
}

async fn make(docker: &Docker, tag: &str) {
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(REPOSITORY)
        .tag(tag)
        .changes(vec![
            "ENTRYPOINT [\"/engine\"]".to_owned(),
            format!("LABEL {BUILD_LABEL}={}", build()),
        ])
        .build();
    let root = bollard::body_full(Bytes::from(archive()));
    let made = docker.create_image(Some(options), Some(root), None);
    made.try_collect::<Vec<_>>().await.unwrap();
}

async fn remove_older(docker: &Docker, name: &str) {
    let label = format!("{BUILD_LABEL}={}", build());
    let filters = HashMap::from([("label".to_owned(), vec![label])]);
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    let images = docker.list_images(Some(options)).await.unwrap();
    for tag in images.into_iter().flat_map(|image| image.repo_tags) {
        if tag != name {
            // One that is in use stays.
            let _ = docker.remove_image(&tag, None::<RemoveImageOptions>, None).await;
        }
    }
}

fn build() -> String {
    let mut hash = DefaultHasher::new();
    hash.write(ENGINE.as_bytes());
    format!("{:016x}", hash.finish())
}

/// The root directory as an archive.
fn archive() -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    let place = |from: &Path, to: PathBuf| {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    place(Path::new(ENGINE), root.path().join("engine"));
    for library in libraries() {
        place(&library, root.path().join(library.strip_prefix("/").unwrap()));
    }
    std::fs::create_dir(root.path().join("tmp")).unwrap();
    let tar = Command::new("tar")
        .args(["--owner=0", "--group=0", "-c", "."])
        .current_dir(root.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    tar.stdout
}

/// What the loader would load for the engine, itself included.
fn libraries() -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(ENGINE).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    output
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect()
}
