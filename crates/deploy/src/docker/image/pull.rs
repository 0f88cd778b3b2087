//! Fetches one image, tells how far it is, and says what kept it from coming.
//!
//! The idea: the daemon's stream of small messages is folded into one figure for people, and
//! its last one, when it is an error, into one of two judgements: there is no such image, or
//! it could not be fetched today. The daemon gives both only as text, so text is what is
//! looked at; what is not recognised counts as "not today", which names nobody's mistake.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout};

use super::name::Named;
use super::refusal;
use crate::{DeployError, FetchProgress, Watcher};

/// How long a registry may say nothing. The daemon itself is silent while it checks the sum
/// of a layer, which takes a minute for the largest on a slow disk.
pub(super) const LONGEST_SILENCE: Duration = Duration::from_secs(5 * 60);

/// Time between two reports. A person reads a few a second; the daemon sends thousands.
const REPORT_PAUSE: Duration = Duration::from_millis(250);

/// Fetches the image. Dropped, it stops: the daemon gives up when nobody listens.
pub(super) async fn pull(
    docker: &Docker,
    reference: &str,
    name: &Named,
    watcher: &dyn Watcher,
    longest_silence: Duration,
) -> Result<(), DeployError> {
    let options = CreateImageOptionsBuilder::default()
        .from_image(&name.repository())
        .tag(name.version())
        .build();
    // The client's own limit on the first answer is for quick questions, and this one waits
    // for a registry.
    let docker = docker.clone().with_timeout(longest_silence);
    let mut messages = docker.create_image(Some(options), None, None);
    let mut report = Report::new(reference, watcher);
    loop {
        match timeout(longest_silence, messages.next()).await {
            Err(_) | Ok(Some(Err(Error::RequestTimeoutError))) => {
                return Err(stalled(reference, longest_silence));
            }
            Ok(None) => break,
            Ok(Some(Ok(message))) => report.take(&message),
            Ok(Some(Err(error))) => return Err(failure(reference, name, error)),
        }
    }
    report.tell();
    Ok(())
}

/// How far each layer is.
#[derive(Debug, Default)]
struct Layers(BTreeMap<String, Layer>);

#[derive(Debug, Default)]
struct Layer {
    is_here: bool,
    fetched: u64,
    size: u64,
}

impl Layers {
    /// Takes in one message. Most of what is said is of one layer; the rest is of none.
    fn take(&mut self, message: &CreateImageInfo) {
        let CreateImageInfo {
            id: Some(id),
            status: Some(status),
            progress_detail,
            ..
        } = message
        else {
            return;
        };
        // The first message names the tag in the layer's place.
        if status.starts_with("Pulling from") {
            return;
        }
        let layer = self.0.entry(id.clone()).or_default();
        match status.as_str() {
            "Downloading" => {
                let figure = |figure: Option<i64>| figure.and_then(|figure| u64::try_from(figure).ok());
                let detail = progress_detail.as_ref();
                layer.fetched = detail
                    .and_then(|detail| figure(detail.current))
                    .unwrap_or(layer.fetched);
                layer.size = detail
                    .and_then(|detail| figure(detail.total))
                    .unwrap_or(layer.size);
            }
            "Verifying Checksum" | "Download complete" | "Extracting" => layer.fetched = layer.size,
            "Pull complete" | "Already exists" => {
                layer.fetched = layer.size;
                layer.is_here = true;
            }
            // Waiting, retrying, and what later daemons may say.
            _ => {}
        }
    }

    fn progress(&self, image: &str) -> FetchProgress {
        FetchProgress {
            image: image.to_owned(),
            layers_done: self.0.values().filter(|layer| layer.is_here).count(),
            layers: self.0.len(),
            bytes_done: self.0.values().map(|layer| layer.fetched.min(layer.size)).sum(),
            bytes: self.0.values().map(|layer| layer.size).sum(),
        }
    }
}

/// Tells the watcher now and then.
struct Report<'a> {
    image: &'a str,
    watcher: &'a dyn Watcher,
    layers: Layers,
    last: Option<Instant>,
}

impl<'a> Report<'a> {
    fn new(image: &'a str, watcher: &'a dyn Watcher) -> Self {
        let report = Self {
            image,
            watcher,
            layers: Layers::default(),
            last: None,
        };
        // Before the registry has said anything: it may take its time.
        report.tell();
        report
    }

    fn take(&mut self, message: &CreateImageInfo) {
        self.layers.take(message);
        if self.last.is_none_or(|last| last.elapsed() >= REPORT_PAUSE) {
            self.last = Some(Instant::now());
            self.tell();
        }
    }

    fn tell(&self) {
        self.watcher.fetching(&self.layers.progress(self.image));
    }
}

fn stalled(image: &str, silence: Duration) -> DeployError {
    DeployError::Fetch {
        image: image.to_owned(),
        message: format!(
            "nothing came for {} seconds: check the network, and whether the registry answers",
            silence.as_secs()
        ),
    }
}

fn failure(image: &str, name: &Named, error: Error) -> DeployError {
    let (is_unknown, message) = match error {
        Error::DockerResponseServerError { status_code, message } => (status_code == 404, message),
        Error::DockerStreamError { error } => (false, error),
        error => return refusal("fetch an image", error),
    };
    let image = image.to_owned();
    match verdict(is_unknown, &message) {
        Verdict::Missing => DeployError::ImageMissing {
            image,
            message: format!(
                "{}: check its name and tag; when it is private, run `docker login {}`",
                message.trim(),
                name.registry
            ),
        },
        Verdict::NotToday(hint) => DeployError::Fetch {
            image,
            message: format!("{}{hint}", message.trim()),
        },
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// There is no such image, or none that we may see.
    Missing,
    /// It could not be fetched; with what to do, as text to follow.
    NotToday(&'static str),
}

/// What the daemon says when an image could not be fetched for a reason that is not its
/// name's, and what to do. These come first: some of them speak of something "not found".
const NOT_TODAY: &[(&[&str], &str)] = &[
    (
        &["no space left on device", "disk quota exceeded"],
        ": free some space where the daemon keeps its images",
    ),
    (
        &["toomanyrequests", "too many requests", "rate limit"],
        ": the registry limits how much is fetched; wait, or log in with `docker login`",
    ),
    (
        &[
            "no such host",
            "server misbehaving",
            "network is unreachable",
            "no route to host",
        ],
        ": check this machine's network and name server",
    ),
    (
        &[
            "connection refused",
            "i/o timeout",
            "deadline exceeded",
            "client.timeout",
        ],
        ": check that the registry runs and can be reached from this machine",
    ),
    (
        &[
            "x509:",
            "tls:",
            "certificate",
            "server gave http response to https client",
        ],
        ": check the registry's certificate, or name it among the daemon's insecure-registries",
    ),
];

/// What it says when there is no such image. Registries do not tell strangers apart what is
/// private from what is not there.
const MISSING: &[&str] = &[
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "name_unknown",
    "name invalid",
    "repository name not known",
    "repository does not exist",
    "pull access denied",
    "not found",
    "no such image",
    "no matching manifest",
    "invalid reference format",
];

/// What it says when we may not have it without a name and a password.
const LOCKED: &[&str] = &[
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
    "forbidden",
    "denied",
];

fn verdict(is_unknown: bool, message: &str) -> Verdict {
    let message = message.to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if let Some((_, hint)) = NOT_TODAY.iter().find(|(texts, _)| says(texts)) {
        return Verdict::NotToday(hint);
    }
    if is_unknown || says(MISSING) {
        return Verdict::Missing;
    }
    if says(LOCKED) {
        return Verdict::NotToday(
            ": it wants a name and a password; fetch it once with `docker login` and `docker pull`",
        );
    }
    Verdict::NotToday("")
}
