//! One GET of the daemon, its body as it comes.
//!
//! The client that everything else uses hides where an answer's bytes end, and rounds times to
//! seconds. Logs are read at the daemon's own speed, and from a nanosecond on, so they get a
//! connection of their own each time. Redirects are not followed.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body_util::Empty;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode, Version, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::containers::ContainerError;
use crate::docker::{Daemon, LOOK, too_long, unreachable};

/// Most that is fetched and not taken.
const MOST_BYTES: usize = 1024 * 1024;

/// Most that is read of a refusal.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// A connection, which moves only while it is polled. What goes wrong with it shows where the
/// answer is read.
type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An answer whose body is still coming. Dropped, the connection is closed.
pub(crate) struct Answer {
    came: Arc<Came>,
    _pump: AbortOnDropHandle<()>,
}

/// What has come of a body and was not taken yet.
///
/// The daemon writes line by line, and a socket holds few such small parts: it is held up unless
/// they are fetched at once. So they are, into here, whatever is done with them when.
#[derive(Default)]
struct Came {
    state: Mutex<State>,
    filled: Notify,
    taken: Notify,
}

#[derive(Default)]
struct State {
    bytes: BytesMut,
    end: Option<Result<(), ContainerError>>,
}

/// Where a body comes from.
struct Pump {
    body: Incoming,
    address: String,
    /// Driven together with the body. Nothing once it has ended.
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
        // In HTTP/1.1 the daemon sends each line in a part of its own, and reading those costs more
        // than reading the lines. The price: an end looks like a connection that broke, so
        // whoever needs to know asks whether the daemon is still there.
        .version(Version::HTTP_10)
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
    let answer = Answer::of(Pump {
        body,
        address: address.to_owned(),
        connection,
    });
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

impl Came {
    fn state(&self) -> MutexGuard<'_, State> {
        // Bytes are added and taken whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is; `None` where there is nothing so far.
    fn take(&self) -> Option<Option<Result<Bytes, ContainerError>>> {
        let mut state = self.state();
        if !state.bytes.is_empty() {
            let bytes = state.bytes.split().freeze();
            drop(state);
            self.taken.notify_one();
            return Some(Some(Ok(bytes)));
        }
        match state.end.clone()? {
            Ok(()) => Some(None),
            Err(error) => {
                state.end = Some(Ok(()));
                Some(Some(Err(error)))
            }
        }
    }
}

impl Answer {
    fn of(pump: Pump) -> Self {
        let came = Arc::new(Came::default());
        let pumping = tokio::spawn(pump.run(Arc::clone(&came)));
        Self {
            came,
            _pump: AbortOnDropHandle::new(pumping),
        }
    }

    /// What comes next of the body; `None` at its end. May be dropped while it waits.
    ///
    /// # Errors
    /// [`ContainerError::Unreachable`]: it broke off.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, ContainerError>> {
        loop {
            if let Some(came) = self.came.take() {
                return came;
            }
            self.came.filled.notified().await;
        }
    }

    /// The same where it is there already.
    pub(crate) fn next_now(&mut self) -> Option<Option<Result<Bytes, ContainerError>>> {
        self.came.take()
    }
}

impl Pump {
    /// Fetches the body to its end, as far as there is room for it.
    async fn run(mut self, came: Arc<Came>) {
        loop {
            while came.state().bytes.len() > MOST_BYTES {
                came.taken.notified().await;
            }
            let next = poll_fn(|context| self.poll_next(context)).await;
            let has_ended = !matches!(next, Some(Ok(_)));
            let was_empty = {
                let mut state = came.state();
                let was_empty = state.bytes.is_empty();
                match next {
                    Some(Ok(bytes)) => state.bytes.extend_from_slice(&bytes),
                    Some(Err(error)) => state.end = Some(Err(error)),
                    None => state.end = Some(Ok(())),
                }
                was_empty
            };
            if was_empty || has_ended {
                came.filled.notify_one();
            }
            if has_ended {
                return;
            }
        }
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
}
