//! What every stream shares: a bounded number of them, their headers, their frames.
//!
//! Frames are written here and not by a library's builder because a log of a million lines is as
//! many frames. Nothing that comes from outside is put into a frame unless it is one line: see
//! [`plain`].

use std::convert::Infallible;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use futures_util::StreamExt as _;

use super::error::ApiError;
use crate::service::Service;
use crate::service::access::{Caller, Permit};
use crate::service::metrics::OpenStream;

/// How long a stream may be silent: proxies cut what is silent for a minute.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// A frame that says nothing, and shows that the connection is alive.
pub(super) const HEARTBEAT_FRAME: &str = ": heartbeat\n\n";

/// The right to have a stream open, until it is dropped.
pub(super) struct Hold {
    _permit: Permit,
    _open: OpenStream,
}

/// Lets a caller open a stream.
///
/// # Errors
/// 429 where too many are open.
pub(super) fn hold(service: &Service, caller: &Caller) -> Result<Hold, ApiError> {
    Ok(Hold {
        _permit: service.access.stream_permit(caller)?,
        _open: service.metrics.open_stream(),
    })
}

/// The id of the last frame that a client got: the header, with which a browser comes back, goes
/// before the query, which stays as it was.
pub(super) fn last_event_id<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<&'a str> {
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    header.or(query).filter(|id| !id.is_empty())
}

/// The answer that these frames make.
pub(super) fn response<F: Into<Bytes> + 'static>(frames: impl Stream<Item = F> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // Proxies of nginx's kind keep answers back otherwise.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = frames.map(|frame| Ok::<Bytes, Infallible>(frame.into()));
    (headers, Body::from_stream(body)).into_response()
}

/// The same stream, which holds its right until its end.
pub(super) fn held<S: Stream>(stream: S, hold: Hold) -> impl Stream<Item = S::Item> {
    stream.inspect(move |_| {
        let _held = &hold;
    })
}

/// Writes an unnamed frame. Neither text may have a line break.
pub(super) fn write_frame(frames: &mut String, id: Option<&dyn Display>, data: &str) {
    if let Some(id) = id {
        writeln!(frames, "id: {id}").expect("memory takes everything");
    }
    frames.push_str("data: ");
    frames.push_str(data);
    frames.push_str("\n\n");
}

/// Writes a text as one line: control characters, which would end it, are shown as escapes.
/// Tabulators and what colours begin with stay.
pub(super) fn plain(line: &mut String, text: &str) {
    // Nearly every line is as it should be; this is told by its bytes alone. 0xc2 begins the
    // control characters beyond ASCII, and some that are none.
    if !text
        .bytes()
        .any(|byte| byte < b' ' || byte == 0x7f || byte == 0xc2)
    {
        line.push_str(text);
        return;
    }
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t' && c != '\x1b') {
        let control = rest[at..].chars().next().unwrap_or_default();
        line.push_str(&rest[..at]);
        match control {
            '\r' => line.push_str("\\r"),
            '\n' => line.push_str("\\n"),
            _ => write!(line, "\\x{:02x}", u32::from(control)).expect("memory takes everything"),
        }
        rest = &rest[at + control.len_utf8()..];
    }
    line.push_str(rest);
}

#[cfg(test)]
mod tests;
