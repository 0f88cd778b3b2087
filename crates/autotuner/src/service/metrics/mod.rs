//! What is counted for Prometheus: requests, streams, panics.
//!
//! The one idea: labels come from closed sets only (route templates, known methods, classes of
//! status), so that nobody can make the registry grow by asking for odd things. What the
//! database or the system knows already is not counted here again; it is asked when the figures
//! are read.

mod exposition;
mod process;
mod render;

pub(crate) use exposition::CONTENT_TYPE;
pub(crate) use render::render;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use super::Service;
use process::process_use;

/// Upper ends of the buckets of durations, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Processor time over less than this tells nothing.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);

/// The route of requests that no route is for.
const NO_ROUTE: &str = "none";

/// Panics of this process, whoever's fault they were.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, &'static str), Requests>>,
    streams: Arc<AtomicI64>,
    looked: Mutex<Option<Look>>,
}

/// How much of the machine the process takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    /// Processor time of late, percent of one processor.
    pub(crate) cpu_percent: f64,
    /// Memory that is resident, bytes.
    pub(crate) resident_bytes: u64,
}

/// Processor time at an earlier look, and what was told of it then.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    cpu_seconds: f64,
    cpu_percent: f64,
}

/// Requests of one route and method.
#[derive(Debug, Clone, Default, PartialEq)]
struct Requests {
    /// How many, by the first digit of their status.
    classes: BTreeMap<u16, u64>,
    /// How many took no longer than each of [`BUCKETS`] and longer than the one before.
    buckets: [u64; BUCKETS.len()],
    /// All of them together, in seconds.
    seconds: f64,
}

/// A stream that is open, until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream(Arc<AtomicI64>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a stream as open for as long as the returned value lives.
    pub(crate) fn open_stream(&self) -> OpenStream {
        self.streams.fetch_add(1, Ordering::Relaxed);
        OpenStream(Arc::clone(&self.streams))
    }

    /// How much of the machine the process takes: its processor time since the last look, or
    /// since its start at the first. Two looks within a second tell the same.
    pub(crate) fn load(&self, uptime_seconds: f64) -> Load {
        let used = process_use();
        let at = Instant::now();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let cpu_percent = match *looked {
            Some(before) if at.duration_since(before.at) < SHORTEST_LOOK => before.cpu_percent,
            Some(before) => percent(
                used.cpu_seconds - before.cpu_seconds,
                at.duration_since(before.at).as_secs_f64(),
            ),
            None => percent(used.cpu_seconds, uptime_seconds),
        };
        if looked.is_none_or(|before| at.duration_since(before.at) >= SHORTEST_LOOK) {
            *looked = Some(Look {
                at,
                cpu_seconds: used.cpu_seconds,
                cpu_percent,
            });
        }
        Load {
            cpu_percent,
            resident_bytes: used.resident_bytes,
        }
    }

    /// Counts a request that was answered. How long a stream goes on is no matter: it counts as
    /// answered when it begins.
    fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = requests
            .entry((route.to_owned(), method_word(method)))
            .or_default();
        *requests.classes.entry(status.as_u16() / 100).or_default() += 1;
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|end| seconds <= *end) {
            requests.buckets[bucket] += 1;
        }
        requests.seconds += seconds;
    }
}

/// The layer that counts requests, for `axum::middleware::from_fn_with_state`. It belongs onto
/// the router, outside of every layer that answers in a handler's place.
pub(crate) async fn count(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    service
        .metrics
        .answered(route, &method, response.status(), began.elapsed());
    response
}

/// Counts every panic of the process from now on, before whatever else is done about it. Called
/// once, by whoever starts the service; again, it does nothing.
pub(crate) fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            before(panic);
        }));
    });
}

/// A part of a whole in percent, to one decimal; 0 where there is no whole yet.
fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole * 1_000.0).round().max(0.0) / 10.0
    } else {
        0.0
    }
}

/// A method as a label: any that we do not serve is one and the same.
fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
