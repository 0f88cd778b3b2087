//! A service without a network, for tests of handlers: the routes of a test service, without the
//! layers around them, asked by whoever a test says.

use std::sync::Arc;

use autotuner_deploy::gpu::FixedGpus;
use autotuner_store::Role;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

use super::routes;
use crate::service::Service;
use crate::service::access::{Caller, Settings};
use crate::service::metrics::count;
use crate::service::testing::{self, START_MS};

/// What time it is in tests: 2023-11-14T22:13:20Z.
pub(crate) const NOW_MS: i64 = START_MS;

/// A service, and whoever asks it.
pub(crate) struct TestService {
    /// The service.
    pub(crate) service: Arc<Service>,
    /// Its GPUs, none at first.
    pub(crate) gpus: Arc<FixedGpus>,
    router: Router,
    /// What it is over: its clock and its tokens.
    pub(crate) inner: testing::TestService,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The same answer, of this status or else a failure.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

/// The routes of a service.
fn router_of(service: &Arc<Service>) -> Router {
    let (router, _) = routes().split_for_parts();
    let counted = axum::middleware::from_fn_with_state(Arc::clone(service), count);
    router.layer(counted).with_state(Arc::clone(service))
}

/// Gets something of any service as a viewer.
pub(crate) async fn get_of(service: &Arc<Service>, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty());
    sent(
        router_of(service),
        Some(Role::Viewer),
        request.expect("a sound request"),
    )
    .await
}

async fn sent(router: Router, role: Option<Role>, mut request: Request<Body>) -> Answer {
    if let Some(role) = role {
        request.extensions_mut().insert(Caller {
            name: role.as_str().to_owned(),
            role,
            address: None,
        });
    }
    let response = router.oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body that ends");
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

impl TestService {
    /// A service that was just started.
    pub(crate) async fn start() -> Self {
        Self::over(testing::TestService::new(Settings::default()).await)
    }

    /// The routes of this service.
    pub(crate) fn over(inner: testing::TestService) -> Self {
        let service = Arc::clone(&inner.service);
        let gpus = Arc::clone(&inner.gpus);
        Self {
            router: router_of(&service),
            service,
            gpus,
            inner,
        }
    }

    /// Sends a request as somebody of this role, or as nobody.
    pub(crate) async fn send(&self, role: Option<Role>, request: Request<Body>) -> Answer {
        sent(self.router.clone(), role, request).await
    }

    /// Gets something as a viewer.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Role::Viewer, Method::GET, path, None).await
    }

    /// Sends JSON as an operator.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Role::Operator, Method::POST, path, Some(body)).await
    }

    /// Sends a request with or without JSON.
    pub(crate) async fn call(&self, role: Role, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(Some(role), request.expect("a sound request")).await
    }
}
