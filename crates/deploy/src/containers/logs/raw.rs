//! One GET of the daemon, its body as it comes.
//!
//! The client that everything else uses hides where an answer's bytes end, and rounds times to
//! seconds. Logs are read at the daemon's own speed, and from a nanosecond on, so they get a
//! connection of their own each time. Redirects are not followed.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::Empty;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode, Version, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::containers::ContainerError;
use crate::docker::{Daemon, LOOK, too_long, unreachable};

/// Most that is read of a refusal.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// A connection, which moves only while it is polled. What goes wrong with it shows where the
/// answer is read.
type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An answer whose body is still coming. Dropped, the connection is closed.
pub(crate) struct Answer {
    body: Incoming,
    address: String,
    /// Driven by whoever reads the body: a task of its own would be woken for each line. Nothing
    /// once it has ended.
    connection: Option<Connection>,
}

/// What the daemon says when it refuses.
#[derive(Deserialize)]
struct Message {
    message: String,
}

/// Asks for a path, which concerns what is called `name`. The answer's beginning has a deadline;
/// its body may take as long as it likes.
///
/// # Errors
/// [`ContainerError`].
pub(crate) async fn get(
    daemon: &Daemon,
    name: &str,
    path: &str,
    is_endless: bool,
) -> Result<Answer, ContainerError> {
    match timeout(LOOK, ask(daemon, name, path, is_endless)).await {
        Ok(answer) => answer,
        Err(_) => Err(ContainerError::gone(&too_long(daemon.address(), LOOK))),
    }
}

async fn ask(daemon: &Daemon, name: &str, path: &str, is_endless: bool) -> Result<Answer, ContainerError> {
    let address = daemon.address();
    let (mut sender, connection) = connect(daemon).await?;
    let version = daemon.docker().client_version();
    let request = Request::get(format!("/v{version}{path}"))
        // In HTTP/1.1 the daemon sends each line in a part of its own, which costs more to read than
        // the line. The price of the older way: an end looks like a connection that broke. To
        // whoever follows an end proves nothing anyway.
        .version(if is_endless {
            Version::HTTP_10
        } else {
            Version::HTTP_11
        })
        .header(header::HOST, "docker")
        .body(Empty::<Bytes>::new())
        .map_err(|error| ContainerError::gone(&unreachable(address, &error)))?;
    let mut connection = Some(connection);
    let mut asked = Box::pin(sender.send_request(request));
    let answer = poll_fn(|context| {
        drive(&mut connection, context);
        asked.as_mut().poll(context)
    })
    .await;
    let answer = answer.map_err(|error| ContainerError::gone(&unreachable(address, &error)))?;
    let (head, body) = answer.into_parts();
    let answer = Answer {
        body,
        address: address.to_owned(),
        connection,
    };
    match head.status {
        StatusCode::OK => Ok(answer),
        status => Err(refusal(name, status, answer).await),
    }
}

type Sender = SendRequest<Empty<Bytes>>;

async fn connect(daemon: &Daemon) -> Result<(Sender, Connection), ContainerError> {
    let address = daemon.address();
    let broken = |error: std::io::Error| ContainerError::gone(&unreachable(address, &error));
    match address.strip_prefix("unix://") {
        Some(path) => shake_hands(address, UnixStream::connect(path).await.map_err(broken)?).await,
        None => {
            let stream = TcpStream::connect(daemon.socket_address())
                .await
                .map_err(broken)?;
            shake_hands(address, stream).await
        }
    }
}

async fn shake_hands<S>(address: &str, stream: S) -> Result<(Sender, Connection), ContainerError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| ContainerError::gone(&unreachable(address, &error)))?;
    Ok((sender, Box::pin(connection.map(drop))))
}

/// Lets a connection move on.
fn drive(connection: &mut Option<Connection>, context: &mut Context<'_>) {
    if let Some(moving) = connection
        && moving.as_mut().poll(context).is_ready()
    {
        *connection = None;
    }
}

async fn refusal(name: &str, status: StatusCode, mut answer: Answer) -> ContainerError {
    let mut said = Vec::new();
    while said.len() < LONGEST_REFUSAL
        && let Some(Ok(more)) = answer.next().await
    {
        said.extend_from_slice(&more);
    }
    let message = match serde_json::from_slice::<Message>(&said) {
        Ok(Message { message }) => message,
        // Some refusals, of a version for instance, are plain text.
        Err(_) => String::from_utf8_lossy(&said).into_owned(),
    };
    ContainerError::of_answer(name, status.as_u16(), &message)
}

impl Answer {
    /// The next part of the body; `None` at its end. May be dropped while it waits.
    ///
    /// # Errors
    /// [`ContainerError::Unreachable`]: it broke off.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, ContainerError>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, ContainerError>>> {
        let mut has_moved = false;
        loop {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    let error = unreachable(&self.address, &error);
                    return Poll::Ready(Some(Err(ContainerError::gone(&error))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Poll::Pending if has_moved => return Poll::Pending,
                // The body has what the connection has read, and no more.
                Poll::Pending => {
                    drive(&mut self.connection, context);
                    has_moved = true;
                }
            }
        }
    }

    /// The same where it is there already.
    pub(crate) fn next_now(&mut self) -> Option<Option<Result<Bytes, ContainerError>>> {
        self.next().now_or_never()
    }
}
