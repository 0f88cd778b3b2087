//! A gate between a client and a server, to be closed or broken at will.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// What the gate does with what comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Lets it through.
    Open,
    /// Holds back the answers once a connection has brought this many bytes of them.
    Stalls {
        /// How many.
        after: usize,
    },
    /// Breaks all connections off, and each new one.
    Broken,
}

/// What comes through.
#[derive(Default)]
struct Traffic {
    connections: AtomicUsize,
    answered_bytes: AtomicUsize,
}

/// A connection that is counted while it lasts.
struct Connection(Arc<Traffic>);

impl Connection {
    fn new(traffic: &Arc<Traffic>) -> Self {
        traffic.connections.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(traffic))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A proxy. Dropped, it breaks all connections off and takes none any more.
pub(super) struct Proxy {
    gate: watch::Sender<Gate>,
    traffic: Arc<Traffic>,
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    /// In front of a server's socket, on a socket of its own.
    pub(super) fn unix(socket: &Path, server: PathBuf) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        Self::start(move |gate, traffic, mut connections| async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = server.clone();
                connections.spawn(carry(
                    client,
                    async { UnixStream::connect(server).await },
                    gate.clone(),
                    Connection::new(&traffic),
                ));
            }
        })
    }

    /// In front of a server's port, on a port of its own, which is given too.
    pub(super) async fn tcp(server: u16) -> (Self, u16) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self::start(move |gate, traffic, mut connections| async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", server));
                connections.spawn(carry(client, server, gate.clone(), Connection::new(&traffic)));
            }
        });
        (proxy, port)
    }

    fn start<F>(accept: impl FnOnce(watch::Receiver<Gate>, Arc<Traffic>, JoinSet<()>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (gate, receiver) = watch::channel(Gate::Open);
        let traffic = Arc::new(Traffic::default());
        let task = tokio::spawn(accept(receiver, Arc::clone(&traffic), JoinSet::new()));
        Self {
            gate,
            traffic,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(super) fn set(&self, gate: Gate) {
        self.gate.send_replace(gate);
    }

    /// How many connections are open now.
    pub(super) fn connections(&self) -> usize {
        self.traffic.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of answers have come through.
    pub(super) fn answered_bytes(&self) -> usize {
        self.traffic.answered_bytes.load(Ordering::SeqCst)
    }
}

async fn carry<C, S>(
    client: C,
    server: impl Future<Output = io::Result<S>>,
    mut gate: watch::Receiver<Gate>,
    connection: Connection,
) where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let Ok(server) = server.await else { return };
    let (mut client_reads, mut client_writes) = tokio::io::split(client);
    let (mut server_reads, mut server_writes) = tokio::io::split(server);
    let mut flow = gate.clone();
    let broken = gate.wait_for(|gate| *gate == Gate::Broken);
    let questions = tokio::io::copy(&mut client_reads, &mut server_writes);
    let answers = async {
        let mut buffer = vec![0; 16 * 1024];
        let mut carried = 0;
        loop {
            let passes = |gate: &Gate| !matches!(gate, Gate::Stalls { after } if carried >= *after);
            let _ = flow.wait_for(passes).await;
            let length = server_reads.read(&mut buffer).await.unwrap_or(0);
            if length == 0 || client_writes.write_all(&buffer[..length]).await.is_err() {
                break;
            }
            carried += length;
            connection.0.answered_bytes.fetch_add(length, Ordering::SeqCst);
        }
        let _ = client_writes.shutdown().await;
    };
    // A client that hangs up ends it, and so does a server.
    tokio::select! {
        biased;
        _ = broken => {}
        _ = questions => {}
        () = answers => {}
    }
}
