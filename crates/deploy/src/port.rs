//! A port of our own for each engine, kept for the engine's whole life.
//!
//! The idea: we keep a socket bound to the port and never listen on it. While it is there
//! the kernel gives the port to nobody who asks for any free one, neither another of our
//! processes nor a stranger's outgoing connection, so no list of taken ports is needed. The
//! engine may still bind the very same port, because our socket says both `SO_REUSEADDR`
//! and `SO_REUSEPORT`: a server that sets either of them is let in beside a socket that does
//! not listen, and all connections go to the one that does. Every server we know sets one
//! (tokio, libuv, asyncio and with it uvicorn, Go, Java, cpp-httplib). A server that sets
//! neither fails to bind and says so in its log.
//!
//! A stranger who asks for exactly this port can still take it: see [`crate::listener`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// The only address engines on this machine are told to listen on.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A port that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct PortReservation {
    port: u16,
    /// Bound and never listening.
    _socket: TcpSocket,
}

impl PortReservation {
    /// Reserves a port that is free now.
    pub(crate) fn take() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // The order matters: a port is picked while neither flag is set, so that it is one
        // nobody else has, with whatever flags.
        socket.bind(SocketAddr::from((HOST, 0)))?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        Ok(Self {
            port: socket.local_addr()?.port(),
            _socket: socket,
        })
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Whether a server that sets these flags can bind a reserved port, and listen there.
    fn can_listen(reservation: &PortReservation, reuse_address: bool, reuse_port: bool) -> bool {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(reuse_address).unwrap();
        socket.set_reuseport(reuse_port).unwrap();
        let address = SocketAddr::from((HOST, reservation.port()));
        socket.bind(address).and_then(|()| socket.listen(1)).is_ok()
    }

    #[tokio::test]
    async fn a_server_with_either_flag_can_take_a_reserved_port() {
        let reservation = PortReservation::take().unwrap();
        assert!(can_listen(&reservation, true, false));
        assert!(can_listen(&reservation, false, true));
        assert!(can_listen(&reservation, true, true));
        assert!(!can_listen(&reservation, false, false), "the port is held");
    }

    #[tokio::test]
    async fn connections_go_to_the_server_and_not_to_the_reservation() {
        let reservation = PortReservation::take().unwrap();
        let address = SocketAddr::from((HOST, reservation.port()));
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens yet");
        let server = TcpListener::bind(address).await.unwrap();
        for _ in 0..20 {
            let (client, accepted) = tokio::join!(TcpStream::connect(address), server.accept());
            assert_eq!(client.unwrap().local_addr().unwrap(), accepted.unwrap().1);
        }
    }

    #[tokio::test]
    async fn a_server_on_all_addresses_can_take_it_too() {
        let reservation = PortReservation::take().unwrap();
        TcpListener::bind(("0.0.0.0", reservation.port())).await.unwrap();
        TcpListener::bind(("::", reservation.port())).await.unwrap();
    }

    #[test]
    fn no_port_is_given_twice() {
        let all: Vec<PortReservation> = (0..200).map(|_| PortReservation::take().unwrap()).collect();
        let ports: HashSet<u16> = all.iter().map(PortReservation::port).collect();
        assert_eq!(ports.len(), all.len());
        let free: Vec<std::net::TcpListener> = (0..200)
            .map(|_| std::net::TcpListener::bind((HOST, 0)).unwrap())
            .collect();
        let taken = free
            .iter()
            .filter(|socket| ports.contains(&socket.local_addr().unwrap().port()));
        assert_eq!(taken.count(), 0, "who asks for any port gets none that is held");
    }
}
