//! The service on the other side of a connection.
//!
//! Everything has a deadline, nothing is redirected (a token goes where it was meant to go and
//! nowhere else), and this machine is never asked through a proxy.

use std::io::Read;
use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, LOCATION};
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use super::trouble::Trouble;
use crate::cli::Refusal;
use crate::service::access::secret::Secret;

/// Longest time until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest time until an answer begins, and longest silence inside it.
const ANSWER: Duration = Duration::from_secs(30);

/// How much longer than usual the answer to a request may take: an extension of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(pub(super) Duration);

/// Longest silence of a stream: the service sends a sign of life every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// Largest answer that is held in memory.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A service that is reached over HTTP.
#[derive(Debug, Clone)]
pub(super) struct Network {
    agent: Agent,
    base: Base,
    token: Option<Secret>,
    /// What to do when nobody listens there.
    hint: String,
}

/// Where a service is: `https://tuner.example/tuner`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    text: String,
    host: String,
    is_encrypted: bool,
}

impl Base {
    /// Reads an address.
    ///
    /// # Errors
    /// It is no address of a service.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let refuse = |why: &str| Refusal::message(format!("the address {text} cannot be used: {why}"));
        let uri: Uri = text.parse().map_err(|_| refuse("it is no URL"))?;
        let is_encrypted = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(refuse("it begins with http:// or https://")),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return Err(refuse("it names no machine"));
        };
        if authority.as_str().contains('@') {
            return Err(Refusal::message(
                "the address of the service has a login in it; pass --token or AUTOTUNER_TOKEN instead",
            ));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(refuse("it has a query or a fragment"));
        }
        Ok(Self {
            text: text.trim_end_matches('/').to_owned(),
            host: authority.host().to_owned(),
            is_encrypted,
        })
    }

    /// The address as text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let address: Option<std::net::IpAddr> = host.parse().ok();
        match address {
            Some(address) => address.to_canonical().is_loopback(),
            None => host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// Whether who is on the way can read what is sent.
    pub(super) fn is_open(&self) -> bool {
        !self.is_encrypted && !self.is_loopback()
    }
}

impl Network {
    /// The service there.
    pub(super) fn new(base: Base, token: Option<Secret>, proxy: Option<ureq::Proxy>, hint: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy.filter(|_| !base.is_loopback()))
            .user_agent(concat!("autotuner/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_send_request(Some(ANSWER))
            .timeout_send_body(Some(ANSWER))
            .timeout_recv_response(Some(ANSWER))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            base,
            token,
            hint,
        }
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        self.base.as_str()
    }

    /// Whether somebody listens there.
    pub(super) fn is_there(&self) -> bool {
        let mut request = Request::new(Vec::new());
        *request.uri_mut() = Uri::from_static("/health");
        !matches!(self.ask(request), Err(Trouble::Unreachable { .. }))
    }

    /// Asks and waits for the whole answer.
    pub(super) fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Trouble> {
        let question = question(&request);
        let patience = patience(&request);
        let answer = self.send(request, patience)?;
        let (parts, body) = answer.into_parts();
        let body = body
            .into_with_config()
            .limit(LARGEST)
            .read_to_vec()
            .map_err(|error| self.trouble(error, question))?;
        if parts.status.is_redirection() {
            return Err(self.redirected(&parts.headers));
        }
        Ok(Response::from_parts(parts, body))
    }

    /// Asks for a stream: what comes is read as it comes. `None` where there is none any more.
    pub(super) fn open(&self, request: Request<Vec<u8>>) -> Result<Option<Box<dyn Read + Send>>, Trouble> {
        let answer = self.send(request, SILENCE)?;
        let (parts, mut body) = answer.into_parts();
        if parts.status.is_redirection() {
            return Err(self.redirected(&parts.headers));
        }
        if parts.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        if parts.status != StatusCode::OK {
            let said = body.with_config().limit(1024 * 1024).read_to_vec();
            return Err(Trouble::refused(
                self.url(),
                parts.status,
                &said.unwrap_or_default(),
            ));
        }
        Ok(Some(Box::new(body.into_with_config().limit(u64::MAX).reader())))
    }

    fn send(&self, mut request: Request<Vec<u8>>, silence: Duration) -> Result<Response<Body>, Trouble> {
        let question = question(&request);
        let patience = patience(&request);
        let url = format!("{}{}", self.base.as_str(), request.uri());
        *request.uri_mut() = url.parse().map_err(|_| Trouble::Strange {
            url: url.clone(),
            what: "that is no URL".into(),
        })?;
        let headers = request.headers_mut();
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token
            && let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
        {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let request = self
            .agent
            .configure_request(request)
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(ANSWER))
            .build();
        self.agent
            .run(request)
            .map_err(|error| self.trouble(error, question))
    }

    fn trouble(&self, source: ureq::Error, question: String) -> Trouble {
        let url = self.url().to_owned();
        match &source {
            ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::ConnectProxyFailed(_)
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => Trouble::Unreachable {
                url,
                hint: self.hint.clone(),
                source,
            },
            ureq::Error::Io(error) if is_unreachable(error.kind()) => Trouble::Unreachable {
                url,
                hint: self.hint.clone(),
                source,
            },
            ureq::Error::Protocol(_) => Trouble::Strange {
                url,
                what: source.to_string(),
            },
            _ => Trouble::Silent {
                url,
                question,
                source,
            },
        }
    }

    fn redirected(&self, headers: &axum::http::HeaderMap) -> Trouble {
        let to = headers.get(LOCATION).and_then(|to| to.to_str().ok());
        let to = to.unwrap_or("another address");
        Trouble::Strange {
            url: self.url().to_owned(),
            what: format!("it points to {to}; pass the service's own address with --url"),
        }
    }
}

fn is_unreachable(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable
    )
}

/// Longest time until the answer to a request begins.
fn patience(request: &Request<Vec<u8>>) -> Duration {
    let further = request.extensions().get::<Patience>();
    ANSWER + further.map_or(Duration::ZERO, |further| further.0)
}

fn question(request: &Request<Vec<u8>>) -> String {
    format!("{} {}", request.method(), request.uri().path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_others_refused() {
        let check = |text: &str, expected: Option<(&str, bool, bool)>| {
            let base = Base::read(text).ok();
            let told = base
                .as_ref()
                .map(|base| (base.as_str(), base.is_loopback(), base.is_open()));
            assert_eq!(told, expected, "{text}");
        };
        check(
            "http://127.0.0.1:8000/",
            Some(("http://127.0.0.1:8000", true, false)),
        );
        check(
            "http://localhost:8000",
            Some(("http://localhost:8000", true, false)),
        );
        check("http://[::1]:8000", Some(("http://[::1]:8000", true, false)));
        check(
            "http://[::ffff:127.0.0.1]:1",
            Some(("http://[::ffff:127.0.0.1]:1", true, false)),
        );
        check(
            "https://tuner.example/tuner/",
            Some(("https://tuner.example/tuner", false, false)),
        );
        check(
            "http://10.0.0.7:8000",
            Some(("http://10.0.0.7:8000", false, true)),
        );
        check(
            "http://127.0.0.1.evil.example",
            Some(("http://127.0.0.1.evil.example", false, true)),
        );
        for text in [
            "localhost:8000",
            "tuner.example",
            "ftp://x",
            "http://",
            "http://u:p@x",
            "http://x?y",
            "http://x#y",
        ] {
            check(text, None);
        }
    }
}
