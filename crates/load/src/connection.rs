//! One connection, one request at a time.
//!
//! The one idea: the task that asks drives the socket itself. A request lies ready as one piece
//! of memory before its clock starts, and the stamp is taken right before the first write.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;
use crate::stream::{Read, Stream};
use crate::target::Target;
use crate::wire::{AnswerReader, RequestHead};

/// A connection to the endpoint, kept alive between requests.
pub(crate) struct Connection {
    stream: Stream,
    clock: Clock,
    /// The request that is being written, and how much of it is.
    request: Vec<u8>,
    written: usize,
    /// The answer that is being read.
    pub(crate) reader: AnswerReader,
    /// When bytes last came in.
    pub(crate) last_read_ns: u64,
    is_closed: bool,
}

/// Opens a connection, or says why there is none.
///
/// # Errors
/// The reason, for reading.
pub(crate) async fn connect(target: &Target, deadline: Duration, clock: Clock) -> Result<Connection, String> {
    Ok(Connection {
        stream: Stream::open(target, deadline).await?,
        clock,
        request: Vec::new(),
        written: 0,
        reader: AnswerReader::new(),
        last_read_ns: clock.now(),
        is_closed: false,
    })
}

impl Connection {
    /// Whether the next request can be sent at once. Notices when the server has closed.
    pub(crate) async fn is_ready(&mut self) -> bool {
        let stray = poll_fn(|cx| match self.stream.poll_read(cx, self.clock, |_, _| ()) {
            Poll::Pending => Poll::Ready(false),
            // What nobody asked for, or the end.
            Poll::Ready(_) => Poll::Ready(true),
        });
        if stray.await {
            self.is_closed = true;
        }
        !self.is_closed
    }

    /// Whether the connection is known to be closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Makes the next request ready. Nothing is sent yet.
    pub(crate) fn prepare(&mut self, head: &RequestHead, request_id: &str, body: &Bytes) {
        head.write(&mut self.request, request_id, body);
        self.written = 0;
        self.reader.start();
    }

    /// Writes what is left of the request.
    ///
    /// # Errors
    /// When the other side takes no more.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.request.len() {
            match self.stream.poll_write(cx, &self.request[self.written..]) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.written += count,
            }
        }
        self.stream.poll_flush(cx)
    }

    /// Reads once, and hands what came to `take`, with the reader of the answer and the stamp.
    pub(crate) fn poll_receive<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut AnswerReader, &[u8], u64) -> T,
    ) -> Poll<io::Result<Read<T>>> {
        let Self {
            stream,
            clock,
            reader,
            last_read_ns,
            ..
        } = self;
        stream.poll_read(cx, *clock, |bytes, stamp| {
            *last_read_ns = stamp;
            take(reader, bytes, stamp)
        })
    }
}
