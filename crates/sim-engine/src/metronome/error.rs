//! Why a truth server could not start or had to end.
//!
//! Each variant says only its own layer; the cause, where there is one, is its `source`.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why a truth server could not start or had to end.
#[derive(Debug, Error)]
pub enum MetronomeError {
    /// An option's value is not one that the server can run with.
    #[error("cannot run with {flag}: {reason}")]
    InvalidOption {
        /// The flag at fault, with its dashes.
        flag: &'static str,
        /// What would do.
        reason: &'static str,
    },
    /// The host is not a numeric address or a name that this machine knows.
    #[error("cannot find the address of host `{host}`; give a numeric address, for example 127.0.0.1")]
    ResolveHost {
        /// The host as it was given.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}; is the port taken? `--port 0` takes a free one")]
    BindAddress {
        /// The address as it was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave none of what is needed for waiting.
    #[error("cannot set up what sockets and deadlines are waited with")]
    SetUpWaiting {
        /// What the system said.
        source: io::Error,
    },
    /// Waiting for sockets and deadlines failed.
    #[error("cannot wait for sockets and deadlines")]
    Wait {
        /// What the system said.
        source: io::Error,
    },
    /// The server's thread could not be started.
    #[error("cannot start a thread")]
    StartThread {
        /// What the system said.
        source: io::Error,
    },
    /// The server's thread panicked.
    #[error("the server's thread ended abnormally")]
    ThreadEnded,
}
