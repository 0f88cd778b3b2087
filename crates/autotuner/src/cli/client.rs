//! The service, as commands ask it.
//!
//! There is one path: a command asks the REST API, whoever answers. That is the service at an
//! address, the one of this machine's data directory, or, where none runs, the very same routes
//! in this process over the very same database. So no text, no rule and no record of the audit
//! log depends on how the service was reached.

pub(super) mod follow;
mod here;
pub(super) mod interrupt;
mod network;
pub(super) mod paper;
mod place;
pub(super) mod sse;
mod trouble;

use std::io::{Cursor, Read};
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::{Refusal, say};
use crate::config::Config;
use crate::service::access::secret::Secret;
use here::Here;
use network::{Base, Network};
use place::Place;
pub(super) use trouble::Trouble;

/// Longest wait for a service that is about to begin or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two looks at a data directory that is changing hands.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a question is asked of a service that wants it later.
const MOST_ATTEMPTS: u32 = 5;

/// Longest time that is waited for such a service at once.
const LATEST: Duration = Duration::from_secs(10);

/// Where the service is, on the command line.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Where {
    /// Address of the service [default: the one of the data directory]
    #[arg(long, global = true, value_name = "URL", help_heading = "Service options")]
    url: Option<String>,
    /// Token to show it; AUTOTUNER_TOKEN keeps it out of the list of processes
    #[arg(long, global = true, value_name = "TOKEN", help_heading = "Service options")]
    token: Option<String>,
}

impl Where {
    /// Whether an address was given.
    pub(super) fn is_elsewhere(&self, config: &Config) -> bool {
        self.url.is_some() || config.url.is_some()
    }
}

/// Whoever answers for the service.
pub(super) enum Client {
    /// A service that runs.
    Network(Box<Found>),
    /// Its routes, in this process: none runs.
    Here(Box<Here>),
}

/// A service that runs, and how it was found.
pub(super) struct Found {
    network: Network,
    /// The data directory whose record named it, and the token that was given for it; none
    /// where the address was given.
    by: Option<(Place, Option<Secret>)>,
}

/// A whole answer that is no error.
#[derive(Debug)]
pub(super) struct Answer {
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// Finds the service: at the address that was given, of the data directory, or in this
    /// process.
    ///
    /// # Errors
    /// An address that is none, or a data directory that cannot be opened.
    pub(super) fn reach(place: &Where, config: &Config) -> Result<Self, Refusal> {
        let url = place.url.as_ref().or(config.url.as_ref());
        let given = place
            .token
            .as_deref()
            .or(config.token.as_ref().map(Secret::reveal));
        // A file or a command that a token comes from ends in a line break.
        let token = given
            .map(str::trim)
            .filter(|token| !token.is_empty())
            .map(Secret::new);
        if let Some(token) = &token
            && HeaderValue::try_from(token.reveal()).is_err()
        {
            return Err(Refusal::message(
                "the token is none: it has characters that no token has",
            ));
        }
        match url {
            Some(url) => Self::at(url, token, config),
            None => Self::of_data_dir(token, config),
        }
    }

    /// Whether a service runs, so that what is started begins.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Network(_))
    }

    fn at(url: &str, token: Option<Secret>, config: &Config) -> Result<Self, Refusal> {
        let base = Base::read(url)?;
        // Whoever names the local service by its address is let in as if they had not.
        let ours = Place::of(&config.data_dir);
        let is_ours = || {
            ours.record()
                .is_some_and(|record| record.url.trim_end_matches('/') == base.as_str())
        };
        let token = token.or_else(|| is_ours().then(|| ours.token()).flatten());
        if base.is_open() && token.is_some() {
            say(&format!(
                "warning: the token goes to {} unencrypted; use https where others share the network",
                base.as_str()
            ));
        }
        let hint = "check the address (--url, AUTOTUNER_URL); autotuner serve starts a service".to_owned();
        let network = Network::new(base, token, config.service_proxy.clone(), hint);
        Ok(Self::Network(Box::new(Found { network, by: None })))
    }

    /// A data directory that changes hands (a service begins or ends, another command works on
    /// it) is looked at again for a while.
    fn of_data_dir(token: Option<Secret>, config: &Config) -> Result<Self, Refusal> {
        let place = Place::of(&config.data_dir);
        let begun = Instant::now();
        loop {
            if let Some(here) = Here::open(config)? {
                return Ok(Self::Here(Box::new(here)));
            }
            if let Some(record) = place.record()
                && let Some(network) = local(&record.url, token.clone().or_else(|| place.token()))
                && network.is_there()
            {
                let by = Some((place, token));
                return Ok(Self::Network(Box::new(Found { network, by })));
            }
            if begun.elapsed() > PATIENCE {
                return Err(Refusal::message(format!(
                    "the data directory {} is in use, and no service answers for it; \
                     wait until whoever uses it has ended, or name the service with --url",
                    config.data_dir.display()
                )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Looks where the service of the data directory is now: one that was started anew may be at
    /// another address. One whose address was given stays there.
    pub(super) fn look_again(&mut self) {
        if let Self::Network(found) = self
            && let Some((place, token)) = &found.by
            && let Some(record) = place.record()
            && let Some(network) = local(&record.url, token.clone().or_else(|| place.token()))
        {
            found.network = network;
        }
    }

    /// Asks for something.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(Method::GET, path, None)
    }

    /// Tells it to do something.
    pub(super) fn post(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(Method::POST, path, None)
    }

    /// Gives it something.
    pub(super) fn post_json(&self, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let body = ("application/json", body.to_string().into_bytes());
        self.ask(Method::POST, path, Some(body))
    }

    /// Gives it something that it may work at for so long.
    pub(super) fn post_json_patiently(
        &self,
        path: &str,
        body: &Value,
        patience: Duration,
    ) -> Result<Answer, Trouble> {
        let body = ("application/json", body.to_string().into_bytes());
        let mut request = request(Method::POST, path, Some(body));
        request.extensions_mut().insert(network::Patience(patience));
        self.ask_with(request)
    }

    /// Gives it a document as it was written.
    pub(super) fn post_text(&self, path: &str, kind: &'static str, text: String) -> Result<Answer, Trouble> {
        self.ask(Method::POST, path, Some((kind, text.into_bytes())))
    }

    /// Has it remove something.
    pub(super) fn delete(&self, path: &str) -> Result<Answer, Trouble> {
        self.ask(Method::DELETE, path, None)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Answer, Trouble> {
        self.ask_with(request(method, path, body))
    }

    fn ask_with(&self, request: Request<Vec<u8>>) -> Result<Answer, Trouble> {
        let mut attempts = 1;
        let answer = loop {
            let answer = match self {
                Self::Network(found) => found.network.ask(request.clone())?,
                Self::Here(here) => here.ask(request.clone())?,
            };
            match later(&answer) {
                Some(pause) if attempts < MOST_ATTEMPTS => std::thread::sleep(pause),
                _ => break answer,
            }
            attempts += 1;
        };
        let url = self.url().to_owned();
        let (parts, body) = Response::into_parts(answer);
        if !parts.status.is_success() {
            return Err(Trouble::refused(&url, parts.status, &body));
        }
        Ok(Answer {
            url,
            headers: parts.headers,
            body,
        })
    }

    /// Opens a stream of events, from behind the last one that was seen. `None` where nothing
    /// comes any more: no service runs, or what was followed is gone.
    pub(super) fn stream(
        &self,
        path: &str,
        last: Option<&str>,
    ) -> Result<Option<Box<dyn Read + Send>>, Trouble> {
        let Self::Network(found) = self else {
            return Ok(None);
        };
        let mut request = request(Method::GET, path, None);
        let headers = request.headers_mut();
        headers.insert("accept", HeaderValue::from_static("text/event-stream"));
        if let Some(last) = last.and_then(|last| HeaderValue::from_str(last).ok()) {
            headers.insert("last-event-id", last);
        }
        found.network.open(request)
    }

    /// Asks for something that may be too large to be held in memory.
    pub(super) fn read(&self, path: &str) -> Result<Box<dyn Read + Send>, Trouble> {
        let Self::Network(found) = self else {
            let answer = self.get(path)?;
            return Ok(Box::new(Cursor::new(answer.body)));
        };
        let mut request = request(Method::GET, path, None);
        request
            .headers_mut()
            .insert("accept", HeaderValue::from_static("*/*"));
        let opened = found.network.open(request)?;
        Ok(opened.unwrap_or_else(|| Box::new(Cursor::new(Vec::new()))))
    }

    /// Where it is, for people.
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Network(found) => found.network.url(),
            Self::Here(_) => "this process",
        }
    }
}

/// The service that a record tells of.
fn local(url: &str, token: Option<Secret>) -> Option<Network> {
    // A service that listens everywhere is reached on the loopback, which is its own name, too.
    let url = url
        .replace("://0.0.0.0:", "://127.0.0.1:")
        .replace("://[::]:", "://[::1]:");
    let base = Base::read(&url).ok()?;
    let hint = "start it with: autotuner serve".to_owned();
    Some(Network::new(base, token, None, hint))
}

/// When the question is to be asked again, where the service did nothing because there were too
/// many.
fn later(answer: &Response<Vec<u8>>) -> Option<Duration> {
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LATEST))
}

fn request(method: Method, path: &str, body: Option<(&'static str, Vec<u8>)>) -> Request<Vec<u8>> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("paths are put together from encoded parts");
    if let Some((kind, body)) = body {
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *request.body_mut() = body;
    }
    request
}

/// A text as a part of a path or of a query must be given it.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

impl Answer {
    /// The answer as JSON.
    pub(super) fn json(&self) -> Result<Value, Trouble> {
        serde_json::from_slice(&self.body).map_err(|error| Trouble::Strange {
            url: self.url.clone(),
            what: format!("its answer is no JSON: {error}"),
        })
    }

    /// The answer as a list of objects.
    pub(super) fn list(&self) -> Result<Vec<Value>, Trouble> {
        match self.json()? {
            Value::Array(list) => Ok(list),
            _ => Err(Trouble::Strange {
                url: self.url.clone(),
                what: "its answer is no list".into(),
            }),
        }
    }

    /// The answer as it came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// How many there are in all, where the answer is a part of a list.
    pub(super) fn total(&self) -> Option<u64> {
        self.headers.get("x-total-count")?.to_str().ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_into_paths_whatever_they_are() {
        let check = |text: &str, expected: &str| assert_eq!(encoded(text), expected);
        check("plain-name_1.0~", "plain-name_1.0~");
        check("a/b?c#d e%", "a%2Fb%3Fc%23d%20e%25");
        check("größe", "gr%C3%B6%C3%9Fe");
    }
}
