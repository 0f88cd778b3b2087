//! The bytes of one connection, plain or under TLS.
//!
//! The one idea: every read is stamped as it returns, before anything looks at the bytes, and one
//! buffer serves all connections of a thread, since what was read is taken out of it in the same
//! turn.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::clock::Clock;
use crate::target::Target;

/// Most bytes that one connection reads before the others get their turn. Large enough for some
/// hundred chunks of text, small enough that to take them costs a fraction of a millisecond.
const READ: usize = 32 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// A connected socket.
pub(crate) enum Stream {
    Plain(TcpStream),
    Safe(Box<TlsStream<TcpStream>>),
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read<T> {
    /// Something, and whether there may be more at once.
    Taken {
        /// What was made of it.
        value: T,
        /// Whether the buffer was full.
        is_full: bool,
    },
    /// The other side will send nothing more.
    Closed,
}

impl Stream {
    /// Opens a connection, or says why there is none.
    ///
    /// # Errors
    /// The reason, for reading.
    pub(crate) async fn open(target: &Target, deadline: Duration) -> Result<Self, String> {
        let opening = async {
            let stream = TcpStream::connect(target.addresses.as_slice()).await?;
            stream.set_nodelay(true)?;
            match &target.tls {
                None => Ok(Self::Plain(stream)),
                Some(tls) => {
                    let safe = tls.connector.connect(tls.name.clone(), stream).await?;
                    Ok::<_, io::Error>(Self::Safe(Box::new(safe)))
                }
            }
        };
        match tokio::time::timeout(deadline, opening).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no connection within {deadline:?}")),
        }
    }

    /// Reads once, and hands what came, with its stamp, to `take`.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        clock: Clock,
        take: impl FnOnce(&[u8], u64) -> T,
    ) -> Poll<io::Result<Read<T>>> {
        BUFFER.with_borrow_mut(|bytes| {
            let mut buffer = ReadBuf::new(bytes);
            let read = match self {
                Self::Plain(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
                Self::Safe(stream) => Pin::new(stream.as_mut()).poll_read(cx, &mut buffer),
            };
            match read {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(Read::Closed)),
                Poll::Ready(Ok(())) => {
                    let stamp = clock.now();
                    Poll::Ready(Ok(Read::Taken {
                        is_full: buffer.remaining() == 0,
                        value: take(buffer.filled(), stamp),
                    }))
                }
            }
        })
    }

    /// Writes as much as the socket takes.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Safe(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    /// Sends what the encryption still holds back.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Safe(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }
}
