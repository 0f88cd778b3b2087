//! Where requests go: an endpoint, looked up and checked once.
//!
//! It makes requests whose head is ready and only the body is new. It does not connect.

use std::net::SocketAddr;
use std::time::Duration;

use autotuner_core::engine::Endpoint;
use autotuner_core::workload::Api;
use hyper::Uri;

use crate::BenchError;
use crate::tls::Tls;
use crate::wire::RequestHead;

/// Who asks, for a server's log.
const USER_AGENT: &str = concat!("inference-autotuner/", env!("CARGO_PKG_VERSION"));

/// An endpoint that can be asked.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The address as it was given, for messages.
    pub(crate) url: String,
    /// What the host's name stands for, at least one.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How the connection is made safe; `None` for plain HTTP.
    pub(crate) tls: Option<Tls>,
    /// Which API is asked.
    pub(crate) api: Api,
    /// What every request of the load begins with.
    pub(crate) head: RequestHead,
    /// What asks for the engine's own metrics.
    pub(crate) metrics_head: RequestHead,
}

impl Target {
    /// Reads the endpoint's address and looks up its host.
    ///
    /// # Errors
    /// [`BenchError::BadEndpoint`] when the address is none, is not HTTP, has an unknown host, or
    /// the key cannot be sent in a header.
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
        let (is_safe, usual_port) = match address.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(bad("it does not begin with http:// or https://".into())),
        };
        let host = address.host().ok_or_else(|| bad("it names no host".into()))?;
        let bare_host = host.trim_start_matches('[').trim_end_matches(']');
        let tls = match is_safe {
            true => Some(Tls::to(bare_host).map_err(bad)?),
            false => None,
        };
        let lookup = tokio::net::lookup_host((bare_host, address.port_u16().unwrap_or(usual_port)));
        let addresses: Vec<SocketAddr> = tokio::time::timeout(deadline, lookup)
            .await
            .map_err(|_| bad(format!("looking up the host took longer than {deadline:?}")))?
            .map_err(|error| bad(format!("its host cannot be looked up: {error}")))?
            .collect();
        if addresses.is_empty() {
            return Err(bad("its host has no address".into()));
        }
        let bearer = bearer(endpoint.api_key.as_deref()).map_err(bad)?;
        let base = base_path(&address);
        let call = call(api);
        Ok(Self {
            url: endpoint.base_url.clone(),
            addresses,
            tls,
            api,
            head: head(
                &address,
                "POST",
                &format!("{base}{call}"),
                accepted(api),
                bearer.as_deref(),
            ),
            metrics_head: head(
                &address,
                "GET",
                &format!("{base}/metrics"),
                "text/plain",
                bearer.as_deref(),
            ),
        })
    }
}

/// The authority that requests name. A user name before the host is no part of it.
fn authority(address: &Uri) -> &str {
    address.authority().map_or("", |authority| {
        authority.as_str().rsplit('@').next().unwrap_or_default()
    })
}

fn bearer(api_key: Option<&str>) -> Result<Option<String>, String> {
    let Some(key) = api_key else { return Ok(None) };
    match hyper::header::HeaderValue::from_str(key) {
        Ok(_) => Ok(Some(format!("Bearer {key}"))),
        Err(_) => Err("the API key has characters that no header can carry".to_owned()),
    }
}

fn head(address: &Uri, method: &str, path: &str, accept: &str, bearer: Option<&str>) -> RequestHead {
    let mut headers = vec![
        ("host", authority(address)),
        ("user-agent", USER_AGENT),
        ("accept", accept),
        ("content-type", "application/json"),
    ];
    headers.extend(bearer.map(|bearer| ("authorization", bearer)));
    RequestHead::new(method, path, &headers)
}

/// The path before an API's own. A base address that already ends in `/v1`, as clients of such
/// APIs write it, does not get a second one.
fn base_path(address: &Uri) -> &str {
    let base = address.path().trim_end_matches('/');
    base.strip_suffix("/v1").unwrap_or(base)
}

fn call(api: Api) -> &'static str {
    match api {
        Api::Chat => "/v1/chat/completions",
        Api::Completions => "/v1/completions",
        Api::LlamaCpp => "/completion",
        Api::Tgi => "/generate_stream",
        Api::Embeddings => "/v1/embeddings",
        Api::Rerank => "/v1/rerank",
    }
}

fn accepted(api: Api) -> &'static str {
    match api {
        Api::Chat | Api::Completions | Api::LlamaCpp | Api::Tgi => "text/event-stream",
        Api::Embeddings | Api::Rerank => "application/json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

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
            let mut request = Vec::new();
            target.head.write(&mut request, "id", &Bytes::new());
            let request = String::from_utf8(request).unwrap();
            let expected = format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {USER_AGENT}\r\naccept: text/event-stream\r\n\
                 content-type: application/json\r\nauthorization: Bearer key\r\nx-request-id: id\r\ncontent-length: 0\r\n\r\n"
            );
            assert_eq!(request, expected, "{base_url}");
        }
    }

    #[tokio::test]
    async fn addresses_that_cannot_be_used() {
        for (base_url, key, expected) in [
            ("", None, "no URL"),
            ("127.0.0.1:81", None, "does not begin with http://"),
            ("http//nonsense", None, "no URL"),
            ("ftp://127.0.0.1:81", None, "does not begin with http://"),
            ("http://127.0.0.1:81", Some("a\nb"), "API key"),
        ] {
            let error = resolve(base_url, key).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{base_url}: {error}");
            assert!(!error.contains("a\nb"), "the key is never shown");
        }
    }
}
