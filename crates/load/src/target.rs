//! Where requests go: an endpoint, looked up and checked once.
//!
//! It makes requests whose head is ready and only the body is new. It does not connect.

use std::net::SocketAddr;
use std::time::Duration;

use autotuner_core::engine::Endpoint;
use autotuner_core::workload::Api;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Uri};

use crate::BenchError;

/// An endpoint that can be asked.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The address as it was given, for messages.
    pub(crate) url: String,
    /// What the host's name stands for, at least one.
    pub(crate) addresses: Vec<SocketAddr>,
    headers: HeaderMap,
    path: Uri,
}

impl Target {
    /// Reads the endpoint's address and looks up its host.
    ///
    /// # Errors
    /// [`BenchError::BadEndpoint`] when the address is none, is not plain HTTP, has an
    /// unknown host, or the key cannot be sent in a header.
    pub(crate) async fn resolve(
        endpoint: &Endpoint,
        api: Api,
        deadline: Duration,
    ) -> Result<Self, BenchError> {
        let bad = |reason: String| BenchError::BadEndpoint {
            url: endpoint.base_url.clone(),
            reason,
        };
        let address: Uri = endpoint
            .base_url
            .parse()
            .map_err(|_| bad("it is no URL; write http://host:port".into()))?;
        match address.scheme_str() {
            Some("http") => (),
            Some("https") => return Err(bad("TLS is not supported; give an http:// address".into())),
            _ => return Err(bad("it does not begin with http://".into())),
        }
        let host = address.host().ok_or_else(|| bad("it names no host".into()))?;
        let bare_host = host.trim_start_matches('[').trim_end_matches(']');
        let lookup = tokio::net::lookup_host((bare_host, address.port_u16().unwrap_or(80)));
        let addresses: Vec<SocketAddr> = tokio::time::timeout(deadline, lookup)
            .await
            .map_err(|_| bad(format!("looking up the host took longer than {deadline:?}")))?
            .map_err(|error| bad(format!("its host cannot be looked up: {error}")))?
            .collect();
        if addresses.is_empty() {
            return Err(bad("its host has no address".into()));
        }
        Ok(Self {
            url: endpoint.base_url.clone(),
            addresses,
            headers: headers(&address, endpoint.api_key.as_deref()).map_err(bad)?,
            path: path(&address, api).map_err(bad)?,
        })
    }

    /// A request with this body.
    pub(crate) fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

fn headers(address: &Uri, api_key: Option<&str>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let authority = address.authority().map_or("", |authority| {
        // A user name before the host is no part of the Host header.
        authority.as_str().rsplit('@').next().unwrap_or_default()
    });
    let host =
        HeaderValue::from_str(authority).map_err(|_| "its host cannot be sent in a header".to_owned())?;
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    if let Some(key) = api_key {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| "the API key has characters that no header can carry".to_owned())?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(headers)
}

/// The path that is asked. A base address that already ends in `/v1`, as clients of such
/// APIs write it, does not get a second one.
fn path(address: &Uri, api: Api) -> Result<Uri, String> {
    let base = address.path().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let call = match api {
        Api::Chat => "chat/completions",
        Api::Completions => "completions",
    };
    format!("{base}/v1/{call}")
        .parse()
        .map_err(|_| "its path cannot be used".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolve(base_url: &str, api_key: Option<&str>) -> Result<Target, BenchError> {
        let endpoint = Endpoint {
            base_url: base_url.into(),
            model: "m".into(),
            api_key: api_key.map(str::to_owned),
        };
        Target::resolve(&endpoint, Api::Chat, Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn addresses_that_can_be_used() {
        for (base_url, address, host, path) in [
            (
                "http://127.0.0.1:81",
                "127.0.0.1:81",
                "127.0.0.1:81",
                "/v1/chat/completions",
            ),
            (
                "http://127.0.0.1",
                "127.0.0.1:80",
                "127.0.0.1",
                "/v1/chat/completions",
            ),
            (
                "http://127.0.0.1:81/",
                "127.0.0.1:81",
                "127.0.0.1:81",
                "/v1/chat/completions",
            ),
            (
                "http://127.0.0.1:81/v1/",
                "127.0.0.1:81",
                "127.0.0.1:81",
                "/v1/chat/completions",
            ),
            (
                "http://127.0.0.1:81/a/b",
                "127.0.0.1:81",
                "127.0.0.1:81",
                "/a/b/v1/chat/completions",
            ),
            ("http://[::1]:81", "[::1]:81", "[::1]:81", "/v1/chat/completions"),
        ] {
            let target = resolve(base_url, Some("key")).await.unwrap();
            assert_eq!(target.addresses, [address.parse().unwrap()], "{base_url}");
            let request = target.request(Bytes::new());
            assert_eq!(request.uri().to_string(), path, "{base_url}");
            assert_eq!(request.headers()[HOST], host, "{base_url}");
            assert_eq!(request.headers()[AUTHORIZATION], "Bearer key", "{base_url}");
        }
    }

    #[tokio::test]
    async fn addresses_that_cannot_be_used() {
        for (base_url, key, expected) in [
            ("", None, "no URL"),
            ("127.0.0.1:81", None, "does not begin with http://"),
            ("http//nonsense", None, "no URL"),
            ("https://127.0.0.1:81", None, "TLS is not supported"),
            ("ftp://127.0.0.1:81", None, "does not begin with http://"),
            ("http://127.0.0.1:81", Some("a\nb"), "API key"),
        ] {
            let error = resolve(base_url, key).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{base_url}: {error}");
            assert!(!error.contains("a\nb"), "the key is never shown");
        }
    }
}
