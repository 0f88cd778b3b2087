//! Refuses what was not meant for this service, and what another site's page asks for.

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::error::ApiError;
use super::{Peer, is_our_own};
use crate::service::Service;
use crate::service::access::hosts::Authority;
use crate::service::access::origin::{self, Asked};

/// Types of bodies that are read.
const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
];

/// Where a form with a file is read, too.
const FORMS: [&str; 1] = ["/api/presets/import"];

/// Lets only those requests pass that name a host of ours, whatever they ask for.
pub(super) async fn host(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    if is_our_own(&request) {
        return next.run(request).await;
    }
    let arrived_at = request.extensions().get::<Peer>().map(|peer| peer.arrived_at);
    let named = host_of(request.uri(), request.headers());
    let named = named.filter(|named| service.access.hosts().allows(named, arrived_at));
    let Some(named) = named else {
        return misdirected().into_response();
    };
    request.extensions_mut().insert(named);
    next.run(request).await
}

/// The one host that a request names. An address in the request line must agree.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut values = headers.get_all(HOST).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let host: Authority = value.to_str().ok()?.parse().ok()?;
    match uri.authority() {
        None => Some(host),
        Some(authority) => (authority.as_str().parse() == Ok(host.clone())).then_some(host),
    }
}

fn misdirected() -> ApiError {
    ApiError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong_host",
        "This service is not known by the host name of this request",
    )
    .with_hint(
        "ask it by localhost or its address, with its port; or start it with --allowed-host and that name",
    )
}

/// Refuses what another site's page asks for.
pub(super) async fn origin(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let access = &service.access;
    if let Some(host) = request.extensions().get::<Authority>() {
        let headers = request.headers();
        let asked = Asked {
            method: request.method(),
            headers,
            host,
            credential: origin::credential(headers, access.has_cookie(headers)),
        };
        if let Err(foreign) = origin::check(&asked, access.hosts(), access.is_behind_proxy()) {
            return ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", foreign.to_string())
                .with_hint("programs show a token as `Authorization: Bearer`; pages are this service's own")
                .into_response();
        }
    }
    next.run(request).await
}

/// Lets bodies pass that are JSON or YAML, as they say. A form of another site's page cannot say
/// that.
pub(super) async fn media_type(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_form_read = FORMS.contains(&request.uri().path());
    if !is_read(request.headers(), is_form_read) {
        let text = "The body must be application/json or application/yaml, and say so in Content-Type";
        return ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", text).into_response();
    }
    next.run(request).await
}

fn is_read(headers: &HeaderMap, is_form_read: bool) -> bool {
    // Nothing is unpacked here, so nothing can unpack to more than it weighs.
    let is_packed = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None, false) = (values.next(), values.next(), is_packed) else {
        return false;
    };
    let essence = value
        .to_str()
        .ok()
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    let is = |known: &str| essence.eq_ignore_ascii_case(known);
    MEDIA_TYPES.into_iter().any(is) || (is_form_read && is("multipart/form-data"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_names_one_host() {
        let check = |uri: &str, hosts: &[&str], expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_str(host).unwrap());
            }
            let named = host_of(&uri.parse().unwrap(), &headers).map(|named| named.to_string());
            assert_eq!(named.as_deref(), expected, "{uri} {hosts:?}");
        };
        check("/", &["localhost:8000"], Some("localhost:8000"));
        check("/", &[], None);
        check("/", &["localhost:8000", "localhost:8000"], None);
        check("/", &["localhost:8000", "evil.com"], None);
        check(
            "http://localhost:8000/",
            &["localhost:8000"],
            Some("localhost:8000"),
        );
        check(
            "http://LOCALHOST:8000/",
            &["localhost:8000"],
            Some("localhost:8000"),
        );
        check("http://evil.com/", &["localhost:8000"], None);
        check("http://localhost:8000/", &["evil.com"], None);
        check("http://localhost:8000/", &[], None);
        check("http://user@localhost:8000/", &["localhost:8000"], None);
    }

    #[test]
    fn bodies_say_that_they_are_json_or_yaml() {
        let check = |types: &[&str], encoding: Option<&'static str>, is_form_read: bool, expected: bool| {
            let mut headers = HeaderMap::new();
            for value in types {
                headers.append(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
            }
            if let Some(encoding) = encoding {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            assert_eq!(
                is_read(&headers, is_form_read),
                expected,
                "{types:?} {encoding:?}"
            );
        };
        check(&["application/json"], None, false, true);
        check(&["Application/JSON; charset=utf-8"], None, false, true);
        check(&["text/yaml"], None, false, true);
        check(&["application/x-yaml"], Some("identity"), false, true);
        check(&[], None, false, false);
        check(&["text/plain"], None, false, false);
        check(&["text/plain; application/json"], None, false, false);
        check(&["application/x-www-form-urlencoded"], None, false, false);
        check(&["multipart/form-data; boundary=x"], None, false, false);
        check(&["multipart/form-data; boundary=x"], None, true, true);
        check(&["application/json", "text/plain"], None, false, false);
        check(&["application/json"], Some("gzip"), false, false);
        check(&["application/jsonx"], None, false, false);
    }
}
