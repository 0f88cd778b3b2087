//! Which names the service answers to.
//!
//! A page of another site can let its own name lead to this machine and then asks us as itself
//! (DNS rebinding); only the `Host` header tells. So every request names a host that is ours, to
//! the port. What is read here is read strictly: a form that browsers do not send is no name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Longest name of a host, by the rules of DNS.
const LONGEST_NAME: usize = 253;

/// A host with a port, as in a `Host` header or an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    /// Which host.
    pub(crate) host: HostName,
    /// Which port, where it is named.
    pub(crate) port: Option<u16>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostName {
    /// By its name, in lower case.
    Name(String),
    /// By its address.
    Address(IpAddr),
}

/// Why a text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a host, such as tuner.example, 10.0.0.5 or tuner.example:8443")]
pub(crate) struct NoAuthority {
    text: String,
}

impl FromStr for Authority {
    type Err = NoAuthority;

    fn from_str(text: &str) -> Result<Self, NoAuthority> {
        parse(text).ok_or_else(|| NoAuthority {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostName::Name(name) => f.write_str(name)?,
            HostName::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            HostName::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

fn parse(text: &str) -> Option<Authority> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let address = address.parse::<Ipv6Addr>().ok()?;
        let port = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(':')?),
        };
        (HostName::Address(address.into()), port)
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        (parse_host(host)?, port)
    };
    let port = match port {
        Some(port) => Some(parse_port(port)?),
        None => None,
    };
    Some(Authority { host, port })
}

fn parse_host(text: &str) -> Option<HostName> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(HostName::Address(address.into()));
    }
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(is_allowed)
    };
    // Browsers take a name whose last label is a number for an address, in many spellings.
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some()
        || last.strip_prefix("0X").is_some();
    let is_name = text.len() <= LONGEST_NAME && text.split('.').all(is_label) && !is_number;
    is_name.then(|| HostName::Name(text.to_ascii_lowercase()))
}

fn parse_port(text: &str) -> Option<u16> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// The names that the service answers to.
#[derive(Debug, Clone)]
pub(crate) struct HostList {
    /// Names of ours at the port that we listen on.
    ours: Vec<HostName>,
    /// Names that the operator added.
    added: Vec<Authority>,
    port: u16,
    is_behind_proxy: bool,
}

impl HostList {
    /// The names of a service that listens here, was asked to listen on `host`, and is also
    /// known by names that the operator `added`.
    pub(crate) fn new(bound: SocketAddr, host: &str, added: Vec<Authority>, is_behind_proxy: bool) -> Self {
        let mut ours = vec![
            HostName::Name("localhost".into()),
            HostName::Address(Ipv4Addr::LOCALHOST.into()),
            HostName::Address(Ipv6Addr::LOCALHOST.into()),
        ];
        if !bound.ip().is_unspecified() {
            ours.push(HostName::Address(bound.ip().to_canonical()));
        }
        if let Some(HostName::Name(name)) = parse_host(host) {
            ours.push(HostName::Name(name));
        }
        Self {
            ours,
            added,
            port: bound.port(),
            is_behind_proxy,
        }
    }

    /// Whether a request that names this host is meant for us. An address at which the request
    /// arrived is one of ours: a name can be made to lead elsewhere, an address cannot.
    pub(crate) fn allows(&self, asked: &Authority, arrived_at: Option<IpAddr>) -> bool {
        let arrived_at = arrived_at.map(|address| HostName::Address(address.to_canonical()));
        let is_ours = self.ours.contains(&asked.host) || arrived_at.as_ref() == Some(&asked.host);
        (is_ours && self.is_our_port(asked.port)) || self.is_added(asked)
    }

    /// Whether the operator added this name.
    pub(crate) fn is_added(&self, asked: &Authority) -> bool {
        self.added.iter().any(|added| {
            added.host == asked.host
                && match added.port {
                    Some(port) => asked.port == Some(port) || (asked.port.is_none() && is_usual(port)),
                    None => self.is_our_port(asked.port),
                }
        })
    }

    fn is_our_port(&self, asked: Option<u16>) -> bool {
        match asked {
            Some(port) => port == self.port || (self.is_behind_proxy && is_usual(port)),
            None => self.port == 80 || self.is_behind_proxy,
        }
    }
}

/// Whether clients leave out this port.
fn is_usual(port: u16) -> bool {
    port == 80 || port == 443
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn list(added: &[&str], is_behind_proxy: bool) -> HostList {
        let added = added.iter().map(|text| text.parse().unwrap()).collect();
        HostList::new(
            "127.0.0.1:8000".parse().unwrap(),
            "127.0.0.1",
            added,
            is_behind_proxy,
        )
    }

    fn is_allowed(list: &HostList, text: &str) -> bool {
        text.parse()
            .is_ok_and(|authority| list.allows(&authority, Some([10, 1, 2, 3].into())))
    }

    #[test]
    fn only_names_of_ours_at_our_port_are_ours() {
        let list = list(&[], false);
        for ours in [
            "localhost:8000",
            "LOCALHOST:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[0:0:0:0:0:0:0:1]:8000",
            "10.1.2.3:8000",
        ] {
            assert!(is_allowed(&list, ours), "{ours}");
        }
        for foreign in FOREIGN {
            assert!(!is_allowed(&list, foreign), "{foreign:?}");
        }
    }

    /// Names that lead here by a rebinding, or that some parser takes for a loopback address.
    pub(crate) const FOREIGN: [&str; 62] = [
        "",
        ":",
        ":8000",
        "evil.com",
        "evil.com:8000",
        "localhost",
        "localhost:",
        "localhost:80",
        "localhost:443",
        "localhost:8001",
        "localhost:08000",
        "localhost:+8000",
        "localhost:-8000",
        "localhost:8000:8000",
        "localhost:800000",
        "localhost:73536",
        "localhost:0",
        "localhost:8000/",
        "localhost:8000#",
        "localhost:8000?",
        "localhost:8000\\",
        "localhost.:8000",
        "localhost..:8000",
        ".localhost:8000",
        "localhost.evil.com:8000",
        "evil.localhost:8000",
        "localhost%00.evil.com:8000",
        "localhost\0:8000",
        "localhost :8000",
        " localhost:8000",
        "localhost:8000 ",
        "localhost,evil.com:8000",
        "localhost;evil.com",
        "user@localhost:8000",
        "localhost:8000@evil.com",
        "user:pass@127.0.0.1:8000",
        "http://localhost:8000",
        "//localhost:8000",
        "127.0.0.1",
        "127.0.0.1.:8000",
        "127.0.0.1.nip.io:8000",
        "127.0.0.2:8000",
        "127.1:8000",
        "127.0.1:8000",
        "0x7f.1:8000",
        "0x7f000001:8000",
        "0x7F.0.0.1:8000",
        "2130706433:8000",
        "017700000001:8000",
        "0177.0.0.1:8000",
        "127.0.0.01:8000",
        "0:8000",
        "0.0.0.0:8000",
        "[::]:8000",
        "[::1]",
        "[::1]8000",
        "[::1",
        "::1",
        "::1:8000",
        "[::ffff:127.0.0.1]:8000",
        "[::1%lo]:8000",
        "\u{ff4c}ocalhost:8000",
    ];

    #[test]
    fn names_that_were_added_count_at_their_port() {
        let check = |added: &[&str], is_behind_proxy: bool, asked: &str, expected: bool| {
            let list = list(added, is_behind_proxy);
            assert_eq!(
                is_allowed(&list, asked),
                expected,
                "{added:?} {is_behind_proxy} {asked}"
            );
        };
        check(&["tuner.example"], false, "tuner.example:8000", true);
        check(&["tuner.example"], false, "Tuner.Example:8000", true);
        check(&["tuner.example"], false, "tuner.example", false);
        check(&["tuner.example"], false, "x.tuner.example:8000", false);
        check(&["tuner.example"], true, "tuner.example", true);
        check(&["tuner.example"], true, "tuner.example:443", true);
        check(&["tuner.example"], true, "tuner.example:8443", false);
        check(&["tuner.example:8443"], true, "tuner.example:8443", true);
        check(&["tuner.example:8443"], true, "tuner.example", false);
        check(&["tuner.example:443"], true, "tuner.example", true);
        check(&["[2001:db8::1]"], true, "[2001:db8:0::1]", true);
        check(&[], true, "localhost", true);
        check(&[], true, "evil.com", false);
    }

    #[test]
    fn who_listens_everywhere_answers_to_the_address_that_was_reached() {
        let list = HostList::new("[::]:8000".parse().unwrap(), "::", Vec::new(), false);
        let check = |asked: &str, arrived_at: &str, expected: bool| {
            let allowed = list.allows(&asked.parse().unwrap(), Some(arrived_at.parse().unwrap()));
            assert_eq!(allowed, expected, "{asked} {arrived_at}");
        };
        check("192.168.1.5:8000", "192.168.1.5", true);
        check("192.168.1.5:8000", "::ffff:192.168.1.5", true);
        check("192.168.1.5:8000", "192.168.1.6", false);
        check("[2001:db8::7]:8000", "2001:db8::7", true);
        check("[::]:8000", "192.168.1.6", false);
    }

    #[test]
    fn authorities_are_shown_as_they_are_written() {
        for text in ["tuner.example", "tuner.example:8443", "10.0.0.1:80", "[::1]:8000"] {
            assert_eq!(text.parse::<Authority>().unwrap().to_string(), text);
        }
    }
}
