//! Accepts connections, as many as there is room for, and lets them go at the end.
//!
//! A connection costs memory before anything is known of who made it. So there is a number of
//! them in all and for each address, and each has a time within which it must have asked.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{Peer, app};
use crate::service::{Service, metrics};

/// Connections in all, where the system lets us have so many files open.
const MOST: usize = 4_096;

/// Connections of one address of another machine.
const MOST_PER_ADDRESS: usize = 256;

/// How long a connection may take to send the head of its next request.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// Largest head of a request; also what is read at once of its body.
const LARGEST_HEAD: usize = 64 * 1_024;

/// Most headers of a request.
const MOST_HEADERS: usize = 100;

/// How long requests may still take once the end was asked for.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// How long to wait after a connection could not be accepted.
const AFTER_TROUBLE: Duration = Duration::from_millis(100);

/// Answers on this listener until the service's soft stop. Then no connection is accepted any
/// more, idle ones are closed, and requests have five seconds to end.
///
/// # Errors
/// The listener does not say where it listens.
pub(crate) async fn serve(service: Arc<Service>, listener: TcpListener) -> io::Result<()> {
    listener.local_addr()?;
    metrics::count_panics();
    let app = app(Arc::clone(&service));
    let shutdown = service.shutdown.clone();
    let rooms = Rooms::new(room_for_connections(), service.access.is_behind_proxy());
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let _cut_at_the_end = cut.clone().drop_guard();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.soft.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => {
                // Whoever finds no room is told by a closed connection: an answer would cost more.
                let Some(room) = rooms.take(address.ip()) else {
                    continue;
                };
                let ends = Ends {
                    soft: shutdown.soft.clone(),
                    cut: cut.clone(),
                };
                let answering = answer(stream, address, app.clone(), ends);
                connections.spawn(async move {
                    answering.await;
                    drop(room);
                });
            }
            Err(error) => {
                // Out of files, or a connection that was gone at once: either passes.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(AFTER_TROUBLE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let ended = timeout(LAST_REQUESTS, connections.wait());
    tokio::select! {
        ended = ended => if ended.is_err() {
            tracing::warn!(connections = connections.len(), "requests that had not ended were cut off");
        },
        () = shutdown.hard.cancelled() => {}
    }
    Ok(())
}

/// What ends a connection from our side.
struct Ends {
    /// Answer what was asked and close.
    soft: CancellationToken,
    /// Close.
    cut: CancellationToken,
}

/// Answers the requests of one connection.
async fn answer(stream: TcpStream, address: SocketAddr, app: Router, ends: Ends) {
    let Ok(arrived_at) = stream.local_addr() else {
        return;
    };
    // Answers are small and are waited for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers of a connection may be late");
    }
    let peer = Peer {
        address,
        arrived_at: arrived_at.ip(),
    };
    let answers = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        app.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), answers)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return told(ended),
        () = ends.soft.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection.as_mut() => told(ended),
        () = ends.cut.cancelled() => {}
    }
}

fn told(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// How many connections there may be: half of the files that we may have open, which are as
/// many as the system lets us have.
fn room_for_connections() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return MOST / 8;
    };
    let wanted = hard.min(2 * MOST as u64);
    let files = if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() {
        wanted
    } else {
        soft
    };
    usize::try_from(files / 2).unwrap_or(MOST).min(MOST)
}

/// Connections that are open, by address.
struct Rooms {
    most: usize,
    /// A proxy's connections are many people's.
    is_behind_proxy: bool,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Rooms {
    fn new(most: usize, is_behind_proxy: bool) -> Arc<Self> {
        Arc::new(Self {
            most,
            is_behind_proxy,
            open: Mutex::default(),
        })
    }

    /// Room for one more connection from there. This machine itself may have as many as there
    /// are in all: what runs on it could end us anyway.
    fn take(self: &Arc<Self>, address: IpAddr) -> Option<Room> {
        let address = address.to_canonical();
        let is_counted = !self.is_behind_proxy && !address.is_loopback();
        let mut open = self.lock();
        let mine = open.get(&address).copied().unwrap_or(0);
        let is_full = open.values().sum::<usize>() >= self.most || (is_counted && mine >= MOST_PER_ADDRESS);
        if is_full {
            return None;
        }
        open.insert(address, mine + 1);
        Some(Room {
            rooms: Arc::clone(self),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for a connection, given back when this is dropped.
struct Room {
    rooms: Arc<Rooms>,
    address: IpAddr,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut open = self.rooms.lock();
        if let Some(mine) = open.get_mut(&self.address) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_in_all_and_by_address() {
        let far: IpAddr = [10, 0, 0, 1].into();
        let near: IpAddr = [127, 0, 0, 1].into();
        let take = |rooms: &Arc<Rooms>, address, count: usize| -> Vec<Room> {
            (0..count).map_while(|_| rooms.take(address)).collect()
        };
        let rooms = Rooms::new(600, false);
        let held = take(&rooms, far, 600);
        assert_eq!(held.len(), MOST_PER_ADDRESS);
        let more = take(&rooms, near, 600);
        assert_eq!(more.len(), 600 - MOST_PER_ADDRESS);
        assert!(rooms.take([10, 0, 0, 2].into()).is_none());
        drop(held);
        assert!(rooms.take([10, 0, 0, 2].into()).is_some());
        drop(more);
        assert!(rooms.lock().is_empty());
        let rooms = Rooms::new(600, true);
        assert_eq!(take(&rooms, far, 700).len(), 600);
    }
}
