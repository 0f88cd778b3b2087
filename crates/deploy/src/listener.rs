//! Whose the socket is that would answer on a port.
//!
//! An answer proves that somebody is there, not who. Here the socket is followed from the
//! kernel's table of listeners to the process that holds it. This module asks nothing over
//! the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Listener;
use crate::port::HOST;
use crate::procfs::{self, ListeningSocket, Stat};

/// Who would answer a connection to `port`, given the engine's own processes.
pub(crate) fn listener_on(port: u16, members: &[Stat]) -> std::io::Result<Listener> {
    let sockets = procfs::listening_sockets()?;
    let is_ours = |inode| {
        members
            .iter()
            .any(|member| procfs::holds_socket(member.pid, inode))
    };
    Ok(decide(&sockets, port, is_ours))
}

/// The kernel hands a connection to the most exactly bound listener; several that are
/// equally exact share the connections, and then all of them must be ours.
fn decide(sockets: &[ListeningSocket], port: u16, is_ours: impl Fn(u64) -> bool) -> Listener {
    let exactness = |socket: &ListeningSocket| match socket.address {
        _ if socket.port != port => None,
        IpAddr::V4(address) if address == HOST => Some(3),
        IpAddr::V6(address) if address.to_ipv4_mapped() == Some(HOST) => Some(3),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(2),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(1),
        _ => None,
    };
    let Some(best) = sockets.iter().filter_map(exactness).max() else {
        return Listener::Nobody;
    };
    let mut answering = sockets.iter().filter(|socket| exactness(socket) == Some(best));
    if answering.all(|socket| is_ours(socket.inode)) {
        Listener::Ours
    } else {
        Listener::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sockets as `address inode`; those below 100 are ours. All on port 80.
    fn check(sockets: &[(&str, u64)], expected: Listener) {
        let sockets: Vec<ListeningSocket> = sockets
            .iter()
            .map(|(address, inode)| ListeningSocket {
                address: address.parse().unwrap(),
                port: 80,
                inode: *inode,
            })
            .collect();
        assert_eq!(decide(&sockets, 80, |inode| inode < 100), expected, "{sockets:?}");
        assert_eq!(decide(&sockets, 81, |inode| inode < 100), Listener::Nobody);
    }

    #[test]
    fn the_most_exact_listener_answers() {
        check(&[], Listener::Nobody);
        check(&[("127.0.0.1", 1)], Listener::Ours);
        check(&[("127.0.0.1", 100)], Listener::Foreign);
        check(&[("0.0.0.0", 1)], Listener::Ours);
        check(&[("::", 1)], Listener::Ours);
        check(&[("::ffff:127.0.0.1", 1)], Listener::Ours);
        check(&[("127.0.0.1", 1), ("0.0.0.0", 100), ("::", 100)], Listener::Ours);
        check(&[("127.0.0.1", 100), ("0.0.0.0", 1)], Listener::Foreign);
        check(&[("0.0.0.0", 1), ("::", 100)], Listener::Ours);
    }

    #[test]
    fn listeners_on_other_addresses_do_not_answer() {
        check(&[("192.168.0.1", 100)], Listener::Nobody);
        check(&[("::1", 1)], Listener::Nobody);
        check(&[("192.168.0.1", 100), ("127.0.0.1", 1)], Listener::Ours);
    }

    #[test]
    fn who_shares_a_port_with_a_stranger_does_not_own_it() {
        check(&[("127.0.0.1", 1), ("127.0.0.1", 100)], Listener::Foreign);
        check(&[("127.0.0.1", 1), ("127.0.0.1", 2)], Listener::Ours);
    }
}
