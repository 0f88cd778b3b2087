//! Which addresses may be asked on somebody else's behalf.
//!
//! The one idea: a server that fetches what a stranger names must not lend the stranger its own
//! place in the network. So what a name stands for is looked up once, every address of it is
//! judged, and just those that were judged are connected to; each redirect is a look-up of its
//! own. It is the address that counts and never how it was written: `0x7f.1`, `2130706433` and a
//! name that stands for `127.0.0.1` are the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How far fetching may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To addresses that everybody can reach.
    Public,
    /// To any, as the user of this machine can anyway.
    Anywhere,
}

/// Looks names up, and refuses those that stand for an address that may not be asked.
#[derive(Debug)]
pub(super) struct Judged {
    inner: DefaultResolver,
    reach: Reach,
}

impl Judged {
    pub(super) fn new(reach: Reach) -> Self {
        Self {
            inner: DefaultResolver::default(),
            reach,
        }
    }
}

impl Resolver for Judged {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        if self.reach == Reach::Public
            && let Some(denied) = addresses.iter().find(|address| !is_public(address.ip()))
        {
            let host = uri.host().unwrap_or_default();
            return Err(ureq::Error::Other(Box::new(Denied {
                host: host.to_owned(),
                address: denied.ip(),
            })));
        }
        Ok(addresses)
    }
}

/// Why nobody was asked.
#[derive(Debug, thiserror::Error)]
#[error("{host} stands for {address}, which is not a public address, and this server fetches from no other")]
pub(super) struct Denied {
    host: String,
    address: IpAddr,
}

/// Whether everybody can reach an address: it is none of a private network, of this machine, of a
/// cloud's own services, or of no use at all.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // First address and length of each range that is set apart.
    const APART: [([u8; 4], u32); 14] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 3),
    ];
    let bits = u32::from_be_bytes(address.octets());
    let is_in = |(first, length): &([u8; 4], u32)| {
        let first = u32::from_be_bytes(*first);
        (bits ^ first) >> (32 - length) == 0
    };
    !APART.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let parts = address.segments();
    let [.., high, low] = parts;
    let tail = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match parts {
        // A translator's, with the address that it stands for at its end.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => is_public_v4(tail),
        // Only these are given to anybody; tunnels and examples among them are set apart.
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}
