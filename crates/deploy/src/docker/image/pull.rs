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
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, timeout_at};

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
    let mut silent_since = Instant::now();
    while let Some(message) = next(&mut messages, &mut report, silent_since + longest_silence).await {
        silent_since = Instant::now();
        match message {
            Ok(message) => report.take(&message),
            Err(Error::RequestTimeoutError) => return Err(stalled(reference, longest_silence)),
            Err(error) => return Err(failure(reference, name, error)),
        }
    }
    report.tell();
    Ok(())
}

/// The next message, an error once it is too late for one. What is held back of the report
/// meanwhile is told when its time comes.
async fn next<S>(
    messages: &mut S,
    report: &mut Report<'_>,
    until: Instant,
) -> Option<Result<CreateImageInfo, Error>>
where
    S: Stream<Item = Result<CreateImageInfo, Error>> + Unpin,
{
    if let Some(due) = report.due()
        && due < until
    {
        match timeout_at(due, messages.next()).await {
            Ok(message) => return message,
            Err(_) => report.tell(),
        }
    }
    match timeout_at(until, messages.next()).await {
        Ok(message) => message,
        Err(_) => Some(Err(Error::RequestTimeoutError)),
    }
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
    told_at: Instant,
    /// Whether there is something that has not been told.
    is_behind: bool,
}

impl<'a> Report<'a> {
    fn new(image: &'a str, watcher: &'a dyn Watcher) -> Self {
        let mut report = Self {
            image,
            watcher,
            layers: Layers::default(),
            told_at: Instant::now(),
            is_behind: false,
        };
        // Before the registry has said anything: it may take its time.
        report.tell();
        report
    }

    fn take(&mut self, message: &CreateImageInfo) {
        self.layers.take(message);
        self.is_behind = true;
        if self.told_at.elapsed() >= REPORT_PAUSE {
            self.tell();
        }
    }

    /// When there will be something to tell, should nothing happen until then.
    fn due(&self) -> Option<Instant> {
        self.is_behind.then(|| self.told_at + REPORT_PAUSE)
    }

    fn tell(&mut self) {
        self.told_at = Instant::now();
        self.is_behind = false;
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
                "{}: check its name and tag; when it is private, fetch it by hand: docker login {}, docker pull",
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
        ": the registry limits how much is fetched; wait, or fetch it by hand: docker login, docker pull",
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
            ": the registry wants a name and a password; fetch it by hand: docker login, docker pull",
        );
    }
    Verdict::NotToday("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ProgressDetail;

    /// Messages as `id status current/total`, and then layers done and known, bytes done and
    /// known.
    fn check(messages: &[&str], expected: [u64; 4]) {
        let mut layers = Layers::default();
        for message in messages {
            let (id, status) = message.split_once(' ').unwrap();
            let (status, detail) = match status.split_once(" = ") {
                Some((status, figures)) => (status, figures.split_once('/')),
                None => (status, None),
            };
            layers.take(&CreateImageInfo {
                id: (!id.is_empty()).then(|| id.to_owned()),
                status: Some(status.to_owned()),
                progress_detail: Some(ProgressDetail {
                    current: detail.map(|(current, _)| current.parse().unwrap()),
                    total: detail.and_then(|(_, total)| total.parse().ok()),
                }),
                ..CreateImageInfo::default()
            });
        }
        let progress = layers.progress("image");
        let found = [
            progress.layers_done as u64,
            progress.layers as u64,
            progress.bytes_done,
            progress.bytes,
        ];
        assert_eq!(found, expected, "{messages:?}");
    }

    #[test]
    fn layers_and_bytes_add_up() {
        check(&[], [0, 0, 0, 0]);
        check(
            &["latest Pulling from a/b", " Digest: x", " Status: y"],
            [0, 0, 0, 0],
        );
        check(
            &["a Pulling fs layer", "b Pulling fs layer", "b Waiting"],
            [0, 2, 0, 0],
        );
        check(
            &["a Downloading = 10/100", "b Downloading = 5/50"],
            [0, 2, 15, 150],
        );
        check(
            &["a Downloading = 10/100", "a Downloading = 20/100"],
            [0, 1, 20, 100],
        );
        check(
            &["a Downloading = 10/100", "a Verifying Checksum"],
            [0, 1, 100, 100],
        );
        check(
            &[
                "a Downloading = 10/100",
                "a Download complete",
                "a Extracting = 3/100",
            ],
            [0, 1, 100, 100],
        );
        check(
            &["a Downloading = 10/100", "a Pull complete", "b Already exists"],
            [2, 2, 100, 100],
        );
        check(
            &[
                "a Downloading = 90/100",
                "a Retrying in 5 seconds",
                "a Downloading = 1/100",
            ],
            [0, 1, 1, 100],
        );
        // Of unknown size, as some registries send layers.
        check(&["a Downloading = 10/?"], [0, 1, 0, 0]);
        check(&["a Downloading = -1/-1"], [0, 1, 0, 0]);
    }

    fn check_missing(message: &str) {
        assert_eq!(verdict(false, message), Verdict::Missing, "{message}");
    }

    fn check_not_today(message: &str, hint: &str) {
        match verdict(true, message) {
            Verdict::NotToday(said) => assert!(said.contains(hint), "{message}{said}"),
            Verdict::Missing => panic!("{message}"),
        }
    }

    #[test]
    fn an_image_that_is_nowhere_is_missing() {
        check_missing("manifest for a/b:v9 not found: manifest unknown: manifest unknown");
        check_missing(
            "pull access denied for a/b, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        );
        check_missing("repository host/a/b not found: name unknown: repository name not known to registry");
        check_missing("no matching manifest for linux/arm64/v8 in the manifest list entries");
        check_missing("failed to resolve reference \"docker.io/a/b:v9\": docker.io/a/b:v9: not found");
        assert_eq!(verdict(true, "whatever it says"), Verdict::Missing);
    }

    #[test]
    fn what_keeps_an_image_from_coming_is_told_from_its_absence() {
        check_not_today(
            "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host",
            "name server",
        );
        check_not_today(
            "Get \"https://r.example/v2/\": dial tcp 10.1.2.3:443: connect: connection refused",
            "registry runs",
        );
        check_not_today(
            "Get \"https://r.example/v2/\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
            "registry runs",
        );
        check_not_today(
            "Get \"https://r.example/v2/\": x509: certificate signed by unknown authority",
            "certificate",
        );
        check_not_today(
            "Get \"https://r.example/v2/\": http: server gave HTTP response to HTTPS client",
            "insecure-registries",
        );
        check_not_today(
            "toomanyrequests: You have reached your pull rate limit.",
            "limits",
        );
        check_not_today(
            "write /var/lib/docker/tmp/GetImageBlob1: no space left on device",
            "space",
        );
        assert!(
            matches!(verdict(false, "unauthorized: authentication required"), Verdict::NotToday(hint) if hint.contains("password"))
        );
        assert_eq!(verdict(false, "unexpected EOF"), Verdict::NotToday(""));
    }
}
