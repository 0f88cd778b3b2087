//! One GET of the daemon, its body as it comes.
//!
//! The client that everything else uses hides where an answer's bytes end, and rounds times to
//! seconds. Logs are read at the daemon's own speed, and from a nanosecond on, so they get a
//! connection of their own each time. Redirects are not followed.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::containers::ContainerError;
use crate::docker::{Daemon, LOOK, too_long, unreachable};

/// Most that is read of a refusal.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// An answer whose body is still coming. Dropped, the connection is closed.
pub(crate) struct Answer {
    body: Incoming,
    address: String,
    _connection: AbortOnDropHandle<()>,
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
pub(crate) async fn get(daemon: &Daemon, name: &str, path: &str) -> Result<Answer, ContainerError> {
    match timeout(LOOK, ask(daemon, name, path)).await {
        Ok(answer) => answer,
        Err(_) => Err(ContainerError::gone(&too_long(daemon.address(), LOOK))),
    }
}

async fn ask(daemon: &Daemon, name: &str, path: &str) -> Result<Answer, ContainerError> {
    let address = daemon.address();
    let (mut sender, connection) = connect(daemon).await?;
    let version = daemon.docker().client_version();
    let request = Request::get(format!("/v{version}{path}"))
        .header(header::HOST, "docker")
        .body(Empty::<Bytes>::new())
        .map_err(|error| ContainerError::gone(&unreachable(address, &error)))?;
    let answer = sender.send_request(request).await;
    let answer = answer.map_err(|error| ContainerError::gone(&unreachable(address, &error)))?;
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        return Err(refusal(name, head.status, body).await);
    }
    Ok(Answer {
        body,
        address: address.to_owned(),
        _connection: connection,
    })
}

type Sender = SendRequest<Empty<Bytes>>;

async fn connect(daemon: &Daemon) -> Result<(Sender, AbortOnDropHandle<()>), ContainerError> {
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

async fn shake_hands<S>(address: &str, stream: S) -> Result<(Sender, AbortOnDropHandle<()>), ContainerError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| ContainerError::gone(&unreachable(address, &error)))?;
    let driven = tokio::spawn(async move {
        // What goes wrong with it shows where the body is read.
        let _ = connection.await;
    });
    Ok((sender, AbortOnDropHandle::new(driven)))
}

async fn refusal(name: &str, status: StatusCode, body: Incoming) -> ContainerError {
    let said = Limited::new(body, LONGEST_REFUSAL).collect().await;
    let said = said.map(http_body_util::Collected::to_bytes).unwrap_or_default();
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
        loop {
            let frame = match self.body.frame().await? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(ContainerError::gone(&unreachable(&self.address, &error)))),
            };
            if let Ok(bytes) = frame.into_data() {
                return Some(Ok(bytes));
            }
        }
    }

    /// The same where it is there already.
    pub(crate) fn next_now(&mut self) -> Option<Option<Result<Bytes, ContainerError>>> {
        self.next().now_or_never()
    }
}
