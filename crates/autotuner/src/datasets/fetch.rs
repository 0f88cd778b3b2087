//! Fetches one file over HTTP, within limits.
//!
//! The one idea: whoever is asked may be slow, endless or false, so everything has a limit: who
//! is asked at all, how many redirects are followed, how long it takes, how much is read. Nothing
//! is unpacked, and no proxy is used: it would look names up in our place.

use std::io::Read as _;
use std::time::Duration;

use autotuner_load::dataset::MOST_BYTES;
use tokio_util::sync::CancellationToken;
use ureq::Agent;
use ureq::http::Uri;
use ureq::unversioned::transport::DefaultConnector;

use super::address::{Judged, Reach};
use super::too_large;

/// Longest time for a whole file.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// Longest time for looking a name up, for connecting, and for the head of an answer.
const FIRST_BYTE: Duration = Duration::from_secs(15);

const MOST_REDIRECTS: u32 = 3;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// The file is the one that is known already.
    Unchanged,
    /// The file, and its tag if it has one.
    New { bytes: Vec<u8>, etag: Option<String> },
}

/// Fetches a file, unless it is still the one of this tag.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn fetch(
    url: &str,
    reach: Reach,
    known: Option<&str>,
    patience: Duration,
    cancel: &CancellationToken,
) -> Result<Fetched, String> {
    // A user name and a password before the host are sent to it and to nobody whom it leads to.
    let address: Uri = url.parse().map_err(|_| "is no address of the web".to_owned())?;
    if address.authority().is_none() {
        return Err("names no host".into());
    }
    let mut request = agent(url, reach, patience).get(url);
    if let Some(etag) = known {
        request = request.header("if-none-match", etag);
    }
    let mut answer = request.call().map_err(|error| failed(&error))?;
    let status = answer.status();
    if known.is_some() && status.as_u16() == 304 {
        return Ok(Fetched::Unchanged);
    }
    if status.as_u16() != 200 {
        return Err(format!("cannot be fetched: the server answers {status}"));
    }
    if let Some(length) = answer
        .body()
        .content_length()
        .filter(|length| *length > MOST_BYTES as u64)
    {
        return Err(too_large(length));
    }
    let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok());
    let etag = etag.filter(|etag| etag.len() < 1_000).map(str::to_owned);
    let mut reader = answer.body_mut().as_reader();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if cancel.is_cancelled() {
            return Err("was given up: the run was stopped".into());
        }
        let read = reader.read(&mut buffer).map_err(|error| failed(&error.into()))?;
        if read == 0 {
            return Ok(Fetched::New { bytes, etag });
        }
        bytes.extend_from_slice(&buffer[..read]);
        if bytes.len() > MOST_BYTES {
            return Err(too_large(bytes.len() as u64));
        }
    }
}

fn agent(url: &str, reach: Reach, patience: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // What begins encrypted stays so.
        .https_only(url.starts_with("https://"))
        .max_redirects(MOST_REDIRECTS)
        .max_redirects_will_error(true)
        .proxy(None)
        .user_agent(concat!("autotuner/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(patience))
        .timeout_resolve(Some(FIRST_BYTE))
        .timeout_connect(Some(FIRST_BYTE))
        .timeout_recv_response(Some(FIRST_BYTE))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Judged::new(reach))
}

fn failed(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(denied) => denied.to_string(),
        ureq::Error::HostNotFound => "cannot be fetched: nobody knows its host".into(),
        ureq::Error::TooManyRedirects => {
            format!("cannot be fetched: it leads on more than {MOST_REDIRECTS} times")
        }
        ureq::Error::RequireHttpsOnly(_) => "cannot be fetched: it leads from https:// to http://".into(),
        ureq::Error::Timeout(_) => "cannot be fetched: it takes too long".into(),
        other => format!("cannot be fetched: {other}"),
    }
}
