//! Accepts connections and owns them until they end.
//!
//! Every connection's task belongs to one set, so that stopping leaves nothing behind: on
//! stop, idle connections close at once, answers under way get a short grace, and what is
//! left is dropped.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::journal::Journal;

/// How long answers under way may go on after a stop.
const GRACE: Duration = Duration::from_millis(200);
/// How long to wait after an accept failed, most likely for want of file descriptors.
const BACKOFF: Duration = Duration::from_millis(20);

/// Serves `router` on `listener` until `stop`, then closes everything.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    journal: Journal,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    open.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Err(error) => {
                    journal.error(format_args!("cannot accept a connection: {error}"));
                    tokio::time::sleep(BACKOFF).await;
                }
            },
        }
    }
    drop(listener);
    let drained =
        tokio::time::timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        open.shutdown().await;
    }
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Without this, a token can wait for the client to acknowledge the one before.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends is the client's affair; the requests on it keep their own records.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
