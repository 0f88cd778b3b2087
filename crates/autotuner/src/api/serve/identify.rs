//! Who asks, and how often.
//!
//! Everything below `/api` needs a known caller, whatever its handler says, so that a handler
//! that forgets to ask lets nobody in. The one way in is the login.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::error::ApiError;
use super::super::ui;
use super::edges::empty;
use super::{Client, Peer, is_our_own};
use crate::service::Service;
use crate::service::access::origin::is_safe;
use crate::service::access::secret::Secret;
use crate::service::access::{Caller, Recognised, SessionError};

/// Paths that say how the service is, to everybody and without asking the database who it is.
const PROBES: [&str; 3] = ["/health", "/healthz", "/readyz"];

/// Where a caller becomes known.
const LOGIN: &str = "/api/auth/login";

/// Pages that take a token in their address.
const ENTRANCES: [&str; 2] = ["/", "/login"];

/// Whether a path is nobody's who is not known.
fn is_closed(method: &Method, path: &str) -> bool {
    let is_login = path == LOGIN && *method == Method::POST;
    let is_below = |parent: &str| {
        path.strip_prefix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    (is_below("/api") || is_below("/metrics")) && !is_login
}

/// Recognises the caller, and turns away who is not known where that is needed.
pub(super) async fn caller(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = client_address(&service, &request);
    request.extensions_mut().insert(Client(address));
    let path = request.uri().path();
    let is_for_everybody =
        PROBES.contains(&path) || ui::is_for_everybody(request.method(), path, request.headers());
    if is_our_own(&request) || is_for_everybody {
        return next.run(request).await;
    }
    let now_ms = service.clock.now_ms();
    let recognised = service
        .access
        .recognise(&service.database, request.headers(), address, now_ms)
        .await;
    match recognised {
        Ok(Some(recognised)) => {
            request.extensions_mut().insert(recognised.caller.clone());
            request.extensions_mut().insert(recognised);
            next.run(request).await
        }
        Ok(None) if is_closed(request.method(), request.uri().path()) => {
            match request.headers().contains_key(AUTHORIZATION) {
                true => wrong_token().into_response(),
                false => unauthenticated().into_response(),
            }
        }
        Ok(None) => next.run(request).await,
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// Refuses changes that come too fast, and attempts to log in.
pub(super) async fn rate(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let is_login = request.uri().path() == LOGIN;
    let counted = if is_safe(request.method()) {
        Ok(())
    } else if is_login {
        let client = request.extensions().get::<Client>();
        service.access.login_attempt(client.and_then(|client| client.0))
    } else if let Some(recognised) = request.extensions().get::<Recognised>() {
        service.access.change(&recognised.caller)
    } else {
        Ok(())
    };
    match counted {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Takes the token that is in the address of a page, sets the cookie for it and leads to the
/// page without it, so that it stays in no history. A browser whose token is not good is led to
/// the page, too, which then says so.
pub(super) async fn token_in_url(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let is_entrance = request.method() == Method::GET && ENTRANCES.contains(&request.uri().path());
    let Some(token) = token_of(request.uri()).filter(|_| is_entrance && !is_our_own(&request)) else {
        return next.run(request).await;
    };
    let address = client_address(&service, &request);
    match enter(&service, &token, address).await {
        Ok(cookie) => {
            let mut response = led_to("/");
            response.headers_mut().insert(SET_COOKIE, cookie);
            response
        }
        Err(error) if ui::wants_page(request.headers()) => led_to(match error.status {
            StatusCode::UNAUTHORIZED => "/#login?error=token",
            StatusCode::TOO_MANY_REQUESTS => "/#login?error=wait",
            _ => "/#login?error=service",
        }),
        Err(error) => error.into_response(),
    }
}

/// Leads a browser to a page, from an address that nobody is to keep.
fn led_to(page: &'static str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(page));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn enter(service: &Service, token: &Secret, address: Option<IpAddr>) -> Result<HeaderValue, ApiError> {
    service.access.login_attempt(address)?;
    let (_, cookie) = log_in(service, token, address).await?;
    Ok(cookie)
}

/// Begins a session: the caller, and the cookie that is to be set.
///
/// # Errors
/// 401 where the token is not good.
pub(in crate::api) async fn log_in(
    service: &Service,
    token: &Secret,
    address: Option<IpAddr>,
) -> Result<(Caller, HeaderValue), ApiError> {
    let now_ms = service.clock.now_ms();
    let begun = service
        .access
        .begin_session(&service.database, token, address, now_ms)
        .await;
    match begun {
        Ok(Some(begun)) => Ok(begun),
        Ok(None) => {
            tracing::warn!(
                address = address.map(tracing::field::display),
                "a wrong token was shown to log in"
            );
            Err(wrong_token())
        }
        Err(SessionError::Store(error)) => Err(ApiError::from(error)),
        Err(error @ SessionError::Random(_)) => Err(ApiError::internal(&error)),
    }
}

/// The token in an address.
fn token_of(uri: &Uri) -> Option<Secret> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
        .map(Secret::new)
}

fn client_address(service: &Service, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.address.ip());
    service.access.client_address(peer, request.headers())
}

fn unauthenticated() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not authenticated")
        .with_hint("show a token as `Authorization: Bearer`, or log in")
}

fn wrong_token() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "wrong_token", "This token is not good").with_hint(
        "it may have been revoked or have expired; `autotuner serve` says where this machine's own is",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_the_api_is_closed_but_the_login() {
        let check = |method: &str, path: &str, expected: bool| {
            let method = method.parse().unwrap();
            assert_eq!(is_closed(&method, path), expected, "{method} {path}");
        };
        check("GET", "/api", true);
        check("GET", "/api/tasks", true);
        check("DELETE", "/api/tasks/1", true);
        check("GET", "/api/nothing", true);
        check("POST", "/api/auth/login", false);
        check("GET", "/api/auth/login", true);
        check("POST", "/api/auth/login/x", true);
        check("GET", "/metrics", true);
        check("GET", "/", false);
        check("GET", "/apixyz", false);
        check("GET", "/health", false);
    }
}
