//! One connection, one stream at a time.
//!
//! The one idea: the connection is driven by the task that uses it. The request is written
//! in the same poll in which it is sent, no second task stands between the socket and the
//! stamp, and dropping the connection closes it. Every read is stamped as it returns, before
//! anything looks at the bytes.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::clock::{Clock, LastRead};
use crate::target::Target;

/// A connection to the endpoint, kept alive between requests.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once the connection is closed.
    driver: Option<Driver>,
    last_read: LastRead,
}

/// Opens a connection, or says why there is none.
///
/// # Errors
/// The reason, for reading.
pub(crate) async fn connect(target: &Target, deadline: Duration, clock: Clock) -> Result<Connection, String> {
    let opening = async {
        let stream = TcpStream::connect(target.addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        Ok::<_, io::Error>(stream)
    };
    let stream = match tokio::time::timeout(deadline, opening).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no connection within {deadline:?}")),
    };
    let last_read = LastRead::new(clock);
    let stream = StampedStream {
        inner: TokioIo::new(stream),
        last_read: last_read.clone(),
    };
    let (sender, driver) = http1::handshake(stream)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Connection {
        sender,
        driver: Some(driver),
        last_read,
    })
}

impl Connection {
    /// When bytes last came in.
    pub(crate) fn last_read(&self) -> &LastRead {
        &self.last_read
    }

    /// Whether the next request can be sent at once. Notices when the server has closed.
    pub(crate) async fn is_ready(&mut self) -> bool {
        std::future::poll_fn(|cx| {
            advance(&mut self.driver, cx);
            Poll::Ready(())
        })
        .await;
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Whether the connection is known to be closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.driver.is_none()
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// When the connection breaks before that, or what comes back is no HTTP.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let answer = self.sender.send_request(request);
        drive(&mut self.driver, answer).await
    }

    /// Runs something that waits for this connection, and the connection with it.
    pub(crate) async fn drive<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        drive(&mut self.driver, waiting).await
    }
}

type Driver = http1::Connection<StampedStream, Full<Bytes>>;

/// Polls `waiting`, then the connection, then `waiting` again, which the connection may just
/// have served. In this order a frame that is there is always taken before more is read, so
/// the last read's stamp is the stamp of the frame.
async fn drive<T>(driver: &mut Option<Driver>, waiting: impl Future<Output = T>) -> T {
    let mut waiting = pin!(waiting);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(value) = waiting.as_mut().poll(cx) {
            return Poll::Ready(value);
        }
        advance(driver, cx);
        waiting.as_mut().poll(cx)
    })
    .await
}

/// Lets the connection read and write what it can.
fn advance(driver: &mut Option<Driver>, cx: &mut Context<'_>) {
    if let Some(connection) = driver
        && Pin::new(connection).poll(cx).is_ready()
    {
        // A closed connection answers whatever still waits for it when it is dropped.
        *driver = None;
    }
}

/// A socket that stamps every read.
struct StampedStream {
    inner: TokioIo<TcpStream>,
    last_read: LastRead,
}

impl Read for StampedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if read.is_ready() {
            self.last_read.note();
        }
        read
    }
}

impl Write for StampedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }
}
