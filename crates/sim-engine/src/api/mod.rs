//! The engine's HTTP interface: OpenAI's completions, and what an operator asks for.
//!
//! Handlers parse, submit and render. They decide nothing about batching and hold no state of
//! their own: everything shared is in [`Shared`].

mod answer;
mod ask;
mod complete;
mod endless;
mod metrics;
mod places;
mod refusal;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::driver::{Statistics, Submission};
use crate::fault::Fault;
use crate::identity::Identity;
use crate::journal::Journal;
use crate::options::Options;
use crate::truth::TruthRing;
use places::Places;
use refusal::Refusal;

/// The largest request that is read; a prompt of the longest legal length is far smaller.
const LARGEST_REQUEST: usize = 64 * 1024 * 1024;

/// How late the fault `slow-first-token` is, at full speed.
const SLOW_FIRST_TOKEN_SECONDS: f64 = 10.0;

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    identity: Identity,
    model_name: String,
    max_model_len: u32,
    block_size: u32,
    seed: u64,
    faults: Vec<Fault>,
    /// How late `slow-first-token` is.
    slow_first_token: Duration,
    places: Places,
    clock: Clock,
    journal: Journal,
    truth: Arc<TruthRing>,
    submissions: mpsc::Sender<Submission>,
    statistics: watch::Receiver<Statistics>,
    readiness: watch::Receiver<bool>,
    ordinals: AtomicU64,
}

/// What ties the handlers to the rest of the engine.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) truth: Arc<TruthRing>,
    pub(crate) submissions: mpsc::Sender<Submission>,
    pub(crate) statistics: watch::Receiver<Statistics>,
    pub(crate) readiness: watch::Receiver<bool>,
}

impl Shared {
    /// What handlers need of an engine with these flags.
    pub(crate) fn new(options: &Options, links: Links) -> Self {
        let Links {
            identity,
            clock,
            truth,
            submissions,
            statistics,
            readiness,
        } = links;
        Self {
            identity,
            model_name: options.model_name().to_owned(),
            max_model_len: options.max_model_len,
            block_size: options.block_size,
            seed: options.seed,
            faults: options.fault.clone(),
            slow_first_token: Duration::from_secs_f64(SLOW_FIRST_TOKEN_SECONDS * options.time_scale),
            places: Places::new(options.fault.iter().find_map(|fault| match fault {
                Fault::RefuseAtHighLoad(most) => Some(most.get()),
                _ => None,
            })),
            clock,
            journal: Journal::new(options.log_level),
            truth,
            submissions,
            statistics,
            readiness,
            ordinals: AtomicU64::new(0),
        }
    }

    fn check_ready(&self) -> Result<(), Refusal> {
        if *self.readiness.borrow() {
            Ok(())
        } else {
            Err(Refusal::Loading)
        }
    }

    /// The place of a new completion request among all, from 1.
    fn next_ordinal(&self) -> u64 {
        self.ordinals.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// All routes of an engine.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/version", get(version))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/models", get(models))
        .route("/v1/completions", post(complete::text))
        .route("/v1/chat/completions", post(complete::chat))
        .route("/sim/truth", get(truth).delete(clear_truth))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::new(shared))
}

async fn health(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, Refusal> {
    shared.check_ready()?;
    Ok(Json(json!({ "status": "ok" })))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": crate::VERSION }))
}

async fn models(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, Refusal> {
    shared.check_ready()?;
    Ok(Json(json!({
        "object": "list",
        "data": [{
            "id": shared.model_name,
            "object": "model",
            "created": 0,
            "owned_by": "sim",
            "max_model_len": shared.max_model_len,
        }],
    })))
}

/// The latest requests as they really went, with the engine's name, and with the time now, so
/// that a client can relate the engine's clock to its own.
async fn truth(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let requests = shared.truth.all();
    Json(json!({
        "identity": shared.identity.as_str(), "now_ns": shared.clock.now(), "requests": requests,
    }))
}

async fn clear_truth(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.truth.clear();
    StatusCode::NO_CONTENT
}
