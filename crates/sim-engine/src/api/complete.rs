//! `POST /v1/completions` and `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use tokio::sync::mpsc;

use super::Shared;
use super::answer::{Answer, CutBody, Parts, collect};
use super::ask::{Ask, AskLimits, read_chat, read_text};
use super::refusal::Refusal;
use super::wire::{Renderer, Style};
use crate::driver::Submission;
use crate::fault::{RequestFault, request_fault};
use crate::truth::{Arrival, Outcome};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers `POST /v1/completions`.
pub(crate) async fn text(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    complete(shared, request, Style::Text).await
}

/// Answers `POST /v1/chat/completions`.
pub(crate) async fn chat(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    complete(shared, request, Style::Chat).await
}

async fn complete(shared: Arc<Shared>, request: Request, style: Style) -> Result<Response, Refusal> {
    let received_ns = shared.clock.now();
    shared.check_ready()?;
    let given_id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| Refusal::ReadBody(rejection.body_text()))?;
    let limits = AskLimits {
        max_model_len: shared.max_model_len,
        block_size: shared.block_size,
    };
    let ask = match style {
        Style::Text => read_text(&body, limits),
        Style::Chat => read_chat(&body, limits),
    }?;
    if ask.model != shared.model_name {
        return Err(Refusal::UnknownModel {
            asked: ask.model,
            served: shared.model_name.clone(),
        });
    }
    let ordinal = shared.next_ordinal();
    let arrival = Arrival {
        request_id: given_id.unwrap_or_else(|| format!("sim-{ordinal}")),
        ordinal,
        received_ns,
        prompt_tokens: ask.prompt.tokens,
    };
    let header = HeaderValue::from_str(&arrival.request_id);
    let mut response = accept(&shared, ask, style, arrival).await;
    if let Ok(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    Ok(response)
}

async fn accept(shared: &Shared, ask: Ask, style: Style, arrival: Arrival) -> Response {
    let Ask {
        model,
        prompt,
        max_tokens,
        is_streaming,
        includes_usage,
    } = ask;
    let request_id = arrival.request_id.clone();
    shared.journal.debug(format_args!(
        "request {request_id}: {} + {max_tokens} tokens",
        prompt.tokens
    ));
    let fault = request_fault(&shared.faults, arrival.ordinal);
    let record = shared.truth.open(arrival);
    if let Some(response) = spoilt_from_the_start(fault) {
        record.end(Outcome::Faulted, shared.clock.now());
        return response;
    }
    let place = match shared.places.take() {
        Ok(place) => place,
        Err(refusal) => {
            record.end(Outcome::Faulted, shared.clock.now());
            return refusal.into_response();
        }
    };
    // The whole answer fits, so that the engine never waits for a slow reader; what a reader
    // leaves unread is bounded by the length it asked for.
    let capacity = usize::try_from(max_tokens).expect("32 bits fit a usize");
    let (sender, tokens) = mpsc::channel(capacity);
    let parts = Parts {
        renderer: Renderer {
            style,
            request_id,
            model,
            identity: shared.identity.clone(),
        },
        tokens,
        _place: place,
        record: Arc::clone(&record),
        clock: shared.clock,
        seed: shared.seed,
        fingerprint: prompt.fingerprint,
        max_tokens,
        includes_usage,
        fault,
        slow_first_token: shared.slow_first_token,
    };
    let submission = Submission {
        prompt,
        max_tokens,
        tokens: sender,
        record,
    };
    if shared.submissions.send(submission).await.is_err() {
        return Refusal::Stopping.into_response();
    }
    if is_streaming {
        stream(Answer::new(parts))
    } else {
        whole(parts).await
    }
}

fn spoilt_from_the_start(fault: Option<RequestFault>) -> Option<Response> {
    match fault? {
        RequestFault::Http500 => Some(Refusal::Fault.into_response()),
        RequestFault::Garbage => {
            Some(Html("<!DOCTYPE html><html><body>It works!</body></html>").into_response())
        }
        RequestFault::CutStream
        | RequestFault::Stall
        | RequestFault::BadJson
        | RequestFault::SlowFirstToken
        | RequestFault::EndlessLine => None,
    }
}

fn stream(answer: Answer) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from_stream(answer)).into_response()
}

async fn whole(parts: Parts) -> Response {
    let headers = [(CONTENT_TYPE, "application/json")];
    match collect(parts).await {
        Ok(body) => (headers, body).into_response(),
        Err(_cut) => (headers, Body::from_stream(CutBody::default())).into_response(),
    }
}
