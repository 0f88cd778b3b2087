//! The whole HTTP side: every route behind every layer, and the listener in front.
//!
//! A request passes, in this order: a number for the log, the net that catches panics, the form
//! of its path, the host that it names; then, route found: the count of requests, whose page
//! asks, the type of its body, who asks, how often, how large. A layer that refuses says so in
//! JSON like every handler does. Who puts a `Caller` into the extensions of a request before it
//! gets here is this program itself, and is not asked where it comes from.

mod body;
mod edges;
mod guard;
mod identify;
mod listener;

pub(crate) use edges::current_request;
pub(super) use identify::log_in;
pub(crate) use listener::serve;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use super::error::ApiError;
use super::ui;
use crate::service::access::Caller;
use crate::service::{Service, metrics};

/// Where a connection comes from and where it arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) arrived_at: IpAddr,
}

/// From where a request comes, by all that is known of connections and proxies.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Client(pub(in crate::api) Option<IpAddr>);

/// Every route with every layer.
pub(crate) fn app(service: Arc<Service>) -> Router {
    let (routes, _document) = super::routes().split_for_parts();
    layered(service, routes)
}

/// These routes with every layer.
fn layered(service: Arc<Service>, routes: Router<Arc<Service>>) -> Router {
    let routed = routes
        .fallback(ui::fallback)
        .method_not_allowed_fallback(async |method: Method| method_not_allowed(&method))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(Arc::clone(&service), metrics::count))
                .layer(from_fn_with_state(Arc::clone(&service), guard::origin))
                .layer(from_fn_with_state(Arc::clone(&service), identify::token_in_url))
                .layer(from_fn_with_state(Arc::clone(&service), identify::caller))
                .layer(from_fn_with_state(Arc::clone(&service), identify::rate))
                .layer(from_fn(body::read))
                // Of a body without an announced length, only its end tells that there is none.
                .layer(from_fn(guard::media_type))
                .layer(DefaultBodyLimit::disable()),
        )
        .with_state(Arc::clone(&service));
    // Whatever reads the path before a route is found has to stand around the router.
    let before_routing = ServiceBuilder::new()
        .layer(from_fn(edges::finish))
        .layer(CatchPanicLayer::custom(edges::panicked))
        .layer(from_fn(edges::one_path_form))
        .layer(from_fn_with_state(service, guard::host))
        .service(routed);
    Router::new().fallback_service(before_routing)
}

fn method_not_allowed(method: &Method) -> ApiError {
    let text = format!("{method} is not something that can be done with this path");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text)
}

/// Whether this program itself asks: nobody else can put a caller there.
fn is_our_own(request: &Request) -> bool {
    request.extensions().get::<Caller>().is_some()
}

#[cfg(test)]
mod tests;
