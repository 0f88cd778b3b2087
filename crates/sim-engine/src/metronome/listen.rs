//! Where the server listens, and how many connections the system lets it have.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{Backlog, listen as set_backlog};

use super::error::MetronomeError;

/// Listens, without blocking, and says where.
pub(super) fn listen(host: &str, port: u16) -> Result<(TcpListener, SocketAddr), MetronomeError> {
    let resolve_failed = |source| MetronomeError::ResolveHost {
        host: host.to_owned(),
        source,
    };
    let wanted = (host, port)
        .to_socket_addrs()
        .map_err(resolve_failed)?
        .next()
        .ok_or_else(|| {
            let kind = io::ErrorKind::NotFound;
            resolve_failed(io::Error::new(kind, "the name has no address"))
        })?;
    let try_listen = || {
        let listener = TcpListener::bind(wanted)?;
        // The standard library asks for 128 who may wait to be accepted; a benchmark's clients
        // all come at once. This is the system's own limit, 4096 unless it was changed.
        set_backlog(&listener, Backlog::MAXALLOWABLE)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    try_listen().map_err(|source| MetronomeError::BindAddress {
        address: wanted,
        source,
    })
}

/// Asks for as many open files as the system allows. Where it refuses, there are fewer.
pub(super) fn allow_many_connections() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
